"""The whole page without a mouse, and by what assistive technology is told of it."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.browser.alarms import bad_night, emergency
from tests.browser.board_page import open_board
from tests.browser.feed_source import FeedSource
from tests.browser.orders import alarm, busy, order
from tests.browser.shire import PLACES, shire

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
VIOLATIONS = """async () => (await axe.run()).violations.map(one =>
    `${one.id}: ${one.nodes.slice(0, 4).map(node => node.html.slice(0, 160)).join(' | ')}`)"""


def test_the_whole_page_by_keyboard(page: Page, source: FeedSource) -> None:
    """Find, select, detail, each view, map and back, an order's form, alarms, an emergency, who asks to speak, help."""
    source.hold(shire())
    source.orders = {order(1).order: order(1, alarms=(alarm(),))}
    source.alarms = {one.alarm: one for one in bad_night()}
    open_board(page, source, "?room=Maidstone")
    press, grid, body = page.keyboard.press, page.locator("#grid"), page.locator("body")
    press("/")
    page.keyboard.type("hvp31")
    press("Enter")
    expect(grid).to_be_focused()
    expect(page.locator("[aria-selected=true]")).to_contain_text("HVP31")
    press("Enter")
    expect(page.locator("#detail")).to_be_focused()
    press("Escape")
    press("Escape")
    for key, shown in (("F3", "fire"), ("F4", "police"), ("F6", "ambulance"), ("F2", "")):
        press(key)
        held = [one for one in source.held.values() if shown in ("", one.service)]
        expect(page.locator("[role=row][aria-selected]")).to_have_count(len(held))
    for key, layout in (("F8", "wide"), ("F8", "map"), ("F7", "blocks"), ("F7", "map")):
        press(key)
        expect(body).to_have_attribute("data-layout", layout)
        expect(grid).to_be_focused()
    press("t")
    expect(page.locator("#timeline")).to_be_focused()
    press("t")
    expect(grid).to_be_focused()
    press("Home")
    press("m")
    expect(page.locator("#m-incident")).to_be_focused()
    press("Escape")
    expect(page.locator("#mobilise")).to_be_hidden()
    press("a")
    expect(page.locator(".order").first).to_be_focused()
    press("Escape")
    press("c")
    expect(page.locator(".speech-request").first).to_be_focused()
    press("c")
    expect(page.locator(".speech-request")).to_have_count(2)
    press("Escape")
    press("Shift+A")
    expect(page.locator("#t-by")).to_be_focused()
    press("Enter")
    expect(page.locator("#taking")).to_be_hidden()
    press("F1")
    expect(page.locator("#help")).to_be_focused()
    press("Escape")
    expect(grid).to_be_focused()
    expect(page.locator("#help")).to_be_hidden()
    assert [("veh-5.s-2.5", "Maidstone"), (emergency(0).alarm, "Maidstone")] == source.taken


def test_tab_goes_through_the_page(page: Page, source: FeedSource) -> None:
    """Tab leads from the board through orders and timeline to the line below, and never into what is out of sight."""
    source.hold(shire())
    source.orders = {one.order: one for one in busy()}
    open_board(page, source, "")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.closest('[id]')?.id"))
        assert page.evaluate("document.activeElement.checkVisibility()")
    assert {"order-list", "timeline", "views", "find", "help-open", "grid"} <= set(seen)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1024, 600)])
def test_axe_finds_nothing(page: Page, source: FeedSource, width: int, height: int) -> None:
    """No violation with orders and alarms, nor with detail, help, forms, map, timeline or wide table open."""
    page.set_viewport_size({"width": width, "height": height})
    source.hold(shire())
    source.places = dict(PLACES)
    source.orders = {one.order: one for one in busy()}
    source.alarms = {one.alarm: one for one in bad_night()}
    open_board(page, source, "")
    expect(page.locator(".speech-request")).to_have_count(3)
    # Contrast is of what is painted: the flashing is looked at where it stands still.
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(AXE)
    found = {"board": page.evaluate(VIOLATIONS)}
    page.keyboard.press("j")
    steps = (
        ("detail", ["Enter"], 1),
        ("help", ["F1"], 1),
        ("form", ["m"], 1),
        ("emergency", ["Shift+A"], 1),
        ("map", ["F7", "t"], 1),
        ("wide", ["F8"], 0),
    )
    for name, keys, escapes in steps:
        for key in keys:
            page.keyboard.press(key)
        found[name] = page.evaluate(VIOLATIONS)
        for _ in range(escapes):
            page.keyboard.press("Escape")
    assert {name: said for name, said in found.items() if said} == {}
