"""Parts lists and power budgets of `hardware/`, as they are and with a fault put in."""

from functools import cache

from kit.bill import PartsList, bill_problems, counts, drawing, parse_parts_list
from kit.circuits import Circuits, circuit_parts, parse_circuits
from kit.parts import Part, join_parts, parse_parts
from kit.power import Power, carried, parse_power, power_problems
from kit.render import HARDWARE
from kit.source import CATALOGUES, CIRCUITS
from tests.kit.pinmaps import FOLDERS, pinmap_of
from wire.strict import Problem


@cache
def catalogue() -> dict[str, Part]:
    """Every part that can be bought, by key."""
    tables: dict[str, tuple[Part, ...]] = {}
    for file in CATALOGUES:
        found = parse_parts((HARDWARE / file).read_text("utf-8"))
        tables[file] = tuple(each for each in found if isinstance(each, Part))
        assert len(tables[file]) == len(found), found
    joined = join_parts(tables)
    assert isinstance(joined, dict), joined
    return joined


@cache
def circuits() -> Circuits:
    """All circuits, of the right shape."""
    found = parse_circuits((HARDWARE / CIRCUITS).read_text("utf-8"))
    assert isinstance(found, Circuits), found
    return found


@cache
def of_circuits(device: str) -> dict[str, int]:
    """The parts of a device's circuits, and how many."""
    return circuit_parts(circuits(), pinmap_of(device))


def file_text(device: str, file: str) -> str:
    """A file beside the pin map, as it stands."""
    return (FOLDERS[device] / file).read_text("utf-8")


def seeded_file(device: str, file: str, old: str, new: str) -> str:
    """The file with its first `old` made `new`."""
    text = file_text(device, file)
    assert old in text, old
    return text.replace(old, new, 1)


@cache
def parts_of(device: str) -> PartsList:
    """The parts list, of the right shape."""
    found = parse_parts_list(file_text(device, "parts.toml"))
    assert isinstance(found, PartsList), found
    return found


@cache
def power_of(device: str) -> Power:
    """The power budget, of the right shape."""
    found = parse_power(file_text(device, "power.toml"))
    assert isinstance(found, Power), found
    return found


def bill_faults(device: str, text: str) -> list[str]:
    """Every fault of a parts list, a line each."""
    found = parse_parts_list(text)
    if not isinstance(found, PartsList):
        return [str(problem) for problem in found]
    return [str(problem) for problem in parts_faults(device, found)]


def parts_faults(device: str, parts: PartsList, **changed: Part) -> tuple[Problem, ...]:
    """Every fault of a parts list, with some parts of the catalogue changed."""
    known = catalogue() | changed
    flows = carried(power_of(device), known)
    inside = of_circuits(device)
    return bill_problems(pinmap_of(device), parts, catalogue=known, circuit_parts=inside, carried=flows)


def power_faults(device: str, text: str) -> list[str]:
    """Every fault of a power budget, a line each."""
    found = parse_power(text)
    if not isinstance(found, Power):
        return [str(problem) for problem in found]
    parts = parts_of(device)
    on_bill = counts(parts, of_circuits(device))
    problems = power_problems(found, pinmap_of(device), catalogue=catalogue(), counts=on_bill, drawing=drawing(parts))
    return [str(problem) for problem in problems]
