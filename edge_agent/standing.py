"""How the agent stands, in a file for others on this device: `edge-agent diagnose`, and whoever wants to update it."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from edge_agent.clock import Clock
from edge_agent.turnout.journal import read_boot_id
from wire.findings import Finding

NAME = "standing.json"
RUNTIME = Path("/run/watchroom")
"""What systemd's RuntimeDirectory=watchroom names."""
EVERY_S = 5.0
LOOK_S = 1.0
OLD_S = 30.0
"""What is older says nothing: the agent hangs, or has ended."""
_BYTES_MAX = 65_536

_log = structlog.get_logger("standing")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent says of itself and its device."""

    boot_id: str
    written_s: float
    """By CLOCK_BOOTTIME, which is the same for every process of a boot."""
    pid: int
    findings: tuple[Finding, ...]
    """One for each part of the device: those of its heartbeats and of its Faults tab."""
    busy: tuple[str, ...]
    """Why the device must not be updated, restarted or reset now; empty where it may."""


def read_standing(folder: Path, now_s: float) -> Standing | None:
    """Read how the agent stands. `now_s` is CLOCK_BOOTTIME's.

    None where that is not known: there is no such file, or it can't be read, is of another boot, or is older than 30 s.
    """
    try:
        with (folder / NAME).open("rb") as file:
            found = msgspec.json.decode(file.read(_BYTES_MAX), type=Standing)
    except (OSError, ValueError, RecursionError):  # msgspec's errors and bad UTF-8 are ValueErrors
        return None
    is_fresh = -LOOK_S <= now_s - found.written_s <= OLD_S
    return found if is_fresh and found.boot_id == read_boot_id() else None


def find_standing(folders: tuple[Path, ...], now_s: float, *, pid: int) -> Standing | None:
    """Read how the agent stands that is this process, wherever it says so."""
    found = (read_standing(folder, now_s) for folder in folders)
    return next((one for one in found if one is not None and one.pid == pid), None)


class StandingFile:
    """Keeps the file true while the agent runs. A disk that does not take it hurts nothing: that is said once."""

    def __init__(self, folder: Path, *, boot_id: str, clock: Clock) -> None:
        """Nothing is written before `run`."""
        self._path = folder / NAME
        self._boot_id, self._clock = boot_id, clock
        self._broken = False

    async def run(self, look: Callable[[], tuple[Finding, ...]], busy: Callable[[], tuple[str, ...]]) -> None:
        """Write each 5 s, and within a second of a change, until cancelled; then the file is removed."""
        said: tuple[object, ...] = ()
        written_s = 0.0
        try:
            while True:
                now_s = self._clock.monotonic()
                says = (look(), busy())
                if says != said or now_s - written_s >= EVERY_S:
                    said, written_s = says, now_s
                    standing = Standing(
                        boot_id=self._boot_id, written_s=now_s, pid=os.getpid(), findings=says[0], busy=says[1]
                    )
                    await asyncio.to_thread(self._write, standing)
                await self._clock.sleep(LOOK_S)
        finally:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _write(self, standing: Standing) -> None:
        """Replace the file whole. It is for this boot alone, so no disk need be waited for."""
        ready = self._path.with_suffix(".new")
        try:
            ready.write_bytes(msgspec.json.encode(standing))
            ready.chmod(0o644)  # for whoever asks on the device, whatever the umask
            ready.replace(self._path)
        except OSError as error:
            if not self._broken:
                _log.warning("standing_not_written", cause=error.strerror)
            self._broken = True
            with contextlib.suppress(OSError):
                ready.unlink()
        else:
            self._broken = False
