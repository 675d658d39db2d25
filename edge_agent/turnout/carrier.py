"""Carries the station's effects out, in order: to the journal first, then to the bus and to control.

Nothing that follows a row of the journal happens before the row is on disk, with one exception: a level (a sounder, a
light) goes on where the disk refuses the row, for an alert must not depend on a disk. What is done once, a door, does
not. No receipt is told of a row that is not on disk: control goes on sending the command until one comes.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import structlog

from edge_agent.outbox import StorageFailed
from edge_agent.state.events import Stamp
from edge_agent.station.words import (
    Effect,
    Journaled,
    Pulse,
    Record,
    TellAcknowledged,
    TellAlarm,
    Write,
    WriteFailed,
)
from edge_agent.turnout.events import acknowledge_event, alarm_event, receipt_event, turnout_event
from edge_agent.turnout.journal import Journal
from edge_agent.turnout.lines import Particulars, is_final
from edge_agent.turnout.teller import Teller
from edge_agent.turnout.writes import Writes

NOT_JOURNALED = "storage_failed"
"""Why a door is not opened whose row the disk does not take."""

_log = structlog.get_logger("turnout")

Stored = asyncio.Future[bool]
"""Whether an event is in the outbox, or can't be for now."""


class Carrier:
    """Does what the station says."""

    def __init__(
        self, *, journal: Journal, teller: Teller, stamp: Callable[[], Stamp], failed: Callable[[WriteFailed], None]
    ) -> None:
        """`failed` hears of what was not done. Nothing is written to the bus before `writes` is given."""
        self._journal, self._teller, self._stamp, self._failed = journal, teller, stamp, failed
        self.writes: Writes | None = None

    async def carry_out(self, effects: Sequence[Effect], particulars: Particulars | None = None) -> list[Stored]:
        """Carry effects out in order. Gives what control is being told by it."""
        told: list[Stored] = []
        rows: list[Journaled] = []
        for effect in effects:
            if isinstance(effect, Record):
                rows.append(effect.row)
                continue
            if rows:
                told += await self.commit(rows, particulars)
                rows = []
            told += self._do(effect)
        return told + (await self.commit(rows, particulars) if rows else [])

    async def commit(self, rows: Sequence[Journaled], particulars: Particulars | None = None) -> list[Stored]:
        """Commit rows, and what an earlier commit left over; then tell their receipts."""
        try:
            committed = await self._journal.record(rows, particulars)
        except StorageFailed:
            return []  # said once by the journal, and in every heartbeat
        for row in committed:
            if is_final(row):
                _log.info("order_ended", order=row.order, revision=row.revision, outcome=row.outcome, reason=row.reason)
        return [self.tell(row) for row in committed]

    def tell(self, row: Journaled, nonce: str = "") -> Stored:
        """Tell the receipt of a row. With a nonce it refuses a command as stale, and is no row of the journal."""
        draft = partial(receipt_event, self._stamp_of(row.order, row.revision), row, nonce)
        return self._teller.put(draft, None if nonce else row)

    def tell_again(self, order: str, revision: int) -> None:
        """Tell the receipts of a revision once more, as the journal has them."""
        for row in self._journal.of(order):
            if row.revision == revision and self._journal.is_on_disk(row):
                self.tell(row)

    def tell_turned_out(self, order: str, units: Sequence[str], text: str) -> Stored:
        """Tell that the station turns units out by hand."""
        return self._teller.put(partial(turnout_event, self._stamp(), order, units, text))

    def tell_untold(self) -> None:
        """Tell what an earlier process left untold."""
        for line in self._journal.lines:
            if line.told:
                continue
            row = line.row
            if line.particulars is not None and line.particulars.by_hand and row.call is not None:
                self.tell_turned_out(row.order, [one.unit for one in row.call.units], line.particulars.text)
            self.tell(row)

    def _do(self, effect: Effect) -> list[Stored]:
        assert self.writes is not None
        match effect:
            case Write():
                self.writes.write(effect)
            case Pulse(output=output):
                if self._journal.is_behind:
                    self._failed(WriteFailed(output=output, reason=NOT_JOURNALED))
                else:
                    self.writes.pulse(effect)
            case TellAcknowledged():
                stamp = self._stamp_of(effect.order, effect.revision)
                return [self._teller.put(partial(acknowledge_event, stamp, effect))]
            case TellAlarm():
                return [self._teller.put(partial(alarm_event, self._stamp(), effect))]
        return []

    def _stamp_of(self, order: str, revision: int) -> Stamp:
        """The present moment, in the order's mode."""
        calls = [row.call for row in self._journal.of(order) if row.revision == revision]
        mode = next((call.mode for call in calls if call is not None), "live")
        return msgspec.structs.replace(self._stamp(), mode=mode)
