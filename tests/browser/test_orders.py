"""The orders beside the board: what closes, what fails, what asks for a person, and that nothing is sent by chance."""

import itertools
import re
import string

import msgspec
import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.alarms import at_station
from tests.browser.board_page import open_board, row
from tests.browser.county import county, unit
from tests.browser.feed_source import FeedSource, now
from tests.browser.orders import STEPS, alarm, busy, order, step
from tests.waiting import wait_until
from wire.feed import Assignment

COUNT_TONES = """
    window.tones = 0;
    const make = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () { window.tones += 1; return make.call(this); };
"""
NOTE_LOSS = """new MutationObserver(() => { window.wasLost ||= document.body.dataset.feed === "lost"; })
    .observe(document.body, { attributes: true }) || null"""
"""The page asks for another feed at once, and may have it sooner than a test looks."""
HOSTILE = '<img src=x onerror="document.title=1">'


def card(page: Page, number: int = 1) -> Locator:
    """The card of an order."""
    return page.locator(f'.order[data-order$="{number:02}"]')


def tones(page: Page) -> int:
    """How many tones the page has sounded."""
    sounded: int = page.evaluate("window.tones")
    return sounded


def test_each_step_closes_on_the_screen(page: Page, source: FeedSource) -> None:
    """As each step is read back, it is ticked or crossed with its milliseconds and its reason."""
    source.hold([unit(1, "P141")])
    open_board(page, source)
    expect(page.locator("#orders")).to_be_hidden()
    shown = tuple(step(name, "waiting") for name, _ in STEPS)
    source.order(order(phase="delivered", steps=shown))
    expect(card(page).locator(".step-sign")).to_have_text(["…"] * len(STEPS))
    for at, (name, ms) in enumerate(STEPS):
        failed = name == "cooker:mess"
        closed = step(name, "failed" if failed else "done", reason="cooker_fail" if failed else "", elapsed_ms=ms)
        shown = (*shown[:at], closed, *shown[at + 1 :])
        source.order(order(phase="alerting", steps=shown, version=at + 2))
        line = card(page).locator(".step").nth(at)
        expect(line.locator(".step-sign")).to_have_text("✗" if failed else "✓")
        expect(line.get_by_role("img")).to_have_attribute("aria-label", "failed" if failed else "done")
        expect(line.locator(".step-ms")).to_have_text(f"{ms} ms")
    expect(card(page).locator(".step", has_text="Cooker mess")).to_contain_text("cooker fail")
    expect(card(page).locator("[aria-current]")).to_have_text(re.compile(r"^alerting\+310 ms$"))


def test_an_older_order_is_no_news(page: Page, source: FeedSource) -> None:
    """An order that arrives after a newer version of itself changes nothing."""
    source.hold([unit(1, "P141")])
    open_board(page, source)
    source.order(order(phase="acknowledged", version=7))
    source.order(order(phase="sent", version=3), order(2, version=1))
    expect(card(page, 2)).to_be_visible()
    expect(card(page).locator("[aria-current]")).to_contain_text("acknowledged")


def test_an_order_that_ended_unseen_is_gone(page: Page, source: FeedSource) -> None:
    """After the feed was lost only the orders that then are in hand are shown: none that ended meanwhile."""
    source.hold([unit(1, "P141")])
    source.orders = {one.order: one for one in (order(1), order(2))}
    open_board(page, source)
    expect(page.locator(".order")).to_have_count(2)
    source.silent = True
    expect(page.locator("body")).to_have_attribute("data-feed", "lost")
    source.orders = {order(2).order: order(2)}
    source.silent = False
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    expect(page.locator(".order")).to_have_count(1)
    expect(card(page, 2)).to_be_visible()


def test_an_order_that_is_over_leaves(page: Page, source: FeedSource) -> None:
    """A closed order leaves the board and gives it its width back; but not while an alarm of it is still open."""
    source.hold([unit(1, "P141")])
    open_board(page, source)
    wide = page.evaluate("document.getElementById('grid').clientWidth")
    ended = order(phase="closed", active=False, alarms=(alarm(),), version=2)
    source.order(ended)
    expect(card(page)).to_be_visible()
    source.order(msgspec.structs.replace(ended, alarms=(alarm(cleared=True),), version=3))
    expect(page.locator("#orders")).to_be_hidden()
    assert page.evaluate("document.getElementById('grid').clientWidth") == wide


def test_orders_vouch_for_no_unit(page: Page, source: FeedSource) -> None:
    """Orders and alarms that keep coming do not hide that nothing is heard of the units: the feed is lost."""
    source.hold([unit(1, "P141")])
    source.tick_ms = 10_000
    open_board(page, source)
    page.evaluate(NOTE_LOSS)
    versions = itertools.count(1)

    def is_lost() -> bool:
        source.order(order(version=next(versions)))
        source.alarm(at_station())
        return page.evaluate("window.wasLost") is True

    wait_until(is_lost, what="a lost feed")
    expect(page.locator("#banner")).to_contain_text("FEED LOST")


def test_alarms_flash_only_while_unacknowledged(page: Page, source: FeedSource) -> None:
    """An open alarm is red, flashes and is counted in the band, with its advice; once taken in hand it stays, still."""
    source.hold([unit(1, "P141")])
    open_board(page, source)
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")
    source.order(order(1, version=1), order(2, alarms=(alarm(), alarm("step_failed", text="Lights bay failed"))))
    expect(page.locator("#alarms")).to_have_text("ALARMS 2")
    expect(page.get_by_role("alert")).to_have_text("Lights bay failed")
    expect(page.locator(".order").first).to_have_attribute("data-order", order(2).order)
    said = card(page, 2).locator(".order-alarm").first
    expect(said).to_contain_text("telephone the station")
    expect(said).to_have_css("animation-name", "alarm-line")
    source.order(order(2, alarms=(alarm(cleared=True), alarm("step_failed", text="x", cleared=True)), version=2))
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")
    expect(said).to_have_css("animation-name", "none")
    expect(page.locator("#alarms")).to_have_css("animation-name", "none")


def test_sound_is_tested_by_a_click_and_then_alarms(page: Page, source: FeedSource) -> None:
    """Until a click the page says that it is silent; then an unheard order sounds three tones, until it is taken."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    source.hold([unit(1, "P141")])
    open_board(page, source)
    sound = page.locator("#sound")
    expect(sound).to_have_text("SOUND OFF: test")
    source.order(order(1, alarms=(alarm(),)))
    expect(sound).to_have_attribute("data-state", "silent")
    assert tones(page) == 0
    sound.click()
    expect(sound).to_have_text("SOUND ok")
    wait_until(lambda: tones(page) == 6, what="the test, and the alarm that was waiting")
    source.order(order(2, alarms=(alarm(),)), order(3, alarms=(alarm("telephone"),)))
    expect(page.locator(".order")).to_have_count(3)
    page.clock.run_for(8_000)
    assert tones(page) == 6, "a flood is one alarm"
    page.clock.run_for(3_000)
    assert tones(page) == 9, "again after ten seconds"
    source.order(*(order(number, alarms=(alarm(cleared=True),), version=2) for number in (1, 2, 3)))
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")
    page.clock.run_for(30_000)
    assert tones(page) == 9


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"alarms": (alarm("step_failed", text="x"),)}, "a failed step is seen, not heard"),
        ({"alarms": (alarm(),), "mode": "test"}, "a test alarms nobody"),
    ],
)
def test_what_is_not_heard(page: Page, source: FeedSource, changed: dict[str, object], why: str) -> None:
    """Only a live order that may have reached nobody sounds."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    source.hold([unit(1, "P141")])
    open_board(page, source)
    page.locator("#sound").click()
    wait_until(lambda: tones(page) == 3, what="the test")
    source.order(msgspec.structs.replace(order(1), **changed))
    expect(page.locator("#alarms")).to_have_text("ALARMS 1")
    page.clock.run_for(12_000)
    assert tones(page) == 3, why


def test_no_single_key_sends(page: Page, source: FeedSource) -> None:
    """With a unit selected and an alarm open, no key of the keyboard pressed once sends anything from the board."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            sent.append(f"{request.method} {request.url}")

    page.on("request", note)
    source.hold([unit(1, "P141"), unit(2, "P142")])
    source.orders = {order(1).order: order(1, alarms=(alarm(),))}
    open_board(page, source)
    named = ["Enter", "Space", "Tab", "Delete", "Backspace", "Insert", "F1", "F2", "F3", "F4", "F6", "F7", "F8"]
    for key in [*string.ascii_letters, *string.digits, "/", ".", "-", "+", *named]:
        page.keyboard.press("j")
        page.keyboard.press(key)
        for _ in range(3):
            page.keyboard.press("Escape")
        expect(page.locator("#grid")).to_be_focused()
    assert sent == []


def test_a_held_enter_does_not_send(page: Page, source: FeedSource) -> None:
    """Enter that repeats because it is held down sends no form, and text typed into a form reaches no other key."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    source.hold([unit(1, "P141")])
    open_board(page, source)
    page.keyboard.press("j")
    page.keyboard.press("m")
    expect(page.locator("#m-incident")).to_be_focused()
    page.keyboard.type("amok/j")
    expect(page.locator("#m-incident")).to_have_value("amok/j")
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', repeat: true, bubbles: true, cancelable: true}))"
    )
    assert "PUT" not in sent
    page.keyboard.press("Escape")
    expect(page.locator("#mobilise")).to_be_hidden()
    expect(page.locator("#grid")).to_be_focused()


def test_the_keyboard_reaches_everything(page: Page, source: FeedSource) -> None:
    """`o` leads to the orders, arrows from one to the next, Tab to its buttons, and a change takes no focus away."""
    source.hold([unit(1, "P141")])
    source.orders = {one.order: one for one in (order(1, ago_s=90), order(2, ago_s=30))}
    open_board(page, source)
    page.keyboard.press("o")
    expect(card(page, 2)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(card(page, 1)).to_be_focused()
    page.keyboard.press("Tab")
    button = card(page, 1).get_by_role("button", name="Cancel order")
    expect(button).to_be_focused()
    source.order(order(1, "delivered", ago_s=90, version=2))
    expect(card(page, 1).locator("[aria-current]")).to_contain_text("delivered")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#e-reason")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#ending .said")).to_contain_text("Say why")
    page.keyboard.press("Escape")
    expect(card(page, 1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#grid")).to_be_focused()


def test_a_unit_shows_its_order(page: Page, source: FeedSource) -> None:
    """A unit on an order says which incident and how far, in its row and its detail."""
    on = Assignment(order=order(1).order, incident="I0401", phase="alerting", since=now(), version=3)
    source.hold([msgspec.structs.replace(unit(1, "P141"), assignment=on, assignment_version=3)])
    open_board(page, source)
    expect(row(page, "u-1").locator(".order-mark")).to_have_text("I0401")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_contain_text("I0401")
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.locator("#mobilise .said")).to_have_text("P141 is on I0401 (alerting): this takes it off that")


def test_hostile_words_of_an_order_stay_text(page: Page, source: FeedSource) -> None:
    """Markup in any word of an order is shown as text."""
    words = dict.fromkeys(("incident", "address", "text", "base_name", "by", "reason"), HOSTILE)
    source.hold([unit(1, "P141")])
    open_board(page, source)
    hostile = order(1, alarms=(alarm(text=HOSTILE),), steps=(step("lights:bay", "failed", reason=HOSTILE),))
    source.order(msgspec.structs.replace(hostile, **words))
    expect(card(page).locator("h3")).to_have_text(HOSTILE)
    assert page.locator("img").count() == 0
    assert page.title() == "Watchroom board"


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1024, 600)])
def test_orders_fit_beside_the_board(page: Page, source: FeedSource, width: int, height: int) -> None:
    """With orders in hand nothing is wider than either screen, and neither a step, an alarm nor a figure is cut off."""
    source.hold(county())
    source.orders = {one.order: one for one in busy()}
    page.set_viewport_size({"width": width, "height": height})
    open_board(page, source)
    expect(page.locator(".order")).to_have_count(4)
    clipped = """() => [...document.querySelectorAll('.order-alarm span, .step-label, .step-ms, .order-head *,'
        + ' .ladder li, .order-units li, .band > *, .c-callsign, .bar, .c-link')]
        .filter(node => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 1
            && getComputedStyle(node).display !== 'inline')
        .map(node => node.className + ' ' + node.textContent)"""
    assert page.evaluate(clipped) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.keyboard.press("m")
    assert page.evaluate("document.getElementById('mobilise').scrollWidth <= window.innerWidth")
