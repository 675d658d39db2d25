"""Who gets there first with what is wanted: the units that may be sent to a place, the best first. Pure.

There are no roads in it yet: a unit is as far away as the crow flies, and goes at `SPEED_MPS` along that line. The
answer says so. What comes first is what is known for certain: a unit that is confirmed stands above any that is not,
however near, and whoever is not confirmed is marked "confirm by radio".
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from wire.feed import AvailabilityClass, Confidence, FeedRecord, Service

SPEED_MPS = 50 / 3.6
"""How fast a straight line shortens under blue lights: 50 km/h. Roads are about a third longer than the line, so this
is some 65 km/h on them. A figure to rank by, and no promise of an arrival."""
METHOD = "straight line, no roads yet"
EARTH_RADIUS_M = 6_371_008.8
"""The mean radius of the Earth (IUGG)."""

PlacedBy = Literal["position", "base"]
LeftOutWhy = Literal["not_available", "mode", "no_status", "no_place"]

_CLASS_RANK: dict[AvailabilityClass, int] = {"Available": 0, "ConditionallyAvailable": 1}
_WORDS = re.compile(r"[^\W_]+")


class Place(msgspec.Struct, frozen=True):
    """A place in degrees, WGS 84."""

    lat: float
    lon: float


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    place: Place
    capability: str = ""
    """Empty for any."""
    service: Service | None = None
    limit: int = 10


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that might be sent."""

    record: FeedRecord
    hidden: bool = False
    """Whether nobody may be told of it here: it is covert, off duty or at home."""
    base: Place | None = None
    """Where its base is, of a unit whose status says that it is there."""


class Recommended(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that may be sent."""

    unit: str
    callsign: str
    organisation: str
    service: Service
    type: str
    base: str
    availability: AvailabilityClass = msgspec.field(name="class")
    confidence: Confidence
    confirm_by_radio: bool
    """Whether it is to be asked before anybody relies on it."""
    eta_s: float
    """Its turnout, then the straight line at `speed_mps`. To rank by, and no promise."""
    tier_min: int
    """Minutes of that until its crew turns out."""
    distance_m: float
    """In a straight line."""
    placed_by: PlacedBy
    """Its own position, or its base, where it has none and its status says that it is there."""
    position_fresh: bool
    """Whether it may be taken to be there now."""
    position_age_s: float | None
    """How old its position is; null where it cannot be known, or it is placed by its base."""
    marks: tuple[str, ...]
    """What a dispatcher is to know before sending it, in plain words."""


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Units that have what is wanted and are not recommended."""

    why: LeftOutWhy
    units: int


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """Who may be sent, the best first, and how many more there would be."""

    units: tuple[Recommended, ...]
    more: int
    """How many may be sent beside these."""
    left_out: tuple[LeftOut, ...]


def recommend(wanted: Wanted, candidates: Iterable[Candidate]) -> Ranked:
    """Rank the units that have what is wanted: confirmed before the rest, then by class, then by who is there first."""
    fit: list[Recommended] = []
    left_out: Counter[LeftOutWhy] = Counter()
    for candidate in candidates:
        if candidate.hidden or not _fits(candidate.record, wanted):
            continue
        found = _judge(candidate, wanted.place)
        if isinstance(found, Recommended):
            fit.append(found)
        else:
            left_out[found] += 1
    fit.sort(key=_rank)
    return Ranked(
        units=tuple(fit[: wanted.limit]),
        more=max(0, len(fit) - wanted.limit),
        left_out=tuple(LeftOut(why=why, units=units) for why, units in sorted(left_out.items())),
    )


def has_capability(capabilities: Iterable[str], asked: str) -> bool:
    """Tell whether one of `capabilities` has every word of `asked`, in any case: "rescue" is in "road rescue".

    What is no word, such as "+", nobody has.
    """
    words = _words(asked)
    return bool(words) and any(words <= _words(one) for one in capabilities)


def distance_m(start: Place, end: Place) -> float:
    """Metres between two places along the great circle."""
    lat1, lat2 = math.radians(start.lat), math.radians(end.lat)
    half_lat, half_lon = (lat2 - lat1) / 2, math.radians(end.lon - start.lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(text.casefold()))


def _fits(record: FeedRecord, wanted: Wanted) -> bool:
    if wanted.service is not None and record.service != wanted.service:
        return False
    return not wanted.capability or has_capability(record.capabilities, wanted.capability)


def _judge(candidate: Candidate, to: Place) -> Recommended | LeftOutWhy:
    """Show a unit as it would be sent, or say why it is not."""
    record = candidate.record
    if record.mode != "live":
        return "mode"
    if record.availability is None or record.confidence == "never":
        return "no_status"
    if record.availability == "NotAvailable":
        return "not_available"
    placed = _place(candidate)
    if placed is None:
        return "no_place"
    return _show(record, record.availability, placed, distance_m(placed[0], to))


def _place(candidate: Candidate) -> tuple[Place, PlacedBy] | None:
    position = candidate.record.position
    if position is not None and position.lat is not None and position.lon is not None:
        return Place(position.lat, position.lon), "position"
    return None if candidate.base is None else (candidate.base, "base")


def _show(
    record: FeedRecord, availability: AvailabilityClass, placed: tuple[Place, PlacedBy], away_m: float
) -> Recommended:
    by_position = placed[1] == "position"
    age_s = record.ages.position_s if by_position else None
    return Recommended(
        unit=record.unit,
        callsign=record.callsign,
        organisation=record.organisation,
        service=record.service,
        type=record.type,
        base=record.base,
        availability=availability,
        confidence=record.confidence,
        confirm_by_radio=record.confidence != "confirmed",
        eta_s=record.tier_min * 60 + away_m / SPEED_MPS,
        tier_min=record.tier_min,
        distance_m=away_m,
        placed_by=placed[1],
        position_fresh=by_position and record.position_fresh,
        position_age_s=age_s,
        marks=_marks(record, placed[1]),
    )


def _marks(record: FeedRecord, placed_by: PlacedBy) -> tuple[str, ...]:
    marks = []
    if record.confidence != "confirmed":
        marks.append("confirm by radio")
    if record.confidence != "confirmed" or record.availability == "ConditionallyAvailable":
        marks.append(_why(record))
    if placed_by == "base":
        marks.append("no position: at its base, by its status")
    elif not record.position_fresh:
        marks.append(f"place {_age(record.ages.position_s)}")
    if record.alternates:
        marks.append(f"same crew as {', '.join(record.alternates)}")
    return tuple(dict.fromkeys(marks))


def _why(record: FeedRecord) -> str:
    """The reason that decided; where nothing but its status did, that status."""
    first = record.reasons[0]
    return record.status.label if first.code == "declared" and record.status is not None else first.text


def _age(age_s: float | None) -> str:
    if age_s is None:
        return "of unknown age"
    for size_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if age_s >= size_s:
            return f"{int(age_s // size_s)} {unit} old"
    return f"{int(age_s)} s old"


def _rank(one: Recommended) -> tuple[bool, int, float, str, str]:
    return one.confirm_by_radio, _CLASS_RANK[one.availability], one.eta_s, one.callsign, one.unit
