"""What follows for units from other rows: service, vehicle, place in the crew group, what attachments add. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from cloud.directory.rows import Organisation, Unit, UnitRow, Vehicle


def resolve(
    rows: Sequence[UnitRow], organisations: Mapping[str, Organisation], vehicles: Mapping[str, Vehicle]
) -> dict[str, Unit]:
    """Make each unit of its row, by id, in the order of the rows. The rows are checked."""
    numbers = {vehicle.device: vehicle.id for vehicle in vehicles.values() if vehicle.device is not None}
    places = _group_places(rows)
    return {
        row.id: Unit(
            **msgspec.structs.asdict(row) | {"capabilities": _capabilities(row)},
            service=organisations[row.organisation].service,
            vehicle=numbers.get(row.carrier, ""),
            group_place=places.get(row.id, 0),
        )
        for row in rows
    }


def _capabilities(row: UnitRow) -> tuple[str, ...]:
    """What it can do by itself, then what its attachments add, each once."""
    added = (name for attachment in row.attachments for name in attachment.capabilities)
    return tuple(dict.fromkeys((*row.capabilities, *added)))


def _group_places(rows: Sequence[UnitRow]) -> dict[str, int]:
    """Which unit of each group is sent first: by `crew_order`, those without one last, as they are written."""
    groups: dict[str, list[UnitRow]] = defaultdict(list)
    for row in rows:
        if row.crew_group is not None:
            groups[row.crew_group].append(row)
    return {
        row.id: place
        for members in groups.values()
        for place, row in enumerate(sorted(members, key=lambda row: (row.crew_order is None, row.crew_order or 0)))
    }
