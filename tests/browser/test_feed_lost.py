"""What the board shows of a feed that does not speak: nothing old is ever shown as live."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cloud.clock import SystemClock
from tests.browser.board_page import open_board, row
from tests.browser.county import unit
from tests.browser.feed_source import FeedSource, SourceFactory, serving

AFTER_LOSS_MS = 6000
"""The feed's 3 s and then as much again for a busy machine."""

BACK_MS = 45_000
"""A connection that brought half a snapshot is given up after 15 s; the next one may begin with a pause."""


def expect_lost(page: Page, units: int) -> None:
    """The banner is up and no unit is shown as confirmed."""
    expect(page.locator("#banner")).to_be_visible(timeout=AFTER_LOSS_MS)
    expect(page.locator("#banner")).to_contain_text("FEED LOST")
    expect(page.locator("#banner")).to_contain_text("what you see is old: use radio")
    expect(page.locator(".row[data-proven=false]")).to_have_count(units)
    expect(page.get_by_text("●", exact=True).locator("visible=true")).to_have_count(0)


def expect_live(page: Page) -> None:
    """The banner is gone and units are confirmed again."""
    expect(page.locator("#banner")).to_be_hidden(timeout=BACK_MS)
    expect(page.locator(".row[data-proven=true]").first).to_be_visible()


def expect_connection_after(page: Page, source: FeedSource, before: int) -> None:
    """Wait until the page has opened one more connection."""
    wait_until(page, lambda: source.connected > before)


def wait_until(page: Page, holds: Callable[[], bool], deadline_s: float = 15.0) -> None:
    """Wait for a condition of the source, a frame at a time, while the page goes on."""
    clock = SystemClock()
    began_s = clock.monotonic()
    while not holds():
        assert clock.monotonic() - began_s < deadline_s, "the deadline has passed"
        page.evaluate("new Promise(requestAnimationFrame)")


def test_silence_and_recovery(page: Page, source: FeedSource) -> None:
    """A feed that falls silent on an open connection is lost; a whole new snapshot brings the board back."""
    source.hold([unit(1, "P1"), unit(2, "P2"), unit(3, "P3", confidence="never")])
    open_board(page, source)
    source.silent = True
    expect_lost(page, 3)
    expect(row(page, "u-1").get_by_role("img").first).to_have_attribute("aria-label", "unconfirmed")
    expect(page.locator(".base-total")).to_have_text("0/3 available confirmed")
    expect(page.locator("#feed-state")).to_contain_text("Feed lost since")
    source.silent = False
    expect_live(page)
    expect(row(page, "u-1").get_by_role("img").first).to_have_text("●")
    expect(page.locator("#feed-state")).to_contain_text("Feed back at")


def test_no_position_is_live_on_a_lost_feed(page: Page, source: FeedSource) -> None:
    """While the feed is lost a position is the last known and the loss is the reason."""
    source.hold([unit(1, "P1"), unit(2, "P2", fix="none")])
    open_board(page, source)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    detail = page.locator("#detail")
    expect(detail.get_by_text("Speed", exact=True)).to_be_visible()
    source.silent = True
    expect_lost(page, 2)
    expect(row(page, "u-1").locator(".c-position")).to_have_text(re.compile(r"^\(\d+s\)$"))
    expect(row(page, "u-2").locator(".c-position")).to_have_text("(no fix)")
    expect(row(page, "u-1").locator(".c-reason")).to_have_text("FEED LOST: radio")
    for name in ("Last known", "Speed then", "Heading then", "Link then"):
        expect(detail.get_by_text(name, exact=True)).to_be_visible()
    expect(detail.locator("li").first).to_contain_text("The feed is lost: use radio")
    source.silent = False
    expect_live(page)
    expect(row(page, "u-1").locator(".c-position")).to_have_text(re.compile(r"^\d+s$"))
    expect(detail.get_by_text("At", exact=True)).to_be_visible()


@pytest.mark.parametrize(("size", "query"), [((1920, 1080), ""), ((1024, 600), ""), ((1920, 1080), "?wall")])
def test_the_banner_leaves_the_clock(page: Page, source: FeedSource, size: tuple[int, int], query: str) -> None:
    """The banner of a lost feed is read whole, with the time of day beside it."""
    source.hold([unit(1, "P1")])
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(source.url + query)
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    source.silent = True
    expect_lost(page, 1)
    clock, banner = page.locator("#clock").bounding_box(), page.locator("#banner").bounding_box()
    assert clock is not None and banner is not None
    assert clock["x"] + clock["width"] <= banner["x"]
    assert banner["x"] + banner["width"] == size[0]
    assert page.evaluate("(({scrollWidth, clientWidth}) => scrollWidth <= clientWidth)(banner)")


def test_part_of_a_snapshot_is_not_a_board(page: Page, source: FeedSource) -> None:
    """Until the last part of a snapshot has come nothing is shown as live, however many ticks follow."""
    source.hold([unit(1, "P1"), unit(2, "P2")])
    open_board(page, source)
    source.parts, source.parts_sent = 2, 1
    source.silent = True
    expect_lost(page, 2)
    source.silent = False
    ticks = source.ticks
    wait_until(page, lambda: source.ticks > ticks + 10)
    expect_lost(page, 2)
    source.parts_sent = 2
    expect_live(page)


def test_restart_gives_a_fresh_board(page: Page, port: int, serve: SourceFactory) -> None:
    """After the server's restart the board is the new snapshot: a unit that has been removed is gone."""
    first = FeedSource(port=port, epoch="e1", owner_term=1)
    first.hold([unit(1, "P1"), unit(2, "P2")])
    with serving(first):
        open_board(page, first)
        page.keyboard.press("End")
        page.keyboard.press("Enter")
    expect_lost(page, 2)
    second = FeedSource(port=port, epoch="e2", owner_term=2)
    second.hold([unit(1, "P1", code=1), unit(3, "P3")])
    serve(second)
    expect_live(page)
    expect(page.locator("[role=row][aria-selected] .c-callsign")).to_have_text(["P1", "P3"])
    expect(row(page, "u-1")).to_contain_text("Mobile to incident")
    expect(page.locator("#detail")).to_contain_text("P2: no longer on this feed")


def test_short_cut_keeps_the_board(page: Page, port: int, serve: SourceFactory) -> None:
    """A connection that breaks and comes back within the feed's patience raises no banner."""
    first = FeedSource(port=port, epoch="e1", lost_after_s=20.0)
    first.hold([unit(1, "P1")])
    with serving(first):
        open_board(page, first)
        page.evaluate("""() => { window.shownBanners = 0;
            new MutationObserver(() => { window.shownBanners += !document.getElementById('banner').hidden; })
            .observe(document.getElementById('banner'), {attributes: true}); }""")
    second = FeedSource(port=port, epoch="e2", lost_after_s=20.0)
    second.hold([unit(1, "P1"), unit(2, "P2")])
    serve(second)
    expect(page.locator("[role=row][aria-selected]")).to_have_count(2)
    assert page.evaluate("window.shownBanners") == 0


def test_an_older_server_is_not_believed(page: Page, port: int, serve: SourceFactory) -> None:
    """A server with a lower owner term cannot speak again: its board is not taken."""
    first = FeedSource(port=port, epoch="e2", owner_term=2)
    first.hold([unit(1, "P1")])
    with serving(first):
        open_board(page, first)
    paused = FeedSource(port=port, epoch="e1", owner_term=1)
    paused.hold([unit(1, "P1"), unit(2, "P2")])
    serve(paused)
    wait_until(page, lambda: paused.connected > 1)
    expect_lost(page, 1)
    expect(page.locator("#action")).to_contain_text("an older server answered")


@pytest.mark.parametrize("slept", ["Date", "performance"])
def test_waking_from_sleep(page: Page, source: FeedSource, slept: str) -> None:
    """A computer that slept is told by whichever clock went on: the board is lost until a new snapshot came."""
    source.hold([unit(1, "P1", link_s=2.0)])
    open_board(page, source)
    source.silent = True
    before = source.connected
    page.evaluate(f"() => {{ const now = {slept}.now.bind({slept}); {slept}.now = () => now() + 600_000; }}")
    expect_lost(page, 1)
    expect(row(page, "u-1").locator(".c-link")).to_have_text("10m")
    expect_connection_after(page, source, before)
    source.silent = False
    expect_live(page)
    expect(row(page, "u-1").locator(".c-link")).not_to_have_text("10m")


def test_events_held_up_in_the_network(page: Page, source: FeedSource) -> None:
    """Events that come late do not look young: the feed's age and a record's ages count the time on the way."""
    source.lost_after_s = 20.0
    source.hold([unit(1, "P1")])
    open_board(page, source)
    ticks = source.ticks
    wait_until(page, lambda: source.ticks > ticks + 2)
    source.delay_s = 4.0
    source.change(unit(1, "P1", link_s=50.0))
    ticks = source.ticks
    wait_until(page, lambda: source.ticks > ticks + 30)
    expect(row(page, "u-1").locator(".c-link")).to_have_text(re.compile(r"^5[4-9]s$"), timeout=500)
    expect(page.locator("#feed-age")).to_have_text(re.compile(r"^FEED [45]\.\d s$"), timeout=500)


@pytest.mark.parametrize(
    "sent",
    [
        "event: changes\nid: e1-9\ndata: {not json\n\n",
        "event: changes\nid: e1-9\ndata: {}\n\n",
        'event: changes\nid: other-9\ndata: {"at": "2026-11-22T00:00:00Z", "cursor": 9, "records": []}\n\n',
    ],
)
def test_unreadable_events(page: Page, source: FeedSource, sent: str) -> None:
    """An event that cannot be read is not passed over: the board is fetched anew."""
    source.hold([unit(1, "P1")])
    open_board(page, source)
    before = source.connected
    source.hold([unit(1, "P1"), unit(2, "P2")])
    source.send_raw(sent)
    expect_connection_after(page, source, before)
    expect(page.locator("[role=row][aria-selected]")).to_have_count(2)


def test_no_feed_from_the_start(page: Page, source: FeedSource) -> None:
    """A page that has never had a snapshot says so, and does not look like an empty county."""
    source.silent = True
    page.goto(source.url)
    expect(page.locator("#banner")).to_contain_text("NO FEED YET")
    expect(page.locator("#nothing")).to_be_hidden()


def test_a_failed_page_says_so(page: Page, source: FeedSource, faults: list[str]) -> None:
    """A fault in the page's own program takes the board out of use instead of leaving it to look live."""
    source.hold([unit(1, "P1")])
    open_board(page, source)
    page.evaluate("() => { setTimeout(() => { throw new Error('broken on purpose'); }); }")
    expect(page.locator("#banner")).to_contain_text("THIS PAGE HAS FAILED")
    expect(page.locator("body")).to_have_attribute("data-feed", "failed")
    assert "broken on purpose" in faults.pop()
