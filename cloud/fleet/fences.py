"""The ground of a base: how far outside of it a place is, in metres. Pure.

Bases are small: a degree is a fixed number of metres around each, which is within 0.5 % up to 50 km away.
"""

import math
from collections.abc import Iterable

import msgspec
import shapely

METRES_A_DEGREE = 111_195.0
"""Of a great circle on a sphere of 6,371 km."""


class Circle(msgspec.Struct, frozen=True):
    """All places within `radius_m` of a point. A few multiplications: it is asked for every position."""

    lat: float
    lon: float
    radius_m: float

    def outside_m(self, lat: float, lon: float) -> float:
        """How far a place is outside of it, in metres; 0.0 inside."""
        east_m, north_m = _metres(self.lat, self.lon, lat, lon)
        return max(0.0, math.hypot(east_m, north_m) - self.radius_m)


class Ground(msgspec.Struct, frozen=True):
    """A shape drawn on the map, in metres east and north of a point of it. `make_ground` makes one."""

    lat: float
    lon: float
    shape: shapely.Geometry

    def outside_m(self, lat: float, lon: float) -> float:
        """How far a place is outside of it, in metres; 0.0 inside."""
        return float(shapely.distance(self.shape, shapely.Point(*_metres(self.lat, self.lon, lat, lon))))


def make_ground(rings: Iterable[Iterable[tuple[float, float]]], margin_m: float = 0.0) -> Ground:
    """Make the ground of the outlines of its parts, each of three or more (lat, lon), and so much around it."""
    parts = [[*ring] for ring in rings]
    lat, lon = parts[0][0]
    shapes = [shapely.Polygon([_metres(lat, lon, *point) for point in part]) for part in parts]
    shape = shapely.union_all(shapes).buffer(margin_m)
    shapely.prepare(shape)
    return Ground(lat, lon, shape)


def _metres(from_lat: float, from_lon: float, lat: float, lon: float) -> tuple[float, float]:
    """Give a place in metres east and north of another, the shorter way around."""
    degrees = (lon - from_lon + 180.0) % 360.0 - 180.0
    return degrees * METRES_A_DEGREE * math.cos(math.radians(from_lat)), (lat - from_lat) * METRES_A_DEGREE
