"""A unit's record as one partner may see it: what is opened, no sharper and no newer than agreed. Pure."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from cloud.sharing.blur import blur
from cloud.sharing.reasons import is_exact, may_be_told, shown_reasons
from cloud.sharing.terms import Grants
from wire.feed import Assignment, FeedRecord, PositionView
from wire.partner import FIELDS_OF, GRANTS, Grant, PartnerAssignment, PartnerRecord


def view(record: FeedRecord, grants: Grants, as_of: datetime, held: PositionView | None = None) -> PartnerRecord:
    """Make a partner's record. `held` is the position that a delay lets through, its age as at now; None for none yet.

    `as_of` is when this partner's view last changed. The record's kin must be those that the partner sees: whoever
    gives the record leaves the others out, and what follows from them.
    """
    plan = _plan(grants.fields)
    shown: dict[str, Any] = dict(zip(plan.plain, plan.read(record), strict=True))
    if "availability" in grants.fields:
        shown["reasons"] = shown_reasons(record, grants)
    if "status" in grants.fields:
        shown["status_s"] = record.ages.status_s
    if "link" in grants.fields:
        shown["link_s"] = record.ages.link_s
    if "workings" in grants.fields and is_exact(grants):
        shown["proposals"] = record.proposals  # they tell when it was where
    if "assignment" in grants.fields:
        shown["assignment"] = _assignment(record.assignment, grants)
    if "position" in grants.fields:
        shown |= _place(record, grants, held)
    return PartnerRecord(grants=plan.grants, agreements=grants.agreements, as_of=as_of, **shown)


def essence(record: PartnerRecord) -> PartnerRecord:
    """Give what of a view is told again when it changes: all but its ages, which whoever holds it counts on."""
    changed: dict[str, Any] = {}
    for field in ("status_s", "position_s", "link_s"):
        if isinstance(getattr(record, field), float):
            changed[field] = None
    if isinstance(record.position, PositionView):
        changed["position"] = msgspec.structs.replace(record.position, age_s=None)
    if record.reasons is not UNSET:
        changed["reasons"] = tuple(msgspec.structs.replace(reason, age_s=None) for reason in record.reasons)
    return msgspec.structs.replace(record, as_of=_NEVER, **changed)


def leaks(record: PartnerRecord, grants: Grants) -> Iterator[str]:
    """Tell what of a record its grants don't open: asked again where bytes leave. Nothing, unless we are at fault."""
    plan = _plan(grants.fields)
    if any(value is not UNSET for value in plan.read_closed(record)):
        yield from (field for field in plan.closed if getattr(record, field) is not UNSET)
    if record.grants != plan.grants:
        yield "grants"
    if record.reasons is not UNSET and not all(may_be_told(reason.code, grants) for reason in record.reasons):
        yield "reasons"
    if record.proposals is not UNSET and not is_exact(grants):
        yield "proposals"
    if isinstance(record.assignment, PartnerAssignment) and record.assignment.phase is not UNSET and not grants.own:
        yield "phase"
    place = record.position
    if not isinstance(place, PositionView):
        return
    if grants.precision_m and blur(place, grants.precision_m) != place:
        yield "precision_m"
    if grants.delay_s and (record.position_fresh or place.age_s is None or place.age_s < grants.delay_s):
        yield "delay_s"


class _Plan(NamedTuple):
    """What follows from the opened fields alone: worked out once for each set of them."""

    grants: tuple[Grant, ...]
    plain: tuple[str, ...]
    """The fields that are those of the record itself."""
    read: Callable[[FeedRecord], tuple[Any, ...]]
    closed: tuple[str, ...]
    read_closed: Callable[[PartnerRecord], tuple[Any, ...]]


@lru_cache(1_000)
def _plan(fields: frozenset[Grant]) -> _Plan:
    opened = (field for grant in GRANTS if grant in fields for field in FIELDS_OF[grant])
    plain = (*_NAMES, *(field for field in opened if field not in _MADE))
    closed = tuple(field for grant in GRANTS if grant not in fields for field in FIELDS_OF[grant])
    # The first is asked twice: of one name alone `attrgetter` would give no tuple.
    read_closed = attrgetter(*closed, closed[0]) if closed else _read_nothing
    return _Plan(tuple(sorted(fields)), plain, attrgetter(*plain), closed, read_closed)


def _read_nothing(_record: PartnerRecord) -> tuple[Any, ...]:
    return ()


_NAMES = ("unit", "callsign", "organisation", "service", "type")
_MADE = frozenset({"reasons", "proposals", "assignment", "status_s", "link_s", *FIELDS_OF["position"]})
"""Fields that are not simply the record's."""


def _assignment(order: Assignment | None, grants: Grants) -> PartnerAssignment | None:
    if order is None:
        return None
    phase = order.phase if grants.own else UNSET
    return PartnerAssignment(
        order=order.order, incident=order.incident, phase=phase, since=order.since, version=order.version
    )


def _place(record: FeedRecord, grants: Grants, held: PositionView | None) -> dict[str, Any]:
    place = held if grants.delay_s else record.position
    shown = None if place is None else blur(place, grants.precision_m) if grants.precision_m else place
    told: dict[str, Any] = {
        "position": shown,
        "position_fresh": record.position_fresh and not grants.delay_s,
        "position_s": None if shown is None else shown.age_s,
    }
    if grants.precision_m:
        told["precision_m"] = grants.precision_m
    if grants.delay_s:
        told["delay_s"] = grants.delay_s
    return told


_NEVER = datetime.min.replace(tzinfo=UTC)
