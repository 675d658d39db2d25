"""The simulated stations' files: what the agent reads is what the plant is."""

import asyncio
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.bus import Bus
from edge_agent.clock import SystemClock
from edge_agent.config import load
from edge_agent.config.register_maps import load_maps
from edge_agent.station.layout import Layout, PointKind, check_points, parse_layout
from edge_agent.station.words import Value
from simulator.county import Station, generate
from simulator.plant import Plant
from simulator.plant.parts import BLOCKS, MAP
from simulator.stations import ALERT, BAYS, LAYOUT_FILE, StationSettings, wire_plant, write_station
from tests.waiting import eventually

SETTINGS = StationSettings(broker_port=1884, plant_port=1502, page_port=8480)
STATIONS = generate(14).stations
BITS = ("coil", "discrete_input")


def known_points() -> dict[str, PointKind]:
    """Every point of a station's two modules, as their register map has it."""
    points = load_maps()[0][MAP].points
    kinds = {p.name: PointKind(kind="bool" if p.function in BITS else "number", writable=p.writable) for p in points}
    return {f"{slave}.{name}": kind for slave in (ALERT, BAYS) for name, kind in kinds.items()}


def read_layout(path: Path) -> Layout:
    """The layout beside a device's file, as the agent takes it."""
    found = parse_layout((path.parent / LAYOUT_FILE).read_text(encoding="utf-8"))
    assert isinstance(found, Layout), found
    return found


@given(units=st.integers(1, 500), seed=st.integers(0, 20))
@settings(max_examples=10, deadline=None)
def test_every_layout_is_right(tmp_path_factory: pytest.TempPathFactory, units: int, seed: int) -> None:
    """The agent's own reader takes each station's layout, in a county of any size, and every point is on a module."""
    known = known_points()
    for station in generate(seed, units).stations:
        layout = read_layout(write_station(station, tmp_path_factory.mktemp("s"), SETTINGS))
        assert check_points(layout, known) == ()


@pytest.mark.parametrize("station", STATIONS, ids=lambda station: station.device)
def test_the_layout_is_the_plant(station: Station, tmp_path: Path) -> None:
    """Every part of the plant is in the layout with the same wires, and nothing else is."""
    layout, parts = read_layout(write_station(station, tmp_path, SETTINGS)), wire_plant(station)
    assert [(s.id, s.output, s.proof) for s in layout.sounders] == [(s.id, s.output, s.proof) for s in parts.sounders]
    assert [(x.id, x.output, x.proof) for x in layout.lights] == [(x.id, x.output, x.proof) for x in parts.lights]
    assert [(c.output, c.proof, c.reset) for c in layout.cookers] == [
        (c.output, c.proof, c.reset) for c in parts.cookers
    ]
    assert [(i.unit, i.output) for i in layout.indicators] == [(i.unit, i.output) for i in parts.indicators]
    assert [(d.output, d.open_input, d.closed_input, d.units) for d in layout.doors] == [
        (d.output, d.open_input, d.closed_input, d.units) for d in parts.doors
    ]
    assert all(drawn.travel_s > built.travel_s for drawn, built in zip(layout.doors, parts.doors, strict=True))
    assert layout.inputs.acknowledge == parts.inputs.acknowledge


@pytest.mark.parametrize("station", STATIONS, ids=lambda station: station.device)
def test_every_unit_has_its_way_out_and_its_bed(station: Station, tmp_path: Path) -> None:
    """Each unit has one door and one indicator, and each service a dormitory that is nobody else's."""
    layout = read_layout(write_station(station, tmp_path, SETTINGS))
    units = sorted(unit.id for unit in station.units)
    assert sorted(unit for door in layout.doors for unit in door.units) == units
    assert sorted(indicator.unit for indicator in layout.indicators) == units
    services = {unit.organisation.service for unit in station.units}
    assert {zone.services for zone in layout.zones if zone.id.startswith("dorm-")} == {(each,) for each in services}


@pytest.mark.parametrize("station", STATIONS, ids=lambda station: station.device)
def test_the_agent_reads_the_device(station: Station, tmp_path: Path) -> None:
    """The agent's real configuration takes the file: its units, its line with both modules, its layout and its page."""
    config = load(write_station(station, tmp_path, SETTINGS), {})
    assert config.device.id == station.device
    assert [unit.id for unit in config.units] == [unit.id for unit in station.units]
    assert [(slave.name, slave.map) for bus in config.buses for slave in bus.slave] == [(ALERT, MAP), (BAYS, MAP)]
    assert config.station is not None and Path(config.station.layout) == tmp_path / LAYOUT_FILE
    assert config.page is not None and config.page.port == SETTINGS.page_port


def test_the_plant_has_the_map_of_its_modules() -> None:
    """The plant's modules have the points that the packaged register map names, and no others."""
    assert {f"{ALERT}.{block}{n}" for block, size in BLOCKS.items() for n in range(size)} == {
        point for point in known_points() if point.startswith(f"{ALERT}.")
    }


def test_the_agent_drives_the_plant(tmp_path: Path) -> None:
    """Through its own bus, the agent with this file sees the doors closed, opens one, sounds, and sees a module go."""

    async def main() -> None:
        station, clock = STATIONS[0], SystemClock()
        parts = wire_plant(station)
        plant, door, sounder = Plant(parts, clock=clock), parts.doors[0], parts.sounders[0]
        async with plant.serve_tcp() as port:
            config = load(write_station(station, tmp_path, StationSettings(broker_port=1, plant_port=port)), {})
            bus = Bus(config.buses, config.maps, clock=clock, jitter=Random(1).random)
            seen: dict[str, Value] = {}
            polling = asyncio.create_task(bus.run(seen.update))
            try:
                await eventually(lambda: {door.closed_input, sounder.proof} <= set(seen), what="both modules")
                assert seen[door.closed_input].value is True and seen[door.open_input].value is False
                assert await bus.write(sounder.output, True) == "done"
                assert await bus.write(sounder.level, 60) == "done"
                assert await bus.pulse(door.output, 0.1) == "done"
                await eventually(lambda: seen[sounder.proof].value is True, what="a sounder that is heard")
                await eventually(lambda: seen[door.open_input].value is True, what="an open door")
                assert (plant.read(sounder.level), plant.door_pulses[door.id]) == (60, 1)
                plant.go_silent(BAYS)
                await eventually(lambda: bus.silent == {BAYS}, what="a module that is missed")
                assert seen[door.open_input].quality == "bad" and seen[sounder.proof].quality == "good"
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)

    asyncio.run(main())
