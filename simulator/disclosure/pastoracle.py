"""Says what each organisation may learn of the past: what was allowed then and is allowed now, by the words alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from cloud.directory.rows import Unit
from cloud.telemetry import PositionRow
from simulator.disclosure.facts import words_in
from simulator.disclosure.oracle import EVERYTHING, ON_LOAN, Allowed, Opened, Share, is_about, may_be_told, together
from simulator.disclosure.stores import State, Stores
from simulator.disclosure.world import Lent, World

OF_OTHERS = frozenset({"kin", "availability"})
"""What was worked out from the units that share its crew, its whole and its parts: told only where all are seen."""


def allowed_then(world: World, stores: Stores, partner: str, at: datetime) -> Allowed:
    """List what a partner may meet now of what was shown at a past tick."""
    found, shares = Allowed(), dict[str, Share]()
    for unit in stores.state_at(at).directory.units.values():
        share = share_then(world, stores, partner, (unit.id, at))
        if share is not None:
            shares[unit.id] = _settled(share, at, world.now.utc)
    for name, share in shares.items():
        fields = share.fields if kin_of(world, name) <= shares.keys() else share.fields - OF_OTHERS
        found.units[name] = msgspec.structs.replace(share, fields=fields)
        found.words |= words_in(share.by)
    for fact in world.facts:
        seen = found.units.get(fact.unit)
        own = world.directory.units[fact.unit].organisation == partner
        if seen is not None and fact.at <= at and may_be_told(fact, seen, at, own=own):
            found.take(fact, seen, at)
    return found


def share_then(world: World, stores: Stores, partner: str, of: tuple[str, datetime]) -> Share | None:
    """Say what a partner may see now of a unit as it was at a moment; None where it may not know of it."""
    unit, at = of
    then, now = stores.state_at(at), stores.states[-1]
    at_the_time = _lasting(
        then, partner, then.directory.units[unit], at, tuple(one for one in now.lent if one.since <= at)
    )
    today = _lasting(now, partner, world.directory.units[unit], world.now.utc, now.lent)
    if at_the_time is None or today is None:
        return None
    fields = at_the_time.fields & today.fields
    if "position" not in fields:
        return Share(fields=fields, by=today.by)
    late_s, square_m = max(at_the_time.late_s, today.late_s), max(at_the_time.square_m, today.square_m)
    return Share(fields=fields, by=today.by, late_s=late_s, square_m=square_m)


def places_then(world: World, stores: Stores, partner: str, unit: str) -> Iterator[tuple[PositionRow, Share]]:
    """Give the places of a unit's track that a partner may see now, in order, each with its share of it."""
    now = world.now.utc
    for row in world.places:
        if row.unit != unit or not now - timedelta(hours=1) <= row.corrected_at < now:
            continue
        share = share_then(world, stores, partner, (unit, row.corrected_at))
        if share is not None and "position" in _settled(share, row.corrected_at, now).fields:
            yield row, share


def kin_of(world: World, unit: str) -> set[str]:
    """Give the units that share a unit's crew, its whole and its parts; itself among them."""
    units, row = world.directory.units, world.directory.units[unit]
    crew, whole = (row.organisation, row.crew_group), row.part_of or unit
    return {
        other.id
        for other in units.values()
        if (row.crew_group and (other.organisation, other.crew_group) == crew) or (other.part_of or other.id) == whole
    }


def _settled(share: Share, at: datetime, now: datetime) -> Share:
    """Say what of a share is told of a moment: its position once that has waited long enough, and then as it was."""
    if at <= now - timedelta(seconds=share.late_s):
        return msgspec.structs.replace(share, late_s=0)
    return Share(fields=share.fields - {"position"}, by=share.by)


def _lasting(state: State, partner: str, unit: Unit, at: datetime, lent: tuple[Lent, ...]) -> Share | None:
    """Say what agreements without a condition, and loans, open at a moment: nothing else is about the past."""
    if unit.organisation == partner:
        return Share(fields=EVERYTHING)
    if unit.covert or unit.id in state.off_duty:
        return None
    opened: list[Opened] = [
        (frozenset(row.fields), row.id, row.delay_s or 0, row.precision_m or 0)
        for row in state.directory.agreements.values()
        if (row.owner, row.partner, row.when) == (unit.organisation, partner, "always")
        and row.id not in state.withdrawn
        and is_about(row, unit, at)
    ]
    opened += [
        (ON_LOAN, f"loan:{one.loan}", 0, 0)
        for one in lent
        if (one.owner, one.borrower) == (unit.organisation, partner) and unit.id in one.units
    ]
    return together(opened)
