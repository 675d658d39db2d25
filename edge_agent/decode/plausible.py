"""What a position report may claim and still be believed. Pure rules, each with its source."""

import math
from datetime import datetime, timedelta
from typing import Literal

import msgspec

DATE_TOLERANCE = timedelta(days=1)
"""A receiver's date further than this from the device's clock is not believed. Project decision."""

GPS_WEEK_ROLLOVER = timedelta(weeks=1024)
"""The GPS week number has ten bits (IS-GPS-200): old firmware is wrong by whole multiples of this."""

SPEED_MAX_MPS = 70.0
"""252 km/h: no road vehicle of the three services is faster. A recorded EG25-G claimed 93 m/s standing still."""

MOVING_MPS = 1.0
"""Below this a course is noise: a standing SiRFstarV reports up to 0.99 m/s with courses all round the compass."""

COURSELESS_SPEED_MAX_MPS = 1.5
"""A faster speed without a course is gpsd's own difference of two positions, not the receiver's word (measured with
gpsd 3.22: 93, 73 and 62 m/s standing still). Without a course receivers themselves reported up to 1.25 m/s."""

RECEIVER_STEP_MAX_S = 10.0
"""Longer steps of the receiver's time are not used to excuse a jump: its date may just have been corrected."""

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG)."""

DateFault = Literal["date", "week_rollover"]


class Moment(msgspec.Struct, frozen=True):
    """When something happened, by both of the device's clocks."""

    wall: datetime
    mono_s: float


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A position in degrees with what is needed to judge the next one."""

    lat: float
    lon: float
    accuracy_m: float
    receiver_time: datetime | None
    mono_s: float


def date_fault(gnss_time: datetime, now: datetime) -> DateFault | None:
    """Why `gnss_time` can't be true at `now`, or None where it can. Both are aware."""
    off = abs(gnss_time - now)
    if off <= DATE_TOLERANCE:
        return None
    remainder = off % GPS_WEEK_ROLLOVER
    near = min(remainder, GPS_WEEK_ROLLOVER - remainder) <= DATE_TOLERANCE
    return "week_rollover" if near and off > GPS_WEEK_ROLLOVER / 2 else "date"


def plausible_speed_mps(speed_mps: float | None, course_deg: float | None) -> float | None:
    """`speed_mps` where a vehicle can drive it and the receiver itself can have measured it; else None."""
    if speed_mps is None or not 0.0 <= speed_mps <= SPEED_MAX_MPS:
        return None
    if course_deg is None and speed_mps > COURSELESS_SPEED_MAX_MPS:
        return None
    return speed_mps


def heading_deg(speed_mps: float | None, course_deg: float | None) -> float | None:
    """The course as a heading, 0 to below 360, while the vehicle moves; None while it stands or where unknown."""
    if speed_mps is None or speed_mps < MOVING_MPS or course_deg is None or not 0.0 <= course_deg <= 360.0:
        return None
    return course_deg % 360.0


def position_fault(lat: float, lon: float) -> Literal["position_range", "position_zero"] | None:
    """Why these degrees are no position. Exactly 0, 0 is what software writes where there is no fix."""
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        return "position_range"
    return "position_zero" if lat == 0.0 and lon == 0.0 else None


def distance_m(a: Place, b: Place) -> float:
    """Metres between two places on the sphere (haversine)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat, half_lon = (lat_b - lat_a) / 2.0, math.radians(b.lon - a.lon) / 2.0
    h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2.0 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))


def is_jump(before: Place, after: Place) -> bool:
    """Whether no vehicle gets from `before` to `after`, even where both are off by their stated accuracy."""
    reach_m = before.accuracy_m + after.accuracy_m + SPEED_MAX_MPS * _elapsed_s(before, after)
    return distance_m(before, after) > reach_m


def _elapsed_s(before: Place, after: Place) -> float:
    """Seconds between two places. The receiver's time counts where gpsd delivered late and in a burst."""
    elapsed_s = max(0.0, after.mono_s - before.mono_s)
    if before.receiver_time is None or after.receiver_time is None:
        return elapsed_s
    step_s = (after.receiver_time - before.receiver_time).total_seconds()
    return max(elapsed_s, step_s) if 0.0 < step_s <= RECEIVER_STEP_MAX_S else elapsed_s
