"""A shared station whose real agent serves the touch page, beside the real application: on a thread of their own."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect
from uuid import uuid4

import httpx
import msgspec

from cloud.app import App
from edge_agent.agent import Agent
from edge_agent.clock import SystemClock
from edge_agent.config import Config, load
from simulator.folder import write_directory
from simulator.plant import Plant
from simulator.stations import StationSettings, wire_plant, write_station
from tests.brokers import RunningBroker
from tests.endtoend.station_lab import COUNTY, STATION
from tests.ports import free_port
from tests.site import running_agent, running_site
from tests.waiting import wait_until
from wire.events import Event

SMALL = replace(STATION, units=STATION.units[:3])
"""A police car, a fire engine and an ambulance: what fits on one page of the glass."""
READY_S, SETTLED_S = 30.0, 30.0
POLL_MS, TRAVEL_S = 200, 0.3

_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class PanelStation:
    """The station, its page, and control's records of it."""

    def __init__(self, folder: Path, broker: RunningBroker) -> None:
        """Nothing runs yet."""
        self.broker, self._folder = broker, folder
        self.number = free_port()
        self.config: Config
        self._app: App
        self._agent: Agent
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._over = asyncio.Event()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.number}/"

    def mobilise(self) -> str:
        """Control gives an order to every unit of the station. Gives its id."""
        order = str(uuid4())
        units = [unit.id for unit in SMALL.units]
        body = {"base": SMALL.base.id, "units": units, "incident": "I0417", "address": "1 High Street", "by": "Control"}
        answer = httpx.put(f"{self._app.address}v1/orders/{order}", json=body)
        assert 201 == answer.status_code, answer.text
        return order

    def cancel(self, order: str) -> None:
        """Control cancels an order."""
        body = {"by": "Control", "reason": "false alarm"}
        assert httpx.post(f"{self._app.address}v1/orders/{order}/cancel", json=body).status_code < 300

    def told(self) -> list[Event]:
        """Everything that the ledger holds of the station's, in order, once nothing is on its way any more."""
        wait_until(lambda: self._agent._keeper.depth.status == 0, what="all is settled", deadline_s=SETTLED_S)
        with contextlib.closing(connect(f"{(self._folder / 'data/ledger.db').as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT body FROM event WHERE device = ? ORDER BY seq", (SMALL.device,))
            return [_events.decode(body) for (body,) in rows]

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run everything until the block ends."""
        thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        thread.start()
        try:
            assert self._ready.wait(READY_S)
            wait_until(self._is_served, what="the page", deadline_s=READY_S)
            yield
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join(READY_S)
            assert not thread.is_alive()
            self._loop.close()

    def _is_served(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.number)) == 0

    async def _run(self) -> None:
        plant = Plant(wire_plant(SMALL, door_travel_s=TRAVEL_S), clock=SystemClock())
        directory = write_directory(COUNTY, self._folder / "directory")
        async with contextlib.AsyncExitStack() as stack:
            settings = StationSettings(
                broker_port=self.broker.port,
                plant_port=await stack.enter_async_context(plant.serve_tcp()),
                page_port=self.number,
                heartbeat_s=1.0,
                poll_ms=POLL_MS,
                door_travel_s=TRAVEL_S,
            )
            self.config = load(write_station(SMALL, self._folder / "s", settings), {})
            site = running_site(self._folder / "data", broker_port=self.broker.port, directory=directory)
            self._app = await stack.enter_async_context(site)
            self._agent = await stack.enter_async_context(running_agent(self.config, SystemClock()))
            self._ready.set()
            await self._over.wait()
