"""A position is reported when it says something new, and not more often."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decode.readings import Fix
from edge_agent.state.reporting import Reported, ReportRules, agrees, distance_m, due

RULES = ReportRules()
METRE = 1 / 111_320.0
"""A metre to the north, in degrees."""
LOST = Fix(mode="none")


def fix(north_m: float = 0.0, *, speed_mps: float | None = 0.0, heading_deg: float | None = 90.0) -> Fix:
    """A fix so many metres north of 51 degrees."""
    return Fix(mode="3d", lat=51.0 + north_m * METRE, lon=0.5, speed_mps=speed_mps, heading_deg=heading_deg)


def report(last: Fix, at_s: float = 100.0) -> Reported:
    """`last` was reported at `at_s`."""
    return Reported(fix=last, at_s=at_s, agreed_s=at_s)


def test_the_first_fix_is_reported() -> None:
    """Where nothing was reported yet, anything is news, also that there is no fix."""
    assert due(None, fix(), 0.0, RULES) and due(None, LOST, 0.0, RULES)


@pytest.mark.parametrize(("after_s", "expected"), [(4.9, False), (5.0, True)])
def test_a_moving_vehicle_is_reported_at_its_interval(after_s: float, expected: bool) -> None:
    """While moving straight on, every `moving_s`."""
    assert expected == due(report(fix()), fix(60.0, speed_mps=14.0), 100.0 + after_s, RULES)


@pytest.mark.parametrize(("after_s", "expected"), [(5.0, False), (59.9, False), (60.0, True)])
def test_a_parked_vehicle_is_reported_rarely(after_s: float, expected: bool) -> None:
    """While parked, only every `parked_s`, though the receiver's position wanders."""
    assert expected == due(report(fix()), fix(29.0, speed_mps=0.4), 100.0 + after_s, RULES)


def test_a_fix_without_speed_counts_as_parked() -> None:
    """A receiver that gives no speed does not flood: distance alone reports it."""
    assert not due(report(fix()), fix(10.0, speed_mps=None), 150.0, RULES)
    assert due(report(fix()), fix(31.0, speed_mps=None), 150.0, RULES)


@pytest.mark.parametrize(
    ("north_m", "after_s", "expected"), [(31.0, 4.9, False), (31.0, 5.0, True), (151.0, 0.1, True)]
)
def test_a_parked_vehicle_that_was_moved_is_reported(north_m: float, after_s: float, expected: bool) -> None:
    """Rolled or towed away from where it was said to be, it is reported, at most every `moving_s` unless far off."""
    assert expected == due(report(fix()), fix(north_m, speed_mps=0.2), 100.0 + after_s, RULES)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(90.0, 114.0, False), (90.0, 115.0, True), (90.0, 65.0, True), (350.0, 14.0, False), (350.0, 15.0, True)],
)
def test_a_turn_is_reported_at_once(before: float, after: float, expected: bool) -> None:
    """A turn of `turn_deg` or more to either side is news within the interval, through north as well."""
    assert expected == due(report(fix(heading_deg=before)), fix(20.0, speed_mps=9.0, heading_deg=after), 101.0, RULES)


@pytest.mark.parametrize(("before", "after"), [(None, 90.0), (90.0, None)])
def test_no_heading_is_no_turn(before: float | None, after: float | None) -> None:
    """A receiver that gives no heading is not taken to have turned."""
    assert not due(report(fix(heading_deg=before)), fix(20.0, speed_mps=9.0, heading_deg=after), 101.0, RULES)


def test_a_heading_at_a_standstill_is_noise() -> None:
    """A parked vehicle does not turn, whatever its receiver says."""
    assert not due(report(fix(heading_deg=0.0)), fix(1.0, speed_mps=0.3, heading_deg=180.0), 101.0, RULES)


@pytest.mark.parametrize(("north_m", "expected"), [(149.0, False), (150.1, True)])
def test_a_long_way_is_reported_at_once(north_m: float, expected: bool) -> None:
    """At speed, `distance_m` is reported before the interval is over."""
    assert expected == due(report(fix()), fix(north_m, speed_mps=40.0), 102.0, RULES)


def test_a_fix_lost_and_regained_is_reported_at_once_and_rarely_after() -> None:
    """That there is no fix any more is news; that there is still none is not; that it is back is."""
    assert due(report(fix()), LOST, 100.1, RULES)
    assert not due(report(LOST), LOST, 159.9, RULES)
    assert due(report(LOST), LOST, 160.0, RULES)
    assert due(report(LOST), fix(), 100.1, RULES)


def test_a_fix_of_another_kind_is_reported_at_once() -> None:
    """Two dimensions for three: the position is now worth less."""
    assert due(report(fix()), msgspec.structs.replace(fix(), mode="2d"), 100.1, RULES)


def test_every_fix_where_it_is_asked_for() -> None:
    """With `every_fix` nothing is left out."""
    assert due(report(fix()), fix(), 100.0, ReportRules(every_fix=True))


@given(st.lists(st.tuples(st.floats(0, 40), st.floats(0, 40), st.floats(0, 359.9)), min_size=1, max_size=80))
def test_a_report_is_never_far_behind_nor_too_old(course: list[tuple[float, float, float]]) -> None:
    """However it drives, a fix a second: what stands reported is within `distance_m`, and younger than `parked_s`."""
    stands: Reported | None = None
    north_m = 0.0
    for second, (moved_m, speed_mps, heading_deg) in enumerate(course):
        north_m += moved_m
        now = fix(north_m, speed_mps=speed_mps, heading_deg=heading_deg)
        if due(stands, now, float(second), RULES):
            stands = report(now, float(second))
        assert stands is not None
        assert distance_m(stands.fix, now) < RULES.distance_m and second - stands.at_s < RULES.parked_s


@pytest.mark.parametrize(
    ("reported", "newest", "expected"),
    [
        (fix(), fix(29.0), True),
        (fix(), fix(31.0), False),
        (fix(), LOST, False),
        (LOST, fix(), False),
        (LOST, LOST, False),
    ],
)
def test_a_fix_agrees_where_the_vehicle_is_still_there(reported: Fix, newest: Fix, expected: bool) -> None:
    """Only a fix nearby says that the reported position still holds; no fix says nothing."""
    assert expected == agrees(report(reported), newest, RULES)


def at(lat: float, lon: float) -> Fix:
    """A fix at a place."""
    return Fix(mode="2d", lat=lat, lon=lon)


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        (at(51.5007, -0.1246), at(51.5055, -0.0754), 3_448),  # Westminster to Tower Bridge, great circle
        (at(0.0, 179.9995), at(0.0, -179.9995), 111.3),  # across the date line
        (at(60.0, 10.0), at(60.0, 10.01), 556.6),  # a degree of longitude is half as long at 60 degrees
        (at(-33.86, 151.2), at(-33.86, 151.2), 0.0),
    ],
)
def test_distances_are_those_of_the_globe(one: Fix, other: Fix, metres: float) -> None:
    """Known distances, to half a part in a hundred, either way round."""
    assert metres == pytest.approx(distance_m(one, other), rel=0.005, abs=0.1)
    assert distance_m(one, other) == pytest.approx(distance_m(other, one))


def test_no_place_is_infinitely_far() -> None:
    """Without a position nothing is near."""
    assert float("inf") == distance_m(LOST, fix()) == distance_m(fix(), LOST)
