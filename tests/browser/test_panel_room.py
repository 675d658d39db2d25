"""What is on the glass can be hit by a finger, is not cut off, and is within the screen of 1024 by 600."""

from collections.abc import Callable

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from edge_agent.panel.port import CalledCard, StepTick
from tests.browser.panel_page import GAP_PX, TARGET_PX, Panel, on_glass
from tests.edge_agent.panel.orders import order
from tests.edge_agent.panel.stand import STATION, Stand, StandUnit

TARGETS = """() => [...document.querySelectorAll('button, input')]
    .filter(node => node.getClientRects().length > 0 && !node.closest("[inert]"))
    .map(node => { const box = node.getBoundingClientRect();
        const name = node.ariaLabel || node.textContent || node.id;
        return { name, left: box.left, top: box.top, right: box.right, bottom: box.bottom }; })"""
CUT_OFF = """selector => [...document.querySelectorAll(selector)]
    .filter(node => node.getClientRects().length > 0)
    .filter(node => node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1)
    .map(node => node.className + ': ' + node.textContent)"""
OUTSIDE = """selector => [...document.querySelectorAll(selector)]
    .filter(node => node.getClientRects().length > 0)
    .filter(node => { const box = node.getBoundingClientRect(), middle = document.getElementById('middle')
        .getBoundingClientRect(); return box.bottom > middle.bottom + 1 || box.right > middle.right + 1; })
    .map(node => node.className + ': ' + node.textContent)"""

VEHICLE = (StandUnit(unit="a14p1", callsign="A14P1", service="fire", codes=("4", "1", "2", "3", "5", "6", "7", "8")),)
EIGHT = tuple(
    StandUnit(unit=f"u{n}", callsign=f"A14P{n}", service="police", codes=("2", "5", "6", "4", "8", "1", "7", "9"))
    for n in range(4)
)


def faults_of_targets(panel: Panel) -> list[str]:
    """What a finger would miss: targets that are too small, too near each other, or off the screen."""
    boxes = panel.page.evaluate(TARGETS)
    found = []
    for at, box in enumerate(boxes):
        width, height = box["right"] - box["left"], box["bottom"] - box["top"]
        if min(width, height) < TARGET_PX - 0.01:
            found.append(f"{box['name']} is {width} by {height}")
        if box["left"] < 0 or box["top"] < 0 or box["right"] > 1024 or box["bottom"] > 600:
            found.append(f"{box['name']} is off the screen")
        for other in boxes[at + 1 :]:
            aside = max(box["left"] - other["right"], other["left"] - box["right"])
            below = max(box["top"] - other["bottom"], other["top"] - box["bottom"])
            if max(aside, below) < GAP_PX - 0.01:
                found.append(f"{box['name']} and {other['name']} are {max(aside, below)} apart")
    return found


def no_change(_: Panel) -> None:
    """The units, as they come up."""


def tab(name: str) -> Callable[[Panel], None]:
    """Open a tab."""

    def opened(panel: Panel) -> None:
        panel.open_tab(name)

    return opened


def keyboard(panel: Panel) -> None:
    """Open the keyboard on the glass."""
    panel.open_tab("crew").get_by_role("textbox").tap()
    expect(panel.page.locator("#glass")).to_be_visible()


def two_orders(panel: Panel) -> None:
    """Two orders at once."""
    panel.tell(panel.stand.put, order(1), order(2))
    expect(panel.page.locator(".acknowledge")).to_be_enabled()


VIEWS = (no_change, tab("crew"), tab("defect"), tab("test"), tab("turn-out"), tab("faults"), keyboard, two_orders)
STATIONS = pytest.mark.parametrize(
    "units", [STATION, STATION[:2], VEHICLE, EIGHT], ids=["three", "two", "vehicle", "eight"]
)


@STATIONS
def test_every_target_can_be_hit(chromium: Browser, units: tuple[StandUnit, ...]) -> None:
    """Whatever is shown, every target is at least 88 px wide and high, 12 px from the next, and on the screen."""
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    with on_glass(chromium, Stand(units)) as panel:
        for prepare in VIEWS:
            panel.page.keyboard.press("Escape")
            prepare(panel)
            assert faults_of_targets(panel) == []
            assert panel.page.evaluate(size) == [1024, 600]


@STATIONS
def test_nothing_on_a_card_is_cut_off(chromium: Browser, units: tuple[StandUnit, ...]) -> None:
    """Every word on the units' cards, the band and the tabs is read whole, also with the notice up."""
    parts = ".card > *, .status, .label, .band > *, .notice *, .tab, .kind"
    with on_glass(chromium, Stand(units)) as panel:
        panel.push(panel.status(units[0].unit, "5"), "touch")
        expect(panel.status(units[0].unit, "5")).to_have_attribute("data-lamp", "steady")
        assert panel.page.evaluate(CUT_OFF, parts) == []
        panel.cut_wan()
        panel.push(panel.status(units[0].unit, "1"), "touch")
        expect(panel.page.locator("#notice-more")).to_contain_text("oldest unsent")
        assert panel.page.evaluate(CUT_OFF, parts) == []


def test_cards_and_buttons_have_the_sizes_of_the_design(chromium: Browser) -> None:
    """Three cards of 330 px with status buttons of 100 by 88 under a band of 48, over tabs of 112."""
    with on_glass(chromium, Stand()) as panel:
        boxes = {
            name: panel.page.locator(selector).first.bounding_box()
            for name, selector in (("card", ".card"), ("status", ".status"), ("band", ".band"), ("tabs", ".tabs"))
        }
        assert boxes["card"] is not None and boxes["card"]["width"] == 330
        assert boxes["status"] is not None
        assert (round(boxes["status"]["width"]), boxes["status"]["height"]) == (100, 88)
        assert boxes["band"] is not None and boxes["band"]["height"] == 48
        assert boxes["tabs"] is not None and boxes["tabs"]["height"] == 112


LONG = msgspec.structs.replace(
    order(),
    incident="I417 ROAD TRAFFIC COLLISION, PERSONS TRAPPED",
    address="A very long road name that never seems to end, " * 8,
    text="Use the second gate, the first one is locked and its key is with the farmer. " * 6,
    units=tuple(CalledCard(unit=f"u{n}", callsign=f"A14P{n}", service="fire") for n in range(8)),
    steps=tuple(
        StepTick(name=f"light:{n}", label=f"Lights, zone {n}", outcome="done", elapsed_ms=200) for n in range(13)
    )
    + (StepTick(name="cooker", label="Cooker off", outcome="failed", reason="cooker_fail"),),
)


def test_an_order_is_read_whole(chromium: Browser) -> None:
    """However long an address and a text are, the grid reference, the units and what failed are on the glass, whole."""
    parts = ".order-title, .incident, .address, .grid-reference, .order-text, .called, .acknowledge"
    with on_glass(chromium, Stand()) as panel:
        for shown in ((order(3),), (LONG,), (msgspec.structs.replace(LONG, revision=2), order(2))):
            panel.tell(panel.stand.put, *shown)
            expect(panel.page.locator(".address")).to_have_text(shown[0].address)
            expect(panel.page.locator(".acknowledge")).to_be_enabled()
            assert panel.page.evaluate(CUT_OFF, f"{parts}, .order-what, .step, .step-label, .step-text") == []
            assert panel.page.evaluate(OUTSIDE, f"{parts}, .turnout, .step, .steps-more, .called li") == []
            failed = panel.page.locator('.step[data-state="failed"]')
            expect(failed).to_have_text("✗Cooker offFAILED: not proved off")
            box = panel.page.locator(".acknowledge").bounding_box()
            assert box is not None and (box["width"], box["height"]) == (480, 120)
            expect(panel.page.locator(".turnout")).to_have_css("font-size", "96px")
