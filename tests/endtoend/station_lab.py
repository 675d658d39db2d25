"""A shared station of the made-up county, whole: application, broker, the station's real agent, and its plant."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import msgspec

from cloud.ledger.tables import decode_instant
from edge_agent.clock import SystemClock
from edge_agent.config import load
from simulator.county import County, Station, generate
from simulator.folder import write_directory
from simulator.plant import Plant
from simulator.stations import TIME_ZONE, SerialLine, StationSettings, wire_plant, write_station
from tests.brokers import RunningBroker
from tests.simulator.plant_lab import pty_pair
from tests.site import FeedClient, Presser, following, pressing, running_agent, running_site
from tests.waiting import eventually
from wire.events import AlarmEvent, Event, ReceiptEvent
from wire.feed import OrderView, StepView

Line = Literal["tcp", "rtu"]
COUNTY: County = generate(14)
STATION: Station = next(station for station in COUNTY.stations if station.device == "stn-14")
TRAVEL_S = 0.3
POLL_MS = 100
UNTIL_NIGHT = timedelta(hours=6)
NIGHT = timedelta(hours=1)
READY_S, PHASE_S = 30.0, 20.0
"""For eight busy programs on two cores."""

Outcomes = dict[str, tuple[str, str]]
"""By step: what became of it, and why."""
ReadBack = tuple[str, str, str, int | None, datetime | None]
"""A step, what became of it, why, how many milliseconds after the command came in, and when."""

_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class Shared:
    """The station at work, and control's view of it."""

    def __init__(self, data: Path, *, address: str, plant: Plant, feed: FeedClient, wall: Presser) -> None:
        """Nobody was called yet."""
        self.plant, self.feed, self.wall = plant, feed, wall
        self._data, self._address = data, address

    async def mobilise(self, *units: str) -> str:
        """Give an order, and its id."""
        order = str(uuid4())
        body = {"base": STATION.base.id, "units": units, "incident": "I0417", "by": "Maidstone"}
        async with httpx.AsyncClient() as client:
            answer = await client.put(f"{self._address}v1/orders/{order}", json=body)
        assert 201 == answer.status_code, answer.text
        return order

    async def read(self, order: str) -> OrderView:
        """An order as it stands, by the API."""
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{self._address}v1/orders/{order}")
        return msgspec.json.decode(answer.content, type=OrderView)

    def steps(self, order: str) -> dict[str, StepView]:
        """An order's steps at the station, as the board has them."""
        view = self.feed.orders.get(order)
        return {step.step: step for step in view.steps if step.device == STATION.device} if view else {}

    def outcomes(self, order: str, *kinds: str) -> Outcomes:
        """What became of an order's steps of these kinds, and why, as the board has it."""
        told = self.steps(order).items()
        return {name: (step.outcome, step.reason) for name, step in told if name.partition(":")[0] in kinds}

    async def until_phase(self, order: str, phase: str) -> None:
        """Wait until the board shows an order in this phase."""
        await self._until(order, lambda view: view.phase == phase, what=phase)

    async def until_told(self, order: str, expected: Outcomes) -> None:
        """Wait until the board shows just these outcomes of all steps of their kinds."""
        kinds = {name.partition(":")[0] for name in expected}
        await self._until(order, lambda _: self.outcomes(order, *kinds) == expected, what=f"{expected}")

    async def until_assigned(self, unit: str, order: str, phase: str) -> None:
        """Wait until the board shows a unit on this order in this phase."""

        def is_assigned() -> bool:
            shown = self.feed.records[unit].assignment
            return shown is not None and (shown.order, shown.phase) == (order, phase)

        await eventually(is_assigned, what=f"{unit} is {phase}", deadline_s=PHASE_S)

    async def hold_acknowledge(self, order: str) -> None:
        """Keep a finger on the station's button until the board shows that it was seen.

        On a serial line a dead module takes the time of the others, which are then read less than once a second.
        """
        button = self.plant.parts.inputs.acknowledge
        self.plant.write(button, 1)
        await self.until_phase(order, "acknowledged")
        self.plant.write(button, 0)

    async def _until(self, order: str, true: Callable[[OrderView], object], *, what: str) -> None:
        """Wait until something is true of an order on the board; where it never is, say how the order stands."""
        try:
            await eventually(
                lambda: order in self.feed.orders and true(self.feed.orders[order]), what=what, deadline_s=PHASE_S
            )
        except AssertionError as error:
            raise AssertionError(f"{error}; the board has {self.feed.orders.get(order)}") from None

    def ledger(self) -> Iterator[tuple[Event, datetime]]:
        """Everything that the station told and when, corrected, as the ledger has it, oldest first."""
        with closing(sqlite3.connect(f"{(self._data / 'ledger.db').as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT body, corrected_at FROM event WHERE device = ? ORDER BY id", (STATION.device,))
            yield from [(_events.decode(body), decode_instant(at)) for body, at in rows]

    def read_backs(self, order: str) -> set[ReadBack]:
        """The newest receipt of each step of an order in the ledger."""
        found: dict[str, ReadBack] = {}
        for event, at in self.ledger():
            if isinstance(event, ReceiptEvent) and event.order == order and event.step:
                found[event.step] = (event.step, event.outcome, event.reason, event.elapsed_ms, at)
        return set(found.values())

    def times_on(self, output: str) -> list[float]:
        """When an output of the plant was turned on."""
        return [change.at_s for change in self.plant.changes if change.point == output and change.value]


@contextlib.asynccontextmanager
async def shared_station(
    broker: RunningBroker, folder: Path, *, line: Line, undrawn: Sequence[str] = ()
) -> AsyncIterator[Shared]:
    """The station on a Modbus line by day, once both its modules were read and control has heard of them.

    `undrawn` units belong to it, and whoever drew its layout did not know of them.
    """
    drawn = replace(STATION, units=tuple(unit for unit in STATION.units if unit.id not in undrawn))
    plant = Plant(wire_plant(drawn, door_travel_s=TRAVEL_S), clock=SystemClock())
    directory = write_directory(COUNTY, folder / "directory")
    async with contextlib.AsyncExitStack() as stack:
        settings = await stack.enter_async_context(_served(plant, folder, line, broker.port))
        config = load(write_station(drawn, folder / "s", settings), {})
        app = await stack.enter_async_context(
            running_site(folder / "data", broker_port=broker.port, directory=directory)
        )
        feed = await stack.enter_async_context(following(app))
        await stack.enter_async_context(running_agent(config, SystemClock()))
        wall = await stack.enter_async_context(pressing(config))
        shared = Shared(folder / "data", address=app.address, plant=plant, feed=feed, wall=wall)
        watched = 1 + len(plant.parts.doors)
        await eventually(
            lambda: sum(isinstance(event, AlarmEvent) for event, _ in shared.ledger()) >= watched,
            what="the first word on the mains and each door",
            deadline_s=READY_S,
        )
        yield shared


@contextlib.asynccontextmanager
async def _served(plant: Plant, folder: Path, line: Line, broker_port: int) -> AsyncIterator[StationSettings]:
    """Serve the plant, and give the settings of an agent that finds it there."""
    settings = StationSettings(
        broker_port=broker_port, heartbeat_s=1.0, poll_ms=POLL_MS, door_travel_s=TRAVEL_S, night=_later_night()
    )
    if line == "tcp":
        async with plant.serve_tcp() as port:
            yield replace(settings, plant_port=port)
        return
    async with pty_pair(folder) as (near, far), plant.serve_rtu(str(far)):
        yield replace(settings, serial=SerialLine(path=str(near)))


def _later_night() -> tuple[str, str]:
    """A night that does not fall while a test runs: it must not matter when that is."""
    begins = SystemClock().now().astimezone(ZoneInfo(TIME_ZONE)) + UNTIL_NIGHT
    return f"{begins:%H:%M}", f"{begins + NIGHT:%H:%M}"
