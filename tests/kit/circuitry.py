"""The circuits of `hardware/circuits`, as they are and with a fault put in."""

from collections.abc import Mapping

from kit.circuits import Circuits, check_circuits, parse_circuits
from kit.parts import Part
from kit.pinmap import Pinmap
from kit.render import HARDWARE
from kit.schematics import drawing_problems
from tests.kit.boards import catalogue
from tests.kit.pinmaps import FOLDERS, pinmap_of

CIRCUITS = HARDWARE / "circuits"
TEXT = (CIRCUITS / "circuits.toml").read_text("utf-8")


def circuits_of(text: str) -> Circuits:
    """Circuits, of the right shape."""
    found = parse_circuits(text)
    assert isinstance(found, Circuits), [str(problem) for problem in found]
    return found


def pinmaps() -> tuple[Pinmap, ...]:
    """Every board's pin map."""
    return tuple(pinmap_of(device) for device in FOLDERS)


def faults(
    text: str, *, parts: Mapping[str, Part] | None = None, boards: tuple[Pinmap, ...] | None = None
) -> list[str]:
    """Every fault of circuits, drawn ones too, a line each; `parts` and `boards` stand for those that there are."""
    found = circuits_of(text)
    known = catalogue() if parts is None else parts
    boards = pinmaps() if boards is None else boards
    return [str(each) for each in (*check_circuits(found, known, boards), *drawing_problems(found))]


def seeded(old: str, new: str, *, inside: str = "") -> str:
    """The circuits with the first `old` made `new`; of the circuit named `inside`, where one is."""
    start = TEXT.index(f'name = "{inside}"') if inside else 0
    assert old in TEXT[start:], old
    return TEXT[:start] + TEXT[start:].replace(old, new, 1)
