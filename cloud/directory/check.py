"""What must hold between the rows of a directory: nothing twice, and no reference to what isn't there. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from cloud.directory.rows import Base, Device, Organisation, UnitRow
from wire.strict import Problem, closest

Row = TypeVar("Row", Organisation, Base, UnitRow, Device)


class Placed(msgspec.Struct, Generic[Row], frozen=True):
    """A row and where it stands, such as `units.toml: unit[2]`."""

    row: Row
    path: str

    def problem(self, key: str, problem: str, expected: str) -> Problem:
        """Tell what is wrong with one of the row's keys."""
        return Problem(f"{self.path}.{key}", problem, expected)


class Tables(msgspec.Struct, frozen=True):
    """Every row of every file that has the right shape."""

    organisations: tuple[Placed[Organisation], ...]
    bases: tuple[Placed[Base], ...]
    units: tuple[Placed[UnitRow], ...]
    devices: tuple[Placed[Device], ...]


class Known(msgspec.Struct, frozen=True):
    """Every name that a row may refer to, also of rows that have other faults. None where that can't be known yet."""

    organisations: Collection[str] | None
    bases: Collection[str] | None
    units: Collection[str] | None
    devices: Collection[str] | None
    schemes: Collection[str] | None


def cross_check(tables: Tables, known: Known) -> Iterator[Problem]:
    """Tell everything that can be wrong between rows. Rows of the wrong shape are not in `tables`: told elsewhere."""
    yield from _twice(tables)
    yield from _dangling(tables, known)
    units = {each.row.id: each.row for each in tables.units}
    devices = {each.row.id: each.row for each in tables.devices}
    for unit in tables.units:
        yield from _unit_problems(unit, devices)
    bases = {each.row.id: each.row for each in tables.bases}
    for device in tables.devices:
        yield from _device_problems(device, units, bases)
    for base in tables.bases:
        if (base.row.lat is None) != (base.row.lon is None):
            yield base.problem("lat" if base.row.lat is None else "lon", "is missing", "lat and lon, or neither")


def _twice(tables: Tables) -> Iterator[Problem]:
    for rows in (tables.organisations, tables.bases, tables.units, tables.devices):
        yield from _repeated(rows, "id", lambda row: row.id, "an id of its own")
    yield from _repeated(
        tables.units,
        "callsign",
        lambda row: (row.organisation, row.callsign.casefold()),
        "one unit a callsign in an organisation",
    )
    yield from _repeated(tables.units, "carrier", lambda row: row.carrier, "a device that carries no other unit")
    stations = tuple(base for base in tables.bases if base.row.device is not None)
    yield from _repeated(stations, "device", lambda row: row.device, "a device that is no other base's")
    yield from _repeated(tables.devices, "enrolment", lambda row: row.enrolment, "an enrolment number of its own")


def _repeated(
    placed: tuple[Placed[Any], ...], key: str, identity: Callable[[Any], object], expected: str
) -> Iterator[Problem]:
    first: dict[object, str] = {}
    for each in placed:
        met = first.setdefault(identity(each.row), each.path)
        if met != each.path:
            problem = f"{getattr(each.row, key)!r} stands in {met} already"
            yield each.problem(key, problem, expected)


def _dangling(tables: Tables, known: Known) -> Iterator[Problem]:
    for base in tables.bases:
        if base.row.organisation is not None:
            yield from _absent(base, "organisation", base.row.organisation, known.organisations)
        if base.row.device is not None:
            yield from _absent(base, "device", base.row.device, known.devices)
    for unit in tables.units:
        yield from _absent(unit, "organisation", unit.row.organisation, known.organisations)
        yield from _absent(unit, "base", unit.row.base, known.bases)
        yield from _absent(unit, "scheme", unit.row.scheme, known.schemes)
        yield from _absent(unit, "carrier", unit.row.carrier, known.devices)
    for device in tables.devices:
        yield from _absent(device, "organisation", device.row.organisation, known.organisations)
        for index, name in enumerate(device.row.units):
            yield from _absent(device, f"units[{index}]", name, known.units)


def _absent(placed: Placed[Any], key: str, name: str, known: Collection[str] | None) -> Iterator[Problem]:
    if known is not None and name not in known:
        what = {"carrier": "device"}.get(key, key.partition("s[")[0])
        yield placed.problem(key, f"{name!r} is no known {what}{closest(name, tuple(known))}", f"the id of a {what}")


def _unit_problems(unit: Placed[UnitRow], devices: Mapping[str, Device]) -> Iterator[Problem]:
    carrier = devices.get(unit.row.carrier)
    if carrier is not None and carrier.organisation != unit.row.organisation:
        problem = f"{carrier.id!r} belongs to {carrier.organisation!r}"
        yield unit.problem("carrier", problem, f"a device of {unit.row.organisation!r}")
    for capability, count in Counter(unit.row.capabilities).items():
        if count > 1:
            yield unit.problem("capabilities", f"names {capability!r} {count} times", "each capability once")


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
