"""The desk goes by the directory in force at each moment, also one that came while orders were in hand."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from cloud.desk import Invalid, Placed
from cloud.directory import Device
from tests.cloud.desk.lab import Lab, on_a_desk, put, writing
from tests.cloud.dispatch.samples import ORDER, PUMP, STATION, request
from tests.waiting import eventually


def without(devices: dict[str, Device], gone: str) -> dict[str, Device]:
    """The devices but one."""
    return {name: device for name, device in devices.items() if name != gone}


def revoked(devices: dict[str, Device], which: str) -> dict[str, Device]:
    """The devices, one of them revoked."""
    return devices | {which: replace(devices[which], revoked=True)}


@pytest.mark.parametrize("change", [without, revoked])
def test_a_device_that_is_known_no_longer_is_sent_nothing_more(tmp_path: Path, change: object) -> None:
    """An order goes on to its other devices; the one that a reload took away, or revoked, hears nothing of it."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION, PUMP)
        async with writing(lab):
            await put(lab)
            await eventually(lambda: lab.commands, what="a command")
            now = lab.in_force.directory
            assert callable(change)
            lab.in_force.replace(replace(now, devices=change(now.devices, STATION)))
            lab.commands.clear()
            lab.clock.moved_s += 2.0
            await eventually(lambda: lab.commands, what="a command sent again")
        assert all(STATION not in topic for topic, _ in lab.commands)
        assert any(PUMP in topic for topic, _ in lab.commands)

    on_a_desk(tmp_path, scenario)


def test_an_order_is_judged_by_the_directory_in_force(tmp_path: Path) -> None:
    """A unit that a reload brings can be called at once, and one that it took away no longer."""

    async def scenario(lab: Lab) -> None:
        now = lab.in_force.directory
        units = {name: unit for name, unit in now.units.items() if name != "kf-1"}
        lab.in_force.replace(replace(now, units=units))
        assert isinstance(await lab.desk.put(ORDER, request()), Invalid)
        lab.in_force.replace(now)
        assert isinstance(await lab.desk.put(ORDER, request()), Placed)

    on_a_desk(tmp_path, scenario)
