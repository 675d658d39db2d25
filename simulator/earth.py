"""Geometry on the ground, good to a metre or so across one county. Points are WGS 84 degrees."""

from dataclasses import dataclass
from math import asin, atan2, cos, degrees, radians, sin, sqrt

RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Point:
    """A place, in WGS 84 degrees."""

    lat: float
    lon: float


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance in metres."""
    half_lat, half_lon = radians(b.lat - a.lat) / 2, radians(b.lon - a.lon) / 2
    chord = sin(half_lat) ** 2 + cos(radians(a.lat)) * cos(radians(b.lat)) * sin(half_lon) ** 2
    return 2 * RADIUS_M * asin(sqrt(chord))


def bearing_deg(a: Point, b: Point) -> float:
    """Initial bearing from `a` to `b`, 0 at north, clockwise, below 360."""
    east = radians(b.lon - a.lon) * cos(radians((a.lat + b.lat) / 2))
    return degrees(atan2(east, radians(b.lat - a.lat))) % 360.0


def turn_deg(before: float, after: float) -> float:
    """The signed turn between two bearings, clockwise positive, within -180 to 180."""
    return (after - before + 180.0) % 360.0 - 180.0


def offset(origin: Point, *, east_m: float, north_m: float) -> Point:
    """The point that many metres east and north of `origin`."""
    lat = origin.lat + degrees(north_m / RADIUS_M)
    return Point(lat, origin.lon + degrees(east_m / (RADIUS_M * cos(radians(origin.lat)))))


def between(a: Point, b: Point, fraction: float) -> Point:
    """The point at `fraction` of the way, 0 at `a` and 1 at `b`."""
    return Point(a.lat + (b.lat - a.lat) * fraction, a.lon + (b.lon - a.lon) * fraction)
