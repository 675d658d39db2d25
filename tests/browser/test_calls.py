"""What calls people on the board: louder for who is not answered, a queue of who asks to speak, floods, and modes."""

import re
from datetime import timedelta

import msgspec
from playwright.sync_api import Page, expect

from tests.browser.alarms import asks, at_station, emergency, silent_together, urgently
from tests.browser.feed_source import FeedSource, now
from tests.browser.test_alarms import on_top, open_room
from tests.browser.test_orders import COUNT_TONES, tones
from tests.waiting import wait_until
from wire.feed import AlarmView


def test_an_emergency_that_nobody_has_grows_louder(page: Page, source: FeedSource) -> None:
    """After 15 s its row says so and its tones are quicker; after 30 s each page's band and tab say so too."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    open_room(page, source)
    page.locator("#sound").click()
    heard: list[int] = []
    for escalation, said in ((0, ""), (1, "NOBODY HAS THIS: 15 s"), (2, "NOBODY HAS THIS: 30 s")):
        source.alarm(emergency(1, escalation=escalation))
        expect(on_top(page)).to_have_attribute("data-escalation", str(escalation))
        expect(on_top(page).locator(".emergency-nobody")).to_have_text(said)
        before = tones(page)
        page.clock.run_for(10_000)
        heard.append(tones(page) - before)
    assert 8 <= heard[0] < heard[1] < heard[2]
    expect(page.locator("#alarms")).to_have_text("NOBODY HAS P141")
    expect(page.locator(".band")).to_have_css("animation-name", "alarm-line")
    assert page.title() == "EMERGENCY: NOBODY HAS P141"
    source.alarm(emergency(1, acknowledged_by="op 7"))
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")
    expect(on_top(page).locator(".emergency-nobody")).to_have_text("")
    assert page.title() == "Watchroom board"


def test_units_that_ask_to_speak_are_a_queue(page: Page, source: FeedSource) -> None:
    """The urgent first, then who has waited longest, tests last; `C` `C` takes one in hand, by name, which ends it."""
    open_room(page, source, "Maidstone")
    source.alarm(asks(1, ago_s=30), asks(2, "P142", ago_s=90), urgently(3, "KP21", ago_s=5), asks(4, "X9", mode="test"))
    lines = page.locator(".speech-request")
    expect(lines.locator(".speech-callsign")).to_have_text(["KP21", "P142", "P141", "X9"])
    expect(lines.first).to_contain_text("URGENT")
    expect(lines.last).to_contain_text("TEST")
    expect(page.locator(".speech-band")).to_have_text("SPEECH REQUESTS 3")
    expect(page.locator(".speech-total")).to_have_text("3 speech requests, 1 of a test")
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")
    page.keyboard.press("c")
    expect(lines.first).to_be_focused()
    assert [] == source.taken
    page.keyboard.press("c")
    expect(lines.locator(".speech-callsign")).to_have_text(["P142", "P141", "X9"])
    expect(lines.first).to_be_focused()
    told = re.compile("Acknowledged: KP21 asks to speak, urgently|Speech request KP21: in hand of Maidstone")
    expect(page.locator("#action")).to_have_text(told)  # by the answer or by the feed, whichever came last
    assert [("veh-3.s-2.3", "Maidstone")] == source.taken
    source.alarm(asks(1, active=False), asks(2, active=False), asks(4, active=False))
    expect(page.locator("#orders")).to_be_hidden()
    page.keyboard.press("c")
    expect(page.locator("#action")).to_have_text("No speech requests")


def test_a_unit_that_asks_to_speak_is_heard_once(page: Page, source: FeedSource) -> None:
    """One tone, and again every ten seconds where it is urgent, until somebody has it; a test is silent."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    open_room(page, source)
    page.locator("#sound").click()
    wait_until(lambda: tones(page) == 3, what="the test")

    def sounded(*alarms: AlarmView) -> int:
        before = tones(page)
        source.alarm(*alarms)
        expect(page.locator(f'[data-alarm="{alarms[-1].alarm}"]')).to_have_count(int(alarms[-1].active))
        page.clock.run_for(25_000)
        return tones(page) - before

    assert 0 == sounded(asks(1, mode="test"), urgently(2, "P142", mode="test"))
    assert 1 == sounded(asks(3, "P143"), asks(4, "P144"))
    assert 3 == sounded(urgently(5, "P145"))
    assert 0 == sounded(urgently(5, "P145", active=False, acknowledged_by="op 7"))


def test_what_was_heard_is_not_new_when_the_feed_comes_back(page: Page, source: FeedSource) -> None:
    """A unit that still asks to speak sounds once, though the feed was lost and began anew meanwhile."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    open_room(page, source)
    page.locator("#sound").click()
    wait_until(lambda: tones(page) == 3, what="the test")
    source.alarm(asks(3, "P143"))
    expect(page.locator('[data-alarm="veh-3.s-2.3"]')).to_have_count(1)
    page.clock.run_for(1_000)
    assert 4 == tones(page)

    source.alarm(asks(3, "P143", active=False))
    expect(page.locator('[data-alarm="veh-3.s-2.3"]')).to_have_count(0)
    page.clock.run_for(1_000)
    source.alarm(asks(3, "P143"))  # as a picture that begins anew does, for a moment
    expect(page.locator('[data-alarm="veh-3.s-2.3"]')).to_have_count(1)
    page.clock.run_for(1_000)
    assert 4 == tones(page)


def test_a_drill_in_a_flood_with_the_sound_muted(page: Page, source: FeedSource) -> None:
    """An emergency in test mode, among sixty other alarms, muted: it is heard, on top, escalates, waits for people."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    open_room(page, source, "Maidstone")
    page.locator("#sound").click()
    wait_until(lambda: tones(page) == 3, what="the test")
    page.locator("#mute").click()
    expect(page.locator("#mute")).to_have_text("MUTED 10m")
    flood = [*(at_station(number, base_name=f"Stn {number}") for number in range(1, 41)), silent_together()]
    source.alarm(*flood, *(urgently(number, f"P{number}") for number in range(200, 220)))
    expect(page.locator(".speech-request")).to_have_count(20)
    expect(page.locator(".station-flood")).to_contain_text("at 40 stations: 40 mains failed")
    expect(page.locator(".station-alarm")).to_have_count(1)
    expect(page.locator(".station-alarm")).to_contain_text("24 units fell silent together")
    page.clock.run_for(30_000)
    assert 3 == tones(page), "muted"
    words = "Emergency: P141 (its device is in test mode)"
    source.alarm(emergency(1, mode="test", text=words))
    wait_until(lambda: tones(page) >= 5, what="two tones although it is muted")
    expect(on_top(page)).to_contain_text("TEST")
    expect(on_top(page)).to_be_in_viewport()
    page.clock.run_for(10_000)
    calm = tones(page)
    for escalation in (1, 2):
        source.alarm(emergency(1, mode="test", text=words, escalation=escalation))
        expect(on_top(page)).to_contain_text(f"NOBODY HAS THIS: {15 * escalation} s")
        page.clock.run_for(10_000)
    assert tones(page) - calm >= 50
    page.keyboard.press("Shift+A")
    page.keyboard.press("Enter")
    expect(on_top(page)).to_contain_text("in hand of Maidstone")
    silent = tones(page)
    page.clock.run_for(10_000)
    assert silent == tones(page)
    page.keyboard.press("Shift+A")
    page.keyboard.press("Enter")
    page.keyboard.type("drill over")
    page.keyboard.press("Enter")
    expect(page.locator("#emergencies")).to_be_hidden()
    assert [("veh-1.s-1.1", "Maidstone", "drill over")] == source.cancelled
    page.clock.run_for(600_000)
    expect(page.locator("#mute")).to_have_text("MUTE")
    assert tones(page) > silent, "nobody is muted for good"


def test_a_flood_of_station_alarms_opens_on_demand(page: Page, source: FeedSource) -> None:
    """It is one line that says how many there are of what; `a` opens it and goes to the first that nobody has."""
    open_room(page, source, "Maidstone")
    flood = [at_station(number, base_name=f"Stn {number % 3}") for number in range(1, 8)]
    source.alarm(*flood, at_station(9, "fuel low", name="fuel_low"), at_station(10, "x", name="bay_left_open"))
    expect(page.locator(".station-flood-text")).to_have_text(
        "at 4 stations: 7 mains failed, 1 bay left open, 1 fuel low"
    )
    expect(page.locator(".station-alarms-total")).to_have_text("9 station alarms, 9 in nobody's hand")
    expect(page.locator(".station-alarm")).to_have_count(0)
    opened = {"alarm": "access.7f", "kind": "access", "name": "emergency_access", "base": None, "base_name": ""}
    words = "Kent Police opened emergency access to all units of Kent Fire until 14:00 UTC: shots fired (Op 4)"
    source.alarm(msgspec.structs.replace(at_station(11), text=words, device="", **opened))
    expect(page.locator(".station-alarm")).to_have_text(re.compile(re.escape(words)))
    expect(page.locator(".station-alarms-total")).to_have_text(
        "1 emergency access, 9 station alarms, 10 in nobody's hand"
    )
    expect(page.locator(".station-flood-text")).to_be_visible()
    source.alarm(msgspec.structs.replace(at_station(11), text=words, device="", active=False, **opened))
    expect(page.locator(".station-alarm")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.locator(".station-alarm")).to_have_count(9)
    expect(page.locator(".station-alarm:focus")).to_have_count(1)
    source.alarm(*(msgspec.structs.replace(one, active=False) for one in flood))
    expect(page.locator(".station-alarm")).to_have_count(2)


def test_what_is_not_live_is_as_wide_as_the_screen(page: Page, source: FeedSource) -> None:
    """The band says which mode, until when, by whom and for which units; an emergency stands below it, in full."""
    until = now() + timedelta(hours=2)
    local = page.evaluate("(ms) => new Date(ms).toLocaleTimeString('en-GB').slice(0, 5)", until.timestamp() * 1000)
    open_room(page, source)
    expect(page.locator("#modes")).to_be_hidden()
    tested = {"mode": "test", "mode_until": until, "mode_by": "A. Smith"}
    source.change(*(msgspec.structs.replace(source.held[f"u-{number}"], **tested) for number in (1, 2)))
    band = page.locator("#modes")
    expect(band).to_have_text(f"TEST until {local} by A. Smith: 2 units at Stn 14 shared")
    source.change(msgspec.structs.replace(source.held["u-3"], mode="maintenance"))
    expect(band).to_contain_text("MAINTENANCE, as its device says: KP21 at Stn 14 shared   ·   TEST until")
    source.alarm(emergency(1, mode="test"))
    wide, over = band.bounding_box(), on_top(page).bounding_box()
    assert wide is not None and over is not None
    assert (0, 1920) == (wide["x"], wide["width"]) and wide["y"] + wide["height"] <= over["y"]
    source.change(*(msgspec.structs.replace(one, mode="live") for one in source.held.values()))
    expect(band).to_be_hidden()
