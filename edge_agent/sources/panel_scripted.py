"""A panel on a local socket, for the simulator and tests: presses come in and lamps go out as JSON lines."""

import asyncio
import errno
import os
import socket
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from edge_agent.clock import Clock
from edge_agent.decode.panel import LineStream, decode_lines, release_lines
from edge_agent.decode.readings import Press, Rejected
from edge_agent.errors import Fatal
from edge_agent.sources.panel import Emit, Jitter, Outage, until_first
from edge_agent.state.lamps import Lamp

CLIENTS_MAX = 16
UNSENT_BYTES_MAX = 65_536
"""What may wait for a client that does not read; past it the client is dropped."""
WATCH_S = 2.0
"""How often it is checked that clients can still find the socket's file."""
PATH_BYTES_MAX = 107
"""The room for a socket's path in `sockaddr_un`, unix(7)."""

_READ_BYTES = 4_096


class ScriptedPanel:
    """The panel at the socket `path`, which this process listens on, for its own user only.

    A client sends `{"button":"b4","down":true}` and gets `{"lamps":{"b4":"slow"},"notice":""}`, at once and on every
    change. `rejected` counts by reason what could not be believed, `dropped` the clients that did not read.
    """

    def __init__(self, path: str, *, buttons: Collection[str], clock: Clock, jitter: Jitter) -> None:
        """`buttons` are the names that count; a press of another is rejected."""
        self._path, self._buttons = path, frozenset(buttons)
        self._clock, self._jitter = clock, jitter
        self._clients: set[_Client] = set()
        # Bounded by the clients: each adds one read at a time, and `run` empties it in the same turn of the loop.
        self._inbox: asyncio.Queue[Press] = asyncio.Queue()
        self._view = _encode(dict.fromkeys(sorted(self._buttons), "dark"), "")
        self.rejected: Counter[str] = Counter()
        self.dropped = 0

    def show(self, lamps: Mapping[str, Lamp], notice: str) -> None:
        """Send this to every client if it differs from what they have, and to every later one."""
        view = _encode(lamps, notice)
        if view == self._view:
            return
        self._view = view
        for client in tuple(self._clients):
            self.dropped += not client.send(view)

    async def run(self, emit: Emit) -> None:
        """Serve clients until cancelled. Raises Fatal where the path belongs to something else."""
        outage = Outage("panel", emit=emit, clock=self._clock, jitter=self._jitter)
        while True:
            try:
                await self._serve(emit, outage)
            except OSError as error:
                await outage.wait(f"{self._path}: {error.strerror or error}")

    async def _serve(self, emit: Emit, outage: Outage) -> None:
        loop, listener = asyncio.get_running_loop(), _listen(self._path)
        identity = _identity(self._path)
        server = await loop.create_unix_server(lambda: _Client(self), sock=listener, start_serving=False)
        try:
            await server.start_serving()
            outage.heal()
            await until_first(self._drain(emit), self._watch(identity))
        finally:
            # While the socket is open its inode is not given to another file, so this is surely ours.
            if identity is not None and _identity(self._path) == identity:
                os.unlink(self._path)
            server.close()
            for client in tuple(self._clients):
                client.drop()

    async def _drain(self, emit: Emit) -> None:
        while True:
            emit(await self._inbox.get())

    async def _watch(self, identity: tuple[int, int] | None) -> None:
        while identity is not None and _identity(self._path) == identity:
            await self._clock.sleep(WATCH_S)
        raise OSError(errno.ENOENT, "the socket's file has gone")

    def join(self, client: "_Client") -> None:
        """Take in a client that has connected, unless there are too many."""
        if len(self._clients) >= CLIENTS_MAX:
            client.drop()
            return
        self._clients.add(client)
        client.send(self._view)

    def leave(self, client: "_Client") -> None:
        """Forget a client that has gone, and release what it held."""
        self._clients.discard(client)
        self.take(release_lines(client.stream))

    def decode(self, stream: LineStream, chunk: bytes) -> LineStream:
        """Take in what a client sent."""
        stream, readings = decode_lines(stream, chunk, self._buttons)
        self.take(readings)
        return stream

    def take(self, readings: Iterable[Press | Rejected]) -> None:
        """Queue presses for `run`, count the rest."""
        for reading in readings:
            if isinstance(reading, Rejected):
                self.rejected[reading.reason] += 1
            else:
                self._inbox.put_nowait(reading)


class _Client(asyncio.BufferedProtocol):
    """One connection. It reads a little per turn of the loop, and never waits for its peer."""

    def __init__(self, panel: ScriptedPanel) -> None:
        self._panel = panel
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(_READ_BYTES)
        self.stream = LineStream()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._panel.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._panel.leave(self)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.stream = self._panel.decode(self.stream, bytes(self._buffer[:nbytes]))

    def send(self, line: bytes) -> bool:
        """Send a line without waiting; False where the client had too much unread and was dropped."""
        if self._transport is None or self._transport.is_closing():
            return True
        self._transport.write(line)
        if self._transport.get_write_buffer_size() <= UNSENT_BYTES_MAX:
            return True
        self.drop()
        return False

    def drop(self) -> None:
        """Cut the connection, unsent lines and all."""
        if self._transport is not None:
            self._transport.abort()


def _encode(lamps: Mapping[str, Lamp], notice: str) -> bytes:
    return msgspec.json.encode({"lamps": dict(lamps), "notice": notice}) + b"\n"


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _listen(path: str) -> socket.socket:
    """A listening socket at `path`, mode 0600 from its first moment. Raises OSError, or Fatal if it is not ours."""
    if len(os.fsencode(path)) > PATH_BYTES_MAX:
        raise Fatal(f"{path} is too long for a socket: give [panel] path at most {PATH_BYTES_MAX} bytes")
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        os.fchmod(listener.fileno(), 0o600)  # Linux gives the file this mode when it is bound.
        listener.bind(path)
        listener.listen(CLIENTS_MAX)
    except OSError:
        listener.close()
        raise
    return listener


def _clear(path: str) -> None:
    """Remove what a dead process left at `path`; never another's live socket, nor anything but a socket."""
    try:
        mode = os.stat(path, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Fatal(f"{path} is there and is not a socket: remove it, or give [panel] path another name")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        answer = probe.connect_ex(path)
    if answer == errno.ENOENT:
        return
    if answer != errno.ECONNREFUSED:
        raise Fatal(f"{path} is in use by another process: stop it, or give [panel] path another name")
    os.unlink(path)
