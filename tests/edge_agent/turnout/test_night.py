"""When it is night at a station."""

from datetime import UTC, datetime

import pytest

from edge_agent.errors import Fatal
from edge_agent.station.parts import Night
from edge_agent.turnout.night import find_zone, is_night

LONDON = Night(start="22:00", until="06:30", zone="Europe/London")


@pytest.mark.parametrize(
    ("month", "hour", "minute", "night"),
    [(1, 22, 0, True), (1, 21, 59, False), (1, 6, 29, True), (1, 6, 30, False), (7, 21, 0, True), (7, 5, 30, False)],
)
def test_night_is_by_the_clock_on_the_wall(month: int, hour: int, minute: int, night: bool) -> None:
    """From ten to half past six, over midnight, in the local time of winter and of summer."""
    assert night == is_night(LONDON, find_zone(LONDON), datetime(2026, month, 3, hour, minute, tzinfo=UTC))


def test_a_night_may_lie_within_one_day() -> None:
    """A station may keep quiet from one to five."""
    short = Night(start="01:00", until="05:00", zone="UTC")
    zone = find_zone(short)
    assert [False, True, False] == [is_night(short, zone, datetime(2026, 1, 3, h, tzinfo=UTC)) for h in (0, 1, 5)]


def test_a_station_without_a_night_has_none() -> None:
    """It is never night there."""
    assert not is_night(None, find_zone(None), datetime(2026, 1, 3, 2, tzinfo=UTC))


def test_an_unknown_time_zone_is_refused_in_one_line() -> None:
    """The person who starts the agent is told which, and what to do."""
    with pytest.raises(Fatal, match="Europe/Lundon") as refused:
        find_zone(Night(start="22:00", until="06:30", zone="Europe/Lundon"))
    assert "\n" not in str(refused.value)
