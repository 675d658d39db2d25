"""Police and fire at one shared station, from control's request to the limit switch, on TCP and on a serial line."""

import asyncio
from pathlib import Path

import pytest

from tests.brokers import RunningBroker
from tests.endtoend.station_lab import Line, Outcomes, Shared, shared_station
from wire.events import AcknowledgeEvent, ReceiptEvent
from wire.feed import OrderView

POLICE, FIRE, SECOND_FIRE, NEW_FIRE = "kp-ks11", "kfrs-14p1", "kfrs-14p2", "kfrs-14l1"
DORMITORIES = {POLICE: "dorm-police", FIRE: "dorm-fire"}
SHARED_ZONES = ("bays", "mess")
CHAIN = ["created", "sent", "delivered", "alerting", "confirmed", "acknowledged", "mobile"]
STEP_MS = 1_000
"""Control is to see each step confirmed or failed within a second."""
BUSY_MS = 500
"""For eight busy programs on two cores."""
DONE, DARK, DEAD = ("done", ""), ("failed", "lights_fail"), ("failed", "no_device_response")
RUNS = [("fresh_nats", "tcp"), ("fresh_mosquitto", "rtu")]


@pytest.fixture(params=RUNS, ids=["nats-tcp", "mosquitto-rtu"])
def run(request: pytest.FixtureRequest) -> tuple[RunningBroker, Line]:
    """Each broker in turn, of this test's own, and with it each kind of Modbus line."""
    broker, line = request.param
    return request.getfixturevalue(broker), line


def at_once(unit: str, outcome: tuple[str, str] = DONE) -> Outcomes:
    """The steps of a call of `unit` by day that start at once, all with this outcome."""
    zones = (DORMITORIES[unit], *SHARED_ZONES)
    alert = [f"{kind}:{zone}" for kind in ("sounder", "light") for zone in zones]
    return dict.fromkeys([*alert, "cooker:mess", f"indicator:{unit}"], outcome)


def rings(shared: Shared, dormitory: str) -> int:
    """How often a dormitory's sounder was turned on."""
    return sum(len(shared.times_on(each.output)) for each in shared.plant.parts.sounders if each.id == dormitory)


def pulsed(shared: Shared) -> dict[str, int]:
    """How often each door was pulsed that was."""
    return {door: pulses for door, pulses in shared.plant.door_pulses.items() if pulses}


async def look(shared: Shared, order: str) -> OrderView:
    """An order by the API, once the ledger has the same of each step: outcome, reason, and both times."""
    view = await shared.read(order)
    assert {(each.step, each.outcome, each.reason, each.elapsed_ms, each.at) for each in view.steps} == (
        shared.read_backs(order)
    )
    return view


async def call_both(shared: Shared) -> dict[str, str]:
    """Call police, then fire while that call is live, and give the units' orders."""
    orders: dict[str, str] = {}
    for unit in (POLICE, FIRE):
        assert not rings(shared, DORMITORIES[unit]), "nobody has called them"
        orders[unit] = await shared.mobilise(unit)
        await shared.until_phase(orders[unit], "confirmed")
        await shared.until_told(orders[unit], at_once(unit))
        assert not shared.plant.is_cooking("mess")
    assert {} == pulsed(shared), "nobody has acknowledged"
    return orders


async def check_record(shared: Shared, unit: str, order: str) -> None:
    """The chain is whole, each step came in time, and the ledger has each of them, and who took the order in."""
    view = await look(shared, order)
    assert CHAIN == [phase.phase for phase in view.phases]
    took_ms = {step.step: step.elapsed_ms or 0 for step in view.steps if step.step in at_once(unit)}
    assert max(took_ms.values()) < STEP_MS + BUSY_MS, took_ms
    assert () == view.alarms
    events = [event for event, _ in shared.ledger()]
    accepted = [
        one for one in events if isinstance(one, ReceiptEvent) and (one.order, one.outcome) == (order, "accepted")
    ]
    assert [set(at_once(unit))] == [set(one.steps) for one in accepted]
    taken = [one for one in events if isinstance(one, AcknowledgeEvent) and one.order == order]
    assert ["manual_input"] == [one.by for one in taken]


def test_police_and_fire_turn_out_of_one_station(run: tuple[RunningBroker, Line], tmp_path: Path) -> None:
    """Fire is called while police's call is live: each has its own steps, all read back, and its door opens once."""

    async def main() -> None:
        broker, line = run
        async with shared_station(broker, tmp_path, line=line) as shared:
            orders = await call_both(shared)
            shared.plant.press_acknowledge()
            for unit, door in ((POLICE, "yard-1"), (FIRE, "fire-1")):
                await shared.until_phase(orders[unit], "acknowledged")
                await shared.until_told(orders[unit], {f"door:{door}": DONE, "exit:front": DONE})
                assert shared.plant.is_open(door)
            for unit, order in orders.items():
                await shared.wall.press(unit)
                await shared.until_phase(order, "mobile")
                await shared.until_assigned(unit, order, "mobile")
                await check_record(shared, unit, order)
            assert {"yard-1": 1, "fire-1": 1} == pulsed(shared)
            assert [1, 1] == [rings(shared, each) for each in DORMITORIES.values()]

    asyncio.run(main())


def test_what_does_not_work_is_named_and_holds_nothing_up(run: tuple[RunningBroker, Line], tmp_path: Path) -> None:
    """A broken door, dark lamps and a unit without a door are told as such; the rest of fire's call is confirmed."""
    lights = {"light:bays": DARK, "light:dorm-fire": DONE, "light:mess": DONE}
    doors = {"door:fire-1": ("failed", "door_fail"), "door:fire-2": DONE, f"door:{NEW_FIRE}": ("refused", "no_door")}

    async def main() -> None:
        broker, line = run
        async with shared_station(broker, tmp_path, line=line, undrawn=[NEW_FIRE]) as shared:
            shared.plant.break_door("fire-1")
            shared.plant.break_lights("bays")
            order = await shared.mobilise(FIRE, SECOND_FIRE, NEW_FIRE)
            await shared.until_told(order, lights)
            dark_ms = shared.steps(order)["light:bays"].elapsed_ms
            assert dark_ms is not None and dark_ms < STEP_MS + BUSY_MS
            shared.plant.press_acknowledge()
            await shared.until_told(order, doors)
            await shared.until_told(order, {"exit:front": DONE})
            assert {DONE} == set(shared.outcomes(order, "sounder", "cooker", "indicator").values())
            assert {"fire-1": 1, "fire-2": 1} == pulsed(shared)
            assert (1, 0) == (rings(shared, "dorm-fire"), rings(shared, "dorm-police")), "police sleep on"
            view = await look(shared, order)
            told = ("Light bays at Stn 14 shared is not confirmed", "Door fire-1 at Stn 14 shared is not confirmed")
            assert set(told) == {alarm.text for alarm in view.alarms if alarm.code == "step_failed"}

    asyncio.run(main())


def test_a_module_that_does_not_answer_is_named_and_holds_nothing_up(
    run: tuple[RunningBroker, Line], tmp_path: Path
) -> None:
    """A module that dies as the call comes in fails its steps in time and by name; the door on the other one opens.

    Back again, it does what is still called for, and that is told as done.
    """

    async def main() -> None:
        broker, line = run
        async with shared_station(broker, tmp_path, line=line) as shared:
            shared.plant.go_silent("alert")
            order = await shared.mobilise(FIRE)
            await shared.until_told(order, at_once(FIRE, DEAD))
            took_ms = {name: step.elapsed_ms or 0 for name, step in shared.steps(order).items()}
            assert max(took_ms.values()) < STEP_MS + BUSY_MS, took_ms
            await look(shared, order)
            await shared.hold_acknowledge(order)
            await shared.until_told(order, {"door:fire-1": DONE, "exit:front": DONE})
            assert {"fire-1": 1} == pulsed(shared)
            shared.plant.come_back()
            await shared.until_told(order, {name: DONE for name in at_once(FIRE) if not name.startswith("sounder:")})
            assert not shared.plant.is_cooking("mess")
            await look(shared, order)

    asyncio.run(main())
