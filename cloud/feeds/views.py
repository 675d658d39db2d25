"""Each partner's view of the fleet, kept from tick to tick: who may see which unit, and what of it. Pure."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from cloud.directory import Directory
from cloud.directory.sharing import agreements_of, shared_unit
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.record import ALL, Seen
from cloud.sharing.grants import grants_of, next_boundary
from cloud.sharing.holding import HeldPlace, hold, let_through, next_due
from cloud.sharing.terms import Agreement, EmergencyAccess, Grants, SharedUnit, Situation
from cloud.sharing.view import essence, view
from wire.feed import FeedRecord, PositionView
from wire.partner import PartnerRecord


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What people have decided about sharing, beside the directory's agreements."""

    declared: frozenset[str] = frozenset()
    """The names of the major incidents that are declared."""
    withdrawn: frozenset[str] = frozenset()
    access: tuple[EmergencyAccess, ...] = ()
    loans: tuple[Agreement, ...] = ()
    """What each unit on loan opens to whoever has it."""


class Shown(msgspec.Struct, frozen=True, gc=False):
    """A record for one partner, its ages as at the moment it was asked for, and what opens it."""

    record: PartnerRecord
    grants: Grants


class Update(msgspec.Struct, frozen=True):
    """What changed in one partner's view."""

    records: tuple[Shown, ...]
    """By unit."""
    gone: tuple[str, ...]
    """Sorted."""


RENEW_S = 10.0
"""What was heard again is told again after this long, though it says the same: whoever ages it would call it old."""
SAME_S = 0.005
"""Ages are rounded: nearer than this nothing was heard again. Whether it is time to renew is asked only when something
was: what else makes us look, such as a unit of its kin that the partner may not know of, must not show in when we
speak."""


class _Told(msgspec.Struct, frozen=True, gc=False):
    """What a partner was last told of a unit."""

    lasting: PartnerRecord
    """But for its ages."""
    agreements: tuple[str, ...]
    as_of: datetime
    """When that last changed."""
    heard_s: float
    """The monotonic times of what its ages count from, added up: they only grow."""
    looked_s: float
    """The same, as of the last look at it."""

    def says(self, shown: "Shown") -> bool:
        """Whether that is what is to be told now."""
        unnamed = msgspec.structs.replace(essence(shown.record), agreements=())
        return self.agreements == shown.grants.agreements and self.lasting == unnamed


class _Partner:
    def __init__(self) -> None:
        self.grants: dict[str, Grants] = {}
        """Of each unit that it sees."""
        self.told: dict[str, _Told] = {}


class Views:
    """What every partner sees. One owner, one thread; time comes in with every call."""

    def __init__(self, fleet: Fleet, directory: Directory, now: Moment) -> None:
        """Begin with what the agreements open now, nothing decided beside them."""
        self._fleet = fleet
        self._decided = Decided()
        self._partners: dict[str, _Partner] = {}
        self._units: dict[str, SharedUnit] = {}
        self._on: dict[str, dict[str, SharedUnit]] = {}
        """The units on each incident."""
        self._opening: set[str] = set()
        """The units that more or less may be opened of than at the last update."""
        self._held: dict[str, tuple[HeldPlace, ...]] = {}
        self._incidents: dict[str, frozenset[str]] = {}
        """By organisation, the incidents that its own units were assigned to at the last update."""
        self.given_here: Callable[[str], bool] = lambda _order: True
        """Whether an order was given here: an incident that a partner's own system names makes nothing joint."""
        self._due: dict[str, datetime] = {}
        """When a position that is held back of a unit is next let through."""
        self._follow(directory)
        self.update(now, {})

    @property
    def partners(self) -> Collection[str]:
        """The organisations that have a view."""
        return self._partners.keys()

    def follow(self, _before: Directory, after: Directory) -> None:
        """Go by another directory from the next update on. The fleet must have gone over to it."""
        self._follow(after)

    def decide(self, decided: Decided) -> None:
        """Go by what was decided now, from the next update on."""
        self._decided = decided
        self._rule_anew()

    def update(self, now: Moment, changed: Mapping[str, FeedRecord]) -> dict[str, Update]:
        """Judge every unit whose record changed, and whatever else may be seen otherwise now. By partner."""
        self._now = now
        self._partners = {name: self._partners[name] for name in sorted(self._directory.partners)}
        judged = self._to_judge(changed)
        self._incidents = self._incidents_now()
        records = dict(changed)
        found: dict[str, Update] = {}
        made: dict[object, tuple[PartnerRecord, PartnerRecord]] = {}
        for name, partner in self._partners.items():
            gone, turned = self._open(name, partner, self._opening & judged)
            kin = {other for unit in turned for other in self._kin(unit)}
            told = [
                shown
                for unit in sorted((judged | kin) & partner.grants.keys())
                if (shown := self._tell(partner, unit, records, made)) is not None
            ]
            found[name] = Update(tuple(told), gone)
        self._boundary = next_boundary(self._agreements, self._decided.access, now.utc)
        return found

    def grants(self, partner: str, unit: str) -> Grants | None:
        """Tell what a partner may see of a unit; None where it may not know of it, or there is none."""
        known = self._partners.get(partner)
        return None if known is None else known.grants.get(unit)

    def seen_by(self, partner: str) -> Mapping[str, Grants]:
        """Give what a partner may see of each unit that it may know of. Read it; never change it."""
        known = self._partners.get(partner)
        return {} if known is None else known.grants

    def opened(self, partner: str, unit: str, now: Moment) -> Grants | None:
        """Tell what a partner may see of a unit at this very moment: nothing that it was not told of at an update.

        Between two updates a unit may have gone off duty, or to another incident: the newest record of it is judged by
        what holds now, not by what held then.
        """
        known = self._partners.get(partner)
        if known is None or unit not in known.told or unit not in self._directory.units:
            return None
        entry = self._entry(unit)
        between = self._between.get((entry.organisation, partner), ())
        return grants_of(entry, partner, between, self.situation(now))

    def record(self, partner: str, unit: str, now: Moment) -> Shown | None:
        """Give a unit as a partner sees it, its ages as at `now`; None where it may not know of it."""
        grants = self.opened(partner, unit, now)
        if grants is None:
            return None
        as_of = self._partners[partner].told[unit].as_of
        seen = frozenset(other for other in self._kin(unit) if self.opened(partner, other, now) is not None)
        made = self._fleet.record_among(unit, as_of, now, self._among(unit, grants, seen))
        return Shown(view(made, grants, as_of, self._place(unit, grants, now)), grants)

    def records(self, partner: str, now: Moment, *, after: str = "") -> Iterator[Shown]:
        """Give every unit that a partner sees and that comes after one, by unit, their ages as at `now`."""
        known = self._partners.get(partner)
        for unit in sorted(unit for unit in known.told if unit > after) if known is not None else ():
            shown = self.record(partner, unit, now)
            if shown is not None:
                yield shown

    def give(self, partner: str, units: Iterable[str], now: Moment) -> Iterator[Shown]:
        """Give units as a partner sees them now, to a stream that goes on from there.

        One that is another now than at the last update is told again with the next, which judges it, whatever made it
        so: it may be back as it was by then.
        """
        known = self._partners.get(partner)
        for unit in units:
            shown = self.record(partner, unit, now)
            told = known.told.get(unit) if known is not None else None
            if known is not None and told is not None and (shown is None or not told.says(shown)):
                known.told[unit] = _Told(told.lasting, told.agreements, told.as_of, -math.inf, -math.inf)
            if shown is not None:
                yield shown

    def shared(self, unit: str) -> SharedUnit | None:
        """Give a unit as agreements speak of it now; None where there is none."""
        return self._entry(unit) if unit in self._units and unit in self._directory.units else None

    def situation(self, now: Moment) -> Situation:
        """Give what holds now, beside the units; who is on which incident, as at the last update."""
        return Situation(
            now=now.utc,
            declared=self._decided.declared,
            withdrawn=self._decided.withdrawn,
            access=self._decided.access,
            incidents=self._incidents,
        )

    def agreements(self) -> tuple[Agreement, ...]:
        """Give the directory's agreements, and what loans open."""
        return self._agreements

    def _follow(self, directory: Directory) -> None:
        self._directory = directory
        self._partners |= {name: _Partner() for name in directory.partners if name not in self._partners}
        self._rule_anew()
        for unit in self._units.keys() - directory.units.keys():
            self._leave(unit)
        self._anew = True

    def _rule_anew(self) -> None:
        self._agreements = (*agreements_of(self._directory), *self._decided.loans)
        self._between: dict[tuple[str, str], tuple[Agreement, ...]] = {}
        for one in self._agreements:
            pair = (one.owner, one.partner)
            self._between[pair] = (*self._between.get(pair, ()), one)
        self._delays = {
            owner: max(one.delay_s for one in self._agreements if one.owner == owner)
            for owner in {one.owner for one in self._agreements if one.delay_s}
        }
        self._anew, self._boundary = True, None

    def _to_judge(self, changed: Mapping[str, FeedRecord]) -> set[str]:
        """Take in what changed, and give every unit that may be seen otherwise."""
        now = self._now
        if self._anew or (self._boundary is not None and now.utc >= self._boundary):
            judged = self._opening = set(self._directory.units)
            self._anew = False
        else:
            judged, self._opening = set(changed), set[str]()
        for unit in sorted(judged):
            record = None if self._fleet.was_covert(unit) else changed.get(unit)
            self._opening |= self._take_in(unit, record or self._fleet.record_among(unit, now.utc, now, _OTHERS))
        judged |= self._opening
        judged |= {unit for unit, due in self._due.items() if due <= now.utc}
        for unit in [unit for unit, due in self._due.items() if due <= now.utc]:
            self._plan(unit)
        return judged & self._directory.units.keys()

    def _entry(self, unit: str) -> SharedUnit:
        """Give a unit, as agreements speak of it, as it is now."""
        order = self._fleet.assignment(unit)
        incident = order.incident if order is not None and order.phase != "closed" else ""
        return shared_unit(self._directory.units[unit], private=self._fleet.private(unit), incident=incident)

    def _take_in(self, unit: str, record: FeedRecord) -> set[str]:
        """Note a unit's new record; give the units that more or less may be opened of because of it."""
        entry = self._entry(unit)
        incident, before = entry.incident, self._units.get(unit)
        self._units[unit] = entry
        self._hold(entry, record)
        was = before.incident if before is not None else ""
        if was == incident and (before is None or before.organisation == entry.organisation):
            if incident:
                self._on[incident][unit] = entry
            return set() if entry == before else {unit}
        if was:
            self._on[was].pop(unit, None)
        if incident:
            self._on.setdefault(incident, {})[unit] = entry
        touched = {unit, *self._on.get(was, ()), *self._on.get(incident, ())}
        if was and not self._on[was]:
            del self._on[was]
        return touched

    def _hold(self, unit: SharedUnit, record: FeedRecord) -> None:
        delay_s = self._delays.get(unit.organisation)
        if delay_s is None or unit.hidden or record.position is None:
            self._held.pop(unit.id, None)
            self._due.pop(unit.id, None)
            return
        self._held[unit.id] = hold(self._held.get(unit.id, ()), record.position, delay_s, self._now.utc)
        self._plan(unit.id)

    def _plan(self, unit: str) -> None:
        """Plan to look again when a position that waits is let through, by whichever delay is next."""
        held, owner = self._held.get(unit, ()), self._units[unit].organisation
        delays = {one.delay_s for one in self._agreements if one.owner == owner and one.delay_s}
        due = [at for delay_s in delays if (at := next_due(held, delay_s, self._now.utc)) is not None]
        if due:
            self._due[unit] = min(due)
        else:
            self._due.pop(unit, None)

    def _open(self, name: str, partner: _Partner, judged: set[str]) -> tuple[tuple[str, ...], list[str]]:
        """Judge what a partner may see of some units. Gives those that are gone, and those that came or went."""
        gone, turned, situation = [], [], self.situation(self._now)
        for unit in partner.grants.keys() - self._units.keys():
            gone.append(unit)
        for unit in judged:
            entry = self._units[unit]
            found = grants_of(entry, name, self._between.get((entry.organisation, name), ()), situation)
            if (found is None) is (unit in partner.grants):
                turned.append(unit)
            if found is not None:
                partner.grants[unit] = found
            elif unit in partner.grants:
                gone.append(unit)
        for unit in gone:
            del partner.grants[unit]
            partner.told.pop(unit, None)
        return tuple(sorted(gone)), turned

    def _tell(
        self,
        partner: _Partner,
        unit: str,
        records: dict[str, FeedRecord],
        made: dict[object, tuple[PartnerRecord, PartnerRecord]],
    ) -> Shown | None:
        """Give a unit's record where that is another than the partner was told; made once for the same grants."""
        grants, seen, now = partner.grants[unit], self._seen(partner, unit), self._now
        opened = (grants.fields, grants.precision_m, grants.delay_s, grants.own)
        key = (unit, opened, None if seen is ALL else tuple(other in seen for other in self._kin(unit)))
        if key not in made:
            if seen is ALL:
                if unit not in records:
                    records[unit] = self._fleet.record_among(unit, now.utc, now, ALL)
                record = records[unit]
            else:
                record = self._fleet.record_among(unit, now.utc, now, seen)
            unnamed = msgspec.structs.replace(grants, agreements=())  # the encoder names each partner's own
            shown = view(record, unnamed, now.utc, self._place(unit, grants, now))
            made[key] = (shown, essence(shown))
        shown, lasting = made[key]
        known, heard_s = partner.told.get(unit), _heard_s(shown, now)
        if known is None or known.lasting != lasting or known.agreements != grants.agreements:
            partner.told[unit] = _Told(lasting, grants.agreements, now.utc, heard_s, heard_s)
            return Shown(shown, grants)
        if abs(heard_s - known.looked_s) < SAME_S:
            return None
        if heard_s - known.heard_s < RENEW_S:
            partner.told[unit] = msgspec.structs.replace(known, looked_s=heard_s)
            return None
        partner.told[unit] = _Told(lasting, grants.agreements, known.as_of, heard_s, heard_s)
        return Shown(msgspec.structs.replace(shown, as_of=known.as_of), grants)

    def _seen(self, partner: _Partner, unit: str) -> Seen:
        """The units of its kin that a partner may know of: all, where it knows of each."""
        return self._among(unit, partner.grants[unit], partner.grants)

    def _among(self, unit: str, grants: Grants, seen: Seen) -> Seen:
        """All, where who sees a unit by these grants may know of each of its kin, and of every place of theirs."""
        if not all(other in seen for other in self._kin(unit)):
            return seen
        return seen if grants.agreements and self._fleet.was_covert(unit) else ALL

    def _kin(self, unit: str) -> tuple[str, ...]:
        return self._fleet.kin(unit) if unit in self._directory.units else ()

    def _place(self, unit: str, grants: Grants, now: Moment) -> PositionView | None:
        return let_through(self._held.get(unit, ()), grants.delay_s, now.utc) if grants.delay_s else None

    def _leave(self, unit: str) -> None:
        """Let go of a unit that there is no more."""
        entry = self._units.pop(unit)
        self._held.pop(unit, None)
        self._due.pop(unit, None)
        if entry.incident:
            on = self._on[entry.incident]
            on.pop(unit, None)
            if not on:
                del self._on[entry.incident]

    def _incidents_now(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for incident, units in self._on.items():
            for entry in units.values():
                order = self._fleet.assignment(entry.id)
                if order is not None and self.given_here(order.order):
                    found.setdefault(entry.organisation, set()).add(incident)
        return {organisation: frozenset(incidents) for organisation, incidents in found.items()}


_OTHERS: Seen = frozenset()
"""Who may know of a unit, and is not its owner."""


def _heard_s(record: PartnerRecord, now: Moment) -> float:
    ages = (record.link_s, record.position_s)
    return sum(now.mono_s - age_s for age_s in ages if isinstance(age_s, float))
