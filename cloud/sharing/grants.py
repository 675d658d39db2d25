"""Which agreements open a unit to a partner now, and what they open together. Pure; default deny.

Fields add up over agreements. A position does not: it is the newest that any one agreement opens, and of those the
sharpest, always with that agreement's own delay and precision. Two agreements together never open more of a position
than one of them does alone.
"""

from collections.abc import Iterable
from datetime import datetime

from cloud.sharing.terms import EMERGENCY, OWN, Agreement, Covers, EmergencyAccess, Grants, SharedUnit, Situation
from wire.partner import Grant


def grants_of(unit: SharedUnit, partner: str, agreements: Iterable[Agreement], situation: Situation) -> Grants | None:
    """Tell what a partner may see of a unit; None where it may not know that there is one."""
    if unit.organisation == partner:
        return OWN
    if unit.hidden:
        return None
    opened = [
        (one.fields, one.id, (one.delay_s, one.precision_m))
        for one in agreements
        if opens(one, unit, partner, situation)
    ]
    opened += [
        (one.fields, EMERGENCY + one.id, (0, 0))
        for one in situation.access
        if gives_access(one, unit, partner, situation.now)
    ]
    return _together(opened) if opened else None


def opens(agreement: Agreement, unit: SharedUnit, partner: str, situation: Situation) -> bool:
    """Tell whether one agreement opens a unit to a partner now."""
    return (
        agreement.owner == unit.organisation
        and agreement.partner == partner
        and not unit.hidden
        and agreement.id not in situation.withdrawn
        and is_valid(agreement, situation.now)
        and is_about(agreement.covers, unit)
        and holds(agreement, unit, situation)
    )


def is_valid(agreement: Agreement, now: datetime) -> bool:
    """Tell whether it is in its time: from `valid_from` on, and before `valid_until`."""
    since, until = agreement.valid_from, agreement.valid_until
    return (since is None or since <= now) and (until is None or now < until)


def is_about(covers: Covers, unit: SharedUnit) -> bool:
    """Tell whether a unit is among those that an agreement names."""
    return (
        (not covers.units or unit.id in covers.units)
        and (not covers.types or unit.type in covers.types)
        and (not covers.bases or unit.base in covers.bases)
        and (not covers.capabilities or not set(covers.capabilities).isdisjoint(unit.capabilities))
    )


def holds(agreement: Agreement, unit: SharedUnit, situation: Situation) -> bool:
    """Tell whether what an agreement waits for is so."""
    match agreement.when:
        case "always":
            return True
        case "joint_incident":
            joint = situation.incidents.get(agreement.partner, frozenset())
            return bool(unit.incident) and unit.incident in joint
        case "major_incident":
            return agreement.incident in situation.declared


def gives_access(access: EmergencyAccess, unit: SharedUnit, partner: str, now: datetime) -> bool:
    """Tell whether an emergency access opens a unit to a partner now. Never a hidden one."""
    return (
        access.owner == unit.organisation
        and access.partner == partner
        and access.since <= now < access.until
        and not unit.hidden
    )


def next_boundary(agreements: Iterable[Agreement], access: Iterable[EmergencyAccess], now: datetime) -> datetime | None:
    """Give the next moment at which time alone may change what anybody sees; None where there is none."""
    moments: list[datetime | None] = []
    for one in agreements:
        moments += (one.valid_from, one.valid_until)
    for each in access:
        moments += (each.since, each.until)
    return min((moment for moment in moments if moment is not None and moment > now), default=None)


def _together(opened: list[tuple[frozenset[Grant], str, tuple[int, int]]]) -> Grants:
    fields = frozenset[Grant]().union(*(each for each, _, _ in opened))
    places = [place for each, _, place in opened if "position" in each]
    delay_s, precision_m = min(places, default=(0, 0))
    return Grants(
        fields=fields,
        agreements=tuple(sorted(name for _, name, _ in opened)),
        precision_m=precision_m,
        delay_s=delay_s,
    )
