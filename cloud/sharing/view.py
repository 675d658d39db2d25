"""A unit's record as one partner may see it: what is opened, no sharper and no newer than agreed. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET

from cloud.sharing.blur import blur
from cloud.sharing.reasons import shown_reasons
from cloud.sharing.terms import Grants
from wire.feed import FeedRecord, PositionView
from wire.partner import FIELDS_OF, GRANTS, PartnerRecord


def view(record: FeedRecord, grants: Grants, as_of: datetime, held: PositionView | None = None) -> PartnerRecord:
    """Make a partner's record. `held` is the position that a delay lets through, its age as at now; None for none yet.

    `as_of` is when this partner's view last changed. The record's kin must be those that the partner sees: whoever
    gives the record leaves the others out, and what follows from them.
    """
    shown: dict[str, Any] = {}
    for grant in GRANTS:
        if grant in grants.fields and grant != "position":
            shown |= {field: _read(record, grants, field) for field in FIELDS_OF[grant]}
    if "position" in grants.fields:
        shown |= _place(record, grants, held)
    return PartnerRecord(
        unit=record.unit,
        callsign=record.callsign,
        organisation=record.organisation,
        service=record.service,
        type=record.type,
        grants=tuple(sorted(grants.fields)),
        agreements=grants.agreements,
        as_of=as_of,
        **shown,
    )


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
    for grant, fields in FIELDS_OF.items():
        if grant not in grants.fields:
            yield from (field for field in fields if getattr(record, field) is not UNSET)
    if tuple(record.grants) != tuple(sorted(grants.fields)):
        yield "grants"
    place = record.position
    if not isinstance(place, PositionView):
        return
    if grants.precision_m and blur(place, grants.precision_m) != place:
        yield "precision_m"
    if grants.delay_s and (record.position_fresh or place.age_s is None or place.age_s < grants.delay_s):
        yield "delay_s"


def _read(record: FeedRecord, grants: Grants, field: str) -> Any:
    match field:
        case "reasons":
            return shown_reasons(record, grants)
        case "status_s":
            return record.ages.status_s
        case "link_s":
            return record.ages.link_s
        case _:
            return getattr(record, field)


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
