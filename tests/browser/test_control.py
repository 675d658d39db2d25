"""What a dispatcher does by keyboard beside giving orders: statuses, who gets there first, claims, modes, commands."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page, expect

from tests.browser.board_page import ALONE, MAPPED, open_board, row
from tests.browser.control_answers import recommended, scripted
from tests.browser.county import unit
from tests.browser.feed_source import FeedSource, now
from tests.browser.orders import ORDER, order
from tests.waiting import wait_until
from wire.feed import ClaimView, FeedRecord

CLAIMS = tuple(ClaimView(claim=f"veh-{n}.s.1", device=f"veh-{n}", vehicle=f"SP0{n}", at=now()) for n in (8, 9))


def held() -> Iterator[FeedRecord]:
    """A pump that stands, one in conflict, one that two vehicles claim, one that is late, and a police car."""
    yield unit(1, "P141")
    yield unit(2, "P142", confidence="contradicted")
    yield msgspec.structs.replace(unit(3, "P143"), vehicle="KX14", claims=CLAIMS)
    yield unit(4, "P144", confidence="unconfirmed", link="late")
    yield unit(5, "KP21", service="police", kind="Response car", base="Maidstone police")


@pytest.fixture
def board(page: Page, source: FeedSource) -> FeedSource:
    """The board of five units, with the answers that a server would give; `P141` is selected."""
    source.hold(held())
    source.orders = {one.order: one for one in (order(1, units=()),)}
    scripted(source)
    open_board(page, source)
    select(page, "P141")
    return source


def select(page: Page, callsign: str) -> None:
    """Find a unit and go to it."""
    page.keyboard.press("/")
    page.keyboard.type(callsign)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("[aria-selected=true] .c-callsign")).to_contain_text(callsign)


def command(page: Page, text: str) -> None:
    """Type a command and enter it."""
    page.keyboard.press(">")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def until_asked(page: Page, source: FeedSource, what: str) -> object:
    """Wait until the page has asked for this; what it sent."""
    wait_until(lambda: page.evaluate("true") and any(asked == what for asked, _ in source.asked), what=what)
    return next(body for asked, body in reversed(source.asked) if asked == what)


def posts(source: FeedSource) -> list[str]:
    """What the page asked to be changed."""
    return [asked for asked, _ in source.asked if not asked.startswith("GET")]


def test_a_status_is_said_by_its_code_or_its_words(page: Page, board: FeedSource) -> None:
    """S opens the form; an exact code comes first, arrows choose, Enter sends it with who says so and what stood."""
    page.keyboard.press("s")
    expect(page.locator("#s-codes [role=option]")).to_have_count(7)
    expect(page.locator("#s-codes")).not_to_contain_text("No data")
    page.keyboard.type("2")
    expect(page.locator("#s-codes [role=option] b")).to_have_text(["2", "25", "24"])
    page.locator("#s-code").fill("standby")
    expect(page.locator(".saying-enter")).to_have_text("Enter says: 25 At standby station")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".saying-enter")).to_have_text("Enter says: 24 Mobile in standby station's area")
    page.keyboard.press("Enter")
    expect(page.locator("#saying .said")).to_contain_text("Say who you are")
    page.keyboard.type("A. Smith")
    page.keyboard.press("Enter")
    expect(page.locator("#action")).to_contain_text(
        "P141 is 24 Mobile in standby station's area, heard by voice: by A. Smith"
    )
    expect(page.locator("#grid")).to_be_focused()
    said = until_asked(page, board, "POST v1/units/u-1/status")
    status = board.held["u-1"].status
    assert status is not None
    wanted = {"code": "24", "by": "A. Smith", "reason": "heard by voice", "source": "control"}
    assert isinstance(said, dict)
    assert wanted == {key: said[key] for key in wanted}
    assert status.code == said["expects"]["code"]


def test_control_is_told_why_its_word_is_not_taken(page: Page, board: FeedSource) -> None:
    """Another master's refusal is shown, and nothing is typed away; nothing is sent without a status or a reason."""
    problem = "the statuses of 'kent-fire' are the word of 'cad', not of 'control': enter it there"
    board.answers["POST v1/units/u-1/status"] = (409, {"problem": problem})
    page.keyboard.press("s")
    expect(page.locator("#s-codes [role=option]").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#saying .said")).to_contain_text("Which status?")
    page.keyboard.type("4")
    page.locator("#s-by").fill("A. Smith")
    page.locator("#saying [name=voice]").uncheck()
    page.keyboard.press("Enter")
    expect(page.locator("#saying .said")).to_contain_text("Say why")
    assert [] == posts(board)
    page.keyboard.type("by telephone")
    page.keyboard.press("Enter")
    expect(page.locator("#saying .said")).to_contain_text(problem)
    expect(page.locator("#s-reason")).to_have_value("by telephone")
    page.keyboard.press("Escape")
    expect(page.locator("#saying")).to_be_hidden()


def test_a_conflict_is_shown_with_what_each_device_says(page: Page, board: FeedSource) -> None:
    """And that control's word ends it; what changes meanwhile is told, before it is decided on."""
    command(page, "s P142 4 told us twice")
    expect(page.locator(".saying-others")).to_contain_text("stn14-panel says 1 Mobile to incident")
    expect(page.locator(".saying-ends")).to_have_text("Two sources disagree. Your word ends it.")
    expect(page.locator("#s-code")).to_have_value("4")
    expect(page.locator("#s-reason")).to_have_value("told us twice")
    board.change(unit(2, "P142", code=3, cursor=2))
    expect(page.locator("#saying .said")).to_contain_text("Another status stands by now")
    expect(page.locator(".saying-others")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#grid")).to_be_focused()


def test_who_gets_there_first_is_mobilised_from_the_list(page: Page, board: FeedSource) -> None:
    """R lists, for the order in hand, who may be sent, and says how; the doubtful are marked; Enter opens the order."""
    page.keyboard.press("r")
    lines = page.locator(".recommended")
    expect(lines.first).to_be_visible()
    expect(page.locator("#r-place option").first).to_have_text("I0401: TR 010 427")
    expect(page.locator(".recommend-said")).to_contain_text("straight line, no roads yet")
    expect(page.locator(".recommended[data-proven=false]").first).to_contain_text("confirm by radio")
    asked = until_asked(page, board, "GET v1/recommend")
    assert isinstance(asked, dict)
    assert (51.149, 0.873) == (round(float(asked["lat"]), 3), round(float(asked["lon"]), 3)), "TR 010 427 is by Ashford"
    page.keyboard.type("ladder")
    page.keyboard.press("Enter")
    expect(lines.first).to_be_focused()
    wait_until(lambda: page.evaluate("true") and _last(board).get("capability") == "ladder", what="the capability")
    page.keyboard.press("ArrowDown")
    callsign = page.evaluate("document.activeElement.querySelector('b').textContent")
    expect(page.locator("[aria-selected=true] .c-callsign")).to_contain_text(callsign)
    page.keyboard.press("Enter")
    expect(page.locator("#m-units")).to_have_value(callsign)
    expect(page.locator("#m-incident")).to_have_value("I0401")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#recommend")).to_be_hidden()
    assert [] == posts(board)


def _last(source: FeedSource) -> dict[str, str]:
    found = [body for asked, body in source.asked if asked == "GET v1/recommend"]
    assert isinstance(found[-1], dict)
    return found[-1]


def test_a_list_that_is_not_renewed_says_so(page: Page, board: FeedSource) -> None:
    """It is asked for again while it is in sight; where no answer comes it tells of when it is."""
    command(page, "r ladder")
    expect(page.locator(".recommended").first).to_be_focused()
    board.hold([unit(1, "P141")])
    board.answers["GET v1/recommend"] = (200, recommended(board))
    expect(page.locator(".recommended")).to_have_count(1)
    board.answers["GET v1/recommend"] = (503, {"problem": "away"})
    page.locator("#recommend [type=submit]").click()
    expect(page.locator(".recommend-said")).to_have_text(re.compile(r"As of \d\d:\d\d:\d\d, not renewed: away"))
    board.answers["GET v1/recommend"] = (422, {"problem": "capability: no unit has 'ladder'; there are ba"})
    page.locator("#recommend [type=submit]").click()
    expect(page.locator(".recommend-said")).to_contain_text("there are ba")
    expect(page.locator(".recommended")).to_have_count(0)


def test_two_claimants_stand_side_by_side_and_one_is_confirmed(page: Page, board: FeedSource) -> None:
    """V goes to them, V again opens the word; it is sent by name and with a reason, never by the key alone."""
    expect(page.locator(".claims-total")).to_have_text("2 vehicles say what they carry")
    boxes = [box for claim in page.locator(".claim").all() if (box := claim.bounding_box())]
    assert 1 == len({box["y"] for box in boxes}), "side by side"
    page.keyboard.press("v")
    expect(page.locator(".claim").first).to_be_focused()
    page.keyboard.press("v")
    expect(page.locator("#deciding-title")).to_have_text("Confirm: SP08 carries P143")
    expect(page.locator(".decide-what")).to_contain_text("The others that claim it are refused: SP09.")
    page.keyboard.press("Enter")
    page.keyboard.type("A. Smith")
    page.keyboard.press("Enter")
    assert [] == posts(board)
    expect(page.locator("#deciding .said")).to_contain_text("Say why")
    page.keyboard.type("by radio")
    page.keyboard.press("Enter")
    sent = until_asked(page, board, "POST v1/bindings/veh-8.s.1/confirm")
    assert {"by": "A. Smith", "reason": "by radio"} == sent
    expect(page.locator("#action")).to_contain_text("Confirmed: SP08 carries P143")
    board.change(unit(3, "P143", cursor=2))
    expect(page.locator("#claims")).to_be_hidden()


def test_a_mode_is_set_and_ended(page: Page, board: FeedSource) -> None:
    """For a unit, until a time and with a reason; one in force is ended from its line."""
    command(page, "mode P141")
    expect(page.locator(".modes-in-force")).to_contain_text("kent-fire until")
    expect(page.locator("#o-scope")).to_have_value("unit")
    page.locator("#o-until").fill("soon")
    page.keyboard.press("Enter")
    expect(page.locator("#moding .said")).to_contain_text("Until when?")
    page.locator("#o-until").fill("1h30")
    page.locator("#o-reason").fill("drill")
    page.locator("#o-by").fill("A. Smith")
    page.keyboard.press("Enter")
    sent = until_asked(page, board, "POST v1/modes")
    assert isinstance(sent, dict)
    assert ("unit", "u-1", "test", "drill") == (sent["scope"], sent["id"], sent["mode"], sent["reason"])
    assert 5_340 < (msgspec.convert(sent["until"], type=type(now())) - now()).total_seconds() < 5_460
    expect(page.locator("#action")).to_contain_text("P141 (Stn 14 shared): test until")
    command(page, "mode")
    page.locator(".modes-in-force button").click()
    expect(page.locator("#o-until")).to_be_hidden()
    page.keyboard.type("over")
    page.keyboard.press("Enter")
    wait_until(lambda: page.evaluate("true") and 2 == len(posts(board)), what="the end of it")
    ended = board.asked[-1][1]
    assert isinstance(ended, dict)
    assert ("organisation", "kent-fire", "live", None) == (ended["scope"], ended["id"], ended["mode"], ended["until"])


def test_a_unit_is_lent_from_its_actions(page: Page, board: FeedSource) -> None:
    """X, or the detail's button, lists what can be done; the arrows choose; the form asks to where, who and why."""
    page.keyboard.press("Enter")
    page.locator("#detail").get_by_role("button", name="Actions").click()
    acts = page.locator(".unit-acts button")
    expect(acts.first).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#deciding-title")).to_have_text("Lend: P141")
    page.locator("#d-base").select_option(label="Maidstone police")
    page.locator("#d-reason").fill("cover")
    page.locator("#d-by").fill("A. Smith")
    page.keyboard.press("Enter")
    sent = until_asked(page, board, "POST v1/units/u-1/lend")
    assert {"by": "A. Smith", "reason": "cover", "base": "maidstone-police"} == sent
    whole = msgspec.structs.replace(unit(1, "P141", cursor=3), home="Ashford fire")
    parts = [msgspec.structs.replace(unit(n, f"P141{n}", cursor=3), part_of="P141") for n in (11, 12)]
    board.change(whole, *parts)
    expect(row(page, "u-11")).to_be_visible()
    page.keyboard.press("x")
    expect(acts.filter(has_text="Return it to Ashford fire")).to_be_visible()
    expect(acts.filter(has_text="Split it into P14111 and P14112")).to_be_visible()


def test_commands_open_forms_filled_and_send_nothing(page: Page, board: FeedSource) -> None:
    """Units and incident, words to find, what there is; an unknown one is answered; the last come back by arrow."""
    command(page, "zz P141")
    expect(page.locator("#action")).to_contain_text("No command zz: there are m s f r e")
    page.locator("#command").fill("m P141 kp21 I0417")
    page.keyboard.press("Enter")
    expect(page.locator("#m-units")).to_have_value("P141 KP21")
    expect(page.locator("#m-incident")).to_have_value("I0417")
    page.keyboard.press("Escape")
    expect(page.locator("#grid")).to_be_focused()
    command(page, "f KP21")
    expect(page.locator("[aria-selected=true] .c-callsign")).to_contain_text("KP21")
    page.keyboard.press("Escape")
    page.keyboard.press(">")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#command")).to_have_value("m P141 kp21 I0417")
    page.locator("#command").fill("")
    page.keyboard.press("?")
    expect(page.locator("#commands")).to_contain_text("m P12 I0417")
    page.keyboard.press("Escape")
    expect(page.locator("#commands")).to_be_hidden()
    command(page, "m P999 I1")
    expect(page.locator("#action")).to_contain_text("No unit P999 on this feed")
    assert [] == posts(board)


def test_a_stand_down_is_sent_for_the_order_given_last(page: Page, board: FeedSource) -> None:
    """Beside what was done last stands the way back; it opens the form that cancels that order, and goes with it."""
    expect(page.locator("#stand-down")).to_be_hidden()
    given = order(2, units=())
    page.route("**/v1/orders/*", lambda route: route.fulfill(status=201, json=json.loads(msgspec.json.encode(given))))
    command(page, "m P141 I0402")
    expect(page.locator("#m-base")).not_to_have_value("")
    page.keyboard.press("Enter")
    board.order(given)
    expect(page.locator("#stand-down")).to_have_text("Send stand-down: I0402…")
    command(page, "sd")
    expect(page.locator("#ending-title")).to_have_text("Cancel I0402, Stn 14 shared")
    page.keyboard.press("Escape")
    board.order(msgspec.structs.replace(given, order=ORDER % 2, active=False, phase="closed", version=9))
    expect(page.locator("#stand-down")).to_be_hidden()


def test_places_and_times_are_understood_as_people_write_them(page: Page, board: FeedSource) -> None:
    """A grid reference to 10 m of the Ordnance Survey's own example, degrees, a span, the next time of day."""
    places, times = page.evaluate(
        """async ([places, times, now]) => {
          const { placeOf } = await import("/console/js/gridref.js");
          const { untilMs } = await import("/console/js/until.js");
          return [places.map(placeOf), times.map((text) => untilMs(text, new Date(now).getTime()))
            .map((ms) => ms === null ? null : new Date(ms).toISOString())];
        }""",
        [
            ["TG 51409 13177", "51.15, -0.87", "TR 010 42", "XX 1", "91, 0", "", "23 High Street"],
            ["30m", "1h30", "2d", "14:31", "14:30", "25:00", "90", "0m", "soon"],
            "2026-11-22T14:30:00",
        ],
    )
    assert (pytest.approx(52.657977, abs=1e-4), pytest.approx(1.716038, abs=1e-4)) == (
        places[0]["lat"],
        places[0]["lon"],
    )
    assert {"lat": 51.15, "lon": -0.87} == places[1]
    assert [None] * 5 == places[2:]
    ends = ["22T15:00", "22T16:00", "24T14:30", "22T14:31", "23T14:30"]
    assert [f"2026-11-{end}:00.000Z" for end in ends] == times[:5]
    assert [None] * 4 == times[5:]


@pytest.mark.parametrize(("size", "query"), [((1920, 1080), MAPPED), ((1024, 600), ALONE)])
def test_each_form_is_accessible(chromium: Browser, source: FeedSource, size: tuple[int, int], query: str) -> None:
    """With each of them open no rule of axe is broken, and none reaches out of the screen."""
    source.hold(held())
    source.orders = {one.order: one for one in (order(1, units=()),)}
    scripted(source)
    width, height = size
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    page = context.new_page()
    open_board(page, source, query)
    select(page, "P142")
    axe = Path(AXE_FILE_PATH).read_text(encoding="utf-8")
    page.evaluate(axe)
    for keys, form in (
        (["s"], "#saying"),
        (["r"], "#recommend"),
        (["x"], "#unit-actions"),
        (["x", "ArrowDown", "ArrowDown", "Enter"], "#moding"),
        (["v", "v"], "#deciding"),
        ([">", "?"], "#commands"),
    ):
        for key in keys:
            page.keyboard.press(key)
        node = page.locator(form)
        expect(node).to_be_visible()
        box = node.bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= height, form
        found = page.evaluate("form => axe.run(form).then(({ violations }) => violations.map(({ id }) => id))", form)
        assert [] == found, form
        page.keyboard.press("Escape")
        expect(node).to_be_hidden()
    context.close()
