"""Doors: opened for a person or at control's asking, once, and never against what was read."""

import pytest

from edge_agent.station.words import Passed, Pulse, Record
from tests.edge_agent.station.lab import FIRE, LAYOUT, POLICE, RESET_S, TRAVEL_S, Lab, told
from wire.messages import CalledUnit

FIRE_2 = CalledUnit(unit="fire-2", callsign="F2", service="fire")
MIDWAY_S = TRAVEL_S / 2


def opened(lab: Lab) -> list[str]:
    """Which doors were pulsed."""
    return [output for output, *_ in lab.pulses]


def test_an_acknowledgement_opens_the_door() -> None:
    """Nothing moves before it. Then its row comes before the pulse, and done when the switch shows open."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(5)
    assert opened(lab) == []
    effects = lab.acknowledge()
    pulse = effects.index(Pulse("io.d-fire", 0.5))
    before = effects[pulse - 1]
    assert isinstance(before, Record) and (before.row.step, before.row.outcome) == ("door:fire", "started")
    lab.wait(1)
    assert lab.outcome("door:fire") == ("done", "")
    assert opened(lab) == ["io.d-fire"]


def test_another_units_acknowledgement_opens_only_its_own_door() -> None:
    """Police acknowledges: fire's door stays shut."""
    lab = Lab()
    lab.call(FIRE, POLICE)
    lab.acknowledge(unit="police-1")
    lab.wait(1)
    assert opened(lab) == ["io.d-police"]


def test_crew_in_the_bay_opens_the_door() -> None:
    """Presence does without an acknowledgement, and only for a call."""
    lab = Lab()
    lab.turn("d-fire-crew", True)
    assert opened(lab) == []
    lab.call(FIRE)
    assert opened(lab) == ["io.d-fire"]


def test_control_opens_only_where_the_station_lets_it() -> None:
    """Police's door opens at once for an order that asks for it, and fire's never."""
    lab = Lab()
    lab.call(FIRE, POLICE, open_doors=True)
    assert opened(lab) == ["io.d-police"]


def test_a_door_that_stands_open_is_not_pulsed() -> None:
    """A pulse might close it: it is told as done."""
    lab = Lab()
    lab.turn("d-fire-open", True)
    lab.call(FIRE)
    lab.acknowledge()
    assert opened(lab) == [] and lab.outcome("door:fire") == ("done", "")


def test_two_calls_share_one_opening() -> None:
    """Acknowledged together, or while the door still moves: one pulse, and both are told done."""
    lab = Lab()
    lab.broken = {"io.d-fire"}
    lab.call(FIRE)
    lab.call(FIRE_2, order=1)
    lab.acknowledge()
    lab.wait(MIDWAY_S)
    lab.acknowledge(order=1)
    assert lab.outcome("door:fire", order=1) == ("started", "shared")
    lab.turn("d-fire-open", True)
    assert lab.outcome("door:fire") == lab.outcome("door:fire", order=1) == ("done", "")
    assert opened(lab) == ["io.d-fire"]


def test_a_door_that_does_not_open_fails_and_is_not_tried_again() -> None:
    """`door_fail` after its travel; opened by hand later, it is told as done."""
    lab = Lab()
    lab.broken = {"io.d-fire"}
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(TRAVEL_S + 0.5)
    assert lab.outcome("door:fire") == ("failed", "door_fail")
    lab.wait(20)
    lab.turn("d-fire-open", True)
    assert lab.outcome("door:fire") == ("done", "")
    assert opened(lab) == ["io.d-fire"]


def test_a_pulse_that_nobody_answered_is_not_given_again() -> None:
    """It may have worked all the same: `no_device_response`, and one attempt."""
    lab = Lab()
    lab.dead = {"io.d-fire"}
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(TRAVEL_S * 3)
    assert lab.outcome("door:fire") == ("failed", "no_device_response")
    assert opened(lab) == ["io.d-fire"]


@pytest.mark.parametrize(
    ("point", "reason"),
    [("d-fire-repair", "in_maintenance"), ("d-fire-hand", "manual_override"), ("d-fire-blocked", "obstructed")],
)
def test_an_interlock_keeps_the_door_shut(point: str, reason: str) -> None:
    """Told at once; gone before the acknowledgement it no longer counts, and later it moves nothing by itself."""
    lab = Lab()
    lab.turn(point, True)
    assert told(lab.call(FIRE), "door:fire") == [("refused", reason)]
    lab.acknowledge()
    lab.turn(point, False)
    lab.wait(10)
    assert opened(lab) == [] and lab.outcome("door:fire") == ("refused", reason)
    lab.turn(point, True)
    lab.call(FIRE, order=1)
    lab.turn(point, False)
    lab.acknowledge(order=1)
    assert opened(lab) == ["io.d-fire"]


def test_on_battery_a_door_that_needs_the_mains_is_refused() -> None:
    """And on the generator it opens."""
    lab = Lab()
    lab.turn("mains-failed", True)
    lab.call(POLICE, open_doors=True)
    assert lab.outcome("door:police") == ("refused", "mains_failed")
    lab.turn("generator", True)
    lab.call(POLICE, order=1, open_doors=True)
    assert opened(lab) == ["io.d-police"]


@pytest.mark.parametrize("point", ["d-fire-open", "d-fire-blocked", "d-fire-repair", "d-fire-hand"])
def test_what_is_not_known_counts_as_a_reason_to_wait(point: str) -> None:
    """Bad quality is neither "not open" nor "clear": no pulse until it is read, and after the travel time it failed."""
    lab = Lab()
    lab.bad = {f"io.{point}"}
    lab.read()
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(TRAVEL_S - 1)
    assert opened(lab) == []
    lab.bad = set()
    lab.read()
    assert opened(lab) == ["io.d-fire"]
    lab.bad = {f"io.{point}"}
    lab.inputs["io.d-fire-open"] = False
    lab.call(FIRE, order=1)
    lab.wait(TRAVEL_S + 1)
    lab.acknowledge(order=1)
    lab.wait(TRAVEL_S + 1)
    assert lab.outcome("door:fire", order=1) == ("failed", "door_fail")
    assert opened(lab) == ["io.d-fire"]


def test_a_silent_slave_is_why_a_door_failed() -> None:
    """The limit switch was never read for its slave is silent: `no_device_response`."""
    lab = Lab()
    lab.bad, lab.silent = {"io.d-fire-open"}, frozenset({"io"})
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(TRAVEL_S + 1)
    assert lab.outcome("door:fire") == ("failed", "no_device_response")


def test_a_limit_switch_that_was_not_read_since_says_nothing_of_the_door() -> None:
    """The slave died with the pulse, and is not known to be silent yet: `no_device_response` all the same."""
    lab = Lab()
    lab.call(FIRE)
    lab.now_s += 0.1
    lab.acknowledge()
    lab.now_s += TRAVEL_S
    assert told(lab.happen(Passed()), "door:fire") == [("failed", "no_device_response")]
    assert opened(lab) == ["io.d-fire"]


def test_a_revision_does_not_open_the_door_again() -> None:
    """The order's door was tried: a higher revision takes over what became of it, even when the door is shut again."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(1)
    lab.turn("d-fire-open", False)
    lab.call(FIRE, revision=2)
    lab.acknowledge()
    lab.wait(1)
    assert lab.outcome("door:fire", revision=2) == ("done", "")
    assert opened(lab) == ["io.d-fire"]


def test_a_cancel_waits_for_the_door_and_opens_none() -> None:
    """A door on its way is followed to its end before the last rows; one that waited for a person stays shut."""
    lab = Lab()
    lab.broken = {"io.d-fire"}
    lab.call(FIRE, POLICE)
    lab.acknowledge(unit="fire-1")
    lab.cancel()
    assert lab.outcome(revision=2) == ("accepted", "")
    lab.wait(TRAVEL_S + 0.5)
    assert lab.outcome("door:fire") == ("failed", "door_fail")
    assert lab.outcome() == ("done", "cancelled") and lab.outcome(revision=2) == ("done", "")
    assert lab.acknowledge() == [] and opened(lab) == ["io.d-fire"]


def test_a_cancelled_call_opens_no_other_door() -> None:
    """While one door of it is still on its way, crew in another bay opens nothing."""
    lab = Lab()
    lab.broken = {"io.d-police"}
    lab.call(FIRE, POLICE)
    lab.acknowledge(unit="police-1")
    lab.cancel()
    lab.turn("d-fire-crew", True)
    lab.wait(1)
    assert lab.station.live and opened(lab) == ["io.d-police"]


def test_the_exit_signal_is_lit_while_the_unit_leaves() -> None:
    """From the acknowledgement for its own time, told as proved, and not before."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    assert "io.exit" not in lab.on()
    lab.acknowledge()
    lab.wait(7.5)
    assert "io.exit" in lab.on() and lab.outcome("exit:road") == ("done", "")
    lab.wait(1)
    assert "io.exit" not in lab.on()


def test_an_exit_signal_is_lit_even_where_the_door_is_refused() -> None:
    """The crew opens by hand and leaves all the same."""
    lab = Lab()
    lab.turn("d-fire-hand", True)
    lab.call(FIRE)
    lab.acknowledge()
    assert "io.exit" in lab.on()


def test_nothing_here_ever_closes_a_door() -> None:
    """Through a whole call no door's output is written, and it is pulsed once."""
    lab = Lab()
    lab.call(FIRE, POLICE, open_doors=True)
    lab.acknowledge()
    lab.wait(RESET_S + 10)
    doors = {door.output for door in LAYOUT.doors}
    assert not doors & lab.outputs.keys() and sorted(opened(lab)) == ["io.d-fire", "io.d-police"]
