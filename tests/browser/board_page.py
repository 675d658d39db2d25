"""The board page as a test drives it."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.feed_source import FeedSource


def row(page: Page, unit_id: str) -> Locator:
    """The row of a unit."""
    return page.locator(f'[id="unit-{unit_id}"]')


ALONE, MAPPED, WIDE = "?map=off", "?map=on", "?wide=on"
"""Queries that ask for the board alone, beside the map, and as one wide table."""


def open_board(page: Page, source: FeedSource, query: str = ALONE) -> None:
    """Open the board, alone unless something else is asked for, and wait until the feed is live."""
    page.goto(source.url + query)
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    expect(page.locator("[role=row][aria-selected]")).to_have_count(len(source.held))
