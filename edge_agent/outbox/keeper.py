"""The outbox as the agent uses it: one thread, one file, and what to do when the disk or the file fails."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import msgspec
import structlog

from edge_agent.errors import Fatal, Retryable
from edge_agent.outbox import takeover
from edge_agent.outbox.database import Damaged, failure_of
from edge_agent.outbox.file import EVICT_ROWS, Batch, Depth, Draft, OutboxFile, SettleOutcome, Stored
from edge_agent.outbox.reserve import Reserve
from wire.events import Queue
from wire.messages import CurrentStatus

_log = structlog.get_logger("outbox")
_T = TypeVar("_T")
_CURES_MAX = 4
"""How often one operation may be answered with more room or a new file before it counts as failed."""

_LOG_BYTES = 131_072
"""Room on a full disk that is left to the log when the file is let grow."""

_TRACK_CARRIED_ON_FULL = 100
"""How much of the track a new file takes over where the disk has no room for all of it."""


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
        self._broken: dict[str, Exception] = {}
        self.set_aside: list[Path] = []
        try:
            self._file = self._open()
            self.depth = self._file.depth()
            self._take_room_again()
        except (sqlite3.Error, OSError, Damaged) as error:
            self._lock.close()
            raise Fatal(
                f"cannot keep {self._path}: {error}. Make room on its disk, or change device.state_dir"
            ) from error
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
    def emergency(self) -> int:
        """The sequence of the newest unsettled emergency; 0 for none."""
        return self._file.emergency

    @property
    def fault(self) -> str:
        """What is wrong with the storage now; empty when nothing is."""
        return next((str(error) for error in self._broken.values()), "")

    async def append(self, queue: Queue, drafts: Sequence[Draft], standing: bool = True) -> list[Stored]:
        """Commit events: when this returns they are on disk. Raises `StorageFailed`."""
        return await self._run("append", lambda file: file.append(queue, drafts, standing))

    async def batch(self, queue: Queue, events_max: int) -> Batch | None:
        """Give the oldest unsettled events of a queue, or None."""
        return await self._run("batch", lambda file: file.batch(queue, events_max))

    async def newest_track(self) -> list[Stored]:
        """Give the newest unsettled track record of each kind and name."""
        return await self._run("newest_track", lambda file: file.newest_track())

    async def emergencies(self, events_max: int) -> list[Stored]:
        """Give the newest unsettled emergencies, oldest first."""
        return await self._run("emergencies", lambda file: file.emergencies(events_max))

    async def unsettled_statuses(self, events_max: int) -> list[Stored]:
        """Give the newest unsettled statuses, oldest first."""
        return await self._run("unsettled_statuses", lambda file: file.unsettled_statuses(events_max))

    async def settle(self, queue: Queue, stream: str, through: int, digest: bytes) -> SettleOutcome:
        """Delete what the cloud settled. Where the cloud is ahead, a new stream takes over."""
        outcome = await self._run("settle", lambda file: file.settle(queue, stream, through, digest))
        if outcome == "ahead":
            await self.mint("ahead")
        return outcome

    async def mint(self, reason: str) -> None:
        """Go on in a new stream that takes over everything unsettled, and set the old file aside."""
        await self._run("mint", lambda _: self._replace(reason))

    async def held(self) -> Held:
        """Describe what the outbox holds."""
        return await self._run("held", self._describe)

    async def tidy(self) -> None:
        """Keep the track within its limit and the reserve filled. Call it now and then."""
        await self._run("tidy", self._tidy)

    async def close(self) -> None:
        """Finish what is under way and close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        self._thread.shutdown()
        self._lock.close()

    async def _run(self, task: str, work: Callable[[OutboxFile], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._attempt, task, work)

    def _attempt(self, task: str, work: Callable[[OutboxFile], _T]) -> _T:
        try:
            result = self._with_cure(work)
        except (sqlite3.Error, OSError, Damaged) as error:
            self._say_broken(task, error)
            raise StorageFailed(str(error)) from error
        self._say_healed(task)
        self._count()
        return result

    def _count(self) -> None:
        """Note the depths. That failing does not undo what was just committed."""
        try:
            self.depth = self._with_cure(lambda file: file.depth())
        except (sqlite3.Error, OSError, Damaged) as error:
            self._say_broken("count", error)
            return
        self._say_healed("count")

    def _with_cure(self, work: Callable[[OutboxFile], _T]) -> _T:
        if self._file.closed:
            self._file = self._open()
        for _ in range(_CURES_MAX):
            try:
                return work(self._file)
            except (sqlite3.Error, Damaged) as error:
                self._cure(error)
        return work(self._file)

    def _cure(self, error: sqlite3.Error | Damaged) -> None:
        """Make room, or take over from a damaged file. Raises the error where neither would help."""
        match failure_of(error):
            case "full" if self._make_room():
                _log.warning("outbox_made_room", cause=str(error))
            case "damaged":
                _log.error("outbox_damaged", cause=str(error))
                self._replace("damaged")
            case _:
                raise error

    def _make_room(self) -> bool:
        """Give up the reserve and the oldest of the track; use what else the disk has. Tells if anything helped."""
        released = self._reserve.release()
        evicted = self._file.evict(max(0, self._file.depth().track - EVICT_ROWS))
        if evicted:
            _log.warning("track_evicted", rows=evicted)
        free = _free_bytes(self._path)
        grown = self._file.cap(0 if evicted else max(free // 2, free - _LOG_BYTES))
        return released or evicted > 0 or grown

    def _take_room_again(self) -> bool:
        """Fill the reserve where the disk has room again, and let the file grow only while the reserve is there."""
        held = self._reserve.refill()
        self._file.cap(None if held else 0)
        return held

    def _replace(self, reason: str) -> None:
        self._file.close()
        try:
            self._file = self._take_over(reason)
        except (sqlite3.Error, OSError, Damaged):
            takeover.finish_interrupted(self._path)
            self._file = OutboxFile(self._path, self._enrolment)
            raise
        self._take_room_again()

    def _take_over(self, reason: str) -> OutboxFile:
        """Take over; where the disk is too full for that, in the reserve's room and without the older track."""
        make = partial(takeover.take_over, self._path, self._enrolment, reason, self._event_codes)
        try:
            file, aside = make()
        except sqlite3.Error as error:
            if failure_of(error) != "full":
                raise
            takeover.finish_interrupted(self._path)
            self._reserve.release()
            file, aside = make(track_rows_max=_TRACK_CARRIED_ON_FULL)
        self.set_aside.append(aside)
        _log.error("outbox_set_aside", file=aside.name, reason=reason, stream=file.stream)
        return file

    def _open(self) -> OutboxFile:
        aside = takeover.finish_interrupted(self._path)
        if aside is not None:
            self.set_aside.append(aside)
            _log.error("outbox_set_aside", file=aside.name, reason="interrupted")
        try:
            return OutboxFile(self._path, self._enrolment)
        except (sqlite3.Error, Damaged) as error:
            if failure_of(error, opening=True) == "damaged":
                _log.error("outbox_damaged", cause=str(error))
                return self._take_over("damaged")
            if not self._reserve.release():
                raise
            return OutboxFile(self._path, self._enrolment)

    def _describe(self, file: OutboxFile) -> Held:
        return Held(
            stream=file.stream,
            predecessor=file.predecessor,
            boot=file.boot,
            last_status=file.last_seq("status"),
            last_track=file.last_seq("track"),
            depth=file.depth(),
            current=file.current(),
            disk_free_mib=_free_bytes(self._path) // 2**20,
        )

    def _tidy(self, file: OutboxFile) -> None:
        evicted = file.evict(self._limits.track_max_rows)
        if evicted:
            _log.warning("track_evicted", rows=evicted)
        if self._take_room_again():
            for task in [task for task, error in self._broken.items() if failure_of(error) == "full"]:
                self._say_healed(task)

    def _say_broken(self, task: str, error: Exception) -> None:
        if not self._broken:
            _log.error("outbox_broke", task=task, cause=str(error))
        self._broken[task] = error

    def _say_healed(self, task: str) -> None:
        """What broke heals by succeeding itself, for reading goes on working on a full disk, or by room (`tidy`)."""
        if self._broken.pop(task, None) is not None and not self._broken:
            _log.info("outbox_healed")


def _free_bytes(path: Path) -> int:
    disk = os.statvfs(path.parent)
    return disk.f_bavail * disk.f_frsize


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
