"""Alarms on the board: an emergency is over everything, sounds until a person has it, stays until its end."""

import msgspec
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.alarms import LATE, asks, at_station, bad_night, emergency
from tests.browser.board_page import open_board, row
from tests.browser.county import county, unit
from tests.browser.feed_source import FeedSource
from tests.browser.orders import alarm, busy, order
from tests.browser.test_orders import COUNT_TONES, HOSTILE, tones
from tests.waiting import wait_until

RED = "rgb(229, 72, 77)"
LOST_MS = 3_600
"""More than the feed's 3 s."""
LEAST_BOARD = 0.4
"""A flood of emergencies leaves the board at least this part of the screen."""


def on_top(page: Page, callsign: str = "P141") -> Locator:
    """The row of a unit's emergency."""
    return page.locator(".emergency", has=page.get_by_text(callsign, exact=True))


def open_room(page: Page, source: FeedSource, room: str = "") -> None:
    """Open the board of a room with one unit."""
    source.hold([unit(1, "P141"), unit(2, "P142"), unit(3, "KP21", service="police")])
    page.goto(source.url + (f"?room={room}" if room else ""))
    expect(page.locator("body")).to_have_attribute("data-feed", "live")


def test_an_emergency_is_over_everything(page: Page, source: FeedSource) -> None:
    """It is red, as wide as the screen, says who, where, when and in which mode, flashes, and marks the unit's row."""
    open_room(page, source)
    source.alarm(emergency(1, mode="test", text=f"Emergency: P141 (its device is in test mode){LATE}", proven=False))
    for words in (
        "EMERGENCY",
        "TEST",
        "u-1 · Stn 14 shared",
        "raised ≈",
        "at 51.10400, 0.61000",
        "12 min before control",
    ):
        expect(on_top(page)).to_contain_text(words)
    box = on_top(page).bounding_box()
    assert box is not None and (0, 1920) == (box["x"], box["width"]) and box["y"] < 60
    expect(on_top(page)).to_have_css("animation-name", "alarm-line")
    expect(page.get_by_role("alert")).to_contain_text("Emergency P141, Stn 14 shared, (its device is in test mode)")
    expect(page.locator("#alarms")).to_have_text("ALARMS 1")
    expect(row(page, "u-1").get_by_role("img", name="Emergency")).to_be_visible()
    expect(row(page, "u-2").get_by_role("img", name="Emergency")).to_have_count(0)
    source.alarm(emergency(2, "P142"))
    expect(page.locator(".emergency-callsign")).to_have_text(["P142", "P141"])
    expect(page.get_by_role("alert")).to_contain_text("Emergency P142")
    source.alarm(emergency(1, acknowledged_by="op 7"), emergency(2, "P142", active=False))
    expect(on_top(page)).to_contain_text("in hand of op 7")
    expect(on_top(page)).to_have_css("animation-name", "none")
    expect(page.locator("#action")).to_have_text("Emergency P141: in hand of op 7")
    expect(row(page, "u-1").get_by_role("img", name="Emergency")).to_have_count(0)
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")


def test_an_emergency_sounds_until_somebody_has_it(page: Page, source: FeedSource) -> None:
    """Two tones every two seconds or so, before all other sound, in any mode; nothing mutes it, many sound as one."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    open_room(page, source)
    page.locator("#sound").click()
    wait_until(lambda: tones(page) == 3, what="the test")
    source.alarm(at_station(1), at_station(2))
    expect(page.locator("#alarms")).to_have_text("ALARMS 2")
    page.clock.run_for(12_000)
    assert 4 == tones(page), "alarms of stations that come together are one tone, once"
    flood = [emergency(number, mode="test") for number in range(1, 9)]
    source.order(order(1, alarms=(alarm(),)))
    expect(page.locator(".order")).to_have_count(1)
    before = tones(page)
    source.alarm(*flood)
    wait_until(lambda: tones(page) == before + 2, what="two tones at once")
    page.clock.run_for(10_000)
    again = tones(page) - before - 2
    assert again % 2 == 0 and 8 <= again <= 12, "no third tone between"
    page.locator("#sound").click()
    before = tones(page)
    page.clock.run_for(10_000)
    assert tones(page) - before >= 8, "a click mutes nothing"
    source.alarm(*(msgspec.structs.replace(one, acknowledged_by="op 7") for one in flood))
    source.order(order(1, active=False, version=2))
    expect(page.locator("#alarms")).to_have_text("ALARMS 2")
    silent = tones(page)
    page.clock.run_for(12_000)
    assert silent == tones(page), "in hand it is silent, and still on the board"
    expect(page.locator(".emergency")).to_have_count(len(flood))


def test_a_page_that_may_not_sound_says_so_in_red(page: Page, source: FeedSource) -> None:
    """Until a click the band is red about it; while an emergency is unheard, any key or click lets it sound."""
    page.add_init_script(COUNT_TONES)
    open_room(page, source)
    sound = page.locator("#sound")
    expect(sound).to_have_text("SOUND OFF: test")
    expect(sound).to_have_css("border-color", RED)
    page.keyboard.press("j")
    expect(sound).to_have_attribute("data-state", "off")
    source.alarm(emergency())
    expect(sound).to_have_attribute("data-state", "silent")
    expect(sound).to_have_css("background-color", RED)
    assert 0 == tones(page)
    page.keyboard.press("j")
    expect(sound).to_have_text("SOUND ok")
    wait_until(lambda: tones(page) >= 2, what="the emergency")


def test_the_keyboard_takes_an_emergency_in_hand(page: Page, source: FeedSource) -> None:
    """`Shift+A` asks who, the room or the name typed last; Enter takes it in hand; no key alone or held down does."""
    open_room(page, source, "Maidstone")
    page.keyboard.press("Shift+A")
    expect(page.locator("#action")).to_have_text("No emergencies")
    source.alarm(emergency(1), emergency(2, "P142"))
    expect(on_top(page, "P142")).to_be_visible()
    page.keyboard.press("A")
    expect(page.locator("#taking")).to_be_hidden()
    page.keyboard.press("Shift+A")
    expect(page.locator("#taking h2")).to_have_text("Emergency P142, Stn 14 shared")
    expect(page.locator("#t-by")).to_have_value("Maidstone")
    expect(page.locator("#t-by")).to_be_focused()
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', repeat: true, bubbles: true, cancelable: true}))"
    )
    assert [] == source.taken
    page.keyboard.type("Op 7 Amaj")
    page.keyboard.press("Enter")
    expect(page.locator("#taking")).to_be_hidden()
    expect(page.locator("#grid")).to_be_focused()
    expect(page.locator(".emergency-callsign")).to_have_text(["P141", "P142"])
    page.keyboard.press("Shift+A")
    expect(page.locator("#t-by")).to_have_value("Op 7 Amaj")
    page.keyboard.press("Enter")
    expect(on_top(page)).to_contain_text("in hand of Op 7 Amaj")
    expect(page.locator("#action")).to_contain_text("Emergency P141: in hand of Op 7 Amaj")
    assert [("veh-2.s-1.2", "Op 7 Amaj"), ("veh-1.s-1.1", "Op 7 Amaj")] == source.taken


def test_control_cancels_an_emergency_and_says_why(page: Page, source: FeedSource) -> None:
    """What somebody has in hand has a button for it; without a reason nothing is sent; then it is off the board."""
    open_room(page, source, "Maidstone")
    source.alarm(emergency(1))
    expect(on_top(page).get_by_role("button", name="Cancel")).to_be_hidden()
    source.alarm(emergency(1, acknowledged_by="Op 7"))
    expect(on_top(page)).to_contain_text("in hand of Op 7")
    page.keyboard.press("Shift+A")
    expect(on_top(page).get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#taking h2")).to_have_text("Cancel the emergency P141, Stn 14 shared")
    expect(page.locator("#t-by")).to_have_value("Maidstone")
    expect(page.locator("#t-reason")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#taking .said")).to_contain_text("Say why")
    page.keyboard.type("crew safe")
    page.keyboard.press("Enter")
    expect(page.locator("#emergencies")).to_be_hidden()
    expect(page.locator("#taking")).to_be_hidden()
    expect(page.locator("#action")).to_have_text("Emergency P141: cancelled by Maidstone: crew safe")
    assert [("veh-1.s-1.1", "Maidstone", "crew safe")] == source.cancelled


def test_nobody_takes_an_emergency_in_hand(page: Page, source: FeedSource) -> None:
    """Where neither a room nor a person was named, the form asks for a name and sends nothing without."""
    open_room(page, source)
    source.alarm(emergency())
    on_top(page).get_by_role("button", name="ACKNOWLEDGE").click()
    expect(page.locator("#t-by")).to_have_value("")
    page.keyboard.press("Enter")
    expect(page.locator("#taking .said")).to_contain_text("Say who you are")
    page.keyboard.press("Escape")
    expect(page.locator("#taking")).to_be_hidden()
    assert [] == source.taken


def test_what_others_have_in_hand_is_not_taken_twice(page: Page, source: FeedSource) -> None:
    """The form says who has it meanwhile, keeps what is typed from the board, and the row is still."""
    open_room(page, source, "Maidstone")
    source.alarm(emergency(1), emergency(2, "P142"))
    expect(on_top(page)).to_be_visible()
    page.keyboard.press("Shift+A")
    source.alarm(emergency(2, "P142", acknowledged_by="Medway"))
    expect(page.locator("#taking .said")).to_have_text("Medway has it in hand already: Esc closes")
    page.keyboard.press("Enter")
    expect(page.locator("#taking")).to_be_hidden()
    source.taken_by = "Medway"
    page.keyboard.press("Shift+A")
    page.keyboard.press("Enter")
    expect(page.locator("#taking .said")).to_have_text("Medway has it in hand already: Esc closes")
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")
    expect(on_top(page)).to_contain_text("in hand of somebody else")
    assert [] == source.taken


def test_an_emergency_takes_no_focus_from_who_is_typing(page: Page, source: FeedSource) -> None:
    """What is typed goes on where it was, `Shift+A` too; a form stands below the row, and is gone back to after it."""
    open_room(page, source, "Maidstone")
    page.keyboard.press("m")
    expect(page.locator("#m-units")).to_be_focused()
    page.keyboard.type("P1")
    source.alarm(emergency())
    expect(on_top(page)).to_be_visible()
    page.keyboard.press("Shift+A")
    expect(page.locator("#m-units")).to_have_value("P1A")
    over, form = on_top(page).bounding_box(), page.locator("#mobilise").bounding_box()
    assert over is not None and form is not None and over["y"] + over["height"] <= form["y"]
    on_top(page).get_by_role("button", name="ACKNOWLEDGE").click()
    expect(page.locator("#t-by")).to_be_focused()
    page.keyboard.press("Enter")
    expect(on_top(page)).to_contain_text("in hand of Maidstone")
    expect(page.locator("#m-units")).to_be_focused()
    expect(page.locator("#m-units")).to_have_value("P1A")


def test_find_goes_to_the_unit_whatever_the_view(page: Page, source: FeedSource) -> None:
    """The unit of an emergency is selected although the view leaves its service out; one not on the feed can't be."""
    open_room(page, source)
    page.keyboard.press("F4")
    expect(row(page, "u-1")).to_have_count(0)
    source.alarm(emergency(1), emergency(99, "X99"))
    expect(on_top(page, "X99").get_by_role("button", name="Find X99")).to_be_disabled()
    expect(on_top(page, "X99")).to_contain_text("position not known")
    on_top(page).get_by_role("button", name="Find P141").click()
    expect(row(page, "u-1")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#grid")).to_be_focused()


def test_a_lost_feed_leaves_alarms_and_their_sound(page: Page, source: FeedSource) -> None:
    """What was last known stays and sounds on; the server's answer ends it all the same; a snapshot drops the rest."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    source.alarms = {one.alarm: one for one in (emergency(1), emergency(2, "P142"), at_station())}
    open_room(page, source, "Maidstone")
    page.locator("#sound").click()
    source.silent = True
    page.clock.run_for(LOST_MS)
    expect(page.locator("body")).to_have_attribute("data-feed", "lost")
    expect(page.locator(".emergency")).to_have_count(2)
    expect(page.locator(".station-alarm")).to_have_count(1)
    expect(on_top(page)).to_contain_text("last known at")
    before = tones(page)
    page.clock.run_for(3_000)
    assert tones(page) >= before + 2, "it sounds on"
    page.keyboard.press("Shift+A")
    page.keyboard.press("Enter")
    expect(on_top(page, "P142")).to_contain_text("in hand of Maidstone")
    source.alarms = {}
    source.silent = False
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    expect(page.locator("#emergencies")).to_be_hidden()
    expect(page.locator("#orders")).to_be_hidden()
    silent = tones(page)
    page.clock.run_for(2_500)
    assert silent == tones(page)


def test_station_alarms_are_below_the_orders(page: Page, source: FeedSource) -> None:
    """They are listed in plain words, `a` `a` takes one in hand, which stays and is still until its cause is gone."""
    open_room(page, source, "Maidstone")
    left_open = at_station(2, "a bay door was left open (bay-2)", name="bay_left_open", part="bay-2", ago_s=340)
    source.alarm(at_station(1), left_open)
    lines = page.locator(".station-alarm")
    expect(lines).to_contain_text(["the mains have failed", "a bay door was left open (bay-2)"])
    expect(page.locator("#alarms")).to_have_text("ALARMS 2")
    page.keyboard.press("a")
    expect(lines.first).to_be_focused()
    assert [] == source.taken
    page.keyboard.press("a")
    expect(lines.last).to_contain_text("in hand of Maidstone since")
    expect(lines.last).to_have_css("animation-name", "none")
    expect(page.locator("#alarms")).to_have_text("ALARMS 1")
    assert [("stn14.s-1.1", "Maidstone")] == source.taken
    source.order(order(1))
    expect(page.locator(".order")).to_be_visible()
    page.keyboard.press("o")
    expect(page.locator(".order")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(lines.first).to_be_focused()
    source.alarm(at_station(1, active=False), msgspec.structs.replace(left_open, active=False))
    source.order(order(1, "closed", active=False, version=2))
    expect(page.locator("#orders")).to_be_hidden()
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")


def test_a_flood_leaves_the_board(page: Page, source: FeedSource) -> None:
    """Of forty emergencies the newest are in sight and the number is said; the units keep most of the screen."""
    page.set_viewport_size({"width": 1024, "height": 600})
    open_room(page, source)
    source.alarm(*(emergency(number, f"P{number}") for number in range(1, 41)))
    expect(page.locator(".emergencies-total")).to_contain_text("40 EMERGENCIES")
    expect(on_top(page, "P40")).to_be_in_viewport()
    grid = page.locator("#grid").bounding_box()
    assert grid is not None and grid["height"] >= 600 * LEAST_BOARD


def test_hostile_words_of_an_alarm_stay_text(page: Page, source: FeedSource) -> None:
    """Markup in any word of an alarm is shown as text."""
    open_room(page, source)
    words = dict.fromkeys(("callsign", "base_name", "text", "part", "name"), HOSTILE)
    source.alarm(*(msgspec.structs.replace(one, **words) for one in (emergency(), at_station(), asks())))
    expect(page.locator(".speech-callsign")).to_have_text(HOSTILE)
    expect(page.locator(".emergency-callsign")).to_have_text(HOSTILE)
    expect(page.locator(".station-alarm-text")).to_have_text(HOSTILE)
    page.keyboard.press("Shift+A")
    assert page.locator("img").count() == 0
    assert page.title() == "Watchroom board"


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1024, 600)])
def test_a_bad_night_fits(page: Page, source: FeedSource, width: int, height: int) -> None:
    """With alarms of every kind, orders, a mode and a mute nothing is wider than the screen, and no word is cut off."""
    source.hold(msgspec.structs.replace(one, mode="test") if one.callsign == "P142" else one for one in county())
    source.alarms = {one.alarm: one for one in bad_night()}
    source.orders = {one.order: one for one in busy()}
    page.set_viewport_size({"width": width, "height": height})
    open_board(page, source)
    expect(page.locator(".emergency")).to_have_count(3)
    page.locator("#sound").click()
    page.locator("#mute").click()
    expect(page.locator("#modes")).to_be_visible()
    clipped = """() => [...document.querySelectorAll(
            '.emergency *, .station-alarm *, .speech-request *, .band > *, .c-callsign')]
        .filter(node => (node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 4)
            && node.clientWidth > 1 && getComputedStyle(node).display !== 'inline')
        .map(node => node.className + ' ' + node.textContent)"""
    assert page.evaluate(clipped) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
