"""What a command and control system (CAD) says of assignments, as changes of the orders in hand."""

import uuid
from collections.abc import Callable, Container, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from cloud.desk.memory import Memory, log_row, row_of
from cloud.desk.requests import make_facts
from cloud.directory import Directory
from cloud.dispatch import Order
from cloud.dispatch.outside import open_outside, put_on, take_off
from cloud.dispatch.story import tell_changes
from cloud.dispatch.words import Brief, Ending, Outside
from cloud.fleet.clocks import Moment
from cloud.ledger import OrderCommit, OrderLogRow

INCIDENT_CHARS_MAX = 64
_NAMES = uuid.UUID("5c0d2a52-7d86-4f0a-9d0e-6a1c5e7f1b7e")
"""Under which a CAD's messages give the orders that they begin their names: the same message, the same name."""


class AssignRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A CAD puts a unit on an order of its own, or takes it off whatever it is on."""

    organisation: str
    """Whose CAD."""
    origin: str
    message: str
    """The id of the message that says so."""
    unit: str
    order: str | None
    """The CAD's number; None for off."""
    incident: str = ""
    address: str = ""
    text: str = ""
    by: str
    version: int
    """The unit's `assignment_version` that it was decided on."""


class Assigned(msgspec.Struct, frozen=True):
    """The unit is on it. `new`: since this request."""

    version: int
    new: bool


class Moved(msgspec.Struct, frozen=True):
    """The unit's assignment has changed since it was looked at: its version, and the order that it is on now."""

    version: int
    order: str | None


Change = Callable[[Order], Order]


class Plan(NamedTuple):
    """What a request comes to: the order that the unit is on then, what becomes of which orders, and what is logged."""

    order: str | None
    changes: list[tuple[Order, Change]]
    told: list[OrderLogRow]

    def commit(self, rows: Memory, unit: str) -> OrderCommit:
        """Make what becomes durable of it, once the unit was moved."""
        after = [change(order) for order, change in self.changes]
        return OrderCommit(
            orders=[row_of(order, rows.owner_term) for order in after],
            log=self.told,
            assignments=rows.assignments.rows([unit]),
        )


def find_outside(orders: Iterable[Order], organisation: str, number: str) -> Order | None:
    """Find the order in hand that stands for a CAD's."""
    wanted = (organisation, number)
    return next((one for one in orders if one.active and one.outside and _key(one.outside) == wanted), None)


def judge(memory: Memory, asked: AssignRequest, organisations: Container[str]) -> Assigned | Moved | None:
    """Answer a request that changes nothing; None for one that does.

    What is named as another organisation's order is refused whether there is one or not: it is not for a CAD to know.
    """
    held = memory.assignments
    on, version = held.order_of(asked.unit), held.version(asked.unit)
    wanted = None if asked.order is None else _find(memory, asked.organisation, asked.order)
    is_so = on is None if asked.order is None else wanted is not None and on == wanted.id
    if is_so:
        return Assigned(version, False)
    whose = wanted.outside.organisation if wanted is not None and wanted.outside is not None else None
    is_anothers = wanted is not None and whose != asked.organisation
    is_anothers |= wanted is None and _names_another(asked, organisations)
    return None if asked.version == version and not is_anothers else Moved(version, on)


def plan(memory: Memory, directory: Directory, asked: AssignRequest, now: Moment) -> Plan:
    """Say what becomes of the orders concerned: the one that the unit leaves, and the one that it comes on."""
    unit, ending = asked.unit, Ending(by=asked.by, reason="no unit is on it any more", at=now.utc)
    made = Plan(None, [], [])
    left = memory.orders.get(memory.assignments.order_of(unit) or "")
    on = None
    if asked.order is not None:
        known = _find(memory, asked.organisation, asked.order)
        on = known or _begin(directory, asked, now)
        if known is None:
            made.told.append(log_row(on.id, now.utc, asked.by, ("created", msgspec.json.encode(asked))))
        (callee,) = make_facts(directory, directory.units[unit].base, (directory.units[unit],)).callees
        made.changes.append((on, lambda order: put_on(order, callee, now.utc)))
        made.told.append(_note(on.id, "unit_called", asked, now.utc))
    if left is not None:
        made.told.append(_note(left.id, "unit_taken", asked, now.utc))
        if left.outside is not None:
            made.changes.append((left, lambda order: take_off(order, unit, ending)))
    for order, change in made.changes:
        made.told.extend(log_row(order.id, now.utc, asked.by, entry) for entry in tell_changes(order, change(order)))
    return made._replace(order=None if on is None else on.id)


def _find(memory: Memory, organisation: str, named: str) -> Order | None:
    """Find the order that a CAD means: its own, or one that it was told of and repeats, which it can't put units on."""
    whose, _, number = named.partition("/")
    own = find_outside(memory.orders.values(), organisation, named)
    qualified = find_outside(memory.orders.values(), whose, number) if number else None
    return own or qualified or memory.orders.get(named)


def _names_another(asked: AssignRequest, organisations: Container[str]) -> bool:
    """Tell whether an order is named as a CAD is told of another organisation's: `ORGANISATION/NUMBER`."""
    whose, slash, _ = (asked.order or "").partition("/")
    return bool(slash) and whose != asked.organisation and whose in organisations


def _begin(directory: Directory, asked: AssignRequest, now: Moment) -> Order:
    assert asked.order is not None
    unit = directory.units[asked.unit]
    name = uuid.uuid5(_NAMES, f"{asked.organisation}/{asked.order}/{asked.message}")
    brief = Brief(
        base=unit.base,
        units=(unit.id,),
        incident=asked.incident or f"{asked.organisation}/{asked.order}"[:INCIDENT_CHARS_MAX],
        address=asked.address,
        text=asked.text,
        by=asked.by,
    )
    outside = Outside(organisation=asked.organisation, number=asked.order, origin=asked.origin)
    return open_outside(str(name), outside, brief, directory.bases[unit.base].name, now)


def _note(order: str, kind: str, asked: AssignRequest, at: datetime) -> OrderLogRow:
    return log_row(order, at, asked.by, (kind, msgspec.json.encode({"unit": asked.unit, "message": asked.message})))


def _key(outside: Outside) -> tuple[str, str]:
    return outside.organisation, outside.number
