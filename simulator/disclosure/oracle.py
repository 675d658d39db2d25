"""Says what each organisation may learn, from the words of the agreements alone. It calls nothing of `cloud.sharing`.

Whatever it does not name is forbidden: it lists what may be met in bytes, and everything else there is a leak.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cloud.directory.rows import AgreementRow, Unit
from simulator.disclosure.facts import IDENTITY, Fact, words_in
from simulator.disclosure.world import World

EVERYTHING = frozenset(
    """
    base vehicle capabilities availability status position link crew defects assignment mode kin workings alarms
    """.split()
)
IN_AN_EMERGENCY = ON_LOAN = EVERYTHING - {"workings"}
UNDER = {
    "base": "base", "home": "base", "vehicle": "vehicle", "capabilities": "capabilities", "class": "availability",
    "confidence": "availability", "reasons": "availability", "tier_min": "availability", "status": "status",
    "activity": "status", "status_s": "status", "position": "position", "position_fresh": "position",
    "position_s": "position", "precision_m": "position", "delay_s": "position", "link": "link", "link_s": "link",
    "crew": "crew", "defects": "defects", "assignment": "assignment", "assignment_version": "assignment",
    "mode": "mode", "mode_until": "mode", "mode_by": "mode", "alternates": "kin", "part_of": "kin",
    "conflicts": "workings", "proposals": "workings", "claims": "workings",
}  # fmt: skip
"""Under which of an agreement's words each field of a record falls."""
ANYWAY = frozenset({"unit", "callsign", "organisation", "service", "type", "grants", "agreements", "as_of"})
OF_PLACES = {"moving", "not_at_base"}
"""Reasons that are told with an exact position that is not late, and not beside another."""

Opened = tuple[frozenset[str], str, int, int]
"""Fields, by what, how late and how blurred."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one partner may see of one unit now."""

    fields: frozenset[str]
    by: tuple[str, ...] = ()
    late_s: int = 0
    square_m: int = 0


class Allowed(msgspec.Struct, kw_only=True):
    """What may be met in the bytes that one organisation receives at a moment."""

    units: dict[str, Share] = {}
    words: set[str] = msgspec.field(default_factory=set)
    numbers: set[float] = msgspec.field(default_factory=set)
    moments: set[float] = msgspec.field(default_factory=set)
    """As seconds since 1970."""
    places: dict[str, list[Fact]] = {}
    """By unit, the places that it may be shown at."""
    of_unit: dict[str, set[str]] = {}
    """By unit, the words that may be met in its own record."""

    def take(self, fact: Fact, share: Share, now: datetime) -> None:
        """Allow what tells of a fact to who has such a share of its unit, its ages as at `now`."""
        self.words |= fact.words
        self.of_unit.setdefault(fact.unit, set(words_in(share.by))).update(fact.words)
        self.moments.update(moment.timestamp() for moment in fact.moments)
        self.numbers.update(round((now - moment).total_seconds(), 3) for moment in fact.moments)
        if fact.place is not None:
            self.places.setdefault(fact.unit, []).append(fact)
        if not (share.square_m and fact.place is not None):
            self.numbers.update(fact.numbers)


def allowed(world: World, partner: str) -> Allowed:
    """List what a partner may meet now."""
    found = Allowed()
    now = world.now.utc
    for unit in world.directory.units.values():
        share = share_of(world, partner, unit)
        if share is not None:
            found.units[unit.id] = share
            found.words |= words_in(share.by)
    for fact in world.facts:
        share = found.units.get(fact.unit)
        if share is None or not may_be_told(fact, share, now, own=_is_own(world, partner, fact.unit)):
            continue
        found.take(fact, share, now)
    return found


def share_of(world: World, partner: str, unit: Unit) -> Share | None:
    """Say what a partner may see of a unit now; None where it may not know that there is one."""
    if unit.organisation == partner:
        return Share(fields=EVERYTHING)
    if unit.covert or unit.id in world.off_duty:
        return None
    opened: list[Opened] = []
    for row in world.directory.agreements.values():
        if row.owner == unit.organisation and row.partner == partner and _in_force(world, row, unit):
            opened.append((frozenset(row.fields), row.id, row.delay_s or 0, row.precision_m or 0))
    for access in world.decided.access:
        meant = access.owner == unit.organisation and access.partner == partner
        if meant and access.since <= world.now.utc < access.until:
            opened.append((IN_AN_EMERGENCY, f"emergency:{access.id}", 0, 0))
    for loan in world.lent.values():
        if (loan.owner, loan.borrower) == (unit.organisation, partner) and unit.id in loan.units:
            opened.append((ON_LOAN, f"loan:{loan.loan}", 0, 0))
    return together(opened)


def together(opened: list[Opened]) -> Share | None:
    """Say what comes of what is opened by each; None for nothing."""
    if not opened:
        return None
    places = sorted((late_s, square_m) for fields, _, late_s, square_m in opened if "position" in fields)
    late_s, square_m = places[0] if places else (0, 0)
    fields = frozenset(word for each in opened for word in each[0])
    return Share(fields=fields, by=tuple(sorted(each[1] for each in opened)), late_s=late_s, square_m=square_m)


def forbidden_fields(share: Share, record: dict[str, Any]) -> Iterator[str]:
    """Name the fields of a record that the words of no agreement open."""
    for name in record:
        if name not in ANYWAY and UNDER.get(name) not in share.fields:
            yield name
    if "position" not in share.fields or share.late_s or share.square_m:
        if "proposals" in record:
            yield "proposals"
        codes = {reason["code"] for reason in record.get("reasons", ())}
        yield from (f"reason {code}" for code in sorted(codes & OF_PLACES))


def _in_force(world: World, row: AgreementRow, unit: Unit) -> bool:
    if not is_about(row, unit, world.now.utc) or row.id in world.decided.withdrawn:
        return False
    if row.when == "major_incident":
        return row.incident in world.decided.declared
    if row.when == "joint_incident":
        theirs = {world.met.get(one.id) for one in world.directory.units.values() if one.organisation == row.partner}
        return unit.id in world.incident and world.incident[unit.id] in theirs
    return True


def is_about(row: AgreementRow, unit: Unit, now: datetime) -> bool:
    """Say whether an agreement is in its time, and names a unit."""
    if row.valid_from is not None and now < row.valid_from:
        return False
    if row.valid_until is not None and not now < row.valid_until:
        return False
    wanted = row.covers
    fits = (
        (wanted.units, {unit.id}),
        (wanted.types, {unit.type}),
        (wanted.bases, {unit.home or unit.base}),
        (wanted.capabilities, set(unit.capabilities)),
    )
    return all(not asked or set(asked) & has for asked, has in fits)


def may_be_told(fact: Fact, share: Share, now: datetime, *, own: bool) -> bool:
    """Say whether something that was said of a unit may be told to who has such a share of it."""
    if fact.secret and not own:
        return False
    if fact.grant == IDENTITY:
        return True
    if fact.grant not in share.fields:
        return False
    return fact.place is None or fact.at <= now - timedelta(seconds=share.late_s)


def _is_own(world: World, partner: str, unit: str) -> bool:
    return world.directory.units[unit].organisation == partner
