"""Why a device must not be updated now: never while mobile or on an order, and never while that is not known."""

from typing import Any

import pytest
from msgspec.structs import replace

from edge_agent.config import load_scheme
from edge_agent.decode.readings import Fix, InputValue
from edge_agent.state.busy import FIX_HOLDS_S, Seen, Sensors, why_busy
from wire.scheme import Code

SCHEMES = ("uk-fire-gd92", "uk-ambulance", "uk-police-state", "de-bos-fms", "nz-fire-k", "eido-secondary")
VEHICLE = Sensors(receiver=True, inputs=("ignition", "power_fail"))
STATION = Sensors(receiver=False)


def row(scheme: str, code: str) -> Code:
    """A status of a packaged scheme."""
    found = load_scheme(scheme).code(code)
    assert found is not None
    return found


AT_BASE = row("uk-fire-gd92", "4")
PARKED = Fix(mode="3d", lat=51.0, lon=0.5, speed_mps=0.2)
AT_REST = Seen(
    fix=PARKED,
    inputs={"ignition": InputValue("ignition", False), "power_fail": InputValue("power_fail", False)},
    statuses={"kfrs-14p1": (AT_BASE, AT_BASE)},
)


def busy(**changed: Any) -> tuple[str, ...]:
    """Why a vehicle is busy that is at rest but for this."""
    return why_busy(VEHICLE, replace(AT_REST, **changed))


def inputs(**changed: InputValue | None) -> dict[str, InputValue]:
    """The inputs of a vehicle at rest, with these in the place of theirs; None: not heard of."""
    found = {**AT_REST.inputs, **changed}
    return {name: value for name, value in found.items() if value is not None}


def test_a_vehicle_at_rest_at_its_base_may_be_updated() -> None:
    """Parked, ignition off, available at base, nothing in hand and nothing unsettled: no reason is left."""
    assert why_busy(VEHICLE, AT_REST) == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"fix": replace(PARKED, speed_mps=5.0)}, "the vehicle moves, at 18 km/h"),
        ({"fix": replace(PARKED, speed_mps=1.0)}, "the vehicle moves, at 4 km/h"),
        ({"inputs": inputs(ignition=InputValue("ignition", True))}, "the ignition is on"),
        ({"inputs": inputs(ignition=InputValue("ignition", None, "bad"))}, "whether the ignition is on is not known"),
        ({"inputs": inputs(ignition=None)}, "whether the ignition is on is not known"),
        (
            {"inputs": inputs(power_fail=InputValue("power_fail", True))},
            "the supply has failed and the hold-up store is in use",
        ),
        ({"inputs": inputs(power_fail=InputValue("power_fail", None, "bad"))}, "whether the supply holds is not known"),
        ({"statuses": {"kfrs-14p1": ()}}, "what kfrs-14p1 is at is not known"),
        ({"statuses": {"kfrs-14p1": (AT_BASE, None)}}, "what kfrs-14p1 is at is not known"),
        ({"orders": 1}, "an order stands here"),
        ({"orders": 3}, "3 orders stand here"),
        ({"emergency": True}, "an emergency was raised here and is not over"),
        ({"unsettled": 1}, "1 event has not reached control yet"),
        ({"unsettled": 2}, "2 events have not reached control yet"),
    ],
)
def test_each_reason_stands_alone(changed: dict[str, Any], reason: str) -> None:
    """One thing that is not at rest, or not known, is one reason in words."""
    assert busy(**changed) == (reason,)


@pytest.mark.parametrize(
    "fix", [None, Fix(mode="none"), replace(PARKED, speed_mps=None)], ids=["no reading", "no fix", "no speed"]
)
def test_without_a_fix_the_ignition_decides(fix: Fix | None) -> None:
    """In a garage there is no fix: with the ignition off the vehicle stands; on, or not known, it may be moving."""
    moves = "whether the vehicle moves is not known: there is no newer fix with a speed"
    assert busy(fix=fix) == ()
    assert moves in busy(fix=fix, inputs=inputs(ignition=InputValue("ignition", True)))
    assert moves in busy(fix=fix, inputs=inputs(ignition=InputValue("ignition", None, "bad")))
    assert why_busy(Sensors(receiver=True), replace(AT_REST, fix=fix, inputs={})) == (moves,)


def test_an_old_fix_says_nothing() -> None:
    """A fix counts for half a minute; then it neither says that the vehicle moves nor that it stands."""
    fast = replace(PARKED, speed_mps=20.0)
    assert busy(fix=fast, fix_age_s=FIX_HOLDS_S) == ("the vehicle moves, at 72 km/h",)
    assert busy(fix=fast, fix_age_s=FIX_HOLDS_S + 0.1) == ()
    on = inputs(ignition=InputValue("ignition", True))
    assert len(busy(fix_age_s=FIX_HOLDS_S + 0.1, inputs=on)) == 2


def test_what_a_device_has_no_sensor_for_is_no_reason() -> None:
    """A station has no receiver and no ignition: nobody waits for what it can never know."""
    seen = replace(AT_REST, fix=None, inputs={})
    assert why_busy(STATION, seen) == ()
    assert why_busy(Sensors(receiver=True), replace(seen, fix=PARKED)) == ()


def test_one_unit_that_is_out_keeps_the_station_busy() -> None:
    """A device that speaks for several units is busy with each of them."""
    seen = replace(AT_REST, statuses={"p1": (AT_BASE,), "a1": (row("uk-ambulance", "at_scene"),)})
    assert why_busy(STATION, seen) == ("a1 is not at its base: its status is at_scene At scene",)


def test_control_s_word_counts_beside_the_last_press() -> None:
    """Pressed at base, sent by voice since: control shows it mobile, and that is enough."""
    mobile = row("uk-fire-gd92", "1")
    for rows in ((AT_BASE, mobile), (mobile, AT_BASE)):
        assert busy(statuses={"kfrs-14p1": rows}) == (
            "kfrs-14p1 is not at its base: its status is 1 Mobile to incident",
        )


def test_every_status_of_every_scheme_is_judged() -> None:
    """Only a status that says base, off duty or home lets a device be updated; of all packaged schemes it is these."""
    at_rest = {
        (name, code.code)
        for name in SCHEMES
        for code in load_scheme(name).codes
        if not code.event and not busy(statuses={"u": (code,)})
    }
    assert at_rest == {
        *(("uk-fire-gd92", code) for code in ("4", "7", "34", "37")),
        *(("uk-ambulance", code) for code in ("at_base", "off_duty")),
        ("uk-police-state", "11"),
        ("de-bos-fms", "2"),
        *(("nz-fire-k", code) for code in ("K7", "K8")),
        *(("eido-secondary", code) for code in ("Station", "OffDuty")),
    }


@pytest.mark.parametrize("changed", [{"mobile": True}, {"activity": "assigned"}, {"activity": "mobile"}])
def test_a_site_s_status_at_base_that_is_on_an_order_is_busy(changed: dict[str, Any]) -> None:
    """A site may say that a crew is at base and already called: the place alone decides nothing."""
    assert len(busy(statuses={"u": (replace(AT_BASE, **changed),)})) == 1
