"""Lets go, once a day, of what the organisations no longer keep. Nothing younger than their terms is touched.

What is to go is written to the ledger as a decision before anything goes, and how much it was after. A full or failing
disk puts the rest off by an hour: it is looked for anew then. After the clock was set nothing goes for a day, so that a
clock that is wrong by a year does not cost a year.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta

import msgspec
import structlog

from cloud.clock import Clock
from cloud.directory import Directory, InForce
from cloud.errors import Retryable
from cloud.ledger import DecisionRow, Ledger
from cloud.memory.counted import decode_record
from cloud.memory.terms import Terms, begin_of, longest, terms, unit_terms
from cloud.telemetry import Frames, Owned, Telemetry

DECISION = "retention"
"""The kind of such a decision in the ledger."""
OWN = "watchroom"
FIRST_S = 3_600.0
"""After a start. A process that starts again each day gets round to it too."""
EVERY_S = 86_400.0
RETRY_S = 3_600.0
SET_S = 3_600.0
"""A wall clock that has gone by so much more or less than the monotonic one was set."""
ROWS_AT_ONCE = 2_000
"""Rows of the board log in one commit: a press waits no longer than that takes."""

_log = structlog.get_logger("retention")


class Gone(msgspec.Struct, kw_only=True):
    """What a sweep let go of."""

    days: int = 0
    """Whole day files."""
    rows: int = 0
    """Of tracks and sensors, in days that others still keep."""
    frames: int = 0
    """Taken away, or their places taken out, likewise."""
    board: int = 0
    """Rows of the board log."""
    reads: int = 0
    """Of the log of who saw what, for which the board's terms hold."""


class Retention:
    """The daily task."""

    def __init__(
        self, in_force: InForce, ledger: Ledger, telemetry: Telemetry, frames: Frames, *, clock: Clock
    ) -> None:
        """Nothing goes before `run`."""
        self._in_force, self._ledger, self._clock = in_force, ledger, clock
        self._telemetry, self._frames = telemetry, frames
        self._looked = clock.now(), clock.monotonic()

    async def run(self) -> None:
        """Let go of what is due each day, until cancelled."""
        wait_s = FIRST_S
        while True:
            await self._clock.sleep(wait_s)
            wait_s = EVERY_S if await self.step() else RETRY_S

    async def step(self) -> bool:
        """Sweep, on a thread, unless the clock was set since the last time. Tells whether it is done for a day."""
        before, self._looked = self._looked, (self._clock.now(), self._clock.monotonic())
        now, mono_s = self._looked
        if abs((now - before[0]).total_seconds() - (mono_s - before[1])) > SET_S:
            _log.warning("retention_put_off", cause="the clock was set since the last time: nothing goes for a day")
            return True
        gone = Gone()
        try:
            await asyncio.to_thread(self.sweep, now, gone)
        except Retryable as error:
            _log.error("retention_put_off", cause=str(error), **msgspec.structs.asdict(gone))
            return False
        _log.info("retention", **msgspec.structs.asdict(gone))
        return True

    def sweep(self, now: datetime, gone: Gone) -> None:
        """Let go of what is past its terms at a moment, and note in `gone` how much. Raises what the stores raise."""
        directory = self._in_force.directory
        asked = {name: one for name, one in terms(directory, now.date()).items() if one != Terms()}
        if not asked:
            return
        self._decide(now, msgspec.json.encode({"first_day_kept": asked}))
        try:
            self._drop(directory, now, gone)
        finally:
            if gone != Gone():
                self._decide(now, msgspec.json.encode({"gone": gone}))

    def _drop(self, directory: Directory, now: datetime, gone: Gone) -> None:
        today = now.date()
        units = unit_terms(directory, self._left(directory), today)
        self._drop_tracks(directory, units, today, gone)
        self._drop_frames(directory, units, today, gone)
        for unit, own in units.items():
            if own.board is not None:
                for rows in _drop_rows(self._ledger.drop_board, unit, begin_of(own.board)):
                    gone.board += rows
                for rows in _drop_rows(self._ledger.drop_reads, unit, begin_of(own.board)):
                    gone.reads += rows

    def _left(self, directory: Directory) -> dict[str, str | None]:
        """Give the organisation of each unit that the directory knows no more, as the board showed it last."""
        gone = [unit for unit in self._ledger.board_units() if unit not in directory.units]
        bodies = self._ledger.last_shown(gone)
        return {unit: decode_record(bodies[unit]).organisation if unit in bodies else None for unit in gone}

    def _drop_tracks(self, directory: Directory, units: dict[str, Terms], today: date, gone: Gone) -> None:
        by_organisation = terms(directory, today)
        every = longest([*by_organisation.values(), *units.values()])
        if every.positions is not None and every.inputs is not None:
            gone.days += self._drop_days(self._telemetry, min(every.positions, every.inputs, today))
        devices = {one.id: by_organisation[one.organisation] for one in directory.devices.values()}
        for day in _over(self._telemetry.days(), today):
            positions, inputs = (
                Owned(units=_past(units, kind, day), devices=_past(devices, kind, day))
                for kind in ("positions", "inputs")
            )
            if positions != Owned() or inputs != Owned():
                gone.rows += self._telemetry.forget(day, positions, inputs)

    def _drop_frames(self, directory: Directory, units: dict[str, Terms], today: date, gone: Gone) -> None:
        every = longest([*terms(directory, today).values(), *units.values()])
        if every.board is not None:
            gone.days += self._drop_days(self._frames, min(every.board, today))
        for day in _over(self._frames.days(), today):
            whole, places = _past(units, "board", day), _past(units, "positions", day)
            if whole or places:
                gone.frames += self._frames.forget(day, whole, places)

    def _drop_days(self, store: Telemetry | Frames, first: date) -> int:
        past = [day for day in store.days() if day < first]
        if past:
            store.drop_before(first)
        return len(past)

    def _decide(self, at: datetime, body: bytes) -> None:
        reason = "the terms of the organisations in the directory"
        self._ledger.commit_decision(DecisionRow(at=at, kind=DECISION, subject="all", by=OWN, reason=reason, body=body))


def _drop_rows(drop: Callable[[str, datetime, int], int], unit: str, before: datetime) -> Iterator[int]:
    """Delete a unit's rows from before a moment, some at once, and tell each time how many."""
    rows = ROWS_AT_ONCE
    while rows == ROWS_AT_ONCE:
        rows = drop(unit, before, ROWS_AT_ONCE)
        yield rows


def _over(days: Collection[date], today: date) -> list[date]:
    """The days that nothing more is written to, in the order given: the day before may still be caught up with."""
    return [day for day in days if day < today - timedelta(days=1)]


def _past(owners: dict[str, Terms], kind: str, day: date) -> frozenset[str]:
    """Give whose terms for a kind a day is past."""
    return frozenset(name for name, own in owners.items() if (first := getattr(own, kind)) is not None and day < first)
