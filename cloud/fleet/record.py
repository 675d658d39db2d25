"""A unit's record as the feed shows it: what stands is gathered, judged, and written down."""

from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from cloud.fleet import position
from cloud.fleet.assess import assess
from cloud.fleet.basis import Assessment, Basis, Mate, ModeSaid, Spot, Vouch
from cloud.fleet.clocks import Moment
from cloud.fleet.heads import CONTROL, STRICTNESS, Head, latest, mode_head
from cloud.fleet.link import Link, freshness, is_silent, thresholds_s
from cloud.fleet.mates import make_mate, out_since
from cloud.fleet.paths import Paths
from cloud.fleet.position import Whereabouts
from cloud.fleet.proposals import is_of_before, suggests
from cloud.fleet.said import crew_view, defect_views
from cloud.fleet.unit import NONE_EXTRA, Device, Roll, Turn, Unit
from cloud.fleet.vouch import vouch_for
from wire.feed import Ages, Conflict, FeedRecord, Freshness, PositionView, StatusView

_DAY = timedelta(days=1)


class Seen(Protocol):
    """The units that whoever looks may know of."""

    def __contains__(self, unit: object, /) -> bool:
        """Tell whether a unit is among them."""
        ...


class _All:
    def __contains__(self, unit: object, /) -> bool:
        return True


ALL: Seen = _All()
"""Whoever looks may know of every unit."""


class Sight(msgspec.Struct, frozen=True, gc=False):
    """What is to be seen of a unit's carrier now."""

    carrier: Device
    fresh: Freshness
    age_s: float | None
    """Of the place shown."""
    position: PositionView | None
    mode: ModeSaid | None
    places: Whereabouts
    """Those that whoever looks may know of."""
    since: datetime | None
    """When those begin; None for all of them."""


class Judged(msgspec.Struct, frozen=True, gc=False):
    """A record, and the moments at which time alone may change it."""

    record: FeedRecord
    wakes: list[float]


class Judge:
    """Makes records of what is kept."""

    def __init__(self, roll: Roll, paths: Paths) -> None:
        """Look at these: they change, and a record is of the moment at which it is made."""
        self._roll, self._paths = roll, paths

    def judge(self, unit: Unit, cursor: int, as_of: datetime, now: Moment, seen: Seen = ALL) -> Judged:
        """Make a unit's record, its ages as at `now`, as if there were no units of its kin but those that are seen."""
        sight = self._sight(unit, now, seen)
        mates = self._mates(unit, now, seen) if unit.kin else ()
        found = assess(self._basis(unit, sight, mates, now, seen))
        link, places = sight.carrier.link, sight.places
        fresh_until_s = position.fresh_until_s(places, link, sight.age_s, now) if sight.position else None
        is_placed = sight.fresh == "fresh" and fresh_until_s is not None
        record = self._record(unit, sight, found, (cursor, as_of, is_placed, now))
        if seen is not ALL and unit.kin:
            record = msgspec.structs.replace(
                record,
                alternates=tuple([self._callsign(mate) for mate in unit.mates if mate in seen]),
                part_of=record.part_of if unit.entry.part_of in seen else "",
            )
        return Judged(record, _wakes(link, fresh_until_s, found.changes_at, now))

    def vouch_of(self, device: str, unit: Unit, now: Moment) -> Vouch:
        """What a device's last heartbeat means for its head for a unit."""
        entry, head = self._roll.devices[device], latest(unit.heads, device)
        settled = entry.through if entry.ordinal == entry.link.ordinal else 0
        spoke_s = entry.link.spoke_s
        since = head is not None and spoke_s is not None and now.since(spoke_s) > head.received
        return vouch_for(head, entry.link, unit.entry.id, settled, spoken_since=since)

    def _sight(self, unit: Unit, now: Moment, seen: Seen) -> Sight:
        carrier = self._roll.devices[unit.entry.carrier]
        since = None if seen is ALL else unit.extras.open_from
        places = carrier.places if since is None else position.known_from(carrier.places, since)
        hidden = places.newest is None or unit.is_private
        age_s = None if hidden else _rounded(position.age_s(places, carrier.link, now))
        return Sight(
            carrier,
            freshness(carrier.link, now.mono_s),
            age_s,
            None if hidden else position.view(places, age_s),
            _mode_of(unit, now),
            places,
            since,
        )

    def _mates(self, unit: Unit, now: Moment, seen: Seen) -> tuple[Mate, ...]:
        """Judge each unit of the same crew by itself, as if there were no other."""
        units = self._roll.units
        shared = [
            make_mate(unit, mate, self._basis(mate, self._sight(mate, now, seen), (), now, seen))
            for mate in [units[name] for name in unit.mates if name in seen]
        ]
        others = [units[name] for name in unit.kin if name in seen and name not in unit.mates]
        return (*shared, *out_since(unit, others))

    def _basis(self, unit: Unit, sight: Sight, mates: tuple[Mate, ...], now: Moment, seen: Seen) -> Basis:
        entry, extras, standing = unit.entry, unit.extras, unit.standing
        link, head = sight.carrier.link, standing.head if standing else None
        turn = None if entry.roster is None else _turn_of(unit, now.utc)
        ignition = sight.carrier.ignition
        silent = sight.fresh == "fresh" and is_silent(link, now.mono_s)
        return Basis(
            now=now.utc,
            standing=standing,
            meaning=head.meaning if head else None,
            link=sight.fresh,
            ended=link.ended,
            link_at=now.since(link.proof_s) if link.proof_s is not None else None,
            carrier=entry.carrier,
            vouch="silent" if silent else self.vouch_of(entry.carrier, unit, now),
            declarer_vouch=self._declarer_vouch(unit, head, now),
            needs=entry.needs,
            crew=extras.crew,
            rostered_until=turn.ends if turn else None,
            off_shift=turn is not None and turn.ends is None,
            roster_begins=turn.begins if turn else None,
            defects=extras.defects,
            ignition=ignition.said if ignition else None,
            spot=_spot_of(unit, sight, head, now) if head and _says_where(head) else None,
            assignment=unit.assignment,
            mode=sight.mode,
            claims=extras.claims,
            bound_at=entry.bound_at,
            mates=mates,
            tier_min=entry.tier_min,
            split_into=tuple([self._callsign(part) for part in entry.split_into if part in seen]),
            part_of=self._callsign(entry.part_of) if entry.part_of and entry.part_of in seen else "",
            is_apart=entry.is_apart,
            path_failed=self._paths.has(entry.id),
        )

    def _declarer_vouch(self, unit: Unit, head: Head | None, now: Moment) -> Vouch:
        """A person's word at control needs no device to vouch for it."""
        if head is None or head.device in (unit.entry.carrier, CONTROL):
            return "stored"
        return self.vouch_of(head.device, unit, now)

    def _callsign(self, name: str) -> str:
        known = self._roll.units.get(name)
        return name if known is None else known.entry.callsign

    def _record(
        self, unit: Unit, sight: Sight, found: Assessment, shown: tuple[int, datetime, bool, Moment]
    ) -> FeedRecord:
        cursor, as_of, is_placed, now = shown
        entry, extras, standing, mode = unit.entry, unit.extras, unit.standing, sight.mode
        head = standing.head if standing else None
        plain = extras is NONE_EXTRA
        return FeedRecord(
            unit=entry.id,
            callsign=entry.callsign,
            organisation=entry.organisation,
            service=entry.service,
            type=entry.type,
            base=entry.base,
            home=entry.home,
            vehicle=entry.vehicle,
            capabilities=entry.capabilities,
            availability=found.availability,
            confidence=found.confidence,
            reasons=found.reasons,
            sources=found.sources,
            activity=found.activity,
            tier_min=found.tier_min,
            crew=crew_view(extras.crew, entry.needs),
            defects=() if plain else defect_views(extras.defects),
            proposals=()
            if plain
            else tuple(
                [
                    p
                    for p in extras.proposals
                    if suggests(p, head.meaning if head else None) and not is_of_before(p, sight.since)
                ]
            ),
            claims=extras.claims,
            alternates=tuple([self._callsign(mate) for mate in unit.mates]),
            part_of=self._callsign(entry.part_of) if entry.part_of and entry.is_apart else "",
            status=_status_view(head),
            position=sight.position,
            position_fresh=is_placed,
            ages=_ages(sight, head, now),
            link=sight.fresh,
            conflicts=_conflicts(standing.conflicts) if standing and standing.conflicts else (),
            mode=mode.mode if mode else "live",
            mode_until=mode.until if mode else None,
            mode_by=mode.by if mode else "",
            assignment=unit.assignment,
            assignment_version=unit.assignment_version,
            as_of=as_of,
            cursor=cursor,
        )


def _mode_of(unit: Unit, now: Moment) -> ModeSaid | None:
    """Give the mode that a unit is in: its own presses', or control's where that allows less; None for live."""
    own, said = mode_head(unit.heads, unit.standing), unit.extras.mode
    while said is not None and said.until is not None and said.until <= now.utc:
        said = said.then
    if said is not None and said.mode == "live":
        said = None
    if own is None or (said is not None and STRICTNESS[said.mode] > STRICTNESS[own.mode]):
        return said
    return ModeSaid(mode=own.mode, at=own.at)


def _says_where(head: Head) -> bool:
    """Tell whether a place can speak against a status: most say nothing of where the unit is."""
    return head.meaning is not None and head.meaning.place is not None


def _spot_of(unit: Unit, sight: Sight, head: Head, now: Moment) -> Spot | None:
    """Give where the carrier was seen, where that was known as the status was declared, or since.

    That is so of every place that is fresh now; and of one that was, and has grown old as the device fell silent:
    silence must not take back what speaks against a status.
    """
    placed = sight.places.placed
    if placed is None or sight.age_s is None:
        return None
    seen_at = now.utc - timedelta(seconds=sight.age_s)
    if (head.at - seen_at).total_seconds() > thresholds_s(sight.carrier.link)[0]:
        return None
    found = position.measured(placed)
    return Spot(
        device=unit.entry.carrier,
        at=seen_at,
        speed_mps=found.speed_mps,
        accuracy_m=found.accuracy_m,
        off_base_m=unit.off_base_m,
    )


def _turn_of(unit: Unit, now: datetime) -> Turn:
    """Ask a unit's shift pattern, which takes its time, only when its answer may be another one."""
    extras, roster = unit.own_extras(), unit.entry.roster
    turn = extras.turn
    if turn is None or not turn.since <= now < turn.until:
        ends = roster.until(now) if roster else None
        begins = roster.begins(now) if roster and ends is None else None
        turn = extras.turn = Turn(now, ends or begins or now + _DAY, ends, begins)
    return turn


def _wakes(link: Link, fresh_until_s: float | None, changes_at: datetime | None, now: Moment) -> list[float]:
    moments = [fresh_until_s] if fresh_until_s is not None else []
    late_s, lost_s = thresholds_s(link)
    if link.proof_s is not None:
        moments += (link.proof_s + late_s, link.proof_s + lost_s)
    if link.spoke_s is not None:
        moments.append(link.spoke_s + late_s)
    if link.asleep_s is not None:
        moments.append(link.asleep_s)
    if changes_at is not None:
        moments.append(now.mono_s + (changes_at - now.utc).total_seconds())
    return moments


def _ages(sight: Sight, head: Head | None, now: Moment) -> Ages:
    proof_s = sight.carrier.link.proof_s
    return Ages(
        link_s=_rounded(now.mono_s - proof_s) if proof_s is not None else None,
        status_s=_known((now.utc - head.at).total_seconds()) if head else None,
        position_s=sight.age_s,
    )


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
    return tuple([Conflict(device=h.device, scheme=h.scheme, code=h.code, label=h.label) for h in heads])
