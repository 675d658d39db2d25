"""A TCP pass-through to the broker that can hold what goes one way: the network, as the two ends of it see it."""

import asyncio
import contextlib
from typing import Literal

Way = Literal["up", "down"]
_CHUNK_BYTES = 65_536


class HeldLink:
    """One device's way to the broker. `up` is towards the broker. What is held is kept, and goes on when released."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self.port = 0
        self.carried_up = 0
        """Bytes that the broker's socket took so far."""
        self._open = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._broker_port = 0

    async def open(self, broker_port: int) -> None:
        """Listen on a free port for connections that go to `broker_port`."""
        self._broker_port = broker_port
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self.release()

    async def close(self) -> None:
        """Cut everything, and listen no more."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    def hold(self, way: Way) -> None:
        """Pass nothing on one way from now on."""
        self._open[way].clear()

    def release(self) -> None:
        """Pass everything on, what was held first."""
        for way in self._open.values():
            way.set()

    async def cut(self) -> None:
        """End every connection; what is held is lost."""
        gone = list(self._connections)
        for connection in gone:
            connection.cancel()
        await asyncio.gather(*gone, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(self._carry(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. Either end going ends it; where the broker is away, it is closed at once."""
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(writer.transport.abort)
            broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
            stack.callback(broker_writer.transport.abort)
            pumps = [
                asyncio.ensure_future(self._pump("up", reader, broker_writer)),
                asyncio.ensure_future(self._pump("down", broker_reader, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                await self._open[way].wait()
                if way == "up":
                    self.carried_up += len(chunk)
                writer.write(chunk)
                await writer.drain()
