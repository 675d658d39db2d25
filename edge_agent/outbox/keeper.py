"""The outbox as the agent uses it: one thread, one file, and what to do when the disk or the file fails."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeVar

import msgspec
import structlog

from edge_agent.errors import Fatal, Retryable
from edge_agent.outbox import takeover
from edge_agent.outbox.file import Batch, Damaged, Depth, Draft, OutboxFile, SettleOutcome, Stored
from edge_agent.outbox.reserve import Reserve
from wire.messages import CurrentStatus, Queue

_log = structlog.get_logger("outbox")
_T = TypeVar("_T")
_TRACK_KEPT_ON_FULL = 0.5
"""Share of the track that stays when the disk is full: the oldest goes first."""


class StorageFailed(Retryable):
    """The event is not on disk: the press must not be confirmed."""


class OutboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the outbox may take."""

    track_max_rows: int
    reserve_kib: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the outbox holds: everything that a heartbeat says of it."""

    stream: str
    predecessor: str
    boot: int
    last_status: int
    last_track: int
    depth: Depth
    current: list[CurrentStatus]
    disk_free_mib: int


class OutboxKeeper:
    """Runs every operation on one thread, in the order of the calls.

    A full disk is answered by giving up the oldest of the track and the reserve; a damaged file by a new one that
    takes over what can be read. What fails all the same raises `StorageFailed`, said once in the log and once healed.
    """

    def __init__(self, folder: Path, enrolment: str, limits: OutboxLimits, event_codes: frozenset[str]) -> None:
        """Open the outbox in `folder`. Raises `Fatal`, in one line, where the folder cannot be used."""
        self._path = folder / "outbox.db"
        self._enrolment = enrolment
        self._limits = limits
        self._event_codes = event_codes
        self._lock = _claim(folder)
        self._reserve = Reserve(folder / "reserve", limits.reserve_kib)
        self._broken = ""
        self.set_aside: list[Path] = []
        self._file = self._open()
        self.depth = self._file.depth()
        self._reserve.refill()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")

    @property
    def stream(self) -> str:
        """The stream that events are committed to."""
        return self._file.stream

    @property
    def boot(self) -> int:
        """The number of this boot."""
        return self._file.boot

    @property
    def fault(self) -> str:
        """What is wrong with the storage now; empty when nothing is."""
        return self._broken

    async def append(self, queue: Queue, drafts: Sequence[Draft], standing: bool = True) -> list[Stored]:
        """Commit events: when this returns they are on disk. Raises `StorageFailed`."""
        return await self._run(lambda file: file.append(queue, drafts, standing))

    async def batch(self, queue: Queue, events_max: int) -> Batch | None:
        """Give the oldest unsettled events of a queue, or None."""
        return await self._run(lambda file: file.batch(queue, events_max))

    async def newest_track(self) -> list[Stored]:
        """Give the newest unsettled track record of each kind and name."""
        return await self._run(lambda file: file.newest_track())

    async def unsettled_statuses(self, events_max: int) -> list[Stored]:
        """Give the newest unsettled statuses, oldest first."""
        return await self._run(lambda file: file.unsettled_statuses(events_max))

    async def settle(self, queue: Queue, stream: str, through: int, digest: bytes) -> SettleOutcome:
        """Delete what the cloud settled. Where the cloud is ahead, a new stream takes over."""
        outcome = await self._run(lambda file: file.settle(queue, stream, through, digest))
        if outcome == "ahead":
            await self.mint("ahead")
        return outcome

    async def mint(self, reason: str) -> None:
        """Go on in a new stream that takes over everything unsettled, and set the old file aside."""
        await self._run(lambda _: self._replace(reason))

    async def held(self) -> Held:
        """Describe what the outbox holds."""
        return await self._run(self._describe)

    async def tidy(self) -> None:
        """Keep the track within its limit and the reserve filled. Call it now and then."""
        await self._run(self._tidy)

    async def close(self) -> None:
        """Finish what is under way and close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        self._thread.shutdown()
        self._lock.close()

    async def _run(self, work: Callable[[OutboxFile], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._attempt, work)

    def _attempt(self, work: Callable[[OutboxFile], _T]) -> _T:
        try:
            result = self._with_cure(work)
            self.depth = self._file.depth()
        except (sqlite3.Error, OSError, Damaged) as error:
            self._say_broken(str(error))
            raise StorageFailed(str(error)) from error
        self._say_healed()
        return result

    def _with_cure(self, work: Callable[[OutboxFile], _T]) -> _T:
        try:
            return work(self._file)
        except sqlite3.OperationalError as error:
            if not self._make_room():
                raise
            _log.warning("outbox_made_room", cause=str(error))
        except (sqlite3.DatabaseError, Damaged) as error:
            _log.error("outbox_damaged", cause=str(error))
            self._replace("damaged")
        return work(self._file)

    def _make_room(self) -> bool:
        """Give the reserve back and the older half of the track up. Tells whether either gave anything."""
        released = self._reserve.release()
        kept = int(self._file.depth().track * _TRACK_KEPT_ON_FULL)
        evicted = self._file.evict(kept)
        if evicted:
            self._file.shrink()
            _log.warning("track_evicted", rows=evicted)
        return released or evicted > 0

    def _replace(self, reason: str) -> None:
        self._file.close()
        try:
            self._file, aside = takeover.take_over(self._path, self._enrolment, reason, self._event_codes)
        except (sqlite3.Error, OSError, Damaged):
            self._file = OutboxFile(self._path, self._enrolment)
            raise
        self.set_aside.append(aside)
        _log.error("outbox_set_aside", file=aside.name, reason=reason, stream=self._file.stream)

    def _open(self) -> OutboxFile:
        takeover.finish_interrupted(self._path)
        try:
            return OutboxFile(self._path, self._enrolment)
        except sqlite3.OperationalError:
            if not self._reserve.release():
                raise
            return OutboxFile(self._path, self._enrolment)
        except (sqlite3.DatabaseError, Damaged) as error:
            _log.error("outbox_damaged", cause=str(error))
            file, aside = takeover.take_over(self._path, self._enrolment, "damaged", self._event_codes)
            self.set_aside.append(aside)
            _log.error("outbox_set_aside", file=aside.name, reason="damaged", stream=file.stream)
            return file

    def _describe(self, file: OutboxFile) -> Held:
        disk = os.statvfs(self._path.parent)
        return Held(
            stream=file.stream,
            predecessor=file.predecessor,
            boot=file.boot,
            last_status=file.last_seq("status"),
            last_track=file.last_seq("track"),
            depth=file.depth(),
            current=file.current(),
            disk_free_mib=disk.f_bavail * disk.f_frsize // 2**20,
        )

    def _tidy(self, file: OutboxFile) -> None:
        evicted = file.evict(self._limits.track_max_rows)
        if evicted:
            _log.warning("track_evicted", rows=evicted)
        self._reserve.refill()

    def _say_broken(self, cause: str) -> None:
        if not self._broken:
            _log.error("outbox_broke", cause=cause)
        self._broken = cause

    def _say_healed(self) -> None:
        if self._broken:
            _log.info("outbox_healed")
        self._broken = ""


def _claim(folder: Path) -> IO[bytes]:
    """Make the folder and hold its lock, so that no second agent writes the same outbox."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("wb")
    except OSError as error:
        raise Fatal(
            f"cannot write to {folder}: {error.strerror}. Make it writable, or change device.state_dir"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Fatal(f"another agent is using {folder}. Stop it, or give this one its own device.state_dir") from error
    return lock
