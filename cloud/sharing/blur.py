"""Makes a position less precise: the middle of the square that it lies in, and nothing that would tell more. Pure."""

import math

import msgspec

from wire.feed import PositionView

METRES_PER_DEGREE = 111_320.0
"""Of latitude; of longitude at the equator. A square may be a little larger than asked for: never smaller."""
HALF_DIAGONAL = math.sqrt(0.5)
PLACES = 7
"""Decimal places of degrees that are kept: a centimetre."""


def blur(place: PositionView, precision_m: int) -> PositionView:
    """Give the middle of the square of `precision_m` that a position lies in.

    Squares are fixed to the ground, so that seeing the same unit often tells no more. Heading, speed, altitude and the
    receiver's own time are left out: with them a place could be worked out between two squares.
    """
    if place.lat is None or place.lon is None:
        return msgspec.structs.replace(place, heading_deg=None, speed_mps=None, altitude_m=None, gnss_time=None)
    lat, lon = middle(place.lat, place.lon, precision_m)
    return msgspec.structs.replace(
        place,
        lat=lat,
        lon=lon,
        accuracy_m=max(place.accuracy_m or 0.0, round(precision_m * HALF_DIAGONAL, 1)),
        heading_deg=None,
        speed_mps=None,
        altitude_m=None,
        gnss_time=None,
    )


def middle(lat: float, lon: float, precision_m: int) -> tuple[float, float]:
    """Give the middle of the square that a place lies in, in degrees. The middle of a square is its own middle."""
    step = precision_m / METRES_PER_DEGREE
    row = math.floor((lat + 90.0) / step)
    middle_lat = min(90.0, round((row + 0.5) * step - 90.0, PLACES))
    across = math.cos(math.radians(middle_lat))
    lon_step = 360.0 if across * 360.0 <= step else 360.0 / math.floor(across * 360.0 / step)
    column = math.floor((lon + 180.0) / lon_step)
    return middle_lat, min(180.0, round((column + 0.5) * lon_step - 180.0, PLACES))
