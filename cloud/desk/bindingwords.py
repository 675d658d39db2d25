"""What control asks for of bindings, what it is answered where it can't be, and what the ledger holds of them."""

from collections.abc import Iterable, Iterator
from typing import Literal, get_args

import msgspec

from cloud.directory import Directory
from cloud.directory.binding import Bound
from cloud.fleet.bindings import Claim, Decision, Kind
from cloud.ledger import DecisionRow, EventRow
from wire.events import BindingEvent, Person, Text, Word


class DecisionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who at control decides, and why."""

    by: Person
    reason: Text

    def __post_init__(self) -> None:
        """Refuse a reason that says nothing."""
        if not self.reason.strip():
            raise ValueError("reason: is empty; say why")


class LendRequest(DecisionRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A loan: to which base, who says so, and why."""

    base: Word


class Refusal(msgspec.Struct, frozen=True):
    """It can't be, and why: no such thing (404), not as things stand (409), or not at all (422)."""

    status: Literal[404, 409, 422]
    problem: str


def claim_of(row: EventRow, event: BindingEvent) -> Claim | None:
    """Make the claim of a stored event. None where its unit isn't known."""
    if row.unit is None:
        return None
    stream, seq = (row.stream, row.seq) if event.origin is None else (event.origin.stream, event.origin.seq)
    return Claim(
        id=f"{row.device}.{stream}.{seq}",
        number=row.id,
        unit=row.unit,
        device=row.device,
        vehicle=event.vehicle,
        base=event.base,
        on=event.on,
        at=row.corrected_at,
        heard=row.received_at,
    )


def decisions_in(rows: Iterable[DecisionRow]) -> Iterator[Decision]:
    """Give the decisions about bindings among others."""
    for row in rows:
        if row.kind in get_args(Kind):
            yield msgspec.json.decode(row.body, type=Decision)


def row_of(decision: Decision) -> DecisionRow:
    """Write a decision for the ledger."""
    return DecisionRow(
        at=decision.at,
        kind=decision.kind,
        subject=decision.unit,
        by=decision.by,
        reason=decision.reason,
        body=msgspec.json.encode(decision),
    )


def carriers_in(directory: Directory) -> list[tuple[str, str]]:
    """Name each unit, and the device that the directory has carry it."""
    return [(unit.id, unit.carrier) for unit in directory.units.values()]


def parts_of(bound: Bound) -> Iterator[Bound]:
    """Give each thing that control's word says of a unit, for itself."""
    if bound.device:
        yield Bound(unit=bound.unit, device=bound.device)
    if bound.base:
        yield Bound(unit=bound.unit, base=bound.base)
    if bound.split:
        yield Bound(unit=bound.unit, split=True)
