"""The two lanes of ingest, each with one commit in flight on a thread of its own.

Status: whatever gathered while the last commit ran goes into the next, without a timer. Track: every 250 ms, first to
the telemetry store and then, through the status lane, its watermark to the ledger. A failing disk is waited out:
nothing is settled meanwhile, so nothing is lost.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

import msgspec
import structlog

from cloud.clock import Clock
from cloud.directory import InForce
from cloud.durations import Durations
from cloud.errors import Retryable
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.ingest import tracks
from cloud.ingest.acceptor import Acceptor
from cloud.ingest.book import Book, Entry
from cloud.ingest.folding import Folding
from cloud.ingest.marks import Key
from cloud.ingest.work import Aside, Said, Work
from cloud.ledger import Commit, EventRow
from cloud.telemetry import InputRow, PositionRow
from wire.events import InputEvent, PositionEvent

_Item = TypeVar("_Item", bound=Work | Aside | Said)

STATUS_GROUP_MAX = 500
TRACK_GROUP_MAX = 10_000
TRACK_EVERY_S = 0.25
RETRY_S = 1.0


class Committer:
    """Runs one store's commits on one thread, again and again while the store fails; says so once."""

    def __init__(self, store: str, clock: Clock) -> None:
        """Name the store, for the log."""
        self._log = structlog.get_logger("ingest.commit", store=store)
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{store}-writer")
        self.failing = False
        self.failures = 0
        self.durations = Durations()
        self.on_failing: Callable[[], None] = _nothing
        """Called each time that a commit failed and will be tried again."""

    @property
    def commits(self) -> int:
        """How many were made."""
        return self.durations.count

    async def commit(self, work: Callable[[], None]) -> None:
        """Come back when it is durable."""
        while True:
            try:
                await self.try_once(work)
            except Retryable as error:
                if not self.failing:
                    self._log.error("store_broke", cause=str(error))
                self.failing = True
                self.on_failing()
                await self._clock.sleep(RETRY_S)
                continue
            if self.failing:
                self._log.info("store_healed")
            self.failing = False
            return

    async def try_once(self, work: Callable[[], None]) -> None:
        """Come back when it is durable, or raise `Retryable`: then nothing of it is."""
        started_s = self._clock.monotonic()
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except Retryable:
            self.failures += 1
            raise
        self.durations.note(self._clock.monotonic() - started_s)

    def close(self) -> None:
        """Wait for the commit in flight."""
        self._thread.shutdown()


class StatusLane:
    """Commits to the ledger, then shows and settles."""

    def __init__(self, acceptor: Acceptor, book: Book, fleet: Fleet, folding: Folding) -> None:
        """Take the state that the loop thread owns."""
        self._acceptor = acceptor
        self._book = book
        self._fleet = fleet
        self._folding = folding
        self.wake = asyncio.Event()
        self.on_said: Callable[[Said, EventRow | Retryable], None] = _forget
        """Is told what became of a person's word: the row that holds it, or why nothing of it was stored."""
        self.committing_since_s: float | None = None
        """When the oldest message of the commit in flight was received; None where none is."""
        self.lags: dict[str, Durations] = {"status": Durations(), "track": Durations()}
        """From receipt to settle, of the envelope in each commit that waited longest."""

    async def run(
        self, committer: Committer, store: Callable[[Commit], None], flush: Callable[[], None], clock: Clock
    ) -> None:
        """Commit group after group for as long as the task lives. `flush` hands on and publishes what came of one.

        A person's word is committed on its own, once: whoever asked is told at once where the ledger does not take it.
        """
        committer.on_failing = self._refuse_said
        while True:
            await self.wake.wait()
            self.wake.clear()
            while taken := _take(self._acceptor.status, STATUS_GROUP_MAX):
                self.committing_since_s = taken[0].received.mono_s
                for said in taken:
                    if isinstance(said, Said):
                        await self._commit_said(said, committer, store, clock)
                        flush()
                if group := [item for item in taken if not isinstance(item, Said)]:
                    entry = self._book.enter(group)
                    await committer.commit(lambda entry=entry: store(entry.commit))  # type: ignore[misc]
                    self._show_and_settle(entry, Moment(clock.now(), clock.monotonic()))
                    flush()
                self.committing_since_s = None
                self._note_lags(group, clock.monotonic())

    async def _commit_said(
        self, said: Said, committer: Committer, store: Callable[[Commit], None], clock: Clock
    ) -> None:
        entry = self._book.enter_said(said)
        try:
            await committer.try_once(lambda: store(entry.commit))
        except Retryable as error:
            self._book.take_back(entry)
            self.on_said(said, error)
            return
        self._show_and_settle(entry, Moment(clock.now(), clock.monotonic()))
        self.on_said(said, entry.commit.events[0])

    def _refuse_said(self) -> None:
        """Give back every person's word that waits behind a commit that fails."""
        waiting = [item for item in self._acceptor.status if isinstance(item, Said)]
        for said in waiting:
            self._acceptor.status.remove(said)
            self.on_said(said, Retryable("the ledger does not take commits"))

    def _note_lags(self, group: Iterable[Work | Aside], now_s: float) -> None:
        first: dict[str, float] = {}
        for item in group:
            if isinstance(item, Work) and item.mark is not None:
                first.setdefault(item.mark.queue, item.received.mono_s)
        for queue, received_s in first.items():
            self.lags[queue].note(now_s - received_s)

    def _show_and_settle(self, entry: Entry, now: Moment) -> None:
        for mark in entry.marks:
            self._acceptor.commit_mark(mark, now)
        self._acceptor.recorded += entry.recorded
        named = dict.fromkeys((mark.device, mark.stream, mark.queue) for mark in entry.marks)
        settled: list[Key] = sorted(named, key=itemgetter(0))
        moved = dict.fromkeys(head.unit for head in entry.heads if self._folding.apply_head(head, now))
        for saying in entry.sayings:
            self._folding.apply_saying(saying, now)
        for device, keys in groupby(settled, itemgetter(0)):
            self._acceptor.settle(device, keys, now)
        self._acceptor.tell_state(dict.fromkeys(device for unit in moved for device in self._fleet.speakers(unit)), now)


class TrackLane:
    """Commits to the telemetry store, then hands the watermarks to the status lane."""

    def __init__(self, acceptor: Acceptor, fleet: Fleet, in_force: InForce) -> None:
        """Take the state that the loop thread owns."""
        self._acceptor = acceptor
        self._fleet = fleet
        self._in_force = in_force
        self.committing_since_s: float | None = None
        """When the oldest message of the commit in flight was received; None where none is."""

    async def run(
        self,
        committer: Committer,
        store: Callable[[list[PositionRow], list[InputRow]], None],
        wake_status: Callable[[], None],
        clock: Clock,
    ) -> None:
        """Commit every 250 ms for as long as the task lives."""
        while True:
            await clock.sleep(TRACK_EVERY_S)
            while group := _take(self._acceptor.track, TRACK_GROUP_MAX):
                self.committing_since_s = group[0].received.mono_s
                positions, inputs = self._rows(group)
                if positions or inputs:
                    await committer.commit(lambda p=positions, i=inputs: store(p, i))  # type: ignore[misc]
                self._hand_over(group)
                self.committing_since_s = None
                wake_status()

    def _rows(self, group: Iterable[Work]) -> tuple[list[PositionRow], list[InputRow]]:
        positions: list[PositionRow] = []
        inputs: list[InputRow] = []
        for work in group:
            carried = self._in_force.directory.carried_by(work.device)
            unit = carried.id if carried else None
            for one in work.judged:
                if one.event is None:
                    continue
                corrected = self._fleet.correct(work.device, one.event, work.received, work.ordinal)
                if isinstance(one.event, PositionEvent):
                    if unit is not None and self._acceptor.privacy.hides(unit, corrected.at):
                        self._acceptor.counts["positions_private"] += 1
                        continue
                    positions.append(tracks.position_row(work, one.event, unit, corrected))
                elif isinstance(one.event, InputEvent):
                    inputs.append(tracks.input_row(work, one.event, unit, corrected))
        return positions, inputs

    def _hand_over(self, group: Iterable[Work]) -> None:
        for work in group:
            if work.mark is None:
                continue
            for one in work.judged:
                if isinstance(one.event, PositionEvent):
                    self._acceptor.place(work.device, work.stream, work.ordinal, one.event, work.received)
                elif isinstance(one.event, InputEvent):
                    self._acceptor.read(work.device, work.ordinal, one.event, work.received)
            rest = msgspec.structs.replace(work, judged=tracks.refused_only(work.judged))
            self._acceptor.status.append(rest)


def _take(pending: deque[_Item], events_max: int) -> list[_Item]:
    """Take whole envelopes off the front, up to about `events_max` events; at least one envelope."""
    group: list[_Item] = []
    events = 0
    while pending and events < events_max:
        item = pending.popleft()
        events += max(1, len(item.judged)) if isinstance(item, Work) else 1
        group.append(item)
    return group


def _nothing() -> None:
    """Nobody has anything to do."""


def _forget(_said: Said, _became: EventRow | Retryable) -> None:
    """Nobody asked."""
