"""The rows of every file, each with where it stands: what the checks between rows look at. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from cloud.directory.areas import Area
from cloud.directory.rows import (
    AgreementRow,
    Base,
    ControlRoom,
    CoverRow,
    Device,
    Organisation,
    Partner,
    UnitRow,
    Vehicle,
)
from cloud.directory.shifts import Shift
from wire.strict import Problem, closest

Row = TypeVar("Row", bound=msgspec.Struct)


class Placed(msgspec.Struct, Generic[Row], frozen=True):
    """A row and where it stands, such as `units.toml: unit[2]`."""

    row: Row
    path: str

    def problem(self, key: str, problem: str, expected: str) -> Problem:
        """Tell what is wrong with one of the row's keys."""
        return Problem(f"{self.path}.{key}", problem, expected)


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Every row of every file that has the right shape."""

    organisations: tuple[Placed[Organisation], ...]
    bases: tuple[Placed[Base], ...]
    vehicles: tuple[Placed[Vehicle], ...]
    units: tuple[Placed[UnitRow], ...]
    devices: tuple[Placed[Device], ...]
    control_rooms: tuple[Placed[ControlRoom], ...]
    shifts: tuple[Placed[Shift], ...]
    areas: tuple[Placed[Area], ...]
    agreements: tuple[Placed[AgreementRow], ...]
    covers: tuple[Placed[CoverRow], ...]
    partners: tuple[Placed[Partner], ...]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Every name that a row may refer to, also of rows that have other faults. None where that can't be known yet."""

    organisation: Collection[str] | None = None
    base: Collection[str] | None = None
    unit: Collection[str] | None = None
    device: Collection[str] | None = None
    scheme: Collection[str] | None = None
    shift: Collection[str] | None = None
    area: Collection[str] | None = None
    control_room: Collection[str] | None = None
    crew_groups: Mapping[str, int] | None = None
    """How many units each crew group has."""


def repeated(
    placed: tuple[Placed[Any], ...], key: str, identity: Callable[[Any], object], expected: str
) -> Iterator[Problem]:
    """Tell each row that has what an earlier one has."""
    first: dict[object, str] = {}
    for each in placed:
        met = first.setdefault(identity(each.row), each.path)
        if met != each.path:
            yield each.problem(key, f"{getattr(each.row, key)!r} stands in {met} already", expected)


def absent(
    placed: Placed[Any], key: str, what: str, name: str | None, known: Collection[str] | None
) -> Iterator[Problem]:
    """Tell that a row refers to what is not there. A row that refers to nothing is no fault."""
    if name is not None and known is not None and name not in known:
        problem = f"{name!r} is no known {what}{closest(name, tuple(known))}"
        yield placed.problem(key, problem, f"the id of {'an' if what[0] in 'aeio' else 'a'} {what}")
