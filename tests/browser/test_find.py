"""What a search finds, and what the board says of what it does not show."""

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.browser.board_page import open_board, row
from tests.browser.county import county, unit
from tests.browser.feed_source import FeedSource
from wire.feed import FeedRecord

CALLSIGNS = "[role=row][aria-selected] .c-callsign"


def find(page: Page, words: str) -> None:
    """Search for the words."""
    page.keyboard.press("/")
    page.locator("#find").fill(words)


def test_a_view_hides_nothing_from_a_search(page: Page, source: FeedSource) -> None:
    """A unit of another service than the view's is found; Esc brings the view back, as the page says."""
    source.hold([unit(1, "14P1"), unit(2, "KP21", service="police")])
    open_board(page, source)
    page.keyboard.press("F4")
    expect(page.locator(CALLSIGNS)).to_have_text(["KP21"])
    find(page, "14P1")
    expect(page.locator(CALLSIGNS)).to_have_text(["14P1"])
    expect(page.locator("#shown")).to_have_text("1 OF 2, ALL SERVICES")
    expect(page.locator("#views [aria-pressed=true]")).to_have_text("F4 Police")
    find(page, "14P9")
    expect(page.locator("#nothing")).to_have_text(
        "No unit of any service matches. Esc ends the search and shows the police view again."
    )
    page.keyboard.press("Escape")
    expect(page.locator(CALLSIGNS)).to_have_text(["KP21"])
    expect(page.locator("#find")).to_have_value("")


def test_choosing_a_view_ends_the_search(page: Page, source: FeedSource) -> None:
    """The last thing asked for is what is shown; an empty view says how to see all units."""
    source.hold([unit(1, "14P1"), unit(2, "KP21", service="police")])
    open_board(page, source)
    find(page, "14P1")
    page.keyboard.press("F4")
    expect(page.locator(CALLSIGNS)).to_have_text(["KP21"])
    expect(page.locator("#find")).to_have_value("")
    page.keyboard.press("F6")
    expect(page.locator("#nothing")).to_have_text("No ambulance units on this feed. F2 shows all units.")
    page.keyboard.press("F2")
    expect(page.locator(CALLSIGNS)).to_have_count(2)


def test_enter_selects_the_first_match(page: Page, source: FeedSource) -> None:
    """Enter goes to the first match, also where another match was selected before."""
    source.hold([unit(1, "P141"), unit(2, "P142")])
    open_board(page, source)
    page.keyboard.press("End")
    find(page, "p14")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-selected=true] .c-callsign")).to_have_text("P141")


def labelled(record: FeedRecord, label: str) -> FeedRecord:
    """The record with another word for its status."""
    assert record.status is not None
    return msgspec.structs.replace(record, status=msgspec.structs.replace(record.status, label=label))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("confirmed", ["P1", "P3", "P4", "P6"]),
        ("unconfirmed", ["P2"]),
        ("never heard", ["P5"]),
        ("available", ["P1", "P2"]),
        ("not available", ["P3", "P4"]),
        ("unavail", ["P3"]),
        ("vailable", []),
        ("committed", ["P6"]),
        ("dca", ["P6"]),
        ("crewed", ["P6"]),
        ("stn dcb", []),
        ("stn p3", ["P3"]),
    ],
)
def test_words_that_are_found(page: Page, source: FeedSource, words: str, found: list[str]) -> None:
    """Class and confidence are found by their whole words, never by those of the opposite; the rest by beginnings."""
    source.hold(
        [
            unit(1, "P1"),
            unit(2, "P2", confidence="unconfirmed"),
            labelled(unit(3, "P3", code=5), "Mobile unavailable"),
            labelled(unit(4, "P4", code=5), "On duty, not available"),
            unit(5, "P5", confidence="never"),
            unit(6, "P6", kind="double-crewed ambulance", code=1),
        ]
    )
    open_board(page, source)
    find(page, words)
    expect(page.locator(CALLSIGNS)).to_have_text(found)


def test_a_base_is_counted_whole(page: Page, source: FeedSource) -> None:
    """Under a search or a view a base's total is still of all its units, and says how many of them are shown."""
    source.hold(county())
    open_board(page, source)
    find(page, "alp14")
    expect(page.locator(".base-total")).to_have_text(["2/8 available confirmed · 1 of 8 shown"])
    page.keyboard.press("Escape")
    page.keyboard.press("F4")
    expect(page.locator(".base", has_text="Stn 14").locator(".base-total")).to_have_text(
        ["2/8 available confirmed · 2 of 8 shown"]
    )
    expect(page.locator(".base", has_text="Maidstone").locator(".base-total")).not_to_contain_text("shown")


def test_nothing_is_found_as_confirmed_on_a_lost_feed(page: Page, source: FeedSource) -> None:
    """While the feed is lost no unit is found as confirmed, and each is found as unconfirmed."""
    source.hold([unit(1, "P1"), unit(2, "P2")])
    open_board(page, source)
    find(page, "confirmed")
    expect(row(page, "u-1")).to_be_visible()
    source.silent = True
    expect(page.locator("#banner")).to_be_visible()
    expect(page.locator(CALLSIGNS)).to_have_count(0)
    find(page, "unconfirmed")
    expect(page.locator(CALLSIGNS)).to_have_count(2)
