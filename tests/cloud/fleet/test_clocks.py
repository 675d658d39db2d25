"""An echo bounds the age of what a device said, whatever the network and the device's clocks did."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.clocks import MAP_RENEW_S, ClockMap, Corrected, Moment, correct, map_clock
from cloud.fleet.link import Link, apply_sent, apply_vitals
from tests.cloud.fleet.samples import NOON, at, echo, heartbeat
from wire.events import ClockSource

FLOAT_S = 1e-5
"""Beyond what sums of seconds up to 10^8 lose in a float."""

delays_ms = st.integers(0, 60_000)
exchanges = st.lists(st.tuples(delays_ms, delays_ms, delays_ms), min_size=1, max_size=12)
offsets_ms = st.integers(-500_000, 10**11)


def converse(offset_ms: int, talk: list[tuple[int, int, int]]) -> list[tuple[Link, float]]:
    """Let ids travel down, be held, and be echoed; give the link after each echo, and when that was truly sent.

    The cloud's monotonic clock is at 1000 s at the start, and the device's is `offset_ms` ahead of it.
    """
    link, given_ms, found = Link(), 1_000_000, []
    for down_ms, held_ms, up_ms in talk:
        sent_ms = given_ms + down_ms + held_ms
        now = at((sent_ms + up_ms) / 1000 - 1000)
        said = heartbeat(sent_ms + offset_ms, echo=echo(held_ms))
        link = apply_vitals(link, said, 1, given_ms / 1000, now) or link
        found.append((link, sent_ms / 1000))
        given_ms = sent_ms + up_ms + 1
    return found


@given(offset_ms=offsets_ms, talk=exchanges)
def test_nothing_is_taken_for_younger_than_it_is(offset_ms: int, talk: list[tuple[int, int, int]]) -> None:
    """Whatever the delays and the offset, neither the proof nor the map puts a message later than it was sent."""
    for link, sent_s in converse(offset_ms, talk):
        assert link.proof_s is not None and link.clock_map is not None
        assert link.proof_s <= sent_s + FLOAT_S
        assert link.clock_map.earliest_s(round(sent_s * 1000) + offset_ms) <= sent_s + FLOAT_S


@given(offset_ms=offsets_ms, talk=exchanges, later_ms=delays_ms, delay_ms=delays_ms)
def test_a_message_without_an_echo_is_bounded_by_the_map(
    offset_ms: int, talk: list[tuple[int, int, int]], later_ms: int, delay_ms: int
) -> None:
    """Any message of a mapped boot proves no more than that the device was alive when it was truly sent."""
    link, last_s = converse(offset_ms, talk)[-1]
    sent_ms = round(last_s * 1000) + later_ms
    proven = apply_sent(link, 1, sent_ms + offset_ms, (sent_ms + delay_ms) / 1000)
    assert proven.proof_s is not None
    assert proven.proof_s <= sent_ms / 1000 + FLOAT_S


@given(talk=exchanges)
def test_the_narrower_map_is_kept(talk: list[tuple[int, int, int]]) -> None:
    """Within its time a map never becomes wider, and it always holds the true difference."""
    width_s = float("inf")
    made_s = 0.0
    for link, _ in converse(7_000, talk):
        assert link.clock_map is not None
        assert link.clock_map.low_s - FLOAT_S <= -7.0 <= link.clock_map.high_s + FLOAT_S
        renewed = link.clock_map.at_s - made_s > MAP_RENEW_S - FLOAT_S
        found_s = link.clock_map.high_s - link.clock_map.low_s
        assert found_s <= width_s + FLOAT_S or renewed
        width_s, made_s = found_s, link.clock_map.at_s


def test_a_map_is_renewed_for_drift() -> None:
    """A narrow map gives way to a wider one only when it has grown old, or when another boot speaks."""
    narrow = map_clock(None, 1, 0, 999.9, 1000.0)
    assert narrow is map_clock(narrow, 1, 1_000, 1000.0, 1002.0)
    assert 2.0 == _width_s(map_clock(narrow, 1, 601_000, 1600.0, 1602.0))
    assert 2.0 == _width_s(map_clock(narrow, 2, 1_000, 1000.0, 1002.0))


def test_a_clock_that_ran_wild_is_mapped_anew() -> None:
    """After a device's monotonic clock has leapt, the narrow map from before would make old messages young."""
    narrow = map_clock(None, 1, 0, 999.9, 1000.0)
    leapt = map_clock(narrow, 1, 3_600_000 + 10_000, 1009.0, 1011.0)
    assert 1009.0 == leapt.earliest_s(3_610_000)
    back = map_clock(leapt, 1, 20_000, 1019.0, 1021.5)
    assert 1019.0 == back.earliest_s(20_000)


MAP = ClockMap(boot=1, low_s=999.0, high_s=1001.0, at_s=1000.0)
WIDE = ClockMap(boot=1, low_s=994.0, high_s=1006.0, at_s=1000.0)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("why", "event", "clock_map", "skew_s", "expected"),
    [
        ("a disciplined clock", (NOON, "gnss", 1, 0), None, 0.1, Corrected(NOON, True)),
        ("disciplined by the network", (NOON, "ntp", 9, 0), None, -4.9, Corrected(NOON, True)),
        ("skewed, so by the map", (NOON - 99 * SECOND, "gnss", 1, 2_000), MAP, 5.0, Corrected(NOON + 2 * SECOND, True)),
        ("never measured, so by the map", (NOON, "gnss", 1, 2_000), MAP, None, Corrected(NOON + 2 * SECOND, True)),
        ("undisciplined, so by the map", (NOON, "none", 1, 3_000), MAP, 0.0, Corrected(NOON + 3 * SECOND, True)),
        ("another boot", (NOON, "none", 2, 3_000), MAP, 0.0, Corrected(NOON + 30 * SECOND, False)),
        ("no map", (NOON, "none", 1, 3_000), None, 0.0, Corrected(NOON + 30 * SECOND, False)),
        ("ahead", (NOON + 34 * SECOND, "gnss", 1, 0), None, 0.0, Corrected(NOON + 30 * SECOND, True)),
        (
            "far ahead: stepped since",
            (NOON + 36 * SECOND, "gnss", 1, 0),
            None,
            0.0,
            Corrected(NOON + 30 * SECOND, False),
        ),
        ("far ahead, by the map", (NOON + 99 * SECOND, "gnss", 1, 3_000), MAP, 0.0, Corrected(NOON + 3 * SECOND, True)),
        (
            "stepped since, by the map",
            (NOON - 60 * SECOND, "gnss", 1, 3_000),
            MAP,
            0.0,
            Corrected(NOON + 3 * SECOND, True),
        ),
        ("by a wide map: not proven", (NOON, "none", 1, 3_000), WIDE, 0.0, Corrected(NOON - 3 * SECOND, False, True)),
        (
            "a wide map allows much",
            (NOON - 4 * SECOND, "gnss", 1, 3_000),
            WIDE,
            0.0,
            Corrected(NOON - 4 * SECOND, True),
        ),
        (
            "but not that much",
            (NOON - 9 * SECOND, "gnss", 1, 3_000),
            WIDE,
            0.0,
            Corrected(NOON - 3 * SECOND, False, True),
        ),
        ("as the map has it", (NOON + 4 * SECOND, "gnss", 1, 3_000), MAP, 0.0, Corrected(NOON + 4 * SECOND, True)),
        ("ahead by the map", (NOON, "none", 1, 99_000), MAP, 0.0, Corrected(NOON + 30 * SECOND, True)),
        (
            "absurd by the map",
            (NOON, "none", 1, 0),
            ClockMap(1, -1e12, -1e12, 0),
            None,
            Corrected(NOON + 30 * SECOND, False),
        ),
    ],
)
def test_time_is_corrected_by_the_best_clock(
    why: str,
    event: tuple[datetime, ClockSource, int, int],
    clock_map: ClockMap | None,
    skew_s: float | None,
    expected: Corrected,
) -> None:
    """A checked wall clock first, the mapped monotonic one second, receipt last and unproven; never after receipt."""
    assert expected == correct(event, clock_map, skew_s, at(30)), why


big = st.integers(0, 2**63 - 1)


@given(
    wall=st.datetimes(timezones=st.just(UTC)),
    clock=st.sampled_from(["gnss", "ntp", "none"]),
    mono_ms=big,
    low_s=st.floats(-1e16, 1e16),
    skew_s=st.none() | st.floats(allow_nan=False),
)
def test_no_clock_raises_or_outruns_receipt(
    wall: datetime, clock: ClockSource, mono_ms: int, low_s: float, skew_s: float | None
) -> None:
    """However wild the device's clocks, an event gets a time that is not after its receipt."""
    received = Moment(NOON, 1000.0)
    found = correct((wall, clock, 1, mono_ms), ClockMap(1, low_s, low_s + 1, 1000.0), skew_s, received)
    assert found.at <= NOON


def _width_s(clock_map: ClockMap) -> float:
    return clock_map.high_s - clock_map.low_s
