"""Fences and duty rosters: the ground of a base, and when somebody is on."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.fleet.entry import Fence, Roster
from cloud.fleet.fences import METRES_A_DEGREE, Circle, make_ground
from cloud.fleet.roster import CycleRoster, Turn, WeeklyRoster

LONDON = ZoneInfo("Europe/London")
DAY, NIGHT = Turn(time(9), time(18)), Turn(time(18), time(9))
WEEK = WeeklyRoster(LONDON, ((DAY,),) * 5 + ((),) * 2)
WATCH = CycleRoster(LONDON, date(2026, 3, 2), ((DAY,), (DAY,), (NIGHT,), (NIGHT,), (), (), (), ()))
CENT = 100 / METRES_A_DEGREE
SQUARE = [(51.0, 0.0), (51.0, CENT), (51.0 + CENT, CENT), (51.0 + CENT, 0.0)]


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("why", "fence", "north_m", "outside_m"),
    [
        ("inside a circle", Circle(51.0, 0.0, 150.0), 149, 0),
        ("outside a circle", Circle(51.0, 0.0, 150.0), 1_150, 1_000),
        ("inside a square", make_ground([SQUARE]), 50, 0),
        ("outside a square", make_ground([SQUARE]), 350, 250),
        ("in the margin of a square", make_ground([SQUARE], 50.0), 149, 0),
        ("south of a square with a margin", make_ground([SQUARE], 50.0), -150, 100),
        ("between the parts of a base", make_ground([SQUARE, [(51 + 3 * CENT, 0), (51 + 4 * CENT, 0),
                                                              (51 + 4 * CENT, CENT)]]), 160, 60),
    ],
)  # fmt: skip
def test_how_far_outside_a_place_is(why: str, fence: Fence, north_m: float, outside_m: float) -> None:
    """In metres from the edge, and nothing inside."""
    assert outside_m == pytest.approx(fence.outside_m(51.0 + north_m / METRES_A_DEGREE, 0.0), abs=0.5), why


def test_a_degree_of_longitude_is_shorter_up_north() -> None:
    """At 60 degrees it is half of one at the equator; and the date line is no wall."""
    east = 2_000 / METRES_A_DEGREE
    assert 900 == pytest.approx(Circle(60.0, 0.0, 100.0).outside_m(60.0, east), abs=1)
    assert 1_900 == pytest.approx(Circle(0.0, 179.999, 100.0).outside_m(0.0, 179.999 + east - 360), abs=1)


@pytest.mark.parametrize(
    ("why", "roster", "now", "until", "begins"),
    [
        ("a day turn, in winter", WEEK, utc(1, 5, 9), utc(1, 5, 18), utc(1, 6, 9)),
        ("before it", WEEK, utc(1, 5, 8, 59), None, utc(1, 5, 9)),
        ("just after it", WEEK, utc(1, 5, 18), None, utc(1, 6, 9)),
        ("over the weekend", WEEK, utc(1, 9, 20), None, utc(1, 12, 9)),
        ("a day turn, in summer", WEEK, utc(7, 6, 8), utc(7, 6, 17), utc(7, 7, 8)),
        ("a night, before midnight", WATCH, utc(3, 4, 20), utc(3, 5, 9), utc(3, 5, 18)),
        ("the same night, after it", WATCH, utc(3, 5, 2), utc(3, 5, 9), utc(3, 5, 18)),
        ("off", WATCH, utc(3, 8, 12), None, utc(3, 10, 9)),
        ("before the anchor", WATCH, utc(2, 25, 2), utc(2, 25, 9), utc(2, 25, 18)),
        ("a night in which the clock goes forward", CycleRoster(LONDON, date(2026, 3, 28), ((NIGHT,),)),
         utc(3, 29, 7, 59), utc(3, 29, 8), utc(3, 29, 17)),
        ("nobody ever", WeeklyRoster(LONDON, ((),) * 7), utc(1, 5, 9), None, None),
        ("all day, every day", WeeklyRoster(UTC, ((Turn(time(0), time(0)),),) * 7), utc(1, 5, 9), utc(1, 6, 0),
         utc(1, 6, 0)),
    ],
)  # fmt: skip
def test_who_is_on_goes_by_the_clock_on_the_wall(
    why: str, roster: Roster, now: datetime, until: datetime | None, begins: datetime | None
) -> None:
    """Until when, and when next: over midnight, over the weekend, and when the clocks change."""
    assert (until, begins) == (roster.until(now), roster.begins(now)), why


@settings(max_examples=60, derandomize=True)
@given(st.sampled_from([WEEK, WATCH]), st.integers(0, 365 * 24 * 60))
def test_a_turn_goes_on_to_its_end_and_none_is_missed(roster: Roster, minutes: int) -> None:
    """Whoever is on now is on until the end; whoever is not is off until the next begin."""
    now = utc(1, 1, 0) + timedelta(minutes=minutes)
    until, begins = roster.until(now), roster.begins(now)
    minute = timedelta(minutes=1)
    if until is not None:
        assert until > now and until == roster.until(until - minute)
    else:
        assert begins is not None and roster.until(begins - minute) is None and roster.until(begins) is not None
