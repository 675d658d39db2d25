"""A unit of the same crew, as it bears on the others: what it holds the crew to by people's word alone. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from cloud.fleet.assess import assess
from cloud.fleet.basis import Basis, Mate
from cloud.fleet.heads import Head
from cloud.fleet.limits import COMMITTED
from cloud.fleet.shifts import is_on
from cloud.fleet.unit import Unit
from wire.feed import Activity

_UNREAL = ("test", "maintenance", "commissioning")
"""What is pressed in these modes sends no crew anywhere."""


def make_mate(unit: Unit, mate: Unit, basis: Basis) -> Mate:
    """Tell what `mate`, whose own basis is given, is to a unit of the same crew.

    Its place, its ignition and the end of its crew's shift lower the mate itself, and give its crew to no other unit:
    nothing automatic and no silence makes any unit more available.
    """
    return Mate(
        callsign=mate.entry.callsign,
        availability=assess(_by_word(basis)).availability,
        activity=_activity(mate),
        assigned=_called_at(mate) is not None,
        first=_place(mate) < _place(unit),
    )


def out_since(unit: Unit, kin: Iterable[Unit]) -> Iterator[Mate]:
    """Give those of a unit's whole and parts with which its crew has gone out, or was called, since it last declared.

    A unit is split or joined again while its crew is at work: what was pressed before for the rest no longer counts.
    """
    declared = unit.declared_at
    if declared is None or unit.entry.split_into or (unit.entry.part_of and not unit.entry.is_apart):
        return
    for other in kin:
        activity, called = _activity(other), _called_at(other)
        if activity in COMMITTED and other.declared_at is not None and other.declared_at > declared:
            yield Mate(callsign=other.entry.callsign, availability=None, activity=activity, assigned=False, first=False)
        elif called is not None and called > declared:
            yield Mate(callsign=other.entry.callsign, availability=None, activity=None, assigned=True, first=False)


def _called_at(unit: Unit) -> datetime | None:
    order = unit.assignment
    return None if order is None or order.phase == "closed" else order.since


def _by_word(basis: Basis) -> Basis:
    crew = basis.crew
    return replace(
        basis,
        spot=None,
        ignition=None,
        crew=None if crew is None else replace(crew, until=None),
        off_shift=basis.off_shift and not is_on(basis),
    )


def _activity(unit: Unit) -> Activity | None:
    """What its crew is at. Where devices disagree it is out if any of them says so."""
    if unit.standing is None:
        return None
    heads = (unit.standing.head, *unit.standing.conflicts)
    said = [head.meaning.activity for head in heads if head.meaning is not None and head.mode not in _UNREAL]
    return next((activity for activity in said if activity in COMMITTED), said[0] if said else None)


def _place(unit: Unit) -> tuple[bool, int, str]:
    """Whichever vehicle the crew is on the road with goes first, then as the directory has it."""
    head = None if unit.standing is None else unit.standing.head
    return not (head is not None and _is_on_road(head)), unit.entry.group_place, unit.entry.id


def _is_on_road(head: Head) -> bool:
    meaning = head.meaning
    if meaning is None or head.availability != "Available" or not head.is_live:
        return False
    return meaning.mobile or meaning.tier_min == 0 or meaning.activity == "standby"
