"""What a command and control system (CAD) is told of a unit or an order: what stands, and what of it is news. Pure."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from cloud.dispatch.words import Outside
from wire.cad import OWN, CadAboard, CadHolding, CadOrder, CadStanding, CadUnit, CadVersions, Changed
from wire.feed import FeedRecord, OrderView

EVERYTHING: tuple[Changed, ...] = ("status", "availability", "assignment", "crew", "mode")
_SAYABLE: tuple[Changed, ...] = ("status", "assignment", "crew")
"""What a CAD can say."""
_Said = TypeVar("_Said", CadStanding, CadHolding, CadAboard)
OutsideOf = Callable[[str], Outside | None]
"""Tells which order of a CAD's an order stands for."""


class Word(NamedTuple):
    """What a CAD is saying of a unit just now: once it stands, that is no news to it."""

    field: Changed
    value: tuple[object, ...]
    """A status's code and time, an assignment's order, a crew's riders and end of shift."""
    origin: str


class Look(NamedTuple):
    """A unit as it stands, what of it is news, and whether it is another than was known."""

    unit: CadUnit
    news: tuple[Changed, ...]


def look_at(record: FeedRecord, known: CadUnit | None, word: Word | None, outside_of: OutsideOf) -> Look:
    """See what has changed of a unit since it was looked at last. What the CAD itself is saying is no news."""
    status, assignment, crew = _standing(record), _holding(record, outside_of), _aboard(record)
    held = known or _nothing_of(record)
    changed: list[Changed] = []
    if _plain(status) != _plain(held.status):
        changed.append("status")
    if (record.availability, record.confidence) != (held.availability, held.confidence):
        changed.append("availability")
    if _plain(assignment) != _plain(held.assignment) or record.assignment_version != held.versions.assignment:
        changed.append("assignment")
    if _plain(crew) != _plain(held.crew):
        changed.append("crew")
    if record.mode != held.mode:
        changed.append("mode")
    own = _own_word(word, changed, (status, assignment, crew))
    unit = CadUnit(
        seq=held.seq,
        id=held.id,
        origin=held.origin,
        at=held.at,
        changed=held.changed,
        unit=record.unit,
        callsign=record.callsign,
        availability=record.availability,
        confidence=record.confidence,
        status=_keep(status, held.status, own if own and own.field == "status" else None),
        assignment=_keep(assignment, held.assignment, own if own and own.field == "assignment" else None),
        crew=_keep(crew, held.crew, own if own and own.field == "crew" else None),
        mode=record.mode,
        versions=CadVersions(
            status=held.versions.status + ("status" in changed),
            assignment=record.assignment_version,
            crew=held.versions.crew + ("crew" in changed),
        ),
    )
    if known is None:
        return Look(unit, EVERYTHING)
    believed = record.confidence != held.confidence  # how far its own word is believed is news to it
    news = [one for one in changed if own is None or one != own.field and (believed or one != "availability")]
    return Look(unit, tuple(news))


def origin_of(unit: CadUnit, news: Collection[Changed]) -> str:
    """Tell which system first said what is news."""
    said = {"status": unit.status, "assignment": unit.assignment, "crew": unit.crew}
    first = next((one for one in _SAYABLE if one in news), None)
    known = said[first] if first is not None else None
    return OWN if known is None else known.origin


def tell_unit(unit: CadUnit, news: tuple[Changed, ...], *, seq: int, name: str, at: datetime) -> CadUnit:
    """Make the message that tells a CAD of a unit's news."""
    return replace(unit, seq=seq, id=name, origin=origin_of(unit, news), at=at, changed=news)


def view_order(order: OrderView, own: Collection[str]) -> CadOrder | None:
    """Show an order with an organisation's `own` units only; None where it calls none, or stands for a CAD's."""
    units = tuple(one for one in order.units if one.unit in own)
    if not units or order.kind == "cad":
        return None
    return CadOrder(
        seq=1,
        id="",
        origin=OWN,
        at=order.created_at,
        version=order.version,
        order=order.order,
        order_kind=order.kind,
        phase=order.phase,
        reason=order.reason,
        base=order.base,
        base_name=order.base_name,
        incident=order.incident,
        address=order.address,
        text=order.text,
        mode=order.mode,
        units=units,
        by=order.by,
        created_at=order.created_at,
        active=order.active,
    )


def is_news(order: CadOrder, told: CadOrder | None) -> bool:
    """Tell whether an order has changed in anything that is told of it."""
    return told is None or replace(told, seq=1, id="", at=order.at, version=order.version) != order


def _nothing_of(record: FeedRecord) -> CadUnit:
    return CadUnit(
        seq=0,
        id="",
        origin=OWN,
        at=record.as_of,
        changed=(),
        unit=record.unit,
        callsign=record.callsign,
        availability=None,
        confidence="never",
        status=None,
        assignment=None,
        crew=None,
        mode="live",
        versions=CadVersions(),
    )


def _standing(record: FeedRecord) -> CadStanding | None:
    status = record.status
    if status is None:
        return None
    device = next((one.device for one in record.sources if one.kind == "status" and one.device), "")
    return CadStanding(
        scheme=status.scheme,
        code=status.code,
        label=status.label,
        since=status.since,
        proven=status.proven,
        by=status.by,
        device=device,
        origin=OWN,
    )


def _holding(record: FeedRecord, outside_of: OutsideOf) -> CadHolding | None:
    held = record.assignment
    if held is None:
        return None
    outside = outside_of(held.order)
    order, origin = held.order, OWN
    if outside is not None:
        is_own = outside.organisation == record.organisation
        order = outside.number if is_own else f"{outside.organisation}/{outside.number}"
        origin = outside.origin if is_own else outside.organisation
    return CadHolding(order=order, incident=held.incident, since=held.since, origin=origin)


def _aboard(record: FeedRecord) -> CadAboard | None:
    crew = record.crew
    if crew is None or crew.riders is None:
        return None
    return CadAboard(riders=crew.riders, skills=crew.skills, until=crew.until, origin=OWN)


def _own_word(
    word: Word | None,
    changed: Collection[Changed],
    found: tuple[CadStanding | None, CadHolding | None, CadAboard | None],
) -> Word | None:
    """Give the word that a CAD is saying, where what stands now is that."""
    if word is None or word.field not in changed:
        return None
    status, assignment, crew = found
    stands: dict[str, tuple[object, ...]] = {
        "status": (None, None) if status is None else (status.code, status.since),
        "assignment": (None,) if assignment is None else (assignment.order,),
        "crew": (None, None) if crew is None else (crew.riders, crew.until),
    }
    return word if stands[word.field] == word.value else None


def _keep(found: _Said | None, known: _Said | None, own: Word | None) -> _Said | None:
    """Put who said it to what stands: who was known to have, or the CAD that is saying it."""
    if found is None:
        return None
    if own is not None:
        return replace(found, origin=own.origin)
    return known if _plain(found) == _plain(known) else found


def _plain(said: _Said | None) -> _Said | None:
    """Leave out who said it."""
    return None if said is None else replace(said, origin="")
