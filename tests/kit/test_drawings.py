"""Every drawing under `hardware/`, in a real browser: no text lies on another, none runs off its page."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from kit.render import GENERATED, HARDWARE
from tests.kit.pinmaps import FOLDERS
from tests.waiting import DEADLINE_S

DRAWINGS = sorted(HARDWARE.rglob("*.svg"))
TOLERANCE_PX = 0.5
"""How far a text may reach over another or off its page: below what can be seen on paper, at 96 px an inch."""
MM_PX = 96 / 25.4
"""CSS: an inch has 96 px and 25.4 mm."""
PRINTED_MM = 0.1
"""How far the scale of 100 mm may be off, before any printer: a tenth of what a ruler shows."""
MEASURE = """() => {
    const found = [...document.querySelectorAll("text")].filter((text) => text.textContent.trim() !== "");
    return [document.documentElement, ...found].map((node) => {
        const {left, top, right, bottom} = node.getBoundingClientRect();
        return [node.textContent.trim().replace(/\\s+/g, " "), left, top, right, bottom];
    });
}"""
SEEDED = """<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="50mm" viewBox="0 0 100 50" font-size="5">
<text x="10" y="20">first</text><text x="12" y="21">second</text><text x="40" y="20">third</text>
<text x="96" y="40">fourth</text><text x="10" y="20">  </text></svg>"""


class Said(NamedTuple):
    """A text of a drawing, and where it is on the screen."""

    words: str
    left: float
    top: float
    right: float
    bottom: float


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """One page for all drawings."""
    page = chromium.new_page(viewport={"width": 2000, "height": 1400})
    page.set_default_timeout(DEADLINE_S * 1_000)
    yield page
    page.close()


def faults(page: Page, drawing: Path) -> list[str]:
    """Each two texts of a drawing that overlap, and each text that is not all on its page."""
    page.goto(drawing.as_uri())
    paper, *said = [Said(*found) for found in page.evaluate(MEASURE)]
    assert said, f"{drawing.name} says nothing"
    over = [f"{one.words!r} lies on {other.words!r}" for one, other in combinations(said, 2) if overlap(one, other)]
    return over + [f"{one.words!r} runs off the page" for one in said if off(one, paper)]


def overlap(one: Said, other: Said) -> bool:
    """Whether two texts share more than the tolerance, both across and down."""
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    return min(across, down) > TOLERANCE_PX


def off(one: Said, paper: Said) -> bool:
    """Whether a text reaches over an edge of its page."""
    over = (paper.left - one.left, paper.top - one.top, one.right - paper.right, one.bottom - paper.bottom)
    return max(over) > TOLERANCE_PX


def test_there_are_drawings() -> None:
    """Each device has drawings of its cables and its panel, so that the tests below have something to look at."""
    for folder in FOLDERS.values():
        names = {path.name.partition("-")[0] for path in DRAWINGS if path.parent == folder / GENERATED}
        assert {"harness", "panel"} <= names


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda path: "/".join(path.relative_to(HARDWARE).parts))
def test_no_text_lies_on_another(page: Page, drawing: Path) -> None:
    """In each drawing every text can be read: none lies on another, none is cut off by the edge of the page."""
    assert faults(page, drawing) == []


def test_seeded_faults_of_a_drawing_are_found(page: Page, tmp_path: Path) -> None:
    """Texts that overlap and a text over the edge are found, and a text that stands free or is empty is none."""
    (tmp_path / "seeded.svg").write_text(SEEDED, encoding="utf-8")
    assert faults(page, tmp_path / "seeded.svg") == ["'first' lies on 'second'", "'fourth' runs off the page"]


@pytest.mark.parametrize("device", FOLDERS)
def test_a_panel_is_as_large_as_it_says(page: Page, device: str) -> None:
    """On the screen at its own size, the bar of 100 mm of each panel is 100 mm long."""
    for drawing in (FOLDERS[device] / GENERATED).glob("panel-*.svg"):
        page.goto(drawing.as_uri())
        wide = page.evaluate("document.getElementById('scale').getBoundingClientRect().width")
        assert wide / MM_PX == pytest.approx(100, abs=PRINTED_MM)
