"""Positions that wait: none is shown before its delay has passed, and few are kept."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.sharing.holding import STEPS, HeldPlace, hold, let_through, next_due
from tests.cloud.fleet.samples import NOON
from wire.feed import PositionView

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
DELAYS_S = (1, 30, 300)
KEPT_MAX = STEPS + 4
"""As far apart as a step, the newest, the one that is shown, and one at either end."""
steps_s = st.lists(st.sampled_from([0.0, 0.0, 0.2, 1.0, 1.0, 7.0, 45.0, -3.0, -600.0]), min_size=1, max_size=150)


def place(number: int) -> PositionView:
    """A position that was measured as it came."""
    return PositionView(fix="3d", lat=float(number % 90), lon=0.0, age_s=0.0)


def walk(steps: list[float], delay_s: int) -> list[tuple[datetime, tuple[HeldPlace, ...]]]:
    """Hold one position after the other, so many seconds apart; the clock may stand still, or be put back."""
    held: tuple[HeldPlace, ...] = ()
    now, found = NOON, []
    for number, step_s in enumerate(steps):
        now += timedelta(seconds=step_s)
        held = hold(held, place(number), delay_s, now)
        found.append((now, held))
    return found


@QUICK
@given(steps_s, st.sampled_from(DELAYS_S))
def test_nothing_is_shown_before_its_delay_has_passed(steps: list[float], delay_s: int) -> None:
    """What is let through is at least as old as the delay, whatever the clock did, and says how old it is."""
    for now, held in walk(steps, delay_s):
        for shorter_s in {1, 30, delay_s} - {one for one in DELAYS_S if one > delay_s}:
            shown = let_through(held, shorter_s, now)
            if shown is not None:
                assert shown.age_s is not None and shown.age_s >= shorter_s
                source = next(one for one in held if one.place is not None and one.place.lat == shown.lat)
                assert now - source.since >= timedelta(seconds=shorter_s)


@QUICK
@given(steps_s, st.sampled_from(DELAYS_S))
def test_few_are_kept(steps: list[float], delay_s: int) -> None:
    """However often a position comes, and though the clock stands still or is put back: memory has a bound."""
    assert all(len(held) <= KEPT_MAX for _, held in walk(steps, delay_s))


def test_memory_has_a_bound_for_ever() -> None:
    """A vehicle that reports ten times a second for long leaves no more behind than in a minute."""
    assert all(len(held) <= KEPT_MAX for _, held in walk([0.1] * 6_000, 30))


def test_a_clock_that_stands_still_lets_nothing_through() -> None:
    """While no time passes no delay has passed, however many positions come; and the newest is the one that waits."""
    held = walk([0.0] * 1_000, 30)[-1][1]
    assert let_through(held, 30, NOON) is None
    assert place(999).lat == getattr(held[-1].place, "lat", None)


def test_a_clock_that_was_ahead_holds_nothing_back_for_ever() -> None:
    """After the clock was put back an hour a new position is shown once the delay has passed, not an hour later."""
    moves = walk([3600.0, 1.0, -3600.0, *[1.0] * 40], 30)
    now, held = moves[-1]
    shown = let_through(held, 30, now)
    assert shown is not None and shown.lat == float(len(moves) - 31) and shown.age_s == 30.0


@QUICK
@given(st.lists(st.sampled_from([0.2, 1.0, 7.0, 45.0]), min_size=2, max_size=80), st.sampled_from(DELAYS_S))
def test_what_is_shown_is_hardly_older_than_it_must_be(steps: list[float], delay_s: int) -> None:
    """Of a unit that reports all the time what is shown is older than the delay by a step at most, and one report."""
    moves = walk(steps, delay_s)
    now, held = moves[-1]
    shown = let_through(held, delay_s, now)
    due = [at for at, _ in moves if now - at >= timedelta(seconds=delay_s)]
    assert (shown is None) is (not due)
    if shown is not None and shown.age_s is not None:
        newest_s = (now - max(due)).total_seconds()
        assert shown.age_s <= newest_s + delay_s / STEPS + max(steps) + 0.001


@QUICK
@given(steps_s, st.sampled_from(DELAYS_S))
def test_whoever_looks_again_when_due_misses_nothing(steps: list[float], delay_s: int) -> None:
    """Until the moment before the next is due the same position is shown; then another one."""
    now, held = walk([abs(one) for one in steps], delay_s)[-1]
    due = next_due(held, delay_s, now)
    shown = let_through(held, delay_s, now)
    before = (due or now + timedelta(days=1)) - timedelta(microseconds=1)
    assert without_age(shown) == without_age(let_through(held, delay_s, before))
    if due is not None:
        assert due > now
        assert without_age(shown) != without_age(let_through(held, delay_s, due))


def test_where_it_was_before_it_was_lost_is_not_shown_after() -> None:
    """Where there is no position now, there is none once the delay has passed."""
    held = hold(hold((), place(1), 30, NOON), None, 30, NOON + timedelta(seconds=10))
    assert let_through(held, 30, NOON + timedelta(seconds=39)) is not None
    assert let_through(held, 30, NOON + timedelta(seconds=40)) is None


@QUICK
@given(st.lists(st.sampled_from([0.2, 1.0, 7.0, 45.0]), min_size=2, max_size=40), st.sampled_from(DELAYS_S))
def test_looking_again_changes_nothing(steps: list[float], delay_s: int) -> None:
    """However often the same position is looked at meanwhile, what is shown and when is the same."""
    often: tuple[HeldPlace, ...] = ()
    for number, (now, held) in enumerate(walk(steps, delay_s)):
        often = hold(often, place(number), delay_s, now)
        for later_s in (0.0, 0.05, 0.1):
            later = now + timedelta(seconds=later_s)
            older = msgspec.structs.replace(place(number), age_s=round(later_s + 0.0004, 3))
            often = hold(often, older, delay_s, later)
            assert let_through(often, delay_s, later) == let_through(held, delay_s, later)
            assert next_due(often, delay_s, later) == next_due(held, delay_s, later)


def without_age(shown: PositionView | None) -> PositionView | None:
    """Where it is."""
    return None if shown is None else msgspec.structs.replace(shown, age_s=None)
