"""A position is shown as now only where something says so: its own time, or a heartbeat that vouches for it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.fleet import Fleet
from tests.cloud.fleet.samples import NOON, at, death, echo, fleet, heartbeat, place, position, vouching
from wire.feed import FeedRecord


def beat(county: Fleet, sent_s: float, **changes: Any) -> None:
    """A heartbeat that arrives at once and echoes an id given just then."""
    said = heartbeat(int(sent_s * 1000), **{"echo": echo()} | changes)
    assert county.apply_vitals("veh-2", said, 1, at(sent_s).mono_s, at(sent_s))


def shown(county: Fleet, now_s: float) -> FeedRecord:
    """The unit's record."""
    return county.record("kp-12", 1, NOON, at(now_s))


def test_a_position_goes_stale_at_its_threshold() -> None:
    """Up to 2E + 5 s after it was measured a position may be shown as now; after that only with its age."""
    county = fleet()
    beat(county, 0)
    assert county.apply_place("veh-2", place(1, 0), at(0))
    for sent_s in (5, 10, 15):
        beat(county, sent_s)
    assert (True, 15.0) == (shown(county, 15).position_fresh, shown(county, 15).ages.position_s)
    assert (False, 15.1) == (shown(county, 15.1).position_fresh, shown(county, 15.1).ages.position_s)
    assert "fresh" == shown(county, 15.1).link


@pytest.mark.parametrize(("named", "fresh", "age_s"), [(7, True, 2.0), (6, False, 300.0), (8, False, 300.0)])
def test_a_parked_vehicle_is_still_known_to_be_there(named: int, fresh: bool, age_s: float) -> None:
    """A heartbeat that names the report, and how recently a fix agreed, renews it; one that names another does not."""
    county = fleet()
    beat(county, 0)
    county.apply_place("veh-2", place(7, 0), at(0))
    beat(county, 300, position=vouching(named, age_ms=2_000))
    assert (fresh, age_s) == (shown(county, 300).position_fresh, shown(county, 300).ages.position_s)


def test_an_old_vouching_is_as_old_as_its_heartbeat() -> None:
    """What a late heartbeat vouches for is as old as that heartbeat, and how old the fix was then."""
    county = fleet()
    beat(county, 0)
    county.apply_place("veh-2", place(7, 0), at(0))
    said = heartbeat(20_000, echo=echo(), position=vouching(7, age_ms=1_000))
    assert county.apply_vitals("veh-2", said, 1, at(20).mono_s, at(36))
    assert (17.0, False) == (shown(county, 36).ages.position_s, shown(county, 36).position_fresh)


def test_a_vouching_without_proof_counts_from_the_last_proof() -> None:
    """A heartbeat with no valid echo and a monotonic time from the future makes no position younger than the link."""
    county = fleet()
    beat(county, 0)
    county.apply_place("veh-2", place(7, 0), at(0))
    assert county.apply_vitals("veh-2", heartbeat(2**62, position=vouching(7)), 1, None, at(10))
    record = shown(county, 10)
    assert (10.0, 10.0) == (record.ages.position_s, record.ages.link_s)


def test_without_a_fix_the_last_place_is_shown_with_its_age() -> None:
    """A receiver that lost its fix shows `none`, where it was, how long ago, no movement, and never as now."""
    county = fleet()
    beat(county, 0)
    county.apply_place("veh-2", place(1, 0), at(0))
    lost = position(2, 4_000, fix="none", lat=None, lon=None, speed_mps=None)
    county.apply_place("veh-2", place(2, 4, event=lost), at(4))
    beat(county, 5, position=vouching(2))
    record = shown(county, 5)
    assert record.position is not None
    assert ("none", 51.27, 0.52, None) == (
        record.position.fix,
        record.position.lat,
        record.position.lon,
        record.position.speed_mps,
    )
    assert (5.0, False) == (record.position.age_s, record.position_fresh)


def test_never_a_fix_is_no_place() -> None:
    """A receiver that never had a fix shows `none` without a place or an age."""
    county = fleet()
    beat(county, 0)
    county.apply_place("veh-2", place(1, 0, event=position(1, fix="none", lat=None, lon=None, speed_mps=None)), at(0))
    record = shown(county, 0)
    assert record.position is not None
    assert ("none", None, None, False) == (
        record.position.fix,
        record.position.lat,
        record.position.age_s,
        record.position_fresh,
    )


@pytest.mark.parametrize("trouble", ["late", "ended", "restarted", "asleep"])
def test_a_position_is_never_now_where_the_link_is_not_fresh(trouble: str) -> None:
    """However young the place, a device that is late, gone, restarted or asleep doesn't say that it is still there."""
    county = fleet()
    beat(county, 0)
    county.apply_place("veh-2", place(7, 0), at(0))
    now_s = 1.0
    match trouble:
        case "late":
            now_s = 16.0
        case "ended":
            county.apply_death("veh-2", death(), 1, at(1))
        case "restarted":
            county.apply_vitals("veh-2", heartbeat(500, boot=2), 1, None, at(1))
        case "asleep":
            beat(county, 0.5, asleep_until=NOON.replace(hour=13))
    if trouble == "late":
        county.apply_place("veh-2", place(8, 15.9), at(15.9))
        county.apply_sent("veh-2", 1, 0, at(15.9))
    record = shown(county, now_s)
    assert record.link != "fresh"
    assert not record.position_fresh


@pytest.mark.parametrize("mono_ms", [10_000, 2**62, 2**63 - 1])
def test_a_position_from_the_future_ages_from_its_receipt(mono_ms: int) -> None:
    """A monotonic time that is ahead of the device's own clock keeps no position young."""
    county = fleet()
    beat(county, 0)
    county.apply_place("veh-2", place(1, 0, event=position(1, mono_ms)), at(0))
    for sent_s in (5, 10, 15, 20):
        beat(county, sent_s)
    assert (20.0, False) == (shown(county, 20).ages.position_s, shown(county, 20).position_fresh)


def test_an_unproven_place_has_no_age() -> None:
    """Receipt is not recency: a place of an unknown time is shown, and not as now."""
    county = fleet()
    county.apply_place("veh-2", place(1, 0, boot=0, proven=False), at(0))
    beat(county, 0)
    record = shown(county, 0)
    assert record.position is not None and record.position.lat == 51.27
    assert (None, False) == (record.ages.position_s, record.position_fresh)


def test_an_older_report_never_comes_back() -> None:
    """Positions are ordered by stream and sequence, whatever their times."""
    county = fleet()
    assert county.apply_place("veh-2", place(5, 0), at(0))
    assert not county.apply_place("veh-2", place(5, 9), at(9))
    assert not county.apply_place("veh-2", place(4, 9), at(9))
    assert county.apply_place("veh-2", place(1, 9, ordinal=2, stream="E2-b"), at(9))
    assert not county.apply_place("veh-2", place(99, 10), at(10))


def test_a_place_of_the_future_has_no_age() -> None:
    """A stored time that lies ahead was read off a clock that was wrong: its age is unknown, never 0."""
    county = fleet()
    county.apply_place("veh-2", place(1, 3_600, received_s=None), at(0))
    beat(county, 0, boot=2)
    record = shown(county, 1)
    assert record.position is not None
    assert (None, False) == (record.position.age_s, record.position_fresh)
    assert 0.0 == shown(county, 3_600).ages.position_s


@given(
    numbers=st.tuples(*(st.none() | st.floats(0, 150),) * 4),
    gnss_time=st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_what_was_measured_is_shown_as_it_was(numbers: tuple[float | None, ...], gnss_time: datetime | None) -> None:
    """Every number of a position comes out as it came in, and what the receiver did not say is not made up."""
    speed_mps, heading_deg, altitude_m, accuracy_m = numbers
    event = position(
        1,
        speed_mps=speed_mps,
        heading_deg=heading_deg,
        altitude_m=altitude_m,
        accuracy_m=accuracy_m,
        gnss_time=gnss_time,
    )
    county = fleet()
    county.apply_place("veh-2", place(1, 0, event=event), at(0))
    seen = shown(county, 0).position
    assert seen is not None
    assert (51.27, 0.52, *numbers, gnss_time) == (
        seen.lat,
        seen.lon,
        seen.speed_mps,
        seen.heading_deg,
        seen.altitude_m,
        seen.accuracy_m,
        seen.gnss_time,
    )
