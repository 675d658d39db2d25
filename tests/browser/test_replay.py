"""The board of the past: unmistakable, at the moment asked for, and unable to send or sound anything."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from playwright.sync_api import Page, Route, expect

from cloud.memory import Range, Replayed
from cloud.memory.replay import Gap
from tests.browser.board_page import row
from tests.browser.county import unit
from tests.browser.feed_source import FeedSource
from wire.feed import FeedRecord

NOON = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
Asked = list[str]


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def board(moment: datetime) -> Replayed:
    """One unit, which is at work from ten past to twenty past; before noon, and for a minute after one, nothing."""
    if moment < NOON or at(3600) <= moment < at(3660):
        return Replayed(at=moment, known=False, problem="no board is known from 13:00 to 13:01: none was shown")
    record: FeedRecord = unit(1, "P141")
    if at(600) <= moment < at(1200):
        record = msgspec.structs.replace(record, availability="NotAvailable")
    return Replayed(at=moment, known=True, units=(record,))


@pytest.fixture
def asked(page: Page) -> Asked:
    """Answers as the server does, and notes everything that the page asked it for, and how."""
    found: Asked = []

    def note(answer: Callable[[dict[str, str]], bytes]) -> Callable[[Route], None]:
        def fulfil(route: Route) -> None:
            query = {name: value[0] for name, value in parse_qs(urlsplit(route.request.url).query).items()}
            found.append(f"{route.request.method} {urlsplit(route.request.url).path} {query.get('at', '')}".strip())
            route.fulfill(body=answer(query), content_type="application/json")

        return fulfil

    def change(query: dict[str, str]) -> bytes:
        moment, changes = datetime.fromisoformat(query["at"]), [at(0), at(600.0005), at(1200)]
        if query["towards"] == "next":
            there = [one for one in changes if one > moment][:1]
        else:
            there = [one for one in changes if one < moment][-1:]
        return json.dumps({"at": there[0].isoformat() if there else None}).encode()

    known = Range(first=NOON, last=at(7200), gaps=(Gap(since=at(3600), until=at(3660)),))
    page.route("**/v1/replay?*", note(lambda query: msgspec.json.encode(board(datetime.fromisoformat(query["at"])))))
    page.route("**/v1/replay/range", note(lambda _query: msgspec.json.encode(known)))
    page.route("**/v1/replay/change?*", note(change))
    return found


def open_past(page: Page, source: FeedSource, moment: datetime, more: str = "") -> None:
    """Open the board as it was at a moment."""
    page.goto(f"{source.url}?at={moment.isoformat().replace('+00:00', 'Z')}{more}")
    expect(page.locator("#state")).not_to_be_empty()


def test_it_says_which_moment_it_is(page: Page, source: FeedSource, asked: Asked) -> None:
    """Over the whole width, in the page's title and in its address: which moment, and that it is not now."""
    open_past(page, source, at(2))
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("REPLAY 12:00:02, 2 Mar 2026: not now")
    assert "REPLAY 12:00:02, 2 Mar 2026: not now" == page.title()
    box = page.locator(".replay-band").bounding_box()
    assert box is not None and box["width"] >= 1900 and box["height"] >= 56
    expect(row(page, "u-1")).to_contain_text("P141")
    page.keyboard.press("]")
    expect(heading).to_contain_text("12:01:02")
    assert "at=2026-03-02T12%3A01%3A02.000Z" in page.url
    page.keyboard.press("[")
    expect(heading).to_contain_text("12:00:02")


def test_it_steps_to_changes(page: Page, source: FeedSource, asked: Asked) -> None:
    """N goes to where the next change is on the board, B to the one before; where there is none it says so."""
    open_past(page, source, at(2))
    expect(row(page, "u-1")).to_contain_text("Available")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_contain_text("12:10:00")
    expect(row(page, "u-1")).to_contain_text("Not available")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_contain_text("12:20:00")
    page.keyboard.press("n")
    expect(page.locator("#said")).to_have_text("Nothing changed after this")
    page.keyboard.press("b")
    expect(page.get_by_role("heading", level=1)).to_contain_text("12:10:00")


def test_it_plays(page: Page, source: FeedSource, asked: Asked) -> None:
    """At sixty times a minute passes in a second, picture by picture; a step stops it."""
    open_past(page, source, at(2))
    page.keyboard.press("3")
    page.keyboard.press("Space")
    expect(page.locator("#state")).to_have_text("playing 60×")
    expect(page.get_by_role("heading", level=1)).to_contain_text("12:03:02")
    page.keyboard.press("[")
    expect(page.locator("#state")).to_have_text("stands still")
    moments = [one.rpartition(" ")[2] for one in asked if one.startswith("GET /v1/replay 2026")]
    assert ["2026-03-02T12:01:02.000Z", "2026-03-02T12:02:02.000Z", "2026-03-02T12:03:02.000Z"] == moments[1:4]


def test_what_is_not_known_is_not_shown(page: Page, source: FeedSource, asked: Asked) -> None:
    """In a gap there is no board, not the last one, and the page says from when to when; the slider marks it."""
    open_past(page, source, at(3590))
    expect(row(page, "u-1")).to_be_visible()
    page.keyboard.press("]")
    expect(page.locator("#state")).to_have_text("NOT KNOWN: no board")
    page.keyboard.press("]")
    expect(page.locator("#state")).to_have_text("stands still")
    page.get_by_label("Moment").fill(str(int(at(3600).timestamp() * 1000)))
    expect(page.locator("#state")).to_have_text("NOT KNOWN: no board")
    expect(page.locator("#nothing")).to_contain_text("no board is known from 13:00 to 13:01")
    expect(page.locator("[role=row][aria-selected]")).to_have_count(0)
    expect(page.locator("#gaps span")).to_have_count(1)


def test_nothing_can_be_sent_or_heard(page: Page, source: FeedSource, asked: Asked) -> None:
    """No key of the board's opens a form or asks the server to change anything; there is no feed and no sound."""
    page.add_init_script("window.heard = 0; window.AudioContext = class { constructor() { window.heard += 1; } };")
    open_past(page, source, at(2))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Detail of P141")).to_be_visible()
    for key in "m M a A s S r R c C o v x > t Enter".split():
        page.keyboard.press(key)
    assert 0 == page.locator("form, dialog, [role=dialog]").count()
    assert 0 == page.evaluate("window.heard") and 0 == source.connected
    assert {"GET"} == {one.split()[0] for one in asked}


def test_escape_goes_back_to_now(page: Page, source: FeedSource, asked: Asked) -> None:
    """First it closes what is open, then it leaves: the live board is there, with the room and screen as before."""
    source.hold([unit(1, "P141")])
    open_past(page, source, at(2), "&room=North&map=off")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Detail of P141")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    expect(page.get_by_role("heading", name="Watchroom unit board")).to_be_attached()
    assert "at=" not in page.url and "room=North" in page.url


def test_f9_leads_from_the_board_to_the_past(page: Page, source: FeedSource, asked: Asked) -> None:
    """From the live board one key, or its button, shows the board of a moment ago."""
    source.hold([unit(1, "P141")])
    page.goto(f"{source.url}?map=off")
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    page.keyboard.press("F9")
    expect(page.locator("#state")).to_have_text("stands still")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Watchroom unit board")).to_be_attached()
    page.get_by_role("button", name="F9 Replay").click()
    expect(page.locator("#state")).to_have_text("stands still")


def test_what_cannot_be_told_is_not_said_to_be_nothing(page: Page, source: FeedSource, asked: Asked) -> None:
    """A server in trouble is no "nothing changed"; a moment past the last one that was known lengthens the slider."""
    open_past(page, source, at(7150))
    trouble = {"problem": "what is stored can't be read now"}
    page.route("**/v1/replay/change?*", lambda route: route.fulfill(status=503, json=trouble))
    page.keyboard.press("n")
    expect(page.locator("#said")).to_have_text(
        "Not known whether anything changed: what is stored can't be read now. Ask again"
    )
    page.keyboard.press("]")
    expect(page.get_by_role("heading", level=1)).to_contain_text("14:00:10")
    expect(page.locator("#said")).to_contain_text("Nothing can be sent from here")
    assert at(7210).timestamp() == int(page.locator("#slider").input_value()) / 1000
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.get_by_label("Go to").fill("2026-03-02T11:00:00")
    expect(page.locator("#state")).to_have_text("NOT KNOWN: no board")
    expect(page.locator("#detail h2")).to_have_text("P141: nothing is known of it at that moment")


FILLED = """async ([first, then]) => {
  const { UnitLayer } = await import("/console/js/map/layer.js");
  const seen = { packed: null, now: null };
  const gl = new Proxy({}, { get: (_, name) => (...given) => {
    if (name === "texImage2D" && given.at(-1) instanceof Float32Array) seen.packed = [...given.at(-1).slice(0, 12)];
    if (name === "uniform1f" && given[0] === "u_now") seen.now = given[1];
    return name === "getUniformLocation" ? given[1] : name === "getAttachedShaders" ? [] : true;
  } });
  const canvas = { getContext: () => gl, addEventListener() {} };
  const layer = new UnitLayer(canvas, Array(5).fill("#3fb37f"), (error) => { throw error; });
  const signAt = (ms) => ({ unit: "u-1", x: 0.5, y: 0.3, shape: 0, colour: 0, isConfirmed: false, isStale: true,
    headingDeg: null, fixedMs: ms - 60000, accuracyM: 4, growthMps: 16, perMetre: 1e-8 });
  const view = { x: () => 0, y: () => 0, width: 100, height: 100, worldPx: 512 };
  for (const serverMs of [first, then]) {
    layer.fill([signAt(serverMs)], [], { selected: null, emergencies: new Set(), serverMs });
    layer.draw(view, { serverMs, sizePx: 6, scale: 1, ratio: 1, isFlash: false });
  }
  return [seen.packed[8], seen.now];
}"""


def test_doubt_grows_on_the_map_of_any_day(page: Page, source: FeedSource, asked: Asked) -> None:
    """From one day to another long before it a place of a minute ago stays one: its circle is drawn there too."""
    open_past(page, source, at(2))
    fixed_s, now_s = page.evaluate(FILLED, [at(0).timestamp() * 1000, at(-90 * 86_400).timestamp() * 1000])
    assert fixed_s >= 0, "below 0 it is not known"
    assert 60 == pytest.approx(now_s - fixed_s, abs=0.1)
