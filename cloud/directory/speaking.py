"""What must hold of devices: for which units they may speak, and in which vehicle they are. Pure."""

from collections.abc import Iterator, Mapping

from cloud.directory.rows import Base, Device, UnitRow, Vehicle
from cloud.directory.tables import Placed, Tables
from cloud.fleet.basis import CONTROL
from wire.strict import Problem


def speaking_problems(tables: Tables) -> Iterator[Problem]:
    """Tell what is wrong between devices, the units they speak for, and the vehicles they are in."""
    units = {each.row.id: each.row for each in tables.units}
    devices = {each.row.id: each.row for each in tables.devices}
    bases = {each.row.id: each.row for each in tables.bases}
    for unit in tables.units:
        yield from _foreign(unit, "carrier", devices.get(unit.row.carrier))
    for device in tables.devices:
        if device.row.id == CONTROL:
            yield device.problem("id", f"{CONTROL!r} stands for control's own word", "another id")
        yield from _device_problems(device, units, bases)
    carried = {unit.carrier: unit.id for unit in units.values()}
    stations = {base.device: base.id for base in bases.values() if base.device is not None}
    for vehicle in tables.vehicles:
        yield from _foreign(vehicle, "device", devices.get(vehicle.row.device or ""))
        yield from _vehicle_problems(vehicle, carried, stations)


def _foreign(placed: Placed[UnitRow] | Placed[Vehicle], key: str, device: Device | None) -> Iterator[Problem]:
    if device is not None and device.organisation != placed.row.organisation:
        problem = f"{device.id!r} belongs to {device.organisation!r}"
        yield placed.problem(key, problem, f"a device of {placed.row.organisation!r}")


def _vehicle_problems(
    vehicle: Placed[Vehicle], carried: Mapping[str, str], stations: Mapping[str, str]
) -> Iterator[Problem]:
    device = vehicle.row.device
    if device is None:
        return
    if device in stations:
        problem = f"{device!r} is the device of the station {stations[device]!r}"
        yield vehicle.problem("device", problem, "a device that is in a vehicle")
    if vehicle.row.spare and device in carried:
        problem = f"is true, and its device {device!r} carries {carried[device]!r}"
        yield vehicle.problem("spare", problem, "false, or a device that carries no unit")


def _device_problems(
    device: Placed[Device], units: Mapping[str, UnitRow], bases: Mapping[str, Base]
) -> Iterator[Problem]:
    """Tell which units a device may not speak for: those of others, but for those based at its station."""
    for index, name in enumerate(device.row.units):
        key = f"units[{index}]"
        unit = units.get(name)
        if device.row.units.index(name) != index:
            yield device.problem(key, f"{name!r} is there twice", "each unit once")
        elif unit is not None and unit.organisation != device.row.organisation:
            base = bases.get(unit.base)
            if base is None or base.device != device.row.id:
                problem = f"{name!r} belongs to {unit.organisation!r}"
                expected = f"units of {device.row.organisation!r}, or of the base whose device it is"
                yield device.problem(key, problem, expected)
