"""The station's own alarms."""

from edge_agent.station.alarms import CLEAR_AFTER_S
from tests.edge_agent.station.lab import FIRE, LEFT_OPEN_S, RESET_S, Lab

RAISED, CLEARED = ("mains_failed", "", True), ("mains_failed", "", False)
OPEN, SHUT = ("bay_left_open", "fire", True), ("bay_left_open", "fire", False)


def test_the_first_reading_after_a_start_is_told_either_way() -> None:
    """An alarm that an earlier run had raised may be gone: control hears how it is."""
    assert set(Lab().alarms()) == {CLEARED, SHUT, ("bay_left_open", "police", False)}


def test_the_mains_are_told_when_they_fail_and_when_they_are_back() -> None:
    """Raised at once, cleared when they have been back for a while: a chattering relay is no flood."""
    lab = Lab()
    for _ in range(10):
        lab.turn("mains-failed", True)
        lab.turn("mains-failed", False)
        lab.wait(1)
    assert lab.alarms()[3:] == [RAISED]
    lab.wait(CLEAR_AFTER_S)
    assert lab.alarms()[3:] == [RAISED, CLEARED]


def test_an_input_of_bad_quality_changes_no_alarm() -> None:
    """Neither raised nor cleared by what was not read."""
    lab = Lab()
    lab.turn("mains-failed", True)
    lab.bad = {"io.mains-failed"}
    lab.wait(20)
    assert lab.alarms()[3:] == [RAISED]


def test_a_bay_left_open_is_told_when_no_call_needs_it() -> None:
    """Not during the call, nor before its time; cleared when it is shut."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(RESET_S + LEFT_OPEN_S - 2)
    assert OPEN not in lab.alarms()
    lab.wait(5)
    assert lab.alarms()[-1] == OPEN
    lab.turn("d-fire-open", False)
    lab.wait(CLEAR_AFTER_S + 1)
    assert lab.alarms()[-1] == SHUT
