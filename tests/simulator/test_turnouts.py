"""The demo's turnouts: a crew that hears its sounders, a vehicle's crew that goes, and what control counts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec

from edge_agent.clock import SystemClock
from edge_agent.decode.readings import Press, Reading
from edge_agent.sources.panel_scripted import ScriptedPanel
from simulator.api_client import ask
from simulator.county import Unit, generate
from simulator.crew import DUTIES, codes
from simulator.folder import button
from simulator.life import Life
from simulator.station_life import AWAY_S, HEAR_S, StationLife
from simulator.turnouts import Turnouts, pick
from simulator.watch import Watch
from tests.simulator.plant_lab import FastClock
from tests.waiting import eventually
from wire.feed import CalledView, Orders, OrderView, StepOutcome, StepView

SEED = 14
COUNTY = generate(SEED)
STATION = next(station for station in COUNTY.stations if station.device == "stn-14")
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def quiet_lives() -> dict[str, Life]:
    """Lives that nobody runs: none of their crews can go."""
    return {unit.id: Life(COUNTY, unit, clock=SystemClock(), seed=SEED, pace=1.0) for unit in STATION.units}


def view(*outcomes: StepOutcome, order: str = "o-1", acknowledged: bool = True) -> OrderView:
    """An order with these steps."""
    unit = CalledView(unit="u", callsign="U", service="fire", acknowledged_at=AT if acknowledged else None)
    return OrderView(
        order=order,
        revision=1,
        kind="mobilise",
        phase="acknowledged",
        base="stn-14",
        base_name="Stn 14 shared",
        mode="live",
        priority="emergency",
        incident="",
        address="",
        grid_reference="",
        text="",
        units=(unit,),
        deliveries=(),
        steps=tuple(StepView(device="stn-14", step=f"light:{n}", outcome=each) for n, each in enumerate(outcomes)),
        phases=(),
        alarms=(),
        by="",
        created_at=AT,
        active=True,
        version=1,
    )


def counted(*views: OrderView, orders: tuple[str, ...] = ("o-1",)) -> Turnouts:
    """Control that gave these orders and saw this of them."""
    watch = Watch(SystemClock())
    watch.orders = {each.order: each for each in views}
    found = Turnouts([], watch=watch, port=1, clock=SystemClock())
    found.orders = list(orders)
    return found


def test_a_check_holds_only_with_every_step_confirmed() -> None:
    """No order, one not yet seen, a failed or waiting step, no steps, no acknowledgement: all fail it."""
    assert counted(view("done", "done")).held
    assert not counted(orders=()).held
    assert not counted(view("done"), orders=("o-1", "o-2")).held
    assert not counted(view("done", "failed")).held
    assert not counted(view("done", "waiting")).held
    assert not counted(view()).held
    assert not counted(view("done", acknowledged=False)).held


def test_steps_are_counted() -> None:
    """Confirmed steps are counted, and those that ended otherwise; one that is under way is neither."""
    control = counted(view("done", "done", "failed", "refused", "unknown", "started", "waiting"))
    assert (control.steps_done, control.steps_failed, control.acknowledged) == (2, 3, 1)


def test_a_joint_incident_is_preferred_where_it_is_wanted() -> None:
    """A station where two services can go is turned out before its turn then, and otherwise the first always is."""
    assert 2 == pick([1, 1, 2, 3], joint=True)
    assert 0 == pick([1, 1, 2], joint=False)
    assert 0 == pick([1, 1], joint=True)


def test_the_watch_takes_orders_from_the_feed() -> None:
    """An `orders` event replaces what was held of each order, and no other event of the feed is taken for one."""

    async def main() -> None:
        watch = Watch(SystemClock())
        served = [view("waiting"), view("done"), view("done", order="o-2")]
        events = [Orders(at=AT, cursor=n, orders=(each,)) for n, each in enumerate(served)]

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            for event in events:
                writer.write(b"event: orders\ndata: " + msgspec.json.encode(event) + b"\n\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            await watch.follow(server.sockets[0].getsockname()[1])
        assert {name: each.steps[0].outcome for name, each in watch.orders.items()} == {"o-1": "done", "o-2": "done"}
        assert watch.records == {}

    asyncio.run(main())


def test_a_request_is_one_connection() -> None:
    """The client sends method, path and JSON with its length, and gives the status code."""

    async def main() -> None:
        asked: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head + await reader.readexactly(len(b'{"by":"me"}')))
            writer.write(b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            assert await ask(port, "POST", "/v1/orders/x/close", {"by": "me"}) == 409
        assert asked[0].startswith(b"POST /v1/orders/x/close HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert asked[0].endswith(b'\r\n\r\n{"by":"me"}') and b"Content-Length: 11\r\n" in asked[0]

    asyncio.run(main())


def test_a_crew_answers_its_sounders() -> None:
    """Once a sounder really sounds, the crew presses acknowledge; later doors are closed and the cooker is reset."""

    async def main() -> None:
        clock = FastClock()
        station = StationLife(STATION, quiet_lives(), clock=clock, seed=SEED)
        plant, door, cooker = station.plant, station.plant.parts.doors[0], station.plant.parts.cookers[0]
        responding = asyncio.create_task(station.respond(STATION.units[:1]))
        await clock.sleep(HEAR_S / 2)
        assert station.busy and not plant.read(plant.parts.inputs.acknowledge)
        plant.write(plant.parts.sounders[0].output, 1)
        plant.write(cooker.output, 1)
        await eventually(lambda: plant.read(plant.parts.inputs.acknowledge), what="a finger on the button")
        plant.write(door.output, 1)
        plant.write(cooker.output, 0)
        await eventually(lambda: plant.is_open(door.id), what="an open door")
        assert not plant.is_cooking(cooker.id)
        await responding
        await eventually(lambda: plant.read(door.closed_input), what="a door closed by hand")
        await eventually(lambda: plant.is_cooking(cooker.id), what="a cooker given back")
        assert not station.busy
        assert plant.door_pulses[door.id] == 1

    asyncio.run(main())


def test_a_crew_that_hears_nothing_stays() -> None:
    """Where no sounder sounds nobody presses anything, however long the order has been there."""

    async def main() -> None:
        clock = FastClock()
        station = StationLife(STATION, quiet_lives(), clock=clock, seed=SEED)
        await station.respond(STATION.units[:1])
        await clock.sleep(AWAY_S)
        assert {change.point for change in station.plant.changes} == {
            door.closed_input for door in station.plant.parts.doors
        }

    asyncio.run(main())


@contextlib.asynccontextmanager
async def living(unit: Unit, folder: Path, presses: list[str]) -> AsyncIterator[Life]:
    """A unit's life with a real panel of the agent, which takes down its presses."""

    def take(reading: Reading) -> None:
        if isinstance(reading, Press) and reading.down:
            presses.append(reading.button)

    life = Life(COUNTY, unit, clock=SystemClock(), seed=SEED, pace=1.0)
    buttons = {button(code): code for code in codes(unit.organisation.service)}
    path = str(folder / "p.sock")
    panel = ScriptedPanel(path, buttons=buttons, clock=SystemClock(), jitter=Random(1).random)
    tasks = [asyncio.create_task(panel.run(take)), asyncio.create_task(life.run(path))]
    try:
        yield life
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_a_crew_that_is_called_goes_at_once(tmp_path: Path) -> None:
    """A free crew at its base presses the turn-out of its service within seconds, and then can't be called again."""

    async def main() -> None:
        unit = next(unit for unit in STATION.units if unit.organisation.service == "fire")
        presses: list[str] = []
        async with living(unit, tmp_path, presses) as life:
            await eventually(lambda: life.can_go, what="a crew that stands by")
            assert len(presses) == 1
            life.turn_out()
            assert not life.can_go
            await eventually(lambda: len(presses) == 2, what="a turn-out")
            assert presses[-1] == button(DUTIES["fire"].turn_out)
            await eventually(lambda: life.presses == 2, what="the end of the press")
            assert not life.can_go

    asyncio.run(main())
