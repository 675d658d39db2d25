"""The schematics: no drift, the same each time, and each reference and value on the sheet as a text."""

import re
import xml.etree.ElementTree as ET

import pytest

from kit.circuits import Circuit
from kit.render import HARDWARE
from kit.schematics import schematics
from tests.kit.circuitry import CIRCUITS, TEXT, circuits_of

SHEETS = schematics(circuits_of(TEXT))


def test_nothing_has_drifted() -> None:
    """The sheets in `generated` are those that the circuits give, and there is no other: nobody forgot `make kit`."""
    there = {path.name: path.read_text("utf-8") for path in (CIRCUITS / "generated").glob("*.svg")}
    assert there == SHEETS


def test_a_sheet_is_the_same_each_time() -> None:
    """Drawn again in the same process, after others, every byte is the same."""
    assert schematics(circuits_of(TEXT)) == SHEETS


@pytest.mark.parametrize("circuit", circuits_of(TEXT).circuit, ids=lambda each: each.name)
def test_a_sheet_says_what_is_on_it(circuit: Circuit) -> None:
    """Title, warning, notes, each component's reference and value and each port are texts, and not pictures of them."""
    sheet = ET.fromstring(SHEETS[f"{circuit.name}.svg"])
    texts = ["\n".join(node.itertext()).strip() for node in sheet.iter("{http://www.w3.org/2000/svg}text")]
    lines = {line.strip() for text in texts for line in text.split("\n")}
    assert circuit.title in lines
    assert any(line.startswith("Not built, not tested on hardware") for line in lines)
    assert {f"{note}." for note in circuit.note} <= lines
    drawn = [each for each in circuit.component if each.symbol != "none"]
    assert {each.ref for each in drawn} | {each.value for each in drawn} <= lines
    assert {each.text for each in circuit.mark if each.text} <= lines


def test_a_sheet_fits_its_paper() -> None:
    """Each sheet fits A4 on its side at nine tenths of its size: its 10 pt are no smaller than 9 pt there."""
    for name, text in SHEETS.items():
        width = float(ET.fromstring(text).attrib["width"].removesuffix("pt"))
        assert width * 0.9 <= 297 / 25.4 * 72, name


def test_the_standards_page_claims_nothing() -> None:
    """It says at the top that nothing is tested or certified, each row ends so, and no file is made up."""
    text = (HARDWARE / "standards.md").read_text("utf-8")
    assert "Nothing here has been built, tested, measured or certified" in text.partition("\n## ")[0]
    rows = [
        line.strip("| \n").split(" | ")
        for line in text.splitlines()
        if line.startswith("| ") and "Standard" not in line
    ]
    assert len(rows) > 15
    assert all(len(row) == 4 and row[3].endswith("not tested") for row in rows), rows
    for name in set(re.findall(r"`([a-z0-9_/.]*[/.][a-z0-9_/.]*)`", text)):
        places = (HARDWARE, CIRCUITS / "generated", HARDWARE.parent)
        generated = name.endswith("power.md")  # drawn up with the bill of materials
        assert generated or any((place / name).exists() for place in places), name
