"""Reports of one epoch become one fix; a jump waits for a second report."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.decode.gpsd import Sky, Tpv
from edge_agent.decode.gpsd_epoch import Epochs, apply, close_due
from edge_agent.decode.plausible import Moment
from edge_agent.decode.readings import Fix, Rejected

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
METRE_DEG = 1.0 / 111_195.0
"""Degrees of latitude in a metre, on the mean sphere."""


def report(second: float | None, *, north_m: float = 0.0, mode: int = 3, course_deg: float | None = 0.0) -> Tpv:
    """A report of the epoch at `second`, so many metres north of 51.5, moving at 10 m/s."""
    time = None if second is None else NOW + timedelta(seconds=second)
    lat = 51.5 + north_m * METRE_DEG
    return Tpv(mode=mode, time=time, lat=lat, lon=-0.1, speed_mps=10.0, course_deg=course_deg, accuracy_m=5.0)


def play(*heard: tuple[float, Tpv | Sky]) -> list[tuple[float, Fix | Rejected]]:
    """What comes out, and when, if these reports are heard at these seconds and a shell looks every 0.1 s."""
    epochs, out = Epochs(), list[tuple[float, Fix | Rejected]]()
    ticks: list[tuple[float, Tpv | Sky | None]] = [(tenth / 10.0, None) for tenth in range(200)]
    for at, what in sorted([*heard, *ticks], key=lambda pair: pair[0]):
        moment = Moment(NOW + timedelta(seconds=at), at)
        epochs, results = close_due(epochs, moment) if what is None else apply(epochs, what, moment)
        out += [(at, result) for result in results]
    return out


def fixes(out: list[tuple[float, Fix | Rejected]]) -> list[Fix]:
    """Only the fixes."""
    return [result for _, result in out if isinstance(result, Fix)]


def test_reports_of_one_time_are_one_fix_and_the_last_counts() -> None:
    """The speed that gpsd guessed in the first report gives way to the receiver's in the last."""
    out = play((1.0, report(0, course_deg=None)), (1.05, report(0, mode=2)), (1.1, report(0)))
    assert [("3d", 10.0)] == [(fix.mode, fix.speed_mps) for fix in fixes(out)]


def test_a_fix_is_never_later_than_three_tenths_of_a_second() -> None:
    """The first report of an epoch starts the wait, however many follow."""
    out = play(*((1.0 + n / 50.0, report(0)) for n in range(50)))
    assert len(out) == 1
    assert out[0][0] - 1.0 < 0.31


def test_the_next_epoch_ends_the_last_at_once() -> None:
    """At 10 Hz nothing waits for the hold, and every epoch comes out."""
    out = play(*((1.0 + n / 10.0, report(n / 10.0)) for n in range(10)))
    assert [NOW + timedelta(seconds=n / 10.0) for n in range(10)] == [fix.gnss_time for fix in fixes(out)]


def test_losing_the_fix_within_an_epoch_is_passed_on() -> None:
    """Whether before or after the epoch was passed on: the last word on it is that there is no fix."""
    assert ["none"] == [fix.mode for fix in fixes(play((1.0, report(0)), (1.1, report(0, mode=1))))]
    assert ["3d", "none"] == [fix.mode for fix in fixes(play((1.0, report(0)), (1.6, report(0, mode=1))))]


def test_a_late_report_counts_only_if_it_adds() -> None:
    """On a slow line RMC comes half a second after GGA: its speed is passed on, a mere repetition is not."""
    late = play((1.0, report(0, course_deg=None)), (1.5, report(0)), (1.9, report(0)))
    assert [None, 10.0] == [fix.speed_mps for fix in fixes(late)]


def test_a_receiver_whose_time_stands_still_goes_silent() -> None:
    """The same epoch for ten seconds is one fix, so that it can be seen to be stale."""
    assert 1 == len(fixes(play(*((1.0 + n, report(0)) for n in range(10)))))


def test_reports_without_a_time_come_out_too() -> None:
    """No fix and no time, four times a second: some fixes of mode none, and the fix that follows is its own."""
    out = play(*((1.0 + n / 4.0, report(None, mode=1)) for n in range(8)), (2.8, report(None)))
    modes = [fix.mode for fix in fixes(out)]
    assert modes[0] == "none" and modes[-1] == "3d" and set(modes[:-1]) == {"none"}
    assert len(modes) <= 9


def test_a_jump_waits_for_a_second_report_that_agrees() -> None:
    """2 km in a second is not believed; from the second report there on it is."""
    out = play((1.0, report(0)), (2.0, report(1, north_m=2000)), (3.0, report(2, north_m=2010)))
    assert ["Fix", "jump", "Fix"] == [r.reason if isinstance(r, Rejected) else "Fix" for _, r in out]


def test_a_single_outlier_is_never_shown() -> None:
    """There and back again: the outlier is rejected and the road goes on."""
    out = play((1.0, report(0)), (2.0, report(1, north_m=2000)), (3.0, report(2, north_m=20)))
    shown = [fix.lat for fix in fixes(out)]
    assert shown == [51.5, 51.5 + 20 * METRE_DEG]


def test_outliers_that_disagree_do_not_confirm_each_other() -> None:
    """Two jumps to different places are both rejected."""
    out = play((1.0, report(0)), (2.0, report(1, north_m=2000)), (3.0, report(2, north_m=-2000)))
    assert ["jump", "jump"] == [r.reason for _, r in out if isinstance(r, Rejected)]


def test_a_gap_explains_a_distance() -> None:
    """A kilometre after fifteen silent seconds is a drive, even if the receiver's time did not move with it."""
    out = play((1.0, report(0)), (16.0, report(1, north_m=1000)))
    assert 2 == len(fixes(out))


def test_a_burst_is_no_jump() -> None:
    """Ten epochs that gpsd delivered at once are judged by the receiver's time."""
    out = play(*((1.0 + n / 1000.0, report(n, north_m=30 * n)) for n in range(10)))
    assert 10 == len(fixes(out))


def test_satellites_are_counted_over_all_constellations() -> None:
    """The largest view of the epoch before counts, and an old count is not repeated for ever."""
    views = [(1.4, Sky(8)), (1.45, Sky(5)), (1.5, Sky(2))]
    out = fixes(play((1.0, report(0)), *views, (2.0, report(1)), (15.0, report(14, north_m=90))))
    assert [None, 8, None] == [fix.satellites for fix in out]


STEPS = st.tuples(
    st.floats(0.0, 3.0), st.sampled_from([None, 0.0, 1.0, 2.0, -5000.0]), st.floats(-1e4, 1e4), st.integers(0, 3)
)


@settings(deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_two_fixes_in_a_row_are_a_drivable_distance_apart_or_confirmed(
    steps: list[tuple[float, float | None, float, int]],
) -> None:
    """Any sequence of reports: nothing raises, and a jump that is shown was rejected once just before."""
    at, heard = 1.0, list[tuple[float, Tpv | Sky]]()
    for wait_s, second, north_m, mode in steps:
        at += wait_s
        heard.append((min(at, 19.0), report(second, north_m=north_m, mode=mode)))
    located: list[Fix] = []
    rejected = False
    for _, result in play(*heard):
        if isinstance(result, Rejected):
            rejected = True
        elif result.lat is not None:
            if located and not rejected:
                apart_m = abs(result.lat - (located[-1].lat or 0.0)) / METRE_DEG
                # 20 s is all the time there is, by either clock; 5 m each is their accuracy.
                assert apart_m <= 70.0 * 20.0 + 10.0 + 1.0
            located.append(result)
            rejected = False
