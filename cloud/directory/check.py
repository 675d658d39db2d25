"""What must hold between the rows of a directory: nothing twice, and no reference to what isn't there. Pure.

cross_check = what stands twice → what is not there → crewing.py (units) → speaking.py (devices, vehicles)
→ ground.py (bases, areas) → turns.py (shifts) → sharing.py (agreements, covers, partners)
"""

from collections.abc import Iterator

from cloud.directory.crewing import crewing_problems
from cloud.directory.ground import ground_problems
from cloud.directory.sharing import sharing_problems
from cloud.directory.speaking import speaking_problems
from cloud.directory.tables import Known, Tables, absent, repeated
from cloud.directory.turns import shift_problems
from wire.strict import Problem


def cross_check(tables: Tables, known: Known) -> Iterator[Problem]:
    """Tell everything that can be wrong between rows. Rows of the wrong shape are not in `tables`: told elsewhere."""
    yield from _twice(tables)
    yield from _dangling(tables, known)
    yield from crewing_problems(tables, known)
    yield from speaking_problems(tables)
    yield from ground_problems(tables)
    for shift in tables.shifts:
        yield from shift_problems(shift)
    yield from sharing_problems(tables, known)


def _twice(tables: Tables) -> Iterator[Problem]:
    for rows in (tables.organisations, tables.bases, tables.units, tables.devices, tables.control_rooms, tables.shifts):
        yield from repeated(rows, "id", lambda row: row.id, "an id of its own")
    yield from repeated(tables.areas, "id", lambda row: row.id, "an id of its own")
    yield from repeated(
        tables.areas,
        "name",
        lambda row: (row.organisation, row.service, row.name.casefold()),
        "one area a name in an organisation and service",
    )
    yield from repeated(tables.vehicles, "id", lambda row: row.id.casefold(), "a fleet number of its own")
    registered = tuple(one for one in tables.vehicles if one.row.registration is not None)
    yield from repeated(
        registered,
        "registration",
        lambda row: row.registration.replace(" ", "").casefold(),
        "a registration of its own",
    )
    fitted = tuple(one for one in tables.vehicles if one.row.device is not None)
    yield from repeated(fitted, "device", lambda row: row.device, "a device that is in no other vehicle")
    yield from repeated(
        tables.units,
        "callsign",
        lambda row: (row.organisation, " ".join(row.callsign.split()).casefold()),
        "one unit a callsign in an organisation",
    )
    yield from repeated(tables.units, "carrier", lambda row: row.carrier, "a device that carries no other unit")
    stations = tuple(base for base in tables.bases if base.row.device is not None)
    yield from repeated(stations, "device", lambda row: row.device, "a device that is no other base's")
    yield from repeated(tables.devices, "enrolment", lambda row: row.enrolment, "an enrolment number of its own")


def _dangling(tables: Tables, known: Known) -> Iterator[Problem]:
    for base in tables.bases:
        yield from absent(base, "organisation", "organisation", base.row.organisation, known.organisation)
        yield from absent(base, "device", "device", base.row.device, known.device)
        yield from absent(base, "area", "area", base.row.area, known.area)
    for vehicle in tables.vehicles:
        yield from absent(vehicle, "organisation", "organisation", vehicle.row.organisation, known.organisation)
        yield from absent(vehicle, "device", "device", vehicle.row.device, known.device)
        yield from absent(vehicle, "base", "base", vehicle.row.base, known.base)
    for unit in tables.units:
        yield from absent(unit, "organisation", "organisation", unit.row.organisation, known.organisation)
        yield from absent(unit, "base", "base", unit.row.base, known.base)
        yield from absent(unit, "scheme", "scheme", unit.row.scheme, known.scheme)
        yield from absent(unit, "carrier", "device", unit.row.carrier, known.device)
        yield from absent(unit, "shift", "shift", unit.row.shift, known.shift)
        yield from absent(unit, "part_of", "unit", unit.row.part_of, known.unit)
    for device in tables.devices:
        yield from absent(device, "organisation", "organisation", device.row.organisation, known.organisation)
        for index, name in enumerate(device.row.units):
            yield from absent(device, f"units[{index}]", "unit", name, known.unit)
    yield from _dangling_ground(tables, known)


def _dangling_ground(tables: Tables, known: Known) -> Iterator[Problem]:
    for area in tables.areas:
        yield from absent(area, "organisation", "organisation", area.row.organisation, known.organisation)
    for room in tables.control_rooms:
        for index, name in enumerate(room.row.organisations):
            yield from absent(room, f"organisations[{index}]", "organisation", name, known.organisation)
        for index, name in enumerate(room.row.areas):
            yield from absent(room, f"areas[{index}]", "area", name, known.area)
