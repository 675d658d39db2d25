"""Keeps what the feed shows: once a second, in order, on a thread of its own, first in the ledger, then as frames.

A span is a time through which the board was shown without a pause and all of it is kept. It ends where the feed was
silent for so long that its clients said it was lost, where the wall clock was set, where more waits than may, and
with the process; the next one begins with the whole board. Between two spans replay says that nothing is known.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Literal, TypeVar

import msgspec
import structlog

from cloud.clock import Clock
from cloud.errors import Retryable
from cloud.fleet.clocks import Moment
from cloud.ledger import BoardRow
from cloud.memory.before import NOTHING, Before
from cloud.memory.instants import decode_us, encode_us
from cloud.memory.keeping import Keeping
from cloud.memory.rows import Began
from cloud.telemetry import FrameRow, Span
from wire.feed import FeedRecord

EVERY_S = 1.0
RETRY_S = (1.0, 8.0)
"""How soon a store that failed is asked again, and how seldom in the end: each time it may read a file from anew."""
PAUSE_US = 3_000_000
"""A client that hears nothing for longer says that the feed is lost."""
SET_US = 1_000_000
"""A wall clock that went on by so much more than the monotonic one was set."""
PENDING_MAX = 50_000
"""Records that may wait while a store fails: about 60 MB. What came is then dropped, and said to be unknown."""
ROWS_MAX = 500
"""Rows of the board log in one commit: a press waits no longer than that takes."""

_NEVER_US = 2**63 - 1
_Done = TypeVar("_Done")
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("memory")


class _Showing(msgspec.Struct, frozen=True):
    shown_us: int
    records: Sequence[FeedRecord]
    begins: bool
    """Whether these are the whole board, at the begin of a span."""
    follows: bool
    """Whether that span follows the one before it at once: the board was there all the time."""
    anew: bool
    """Whether the board log's last rows are not of the board before: each unit has one again."""
    rows: tuple[BoardRow, ...] = ()
    """What is to be logged before them."""


class _Group(msgspec.Struct):
    """What becomes durable together: of one span."""

    span: Span
    rows: list[BoardRow] = []
    frames: list[FrameRow] = []


class Recorder:
    """Takes what is shown on the loop's thread, and never holds it up."""

    def __init__(
        self,
        commit_board: Callable[[Sequence[BoardRow]], None],
        append_frames: Callable[[Sequence[FrameRow], Span], None],
        *,
        clock: Clock,
        began: Began,
        before: Before = NOTHING,
    ) -> None:
        """Nothing was shown yet. `began` is this process, `before` what those before it kept."""
        self._commit_board, self._append_frames, self._clock = commit_board, append_frames, clock
        self.whole: Callable[[Moment], Iterable[FeedRecord]] = lambda _now: ()
        """Gives the whole board where a span begins: the feed's `records`."""
        self._began = began
        self._note: Literal["started", "directory"] | None = "started"
        self._keeping = Keeping(before.units)
        self._taken = list(before.ahead)
        """Times that were shown already, under a clock that was ahead."""
        self._pending: list[_Showing] = []
        self._waiting = 0
        self._shown_us = 0
        self._broken, self._turned, self._anew = True, False, False
        """Whether the next tick begins a span, after a pause or at once, and whether with a row of each unit."""
        self._first_us = _NEVER_US
        """When this process first showed anything."""
        self._begun_us, self._shown_s = 0, 0.0
        """When the last break ended, and what the monotonic clock said as anything was last shown."""
        self._since_us = self._board_us = 0
        self._kept = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="memory")
        self.through_us = 0
        """All up to here is durable, microseconds since 1970."""
        self.failing = False
        self.failures = 0
        self.lost = 0
        """Records that were shown and could not be kept."""

    def show(self, now: Moment, records: Sequence[FeedRecord]) -> None:
        """Take what a tick showed anew, be it nothing."""
        shown_us = encode_us(now.utc)
        self._note_set_clock(shown_us, now.mono_s)
        if self._is_taken(shown_us):  # it was another board that was shown then the first time
            self._broken, self._anew = True, self._anew or self._shown_us > 0
            self.lost += len(records)
            return
        if self._anew or shown_us < self._begun_us:  # the board log's last rows by then are of another time
            self._anew, self._note = True, self._note or "directory"
        broken = self._broken or shown_us - self._shown_us > PAUSE_US
        begins = broken or self._turned
        if begins:
            records = tuple(self.whole(now))
        self._shown_us = shown_us = max(shown_us, self._shown_us + 1)
        self._first_us = min(self._first_us, shown_us)
        if broken:
            self._begun_us = shown_us
        showing = _Showing(shown_us, records, begins, not broken, self._anew, self._take_note(shown_us))
        self._broken = self._turned = self._anew = False
        self._put(showing)

    def follow(self, directory_version: str) -> None:
        """Note that another directory is in force: the next tick's board is kept as a whole."""
        self._began = msgspec.structs.replace(self._began, directory_version=directory_version)
        self._note, self._turned = self._note or "directory", True

    async def run(self) -> None:
        """Keep what was shown, once a second, until cancelled. What was shown in the last one then is not known."""
        try:
            while True:
                await self._clock.sleep(EVERY_S)
                await self.keep()
        finally:
            self._thread.shutdown()

    async def keep(self) -> None:
        """Make durable what waits now."""
        taken, self._pending, self._waiting = self._pending, [], 0
        if not taken:
            return
        for group in await self._do(lambda: self._prepare(taken)):
            for start in range(0, len(group.rows), ROWS_MAX):
                part = group.rows[start : start + ROWS_MAX]
                await self._do(lambda part=part: self._commit_board(part))  # type: ignore[misc]
            await self._do(lambda group=group: self._append_frames(group.frames, group.span))  # type: ignore[misc]
            self.through_us = group.span.through_us
        self._tell()

    async def reach(self, at: datetime) -> bool:
        """Wait until all that was shown up to a moment is durable. Not while the stores fail: then False, at once.

        What another process showed is durable, or lost, whatever the stores do now.
        """
        wanted_us = encode_us(at)
        is_taken = self._is_taken(wanted_us)
        while self.through_us < wanted_us and not self.failing and not is_taken:
            await self._kept.wait()
        return self.through_us >= wanted_us or wanted_us < self._first_us or is_taken

    def _note_set_clock(self, shown_us: int, mono_s: float) -> None:
        """Look whether the wall clock was set since anything was last shown."""
        passed_us, self._shown_s = round((mono_s - self._shown_s) * 1_000_000), mono_s
        if shown_us < self._shown_us:
            self._taken.append(Span(self._begun_us, self._shown_us))
            self._shown_us, self._broken = 0, True
        elif self._shown_us and shown_us - self._shown_us - passed_us > SET_US:
            self._broken = self._anew = True

    def _is_taken(self, moment_us: int) -> bool:
        return any(span.since_us <= moment_us <= span.through_us for span in self._taken)

    def _tell(self) -> None:
        """Let those who wait look again."""
        self._kept.set()
        self._kept = asyncio.Event()

    def _put(self, showing: _Showing) -> None:
        if self._waiting and self._waiting + len(showing.records) > PENDING_MAX:
            self.lost += self._waiting + len(showing.records)
            noted = [row for waiting in (*self._pending, showing) for row in waiting.rows]
            _log.error("shown_and_not_kept", records=self._waiting + len(showing.records))
            self._anew = any(waiting.anew for waiting in (*self._pending, showing))
            self._pending, self._waiting, self._broken = [], 0, True
            self._note = "started" if any(row.kind == "started" for row in noted) else "directory" if noted else None
            return
        self._pending.append(showing)
        self._waiting += len(showing.records)

    def _take_note(self, shown_us: int) -> tuple[BoardRow, ...]:
        kind, self._note = self._note, None
        if kind is None:
            return ()
        return (BoardRow(shown_at=decode_us(shown_us), unit="", kind=kind, body=_encode(self._began)),)

    def _prepare(self, showings: Sequence[_Showing]) -> list[_Group]:
        """Find what has to become durable. Only called on the recorder's own thread, once for each showing."""
        groups: list[_Group] = []
        for showing in showings:
            if showing.begins:
                if showing.follows:
                    groups.append(_Group(Span(self._since_us, showing.shown_us - 1, self._board_us)))
                self._since_us = showing.shown_us
            if showing.anew:
                self._keeping.forget()
            keep = self._keeping.begin if showing.begins else self._keeping.keep
            kept = keep(showing.shown_us, showing.records)
            rows = [*showing.rows, *kept.rows]
            if rows:
                self._board_us = showing.shown_us
            if showing.begins or not groups:
                groups.append(_Group(Span(self._since_us, showing.shown_us)))
            group = groups[-1]
            group.span = Span(self._since_us, showing.shown_us, self._board_us)
            group.rows += rows
            group.frames += kept.frames
        return groups

    async def _do(self, work: Callable[[], _Done]) -> _Done:
        """Do something on the thread, again and again while a store fails; says so once."""
        wait_s, wait_max_s = RETRY_S
        while True:
            try:
                done = await asyncio.get_running_loop().run_in_executor(self._thread, work)
            except Retryable as error:
                if not self.failing:
                    _log.error("store_broke", cause=str(error))
                self.failing, self.failures = True, self.failures + 1
                self._tell()
                await self._clock.sleep(wait_s)
                wait_s = min(2 * wait_s, wait_max_s)
                continue
            if self.failing:
                _log.info("store_healed")
            self.failing = False
            return done
