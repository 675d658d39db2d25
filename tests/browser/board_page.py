"""The board page as a test drives it."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.feed_source import FeedSource


def row(page: Page, unit_id: str) -> Locator:
    """The row of a unit."""
    return page.locator(f'[id="unit-{unit_id}"]')


def open_board(page: Page, source: FeedSource) -> None:
    """Open the board and wait until the feed is live."""
    page.goto(source.url)
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    expect(page.locator("[role=row][aria-selected]")).to_have_count(len(source.held))
