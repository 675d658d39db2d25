"""Serves the touch page on the device's own loopback interface, for as long as the agent runs."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import structlog
import uvicorn

from edge_agent.clock import Clock
from edge_agent.panel.guard import PanelGuard
from edge_agent.panel.port import PanelPort
from edge_agent.panel.routes import make_router

LOOPBACK = "127.0.0.1"
RETRY_S = 5.0
CONNECTIONS_MAX = 32
GRACE_S = 1

_log = structlog.get_logger("panel")


class PanelServer:
    """The touch page. Make it, then `run` it until it is cancelled."""

    def __init__(self, port: PanelPort, *, number: int, clock: Clock) -> None:
        """Serve `port` on the TCP port `number` of this machine only."""
        self._port = port
        self._number = number
        self._clock = clock
        self.fault = ""
        """Why the page is not served now; empty where it is. The agent goes on without it."""

    async def run(self) -> None:
        """Serve until cancelled. A port that is taken is tried again for as long as it takes, and said once."""
        while True:
            listening = self._listen()
            if listening is not None:
                with listening:
                    await self._serve(listening)
            await self._clock.sleep(RETRY_S)

    def _listen(self) -> socket.socket | None:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, self._number))
            listening.listen()
        except OSError as error:
            listening.close()
            if not self.fault:
                _log.error("panel_page_not_served", port=self._number, cause=error.strerror)
            self.fault = f"the touch page can't be served: port {self._number}: {error.strerror}"
            return None
        if self.fault:
            _log.info("panel_page_served", port=self._number)
        self.fault = ""
        return listening

    async def _serve(self, listening: socket.socket) -> None:
        router, listeners = make_router(self._port, self._clock)
        config = uvicorn.Config(
            PanelGuard(router),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=GRACE_S,
        )
        server = _Server(config)
        try:
            await server.serve(sockets=[listening])
        except asyncio.CancelledError:
            listeners.close()
            await server.shutdown(sockets=[listening])
            raise


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: whoever composed this process ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield
