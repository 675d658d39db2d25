"""Folds what devices tell into the orders in hand, and finds those that it concerns."""

from collections import Counter, deque
from collections.abc import Iterable

import msgspec
import structlog

from cloud.desk.memory import OWN, Memory, log_row
from cloud.desk.ports import Minted, Recorded
from cloud.desk.requests import make_facts, station_of
from cloud.desk.sender import Sender
from cloud.directory import InForce
from cloud.dispatch import Order, apply_event, apply_status, close, open_local
from cloud.dispatch.fold import STALE_NONCE
from cloud.dispatch.words import Ending
from cloud.fleet.clocks import Moment
from cloud.fleet.heads import CONTROL
from cloud.ledger import EventRow
from wire.events import AcknowledgeEvent, Event, ReceiptEvent, StatusEvent, TurnoutEvent

KINDS = ("status", "receipt", "acknowledge", "turnout")
"""Of the ledger's events, those that may concern an order."""
LATE_MAX = 5_000
"""Events of one device that may wait to be looked up. What comes beyond is in the ledger's events alone."""
LOCAL_MAX = 20
"""Turnouts by hand of one station that are in hand at once. With one more, the oldest of them is closed."""

OfOrder = ReceiptEvent | AcknowledgeEvent | TurnoutEvent
_log = structlog.get_logger("desk")


class Intake:
    """Takes stored events in, in the order in which they were stored."""

    def __init__(self, in_force: InForce, memory: Memory, sender: Sender) -> None:
        """Take what the desk holds."""
        self._in_force, self._memory, self._sender = in_force, memory, sender
        self.late: deque[tuple[EventRow, OfOrder]] = deque()
        """Of orders that are not in hand: the ledger may have them."""
        self._waiting: Counter[str] = Counter()
        """How many of them are of each device."""
        self._flooding: set[str] = set()

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
            case ReceiptEvent() | AcknowledgeEvent() | TurnoutEvent():
                order = self._memory.orders.get(event.order)
                if order is not None:
                    self._tell(order, row, event, now)
                elif not (isinstance(event, ReceiptEvent) and event.reason == STALE_NONCE):
                    self._put_off(row, event)
            case StatusEvent():
                self._apply_status(row, event, now)

    def take_late(self, order: Order | None, now: Moment) -> None:
        """Take the first of `late` in: `order` is what the ledger has of its order."""
        row, event = self.late.popleft()
        self._waiting[row.device] -= 1
        if not self._waiting[row.device]:
            del self._waiting[row.device]
            self._flooding.discard(row.device)
        if order is not None:
            self._tell(order, row, event, now)
        elif isinstance(event, TurnoutEvent):
            self._begin_local(row, event, now)

    def _put_off(self, row: EventRow, event: OfOrder) -> None:
        if self._waiting[row.device] < LATE_MAX:
            self._waiting[row.device] += 1
            self.late.append((row, event))
        elif row.device not in self._flooding:
            self._flooding.add(row.device)
            _log.warning("late_events_not_looked_up", device=row.device)

    def _tell(self, order: Order, row: EventRow, event: OfOrder, now: Moment) -> None:
        """Fold a receipt or an acknowledgement into its order. A turnout began its order, and is told again."""
        if isinstance(event, TurnoutEvent):
            if not order.is_local_of(row.device):
                _log.warning("turnout_under_a_known_order", device=row.device, order=order.id)
            return
        if isinstance(event, ReceiptEvent) and event.reason == STALE_NONCE:
            if event.revision == order.revision and event.nonce:
                age_s = max(0.0, (now.utc - row.corrected_at).total_seconds()) if row.proven else 0.0
                self._sender.renew(order, Minted(event.nonce, now.mono_s - age_s), row.device, now.mono_s)
            return
        after = apply_event(order, row.device, event, row.corrected_at, now.utc)
        self._memory.keep(order, after, now.utc, log_row(order.id, now.utc, row.device, (row.kind, row.body)))

    def _begin_local(self, row: EventRow, event: TurnoutEvent, now: Moment) -> None:
        directory = self._in_force.directory
        base = station_of(directory, row.device)
        units = tuple(directory.units[unit] for unit in event.units if unit in directory.units)
        if base is None or not units:
            _log.warning("turnout_of_no_station", device=row.device)
            return
        self._make_room(row.device, now)
        order = open_local(event, base, make_facts(directory, base, units), row.corrected_at, now)
        told = log_row(order.id, now.utc, row.device, (row.kind, row.body))
        self._memory.begin(order, now.utc, told)

    def _make_room(self, station: str, now: Moment) -> None:
        """Close the oldest turnouts of a station that has too many in hand: it does not tell how they ended."""
        own = [one for one in self._memory.orders.values() if one.active and one.is_local_of(station)]
        for order in own[: max(0, len(own) - LOCAL_MAX + 1)]:
            ending = Ending(by=OWN, reason="the station turned out too often since", at=now.utc)
            told = log_row(order.id, now.utc, OWN, ("closed", msgspec.json.encode(ending)))
            self._memory.keep(order, close(order, ending, now), now.utc, told)

    def _apply_status(self, row: EventRow, event: StatusEvent, now: Moment) -> None:
        """Fold a status into the order that its unit is on. One whose time is not proven may be from before it.

        What a device says of a unit that it has only claimed, or carries no longer, is history and moves no order.
        """
        order = self._memory.orders.get(self._memory.assignments.order_of(event.unit) or "")
        scheme = self._in_force.directory.schemes.get(event.scheme)
        code = scheme.code(event.code) if scheme is not None else None
        if order is None or code is None or not row.proven or not self._speaks_for(row.device, event.unit):
            return
        after = apply_status(order, event, code, row.corrected_at, now.utc)
        self._memory.keep(order, after, now.utc, log_row(order.id, now.utc, row.device, (row.kind, row.body)))

    def _speaks_for(self, device: str, unit: str) -> bool:
        return device == CONTROL or any(one.id == unit for one in self._in_force.directory.device_units(device))
