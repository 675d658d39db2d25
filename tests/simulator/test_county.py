"""The county: whole, consistent, and in the words that the cloud and the devices read."""

import tomllib
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.directory import load as load_directory
from edge_agent.config import load as load_device
from simulator.county import STATION_UNITS_MAX, UNITS, County, Unit, generate, place
from simulator.crew import Destination, codes
from simulator.earth import distance_m
from simulator.folder import DeviceSettings, button, write_device, write_directory

COUNTY = generate(14)
SETTINGS = DeviceSettings(broker_port=1884, gpsd_port=2948)
BASE_TO_JUNCTION_M = 0.2
"""What six decimals of a degree are worth."""


@pytest.fixture(scope="module")
def county() -> County:
    """A county of the usual size."""
    return COUNTY


def test_one_seed_gives_one_county() -> None:
    """Two runs with one seed agree in everything, and another seed gives another."""
    assert generate(14) == COUNTY
    assert generate(15) != COUNTY


@given(seed=st.integers(0, 50), units=st.sampled_from((1, 2, 3, 7, 60, 300)))
@settings(max_examples=15, deadline=None)
def test_it_has_as_many_units_as_asked(seed: int, units: int) -> None:
    """Any number of units gets that many, each with its own id, callsign and device."""
    found = generate(seed, units)
    assert len(found.units) == len(found.devices) == units
    assert len({unit.id for unit in found.units}) == units
    assert len({unit.callsign for unit in found.units}) == units
    assert [device.unit for device in found.devices] == list(found.units)


def test_it_is_a_county_of_three_services(county: County) -> None:
    """It has 24 police, 18 fire and 18 ambulance units, of every type that each service is known by."""
    assert Counter(unit.organisation.service for unit in county.units) == {"police": 24, "fire": 18, "ambulance": 18}
    assert len(county.units) == UNITS
    types = {unit.type for unit in county.units}
    assert types == {
        *("response car", "van", "pump", "ladder", "rescue"),
        *("double-crewed ambulance", "rapid response car"),
    }


def test_six_stations_are_shared(county: County) -> None:
    """Six stations belong to nobody and have units of two or three services; each other base has its owner's units."""
    shared = [base for base in county.bases if base.organisation is None]
    for base in county.bases:
        owners = {unit.organisation.id for unit in county.units if unit.base == base}
        assert owners == {base.organisation} if base not in shared else len(owners) in (2, 3)
    assert len(shared) == 6
    fourteen = [unit.organisation.service for unit in county.units if unit.base.name == "Stn 14 shared"]
    assert set(fourteen) == {"police", "fire", "ambulance"}


@given(seed=st.integers(0, 50), units=st.sampled_from((1, 8, 60, 300)))
@settings(max_examples=15, deadline=None)
def test_every_shared_base_with_units_is_a_station(seed: int, units: int) -> None:
    """Its agent speaks for the units there: all of them, or of too many some of each service, none twice."""
    found = generate(seed, units)
    assert {station.base for station in found.stations} == {u.base for u in found.units if u.base.organisation is None}
    for station in found.stations:
        here = [unit for unit in found.units if unit.base == station.base]
        assert len(set(station.units)) == len(station.units) == min(len(here), STATION_UNITS_MAX)
        assert set(station.units) <= set(here)
        assert {unit.organisation for unit in station.units} == {unit.organisation for unit in here}
    names = [station.device for station in found.stations]
    assert len({*names, *(device.id for device in found.devices)}) == len(names) + units


def test_the_cloud_reads_the_directory(county: County, tmp_path: Path) -> None:
    """The real directory loader accepts the folder whole, and finds what the county has."""
    directory = load_directory(write_directory(county, tmp_path / "directory"))
    assert set(directory.units) == {unit.id for unit in county.units}
    for device in county.devices:
        carried = directory.carried_by(device.id)
        assert carried is not None
        assert (carried.id, carried.callsign) == (device.unit.id, device.unit.callsign)
        assert carried.service == device.unit.organisation.service
        assert carried.capabilities == device.unit.capabilities
    for station in county.stations:
        assert directory.bases[station.base.id].device == station.device
        assert directory.device_units(station.device) == tuple(directory.units[unit.id] for unit in station.units)
    for base in county.bases:
        row = directory.bases[base.id]
        assert row.organisation == base.organisation
        assert row.lat is not None and row.lon is not None
        assert row.lat == pytest.approx(base.point.lat, abs=1e-6)
        assert distance_m(county.network.nodes[base.node], base.point) < BASE_TO_JUNCTION_M


def test_every_device_reads_its_file(county: County, tmp_path: Path) -> None:
    """The agent's real configuration accepts each device's file, with a button for every code of its crew."""
    for device in county.devices:
        config = load_device(write_device(device, tmp_path / device.id, SETTINGS), {})
        assert (config.device.id, config.device.enrolment) == (device.id, device.enrolment)
        assert [unit.id for unit in config.units] == [device.unit.id]
        assert (config.link.host, config.link.port) == ("127.0.0.1", 1884)
        assert config.gpsd is not None and config.gpsd.port == 2948
        pressed = {code: config.buttons[button(code)] for code in codes(device.unit.organisation.service)}
        assert all(found.code == code and not found.event for code, found in pressed.items())
        assert config.panel is not None
        assert config.panel.path == str(tmp_path / device.id / "panel.sock")


def test_names_survive_the_file(county: County, tmp_path: Path) -> None:
    """What is written is what a plain TOML reader reads, row for row."""
    folder = write_directory(county, tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("bases.toml", "devices.toml", "organisations.toml", "units.toml")
    ]
    rows = tomllib.loads((folder / "units.toml").read_text(encoding="utf-8"))["unit"]
    assert [(row["id"], row["callsign"], row["base"]) for row in rows] == [
        (unit.id, unit.callsign, unit.base.id) for unit in county.units
    ]


@given(seed=st.integers(0, 10_000), unit=st.sampled_from(COUNTY.units), destination=st.sampled_from(Destination))
@settings(deadline=None)
def test_every_destination_can_be_driven_to(seed: int, unit: Unit, destination: Destination) -> None:
    """From its base a unit finds a way to each place it is sent, and home is its own base."""
    node = place(COUNTY, unit, destination, Random(seed))
    if destination is Destination.STAY:
        assert node is None
        return
    assert node is not None
    route = COUNTY.network.route(unit.base.node, node)
    assert (route[-1].end if route else unit.base.node) == node
    if destination is Destination.BASE:
        assert route == ()


def test_incidents_happen_all_over_the_county() -> None:
    """Two hundred call-outs of one unit are spread over towns and country, not at one spot."""
    random, unit = Random(1), COUNTY.units[0]
    nodes = {place(COUNTY, unit, Destination.INCIDENT, random) for _ in range(200)}
    assert len(nodes) > 80
