"""The catalogue of parts: rows that are whole, each part once, and none that nobody uses."""

import csv
import io

import pytest

from kit.bill import counts, unused
from kit.parts import COLUMNS, Part, join_parts, parse_parts
from kit.render import HARDWARE
from kit.source import CATALOGUES
from tests.kit.boards import catalogue, circuits, of_circuits, parts_of
from tests.kit.pinmaps import FOLDERS

ROW = 'fuse,Fuse,Maker,F1,"5 A, 32 V",32,5,-40,125,Other F1,0.3,Data sheet'


def faults(*rows: str) -> list[str]:
    """What is wrong with a catalogue of these rows."""
    found = parse_parts("\n".join((",".join(COLUMNS), *rows)))
    return [str(each) for each in found if not isinstance(each, Part)]


def test_a_row_is_read() -> None:
    """Cells become a part, numbers as numbers, and an empty one is not given."""
    (part,) = parse_parts("\n".join((",".join(COLUMNS), ROW.replace(",32,5,", ",32,,"))))
    assert isinstance(part, Part)
    assert (part.key, part.volts_max, part.amps_max, part.temp_min_c, part.gbp) == ("fuse", 32.0, None, -40.0, 0.3)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        pytest.param(ROW.replace(",5,-40", ",five,-40"), "line 2: amps_max: is 'five'", id="no number"),
        pytest.param(ROW.replace("Maker", ""), "line 2: maker: is missing", id="no maker"),
        pytest.param(ROW + ",more", "line 2: has more than 12 cells", id="a comma too many"),
        pytest.param(ROW.replace(",0.3,", ",0,"), "line 2: gbp: is 0.0", id="for nothing"),
        pytest.param(ROW.replace("fuse,", "Fuse 5 A,"), "line 2: key: is 'Fuse 5 A'", id="no key"),
        pytest.param(ROW + "\n" + ROW, "line 3: 'fuse' stands on line 2 too", id="a part twice"),
    ],
)
def test_a_seeded_fault_of_a_catalogue_is_found(row: str, says: str) -> None:
    """A row with a fault is told by its line, and by what would be right."""
    found = faults(row)
    assert len(found) == 1 and found[0].startswith(says) and "; expected " in found[0]


def test_other_columns_are_refused() -> None:
    """A file with other columns is no catalogue."""
    (problem,) = parse_parts("key,what\nfuse,Fuse")
    assert str(problem).startswith("line 1: is not the columns of a catalogue")


def test_a_catalogue_without_a_part_is_told() -> None:
    """A file that has its columns alone is a fault with a line, or nothing would be made and no word said."""
    assert faults() == ["line 1: is all there is: no part; expected a line for each part"]


def test_a_part_in_two_catalogues_is_told() -> None:
    """A key that stands in two files is a line that names both."""
    (part,) = parse_parts("\n".join((",".join(COLUMNS), ROW)))
    assert isinstance(part, Part)
    found = join_parts({"a.csv": (part,), "b.csv": (part,)})
    assert isinstance(found, tuple)
    assert [str(each) for each in found] == ["b.csv: 'fuse' stands in a.csv too; expected each part once"]


def test_every_part_is_used() -> None:
    """No line of the catalogues is left over: each is a part of some device or of its circuits."""
    devices = [counts(parts_of(device), of_circuits(device)) for device in FOLDERS]
    drawn = {component.part for each in circuits().circuit for component in each.component}
    assert [str(each) for each in unused(catalogue(), drawn, *devices)] == []
    extra = {"left_over": next(iter(catalogue().values()))}
    assert [each.path for each in unused(extra, drawn, *devices)] == ["left_over"]


def test_no_cell_is_lost() -> None:
    """The catalogues have as many parts as lines, each with a second source or the reason why there is none."""
    lines = sum(len(list(csv.reader(io.StringIO((HARDWARE / f).read_text("utf-8"))))) - 1 for f in CATALOGUES)
    assert lines == len(catalogue()) > 40
    assert all(not each.second.startswith("none") or each.second.startswith("none: ") for each in catalogue().values())
