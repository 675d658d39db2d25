"""Where a unit is: the newest position by stream and sequence, and how old it is by the device's own clock."""

import math
import struct
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from cloud.fleet.clocks import Corrected, Moment
from cloud.fleet.link import Link, thresholds_s
from wire.events import PositionEvent
from wire.feed import FixMode, PositionView

_NUMBERS = struct.Struct("<6dq")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEVER = -(2**63)


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A position event as the fleet keeps it."""

    ordinal: int
    stream: str
    boot: int
    seq: int
    mono_ms: int
    fix: FixMode
    numbers: bytes
    """What was measured, packed: seven objects would take three times the room, and there is one for every vehicle."""
    at: datetime
    """Corrected at receipt, UTC."""
    proven: bool
    received_s: float | None = None
    """The cloud's monotonic moment of receipt, which it cannot be younger than; None for one read from a store."""

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands among its device's positions."""
        return self.ordinal, self.seq


def make_place(
    event: PositionEvent, *, ordinal: int, stream: str, corrected: Corrected, received_s: float | None = None
) -> Place:
    """Keep of a position event, in its device's stream of that ordinal, what the fleet goes by."""
    gnss_us = _NEVER if event.gnss_time is None else (event.gnss_time - _EPOCH) // _MICROSECOND
    measured = (event.lat, event.lon, event.heading_deg, event.speed_mps, event.altitude_m, event.accuracy_m)
    return Place(
        ordinal=ordinal,
        stream=stream,
        boot=event.boot,
        seq=event.seq,
        mono_ms=event.mono_ms,
        fix=event.fix,
        numbers=_NUMBERS.pack(*(math.nan if number is None else number for number in measured), gnss_us),
        at=corrected.at,
        proven=corrected.proven,
        received_s=received_s,
    )


class Measured(NamedTuple):
    """What a position is judged by: where it is, how fast the vehicle went, and how sure that is."""

    lat: float
    lon: float
    speed_mps: float | None
    accuracy_m: float | None


def measured(place: Place) -> Measured:
    """Give what a place with a fix says."""
    lat, lon, _, speed_mps, _, accuracy_m, _ = _NUMBERS.unpack(place.numbers)
    return Measured(
        lat, lon, None if math.isnan(speed_mps) else speed_mps, None if math.isnan(accuracy_m) else accuracy_m
    )


class Whereabouts(msgspec.Struct, frozen=True, gc=False):
    """The newest report, and the newest that had a place: the same one unless the receiver has no fix."""

    newest: Place | None = None
    placed: Place | None = None


def apply_place(known: Whereabouts, place: Place) -> Whereabouts | None:
    """Fold a position in; None where a newer one is known already."""
    if known.newest is not None and place.order <= known.newest.order:
        return None
    return Whereabouts(place, known.placed if place.fix == "none" else place)


def known_from(known: Whereabouts, moment: datetime) -> Whereabouts:
    """Leave out the places of before a moment."""
    newest, placed = known.newest, known.placed
    if newest is None or newest.at < moment:
        return Whereabouts()
    return Whereabouts(newest, None if placed is None or placed.at < moment else placed)


def age_s(known: Whereabouts, link: Link, now: Moment) -> float | None:
    """Give the age of the place shown; None where no clock can tell. Receipt is not recency, so it doesn't count.

    A heartbeat that names the report and says how recently a fix agreed with it renews it: a parked vehicle reports
    seldom and is still known to be there.
    """
    place = known.placed
    if place is None:
        return None
    age: float | None = None
    if link.clock_map is not None and link.clock_map.boot == place.boot and place.ordinal == link.ordinal:
        age = now.mono_s - link.clock_map.earliest_s(place.mono_ms)
    elif place.proven and now.utc >= place.at:  # one of the future was read off a clock that was wrong: unknown
        age = (now.utc - place.at).total_seconds()
    if age is not None and place.received_s is not None:
        age = max(age, now.mono_s - place.received_s)
    if place is known.newest and (vouched_s := _vouched_s(place, link)) is not None:
        vouched = now.mono_s - vouched_s
        age = vouched if age is None else min(age, vouched)
    return None if age is None else max(0.0, age)


def view(known: Whereabouts, age: float | None) -> PositionView | None:
    """Make the feed's view of it."""
    if known.newest is None:
        return None
    if known.placed is None:
        return PositionView(fix="none")
    *numbers, gnss_us = _NUMBERS.unpack(known.placed.numbers)
    lat, lon, heading_deg, speed_mps, altitude_m, accuracy_m = [None if math.isnan(one) else one for one in numbers]
    moving = known.placed is known.newest
    return PositionView(
        fix=known.newest.fix,
        lat=lat,
        lon=lon,
        heading_deg=heading_deg if moving else None,
        speed_mps=speed_mps if moving else None,
        altitude_m=altitude_m,
        accuracy_m=accuracy_m,
        age_s=age,
        gnss_time=None if gnss_us == _NEVER else _EPOCH + timedelta(microseconds=gnss_us),
    )


def fresh_until_s(known: Whereabouts, link: Link, age: float | None, now: Moment) -> float | None:
    """Give the monotonic moment up to which the place may be shown as now; None where it may not be even now."""
    if known.newest is None or known.newest.fix == "none" or age is None:
        return None
    until_s = now.mono_s - age + thresholds_s(link)[0]
    return until_s if until_s >= now.mono_s else None


def _vouched_s(place: Place, link: Link) -> float | None:
    if link.vitals is None or link.vitals.position is None or link.clock_map is None or link.proof_s is None:
        return None
    named = link.vitals.position
    if (link.vitals.stream, named.seq) != (place.stream, place.seq) or link.clock_map.boot != link.boot:
        return None
    sent_s = min(link.proof_s, link.clock_map.earliest_s(link.sent_mono_ms))
    return sent_s - named.age_ms / 1000
