"""How the screen is laid out, what a row beside the map has room for, and what the detail and the timeline add."""

import re
from datetime import timedelta

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.browser.alarms import emergency
from tests.browser.board_page import MAPPED, WIDE, open_board, row
from tests.browser.county import unit
from tests.browser.feed_source import FeedSource, now
from tests.browser.orders import order
from tests.browser.shire import PLACES, shire
from wire.feed import ClaimView, CrewView, DefectView, Proposal, SourceView


def box(page: Page, selector: str) -> tuple[float, float, float, float]:
    """Where a part of the page is: left, top, width and height."""
    found = page.locator(selector).bounding_box()
    assert found is not None
    return found["x"], found["y"], found["width"], found["height"]


def test_the_parts_of_a_full_screen(page: Page, source: FeedSource) -> None:
    """At 1920x1080: a band of 48, the board in the left 900, the map right in 560 rows, orders below, a line of 40."""
    source.hold(shire())
    source.orders = {order(1).order: order(1)}
    open_board(page, source, "")
    expect(page.locator(".order")).to_have_count(1)
    page.wait_for_function("document.querySelector('#map').offsetWidth > 0")
    assert (0, 0, 1920, 48) == box(page, ".band")
    top = 48 + box(page, "#modes")[3]
    assert (0, top, 900) == box(page, "#grid")[:3]
    assert (900, top, 1020, 560) == box(page, "#map")
    assert (900, top + 560) == box(page, "#side")[:2]
    assert (0, 1040, 1920, 40) == box(page, ".line")
    assert 26 == box(page, "[id='unit-u-0']")[3]


@pytest.mark.parametrize(
    ("size", "query", "layout"),
    [
        ((1920, 1080), "", "map"),
        ((1024, 600), "", "blocks"),
        ((1920, 1080), "?wall", "blocks"),
        ((1024, 600), "?map=on", "map"),
        ((1920, 1080), "?map=off", "blocks"),
        ((1024, 600), "?wide=on", "wide"),
    ],
)
def test_what_a_screen_begins_with(
    page: Page, source: FeedSource, size: tuple[int, int], query: str, layout: str
) -> None:
    """The map where there is room for it, or where the address asks; nothing is ever wider than the screen."""
    source.hold(shire())
    source.orders = {order(1).order: order(1)}
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_board(page, source, query)
    expect(page.locator("body")).to_have_attribute("data-layout", layout)
    expect(page.locator("#map")).to_be_visible(visible=layout == "map")
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    wider = """() => [...document.querySelectorAll('.cell:not(:empty), .order-mark, .bar, .band > *')].filter(node =>
        node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 1 && getComputedStyle(node).display !== 'inline'
        && !node.title && !node.closest('[title]')).map(node => node.className + ' ' + node.textContent)"""
    assert page.evaluate(wider) == [], "what is cut off has it whole in a tooltip"


def test_a_chosen_layout_outlives_the_page(page: Page, source: FeedSource) -> None:
    """F7 takes the map away and F8 gives one wide table; the page loaded again is as it was left."""
    source.hold([unit(1, "P141")])
    open_board(page, source, "?room=Maidstone")
    page.keyboard.press("F7")
    expect(page.locator("body")).to_have_attribute("data-layout", "blocks")
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-layout", "blocks")
    expect(page.locator("#room")).to_have_text("Maidstone")
    page.keyboard.press("F8")
    expect(row(page, "u-1").locator(".c-type")).to_be_visible()
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-layout", "wide")
    page.keyboard.press("F8")
    page.keyboard.press("F7")
    expect(page.locator("body")).to_have_attribute("data-layout", "map")
    expect(page.locator("#views [data-key=F7]")).to_have_attribute("aria-pressed", "true")


def test_what_a_row_says_besides(page: Page, source: FeedSource) -> None:
    """Guests in italics with their home, crews of those wanted, claims, proposals, on-call time and alternates."""
    left = Proposal(code="left_base", text="Left the base's ground", at=now().replace(hour=13, minute=37))
    source.hold(
        [
            msgspec.structs.replace(unit(1, "P1"), home="Ashford fire", alternates=("14A1",)),
            msgspec.structs.replace(unit(2, "P2"), crew=CrewView(riders=3, minimum=4, preferred=5), tier_min=5),
            msgspec.structs.replace(unit(3, "P3"), claims=(ClaimView(claim="c", device="d", vehicle="F9", at=now()),)),
            msgspec.structs.replace(unit(4, "P4"), proposals=(left,), crew=CrewView(minimum=2)),
            msgspec.structs.replace(unit(5, "P5"), part_of="P9", crew=CrewView(riders=4, minimum=4, preferred=5)),
        ]
    )
    open_board(page, source, MAPPED)
    expect(row(page, "u-1").locator(".c-callsign")).to_have_css("font-style", "italic")
    expect(row(page, "u-2").locator(".c-callsign")).to_have_css("font-style", "normal")
    for number, crew in ((2, "3/5"), (4, "?/2"), (5, "4/5")):
        expect(row(page, f"u-{number}").locator(".c-crew")).to_have_text(crew)
    expect(row(page, "u-2").locator(".c-crew")).to_have_attribute("data-short", "true")
    expect(row(page, "u-5").locator(".c-crew")).to_have_attribute("data-short", "false")
    said = ("or 14A1 · home Ashford fire", "5 min", "F9 claims it", "left base 13:37?", "part of P9")
    for number, words in enumerate(said, start=1):
        expect(row(page, f"u-{number}").locator(".reason-text")).to_have_text(words)


def test_how_far_off_its_base(page: Page, source: FeedSource) -> None:
    """A unit away from its base says how far, in brackets where its position is old; without a place nothing."""
    near, far = unit(1, "P1"), unit(2, "P2")
    assert near.position is not None
    source.places = {near.base: (near.position.lat or 0, near.position.lon or 0)}
    away = msgspec.structs.replace(near.position, lat=(near.position.lat or 0) + 0.027)
    source.hold(
        [
            near,
            msgspec.structs.replace(far, position=away),
            msgspec.structs.replace(unit(3, "P3"), position=away, position_fresh=False),
            msgspec.structs.replace(unit(4, "P4"), base="Dover fire"),
        ]
    )
    open_board(page, source, MAPPED)
    for number, words in enumerate(("at base", "3.0 km off", "(3.0 km off)", ""), start=1):
        expect(row(page, f"u-{number}").locator(".c-place")).to_have_text(words)


def test_committed_by_what_a_crew_is_at(page: Page, source: FeedSource) -> None:
    """Not available and at work is committed, in whatever scheme; off the run is not."""
    at_work = unit(1, "P1", code=1)
    source.hold([at_work, msgspec.structs.replace(at_work, unit="u-2", callsign="P2", activity="out_of_service")])
    open_board(page, source)
    expect(row(page, "u-1").locator(".bar")).to_have_text("Committed")
    expect(row(page, "u-2").locator(".bar")).to_have_text("Not available")


def test_the_detail_has_all_of_it(page: Page, source: FeedSource) -> None:
    """Who says so since when, crew, defects, proposals, claims, mode with who and until, vehicle and home."""
    record = msgspec.structs.replace(
        unit(1, "P141", confidence="contradicted"),
        home="Ashford fire",
        vehicle="F1001",
        sources=(SourceView(source="panel", kind="status", device="veh-0001", at=now()),),
        crew=CrewView(riders=3, minimum=4, preferred=5, skills=("ba",), missing=("ladder",)),
        defects=(DefectView(what="pump", off_the_run=True, text="no prime", since=now()),),
        proposals=(Proposal(code="moving", text="Its wheels turn", at=now()),),
        claims=(ClaimView(claim="c", device="veh-0009", vehicle="F9", at=now()),),
        alternates=("14A1",),
        tier_min=5,
        mode="training",
        mode_by="A. Smith",
        mode_until=now() + timedelta(hours=1),
    )
    source.hold([record])
    open_board(page, source, MAPPED)
    row(page, "u-1").dblclick()
    for words in (
        "Station panel says mobile to incident",
        "veh-0001",
        "3/5 (at least 4)",
        "ladder",
        "pump: off the run",
        "no prime",
        "Its wheels turn",
        "F9 claims it",
        "stn14-panel",
        "14A1",
        "5 min: on call",
        "training",
        "A. Smith",
        "F1001",
        "home Ashford fire",
    ):
        expect(page.locator("#detail")).to_contain_text(words)


def test_the_timeline(page: Page, source: FeedSource) -> None:
    """Newest first: statuses, doubts, orders' phases, alarms and who has them, and many at once as one line."""
    held = [unit(n, f"P{n}") for n in range(1, 30)]
    doubted = {"confidence": "unconfirmed", "reasons": unit(1, "P1", confidence="unconfirmed").reasons}
    mobile = unit(1, "P1", code=1)
    source.hold(held)
    open_board(page, source, MAPPED)
    lines = page.locator(".happened")
    expect(lines).to_have_count(29)
    source.change(mobile)
    expect(lines.first).to_have_text(re.compile(r"^\d\d:\d\d:\d\dP11 Mobile to incident$"))
    source.change(msgspec.structs.replace(mobile, **doubted))
    expect(lines.first).to_contain_text("unconfirmed: Nothing heard from the vehicle")
    source.order(order(1, "sent", ago_s=0))
    source.order(order(1, "alerting", ago_s=0, version=2))
    expect(lines.first).to_contain_text("I0401alerting")
    source.alarm(emergency(2, "P2", ago_s=0))
    source.alarm(emergency(2, "P2", ago_s=0, acknowledged_by="op 7"))
    expect(lines.first).to_contain_text("Emergency: P2: in hand of op 7")
    expect(page.locator(".happened[data-kind=alarm]")).to_have_count(1)
    source.change(*(msgspec.structs.replace(one, **doubted) for one in held[1:]))
    expect(lines.first).to_contain_text("28 units are believed otherwise")


def test_the_chosen_order_is_whole(page: Page, source: FeedSource) -> None:
    """Beside the map one order shows its steps, the others what must not be missed; `O` and arrows choose."""
    source.hold([unit(1, "P141")])
    source.orders = {one.order: one for one in (order(1, ago_s=90), order(2, ago_s=30), order(3, ago_s=60))}
    open_board(page, source, MAPPED)
    ladders = page.locator(".order .ladder")
    expect(ladders.filter(visible=True)).to_have_count(1)
    expect(ladders.nth(0)).to_be_visible()
    page.keyboard.press("o")
    page.keyboard.press("ArrowDown")
    expect(ladders.nth(1)).to_be_visible()
    expect(ladders.filter(visible=True)).to_have_count(1)
    page.keyboard.press("Escape")
    source.order(order(3, "alerting", ago_s=60, version=2))
    expect(ladders.nth(1)).to_be_visible()
    expect(page.locator(".order .order-now").nth(0)).to_be_visible()


def test_wide_says_the_type_and_skills(page: Page, source: FeedSource) -> None:
    """The wide table has type, skills, since and reasons whole, in one block and without the map."""
    source.hold(shire())
    source.places = dict(PLACES)
    open_board(page, source, WIDE)
    expect(page.locator(".block")).to_have_count(1)
    for key in ("type", "since", "crew", "skills", "place", "link", "told", "position", "reason"):
        expect(page.locator(f".row:not(.heads) .c-{key}").first).to_be_visible()
    expect(page.locator(".row", has_text="P203").locator(".c-skills")).to_have_text("driver, no ba")
    expect(page.locator(".row", has_text="P203").locator(".reason-text")).to_have_text(
        "3 riding, at least 4 are wanted"
    )
