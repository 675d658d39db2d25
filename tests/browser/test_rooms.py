"""Rooms side by side: each column shows what its own feed tells, and nothing of what it does not."""

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from cloud.sharing.terms import OWN, Grants
from tests.browser.county import unit
from tests.browser.feed_source import SourceFactory
from tests.browser.rooms import DAY, PartnerSource, RoomsSource, own_or
from wire.feed import FeedRecord

COVERT = "u-3"
LOST_AFTER_S = 1.5
OPEN = Grants(fields=frozenset(DAY), agreements=("fire-police-day",), precision_m=500, delay_s=120)
THIN = Grants(fields=frozenset({"status"}), agreements=("fire-ambulance-day",))


def units() -> list[FeedRecord]:
    """Two pumps and two cars, one of them covert."""
    pumps = [unit(number, f"P14{number}") for number in (0, 1)]
    return [*pumps, unit(2, "KP22", service="police"), unit(3, "KP99", service="police")]


def police_sees(record: FeedRecord) -> Grants | None:
    """Its own, and the pumps as agreed."""
    return OWN if record.service == "police" else OPEN


def fire_sees(record: FeedRecord) -> Grants | None:
    """Its own, and of the police what is not covert."""
    return None if record.unit == COVERT else own_or("kent-fire", OPEN)(record)


@pytest.fixture
def rooms(serve: SourceFactory, port: int) -> RoomsSource:
    """A room and its three partners."""
    made = RoomsSource(port=port, lost_after_s=LOST_AFTER_S)
    made.hold(units())
    made.add("kent-fire", "Kent Fire", fire_sees)
    made.add("kent-police", "Kent Police", police_sees)
    made.add("kent-ambulance", "Kent Ambulance", lambda record: THIN if record.service == "fire" else None)
    serve(made)
    return made


def column(page: Page, name: str) -> Locator:
    """A room's column."""
    return page.get_by_role("region", name=name, exact=True)


def row(page: Page, name: str, unit_id: str) -> Locator:
    """A unit's row in a column."""
    return column(page, name).locator(f'[role=row][id$="-{unit_id}"]')


def opened(page: Page, rooms: RoomsSource, shown: str = "own,kent-fire,kent-police,kent-ambulance") -> None:
    """Open the page, and wait until every column is live."""
    page.goto(f"{rooms.url}rooms?show={shown}")
    expect(page.locator('.room-column[data-feed="live"]')).to_have_count(len(shown.split(",")))


def partner(rooms: RoomsSource, name: str) -> PartnerSource:
    """One of the partners."""
    return next(one for one in rooms.partners if one.partner == name)


def test_a_column_holds_what_its_room_sees_and_nothing_else(page: Page, rooms: RoomsSource) -> None:
    """A hidden unit is in no column but its owner's and this room's; a closed cell says nothing, and says that."""
    opened(page, rooms)
    assert [4, 3, 4, 2] == [one.locator("[role=row][aria-selected]").count() for one in page.locator(".grid").all()]
    assert "KP99" not in column(page, "Kent Fire").inner_html()
    pump = row(page, "Kent Ambulance", "u-0")
    expect(pump.locator(".c-status")).to_contain_text("Available at base")
    for cell in ("c-class", "c-sign", "c-reason"):
        expect(pump.locator(f".{cell}")).to_have_attribute("data-closed", "true")
        assert "" == pump.locator(f".{cell}").inner_text().strip().strip("–")
    expect(pump.get_by_role("gridcell", name="Class: not shared")).to_have_count(1)
    expect(pump).to_have_attribute("data-proven", "false")
    expect(row(page, "Kent Police", "u-0").locator(".c-shared")).to_have_text("500 m, 2 min")
    expect(row(page, "Kent Police", "u-2").locator(".c-shared")).to_have_text("own")
    own = "This room: everything"
    expect(row(page, own, "u-0").locator(".c-shared")).to_have_text("KENT-POLICE KENT-AMBULANCE")
    expect(row(page, own, COVERT).locator(".c-shared")).to_have_text("")


def test_what_is_gone_leaves_its_column_at_once(page: Page, rooms: RoomsSource) -> None:
    """A unit that a partner may no longer see leaves that column and its owner's mark, and no other column."""
    opened(page, rooms, "own,kent-fire,kent-police")
    fire = partner(rooms, "kent-fire")
    fire.opened = own_or("kent-fire", None)
    fire.tell(gone=["u-2"])
    expect(row(page, "Kent Fire", "u-2")).to_have_count(0)
    expect(row(page, "Kent Police", "u-2")).to_have_count(1)
    expect(row(page, "This room: everything", "u-2").locator(".c-shared")).to_have_text("")


def test_a_lost_feed_is_its_own_columns(page: Page, rooms: RoomsSource) -> None:
    """The column whose feed falls silent says so and confirms nothing; the others go on, and its marks are in doubt."""
    opened(page, rooms, "own,kent-fire,kent-police")
    assert 0 < row(page, "Kent Police", "u-0").filter(has_text="●").count()
    partner(rooms, "kent-police").silent = True
    expect(column(page, "Kent Police")).to_have_attribute("data-feed", "lost")
    expect(column(page, "Kent Police").locator(".room-banner")).to_contain_text("FEED LOST")
    expect(column(page, "Kent Police").locator('[data-proven="true"]')).to_have_count(0)
    expect(column(page, "Kent Police").locator("[aria-selected]").first).to_be_visible()
    expect(column(page, "Kent Fire").locator(".room-banner")).to_be_hidden()
    expect(column(page, "Kent Fire")).to_have_attribute("data-feed", "live")
    expect(row(page, "This room: everything", "u-0").locator(".c-shared")).to_have_text("KENT-POLICE?")
    partner(rooms, "kent-police").silent = False
    expect(column(page, "Kent Police").locator(".room-banner")).to_be_hidden()


def test_by_keyboard_and_without_a_barrier(page: Page, rooms: RoomsSource) -> None:
    """Choosing rooms, finding, and going from row to row and to the next room need no mouse; the address keeps them."""
    page.set_viewport_size({"width": 1024, "height": 600})
    opened(page, rooms, "own,kent-fire")
    page.get_by_role("button", name="Kent Police").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".room-column")).to_have_count(3)
    assert page.url.endswith("show=own%2Ckent-fire%2Ckent-police")
    page.reload()
    expect(page.locator('.room-column[data-feed="live"]')).to_have_count(3)
    page.keyboard.press("ArrowDown")
    expect(page.locator('[aria-selected="true"]')).to_have_count(3)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("grid", name="Units that Kent Fire sees")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("kp22")
    expect(page.locator("[role=row][aria-selected]")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator("[role=row][aria-selected]")).to_have_count(11)
    found = Axe().run(page).response["violations"]
    assert [] == [(one["id"], one["nodes"][0]["html"]) for one in found]
    assert 1024 == page.evaluate("document.documentElement.scrollWidth")


def test_a_page_that_nobody_sees_leaves_the_connections_to_the_board(page: Page, rooms: RoomsSource) -> None:
    """Hidden for some seconds it follows no feed; in sight again it asks anew, and shows nothing old as live."""
    opened(page, rooms, "own,kent-fire")
    fire = partner(rooms, "kent-fire")
    sight = "state => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });"
    sight += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(sight, "hidden")
    expect(page.locator('.room-column[data-feed="lost"]')).to_have_count(2)
    assert 1 == fire.connected
    changed = msgspec.structs.replace(rooms.held["u-0"], callsign="P777")
    rooms.held["u-0"] = changed
    page.evaluate(sight, "visible")
    expect(page.locator('.room-column[data-feed="live"]')).to_have_count(2)
    expect(column(page, "Kent Fire")).to_contain_text("P777")
