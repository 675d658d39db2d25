"""The turnout at work on a real Modbus line, with a real journal and a real outbox."""

from pathlib import Path

import msgspec

from edge_agent.turnout.runner import ANSWERS_MAX
from tests.chaos.turnout_station import CELLS, COOKER, DOOR, SOUNDER
from tests.edge_agent.turnout.lab import CAR, ENGINE, command, order_id
from tests.edge_agent.turnout.yard import Yard, scene

ORDER = order_id()
ALERTED = {
    "": "accepted",
    "sounder:dorm": "done",
    "light:dorm": "done",
    "cooker:mess": "done",
    "indicator:engine-1": "done",
}


async def alerted(yard: Yard) -> None:
    """Mobilise the engine, and wait until the station shows it."""
    yard.turnout.take(command(nonce=yard.turnout.nonce()))
    await yard.until(lambda: yard.outcomes(ORDER) == ALERTED, "every step is proved")


async def opened(yard: Yard) -> None:
    """Acknowledge it, and wait for the door."""
    assert "done" == await yard.turnout.acknowledge(ORDER)
    await yard.until(lambda: yard.outcomes(ORDER).get("door:bay-1") == "done", "the door is open")


def test_an_order_is_carried_out_and_told(tmp_path: Path) -> None:
    """Sounders, lights, the cooker and, once acknowledged, the door: each is read back and told, the order first."""

    async def play(yard: Yard) -> None:
        await alerted(yard)
        assert (1, 0, 1, 0) == tuple(map(yard.plant.read, (SOUNDER, CELLS, COOKER, DOOR)))
        await opened(yard)
        assert {"bay-1": 1} == yard.plant.door_pulses and yard.plant.is_open("bay-1")
        await yard.until(lambda: not yard.plant.read(SOUNDER), "the sounder is off")
        told = [one for one in yard.told if one["kind"] != "alarm"]
        assert ("receipt", "accepted") == (told[0]["kind"], told[0]["outcome"])
        assert {"kind": "acknowledge", "by": "panel", "order": ORDER} == {
            key: value
            for one in told
            if one["kind"] == "acknowledge"
            for key, value in one.items()
            if key in ("kind", "by", "order")
        }
        assert all(0 <= one.get("elapsed_ms", 0) < 10_000 for one in told)

    scene(tmp_path, play)


def test_a_cancel_ends_both_revisions(tmp_path: Path) -> None:
    """The order and its cancel are told as done; everything is off but the cooker, which nobody far away gives back."""

    async def play(yard: Yard) -> None:
        await alerted(yard)
        yard.turnout.take(command(revision=2, action="cancel", nonce=yard.turnout.nonce()))
        await yard.until(lambda: yard.outcomes(ORDER, 2).get("") == "done", "the cancel is done")
        await yard.until(lambda: not yard.plant.read(SOUNDER), "the sounder is off")
        assert "done" == yard.outcomes(ORDER)[""] and not yard.turnout.view
        assert yard.plant.read(COOKER) and not yard.plant.is_cooking("mess")
        yard.plant.reset_cookers()
        await yard.until(lambda: not yard.plant.read(COOKER), "the crew gave the cooker back")

    scene(tmp_path, play)


def test_a_command_that_comes_again_does_nothing_again(tmp_path: Path) -> None:
    """Three more times, with old nonces and new: one pulse, and an answer from the journal at most once a second."""

    async def play(yard: Yard) -> None:
        await alerted(yard)
        await opened(yard)
        before = len(yard.told)
        for nonce in ("of another boot", yard.turnout.nonce(), "n1"):
            yard.turnout.take(command(nonce=nonce))
        await yard.until(lambda: len(yard.told) > before, "the journal answers")
        await yard.turnout.acknowledge(ORDER)
        again = [one.get("step", "") for one in yard.told[before:] if one["kind"] == "receipt"]
        assert len(again) == len(set(again)) and {"", "sounder:dorm", "door:bay-1"} <= set(again)
        assert {"bay-1": 1} == yard.plant.door_pulses

    scene(tmp_path, play)


def test_a_stale_nonce_is_answered_with_a_fresh_one(tmp_path: Path) -> None:
    """The refusal is on no journal, comes at most once a second, and the nonce in it is good."""

    async def play(yard: Yard) -> None:
        for _ in range(5):
            yard.turnout.take(command(nonce="of another boot"))
        await yard.until(lambda: "refused" in yard.outcomes(ORDER).values(), "it is refused")
        assert [] == yard.rig.journal.rows
        refusals = [one for one in yard.told if one["kind"] == "receipt"]
        assert [("stale_nonce", "refused")] == [(one["reason"], one["outcome"]) for one in refusals]
        yard.turnout.take(command(nonce=refusals[0]["nonce"]))
        await yard.until(lambda: yard.outcomes(ORDER) == ALERTED, "every step is proved")

    scene(tmp_path, play)


def test_a_flood_of_stale_commands_is_answered_in_bounds(tmp_path: Path) -> None:
    """A thousand orders with made-up nonces fill neither outbox nor nonces, and a good command still rings."""

    async def play(yard: Yard) -> None:
        nonce = yard.turnout.nonce()
        for number in range(100, 1_100):
            yard.turnout.take(command(number, nonce="made up"))
        yard.turnout.take(command(nonce=nonce))
        await yard.until(lambda: yard.outcomes(ORDER) == ALERTED, "every step is proved")
        refusals = [one for one in yard.told if one.get("reason") == "stale_nonce"]
        assert ANSWERS_MAX == len(refusals)

    scene(tmp_path, play)


def test_a_cancel_that_comes_first_is_a_tombstone(tmp_path: Path) -> None:
    """The order that it has overtaken never rings, and is told as refused, however often it comes."""

    async def play(yard: Yard) -> None:
        yard.turnout.take(command(revision=2, action="cancel", nonce=yard.turnout.nonce()))
        for _ in range(3):
            yard.turnout.take(command(nonce=yard.turnout.nonce()))
        await yard.until(lambda: yard.outcomes(ORDER).get("") == "refused", "the order is refused")
        assert ({"": "done"}, {"": "superseded"}) == (yard.outcomes(ORDER, 2), yard.reasons(ORDER))
        assert not any(change.point == SOUNDER for change in yard.plant.changes)

    scene(tmp_path, play)


def test_a_cancel_wins_over_retries(tmp_path: Path) -> None:
    """The module is silent while the order comes, and its cancel: when it answers again nothing rings."""

    async def play(yard: Yard) -> None:
        yard.plant.go_silent()
        yard.turnout.take(command(nonce=yard.turnout.nonce()))
        await yard.until(lambda: yard.reasons(ORDER).get("sounder:dorm") == "no_device_response", "the sounder fails")
        yard.turnout.take(command(revision=2, action="cancel", nonce=yard.turnout.nonce()))
        await yard.until(lambda: yard.outcomes(ORDER, 2).get("") == "done", "the cancel is done")
        yard.plant.come_back()
        reads = yard.turnout._station.plant
        await yard.until(
            lambda: not yard.turnout._station.plant.silent and yard.turnout._station.plant is not reads, "it is back"
        )
        yard.turnout.take(command(2, nonce=yard.turnout.nonce(), units=[CAR]))
        await yard.until(lambda: yard.outcomes(order_id(2)).get("sounder:cells") == "done", "a later order rings")
        assert not any(change.point == SOUNDER for change in yard.plant.changes)

    scene(tmp_path, play)


def test_a_turnout_by_hand_needs_no_control(tmp_path: Path) -> None:
    """Control hears of it before its receipts, and the panel shows what the crew was told."""

    async def play(yard: Yard) -> None:
        order = await yard.turnout.turn_out([ENGINE, CAR], "smoke in the yard")
        await yard.until(lambda: yard.outcomes(order).get("sounder:cells") == "done", "both zones ring")
        told = [one for one in yard.told if one["kind"] in ("turnout", "receipt")]
        assert {"kind": "turnout", "order": order, "units": ["engine-1", "car-1"], "text": "smoke in the yard"} == {
            key: told[0].get(key) for key in ("kind", "order", "units", "text")
        }
        shown = yard.turnout.view[0]
        assert (True, "smoke in the yard") == (shown.particulars.by_hand, shown.particulars.text)

    scene(tmp_path, play)


def test_a_test_is_told_as_one(tmp_path: Path) -> None:
    """One zone rings; its receipts say that it was a test, the cooker stays on, and no turnout is announced."""

    async def play(yard: Yard) -> None:
        order = await yard.turnout.test("cells")
        await yard.until(lambda: yard.outcomes(order).get("sounder:cells") == "done", "the zone rings")
        assert {"receipt"} == {one["kind"] for one in yard.told if one["kind"] != "alarm"}
        assert {"test"} == {one["mode"] for one in yard.told if one["kind"] == "receipt"}
        assert not yard.plant.read(SOUNDER) and yard.plant.is_cooking("mess")
        everywhere = await yard.turnout.test()
        await yard.until(lambda: yard.outcomes(everywhere).get("sounder:dorm") == "done", "every zone rings")

    scene(tmp_path, play)


def test_the_view_shows_the_orders_in_hand(tmp_path: Path) -> None:
    """Newest first, with what the crew must know, how far each step has come, and since when it is acknowledged."""

    async def play(yard: Yard) -> None:
        assert not yard.turnout.view
        await alerted(yard)
        assert yard.turnout.view[0].acknowledged_s is None
        await opened(yard)
        yard.turnout.take(command(2, nonce=yard.turnout.nonce(), units=[CAR], address="2 Low Street"))
        await yard.until(lambda: len(yard.turnout.view) == 2, "two orders are in hand")
        newest, oldest = yard.turnout.view
        assert (order_id(2), "2 Low Street") == (newest.order, newest.particulars.address)
        assert (ORDER, "1 High Street", "I0417") == (
            oldest.order,
            oldest.particulars.address,
            oldest.particulars.incident,
        )
        steps = {step.name: step.outcome for step in oldest.steps}
        assert {"sounder:dorm", "light:dorm", "cooker:mess", "indicator:engine-1", "door:bay-1"} == set(steps)
        assert ("done", frozenset({""})) == (steps["door:bay-1"], oldest.acknowledged)
        assert oldest.acknowledged_s is not None and oldest.acknowledged_s >= oldest.received_s
        assert abs((oldest.received_at - yard.rig._clock.now()).total_seconds()) < 10

    scene(tmp_path, play)


def test_an_acknowledgement_of_nothing_is_answered_so(tmp_path: Path) -> None:
    """A person is told that there was nothing to acknowledge, and control is told nothing."""

    async def play(yard: Yard) -> None:
        assert "nothing" == await yard.turnout.acknowledge(ORDER)
        assert "nothing" == await yard.turnout.acknowledge()
        assert not any(one["kind"] == "acknowledge" for one in yard.told)

    scene(tmp_path, play)


def test_the_button_on_the_wall_acknowledges(tmp_path: Path) -> None:
    """The station's own button does what the panel's does, and control is told which it was."""

    async def play(yard: Yard) -> None:
        await alerted(yard)
        yard.plant.press_acknowledge()
        await yard.until(lambda: yard.outcomes(ORDER).get("door:bay-1") == "done", "the door is open")
        assert ["manual_input"] == [one["by"] for one in yard.told if one["kind"] == "acknowledge"]

    scene(tmp_path, play)


def test_who_shows_it_hears_of_changes_alone(tmp_path: Path) -> None:
    """The panel is told when an order comes, and not ten times a second while nothing changes."""
    heard: list[int] = []

    async def play(yard: Yard) -> None:
        turnout = yard.turnout
        turnout._around = msgspec.structs.replace(turnout._around, changed=lambda: heard.append(1))
        await alerted(yard)
        assert 0 < len(heard) < 30
        count, reads = len(heard), turnout._station.plant
        await yard.until(lambda: turnout._station.plant is not reads, "the station is read again")
        assert count == len(heard)

    scene(tmp_path, play)
