"""Levels: proved by what is read back, asserted again when they drop, and left to a person who holds them."""

from edge_agent.station.layout import parse_layout
from edge_agent.station.levels import REASSERT_S
from edge_agent.station.parts import Layout
from edge_agent.station.words import CookerReset, Passed
from tests.edge_agent.station.lab import EXPIRES_S, FIRE, POLICE, RESET_S, TEXT, Lab, told, written

HELD = 'id = "mess", zone = "mess", override = "io.s-fire-hand", output = '


def test_what_does_not_prove_itself_has_failed_within_a_second() -> None:
    """Each kind by its own reason, as soon as its time is over; the others are done."""
    lab = Lab()
    lab.broken = {"io.l-mess", "io.cooker", "io.i-fire", "io.s-bays"}
    lab.call(FIRE)
    lab.wait(0.75)
    assert lab.outcome("light:mess") == ("started", "")
    lab.wait(0.25)
    assert lab.outcome("light:mess") == ("failed", "lights_fail")
    assert lab.outcome("cooker:mess") == ("failed", "cooker_fail")
    assert lab.outcome("indicator:fire-1") == ("failed", "indicator_fail")
    assert lab.outcome("sounder:bays") == ("failed", "sounder_fail")
    assert lab.outcome("sounder:fire") == ("done", "")


def test_a_step_that_proves_itself_later_is_told_as_done() -> None:
    """A failure is not the last word."""
    lab = Lab()
    lab.broken = {"io.l-mess"}
    lab.call(FIRE)
    lab.wait(3)
    lab.broken = set()
    lab.wait(0.5)
    assert lab.outcome("light:mess") == ("done", "")


def test_a_proof_of_bad_quality_proves_nothing() -> None:
    """The last good value does not stand in for it."""
    lab = Lab()
    lab.bad = {"io.l-mess-on"}
    lab.call(FIRE)
    lab.wait(2)
    assert lab.outcome("light:mess") == ("failed", "lights_fail")


def test_a_proof_from_before_the_call_proves_nothing() -> None:
    """The point was read as on before the write: done is told only by a read that came later."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    lab.cancel()
    lab.now_s += 0.1
    lab.call(FIRE, order=1)
    assert lab.outcome("light:mess", order=1) == ("started", "")
    lab.broken = {"io.l-mess"}
    lab.wait(1.5)
    assert lab.outcome("light:mess", order=1) == ("failed", "lights_fail")


def test_a_dropped_level_is_asserted_again() -> None:
    """A relay that fell off is written again, not more than every two seconds, and told when it stays off."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(4)
    lab.broken = {"io.l-mess"}
    lab.outputs["io.l-mess"] = False
    effects = lab.wait(REASSERT_S * 3)
    assert 2 <= written(effects).count(("io.l-mess", True)) <= 3
    assert told(effects, "light:mess") == [("failed", "lights_fail")]
    lab.broken = set()
    assert told(lab.wait(1), "light:mess") == [("done", "")]


def test_a_level_that_dropped_after_the_expiry_is_left() -> None:
    """Nothing is asserted again for an alert that has expired."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(EXPIRES_S + 1)
    lab.outputs["io.l-mess"] = False
    assert ("io.l-mess", True) not in written(lab.wait(10))


def test_a_write_that_is_not_answered_fails_and_is_tried_again() -> None:
    """`no_device_response` at once; when the slave answers again, the alert goes on and is told as done."""
    lab = Lab()
    lab.dead = {"io.s-fire"}
    lab.call(FIRE)
    assert lab.outcome("sounder:fire") == ("failed", "no_device_response")
    assert len([each for each in written(lab.wait(10)) if each[0] == "io.s-fire"]) <= 5
    lab.dead = set()
    lab.wait(REASSERT_S + 0.5)
    assert "io.s-fire" in lab.on() and lab.outcome("sounder:fire") == ("done", "")


def test_a_silent_slave_has_failed_at_once() -> None:
    """Known to be silent: control hears it with the first receipts, and not a second later."""
    lab = Lab()
    lab.silent, lab.bad = frozenset({"io"}), {"io.s-fire-on"}
    lab.read()
    assert told(lab.call(FIRE), "sounder:fire") == [("started", ""), ("failed", "no_device_response")]


def test_a_proof_that_was_not_read_in_time_says_nothing_of_the_part() -> None:
    """A slave that dies as the call comes in is not known to be silent yet: `no_device_response` all the same."""
    lab = Lab()
    lab.now_s += 0.1
    lab.call(FIRE)
    lab.now_s += 1.0
    effects = lab.happen(Passed())
    assert told(effects, "sounder:fire") == told(effects, "light:fire") == [("failed", "no_device_response")]
    assert told(lab.read(), "sounder:fire") == [("done", "")]


def test_a_sounder_is_turned_off_even_if_the_first_write_of_it_is_lost() -> None:
    """An off that was not answered is written until the output is read as off."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    lab.dead = {"io.s-fire"}
    lab.cancel()
    lab.wait(10)
    assert "io.s-fire" in lab.on()
    lab.dead = set()
    lab.wait(REASSERT_S + 0.5)
    assert lab.on() == {"io.cooker"}


def test_what_a_person_holds_is_left_alone_and_asserted_when_released() -> None:
    """Refused as `manual_override` and not written while held; released, it sounds and is told as done."""
    lab = Lab()
    lab.turn("s-fire-hand", True)
    effects = lab.call(FIRE) + lab.wait(5)
    assert not {"io.s-fire", "io.tone", "io.level"} & {output for output, _ in written(effects)}
    assert lab.outcome("sounder:fire") == ("refused", "manual_override")
    lab.turn("s-fire-hand", False)
    lab.wait(0.5)
    assert "io.s-fire" in lab.on() and lab.outcome("sounder:fire") == ("done", "")


def test_time_under_manual_control_is_not_held_against_a_step() -> None:
    """Taken over before its proof and released much later: it is told as done, and never as failed."""
    lab = Lab()
    lab.call(FIRE)
    lab.outputs["io.s-fire"] = False
    lab.turn("s-fire-hand", True)
    effects = lab.wait(5) + lab.turn("s-fire-hand", False) + lab.wait(1)
    assert told(effects, "sounder:fire") == [("done", "")]


def test_what_a_person_took_over_is_not_turned_off() -> None:
    """Held when the call ends: left as it is, and turned off when it is released."""
    lab = Lab()
    lab.call(FIRE)
    lab.turn("s-fire-hand", True)
    lab.cancel()
    lab.wait(5)
    assert "io.s-fire" in lab.on()
    lab.turn("s-fire-hand", False)
    assert "io.s-fire" not in lab.on()


def test_on_battery_what_needs_the_mains_is_refused_until_they_are_back() -> None:
    """`mains_failed`; then the light is lit and told as done."""
    lab = Lab()
    lab.turn("mains-failed", True)
    lab.call(FIRE)
    assert lab.outcome("light:fire") == ("refused", "mains_failed") and "io.l-fire" not in lab.on()
    lab.turn("mains-failed", False)
    lab.wait(0.5)
    assert lab.outcome("light:fire") == ("done", "")


def test_on_battery_a_light_is_turned_off_all_the_same() -> None:
    """The mains failed during the call: its end writes the light off, so that it does not come back with the mains."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    lab.turn("mains-failed", True)
    lab.cancel()
    assert "io.l-fire" not in lab.on()
    assert written(lab.wait(5)) == []


def test_a_sounder_acknowledged_before_its_proof_is_unknown() -> None:
    """Nobody saw it sound, and nobody will: that is what is told."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    assert lab.outcome("sounder:fire") == ("unknown", "ended_early")


def test_a_cooker_is_given_back_by_a_person_alone() -> None:
    """Not by the acknowledgement, the cancel, the reset or time; then by the button, and it is told."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(RESET_S + 20)
    lab.call(FIRE, order=1)
    lab.wait(1)
    lab.cancel(order=1)
    lab.wait(10)
    assert "io.cooker" in lab.on()
    lab.press("cooker-reset")
    assert "io.cooker" not in lab.on()


def test_a_cooker_whose_release_was_not_answered_is_not_given_back_later() -> None:
    """The module answers again when nobody stands there any more: the button must be pressed again."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(RESET_S + 20)
    lab.dead = {"io.cooker"}
    lab.press("cooker-reset")
    lab.dead = set()
    lab.wait(60)
    assert "io.cooker" in lab.on()
    lab.press("cooker-reset")
    assert "io.cooker" not in lab.on()


def test_buttons_that_come_back_active_after_an_outage_were_not_pressed() -> None:
    """A module that starts again with its inputs active gives no cooker back, acknowledges nothing, opens no door."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    buttons = {"io.cooker-reset", "io.button", "io.button-fire"}
    lab.bad = buttons
    lab.read()
    lab.bad = set()
    lab.inputs |= dict.fromkeys(buttons, True)
    lab.wait(5)
    assert {"io.cooker", "io.s-fire"} <= lab.on() and lab.pulses == []
    lab.inputs |= dict.fromkeys(buttons, False)
    lab.read()
    lab.press("cooker-reset")
    assert "io.cooker" not in lab.on()


def test_a_cooker_given_back_during_a_call_stays_given_back() -> None:
    """The same call does not cut it off again, nor after a restart, which sounds its zone; the next call does."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    lab.happen(CookerReset())
    assert lab.outcome("reset:mess") == ("done", "manual_input")
    lab.wait(3)
    lab.restart()
    lab.wait(3)
    assert "io.cooker" not in lab.on() and {"io.s-mess", "io.l-mess"} <= lab.on()
    lab.call(POLICE, order=1)
    assert "io.cooker" in lab.on()


def test_a_cooker_that_a_person_holds_by_hand_is_not_given_back() -> None:
    """Under manual control it is left alone by the reset button too."""
    found = parse_layout(TEXT.replace('id = "mess", zone = "mess", output = "io.cooker"', f'{HELD}"io.cooker"'))
    assert isinstance(found, Layout)
    lab = Lab(found)
    lab.call(FIRE)
    lab.wait(1)
    lab.turn("s-fire-hand", True)
    assert written(lab.press("cooker-reset")) == [] and "io.cooker" in lab.on()


def test_a_call_of_which_nothing_was_proved_has_failed() -> None:
    """The whole order ends as failed only where nothing came of it."""
    lab = Lab()
    lab.broken = {"io.s-police", "io.s-mess", "io.s-bays", "io.l-mess", "io.cooker"}
    lab.call(POLICE)
    lab.wait(RESET_S + 1)
    assert lab.outcome() == ("failed", "nothing_proved")
