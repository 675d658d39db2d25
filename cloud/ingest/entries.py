"""The directory in force, as the fleet needs it: each unit, and which devices are bound to it. Pure."""

from collections import defaultdict
from collections.abc import Iterator

from cloud.directory import Directory
from cloud.directory.reckoning import fences, needs, rosters
from cloud.fleet.entry import UnitEntry


def entries(directory: Directory) -> Iterator[UnitEntry]:
    """Every unit as its directory and binding have it."""
    shifts, grounds = rosters(directory), fences(directory)
    for unit in directory.units.values():
        yield UnitEntry(
            id=unit.id,
            callsign=unit.callsign,
            organisation=unit.organisation,
            service=unit.service,
            type=unit.type,
            base=directory.bases[unit.base].name,
            home=directory.bases[unit.home].name if unit.home is not None else "",
            vehicle=unit.vehicle,
            capabilities=unit.capabilities,
            carrier=unit.carrier,
            bound_at=unit.bound_at,
            needs=needs(unit),
            tier_min=unit.tier_min,
            crew_group=unit.crew_group or "",
            group_place=unit.group_place,
            roster=shifts.get(unit.shift) if unit.shift is not None else None,
            fence=grounds.get(unit.base),
            part_of=unit.part_of or "",
            is_apart=unit.is_apart,
            split_into=unit.split_into,
            covert=unit.covert,
        )


def speakers(directory: Directory) -> dict[str, dict[str, None]]:
    """Which devices are bound to each unit."""
    bound: dict[str, dict[str, None]] = defaultdict(dict)
    for device in directory.devices:
        for unit in directory.device_units(device):
            bound[unit.id][device] = None
    return bound
