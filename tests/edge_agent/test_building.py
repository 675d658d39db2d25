"""What a device moves and shows beside its own panel, over the real agent and a real Modbus server."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_agent.clock import SystemClock
from edge_agent.config import load
from simulator.plant import Plant
from simulator.stations import StationSettings, wire_plant, write_station
from tests.edge_agent.glass_lab import Shown, showing, write_page
from tests.endtoend.station_lab import STATION
from tests.ports import free_port
from tests.waiting import eventually

SMALL = replace(STATION, units=STATION.units[:3])


def scene(folder: Path, play: Callable[[Shown, Plant], Coroutine[Any, Any, None]]) -> None:
    """Play something with a station whose lines are there and whose broker is not."""

    async def run() -> None:
        plant = Plant(wire_plant(SMALL), clock=SystemClock())
        async with plant.serve_tcp() as port:
            settings = StationSettings(broker_port=1, plant_port=port, page_port=free_port(), poll_ms=100)
            async with showing(load(write_station(SMALL, folder, settings), {})) as shown:
                await eventually(lambda: shown.page.mains == "ok", what="the plant is read")
                await play(shown, plant)

    asyncio.run(run())


def test_the_mains_are_shown_as_they_were_read(tmp_path: Path) -> None:
    """They have failed when the input says so; where the input is silent nothing is claimed of them."""

    async def play(shown: Shown, plant: Plant) -> None:
        plant.write(plant.parts.inputs.mains_failed, 1)
        await eventually(lambda: shown.page.mains == "failed", what="the mains have failed")
        plant.write(plant.parts.inputs.mains_failed, 0)
        await eventually(lambda: shown.page.mains == "ok", what="the mains are back")
        plant.go_silent("bays")
        await eventually(lambda: shown.page.mains == "unknown", what="nothing is known of the mains")
        assert any("bays does not answer" in one.found for one in shown.page.health)

    scene(tmp_path, play)


def test_a_vehicle_has_no_station_to_show(tmp_path: Path) -> None:
    """Without lines nothing is known of mains, there are no zones to test, and the page is titled by the unit."""

    async def scenario() -> None:
        async with showing(write_page(tmp_path, "mqtt://127.0.0.1:1")) as shown:
            page = shown.page
            assert ("unknown", (), "14P1") == (page.mains, page.zones, page.station)

    asyncio.run(scenario())
