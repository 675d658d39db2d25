"""What the vehicle remembers of its readings, and what it says must be committed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decode.readings import Fix, InputValue, Press, Reading, SourceFault
from edge_agent.state.debounce import STUCK_AFTER_S, Debounce
from edge_agent.state.reporting import ReportRules
from edge_agent.state.vehicle import (
    GNSS_AGREES_S,
    GNSS_HOLDS_S,
    PRESS_FIX_S,
    Declare,
    Effect,
    Now,
    ReportFix,
    ReportInput,
    Vehicle,
    apply,
    clock_source,
    note_position_committed,
    note_stuck,
    position_age,
)

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
LOST = Fix(mode="none")


def now(mono_s: float) -> Now:
    """Both clocks, so many seconds after noon and after the start."""
    return Now(NOON + timedelta(seconds=mono_s), mono_s)


def fix(lat: float = 51.0, *, off_s: float | None = None, mono_s: float = 0.0, speed_mps: float = 0.0) -> Fix:
    """A fix whose receiver's time is `off_s` off the wall clock at `mono_s`; without, it gives no time."""
    said = None if off_s is None else now(mono_s).utc + timedelta(seconds=off_s)
    return Fix(mode="3d", lat=lat, lon=0.5, speed_mps=speed_mps, gnss_time=said)


def vehicle() -> Vehicle:
    """A vehicle that has read nothing yet."""
    return Vehicle(rules=ReportRules(), debounce=Debounce(0.05))


def after(*readings: tuple[float, Reading]) -> tuple[Vehicle, list[tuple[float, Effect]]]:
    """The vehicle after these readings, and all that had to be committed, each with its moment."""
    state, effects = vehicle(), list[tuple[float, Effect]]()
    for mono_s, reading in readings:
        state, found = apply(state, reading, now(mono_s))
        effects += [(mono_s, effect) for effect in found]
    return state, effects


def test_a_press_declares_once() -> None:
    """However the contact bounces and however long it is held, one push is one status."""
    edges = [(1.0, True), (1.001, False), (1.002, True), (9.0, False), (9.001, True), (9.002, False)]
    assert [(1.0, Declare("b3"))] == after(*((at_s, Press("b3", down)) for at_s, down in edges))[1]


def test_a_second_push_declares_again() -> None:
    """Pushing again is another press, also of the same button."""
    edges = [(1.0, True), (1.2, False), (2.0, True)]
    assert [1.0, 2.0] == [at_s for at_s, _ in after(*((at_s, Press("b3", down)) for at_s, down in edges))[1]]


def test_a_press_reports_the_position_too() -> None:
    """Where a unit says that it is on scene, control is told at once where that is, not at the next interval."""
    here = fix(51.0001)
    _, effects = after((1.0, fix()), (2.0, here), (2.5, Press("b3", True)))
    assert [(2.5, Declare("b3")), (2.5, ReportFix(here))] == effects[1:]


@pytest.mark.parametrize(("age_s", "reported"), [(PRESS_FIX_S, True), (PRESS_FIX_S + 0.1, False)])
def test_a_press_reports_no_old_position(age_s: float, reported: bool) -> None:
    """A fix from before the receiver fell silent is not told as the place of the press."""
    _, effects = after((1.0, fix()), (2.0, fix(51.0001)), (2.0 + age_s, Press("b3", True)))
    assert reported == isinstance(effects[-1][1], ReportFix)


def test_a_press_without_a_fix_is_a_press() -> None:
    """No receiver, or none that sees the sky, never keeps a status back."""
    press = Press("b3", True)
    assert [(1.0, Declare("b3"))] == after((1.0, press))[1]
    assert [(1.0, ReportFix(LOST)), (2.0, Declare("b3"))] == after((1.0, LOST), (2.0, press))[1]


def test_a_press_does_not_report_the_same_fix_twice() -> None:
    """Two presses at one fix commit one position."""
    _, effects = after((1.0, fix()), (1.5, Press("b3", True)), (1.6, Press("b4", True)))
    assert ["ReportFix", "Declare", "Declare"] == [type(effect).__name__ for _, effect in effects]


def test_a_released_button_does_nothing() -> None:
    """Letting go is not a press."""
    assert [] == after((1.0, Press("b3", False)))[1]


def test_a_stuck_button_is_named_once() -> None:
    """A jammed button is reported, and not again and again."""
    state, _ = after((1.0, Press("b3", True)))
    state, early = note_stuck(state, now(1.0 + STUCK_AFTER_S))
    state, named = note_stuck(state, now(1.1 + STUCK_AFTER_S))
    assert ((), ("b3",), ()) == (early, named, note_stuck(state, now(90.0))[1])


def test_positions_are_reported_by_the_rules() -> None:
    """The first fix, not the same again, the loss of it, and its return."""
    readings: list[tuple[float, Reading]] = [(1.0, fix()), (2.0, fix()), (3.0, LOST), (4.0, LOST), (5.0, fix())]
    assert [(1.0, ReportFix(fix())), (3.0, ReportFix(LOST)), (5.0, ReportFix(fix()))] == after(*readings)[1]


def test_an_input_is_reported_when_it_changes() -> None:
    """The same value is no news; another value or another quality is. Inputs do not mix."""
    on, off = InputValue("ignition", True), InputValue("ignition", False)
    bad = InputValue("ignition", None, "bad")
    other = InputValue("blue-lights", True)
    _, effects = after(*((float(at), each) for at, each in enumerate([on, on, other, off, bad, bad, on])))
    assert [ReportInput(each) for each in (on, other, off, bad, on)] == [effect for _, effect in effects]


def test_faults_stand_until_they_heal() -> None:
    """Each source's fault is kept, the newest text of it, until that source heals; it is nothing to commit."""
    faults = [SourceFault("gpsd", "silent"), SourceFault("panel", "gone"), SourceFault("gpsd", "refused")]
    state, effects = after(*((float(at), each) for at, each in enumerate(faults)))
    assert ({"gpsd": "refused", "panel": "gone"}, []) == (dict(state.faults), effects)
    healed, _ = apply(state, SourceFault("gpsd", ""), now(5.0))
    assert {"panel": "gone"} == dict(healed.faults)
    assert {"panel": "gone"} == dict(apply(healed, SourceFault("modbus", ""), now(6.0))[0].faults)


@pytest.mark.parametrize(
    ("off_s", "source"),
    [(0.0, "gnss"), (GNSS_AGREES_S, "gnss"), (-GNSS_AGREES_S, "gnss"), (2.1, "none"), (-2.1, "none"), (None, "none")],
)
def test_the_receiver_vouches_for_a_clock_that_agrees_with_it(off_s: float | None, source: str) -> None:
    """Only a wall clock near the receiver's time is said to be disciplined by it, whichever way it is off."""
    state, _ = after((10.0, fix(off_s=off_s, mono_s=10.0)))
    assert source == clock_source(state, False, 10.0)


@pytest.mark.parametrize(
    ("held_s", "kernel", "source"), [(60.0, False, "gnss"), (60.1, False, "none"), (60.1, True, "ntp")]
)
def test_the_receivers_word_holds_for_a_while(held_s: float, kernel: bool, source: str) -> None:
    """Through a tunnel the clock is still good; after that only the kernel's own synchronisation counts."""
    state, _ = after((10.0, fix(off_s=0.0, mono_s=10.0)), (11.0, LOST))
    assert GNSS_HOLDS_S == 60.0 and source == clock_source(state, kernel, 10.0 + held_s)


@pytest.mark.parametrize("kernel", [False, True])
def test_a_clock_that_the_receiver_contests_is_vouched_for_by_nobody(kernel: bool) -> None:
    """A clock that was stepped loses the receiver's word at the next fix, whatever the kernel says, till they agree."""
    state, _ = after((10.0, fix(off_s=0.0, mono_s=10.0)), (11.0, fix(off_s=30.0, mono_s=11.0)), (12.0, LOST))
    assert "none" == clock_source(state, kernel, 12.0)
    healed, _ = apply(state, fix(off_s=0.0, mono_s=13.0), now(13.0))
    assert "gnss" == clock_source(healed, kernel, 13.0)


def test_a_receiver_without_a_fix_vouches_for_nothing() -> None:
    """The time of a receiver that has no fix is its own battery clock."""
    state, _ = after((10.0, Fix(mode="none", gnss_time=now(10.0).utc)))
    assert "none" == clock_source(state, False, 10.0)


def test_a_position_has_an_age_once_it_is_committed() -> None:
    """The heartbeat names a position by its sequence; before it has one there is nothing to name."""
    here = fix()
    state, _ = after((10.0, here))
    assert position_age(state, 11.0) is None
    committed = note_position_committed(state, here, 42)
    assert (42, 1_001) == position_age(committed, 11.0)


def test_the_age_is_that_of_the_newest_fix_that_agrees() -> None:
    """Parked, each fix nearby renews the standing position; one elsewhere, not yet worth a report, does not."""
    here = fix()
    state, _ = after((10.0, here))
    state, _ = apply(note_position_committed(state, here, 42), fix(51.0001), now(12.0))
    assert (42, 1) == position_age(state, 12.0)
    state, effects = apply(state, fix(51.0008), now(14.9))
    assert () == effects and (42, 3_001) == position_age(state, 15.0)


def test_the_commit_of_an_older_position_is_not_taken_for_the_newer_ones() -> None:
    """While one position is being committed another may already stand: its sequence is not yet known."""
    first, second = fix(), fix(52.0)
    state, _ = after((10.0, first), (11.0, second))
    assert position_age(note_position_committed(state, first, 42), 12.0) is None
    assert (43, 1_001) == position_age(note_position_committed(state, second, 43), 12.0)


def test_no_fix_has_no_age() -> None:
    """A report that there is no position says where nothing is, so nothing can be near it."""
    state, _ = after((10.0, LOST))
    assert position_age(note_position_committed(state, LOST, 42), 11.0) is None
    assert vehicle() == note_position_committed(vehicle(), LOST, 1)


@given(st.floats(0, 1e6), st.floats(0, 1e5))
def test_an_age_is_never_understated(seen_s: float, later_s: float) -> None:
    """The cloud believes the age: it is rounded up to whole milliseconds."""
    here = fix()
    state, _ = apply(vehicle(), here, now(seen_s))
    age = position_age(note_position_committed(state, here, 1), seen_s + later_s)
    assert age is not None and later_s * 1000 - 0.001 <= age[1] <= later_s * 1000 + 1.001


def test_the_age_of_a_pressed_position_counts_from_its_fix() -> None:
    """A position that a press reports is as old as the fix, not as the press."""
    here = fix(51.0001)
    state, _ = after((1.0, fix()), (2.0, here), (6.0, Press("b3", True)))
    assert (7, 4_001) == position_age(note_position_committed(state, here, 7), 6.0)
