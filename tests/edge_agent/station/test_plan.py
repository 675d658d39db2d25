"""Which steps a call has, by day and by night, and what is refused."""

from typing import Any

import pytest

from edge_agent.station.plan import plan
from edge_agent.station.words import Plant, Step, Value
from tests.edge_agent.station.lab import FIRE, LAYOUT, ON_FOOT, POLICE, Lab
from wire.messages import CalledUnit


def steps(*units: CalledUnit, plant: Plant | None = None, **more: Any) -> dict[str, Step]:
    """The steps of a call, by name."""
    found = plan(Lab().make_call(*units, **more), LAYOUT, plant or Plant())
    return {step.name: step for step in found}


def seen(**points: bool) -> Plant:
    """A plant on which these points are active, or not."""
    return Plant(points={f"io.{name.replace('_', '-')}": Value(value, "good", 0.0) for name, value in points.items()})


def test_by_day_a_call_drives_its_own_zones_and_the_shared_ones() -> None:
    """Fire's call by day: its own sounder and the shared ones, the lights, cooker, indicator, door and exit signal."""
    assert set(steps(FIRE)) == {
        *("sounder:fire", "sounder:mess", "sounder:bays", "light:fire", "light:mess", "cooker:mess"),
        *("indicator:fire-1", "door:fire", "exit:road"),
    }


def test_by_night_a_call_wakes_only_its_own_zones() -> None:
    """The shared mess stays silent and dark by night, bays where nobody sleeps ring, and the cooker is cut off."""
    night = steps(FIRE, plant=Plant(night=True))
    assert {"sounder:fire", "sounder:bays", "light:fire", "cooker:mess"} <= set(night)
    assert not {"sounder:mess", "light:mess", "sounder:police"} & set(night)


def test_by_night_a_call_of_all_its_services_wakes_a_shared_zone() -> None:
    """Nobody who sleeps there is woken for another's call, so the mess rings."""
    assert "sounder:mess" in steps(FIRE, POLICE, plant=Plant(night=True))


def test_a_call_keeps_the_night_that_it_began_with() -> None:
    """The call's own word on whether it is night goes before the clock's."""
    assert "sounder:mess" in steps(FIRE, plant=Plant(night=True), night=False)
    assert "sounder:mess" not in steps(FIRE, plant=Plant(night=False), night=True)


def test_a_test_is_short_of_doors_cookers_and_other_peoples_zones() -> None:
    """A test from control rings zones that the called service alone owns; one by hand rings just the zones it names."""
    assert set(steps(FIRE, mode="test")) == {"sounder:fire", "light:fire", "indicator:fire-1"}
    assert set(steps(mode="test", zones=("mess",))) == {"sounder:mess", "light:mess"}


def test_named_zones_widen_no_live_call() -> None:
    """Zones are for tests: a live call that names some rings nothing for it."""
    assert not any(name.startswith("sounder:") for name in steps(FIRE, zones=("police",)))


@pytest.mark.parametrize("mode", ["live", "training"])
def test_a_training_runs_the_whole_sequence(mode: str) -> None:
    """A drill has doors and the cooker like a live call."""
    assert {"door:fire", "cooker:mess"} <= set(steps(FIRE, mode=mode))


def test_doors_wait_for_a_person_unless_the_station_and_the_order_both_say_otherwise() -> None:
    """From control only where the station has switched that on and the order asks for it."""
    asked = steps(FIRE, POLICE, open_doors=True)
    assert (asked["door:fire"].start, asked["door:police"].start) == ("acknowledged", "now")
    assert steps(POLICE)["door:police"].start == "acknowledged"


def test_a_unit_without_a_door_is_told() -> None:
    """`no_door`, by the unit's own name, and nothing to write."""
    found = steps(ON_FOOT)["door:police-9"]
    assert (found.refused, found.output) == ("no_door", "")


@pytest.mark.parametrize(
    ("plant", "step", "reason"),
    [
        (seen(d_fire_repair=True), "door:fire", "in_maintenance"),
        (seen(d_fire_hand=True), "door:fire", "manual_override"),
        (seen(d_fire_blocked=True), "door:fire", "obstructed"),
        (seen(mains_failed=True), "door:police", "mains_failed"),
        (seen(mains_failed=True, generator=True), "door:police", ""),
        (seen(mains_failed=True), "light:fire", "mains_failed"),
        (seen(s_fire_hand=True), "sounder:fire", "manual_override"),
        (seen(d_fire_blocked=False), "door:fire", ""),
    ],
)
def test_what_cannot_be_done_now_says_why(plant: Plant, step: str, reason: str) -> None:
    """Each interlock refuses its own step with its own reason, and a generator carries what needs the mains."""
    assert steps(FIRE, POLICE, plant=plant)[step].refused == reason


def test_an_interlock_of_bad_quality_is_no_yes() -> None:
    """What was not read in good quality refuses nothing by itself (a door waits for it: see the doors' tests)."""
    for value in (Value(None, "bad", 0.0), Value(True, "stale", 0.0)):
        plant = Plant(points={"io.d-fire-blocked": value})
        assert steps(FIRE, plant=plant)["door:fire"].refused == ""
