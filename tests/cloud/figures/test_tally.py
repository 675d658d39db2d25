"""Times in each status, class and hour: exact, whole, and nothing in them that does not count."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.figures import Change, Stand, Window
from cloud.figures.tally import GAPS_MAX
from tests.cloud.figures.samples import DAY_US, HOUR_US, SECOND_US, at, count, hours, hours_of, left_out, stand

STANDS = [
    stand("4"),
    stand("1", availability="NotAvailable"),
    stand("4", link="late", confidence="unconfirmed"),
    stand("4", mode="training"),
    stand("4", mode="test", link="lost"),
    stand("", scheme="", label="", availability=None, confidence="never", link="never"),
    None,
]
changes = st.lists(st.tuples(st.integers(-5, 45), st.sampled_from(STANDS)), max_size=12).map(
    lambda found: [Change(at_us, what) for at_us, what in sorted(found, key=lambda one: one[0])]
)
spans = st.lists(st.tuples(st.integers(-5, 45), st.integers(0, 20)), max_size=3).map(
    lambda found: [Window(since_us, since_us + length_us) for since_us, length_us in found]
)


def said_at(moment_us: int, told: list[Change], down: list[Window]) -> Stand | str:
    """What counts at one moment, by the plain reading of the rules."""
    if any(one.since_us <= moment_us < one.until_us for one in down):
        return "service_down"
    held = [change.stand for change in told if change.at_us <= moment_us]
    if not held or held[-1] is None:
        return "not_on_board"
    return held[-1] if held[-1].mode == "live" else held[-1].mode


@settings(max_examples=60, deadline=None)
@given(units=st.lists(changes, min_size=1, max_size=3), down=spans, length_us=st.integers(1, 40))
def test_every_moment_is_counted_once(units: list[list[Change]], down: list[Window], length_us: int) -> None:
    """Times in each status and left out are those of every microsecond of the window, and so add up to it exactly."""
    expected: Counter[str] = Counter()
    for told in units:
        for moment_us in range(length_us):
            said = said_at(moment_us, told, down)
            expected[said if isinstance(said, str) else f"status {said.code}"] += 1
    found = count({f"u{n}": told for n, told in enumerate(units)}, Window(0, length_us), down)
    actual = Counter({f"status {one.code}": round(one.duration_s * SECOND_US) for one in found.statuses})
    actual.update({one.reason: round(one.duration_s * SECOND_US) for one in found.left_out})
    assert expected == actual
    for shares in (found.classes, found.links):
        together = sum(round(one.duration_s * SECOND_US) for one in (*shares, *found.left_out))
        assert len(units) * length_us == together


def test_a_day_reckoned_by_hand() -> None:
    """Of a day with a job, a late link, a training, a time without a board and an end: each to the second."""
    told = [
        at(-3, stand("4")),  # since yesterday
        at(8, stand("1", availability="NotAvailable")),  # a job of an hour and a half
        at(9.5, stand("4")),
        at(12, stand("4", link="late", confidence="unconfirmed")),
        at(12.25, stand("4", link="lost", confidence="unconfirmed")),
        at(12.5, stand("4")),
        at(14, stand("4", mode="training")),
        at(16, stand("4")),
        at(22, None),
    ]
    found = count({"p1": told}, down=[hours(18, 18.5)])
    assert {"4": 18.0, "1": 1.5} == {code: hours_of(found, code) for code in ("4", "1")}
    assert {"training": 2.0, "service_down": 0.5, "not_on_board": 2.0} == left_out(found)
    classes = {(one.availability, one.confidence): one.duration_s / 3600 for one in found.classes}
    expected = {("Available", "confirmed"): 17.5, ("Available", "unconfirmed"): 0.5, ("NotAvailable", "confirmed"): 1.5}
    assert expected == classes
    assert {"fresh": 19.0, "late": 0.25, "lost": 0.25} == {one.link: one.duration_s / 3600 for one in found.links}
    by_hour = {one.hour: (one.available_h, one.confirmed_h, one.counted_h, one.out_of_h) for one in found.hours}
    assert (1.0, 1.0, 1.0, 1.0) == by_hour[0]
    assert (0.0, 0.0, 1.0, 1.0) == by_hour[8]
    assert (0.5, 0.5, 1.0, 1.0) == by_hour[9]
    assert (1.0, 0.5, 1.0, 1.0) == by_hour[12]
    assert (0.0, 0.0, 0.0, 1.0) == by_hour[15]
    assert (0.5, 0.5, 0.5, 1.0) == by_hour[18]
    assert (0.0, 0.0, 0.0, 1.0) == by_hour[23]
    gaps = [(one.kind, one.unit, one.since.hour + one.since.minute / 60, one.duration_s / 3600) for one in found.gaps]
    assert [("late", "p1", 12.0, 0.25), ("lost", "p1", 12.25, 0.25), ("service_down", "", 18.0, 0.5)] == gaps
    assert 19.5 * 3600 == found.counted_s


@pytest.mark.parametrize("mode", ["test", "training", "maintenance", "commissioning"])
def test_only_live_counts(mode: str) -> None:
    """A time in any other mode is in no status, class, link, hour or gap, and is said to be left out."""
    found = count({"p1": [at(0, stand("4", mode=mode, link="lost"))]})
    assert ((), (), (), ()) == (found.statuses, found.classes, found.links, found.gaps)
    assert 0 == sum(one.available_h + one.counted_h for one in found.hours)
    assert {mode: 24.0} == left_out(found)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/London", (2026, 10, 25), {0: 1.0, 1: 2.0, 2: 1.0, 23: 1.0}),
        ("Europe/London", (2026, 3, 29), {0: 1.0, 1: 0.0, 2: 1.0, 23: 1.0}),
        ("Australia/Lord_Howe", (2026, 10, 4), {1: 1.0, 2: 0.5, 3: 1.0}),
        ("Asia/Kathmandu", (2026, 11, 2), {0: 1.0, 12: 1.0}),
    ],
)
def test_hours_are_those_of_the_zones_clocks(zone: str, day: tuple[int, int, int], expected: dict[int, float]) -> None:
    """An hour that comes twice counts twice, one that is left out not at all; two units have twice as much of it."""
    local = ZoneInfo(zone)
    begin = datetime(*day, tzinfo=local).astimezone(UTC)
    end = (datetime(*day, tzinfo=local) + timedelta(days=1)).astimezone(UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    window = Window(*((moment - epoch) // timedelta(microseconds=1) for moment in (begin, end)))
    found = count({unit: [Change(0, stand())] for unit in ("a", "b")}, window, zone=local)
    assert {hour: 2 * length for hour, length in expected.items()} == {
        hour: found.hours[hour].out_of_h for hour in expected
    }
    assert [one.out_of_h for one in found.hours] == [one.available_h for one in found.hours]
    assert 2 * window.length_us / HOUR_US == sum(one.out_of_h for one in found.hours)


def test_a_gap_is_one_however_often_it_was_shown() -> None:
    """Rows that say nothing new of it do not cut a gap; at the window's ends it is cut, and a test in it ends it."""
    late, tested = stand(link="lost"), stand(link="lost", mode="test")
    told = [at(-1, late), at(2, stand("1", link="lost")), at(3, late), at(5, tested), at(6, late)]
    found = count({"p1": told}, hours(1, 8))
    assert [(1, 4.0), (6, 2.0)] == [(one.since.hour, one.duration_s / 3600) for one in found.gaps]


def test_the_longest_gaps_are_told() -> None:
    """Of more gaps than are told one by one the shorter are counted, and time in them is in the sums all the same."""
    lost, back = stand(link="lost"), stand()
    told = []
    for number in range(GAPS_MAX + 5):
        start_us = DAY_US + number * 60 * SECOND_US
        told += [Change(start_us, lost), Change(start_us + (number + 1) * 1000, back)]
    found = count({"p1": told})
    assert (GAPS_MAX, 5) == (len(found.gaps), found.gaps_more)
    assert 0.006 == found.gaps[0].duration_s
    total_us = sum((number + 1) * 1000 for number in range(GAPS_MAX + 5))
    assert total_us == round(next(one.duration_s for one in found.links if one.link == "lost") * SECOND_US)
