"""Control's word over the directory: who carries which unit now, at which base, and what is split. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from cloud.directory.rows import Device, Directory, Unit

_EARLIEST = datetime.min.replace(tzinfo=UTC)


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What control's word says of one unit. What it leaves empty is as the directory has it."""

    unit: str
    device: str = ""
    """The device that carries it."""
    base: str = ""
    """The base that it is lent to."""
    at: datetime | None = None
    """Since when `device` carries it, UTC."""
    by: str = ""
    """Who at control said so."""
    split: bool = False
    """Whether it is split into its parts."""


def bind(directory: Directory, bindings: Mapping[str, Bound]) -> Directory:
    """Make the directory as control's word has it. The one given where nothing holds.

    A device carries one unit and a unit has one carrier at most: a device that control bound to a unit is taken from
    the unit that the directory has it carry, which nobody carries then, and the unit's own carrier speaks for it no
    longer. Of two units that are bound to one device the one bound last has it. What refers to what is not there
    (any more), or to a device of another organisation, is as if it were not said: `meaningless` tells what.
    """
    said = {unit: sound for unit, bound in bindings.items() if (sound := _sound(directory, unit, bound)) is not None}
    if not said:
        return directory
    carriers = _carriers(directory, said)
    units = {unit.id: _bound_unit(directory, unit, said, carriers[unit.id]) for unit in directory.units.values()}
    carried = {carrier: unit for unit, carrier in carriers.items() if carrier}
    devices = {
        device.id: _bound_device(device, directory.carried_by(device.id), carried.get(device.id))
        for device in directory.devices.values()
    }
    return replace(directory, units=units, devices=devices)


def meaningless(directory: Directory, bound: Bound) -> str:
    """Say why a binding means nothing in this directory, in a few words. Empty where it holds."""
    unit = directory.units.get(bound.unit)
    if unit is None:
        return f"there is no unit {bound.unit!r}"
    if bound.device:
        device = directory.devices.get(bound.device)
        if device is None:
            return f"there is no device {bound.device!r}"
        if device.revoked:
            return f"the device {bound.device!r} is revoked"
        if device.organisation != unit.organisation:
            return f"the device {bound.device!r} belongs to {device.organisation!r}"
    if bound.base and bound.base not in directory.bases:
        return f"there is no base {bound.base!r}"
    if bound.split and not any(part.part_of == unit.id for part in directory.units.values()):
        return f"the unit {unit.id!r} has no parts"
    return ""


def _sound(directory: Directory, unit: str, bound: Bound) -> Bound | None:
    """What of a binding holds, each part for itself: a unit stays lent although its bound device is gone."""
    parts = (
        Bound(unit=unit, device=bound.device) if bound.device else None,
        Bound(unit=unit, base=bound.base) if bound.base else None,
        Bound(unit=unit, split=True) if bound.split else None,
    )
    device, base, split = (part is not None and not meaningless(directory, part) for part in parts)
    if not (device or base or split):
        return None
    return Bound(
        unit=unit,
        device=bound.device if device else "",
        base=bound.base if base else "",
        at=bound.at if device else None,
        by=bound.by if device else "",
        split=split,
    )


def _carriers(directory: Directory, said: Mapping[str, Bound]) -> dict[str, str]:
    """Which device carries each unit: empty where none does."""
    taken: dict[str, str] = {}
    for bound in sorted(said.values(), key=_bound_when):
        if bound.device:
            taken[bound.device] = bound.unit
    carriers = {
        unit.id: "" if unit.carrier in taken or _is_bound(said, unit) else unit.carrier
        for unit in directory.units.values()
    }
    return carriers | {unit: device for device, unit in taken.items()}


def _is_bound(said: Mapping[str, Bound], unit: Unit) -> bool:
    return unit.id in said and bool(said[unit.id].device)


def _bound_when(bound: Bound) -> tuple[bool, datetime, str]:
    """The order in which units were bound: those without a time first."""
    return bound.at is not None, bound.at or _EARLIEST, bound.unit


def _bound_unit(directory: Directory, unit: Unit, said: Mapping[str, Bound], carrier: str) -> Unit:
    bound = said.get(unit.id)
    whole = said.get(unit.part_of) if unit.part_of is not None else None
    if bound is None and carrier == unit.carrier and not (whole is not None and whole.split):
        return unit
    changed = replace(
        unit, carrier=carrier, vehicle=_vehicle(directory, carrier), is_apart=whole is not None and whole.split
    )
    if bound is None:
        return changed
    parts = tuple(part.id for part in directory.units.values() if part.part_of == unit.id) if bound.split else ()
    lent = bool(bound.base) and bound.base != unit.base
    return replace(
        changed,
        base=bound.base if lent else unit.base,
        home=unit.base if lent else None,
        bound_at=bound.at if carrier == bound.device and bound.device else None,
        bound_by=bound.by if carrier == bound.device and bound.device else "",
        split_into=parts,
    )


def _vehicle(directory: Directory, carrier: str) -> str:
    vehicle = directory.vehicle_of(carrier) if carrier else None
    return vehicle.id if vehicle is not None else ""


def _bound_device(device: Device, before: Unit | None, carried: str | None) -> Device:
    """A device speaks for the unit that it carries now, and no longer for the one that it carried."""
    was = before.id if before is not None else None
    if was == carried:
        return device
    others = tuple(name for name in device.units if name not in (was, carried))
    return replace(device, units=others if carried is None else (carried, *others))
