"""Folds what devices tell into the orders in hand, and finds those that it concerns."""

from collections.abc import Iterable

import structlog

from cloud.desk.memory import Memory, log_row
from cloud.desk.ports import Recorded
from cloud.desk.requests import make_facts, station_of
from cloud.desk.sender import Sender
from cloud.directory import Directory
from cloud.dispatch import Order, apply_event, apply_status, open_local
from cloud.dispatch.fold import STALE_NONCE
from cloud.fleet.clocks import Moment
from cloud.ledger import EventRow
from wire.events import AcknowledgeEvent, Event, ReceiptEvent, StatusEvent, TurnoutEvent

KINDS = ("status", "receipt", "acknowledge", "turnout")
"""Of the ledger's events, those that may concern an order."""

_log = structlog.get_logger("desk")


class Intake:
    """Takes stored events in, in the order in which they were stored."""

    def __init__(self, directory: Directory, memory: Memory, sender: Sender) -> None:
        """Take what the desk holds."""
        self._directory, self._memory, self._sender = directory, memory, sender
        self.late: list[tuple[EventRow, ReceiptEvent | AcknowledgeEvent]] = []
        """Of orders that are not in hand any more: the ledger has them."""

    @property
    def through(self) -> int:
        """The newest event that the orders in hand take account of, whatever waits."""
        return self.late[0][0].id - 1 if self.late else self._memory.through

    def take(self, recorded: Iterable[Recorded], now: Moment) -> None:
        """Take events in. What came ahead of its queue comes once more when it is stored."""
        for one in recorded:
            if not one.live:
                self.take_row(one.row, one.event, now)
                self._memory.through = max(self._memory.through, one.row.id)

    def take_row(self, row: EventRow, event: Event, now: Moment) -> None:
        """Take one event in."""
        match event:
            case ReceiptEvent() | AcknowledgeEvent():
                order = self._memory.orders.get(event.order)
                if order is None:
                    self.late.append((row, event))
                else:
                    self.tell(order, row, event, now)
            case TurnoutEvent():
                self._begin_local(row, event, now)
            case StatusEvent():
                self._apply_status(row, event, now)

    def tell(self, order: Order, row: EventRow, event: ReceiptEvent | AcknowledgeEvent, now: Moment) -> None:
        """Fold a receipt or an acknowledgement into its order."""
        if isinstance(event, ReceiptEvent) and event.reason == STALE_NONCE:
            if event.revision == order.revision and event.nonce:
                self._sender.renew(row.device, event.nonce, order, now.mono_s)
            return
        after = apply_event(order, row.device, event, row.corrected_at, now.utc)
        self._memory.keep(order, after, now.utc, log_row(order.id, now.utc, row.device, (row.kind, row.body)))

    def _begin_local(self, row: EventRow, event: TurnoutEvent, now: Moment) -> None:
        base = station_of(self._directory, row.device)
        units = tuple(self._directory.units[unit] for unit in event.units if unit in self._directory.units)
        if base is None or not units:
            _log.warning("turnout_of_no_station", device=row.device)
            return
        if event.order in self._memory.orders:
            return
        order = open_local(event, base, make_facts(self._directory, base, units), row.corrected_at, now)
        told = log_row(order.id, now.utc, row.device, (row.kind, row.body))
        self._memory.begin(order, now.utc, told)

    def _apply_status(self, row: EventRow, event: StatusEvent, now: Moment) -> None:
        """Fold a status into the order that its unit is on. One whose time is not proven may be from before it."""
        order = self._memory.orders.get(self._memory.assignments.order_of(event.unit) or "")
        scheme = self._directory.schemes.get(event.scheme)
        code = scheme.code(event.code) if scheme is not None else None
        if order is None or code is None or not row.proven:
            return
        after = apply_status(order, event, code, row.corrected_at, now.utc)
        self._memory.keep(order, after, now.utc, log_row(order.id, now.utc, row.device, (row.kind, row.body)))
