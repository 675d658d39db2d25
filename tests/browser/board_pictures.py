"""Takes the pictures of the board that stand in the documentation: `python -m tests.browser.board_pictures`."""

from pathlib import Path
from typing import Final

import msgspec
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.alarms import asks, at_station, emergency
from tests.browser.feed_source import FeedSource, now, serving
from tests.browser.map_page import SOFTWARE_GRAPHICS
from tests.browser.orders import busy
from tests.browser.shire import PLACES, shire
from tests.ports import free_port
from tests.programs import require_program
from tests.waiting import wait_until

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
STILL: Final = "document.getAnimations().forEach(each => { each.pause(); each.currentTime = 0; })"


def opened(browser: Browser, source: FeedSource, query: str, size: tuple[int, int]) -> Page:
    """The board of a room, live, on a screen of this size; its sound tested."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="en-GB", timezone_id="Europe/London"
    )
    page = context.new_page()
    page.goto(f"{source.url}?room=Maidstone{query}")
    expect(page.locator("[role=row][aria-selected]")).to_have_count(len(source.held))
    page.locator("#sound").click()
    return page


def take(page: Page, name: str) -> None:
    """Write one picture, with every animation at its beginning."""
    if page.locator("#map").is_visible():
        expect(page.locator("#map")).to_have_attribute("data-state", "ready", timeout=30_000)
        page.evaluate("document.querySelector('.map-all').click()")
        before = page.screenshot()
        wait_until(lambda: len(page.screenshot()) != len(before), what="the map is drawn")
    page.evaluate(STILL)
    page.screenshot(path=DOCS / f"board-{name}.png")


def night(source: FeedSource) -> None:
    """Give the source a busy night: orders, one emergency in hand, who asks to speak, and a station's alarm."""
    source.hold(shire())
    source.places = dict(PLACES)
    source.orders = {one.order: one for one in busy()}
    held = emergency(42, "KT1", base_name="Roads policing Coldharbour", acknowledged_by="Op 7", acknowledged_at=now())
    told = (msgspec.structs.replace(held, unit="u-31"), asks(5, "KP22"), at_station(1, acknowledged_by="Op 7"))
    source.alarms = {one.alarm: one for one in told}


def main() -> None:
    """Take all of them."""
    with sync_playwright() as playwright, serving(FeedSource(port=free_port())) as source:
        path = str(require_program("chromium"))
        chromium = playwright.chromium.launch(executable_path=path, args=list(SOFTWARE_GRAPHICS))
        for name, query, size in (
            ("live", "", (1920, 1080)),
            ("wall", "&wall", (1920, 1080)),
            ("1024", "", (1024, 600)),
        ):
            night(source)
            page = opened(chromium, source, query, size)
            take(page, name)
            page.context.close()
        chromium.close()


if __name__ == "__main__":
    main()
