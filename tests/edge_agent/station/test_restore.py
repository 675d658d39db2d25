"""A restart: an interrupted alert goes on, a door is never begun again, and every revision has its end."""

import msgspec
import pytest

from edge_agent.station.restore import BLIND_S
from edge_agent.station.words import Acknowledged, Called, Journaled, Passed, Pulse, Record, Write
from tests.edge_agent.station.lab import EXPIRES_S, FIRE, ORDERS, POLICE, RESET_S, TRAVEL_S, Lab, written


def test_an_interrupted_alert_sounds_again() -> None:
    """Restarted before the expiry, what the plant had dropped is asserted again, with its own tone."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(2)
    lab.outputs.clear()
    lab.restart()
    lab.wait(0.5)
    assert {"io.s-fire", "io.s-mess", "io.l-fire", "io.cooker", "io.i-fire"} <= lab.on()
    assert lab.outcome("sounder:fire") == ("done", "") and lab.outputs["io.tone"] == 1


def test_an_alert_that_expired_meanwhile_does_not_sound_again() -> None:
    """It ends as expired, and what was left on is turned off, but for the cooker."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    lab.now_s += EXPIRES_S
    lab.restart()
    lab.wait(1)
    assert lab.outcome() == ("expired", "interrupted")
    assert lab.on() == {"io.cooker"}


def test_an_acknowledged_alert_stays_silent_after_a_restart() -> None:
    """The acknowledgement is in the journal: the sounders are turned off, the lights stay."""
    lab = Lab()
    lab.call(FIRE, POLICE)
    lab.acknowledge(unit="fire-1")
    lab.acknowledge(unit="police-1")
    lab.wait(1)
    lab.restart()
    lab.wait(2)
    assert not {"io.s-fire", "io.s-mess"} & lab.on() and "io.l-fire" in lab.on()


def test_a_station_is_read_before_anything_is_written_after_a_restart() -> None:
    """A person may hold a part: nothing is written before the first read, or half a second without one."""
    lab = Lab()
    lab.call(FIRE)
    lab.inputs["io.s-fire-hand"] = True
    lab.restart()
    assert lab.happen(Passed()) == []
    assert ("io.s-fire", True) not in written(lab.read())
    lab.restart()
    lab.now_s += BLIND_S
    assert ("io.s-fire", True) in written(lab.happen(Passed()))


@pytest.mark.parametrize("shown_open", [True, False])
def test_a_door_begun_before_a_restart_is_unknown_unless_it_is_open(shown_open: bool) -> None:
    """Died right after the row: never pulsed; done if the limit switch shows it open, else unknown after its travel."""
    lab = Lab()
    lab.call(FIRE)
    lab.journal[(ORDERS[0], 1, "acknowledge")] = _row("acknowledge", "done")
    lab.journal[(ORDERS[0], 1, "door:fire")] = _row("door:fire", "started")
    lab.restart()
    lab.inputs["io.d-fire-open"] = shown_open
    lab.wait(TRAVEL_S + 1)
    assert lab.pulses == []
    assert lab.outcome("door:fire") == (("done", "") if shown_open else ("unknown", "interrupted"))


def test_a_door_that_was_refused_to_a_person_stays_refused() -> None:
    """The interlock is gone after the restart, and nothing moves by itself."""
    lab = Lab()
    lab.turn("d-fire-blocked", True)
    lab.call(FIRE)
    lab.acknowledge()
    lab.inputs["io.d-fire-blocked"] = False
    lab.restart()
    lab.wait(5)
    assert lab.pulses == [] and lab.outcome("door:fire") == ("refused", "obstructed")


def test_a_call_by_night_keeps_to_its_zones_after_a_restart_by_day() -> None:
    """What it began with is in its row: the shared mess is not woken at 06:31."""
    lab = Lab()
    lab.night = True
    lab.read()
    lab.call(FIRE)
    lab.night = False
    lab.restart()
    lab.wait(1)
    assert "io.s-mess" not in lab.on() and "io.s-fire" in lab.on()


def test_a_cancel_that_was_interrupted_is_carried_out() -> None:
    """Died right after the cancel's row: the restart turns off and ends both revisions."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    lab.happen(Called(lab.make_call(order=0, revision=2, action="cancel")), survive=1)
    assert "io.s-fire" in lab.on()
    lab.wait(1)
    assert lab.on() == {"io.cooker"}
    assert lab.outcome() == ("done", "cancelled") and lab.outcome(revision=2) == ("done", "")


def test_a_revision_that_was_interrupted_takes_over() -> None:
    """Died right after its row: the lower revision ends as superseded, and its own units are not called any more."""
    lab = Lab()
    lab.call(FIRE)
    lab.wait(1)
    lab.happen(Called(lab.make_call(POLICE, revision=2)), survive=1)
    lab.wait(1)
    assert lab.outcome() == ("done", "superseded")
    assert "io.s-police" in lab.on() and not {"io.s-fire", "io.i-fire"} & lab.on()


def test_a_revision_that_was_interrupted_opens_no_door_again() -> None:
    """Died right after its row: what became of the door under the lower revision is in the lower one's rows."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    lab.wait(1)
    lab.turn("d-fire-open", False)
    lab.happen(Called(lab.make_call(FIRE, revision=2)), survive=1)
    lab.wait(TRAVEL_S + 1)
    lab.acknowledge()
    lab.wait(1)
    assert len(lab.pulses) == 1


def test_an_order_goes_on_where_only_a_refused_revision_is_above_it() -> None:
    """A higher revision that came too late changed nothing, and does not end the lower one at a restart."""
    lab = Lab()
    lab.call(FIRE)
    lab.call(POLICE, revision=2, expires_s=lab.now_s)
    lab.restart()
    lab.wait(1)
    assert "io.s-fire" in lab.on()


def test_a_restart_after_the_reset_ends_the_call() -> None:
    """Nobody finds an order open the next morning."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    lab.now_s += RESET_S * 10
    lab.restart()
    lab.wait(1)
    assert lab.outcome() == ("done", "interrupted") and lab.on() <= {"io.cooker"}


def test_a_row_without_its_call_ends_as_unknown() -> None:
    """A damaged journal: the revision is told as unknown, and nothing is written for it."""
    lab = Lab()
    lab.journal[(ORDERS[0], 1, "")] = _row("", "accepted")
    lab.restart()
    assert lab.outcome() == ("unknown", "journal_damaged") and written(lab.wait(1)) == []


def test_what_the_journal_knows_is_not_taken_in_again() -> None:
    """The same command again after a restart, of an order that is over: nothing."""
    lab = Lab()
    lab.call(FIRE)
    call = lab.make_call(FIRE)
    lab.cancel()
    lab.restart()
    lab.wait(1)
    assert lab.happen(Called(call)) == []


def test_another_call_shares_an_opening_from_before_the_restart() -> None:
    """The pulse may just have been given: within its travel nobody gives another."""
    lab = Lab()
    lab.broken = {"io.d-fire"}
    lab.call(FIRE)
    lab.acknowledge()
    lab.restart()
    lab.wait(0.5)
    lab.call(FIRE, order=1)
    lab.acknowledge(order=1)
    lab.wait(1)
    assert len(lab.pulses) == 1


def test_a_pulse_that_a_crash_cut_short_is_turned_off() -> None:
    """The door's output may have been left on by the process that died: it is off after the first read, and stays."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    lab.outputs["io.d-fire"] = True
    lab.restart()
    lab.wait(1)
    assert lab.outputs["io.d-fire"] is False
    lab.outputs["io.d-fire"] = True
    lab.wait(TRAVEL_S)
    assert lab.outputs["io.d-fire"] is True


def test_a_new_pulse_is_not_cut_short_by_what_turns_an_old_one_off() -> None:
    """A door that is due with the first read after a restart is pulsed, and its output is not written off then."""
    lab = Lab()
    lab.call(FIRE, revision=1)
    lab.happen(Acknowledged(order=ORDERS[0], by="panel"), survive=1)
    effects = lab.wait(3)
    assert [each.output for each in effects if isinstance(each, Pulse)] == ["io.d-fire"]
    assert ("io.d-fire", False) not in written(effects)


@pytest.mark.parametrize("ended", ["not answered", "cancelled"])
def test_a_door_that_may_still_be_moving_is_not_pulsed_again_after_a_restart(ended: str) -> None:
    """A pulse that was not answered may have been given, and a cancelled call's door moves on: a new call shares it."""
    lab = Lab()
    lab.broken = {"io.d-fire"}
    lab.dead = {"io.d-fire"} if ended == "not answered" else set()
    lab.call(FIRE)
    lab.acknowledge()
    if ended == "cancelled":
        lab.cancel()
    lab.call(FIRE, order=0 if ended == "cancelled" else 1, revision=3)
    lab.restart()
    lab.wait(1)
    lab.acknowledge(order=0 if ended == "cancelled" else 1)
    lab.wait(1)
    assert len(lab.pulses) == 1
    assert lab.outcome("door:fire", order=0 if ended == "cancelled" else 1, revision=3) == ("started", "shared")


def test_rows_may_come_in_any_order() -> None:
    """Begun with the journal's rows reversed, the station is the same."""
    lab = Lab()
    lab.call(FIRE)
    lab.acknowledge()
    lab.journal = dict(reversed(lab.journal.items()))
    lab.restart()
    effects = lab.wait(1)
    assert not any(isinstance(each, Pulse) for each in effects)
    assert not any(isinstance(each, Write) and each.output == "io.s-fire" and each.value for each in effects)
    assert lab.outcome("door:fire") == ("done", "")


def test_every_row_of_an_order_carries_its_call() -> None:
    """So that the journal's row alone is enough to go on, or to answer."""
    lab = Lab()
    lab.call(FIRE)
    lab.cancel()
    whole = [each.row for _, each in lab.log if isinstance(each, Record) and each.row.step == ""]
    assert whole and all(row.call is not None for row in whole)


def _row(step: str, outcome: str) -> Journaled:
    fields = {"order": ORDERS[0], "revision": 1, "step": step, "outcome": outcome, "elapsed_ms": 500}
    return msgspec.convert(fields, Journaled)
