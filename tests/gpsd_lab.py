"""A real gpsd for tests: recorded receiver logs replayed over a pseudo terminal, with every way a receiver can fail.

`replay` is the short way: gpsd is started with the log, and reading starts when the first client watches, so that no
fix is missed. `GpsdLab` is the long way: feed, pause, unplug, plug, kill and restart by hand.
"""

import array
import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import tempfile
import termios
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from edge_agent.clock import SystemClock
from tests.gpsd_logs import packets
from tests.ports import free_port
from tests.programs import require_program
from tests.waiting import eventually

CLIENT_S = 60.0
"""How long a replay waits for its first client: an agent or a browser test may have much to start before."""

DEAF_S = 0.2
"""How long gpsd does not read while it sets a line (the nanosleep that strace shows with 3.22)."""

PROMPT_S = 0.05
"""Once it listens, gpsd reads in well under a millisecond; this leaves room for a busy machine."""


@dataclass(frozen=True)
class ShiftedClock:
    """A clock for replays: wall time starts at `start` and runs at the real rate."""

    start: datetime
    began_s: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return self.start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return asyncio.get_running_loop().time() - self.began_s

    async def sleep(self, duration_s: float) -> None:
        """Wait for `duration_s` seconds."""
        await SystemClock().sleep(duration_s)


class GpsdLab:
    """One gpsd, one pseudo terminal that stands for the receiver's serial line. Make it with `gpsd_lab`."""

    def __init__(self, folder: Path, port: int, *, wait_for_client: bool) -> None:
        """Nothing is started before `start`."""
        self.port = port
        self._program = require_program("gpsd")
        self._control = require_program("gpsdctl")
        self._control_socket = folder / "control"
        self._device = folder / "receiver"
        self._options = () if wait_for_client else ("-n",)
        self._process: asyncio.subprocess.Process | None = None
        self._master = self._slave = -1
        self._connect()

    async def plug(self) -> None:
        """Plug the receiver in again: it appears under the same name, and gpsd is told as Debian's udev tells it."""
        self._connect()
        await self._tell("add")

    async def unplug(self) -> None:
        """Pull the receiver out: its name is gone, and gpsd is told as Debian's udev tells it."""
        self.disconnect()
        await self._tell("remove")

    async def _tell(self, action: str) -> None:
        process = await _start(self._control, action, str(self._device), GPSD_SOCKET=str(self._control_socket))
        await process.wait()

    def _connect(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        os.chmod(os.ttyname(self._slave), 0o666)  # gpsd drops its privileges after its start.
        self._device.unlink(missing_ok=True)
        self._device.symlink_to(os.ttyname(self._slave))

    def disconnect(self) -> None:
        """Pull the receiver out, and nobody tells gpsd."""
        self._device.unlink(missing_ok=True)
        for end in (self._slave, self._master):
            if end >= 0:
                os.close(end)
        self._master = self._slave = -1

    async def start(self) -> None:
        """Start gpsd on the device and return when it listens."""
        # The key as gpsfake sets it, so that two gpsd share nothing.
        line = ("-s", "38400", "-f", "8N1")  # Not hunting for the speed, which would flush what is fed.
        where = ("-F", str(self._control_socket), "-S", str(self.port), str(self._device))
        self._process = await _start(
            self._program, "-b", "-N", *self._options, *line, *where, GPSD_SHM_KEY=f"0x4770{self.port:04X}"
        )
        await eventually(self._listens, what="gpsd listens")

    async def kill(self) -> None:
        """Kill gpsd without warning."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop gpsd without ending it: its socket stays open and nobody answers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen gpsd go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    async def opened(self, *, deadline_s: float = 10.0) -> None:
        """Return once gpsd reads the receiver: nothing that is fed from then on is lost.

        It opens the device, then sets the line, deaf for 0.2 s at a time, and flushes what came meanwhile. So empty
        lines are sent until it has read promptly for longer than that.
        """
        await eventually(self._has_device_open, what="gpsd opens the receiver", deadline_s=deadline_s)
        prompt_s = 0.0
        while prompt_s <= DEAF_S:
            await self.feed([b"\n"], cycle_s=PROMPT_S)
            prompt_s = prompt_s + PROMPT_S if self._unread() == 0 else 0.0

    async def feed(self, sentences: list[bytes], *, cycle_s: float) -> None:
        """Let the receiver talk: one sentence each `cycle_s`. Cancel it and the receiver is silent, but plugged in."""
        for sentence in sentences:
            await self._write(sentence)
            await SystemClock().sleep(cycle_s)

    async def _write(self, sentence: bytes) -> None:
        while sentence:
            try:
                sentence = sentence[os.write(self._master, sentence) :]
            except BlockingIOError:  # gpsd does not read just now.
                await SystemClock().sleep(0.005)

    def _unread(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self._slave, termios.FIONREAD, count)
        return count[0]

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _has_device_open(self) -> bool:
        if self._process is None or self._slave < 0:
            return False
        return os.ttyname(self._slave) in set(_open_files(self._process.pid))


async def _start(program: Path, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(str(program), *arguments),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


def _open_files(pid: int) -> Iterator[str]:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(link)


@contextlib.asynccontextmanager
async def gpsd_lab(port: int | None = None, *, wait_for_client: bool = False) -> AsyncIterator[GpsdLab]:
    """A started gpsd with a silent receiver. With `wait_for_client` it opens the receiver for the first watch only."""
    folder = Path(tempfile.mkdtemp(prefix="watchroom-gpsd-"))
    folder.chmod(0o755)
    lab = GpsdLab(folder, port or free_port(), wait_for_client=wait_for_client)
    try:
        await lab.start()
        yield lab
    finally:
        await lab.kill()
        lab.disconnect()
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Replay:
    """A log that is being replayed: where to connect, and `await done()` for the end of the log."""

    port: int
    done: Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def replay(log: Path, port: int | None = None, *, cycle_s: float = 0.01) -> AsyncIterator[Replay]:
    """A gpsd that replays `log` once, `cycle_s` a sentence, from when the first client watches."""
    async with gpsd_lab(port, wait_for_client=True) as lab:

        async def play() -> None:
            await lab.opened(deadline_s=CLIENT_S)
            await lab.feed(packets(log), cycle_s=cycle_s)

        async with running(play()) as playing:
            yield Replay(lab.port, lambda: asyncio.shield(playing))


@contextlib.asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` beside the block and cancel it at the end. A failure of `work` fails the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def peer(talk: Talk) -> AsyncIterator[int]:
    """A server that is no gpsd: it runs `talk` for whoever connects, until the end of the block."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", port := free_port())
    try:
        yield port
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks)
