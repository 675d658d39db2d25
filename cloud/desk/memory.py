"""The orders in hand, and what of them is still to be shown and to be written."""

from datetime import datetime

import msgspec

from cloud.desk.assignments import Assignments
from cloud.desk.ports import Ports
from cloud.dispatch import Order, resume, view
from cloud.dispatch.standing import PHASES
from cloud.dispatch.story import Entry, tell_changes
from cloud.errors import Fatal
from cloud.fleet.clocks import Moment
from cloud.ledger import LoadedOrders, OrderCommit, OrderLogRow, OrderRow
from wire.feed import Assignment

OWN = "watchroom"
"""Who did it, where nobody did: time passed, or something followed."""


class Memory:
    """Orders that are active, and those that ended and are not written yet."""

    def __init__(self, loaded: LoadedOrders, ports: Ports, owner_term: int, now: Moment) -> None:
        """Go on from what the ledger holds, and show it. Raises `Fatal` where a newer process has it in hand."""
        self.orders: dict[str, Order] = {}
        self.assignments = Assignments(loaded.assignments)
        self.through = loaded.through
        """The newest event that the orders take account of."""
        self._ports, self.owner_term = ports, owner_term
        self._written_through = loaded.through
        self._touched: dict[str, None] = {}
        self._moved: dict[str, None] = {}
        self._log: list[OrderLogRow] = []
        self._unshown: dict[str, Order] = {}
        for row in loaded.active:
            self.adopt(row, now)
        for unit, held in tuple(self.assignments.all()):
            if held.order is not None and held.order not in self.orders:  # it ended, and that was all that was written
                self._release(held.order, now.utc)
            else:
                self._tell(unit)

    def adopt(self, row: OrderRow, now: Moment) -> Order:
        """Take an order in hand that the ledger holds. Raises `Fatal` where a newer process has it."""
        if row.owner_term > self.owner_term:
            raise Fatal(f"another watchroom has taken over order {row.id}: stop this one")
        order = resume(read_order(row), now)
        self.orders[order.id] = order
        self._touched[order.id] = None
        self._unshown[order.id] = order
        return order

    def replace(self, written: Order, newest: Order, now: datetime, told: list[OrderLogRow]) -> None:
        """Put an order that was just written in place, or the newer one that it has become meanwhile.

        `told` was written with it: what a device told meanwhile comes to the log after it, and none of it twice.
        """
        if newest == written:
            newest = written
        known = {(row.kind, row.body) for row in (*told, *self._log) if row.order == newest.id}
        before = len(self._log)
        self.keep(written, newest, now)
        self._log[before:] = [row for row in self._log[before:] if (row.kind, row.body) not in known]
        self.orders[newest.id] = newest
        self._unshown[newest.id] = newest
        if not newest.active:
            self._touched[newest.id] = None  # once it is written as the last, it is let go
            self._release(newest.id, now)
        for unit in self.assignments.units_on(newest.id):
            self._tell(unit)

    def keep(self, before: Order, after: Order, now: datetime, *told: OrderLogRow) -> None:
        """Put an order in the place of its earlier self; `told` is what changed it. Shown by the next `show`."""
        if after is before:
            return
        self.orders[after.id] = after
        self._touched[after.id] = None
        self._unshown[after.id] = after
        self._log += told
        self._log += (log_row(after.id, now, OWN, entry) for entry in tell_changes(before, after))
        if not after.active:
            self._release(after.id, now)
        elif after.rung != before.rung:
            for unit in self.assignments.units_on(after.id):
                self._tell(unit)

    def begin(self, order: Order, now: datetime, told: OrderLogRow) -> None:
        """Take an order in hand that began elsewhere."""
        self.orders[order.id] = order
        self._touched[order.id] = None
        self._unshown[order.id] = order
        phases = (log_row(order.id, now, OWN, ("phase", msgspec.json.encode(phase))) for phase in order.phases)
        self._log += (told, *phases)

    def note_kept(self, order: Order) -> None:
        """Take in an order that was just written, with its units."""
        self.orders[order.id] = order
        self._unshown[order.id] = order
        for unit in self.assignments.units_on(order.id):
            self._tell(unit)

    def note_moved(self, unit: str) -> None:
        """Take in that a unit's assignment was just written."""
        self._tell(unit)

    def show(self) -> None:
        """Show every order that changed since the last call."""
        if self._unshown:
            changed, self._unshown = self._unshown, {}
            self._ports.show(tuple(view(order) for order in changed.values()))

    def commit_of(self, order: Order, log: list[OrderLogRow]) -> OrderCommit:
        """Make the commit of one order, with the units that it holds."""
        units = self.assignments.units_on(order.id)
        return OrderCommit(orders=[row_of(order, self.owner_term)], log=log, assignments=self.assignments.rows(units))

    def is_dirty(self, *, sweep: bool) -> bool:
        """Tell whether anything is to be written; in a sweep also how far the events were read."""
        return bool(self._touched or self._moved or self._log) or sweep and self.through > self._written_through

    def begin_commit(self, through: int) -> OrderCommit:
        """Take everything that is to be written, as of now."""
        commit = OrderCommit(
            orders=[row_of(self.orders[order_id], self.owner_term) for order_id in self._touched],
            log=self._log,
            assignments=self.assignments.rows(self._moved),
            through=through,
        )
        self._touched, self._moved, self._log = {}, {}, []
        return commit

    def end_commit(self, commit: OrderCommit) -> list[Order]:
        """Find a commit durable. Gives the orders that have ended and did not change since: they are let go."""
        ended = []
        self._written_through = max(self._written_through, commit.through)
        for row in commit.orders:
            order = self.orders[row.id]
            if not order.active and row.id not in self._touched:
                ended.append(self.orders.pop(row.id))
        return ended

    def undo_commit(self, commit: OrderCommit) -> None:
        """Find that a commit did not happen: it is to be written again."""
        self._touched |= dict.fromkeys(row.id for row in commit.orders)
        self._moved |= dict.fromkeys(row.unit for row in commit.assignments)
        self._log = commit.log + self._log

    def _release(self, order_id: str, now: datetime) -> None:
        for unit in self.assignments.release(order_id, now):
            self._moved[unit] = None
            self._tell(unit)

    def _tell(self, unit: str) -> None:
        held = self.assignments.held(unit)
        if held is None:
            return
        order = self.orders.get(held.order) if held.order is not None else None
        shown = None
        if order is not None:
            shown = Assignment(
                order=order.id,
                incident=order.brief.incident,
                phase=PHASES[order.rung],
                since=held.since,
                version=held.version,
            )
        self._ports.assign(unit, shown, held.version)


def log_row(order_id: str, at: datetime, by: str, entry: Entry) -> OrderLogRow:
    """Make a line of an order's log."""
    kind, body = entry
    return OrderLogRow(order=order_id, at=at, kind=kind, by=by, body=body)


def row_of(order: Order, owner_term: int) -> OrderRow:
    """Write an order as the ledger keeps it."""
    return OrderRow(
        id=order.id,
        base=order.brief.base,
        phase=PHASES[order.rung],
        active=order.active,
        version=order.version,
        created_at=order.created_at,
        owner_term=owner_term,
        body=msgspec.json.encode(order),
    )


def read_order(row: OrderRow) -> Order:
    """Read an order as the ledger keeps it."""
    return msgspec.json.decode(row.body, type=Order)
