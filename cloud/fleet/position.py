"""Where a unit is: the newest position by stream and sequence, and how old it is by the device's own clock."""

from datetime import datetime

import msgspec

from cloud.fleet.clocks import Moment
from cloud.fleet.link import Link, thresholds_s
from wire.feed import PositionView
from wire.messages import PositionEvent


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A position event as the fleet keeps it."""

    ordinal: int
    stream: str
    boot: int
    seq: int
    mono_ms: int
    event: PositionEvent
    at: datetime
    """Corrected at receipt, UTC."""
    proven: bool
    received_s: float | None = None
    """The cloud's monotonic moment of receipt, which it cannot be younger than; None for one read from a store."""

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands among its device's positions."""
        return self.ordinal, self.seq


class Whereabouts(msgspec.Struct, frozen=True):
    """The newest report, and the newest that had a place: the same one unless the receiver has no fix."""

    newest: Place | None = None
    placed: Place | None = None


def apply_place(known: Whereabouts, place: Place) -> Whereabouts | None:
    """Fold a position in; None where a newer one is known already."""
    if known.newest is not None and place.order <= known.newest.order:
        return None
    return Whereabouts(place, known.placed if place.event.fix == "none" else place)


def age_s(known: Whereabouts, link: Link, now: Moment) -> float | None:
    """Give the age of the place shown; None where no clock can tell. Receipt is not recency, so it doesn't count.

    A heartbeat that names the report and says how recently a fix agreed with it renews it: a parked vehicle reports
    seldom and is still known to be there.
    """
    place = known.placed
    if place is None:
        return None
    ages = []
    if link.clock_map is not None and link.clock_map.boot == place.boot and place.ordinal == link.order[0]:
        ages.append(now.mono_s - link.clock_map.earliest_s(place.mono_ms))
    elif place.proven and now.utc >= place.at:  # one of the future was read off a clock that was wrong: unknown
        ages.append((now.utc - place.at).total_seconds())
    if ages and place.received_s is not None:
        ages = [max(ages[0], now.mono_s - place.received_s)]
    if place is known.newest and (vouched_s := _vouched_s(place, link)) is not None:
        ages.append(now.mono_s - vouched_s)
    return max(0.0, min(ages)) if ages else None


def view(known: Whereabouts, age: float | None) -> PositionView | None:
    """Make the feed's view of it."""
    if known.newest is None:
        return None
    if known.placed is None:
        return PositionView(fix="none")
    event = known.placed.event
    moving = known.placed is known.newest
    return PositionView(
        fix=known.newest.event.fix,
        lat=event.lat,
        lon=event.lon,
        heading_deg=event.heading_deg if moving else None,
        speed_mps=event.speed_mps if moving else None,
        altitude_m=event.altitude_m,
        accuracy_m=event.accuracy_m,
        age_s=age,
        gnss_time=event.gnss_time,
    )


def fresh_until_s(known: Whereabouts, link: Link, age: float | None, now: Moment) -> float | None:
    """Give the monotonic moment up to which the place may be shown as now; None where it may not be even now."""
    if known.newest is None or known.newest.event.fix == "none" or age is None:
        return None
    until_s = now.mono_s - age + thresholds_s(link)[0]
    return until_s if until_s >= now.mono_s else None


def _vouched_s(place: Place, link: Link) -> float | None:
    if link.vitals is None or link.vitals.position is None or link.clock_map is None or link.proof_s is None:
        return None
    named = link.vitals.position
    if (link.vitals.stream, named.seq) != (place.stream, place.seq) or link.clock_map.boot != link.vitals.boot:
        return None
    sent_s = min(link.proof_s, link.clock_map.earliest_s(link.vitals.sent_mono_ms))
    return sent_s - named.age_ms / 1000
