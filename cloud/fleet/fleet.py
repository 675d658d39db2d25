"""The whole fleet in memory: what each message changes, and each unit's record as the feed shows it."""

import heapq
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec

from cloud.fleet import position
from cloud.fleet.clocks import Corrected, Moment, correct
from cloud.fleet.entry import UnitEntry
from cloud.fleet.heads import Head, newer, stand
from cloud.fleet.link import Link, apply_death, apply_sent, apply_vitals, freshness, is_silent, thresholds_s
from cloud.fleet.position import Place, Whereabouts, apply_place
from cloud.fleet.reasons import Basis, Vouch, judge, vouch_for
from wire.events import Event
from wire.feed import Ages, Assignment, Conflict, FeedRecord, StatusView
from wire.messages import Birth, Death, Heartbeat

STEP_S = 0.001
"""A deadline is looked at this long after it has passed, so that the comparison has turned."""


_UNHEARD = Link()
_NOWHERE = Whereabouts()


class _Device(msgspec.Struct, kw_only=True, gc=False):
    carries: tuple[str, ...] = ()
    speaks_for: tuple[str, ...] = ()
    link: Link = _UNHEARD
    places: Whereabouts = _NOWHERE
    ordinal: int = 0
    """Of its newest stream."""
    through: int = 0
    """How far the status queue of that stream has ended."""


_NOBODY = _Device()


class _Unit(msgspec.Struct, kw_only=True, gc=False):
    entry: UnitEntry
    speakers: tuple[str, ...] = ()
    """The devices bound to it."""
    heads: tuple[Head, ...] = ()
    """The latest of each device that has declared something."""
    assignment: Assignment | None = None
    assignment_version: int = 0
    wake_s: float = float("inf")
    """When time alone will next change its record."""
    looked_s: float = float("inf")
    """Its earliest entry in the heap: never later than `wake_s`."""


class Fleet:
    """Live state. One owner, one thread; time comes in with every call, so that it runs the same under any clock."""

    def __init__(self, units: Iterable[UnitEntry], speakers: Mapping[str, Collection[str]]) -> None:
        """Begin with every unit never heard. `speakers` are the devices bound to each unit."""
        self._units = {unit.id: _Unit(entry=unit, speakers=tuple(speakers.get(unit.id, ()))) for unit in units}
        self._devices: dict[str, _Device] = {}
        for unit in self._units.values():
            self._bind(unit)
        self._wakes: list[tuple[float, str]] = []
        self._changed: dict[str, datetime | None] = dict.fromkeys(self._units)
        """Units to show anew, and when the first unshown change came; None for one that time alone made."""

    @property
    def units(self) -> Iterable[str]:
        """Every unit, by id."""
        return self._units.keys()

    @property
    def wakes_planned(self) -> int:
        """How many looks ahead are entered: a few a unit, however often it speaks or is read."""
        return len(self._wakes)

    def name(self, unit: str) -> str:
        """Give a unit's id as it is kept: one text, whoever brings a copy of it."""
        known = self._units.get(unit)
        return unit if known is None else known.entry.id

    def speakers(self, unit: str) -> tuple[str, ...]:
        """Which devices are bound to a unit."""
        return self._units[unit].speakers

    def link(self, device: str) -> Link | None:
        """What is known of a device's connection; None for one never heard since the start."""
        link = self._devices.get(device, _NOBODY).link
        return None if link is _UNHEARD else link

    def apply_vitals(
        self, device: str, vitals: Heartbeat | Birth, ordinal: int, echoed_s: float | None, now: Moment
    ) -> bool:
        """Fold a heartbeat or birth in. Tells whether it was news: a replayed one is not."""
        entry = self._entry(device)
        known = entry.link
        link = apply_vitals(known, vitals, ordinal, echoed_s, now)
        if link is not None:
            entry.link = link
            self._touch(entry.carries, now)
            if _names_others(known, link) or self._is_behind(device, entry, link):
                self._touch(entry.speaks_for, now)
        return link is not None

    def apply_sent(self, device: str, boot: int, sent_mono_ms: int, now: Moment, ordinal: int | None = None) -> None:
        """Fold in that a device sent some other message; one in another stream than it speaks in proves nothing."""
        entry = self._devices.get(device, _NOBODY)
        if ordinal not in (None, entry.link.ordinal):
            return
        link = apply_sent(entry.link, boot, sent_mono_ms, now.mono_s)
        if link is not entry.link:
            entry.link = link
            self._touch(entry.carries, now)

    def apply_death(self, device: str, death: Death, ordinal: int, now: Moment) -> bool:
        """Fold the end of a connection in. Tells whether it was the newest connection's."""
        entry = self._entry(device)
        link = apply_death(entry.link, death, ordinal)
        if link is not None:
            entry.link = link
            self._touch(entry.carries, now)
        return link is not None

    def apply_through(self, device: str, ordinal: int, through: int, now: Moment) -> None:
        """Fold in how far a device's newest status queue has ended."""
        entry = self._entry(device)
        if (ordinal, through) > (entry.ordinal, entry.through):
            entry.ordinal, entry.through = ordinal, through
            self._touch(entry.speaks_for, now)

    def apply_head(self, head: Head, now: Moment) -> bool:
        """Fold a committed status in. Tells whether it is now its device's head; devices not bound hold none."""
        unit = self._units.get(head.unit)
        if unit is None or head.device not in unit.speakers:
            return False
        known = _head_of(unit, head.device)
        if not newer(known, head):
            return False
        unit.heads = (*(other for other in unit.heads if other is not known), head)
        self._changed[head.unit] = now.utc
        return True

    def apply_place(self, device: str, place: Place, now: Moment) -> bool:
        """Fold a position in. Tells whether it is the newest of its device."""
        entry = self._entry(device)
        whereabouts = apply_place(entry.places, place)
        if whereabouts is None:
            return False
        entry.places = whereabouts
        self._touch(entry.carries, now)
        return True

    def assign(self, unit_id: str, assignment: Assignment | None, version: int, now: Moment) -> bool:
        """Show which order a unit is on, or None; `version` counts its changes. Tells whether there is such a unit."""
        unit = self._units.get(unit_id)
        if unit is None:
            return False
        if (unit.assignment, unit.assignment_version) != (assignment, version):
            unit.assignment, unit.assignment_version = assignment, version
            self._touch((unit_id,), now)
        return True

    def correct(self, device: str, event: Event, received: Moment, ordinal: int | None = None) -> Corrected:
        """Place an event in time by what is known of its device's clocks now.

        Those are the clocks of whoever speaks in the newest stream: an event of another `ordinal` is unproven.
        """
        link = self._devices.get(device, _NOBODY).link
        if ordinal not in (None, link.ordinal):
            link = _UNHEARD
        return correct((event.at, event.clock, event.boot, event.mono_ms), link.clock_map, link.skew_s, received)

    def head(self, unit: str, device: str) -> Head | None:
        """The latest status of one device for a unit."""
        known = self._units.get(unit)
        return None if known is None else _head_of(known, device)

    def standing(self, unit: str) -> Head | None:
        """The status that stands for a unit."""
        standing = stand(self._units[unit].heads)
        return standing.head if standing else None

    def take_changed(self, now: Moment) -> dict[str, datetime]:
        """Give the units that changed since the last call, by a message or because time has passed, and when."""
        while self._wakes and self._wakes[0][0] <= now.mono_s:
            looked_s, unit_id = heapq.heappop(self._wakes)
            unit = self._units[unit_id]
            if unit.looked_s != looked_s:
                continue  # an earlier entry took its place
            unit.looked_s = float("inf")
            if unit.wake_s <= now.mono_s:
                unit.wake_s = float("inf")
                self._changed.setdefault(unit_id, None)
            else:
                self._look_at(unit)
        changed = {unit: at or now.utc for unit, at in self._changed.items()}
        self._changed.clear()
        return changed

    def record(self, unit_id: str, cursor: int, as_of: datetime, now: Moment) -> FeedRecord:
        """Make a unit's record, its ages as at `now`, and plan to look again when time alone will change it."""
        unit = self._units[unit_id]
        entry = unit.entry
        carrier = self._devices[entry.carrier]
        link, places = carrier.link, carrier.places
        standing = stand(unit.heads)
        head = standing.head if standing else None
        fresh = freshness(link, now.mono_s)
        ages = self._ages(link, places, head, now)
        basis = Basis(
            standing=standing,
            link=fresh,
            ended=link.ended,
            link_age_s=ages.link_s,
            status_age_s=ages.status_s,
            vouch="silent"
            if fresh == "fresh" and is_silent(link, now.mono_s)
            else self._vouch_of(entry.carrier, unit, now),
            declarer_vouch=self._vouch_of(head.device, unit, now)
            if head and head.device != entry.carrier
            else "stored",
        )
        confidence, reasons = judge(basis)
        fresh_until_s = position.fresh_until_s(places, link, ages.position_s, now)
        self._plan_wake(unit, link, fresh_until_s, now)
        return FeedRecord(
            unit=entry.id,
            callsign=entry.callsign,
            organisation=entry.organisation,
            service=entry.service,
            type=entry.type,
            base=entry.base,
            capabilities=entry.capabilities,
            availability=standing.availability if standing else None,
            confidence=confidence,
            reasons=reasons,
            status=_status_view(head),
            position=position.view(places, ages.position_s),
            position_fresh=fresh == "fresh" and fresh_until_s is not None,
            ages=ages,
            link=fresh,
            conflicts=_conflicts(standing.conflicts if standing else ()),
            mode=head.mode if head else "live",
            assignment=unit.assignment,
            assignment_version=unit.assignment_version,
            as_of=as_of,
            cursor=cursor,
        )

    def _is_behind(self, device: str, entry: _Device, link: Link) -> bool:
        """Tell whether a head of this device is beyond all that it counts: then it matters when it spoke."""
        heads = (_head_of(self._units[unit], device) for unit in entry.speaks_for)
        said = link.vitals
        return said is not None and any(
            head is not None and head.stream == said.stream and head.seq > said.last_seq.status for head in heads
        )

    def _vouch_of(self, device: str, unit: _Unit, now: Moment) -> Vouch:
        entry, head = self._devices[device], _head_of(unit, device)
        settled = entry.through if entry.ordinal == entry.link.ordinal else 0
        spoke_s = entry.link.spoke_s
        since = head is not None and spoke_s is not None and now.since(spoke_s) > head.received
        return vouch_for(head, entry.link, unit.entry.id, settled, spoken_since=since)

    def _ages(self, link: Link, places: Whereabouts, head: Head | None, now: Moment) -> Ages:
        return Ages(
            link_s=_rounded(now.mono_s - link.proof_s) if link.proof_s is not None else None,
            status_s=_known((now.utc - head.at).total_seconds()) if head else None,
            position_s=_rounded(position.age_s(places, link, now)),
        )

    def _plan_wake(self, unit: _Unit, link: Link, fresh_until_s: float | None, now: Moment) -> None:
        if unit.wake_s - 2 * STEP_S <= now.mono_s:
            return  # due, or about to be: a record made for one reader must not hide the change from the rest
        moments = [fresh_until_s] if fresh_until_s is not None else []
        if link.proof_s is not None:
            moments += [link.proof_s + threshold for threshold in thresholds_s(link)]
        if link.spoke_s is not None:
            moments.append(link.spoke_s + thresholds_s(link)[0])
        if link.asleep_s is not None:
            moments.append(link.asleep_s)
        unit.wake_s = min((moment for moment in moments if moment >= now.mono_s), default=float("inf")) + STEP_S
        if unit.wake_s < unit.looked_s:
            self._look_at(unit)

    def _look_at(self, unit: _Unit) -> None:
        """Enter a unit's wake in the heap. A later wake waits for the entry there is: few are ever left over."""
        if unit.wake_s != float("inf"):
            unit.looked_s = unit.wake_s
            heapq.heappush(self._wakes, (unit.wake_s, unit.entry.id))

    def _touch(self, units: tuple[str, ...], now: Moment) -> None:
        for unit in units:
            self._changed.setdefault(unit, now.utc)

    def _bind(self, unit: _Unit) -> None:
        """Note which devices carry a unit and may speak for it."""
        carrier = self._entry(unit.entry.carrier)
        carrier.carries += (unit.entry.id,)
        for device in unit.speakers:
            entry = self._entry(device)
            entry.speaks_for += (unit.entry.id,)
            if entry.speaks_for == entry.carries:
                entry.speaks_for = entry.carries  # one tuple, not two: this is how it is with nearly every device

    def _entry(self, device: str) -> _Device:
        known = self._devices.get(device)
        if known is None:
            known = self._devices[device] = _Device()
        return known


def _head_of(unit: _Unit, device: str) -> Head | None:
    return next((head for head in unit.heads if head.device == device), None)


def _names_others(old: Link, new: Link) -> bool:
    """Tell whether a device now names other statuses, which may concern units beside the one that it carries."""
    if old.vitals is None or new.vitals is None or old.ordinal != new.ordinal:
        return True
    return old.vitals.current != new.vitals.current or old.vitals.last_seq.status != new.vitals.last_seq.status


def _known(age_s: float) -> float | None:
    """Give an age by the wall clock; None where it is negative, for one of the two readings was wrong."""
    return None if age_s < 0 else _rounded(age_s)


def _rounded(age_s: float | None) -> float | None:
    return None if age_s is None else round(max(0.0, age_s), 3)


def _status_view(head: Head | None) -> StatusView | None:
    if head is None:
        return None
    return StatusView(
        scheme=head.scheme, code=head.code, label=head.label, since=head.at, proven=head.proven, by=head.by
    )


def _conflicts(heads: tuple[Head, ...]) -> tuple[Conflict, ...]:
    return tuple(Conflict(device=h.device, scheme=h.scheme, code=h.code, label=h.label) for h in heads)
