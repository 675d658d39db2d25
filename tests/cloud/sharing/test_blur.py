"""Positions that are less precise: squares everywhere on earth, never smaller than agreed, that tell nothing more."""

import math

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloud.sharing.blur import blur, middle
from tests.cloud.sharing.cases import places
from wire.feed import PositionView

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
lats = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 89.99999, -89.999, 0.0, 51.27]))
lons = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 179.99999, -179.99999, 0.0, 0.52]))
precisions = st.sampled_from([10, 100, 333, 2_000, 25_000, 50_000])
NORTHERN, EAST = (89.9999999, 12.0), (51.27, 180.0)


def apart_deg(one: float, other: float) -> float:
    """How far two longitudes are apart, round the earth."""
    return abs((one - other + 180.0) % 360.0 - 180.0)


def metres(lat: float, lon_deg: float, lat_deg: float) -> tuple[float, float]:
    """How wide and how high so many degrees are at a latitude, on the ellipsoid WGS 84."""
    squeezed = 1.0 - 0.00669437999 * math.sin(math.radians(lat)) ** 2
    prime, meridian = 6_378_137.0 / math.sqrt(squeezed), 6_335_439.327 / squeezed**1.5
    return math.radians(lon_deg) * prime * math.cos(math.radians(lat)), math.radians(lat_deg) * meridian


def edges(lat: float, lon: float, precision_m: int) -> tuple[float, float, float, float]:
    """Where the square of a place ends: south, north, west and east of its middle, in degrees, felt for from it."""
    at = middle(lat, lon, precision_m)

    def reach(north: float, east: float, far: float) -> float:
        near, out = 0.0, far
        for _ in range(60):
            half = (near + out) / 2
            place = (at[0] + north * half, (at[1] + east * half + 180.0) % 360.0 - 180.0)
            near, out = (half, out) if middle(*place, precision_m) == at else (near, half)
        return near

    south, north = reach(-1, 0, at[0] + 90.0), reach(1, 0, 90.0 - at[0])
    return at[0] - south, at[0] + north, reach(0, -1, 180.0), reach(0, 1, 180.0)


@QUICK
@given(lats, lons, precisions)
@example(*NORTHERN, 10)
@example(*EAST, 50_000)
def test_the_middle_of_a_square_is_its_own(lat: float, lon: float, precision_m: int) -> None:
    """Whoever blurs what is blurred already changes nothing, and a middle is a place on earth."""
    at = middle(lat, lon, precision_m)
    assert at == middle(*at, precision_m)
    assert -90 <= at[0] <= 90 and -180 <= at[1] <= 180


@settings(max_examples=40, deadline=None, derandomize=True)
@given(lats, lons, precisions)
@example(*NORTHERN, 333)
@example(90.0, 0.0, 2_000)
@example(*EAST, 50_000)
def test_a_square_is_nowhere_smaller_than_agreed(lat: float, lon: float, precision_m: int) -> None:
    """On its narrowest side a square is as wide as agreed, and as high; at a pole it is round and as wide."""
    south, north, west, east = edges(lat, lon, precision_m)
    edge = max(abs(south), abs(north))
    wide, high = metres(min(edge, 89.9999999), west + east, north - south)
    room = precision_m * 0.999  # what is felt for is found to a part of it
    assert high >= room, "lower"
    assert wide >= room or edge >= 90.0 - 1e-6, "narrower"


@QUICK
@given(lats, lons, precisions)
@example(*EAST, 10)
def test_a_place_lies_in_its_square(lat: float, lon: float, precision_m: int) -> None:
    """The middle that is shown is no further away than half a square, and a little for what squares are larger."""
    at = middle(lat, lon, precision_m)
    wide, high = metres(at[0], apart_deg(at[1], lon), abs(at[0] - lat))
    assert high <= precision_m * 0.52 + 0.1
    assert wide <= precision_m * 0.52 + 0.1 or abs(at[0]) > 80


def test_a_place_on_the_date_line_is_the_same_from_both_sides() -> None:
    """Longitude 180 and -180 are one line: who stands on it is in one square, and not shown exactly."""
    for precision_m in (10, 333, 50_000):
        assert middle(51.27, 180.0, precision_m) == middle(51.27, -180.0, precision_m)
        assert 180.0 != abs(middle(51.27, 180.0, precision_m)[1])


@QUICK
@given(places, lats, lons, precisions)
def test_two_places_of_one_square_look_alike(place: PositionView, north: float, east: float, precision_m: int) -> None:
    """Wherever in its square a unit is, however fast, high and which way it goes: the bytes are the same."""
    assert place.lat is not None and place.lon is not None
    at = middle(place.lat, place.lon, precision_m)
    step = precision_m / 110_500 * 0.49
    other = msgspec.structs.replace(
        place,
        lat=at[0] + step * north / 90,
        lon=at[1] + step * east / 180,
        heading_deg=12.5,
        speed_mps=33.25,
        altitude_m=-3.0,
        gnss_time=None,
    )
    assert msgspec.json.encode(blur(place, precision_m)) == msgspec.json.encode(blur(other, precision_m))


@QUICK
@given(places, precisions)
def test_what_is_blurred_says_how_far_off_it_may_be(place: PositionView, precision_m: int) -> None:
    """Its accuracy reaches the corners of the square; heading, speed, height and the receiver's time are gone."""
    shown = blur(place, precision_m)
    assert shown.accuracy_m is not None and shown.accuracy_m >= 0.7 * precision_m
    assert (None, None, None, None) == (shown.heading_deg, shown.speed_mps, shown.altitude_m, shown.gnss_time)
    assert shown == blur(shown, precision_m)


@pytest.mark.parametrize("precision_m", [10, 500])
def test_a_place_that_is_not_known_tells_nothing(precision_m: int) -> None:
    """Without a place there is no square: and no heading or speed either."""
    place = PositionView(fix="none", heading_deg=90.5, speed_mps=13.25, altitude_m=61.5, age_s=4.0)
    assert PositionView(fix="none", age_s=4.0) == blur(place, precision_m)
