"""Another directory, or another binding, takes effect at once: on what devices may say, on the fleet, and on panels."""

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from cloud.directory import Directory, Unit
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.ingest.entries import entries, speakers
from cloud.ingest.ingest import Ingest
from tests.cloud.fleet.samples import COUNTY, NOON, at, county, heartbeat
from tests.cloud.ingest.samples import Desk, Vehicle
from tests.cloud.ingest.test_book import engine, panel, send
from tests.cloud.ingest.test_recorded import Line, ingesting, settles
from tests.cloud.ingest.test_sayings import crew, shown, tell
from tests.waiting import eventually
from wire import codec, topics
from wire.messages import State

UNIT = "kp-12"
ANOTHER = """
[[unit]]
id = "kp-13"
callsign = "P13"
organisation = "kp"
type = "response car"
base = "stn-14"
scheme = "uk-police-state"
carrier = "veh-3"
[[device]]
id = "veh-3"
organisation = "kp"
enrolment = "E33"
"""
OTHER_READING = """
replaces = "uk-police-state"
[[code]]
code = "2"
label = "On patrol, single crewed"
availability = "ConditionallyAvailable"
activity = "free"
"""


def made(text: str, site: dict[str, str] | None = None) -> Directory:
    """A directory of one file, and of a site's own schemes."""
    directory = build({"county.toml": text}, read_packaged(), site or {})
    assert isinstance(directory, Directory), directory
    return directory


def moved(directory: Directory, *, carrier: str, **changes: object) -> Directory:
    """The directory with the police unit on another device, as control's word would have it."""
    unit = msgspec.structs.replace(directory.units[UNIT], carrier=carrier, **changes)
    devices = dict(directory.devices)
    for name in {directory.units[UNIT].carrier, carrier}:
        units = tuple(one for one in devices[name].units if one != UNIT)
        devices[name] = msgspec.structs.replace(devices[name], units=(UNIT, *units) if name == carrier else units)
    return msgspec.structs.replace(directory, units=directory.units | {UNIT: unit}, devices=devices)


def take(desk: Desk, directory: Directory) -> None:
    """Put a directory in force, as ingest does."""
    desk.in_force.replace(directory)
    desk.folding.rebind(directory, at(0))


def states(line: Line, device: str, org: str = "kp") -> list[State]:
    """The states that a device was told."""
    topic = topics.down(org, device, "state")
    said = [codec.decode_down(one.payload) for one in line.heard if one.topic == topic]
    return [one for one in said if isinstance(one, State)]


def units_in(line: Line, device: str) -> list[tuple[str, str]]:
    """Which units, with which codes, the newest state of a device shows."""
    return [(one.unit, one.code) for one in states(line, device)[-1].units]


async def press(ingest: Ingest, line: Line, vehicle: Vehicle, code: str = "2") -> None:
    """Press, and wait for the settle."""
    seq, known = vehicle.press(code), len(settles(line))
    line.receive([(vehicle.topic, vehicle.envelope(seq, seq))])
    await eventually(lambda: len(settles(line)) > known, what="a settle")


def test_a_new_unit_may_speak_at_once(tmp_path: Path) -> None:
    """Unknown before, its device's press is taken, shown and answered after, without a restart."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            newcomer = Vehicle("E33-a", device="veh-3")
            newcomer.press("2", unit="kp-13")
            line.receive([(newcomer.topic, newcomer.envelope())])
            assert 1 == ingest.acceptor.counts["aside_foreign_device"]
            ingest.in_force.replace(made(COUNTY + ANOTHER))
            assert "kp-13" in ingest.fleet.units
            line.receive([(newcomer.topic, newcomer.envelope())])
            await eventually(lambda: settles(line), what="a settle")
            standing = ingest.fleet.standing("kp-13")
            assert standing is not None and "2" == standing.code
            assert [("kp-13", "2")] == units_in(line, "veh-3")
            assert ingest.directory is ingest.in_force.directory

    asyncio.run(scenario())


def test_a_device_that_is_revoked_is_heard_no_more(tmp_path: Path) -> None:
    """Its next message is kept aside, its status stands no more, and its panel is told that it has no unit."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            vehicle = Vehicle()
            await press(ingest, line, vehicle)
            revoked = msgspec.structs.replace(county().devices["veh-2"], revoked=True)
            devices = county().devices | {"veh-2": revoked}
            ingest.in_force.replace(msgspec.structs.replace(county(), devices=devices))
            assert ingest.fleet.standing(UNIT) is None
            assert [] == units_in(line, "veh-2")
            line.receive([(vehicle.topic, vehicle.envelope())])
            assert 1 == ingest.acceptor.counts["aside_revoked_device"]

    asyncio.run(scenario())


def test_a_device_that_goes_while_its_press_is_committed_harms_nothing(tmp_path: Path) -> None:
    """Its press is stored, nobody is settled, and the next device's press goes through."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            gone, other = engine(), Vehicle()
            gone.press("2", unit="kf-1", scheme="uk-fire-gd92")
            line.receive([(gone.topic, gone.envelope())])
            line.receive(
                [(topics.up("kf", "veh-1", "live"), codec.encode(heartbeat(0, device="veh-1", stream="E1-a")))]
            )
            rows = county()
            ingest.in_force.replace(
                msgspec.structs.replace(
                    rows,
                    units={UNIT: rows.units[UNIT]},
                    devices={name: one for name, one in rows.devices.items() if name != "veh-1"},
                )
            )
            await press(ingest, line, other)
            assert 1 == len(ingest._ledger.events_of("kf-1", None, 10))
            assert [UNIT] == list(ingest.fleet.units)

    asyncio.run(scenario())


def test_a_units_scheme_read_otherwise_is_shown_so(tmp_path: Path) -> None:
    """What stands takes the class and label of the site's own reading, and its devices are told the label."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            await press(ingest, line, Vehicle())
            ingest.in_force.replace(made(COUNTY, {"own.toml": OTHER_READING}))
            standing = ingest.fleet.standing(UNIT)
            assert standing is not None
            assert ("ConditionallyAvailable", "On patrol, single crewed") == (standing.availability, standing.label)
            assert ["On patrol, single crewed"] == [one.label for one in states(line, "veh-2")[-1].units]

    asyncio.run(scenario())


def test_only_those_concerned_are_told(tmp_path: Path) -> None:
    """A reload that adds a unit leaves the other panels alone."""

    async def scenario() -> None:
        async with ingesting(tmp_path) as (ingest, line):
            before = {name: len(states(line, name, one.organisation)) for name, one in county().devices.items()}
            ingest.in_force.replace(made(COUNTY + ANOTHER))
            after = {name: len(states(line, name, one.organisation)) for name, one in county().devices.items()}
            assert before == after
            assert 1 == len(states(line, "veh-3"))

    asyncio.run(scenario())


@pytest.mark.parametrize("with_panel", [False, True])
def test_what_an_unbound_vehicle_declared_stands_no_more_and_again_when_it_is_bound(with_panel: bool) -> None:
    """The unit goes to another device: the old one's status and crew are history. Given back, they count again."""
    desk, vehicle, other = Desk(), Vehicle(), panel()
    tell(vehicle, crew(1, 3))
    vehicle.press("2")
    send(desk, vehicle)
    if with_panel:
        other.press("8")
        send(desk, other)
    desk.commit()
    take(desk, moved(county(), carrier="panel-1"))
    standing = desk.fleet.standing(UNIT)
    assert (standing is not None and "panel-1" == standing.device) if with_panel else standing is None
    assert shown(desk).crew is None
    take(desk, county())
    assert {"veh-2": "2"} | ({"panel-1": "8"} if with_panel else {}) == {
        head.device: head.code for device in ("veh-2", "panel-1") for head in desk.fleet.heads(UNIT, device)
    }
    record = shown(desk)
    assert record.crew is not None and 3 == record.crew.riders


def test_a_claimed_unit_may_be_pressed_for_and_counts_once_it_is_bound() -> None:
    """From the claim on its statuses are stored as the unit's history; at the binding the newest since then stands."""
    desk, spare = Desk(), Vehicle("E3-a", device="panel-1")
    unbound = moved(county(), carrier="veh-2")
    devices = unbound.devices | {"panel-1": msgspec.structs.replace(unbound.devices["panel-1"], units=())}
    unbound = msgspec.structs.replace(unbound, devices=devices)
    take(desk, unbound)
    spare.press("2")
    send(desk, spare)
    assert ["foreign_unit"] == [row.reason for row in desk.commit().commit.refused]
    desk.acceptor.speaking.claimed = lambda device: _claimed(unbound) if device == "panel-1" else ()
    spare.settled = 1
    spare.press("8")
    spare.press("3")
    send(desk, spare)
    entry = desk.commit()
    assert [UNIT, UNIT] == [row.unit for row in entry.commit.events]
    assert desk.fleet.standing(UNIT) is None
    take(desk, moved(unbound, carrier="panel-1", bound_at=NOON - timedelta(minutes=1)))
    standing = desk.fleet.standing(UNIT)
    assert standing is not None and ("panel-1", "3") == (standing.device, standing.code)


def _claimed(directory: Directory) -> tuple[Unit, ...]:
    return (directory.units[UNIT],)


def test_every_row_reaches_the_fleet() -> None:
    """What the directory asks of a unit, and where it is, is in its entry; every device bound to it speaks for it."""
    rows = moved(county(), carrier="veh-2", minimum_crew=2, tier_min=5, home="stn-14", vehicle="K7", crew_group="g")
    found = {entry.id: entry for entry in entries(rows)}
    entry = found[UNIT]
    assert (2, 5, "Stn 14 shared", "K7", "g") == (
        entry.needs.minimum,
        entry.tier_min,
        entry.home,
        entry.vehicle,
        entry.crew_group,
    )
    assert {"veh-2", "panel-1"} == set(speakers(rows)[UNIT])
    assert {"kp-12", "kf-1"} == set(found)
