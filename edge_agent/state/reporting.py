"""When a position is worth a report: moving, turning, far enough, parked, or different in kind."""

import math

import msgspec

from edge_agent.decode.readings import Fix

_METRES_PER_DEGREE = 111_320.0


class ReportRules(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds. Times in seconds, angles in degrees, lengths in metres."""

    moving_s: float = 5.0
    parked_s: float = 60.0
    turn_deg: float = 25.0
    distance_m: float = 150.0
    parked_speed_mps: float = 1.0
    parked_hold_m: float = 30.0
    every_fix: bool = False


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """The report that stands, and when a fix last agreed with it."""

    fix: Fix
    at_s: float
    agreed_s: float
    seq: int | None = None
    """Its sequence, once it is committed."""


def due(reported: Reported | None, fix: Fix, now_s: float, rules: ReportRules) -> bool:
    """Tell whether `fix` should be reported. A fix lost or regained is reported at once."""
    if reported is None or rules.every_fix or fix.mode != reported.fix.mode:
        return True
    age_s = now_s - reported.at_s
    if fix.mode == "none":
        return age_s >= rules.parked_s
    if age_s >= rules.parked_s or distance_m(reported.fix, fix) >= rules.distance_m:
        return True
    if (fix.speed_mps or 0.0) < rules.parked_speed_mps:
        return distance_m(reported.fix, fix) >= rules.parked_hold_m and age_s >= rules.moving_s
    return age_s >= rules.moving_s or _turned_deg(reported.fix, fix) >= rules.turn_deg


def agrees(reported: Reported, fix: Fix, rules: ReportRules) -> bool:
    """Tell whether `fix` says that the vehicle is still where the report put it."""
    if fix.mode == "none" or reported.fix.mode == "none":
        return False
    return distance_m(reported.fix, fix) < rules.parked_hold_m


def distance_m(one: Fix, other: Fix) -> float:
    """Give the distance between two fixes with positions: flat, good to a part in a thousand below 50 km."""
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return math.inf
    north = (other.lat - one.lat) * _METRES_PER_DEGREE
    degrees_east = (other.lon - one.lon + 180.0) % 360.0 - 180.0
    east = degrees_east * _METRES_PER_DEGREE * math.cos(math.radians((one.lat + other.lat) / 2))
    return math.hypot(north, east)


def _turned_deg(one: Fix, other: Fix) -> float:
    if one.heading_deg is None or other.heading_deg is None:
        return 0.0
    return abs((other.heading_deg - one.heading_deg + 180.0) % 360.0 - 180.0)
