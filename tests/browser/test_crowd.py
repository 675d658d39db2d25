"""A board of thousands: what is in sight is right, and one event that changes every unit costs the page little."""

from collections.abc import Callable

import msgspec
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.board_page import MAPPED, open_board, row
from tests.browser.county import unit
from tests.browser.feed_source import FeedSource
from wire.feed import FeedRecord

UNITS = 5000
CHANGE_MS_MAX = 150
"""A changes event of all units keeps the page's thread busy for no longer than this."""
COSTS = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def crowd(plain: FeedRecord, **changed: object) -> list[FeedRecord]:
    """As many units as a large area has, at a hundred bases, with what differs for all of them."""
    return [
        msgspec.structs.replace(plain, unit=f"u-{n}", callsign=f"P{n:04}", base=f"Stn {n % 100:02}", **changed)
        for n in range(UNITS)
    ]


def spent_ms(session: CDPSession) -> float:
    """How long the page's thread has worked, by its own clock: other programs of this machine do not count."""
    told = session.send("Performance.getMetrics")["metrics"]
    return sum(1000 * float(one["value"]) for one in told if one["name"] in COSTS)


def test_five_thousand_units(page: Page, source: FeedSource, record_property: Callable[[str, object], None]) -> None:
    """All 5,000 change in one event within 150 ms of the page's work; rows that come into sight later are right too."""
    source.lost_after_s = 30.0
    plain = unit(0, "P")
    source.hold(crowd(plain))
    open_board(page, source, MAPPED)
    late = crowd(plain, confidence="unconfirmed", reasons=unit(1, "P", confidence="unconfirmed").reasons)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before_ms = spent_ms(session)
    source.change(*late)
    expect(row(page, "u-0")).to_have_attribute("data-confidence", "unconfirmed")
    expect(page.locator("#counts")).to_contain_text("unconfirmed")
    change_ms = spent_ms(session) - before_ms
    record_property("change_ms", change_ms)
    print(f"a change of {UNITS} units: {change_ms:.0f} ms")
    assert change_ms < CHANGE_MS_MAX
    expect(row(page, "u-4999").locator(".cell")).to_have_count(0)
    page.keyboard.press("End")
    expect(page.locator("[aria-selected=true]")).to_contain_text("P4999")
    expect(page.locator("[aria-selected=true]")).to_have_attribute("data-confidence", "unconfirmed")
    expect(page.locator("#outside")).to_contain_text("more above ▲")
    expect(page.locator(".happened").first).to_contain_text("5000 units are believed otherwise")
