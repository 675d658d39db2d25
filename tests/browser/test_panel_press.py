"""Every button of the touch page does what it says, by a finger and by the keyboard, with the WAN up and down."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from edge_agent.panel.port import (
    AcknowledgeForm,
    CrewForm,
    DefectForm,
    OpenDefect,
    PressForm,
    TurnOutForm,
    ZoneTestForm,
)
from tests.browser.panel_page import HOLD_MS, WAYS, Panel, on_glass
from tests.edge_agent.panel.orders import order
from tests.edge_agent.panel.stand import STATION, Stand, StandUnit, codes_of
from tests.waiting import wait_until

KINDS = ("Engine", "Brakes or tyres", "Lights or sirens", "Radio", "Ladder", "Breathing sets", "Other", "Pump")


@pytest.fixture
def panel(chromium: Browser) -> Iterator[Panel]:
    """A shared station of three services. `Panel.ways` goes through touch and keyboard, with the WAN up and down."""
    with on_glass(chromium, Stand()) as panel:
        yield panel


def test_every_status(panel: Panel) -> None:
    """Each press reaches the agent; its lamp is steady once control shows it, and blinks slowly while it does not."""
    for way in panel.ways():
        lamp, pressed = ("steady", "true") if panel.stand.wan_up else ("slow", "mixed")
        for one in STATION:
            for code in codes_of(one.service):
                button = panel.status(one.unit, code)
                panel.push(button, way)
                panel.expect_asked(PressForm(unit=one.unit, code=code))
                expect(button).to_have_attribute("data-lamp", lamp)
                expect(button).to_have_attribute("aria-pressed", pressed)
        assert len(panel.stand.asked) == 18


def test_digits_and_arrows_reach_every_status(panel: Panel) -> None:
    """A digit goes to a button of the card in front and an arrow to the next one; only Enter presses."""
    page = panel.page
    codes = [(one.unit, code) for one in STATION for code in codes_of(one.service)]
    for number, (unit, code) in enumerate(codes[:6]):
        page.keyboard.press(str(number + 1))
        expect(panel.status(unit, code)).to_be_focused()
    page.keyboard.press("1")
    for row in (0, 3):
        order_of_row = [unit_code for card in range(3) for unit_code in codes[card * 6 + row : card * 6 + row + 3]]
        for unit, code in order_of_row:
            expect(panel.status(unit, code)).to_be_focused()
            page.keyboard.press("ArrowRight")
        for _ in range(8):
            page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
    expect(page.locator("#tab-units")).to_be_focused()
    assert panel.stand.asked == []
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    panel.expect_asked(PressForm(unit=codes[3][0], code=codes[3][1]))


def test_the_tab_key_reaches_everything(panel: Panel) -> None:
    """Tab goes through every target on the glass, and each shows that it has the focus."""
    panel.page.keyboard.press("Tab")
    reached = set()
    for _ in range(panel.buttons().count()):
        outline = panel.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "4px"
        reached.add(panel.page.evaluate("document.activeElement.ariaLabel || document.activeElement.id"))
        panel.page.keyboard.press("Tab")
    labels = panel.buttons().evaluate_all("found => found.map(node => node.ariaLabel || node.id)")
    assert reached == set(labels)


def test_every_tab(panel: Panel) -> None:
    """Each tab opens, and Units brings the cards back."""
    for way in panel.ways():
        for name in ("crew", "defect", "test", "turn-out", "faults", "units"):
            panel.open_tab(name, way)
        before = panel.page.locator("html").get_attribute("class") or ""
        panel.push(panel.page.locator("#tab-night"), way)
        expect(panel.page.locator("html")).to_have_class("night")
        panel.push(panel.page.locator("#tab-night"), way)
        expect(panel.page.locator("html")).to_have_class(before)


def test_a_brush_does_not_open_test_or_turn_out(chromium: Browser) -> None:
    """A short press of a tab that must be held opens nothing and says what to do; held for two seconds it opens."""
    with on_glass(chromium, Stand(), real_time=True) as panel:
        for way in WAYS:
            for name in ("test", "turn-out"):
                panel.push(panel.page.locator(f"#tab-{name}"), way)
                expect(panel.page.locator("#said")).to_contain_text("hold the button for 2 seconds")
                expect(panel.page.locator(f"#{name}")).to_be_hidden()
        for way, name in zip(WAYS, ("test", "turn-out"), strict=True):
            panel.page.evaluate("() => { window.heldMs = performance.now(); }")
            panel.open_tab(name, way)
            assert panel.page.evaluate("performance.now() - window.heldMs") >= HOLD_MS
        assert panel.stand.asked == []


def test_a_crew_logs_on_and_off(panel: Panel) -> None:
    """Riders and who is in charge are sent as they stand on the glass, and the card shows them from the agent."""
    for way in panel.ways():
        pane = panel.open_tab("crew", way)
        panel.push(pane.get_by_role("button", name="PC61"), way)
        panel.push(pane.get_by_role("button", name="One rider more"), way)
        panel.push(pane.get_by_role("button", name="One rider more"), way)
        panel.push(pane.get_by_role("button", name="One rider fewer"), way)
        pane.get_by_role("textbox").fill("Sgt Ali")
        panel.push(pane.get_by_role("button", name=re.compile("Save crew|Log crew on")), way)
        panel.expect_asked(CrewForm(unit="pc61", on=True, riders=3, commander="Sgt Ali"))
        expect(panel.page.locator("#said")).to_have_text("PC61: crew logged on")
        panel.push(pane.get_by_role("button", name="Log crew off"), way)
        panel.expect_asked(CrewForm(unit="pc61", on=False))
        panel.open_tab("units", way)
        expect(panel.page.locator('[data-unit="pc61"] .riders')).to_have_text("No crew logged on")


def test_a_defect_is_reported_and_mended(panel: Panel) -> None:
    """What is wrong is sent with whether the unit can still go; an open defect is there to be cleared."""
    for way in panel.ways():
        pane = panel.open_tab("defect", way)
        for kind in KINDS:
            panel.push(pane.get_by_role("button", name=kind, exact=True), way)
        panel.push(pane.get_by_role("button", name="Off the run"), way)
        pane.get_by_role("textbox").fill("Leaks at 5 bar")
        panel.push(pane.get_by_role("button", name="Report defect"), way)
        panel.expect_asked(DefectForm(unit="a14p1", what="Pump", off_the_run=True, text="Leaks at 5 bar"))
        expect(panel.page.locator('[data-unit="a14p1"] .riders')).to_contain_text("OFF THE RUN")
        panel.push(pane.get_by_role("button", name="Mended: Pump (off the run)"), way)
        panel.expect_asked(DefectForm(unit="a14p1", what="Pump", off_the_run=True, raised=False))
        expect(pane.get_by_text("A14P1: no defect reported")).to_be_visible()


def test_every_zone_is_tested(panel: Panel) -> None:
    """Each zone, and all of them, can be tested from the glass."""
    for way in panel.ways():
        pane = panel.open_tab("test", way)
        for zone in ("fire", "police", "ambulance", "bay"):
            panel.push(pane.get_by_role("button", name=zone.capitalize(), exact=True), way)
            panel.expect_asked(ZoneTestForm(zone=zone))
        panel.push(pane.get_by_role("button", name="All zones"), way)
        panel.expect_asked(ZoneTestForm())


def test_units_are_turned_out_by_hand(panel: Panel) -> None:
    """The chosen units, and no others, are turned out; without the WAN the page says that control is not told."""
    for way in panel.ways():
        pane = panel.open_tab("turn-out", way)
        go = pane.get_by_role("button", name="TURN OUT")
        expect(go).to_be_disabled()
        untold = pane.get_by_text("CONTROL IS NOT TOLD UNTIL THE WAN IS BACK: USE RADIO OR PHONE")
        expect(untold).to_have_count(0 if panel.stand.wan_up else 1)
        for callsign in ("A14P1", "PC61", "D204", "PC61"):
            panel.push(pane.get_by_role("button", name=callsign), way)
        pane.get_by_role("textbox").fill("Gas leak, High Street")
        panel.push(go, way)
        panel.expect_asked(TurnOutForm(units=("a14p1", "d204"), text="Gas leak, High Street"))
        expect(go).to_be_disabled()


def test_an_order_is_acknowledged(panel: Panel) -> None:
    """ACKNOWLEDGE reaches the agent, and says that it is acknowledged only on the agent's word."""
    button = panel.page.locator(".acknowledge")
    for number, way in enumerate(panel.ways()):
        panel.tell(panel.stand.put, order(number))
        panel.stand.trouble = "the disk is full"
        panel.push(button, way)
        panel.expect_asked(AcknowledgeForm(order=order(number).order))
        expect(panel.page.locator("#notice-text")).to_have_text(
            "NOT ACKNOWLEDGED: PRESS AGAIN, OR USE RADIO. the disk is full"
        )
        expect(button).to_have_text("ACKNOWLEDGE")
        panel.stand.trouble = ""
        panel.push(button, way)
        expect(button).to_have_text("✓ ACKNOWLEDGED")
        expect(button).to_be_disabled()


def test_every_key_on_the_glass(panel: Panel) -> None:
    """A name is written without any other keyboard: each key writes what stands on it."""
    pane = panel.open_tab("crew")
    field = pane.get_by_role("textbox")
    field.tap()
    glass = panel.page.locator("#glass")
    expect(glass).to_be_visible()
    for _ in range(len("Okafor")):
        glass.get_by_role("button", name="Delete").tap()
    keys = [key for key in glass.get_by_role("button").all_inner_texts() if len(key) == 1]
    assert len(keys) == 40
    for part, written in ((keys[:20], "1234567890qwertyuiop "), (keys[20:], "Asdfghjkl-Zxcvbnm.'/ ")):
        for key in (*part, "Space"):
            glass.get_by_role("button", name=key, exact=True).tap()
        glass.get_by_role("button", name="Done").tap()
        expect(glass).to_be_hidden()
        expect(field).to_have_value(written)
        field.fill("")
        field.tap()


def test_a_press_that_is_not_stored_blinks_fast(panel: Panel) -> None:
    """A press that the disk did not take is never steady nor slow, and the page says to use the radio."""
    panel.stand.disk_full = True
    for way, code in (*zip(WAYS, "12", strict=True), *zip(WAYS, "35", strict=True)):
        button = panel.status("a14p1", code)
        panel.push(button, way)
        expect(button).to_have_attribute("data-lamp", "fast")
        expect(panel.page.locator("#notice-text")).to_have_text("NOT RECEIVED: USE RADIO")
        if code == "2":
            panel.tell(panel.stand.cut)
            expect(panel.page.locator("#notice-more")).to_contain_text("control cannot see this")


def test_a_request_that_fails_is_said(panel: Panel) -> None:
    """What the agent would not do is told in words at once, and lights nothing."""
    panel.stand.trouble = "the disk is full"
    for way in panel.ways():
        pane = panel.open_tab("test", way)
        panel.push(pane.get_by_role("button", name="All zones"), way)
        expect(panel.page.locator("#said")).to_have_text("NOT DONE: the disk is full")


def test_what_waited_is_settled_when_the_wan_is_back(chromium: Browser) -> None:
    """Without the WAN the oldest unsent age is on the glass; with it the lamps become steady and the notice goes."""
    with on_glass(chromium, Stand()) as panel:
        panel.cut_wan()
        panel.push(panel.status("a14p1", "1"), "touch")
        expect(panel.status("a14p1", "1")).to_have_attribute("data-lamp", "slow")
        expect(panel.page.locator("#notice-more")).to_contain_text("oldest unsent")
        expect(panel.page.locator('[data-unit="a14p1"] .shown')).to_contain_text(
            "Control last showed: AVAILABLE AT BASE"
        )
        panel.tell(panel.stand.mend)
        expect(panel.status("a14p1", "1")).to_have_attribute("data-lamp", "steady")
        expect(panel.page.locator("#notice")).to_be_hidden()
        expect(panel.page.locator('[data-unit="a14p1"] .shown')).to_contain_text("Control shows: MOBILE TO INCIDENT")


def test_units_beyond_three_are_a_press_away(chromium: Browser) -> None:
    """A station of seven units shows three at a time, and a lamp that blinks out of sight shows on the way there."""
    units = tuple(StandUnit(unit=f"u{n}", callsign=f"U{n}", service="police") for n in range(7))
    with on_glass(chromium, Stand(units)) as panel:
        seen = []
        more = panel.page.locator("#tab-next")
        panel.cut_wan()
        panel.push(panel.status("u0", "5"), "touch")
        expect(panel.status("u0", "5")).to_have_attribute("data-lamp", "slow")
        for shown in ("1/3", "2/3", "3/3"):
            expect(more).to_have_text(f"Units {shown}")
            expect(more).to_have_attribute("data-lamp", "dark" if shown == "1/3" else "slow")
            seen += panel.page.locator(".card:visible .callsign").all_inner_texts()
            panel.push(more, "touch")
        assert seen == [f"U{n}" for n in range(7)]


def test_too_few_riders_are_said(panel: Panel) -> None:
    """A crew below what the unit needs stands out on its card; one that is whole does not."""
    short, whole = (panel.page.locator(f'[data-unit="{unit}"] .riders') for unit in ("a14p1", "pc61"))
    expect(short).to_have_text("Riders 4/5 SHORT · In charge Okafor")
    expect(short).to_have_attribute("data-amiss", "true")
    expect(whole).to_have_text("Riders 2/2 · In charge Shah")
    expect(whole).to_have_attribute("data-amiss", "false")


def test_open_defects_of_many_units(chromium: Browser) -> None:
    """Where there are more choices than fit in a row, a button brings the next ones."""
    units = tuple(StandUnit(unit=f"u{n}", callsign=f"U{n}", service="police") for n in range(12))
    units[11].defects = (OpenDefect(what="Radio", off_the_run=False),)
    with on_glass(chromium, Stand(units)) as panel:
        pane = panel.open_tab("defect")
        panel.push(pane.get_by_role("button", name="More 1/2"), "touch")
        panel.push(pane.get_by_role("button", name="U11"), "touch")
        panel.push(pane.get_by_role("button", name="Mended: Radio"), "touch")
        panel.expect_asked(DefectForm(unit="u11", what="Radio", raised=False))
        wait_until(lambda: panel.stand.view().units[11].defects == (), what="it is mended")
