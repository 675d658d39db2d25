"""The touch page of a real agent: what a crew does on its glass is in control's ledger, whatever the WAN did."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.brokers import RunningBroker
from tests.browser.panel_page import Screen, Way, screen
from tests.browser.panel_station import SMALL, PanelStation
from wire.events import (
    AcknowledgeEvent,
    CrewEvent,
    DefectEvent,
    Event,
    ReceiptEvent,
    StatusEvent,
    TurnoutEvent,
)

WAN_MS = 20_000
"""For a broker that comes back to be found again, on two busy cores."""
ENGINE = next(unit for unit in SMALL.units if unit.organisation.service == "fire")


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A panel's glass. In place of the control room's."""
    with screen(chromium) as page:
        yield page


def press_all(glass: Screen, station: PanelStation, way: Way, lamps: str) -> list[tuple[str, str]]:
    """Press every status of every unit. Each lamp comes to be one of these."""
    pressed = [(unit, code) for unit, card in station.config.cards.items() for code in card]
    for unit, code in pressed:
        button = glass.status(unit, code)
        glass.push(button, way)
        expect(button).to_have_attribute("data-lamp", re.compile(lamps))
    return pressed


def keep_house(glass: Screen, way: Way, *, first: bool) -> None:
    """Log a crew on, or off; report a defect, or clear it; and test a zone."""
    crew = glass.open_tab("crew", way)
    glass.push(crew.get_by_role("button", name=ENGINE.callsign, exact=True), way)
    if first:
        for _ in range(4):
            glass.push(crew.get_by_role("button", name="One rider more"), way)
        crew.get_by_role("textbox").fill("Okafor")
    glass.push(crew.get_by_role("button", name="Log crew on" if first else "Log crew off"), way)
    expect(glass.page.locator("#said")).to_have_text(f"{ENGINE.callsign}: crew logged {'on' if first else 'off'}")
    defect = glass.open_tab("defect", way)
    glass.push(defect.get_by_role("button", name=ENGINE.callsign, exact=True), way)
    if first:
        glass.push(defect.get_by_role("button", name="Pump", exact=True), way)
    glass.push(defect.get_by_role("button", name="Report defect" if first else "Mended: Pump"), way)
    expect(glass.page.locator("#said")).to_have_text(f"{ENGINE.callsign}: Pump {'reported' if first else 'mended'}")
    test = glass.open_tab("test", way)
    glass.push(test.get_by_role("button", name="bays" if first else "mess"), way)
    expect(glass.page.locator("#said")).to_have_text(f"Testing: {'bays' if first else 'mess'}")


def turn_out(glass: Screen, way: Way) -> None:
    """Turn the engine out by hand, take it in, and go back to the units."""
    pane = glass.open_tab("turn-out", way)
    glass.push(pane.get_by_role("button", name=ENGINE.callsign, exact=True), way)
    pane.get_by_role("textbox").fill(f"by {way}")
    glass.push(pane.get_by_role("button", name="TURN OUT"), way)
    expect(glass.page.locator(".order-title")).to_have_text("TURNOUT BY HAND")
    acknowledge(glass, way)


def acknowledge(glass: Screen, way: Way) -> None:
    """Take the order on the glass in."""
    button = glass.page.locator(".acknowledge")
    glass.push(button, way)
    expect(button).to_have_text("✓ ACKNOWLEDGED")
    glass.push(glass.page.locator("#tab-units"), way)


def expect_wan(glass: Screen, word: str) -> None:
    """Wait until the band says so of the WAN."""
    expect(glass.page.locator("#wan")).to_have_text(word, timeout=WAN_MS)


def check_presses(told: list[Event], pressed: list[tuple[str, str]]) -> None:
    """Each press once, in order, those of the time without the WAN too."""
    assert pressed == [(event.unit, event.code) for event in told if isinstance(event, StatusEvent)]


def test_everything_that_is_done_on_the_glass_is_in_the_ledger(
    page: Page, fresh_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """By touch with the WAN up and by keyboard with it down: presses, crew, defect, test, turnout, acknowledgement."""
    station = PanelStation(tmp_path, fresh_mosquitto)
    with station.running():
        glass = Screen(page)
        glass.open(station.url)
        expect_wan(glass, "WAN ok")
        pressed = press_all(glass, station, "touch", "slow|steady")
        keep_house(glass, "touch", first=True)

        fresh_mosquitto.stop()
        expect_wan(glass, "WAN DOWN")
        glass.push(page.locator("#tab-units"), "keyboard")
        pressed += press_all(glass, station, "keyboard", "slow")
        keep_house(glass, "keyboard", first=False)
        turn_out(glass, "keyboard")

        fresh_mosquitto.start()
        expect_wan(glass, "WAN ok")
        first = station.mobilise()
        expect(page.locator(".incident")).to_have_text("I0417", timeout=WAN_MS)
        fresh_mosquitto.stop()
        expect_wan(glass, "WAN DOWN")
        acknowledge(glass, "keyboard")

        fresh_mosquitto.start()
        expect_wan(glass, "WAN ok")
        station.cancel(first)
        expect(page.locator(".order-title")).to_have_text("CANCELLED: MOBILISE", timeout=WAN_MS)
        glass.push(page.get_by_role("button", name="SEEN: CLOSE"), "touch")
        second = station.mobilise()
        expect(page.locator(".order-title")).to_have_text("MOBILISE", timeout=WAN_MS)
        acknowledge(glass, "touch")
        turn_out(glass, "touch")

        told = station.told()
    check_presses(told, pressed)
    crews = [(event.unit, event.on, event.riders, event.commander) for event in told if isinstance(event, CrewEvent)]
    assert [(ENGINE.id, True, 4, "Okafor"), (ENGINE.id, False, 0, "")] == crews
    defects = [(event.unit, event.what, event.raised) for event in told if isinstance(event, DefectEvent)]
    assert [(ENGINE.id, "Pump", True), (ENGINE.id, "Pump", False)] == defects
    turnouts = [event for event in told if isinstance(event, TurnoutEvent)]
    assert [([ENGINE.id], "by keyboard"), ([ENGINE.id], "by touch")] == [(one.units, one.text) for one in turnouts]
    taken_in = [event.order for event in told if isinstance(event, AcknowledgeEvent)]
    assert [turnouts[0].order, first, second, turnouts[1].order] == taken_in
    tests = {event.order for event in told if isinstance(event, ReceiptEvent) and event.mode == "test"}
    assert 2 == len(tests)
    assert [] == glass.faults
