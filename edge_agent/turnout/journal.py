"""The journal of orders, `journal.db`: what was decided is on disk before it is done.

In memory it holds every line of its file, and those that a failing disk has not taken yet: the memory is what this
process goes by, and the file is for the next one.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog

from edge_agent.clock import Clock
from edge_agent.errors import Fatal
from edge_agent.outbox import StorageFailed
from edge_agent.outbox.database import Damaged, failure_of
from edge_agent.station.words import Journaled
from edge_agent.turnout.journal_file import JournalFile, finish_interrupted, replace, salvage, says_the_same
from edge_agent.turnout.lines import Key, Line, Particulars, forgettable, in_this_boot, key_of, merged

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PATIENCE_S = 2.0
"""So long an alert waits for a disk that neither takes a row nor fails, as a worn card may do for minutes."""
PATIENCE_BROKEN_S = 0.2
"""Likewise where the last attempt was no good either."""
_STALLED = "its disk does not answer"

_log = structlog.get_logger("turnout")
_T = TypeVar("_T")


def read_boot_id() -> str:
    """The id of this boot of the machine. The monotonic clock starts over with each."""
    return BOOT_ID.read_text(encoding="ascii").strip()


class _Torn(Exception):
    """The file turns out to be damaged: it is replaced by one that holds all that is remembered."""

    def __init__(self, cause: Exception) -> None:
        """Keep what showed it."""
        super().__init__(str(cause))
        self.cause = cause


class _Cure(msgspec.Struct, frozen=True):
    """What a new file is to hold, and why there must be one."""

    cause: Exception
    lines: Sequence[Line]


class Journal:
    """The lines of every order, and the file under them. For one task; the file has a thread of its own.

    A damaged file is set aside by name and a new one made, with every line that could be saved. What fails all the
    same raises `StorageFailed`: said once in the log and once healed, and in `fault` until then. So does a disk that
    does not answer in time.
    """

    def __init__(self, folder: Path, *, clock: Clock, boot_id: str) -> None:
        """Open the journal in `folder`. Raises `Fatal`, in one line, where that cannot be."""
        self._path = folder / "journal.db"
        self._clock, self._boot = clock, boot_id
        self._orders: dict[str, dict[Key, Line]] = {}
        self._unwritten: dict[Key, Line] = {}
        self._broken: Exception | None = None
        self._stalled: asyncio.Future[Any] | None = None
        self.set_aside: list[Path] = []
        """Damaged files that this process has put out of the way."""
        self.salvaged = False
        """Whether the lines come from a file that was damaged: the newest of them may be missing."""
        try:
            lines = self._open()
        except (sqlite3.Error, OSError, Damaged) as error:
            raise Fatal(
                f"cannot keep {self._path}: {error}. Make room on its disk, or change device.state_dir"
            ) from error
        for line in in_this_boot(lines, boot_id, clock.monotonic(), clock.now().timestamp()):
            self._orders.setdefault(line.row.order, {})[line.key] = line
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    @property
    def fault(self) -> str:
        """What is wrong with the journal; empty when nothing is."""
        if self._broken is not None:
            return f"the journal of orders cannot be written: {self._broken}; doors stay shut"
        aside = ", ".join(path.name for path in self.set_aside)
        return f"the journal of orders was damaged and is set aside as {aside}" if aside else ""

    @property
    def is_behind(self) -> bool:
        """Whether the disk has not taken everything that was recorded."""
        return bool(self._unwritten)

    @property
    def lines(self) -> list[Line]:
        """Every line, each order's in the order of their changes."""
        return [line for lines in self._orders.values() for line in lines.values()]

    @property
    def rows(self) -> list[Journaled]:
        """Every row, likewise."""
        return [line.row for line in self.lines]

    def of(self, order: str) -> list[Journaled]:
        """The rows of an order; none for one that is not known."""
        return [line.row for line in self._orders.get(order, {}).values()]

    def particulars(self, order: str, revision: int) -> Particulars:
        """What a crew is told of an order; nothing for one that is not known."""
        line = self._orders.get(order, {}).get((order, revision, ""))
        return line.particulars if line is not None and line.particulars is not None else Particulars()

    def is_on_disk(self, row: Journaled) -> bool:
        """Whether the disk has taken this row."""
        return key_of(row) not in self._unwritten

    async def record(self, rows: Sequence[Journaled], particulars: Particulars | None = None) -> tuple[Journaled, ...]:
        """Commit rows: when this returns they are on disk, and so is all that was left over before.

        Gives every row that came to the disk by it. Raises `StorageFailed`; the rows are then left over for the next
        call, which may be one with no rows.
        """
        for row in rows:
            self._remember(row, particulars if row.call is not None else None)
        pending = dict(self._unwritten)
        if pending:
            await self._run(lambda file: file.write(pending.values()))
        for key, line in pending.items():
            if self._unwritten.get(key) is line:
                del self._unwritten[key]
        return tuple(line.row for line in pending.values())

    async def mark_told(self, rows: Sequence[Journaled]) -> None:
        """Note that the receipts of these rows are in the outbox. Raises `StorageFailed`."""
        for row in rows:
            held = self._orders.get(row.order, {})
            line = held.get(key_of(row))
            if line is not None and says_the_same(line.row, row):
                held[line.key] = msgspec.structs.replace(line, told=True)
        await self._run(lambda file: file.mark_told(rows))

    async def tidy(self) -> None:
        """Drop what nobody can ask for any more. Call it now and then. Raises `StorageFailed`."""
        orders = [(order, lines.values()) for order, lines in self._orders.items()]
        now_s, now_at = self._clock.monotonic(), self._clock.now().timestamp()
        gone = forgettable(orders, boot=self._boot, now_s=now_s, now_at=now_at)
        if gone:
            await self._run(lambda file: file.forget(gone))
        for order in gone:
            del self._orders[order]

    async def close(self) -> None:
        """Finish what is under way and close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        self._thread.shutdown()

    def _remember(self, row: Journaled, particulars: Particulars | None) -> None:
        line = Line(
            row=row,
            particulars=particulars,
            boot=self._boot,
            written_s=self._clock.monotonic(),
            written_at=self._clock.now().timestamp(),
        )
        held = self._orders.setdefault(row.order, {})
        line = merged(held.pop(line.key, None), line)
        held[line.key] = self._unwritten[line.key] = line

    def _open(self) -> list[Line]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        finish_interrupted(self._path)
        try:
            self._file = JournalFile(self._path)
            return self._read()
        except (sqlite3.Error, Damaged) as error:
            if failure_of(error, opening=True) != "damaged":
                raise
            lines = salvage(self._path)
            self.salvaged = True
            self._replace(error, lines)
            return lines

    def _read(self) -> list[Line]:
        try:
            return self._file.read()
        except BaseException:
            self._file.close()
            raise

    def _replace(self, error: Exception, lines: Sequence[Line]) -> None:
        """Set the damaged file aside and go on with a new one that holds these lines."""
        self.set_aside.append(replace(self._path, lines))
        _log.error("journal_damaged", cause=str(error), file=self.set_aside[-1].name, lines=len(lines))
        self._file = JournalFile(self._path)

    async def _run(self, work: Callable[[JournalFile], _T]) -> _T:
        """Do it, while patience lasts: then it may still be done later. Raises `StorageFailed`."""
        if self._stalled is not None and not self._stalled.done():
            raise StorageFailed(_STALLED)
        job = asyncio.ensure_future(self._cured(work))
        patience_s = PATIENCE_S if self._broken is None else PATIENCE_BROKEN_S
        patience = asyncio.ensure_future(self._clock.sleep(patience_s))
        try:
            await asyncio.wait((job, patience), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            job.cancel()
            raise
        finally:
            patience.cancel()
        if not job.done():
            self._stall(job)
            raise StorageFailed(_STALLED)
        return job.result()

    def _stall(self, job: "asyncio.Future[_T]") -> None:
        """Go on without a job that the disk has not done yet. What it was to write stays to be written."""
        if self._broken is None:
            _log.error("journal_broke", cause=_STALLED)
        self._stalled, self._broken = job, TimeoutError(_STALLED)
        job.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    async def _cured(self, work: Callable[[JournalFile], _T]) -> _T:
        try:
            return await self._in_thread(work, None)
        except _Torn as torn:
            return await self._in_thread(work, _Cure(torn.cause, self.lines))

    async def _in_thread(self, work: Callable[[JournalFile], _T], cure: _Cure | None) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._attempt, work, cure)

    def _attempt(self, work: Callable[[JournalFile], _T], cure: _Cure | None) -> _T:
        """Do it. Raises `_Torn` where the file turns out to be damaged and there is no cure yet."""
        try:
            if cure is not None:
                self._file.close()
                self._replace(cure.cause, cure.lines)
            elif self._file.closed:
                self._file = JournalFile(self._path)
            result = work(self._file)
        except (sqlite3.Error, OSError, Damaged) as error:
            if cure is None and failure_of(error) == "damaged":
                raise _Torn(error) from error
            if self._broken is None:
                _log.error("journal_broke", cause=str(error))
            self._broken = error
            raise StorageFailed(str(error)) from error
        if self._broken is not None:
            self._broken = None
            _log.info("journal_healed")
        return result
