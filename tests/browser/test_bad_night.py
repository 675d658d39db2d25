"""What goes wrong beside the units themselves: a service in trouble, answers that do not come, a page that fails."""

import msgspec
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.alarms import at_station, bad_night, emergency, silent_together
from tests.browser.board_page import open_board, row
from tests.browser.control_answers import recommended, scripted
from tests.browser.county import unit
from tests.browser.feed_source import FeedSource
from tests.browser.orders import busy
from tests.browser.shire import shire
from tests.browser.test_orders import COUNT_TONES, tones
from tests.waiting import wait_until
from wire.feed import FeedRecord

ERRORS = "the directory's files have 2 errors, so version 1a2b stays in force: units.toml: P141: no such base"
AGAIN_MS = 5_100
"""A little more than the page's pause between two looks at the service's health, and between two lists."""


def moved(record: FeedRecord, lat: float) -> FeedRecord:
    """The unit as it stands elsewhere."""
    assert record.position is not None
    return msgspec.structs.replace(record, position=msgspec.structs.replace(record.position, lat=lat), cursor=9)


def test_the_services_trouble_is_on_the_board(page: Page, source: FeedSource) -> None:
    """What health says is wrong is as wide as the screen until it is mended, and noted; all else stands below it."""
    said: list[tuple[int, object]] = [(200, {"ok": True, "trouble": [], "directory": "1a2b"})]
    page.route("**/healthz", lambda route: route.fulfill(status=said[-1][0], json=said[-1][1]))
    page.clock.install()
    source.hold([unit(1, "P141", confidence="confirmed")])
    open_board(page, source)
    page.clock.run_for(AGAIN_MS)
    expect(page.locator("#trouble")).to_be_hidden()
    silent = "no device at all has been heard for 31 s: suspect the broker or the network"
    said.append((503, {"ok": False, "trouble": [silent, ERRORS], "directory": "1a2b"}))
    page.clock.run_for(AGAIN_MS)
    expect(page.locator("#trouble")).to_contain_text(ERRORS)
    expect(page.locator("#trouble")).to_contain_text("tell whoever runs it: no device at all has been heard for 31 s")
    page.keyboard.press("F1")
    wide, form, grid = (page.locator(one).bounding_box() for one in ("#trouble", "#help", "#grid"))
    assert wide is not None and form is not None and grid is not None
    assert 1920 == wide["width"] and wide["y"] + wide["height"] <= min(form["y"], grid["y"])
    said.append((503, {"ok": False, "trouble": [silent.replace("31", "36"), ERRORS], "directory": "1a2b"}))
    page.clock.run_for(AGAIN_MS)
    expect(page.locator("#trouble")).to_contain_text("36 s")
    said.append((200, {"ok": True, "trouble": [], "directory": "3c4d"}))
    page.clock.run_for(AGAIN_MS)
    expect(page.locator("#trouble")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(page.locator(".happened", has_text="SERVICE TROUBLE")).to_have_count(1)
    expect(page.locator(".happened", has_text="no trouble any more")).to_have_count(1)


def test_a_failed_page_goes_on_calling(page: Page, source: FeedSource, faults: list[str]) -> None:
    """An emergency that nobody has in hand sounds on when the page has failed; the map is dimmed as the board is."""
    page.add_init_script(COUNT_TONES)
    page.clock.install()
    source.alarms = {"veh-1.s-1.1": emergency(1)}
    source.hold([unit(1, "P141")])
    open_board(page, source, "?map=on")
    page.locator("#sound").click()
    expect(page.locator("#sound")).to_have_text("SOUND ok")
    page.evaluate("window.dispatchEvent(new ErrorEvent('error', { message: 'x' }))")
    expect(page.locator("#banner")).to_contain_text("THIS PAGE HAS FAILED")
    before = tones(page)
    page.clock.run_for(10_000)
    assert tones(page) - before >= 8
    for part in ("#grid", "#map"):
        expect(page.locator(part)).to_have_css("opacity", "0.35")


def test_where_a_unit_is_moves_with_it(page: Page, source: FeedSource) -> None:
    """Who gets to a unit first is asked for where it is by now; where the feed is lost the list says "last seen"."""
    page.clock.install()
    source.hold([unit(1, "P141"), unit(2, "P142")])
    scripted(source)
    open_board(page, source)
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.locator("#r-place option")).to_have_text(["Where P141 is"])
    expect(page.locator(".recommended").first).to_be_visible()
    page.keyboard.type("ladder")
    page.keyboard.press("Enter")
    expect(page.locator(".recommended").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    source.change(moved(source.held["u-1"], 51.5))
    page.clock.run_for(AGAIN_MS)
    wait_until(lambda: page.evaluate("true") and source.asked[-1][1]["lat"] == "51.5", what="the new place")  # type: ignore[index]
    source.silent = True
    page.clock.run_for(AGAIN_MS)
    expect(page.locator("#r-place option")).to_have_text(["Where P141 was last seen"])


def test_a_slow_server_is_waited_for(page: Page, source: FeedSource) -> None:
    """While an answer is out nothing is asked anew, so a slow one is shown; one that is cut off fails no page."""
    held: list[Route] = []
    page.route("**/v1/recommend?*", lambda route: held.append(route))
    page.clock.install()
    source.hold([unit(1, "P141")])
    open_board(page, source)
    page.keyboard.press("j")
    page.keyboard.press("r")
    wait_until(lambda: page.evaluate("true") and held, what="the question")
    page.clock.run_for(4_500)
    held[0].fulfill(body=msgspec.json.encode(recommended(source)), content_type="application/json")
    expect(page.locator(".recommended")).to_have_count(1)
    assert 1 == len(held)
    page.clock.run_for(4_500)
    wait_until(lambda: page.evaluate("true") and 2 == len(held), what="the next question")
    held[1].fulfill(body='{"at": "2026', content_type="application/json")
    expect(page.locator(".recommend-said")).to_contain_text("not renewed: no answer")
    expect(page.locator("body")).to_have_attribute("data-feed", "live")


def test_what_was_not_answered_is_asked_again_as_it_was(page: Page, source: FeedSource) -> None:
    """Nobody says "not done" of it. Although the feed shows it meanwhile, the same is asked under the same key."""
    held: list[Route] = []
    source.hold([unit(1, "P141")])
    scripted(source)
    page.route("**/v1/units/u-1/status", lambda route: held.append(route))
    open_board(page, source, "?room=Maidstone&map=off")
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator("#s-codes [role=option]").first).to_be_visible()
    page.keyboard.type("25")
    page.keyboard.press("Enter")
    wait_until(lambda: page.evaluate("true") and held, what="the word")
    shown = unit(1, "P141", code=3, cursor=2)
    assert shown.status is not None
    source.change(shown)
    expect(page.locator(".saying-now")).to_contain_text(shown.status.label)
    held[0].abort()
    expect(page.locator("#saying .said")).to_contain_text("No answer: it is not known whether it was done")
    expect(page.locator("#saying .said")).not_to_contain_text("Not done")
    expect(page.locator("#s-code")).to_be_disabled()
    page.keyboard.press("Enter")
    wait_until(lambda: page.evaluate("true") and 2 == len(held), what="the same again")
    held[1].fulfill(status=201, json={})
    expect(page.locator("#saying")).to_be_hidden()
    first, again = ((one.request.headers["idempotency-key"], one.request.post_data) for one in held)
    assert first == again


def test_a_mode_that_still_covers_a_unit_is_not_said_to_be_over(page: Page, source: FeedSource) -> None:
    """Ending what was never set for the unit itself is refused; what is ended is not called live: another may hold."""
    source.hold([unit(1, "P141")])
    scripted(source)
    open_board(page, source, "?room=Maidstone&map=off")
    page.keyboard.press(">")
    page.keyboard.type("mode P141")
    page.keyboard.press("Enter")
    expect(page.locator(".modes-in-force")).to_contain_text("TRAINING")
    page.locator("#o-mode").select_option("live")
    page.locator("#o-reason").fill("over")
    page.keyboard.press("Enter")
    expect(page.locator("#moding .said")).to_contain_text("Control has set no mode for just that")
    assert [] == [asked for asked, _ in source.asked if asked.startswith("POST")]
    page.get_by_role("button", name="End training of kent-fire").click()
    page.locator("#o-reason").fill("over")
    page.keyboard.press("Enter")
    expect(page.locator("#action")).to_have_text("Mode of kent-fire ended, by Maidstone")


def test_a_unit_that_left_while_the_board_is_scrolled(page: Page, source: FeedSource) -> None:
    """Its row stays until the next frame: to scroll or click before that does not fail the page."""
    source.hold(unit(number, f"P{number}") for number in range(90))
    open_board(page, source)
    page.evaluate("""() => {
      window.later = window.requestAnimationFrame;
      window.waiting = [];
      window.requestAnimationFrame = (done) => window.waiting.push(done);
    }""")
    source.hold([unit(1, "P1")])
    for part in source.snapshot():
        source.send_raw(part.decode())
    wait_until(lambda: page.evaluate("window.waiting.length"), what="the snapshot")
    page.evaluate("document.querySelector('#grid').dispatchEvent(new Event('scroll'))")
    page.evaluate("document.querySelector('[id=unit-u-5]').click()")
    page.evaluate("window.requestAnimationFrame = window.later; window.waiting.forEach((done) => done());")
    expect(page.locator("[role=row][aria-selected]")).to_have_count(1)
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    expect(row(page, "u-1")).to_be_visible()


OUT_OF_THE_BAND = """() => { const { bottom, right } = document.querySelector(".band").getBoundingClientRect();
  return [...document.querySelectorAll(".band > *")].filter((node) => { const box = node.getBoundingClientRect();
    return box.top < 0 || box.bottom > bottom + 1 || box.right > right; }).map((node) => node.className); }"""


@pytest.mark.parametrize(("size", "query"), [((1024, 600), "?map=off"), ((1920, 1080), "?wall"), ((1920, 1080), "")])
def test_a_very_bad_night_fits(page: Page, source: FeedSource, size: tuple[int, int], query: str) -> None:
    """With many emergencies in no hand nothing is out of the band or over the last line; a form answers in sight."""
    source.hold(shire())
    scripted(source)
    source.orders = {one.order: one for one in busy()}
    unheld = [emergency(number, f"P{number}", escalation=2) for number in range(100, 140)]
    stations = [at_station(number, base_name=f"Stn {number}") for number in range(20)]
    source.alarms = {one.alarm: one for one in (*bad_night(), *unheld, *stations, silent_together())}
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_board(page, source, query)
    page.locator("#sound").click()
    expect(page.locator("#mute")).to_be_visible()
    expect(page.locator("#alarms")).to_contain_text("+39")
    assert [] == page.evaluate(OUT_OF_THE_BAND)
    assert page.evaluate("(({scrollHeight, clientHeight}) => scrollHeight <= clientHeight + 1)(counts)"), (
        "all are counted"
    )
    assert list(size) == page.evaluate("(({scrollWidth, scrollHeight}) => [scrollWidth, scrollHeight])(document.body)")
    page.locator("#help-open").click()
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator("#s-codes [role=option]").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#saying .said")).to_have_text("Which status? Type its code or its words")
    expect(page.locator("#saying .said")).to_be_in_viewport(ratio=0.9)
