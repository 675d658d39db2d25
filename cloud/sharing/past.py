"""What a partner may see of a unit's past: what was allowed then, and is allowed now. Pure; default deny.

Only agreements that always hold open the past. One that waits for an incident, and emergency access, are about what
is going on: they open the present, and nothing that has been.
"""

from datetime import datetime, timedelta

import msgspec

from cloud.sharing.blur import blur
from cloud.sharing.grants import grants_of
from cloud.sharing.reasons import EXACT
from cloud.sharing.terms import Agreement, Grants, SharedUnit, Situation
from wire.feed import FeedRecord, PositionView


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules of sharing go by at a moment: `situation.now`."""

    unit: SharedUnit
    agreements: tuple[Agreement, ...]
    situation: Situation


def opened_then(partner: str, *, now: Circumstances, then: Circumstances) -> Grants | None:
    """Tell what a partner may see now of a unit as it was then; None where it may not know that there was one.

    A unit that is hidden now, or was hidden then, is not to be seen. Of a position the coarser precision and the longer
    delay hold. Its owner sees everything: whoever owns it now, of the time in which it did.
    """
    today, at_the_time = _always(partner, now), _always(partner, then)
    if today is None or at_the_time is None:
        return None
    return Grants(
        fields=today.fields & at_the_time.fields,
        agreements=today.agreements,
        precision_m=max(today.precision_m, at_the_time.precision_m),
        delay_s=max(today.delay_s, at_the_time.delay_s),
        own=today.own and at_the_time.own,
    )


def is_as_open(partner: str, before: Circumstances, after: Circumstances) -> bool:
    """Tell whether as much of a unit's past is open to a partner now as a while before, and by the same agreements."""
    return _always(partner, before) == _always(partner, after)


def newest_shown(grants: Grants, now: datetime) -> datetime:
    """Give the moment up to which a partner may see where a unit was."""
    return now - timedelta(seconds=grants.delay_s)


def place_then(place: PositionView, at: datetime, grants: Grants, now: datetime) -> PositionView | None:
    """Give where a unit was at a moment, as a partner may see it now; None where it may not."""
    if "position" not in grants.fields or at > newest_shown(grants, now):
        return None
    return blur(place, grants.precision_m) if grants.precision_m else place


def without_place(record: FeedRecord) -> FeedRecord:
    """Leave out where a unit is, and what rests on that."""
    return msgspec.structs.replace(
        record,
        position=None,
        position_fresh=False,
        ages=msgspec.structs.replace(record.ages, position_s=None),
        reasons=tuple(reason for reason in record.reasons if reason.code not in EXACT),
        proposals=(),
    )


def _always(partner: str, around: Circumstances) -> Grants | None:
    lasting = [one for one in around.agreements if one.when == "always"]
    return grants_of(around.unit, partner, lasting, msgspec.structs.replace(around.situation, access=()))
