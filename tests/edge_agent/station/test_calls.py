"""A call from its coming in to its end, at a station that works."""

import pytest

from edge_agent.station.machine import in_hand
from edge_agent.station.words import Acknowledged, Called, Record, TellAcknowledged
from tests.edge_agent.station.lab import (
    EXPIRES_S,
    FIRE,
    ON_FOOT,
    ORDERS,
    POLICE,
    RESET_S,
    TRAVEL_S,
    Lab,
    told,
    written,
)


def test_a_call_sounds_is_proved_and_ends() -> None:
    """Accepted first, then everything is on within one read and told; after the reset all but the cooker is off."""
    lab = Lab()
    effects = lab.call(FIRE)
    assert isinstance(effects[0], Record) and effects[0].row.outcome == "accepted"
    assert effects[0].row.call is not None and effects[0].row.call.night is False
    lab.wait(0.5)
    for step in ("sounder:fire", "sounder:mess", "light:fire", "cooker:mess", "indicator:fire-1"):
        assert lab.outcome(step) == ("done", "")
    lab.acknowledge()
    lab.wait(RESET_S)
    assert lab.on() == {"io.cooker"}
    assert lab.outcome() == ("done", "")
    assert not in_hand(lab.station)


def test_every_step_is_named_before_any_is_done() -> None:
    """Each level is told as started before the first is done, so that control knows what it waits for."""
    lab = Lab()
    started = {each.row.step for each in lab.call(FIRE) if isinstance(each, Record) and each.row.outcome == "started"}
    assert started == {"sounder:fire", "sounder:mess", "sounder:bays", "light:fire", "light:mess"} | {
        "cooker:mess",
        "indicator:fire-1",
    }


def test_sounders_stop_when_all_its_units_are_acknowledged() -> None:
    """One of two units is not enough; the lights stay on until the reset."""
    lab = Lab()
    lab.call(FIRE, POLICE)
    lab.acknowledge(unit="fire-1")
    lab.wait(0.5)
    assert "io.s-fire" in lab.on()
    effects = lab.acknowledge(unit="police-1")
    assert ("io.s-fire", False) in written(effects)
    assert TellAcknowledged(order=ORDERS[0], revision=1, by="panel", unit="police-1") in effects
    lab.wait(1)
    assert {"io.l-fire", "io.i-fire"} <= lab.on() and not {"io.s-fire", "io.s-mess"} & lab.on()


def test_an_acknowledgement_counts_once() -> None:
    """The same word again, or for a unit that is not called, tells nothing."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    assert lab.acknowledge() == [] == lab.acknowledge(unit="fire-1")
    lab.call(POLICE, order=1)
    assert lab.acknowledge(order=1, unit="fire-1") == []


def test_the_wired_button_acknowledges_when_it_is_pressed() -> None:
    """Read as up and then as down it acknowledges every order; held down since the start it says nothing."""
    lab = Lab()
    lab.call(FIRE)
    effects = lab.press("button")
    assert TellAcknowledged(order=ORDERS[0], revision=1, by="manual_input", unit=None) in effects
    lab.inputs["io.button"] = True
    lab.restart()
    lab.call(FIRE, order=1)
    lab.wait(1)
    assert lab.outcome("acknowledge", order=1) == (None, "")


def test_a_services_button_acknowledges_for_its_own_units() -> None:
    """Fire's button takes fire's unit in, and police's call goes on sounding."""
    lab = Lab()
    lab.call(FIRE)
    lab.call(POLICE, order=1)
    lab.press("button-fire")
    assert lab.outcome("acknowledge:fire-1")[0] == "done"
    assert "io.s-police" in lab.on() and "io.s-fire" not in lab.on()


def test_an_alert_stops_when_it_expires() -> None:
    """Unacknowledged, the sounders stop at the expiry; at the reset the order ends and says that nobody took it in."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(EXPIRES_S + 1)
    assert not {"io.s-fire", "io.s-mess"} & lab.on() and "io.l-fire" in lab.on()
    lab.wait(RESET_S)
    assert lab.outcome() == ("done", "not_acknowledged")
    assert lab.outcome("door:fire") == ("expired", "not_acknowledged")


def test_a_call_that_has_expired_does_nothing() -> None:
    """It is told as expired, and nothing is written."""
    lab = Lab()
    effects = lab.happen(Called(lab.make_call(FIRE, expires_s=lab.now_s)))
    assert lab.outcome() == ("expired", "") and written(effects) == []


def test_a_cancel_ends_its_levels_at_once_and_both_revisions() -> None:
    """Everything but the cooker goes off in the same breath, and both revisions have their last row."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    lab.cancel()
    assert lab.on() == {"io.cooker"}
    assert lab.outcome() == ("done", "cancelled") and lab.outcome(revision=2) == ("done", "")


def test_what_came_before_does_nothing_after_a_cancel() -> None:
    """A cancel overtakes its order: the order that comes late, or again, rings nothing."""
    lab = Lab()
    lab.cancel()
    assert lab.call(FIRE) == [] and lab.cancel() == []
    assert lab.outcome(revision=2) == ("done", "not_live")


def test_a_higher_revision_takes_the_place_of_the_lower() -> None:
    """The lower one ends as superseded; the units of the new one are called, and must acknowledge."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(1)
    lab.call(POLICE, revision=2)
    lab.wait(1)
    assert lab.outcome() == ("done", "superseded")
    assert lab.on() >= {"io.s-police", "io.s-mess"} and "io.i-fire" not in lab.on()


def test_two_services_at_once_each_keep_what_is_theirs() -> None:
    """Police's end silences police's zone and never fire's, nor what both still share."""
    lab = Lab()
    lab.call(FIRE)
    lab.call(POLICE, order=1)
    lab.wait(1)
    lab.cancel(order=1)
    assert {"io.s-fire", "io.s-mess", "io.s-bays", "io.l-mess"} <= lab.on()
    assert "io.s-police" not in lab.on()


def test_an_emergency_tone_goes_before_a_routine_one() -> None:
    """Whichever came first; and a standby move is routine whatever it says."""
    lab = Lab()
    lab.call(FIRE, action="standby_move")
    assert lab.outputs["io.tone"] == 2
    lab.call(FIRE, order=1)
    assert lab.outputs["io.tone"] == 1
    lab.call(FIRE, order=2, priority="routine")
    assert lab.outputs["io.tone"] == 1
    lab.acknowledge(order=1)
    assert lab.outputs["io.tone"] == 2


def test_the_level_rises_and_does_not_fall_when_another_call_joins() -> None:
    """30 at once, 60 after 3 s, and a second call does not begin the ramp again; tone and level precede the sounder."""
    lab = Lab()
    assert [output for output, _ in written(lab.call(FIRE))][:3] == ["io.tone", "io.level", "io.s-fire"]
    assert lab.outputs["io.level"] == 30
    lab.wait(3.25)
    lab.call(FIRE, order=1)
    lab.acknowledge()
    lab.wait(0.5)
    assert lab.outputs["io.level"] == 60


def test_a_test_sounds_five_seconds() -> None:
    """Its own tone, and then silence and its last row."""
    lab = Lab()
    lab.call(mode="test", zones=("fire",))
    assert lab.outputs["io.tone"] == 9
    lab.wait(4.75)
    assert "io.s-fire" in lab.on()
    lab.wait(0.5)
    assert lab.on() == set() and lab.outcome() == ("done", "")


def test_a_test_gives_way_to_a_live_call() -> None:
    """It ends when one comes in, and is refused while one is in hand."""
    lab = Lab()
    lab.call(mode="test", zones=("police",))
    lab.call(FIRE, order=1)
    assert lab.outcome() == ("done", "live_call") and "io.s-police" not in lab.on()
    lab.call(mode="test", zones=("police",), order=2)
    assert lab.outcome(order=2) == ("refused", "live_call") and "io.s-police" not in lab.on()


def test_a_unit_without_a_door_is_told_at_once() -> None:
    """Control hears `no_door` with the first receipts."""
    lab = Lab()
    assert told(lab.call(ON_FOOT), "door:police-9") == [("refused", "no_door")]


def test_a_chattering_proof_is_no_flood() -> None:
    """A proof that comes and goes is told six times, the last as unsteady, however long it goes on."""
    lab = Lab()
    lab.call(FIRE)
    effects = []
    for _ in range(8):
        lab.broken = set() if lab.broken else {"io.l-mess"}
        effects += lab.wait(1.75)
    found = told(effects, "light:mess")
    assert len(found) == 5 and found[-1] == ("failed", "unsteady")


def test_a_flood_of_orders_is_refused() -> None:
    """Past the bound an order is refused by name, so that what is in hand goes on."""
    lab = Lab()
    for number in range(51):
        order = f"00000000-0000-4000-9000-{number:012d}"
        call = lab.make_call(POLICE)
        effects = lab.happen(
            Called(type(call)(**{**{f: getattr(call, f) for f in call.__struct_fields__}, "order": order}))
        )
    assert told(effects, "") == [("refused", "too_many_calls")]


@pytest.mark.parametrize("order", ["", "nobody"])
def test_an_acknowledgement_of_nothing_says_nothing(order: str) -> None:
    """No order in hand: no effect."""
    assert Lab().happen(Acknowledged(order=order, by="panel")) == []


def test_an_order_is_acknowledged_after_its_alert_has_expired() -> None:
    """A crew that comes late still has its door opened."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(EXPIRES_S + 5)
    lab.acknowledge()
    lab.wait(TRAVEL_S)
    assert lab.outcome("door:fire") == ("done", "")
