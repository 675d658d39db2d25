"""Makes a position less precise: the middle of the square that it lies in, and nothing that would tell more. Pure."""

import math

import msgspec

from wire.feed import PositionView

METRES_PER_DEGREE = 110_500.0
"""A degree of latitude is nowhere shorter than 110,574 m, on WGS 84, nor one of longitude than that times the cosine
of its latitude. So a square may be a little larger than asked for, and is never smaller."""
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
    """Give the middle of the square that a place lies in, in degrees. The middle of a square is its own middle.

    Rows divide the way from pole to pole, and columns each row's way around the earth, without a rest: no square is
    cut off, neither at a pole nor where longitude 180 is -180.
    """
    step = precision_m / METRES_PER_DEGREE
    rows = math.floor(180.0 / step)
    height = 180.0 / rows
    row = min(rows - 1, math.floor((lat + 90.0) / height))
    south, north = row * height - 90.0, (row + 1) * height - 90.0
    narrowest = math.cos(math.radians(max(abs(south), abs(north))))
    columns = max(1, math.floor(narrowest * 360.0 / step))
    width = 360.0 / columns
    column = math.floor((lon + 180.0) / width) % columns
    return round((south + north) / 2.0, PLACES), round((column + 0.5) * width - 180.0, PLACES)
