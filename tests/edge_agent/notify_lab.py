"""What listens where systemd would: a real NOTIFY_SOCKET, and the watchdog's time running out as systemd counts it."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

from edge_agent.clock import SystemClock
from tests.waiting import eventually

_CREDENTIALS_BYTES = 12
"""`struct ucred`: process, user, group."""


class Notified:
    """Takes what a service says. `expired` once a pet was late, and systemd would have ended the service."""

    def __init__(self, address: str, watched_s: float) -> None:
        """Listen at a path, or after `@` at a name that is no file. The watchdog's time runs from READY=1."""
        self.address, self._watched_s = address, watched_s
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._clock = SystemClock()
        self._pet_s: float | None = None
        self._expired = False
        self.said: list[str] = []
        self.senders: set[int] = set()

    @property
    def environ(self) -> dict[str, str]:
        """What systemd would set for the service."""
        return {"NOTIFY_SOCKET": self.address, "WATCHDOG_USEC": str(round(self._watched_s * 1_000_000))}

    @property
    def pets(self) -> int:
        """How often the watchdog was petted."""
        return self.said.count("WATCHDOG=1")

    @property
    def expired(self) -> bool:
        """Whether the service was ever silent for too long."""
        return self._look()._expired

    @property
    def status(self) -> str:
        """The newest STATUS."""
        return next((line.removeprefix("STATUS=") for line in reversed(self.said) if line.startswith("STATUS=")), "")

    def _look(self) -> Self:
        """Take what has come: what is in the socket came in time, however late it is read."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._take()
        if self._pet_s is not None and self._clock.monotonic() - self._pet_s > self._watched_s:
            self._expired = True
        return self

    def _take(self) -> None:
        data, about, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS_BYTES))
        self.senders |= {int.from_bytes(content[:4], "little") for _, _, content in about}
        for line in data.decode().splitlines():
            self.said.append(line)
            if line in ("READY=1", "WATCHDOG=1"):
                self._pet_s = self._clock.monotonic()
            elif line == "STOPPING=1":
                self._pet_s = None

    async def petted(self, times: int, *, deadline_s: float = 20.0) -> None:
        """Return once it was petted so many times more."""
        wanted = self._look().pets + times
        await eventually(lambda: self._look().pets >= wanted, what="pets", deadline_s=deadline_s)

    async def hears(self, line: str, *, deadline_s: float = 20.0) -> None:
        """Return once this was said."""
        await eventually(lambda: line in self._look().said, what=line, deadline_s=deadline_s)

    async def ran_out(self, *, deadline_s: float = 20.0) -> None:
        """Return once the watchdog's time has run out."""
        await eventually(lambda: self.expired, what="a watchdog that runs out", deadline_s=deadline_s)

    def close(self) -> None:
        """Listen no longer."""
        self._socket.close()


@contextlib.asynccontextmanager
async def notified(watched_s: float, path: Path | None = None) -> AsyncIterator[Notified]:
    """Listen at `path`, or at a name of its own that is no file."""
    listener = Notified(str(path) if path else f"@watchroom-{secrets.token_hex(8)}", watched_s)
    looking = asyncio.create_task(_keep_looking(listener))
    try:
        yield listener
    finally:
        looking.cancel()
        listener.close()


async def _keep_looking(listener: Notified) -> None:
    """See a watchdog that runs out while nobody asks."""
    while not listener.expired:
        await SystemClock().sleep(0.02)
