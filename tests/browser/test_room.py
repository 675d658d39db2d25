"""What fits on the screen: nothing that decides a call is cut off, and what is out of sight is said."""

import re

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.browser.board_page import ALONE, MAPPED, WIDE, open_board, row
from tests.browser.county import county, unit
from tests.browser.feed_source import FeedSource
from wire.feed import FeedRecord


def test_sixty_units_at_once(page: Page, source: FeedSource) -> None:
    """A dispatcher sees sixty units at thirteen bases on one screen without scrolling, in rows of 26 px."""
    source.hold(county())
    open_board(page, source)
    assert page.locator("[role=row][aria-selected]").count() == 60
    grid = page.locator("#grid").bounding_box()
    assert grid is not None
    for at in range(60):
        box = page.locator("[role=row][aria-selected]").nth(at).bounding_box()
        assert box is not None
        assert box["height"] == 26
        assert box["y"] >= grid["y"] and box["y"] + box["height"] <= grid["y"] + grid["height"]


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1024, 600)])
def test_nothing_wider_than_the_screen(page: Page, source: FeedSource, width: int, height: int) -> None:
    """Neither screen size needs scrolling sideways, and every row shows its figures whole."""
    source.hold(county())
    page.set_viewport_size({"width": width, "height": height})
    open_board(page, source)
    clipped = """() => [...document.querySelectorAll(
        '.c-callsign, .c-since, .bar, .c-link, .c-told, .c-position, .base-name, .band *, .line > *')]
        .filter(node => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 1
            && getComputedStyle(node).display !== 'inline')
        .map(node => node.className + ' ' + node.textContent)"""
    assert page.evaluate(clipped) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_wall_is_twice_the_size(page: Page, source: FeedSource) -> None:
    """Wall mode draws the same board with rows twice as high."""
    source.hold([unit(1, "P141")])
    page.goto(source.url + "?wall")
    expect(row(page, "u-1")).to_have_css("height", "52px")


CUT_OFF = """selector => [...document.querySelectorAll(selector)]
    .filter(node => node.scrollWidth > node.clientWidth && node.clientWidth > 1)
    .map(node => node.textContent)"""


def said(record: FeedRecord, label: str, kind: str) -> FeedRecord:
    """The record with another status and type."""
    assert record.status is not None
    return msgspec.structs.replace(
        record, type=kind, status=msgspec.structs.replace(record.status, code="24", label=label, proven=False)
    )


TURNING = (
    "Unavailable, not deployable",
    "Committed but deployable",
    "Mobile to standby location",
    "Mobile in standby station's area",
    "Available, delayed turnout",
    "Delayed response, off station",
)
"""Statuses whose last words turn their meaning."""


def test_a_status_is_read_whole(page: Page, source: FeedSource) -> None:
    """No status is cut where its meaning turns, nor an age, nor the word of a lost feed, in any layout."""
    source.hold(
        [
            said(unit(n, f"P{n}", status_s=5800.0), TURNING[n % len(TURNING)], "double-crewed ambulance")
            for n in range(50)
        ]
    )
    for query, blocks in ((ALONE, 2), (MAPPED, 1), (WIDE, 1)):
        open_board(page, source, query)
        expect(page.locator(".block")).to_have_count(blocks)
        assert page.evaluate(CUT_OFF, ".row:not(.heads) > .cell") == []
    expect(row(page, "u-1").locator(".c-type")).to_have_text("DCA")
    expect(row(page, "u-1").locator(".c-type")).to_have_attribute("title", "double-crewed ambulance")
    open_board(page, source)
    source.silent = True
    expect(row(page, "u-1").locator(".c-reason")).to_have_text("FEED LOST: radio")
    assert page.evaluate(CUT_OFF, ".row:not(.heads) > .cell") == []


@pytest.mark.parametrize(("size", "query"), [((1024, 600), ""), ((1920, 1080), "?wall")])
def test_rows_out_of_sight_are_counted(page: Page, source: FeedSource, size: tuple[int, int], query: str) -> None:
    """What is below the lower edge is counted on the screen, above too once scrolled, with what is not confirmed."""
    source.hold(county())
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(source.url + query)
    expect(page.locator("body")).to_have_attribute("data-layout", "blocks")
    expect(page.locator("#outside")).to_have_text(re.compile(r"^\d+ more below ▼, \d+ not confirmed$"))
    shown = page.evaluate("""() => { const grid = document.getElementById('grid').getBoundingClientRect();
        return [...document.querySelectorAll('[role=row][aria-selected]')]
            .filter(row => row.getBoundingClientRect().bottom <= grid.bottom + 2).length; }""")
    assert page.locator("#outside").inner_text().startswith(f"{60 - shown} more below")
    page.keyboard.press("F4")
    page.keyboard.press("End")
    expect(page.locator("#outside")).to_have_text(re.compile(r"^\d+ more above ▲"))
    assert page.locator("#help-open").bounding_box() is not None
    assert page.evaluate("document.querySelector('.line').scrollWidth <= window.innerWidth")
