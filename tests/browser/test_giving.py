"""Giving an order by the page: to the station that was meant, once, and with word of what came of it."""

import json
import re
from collections.abc import Sequence

from playwright.sync_api import Page, Request, Route, expect

from tests.browser.board_page import open_board
from tests.browser.county import unit
from tests.browser.feed_source import FeedSource
from tests.browser.orders import alarm, order
from tests.waiting import wait_until


def sending(page: Page) -> list[str]:
    """What the page asks the server to do, from now on, as it is asked."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            sent.append(request.post_data or "")

    page.on("request", note)
    return sent


def until_asked(page: Page, asked: Sequence[object], times: int) -> None:
    """Wait until the page has asked so often: its requests are noted only while the page is looked at."""
    wait_until(lambda: page.evaluate("true") and len(asked) >= times, what=f"request {times}")


def hold_answers(page: Page) -> list[Route]:
    """Let the server take its time: every order given waits here for its answer."""
    waiting: list[Route] = []
    page.route("**/v1/orders/**", lambda route: waiting.append(route))  # noqa: PLW0108 - it sets an attribute on it
    return waiting


def ask(page: Page, units: str, incident: str) -> None:
    """Open the form, fill it and send it."""
    page.keyboard.press("m")
    page.locator("#m-units").fill(units)
    page.locator("#m-incident").fill(incident)
    expect(page.locator("#m-base")).not_to_have_value("")
    page.keyboard.press("Enter")


def test_a_key_that_something_leans_on_takes_no_alarm_in_hand(page: Page, source: FeedSource) -> None:
    """`a` held down goes to the first order with an alarm and stays there; pressed once more it takes that one's."""
    sent = sending(page)
    source.hold([unit(1, "P141")])
    source.orders = {one.order: one for one in (order(1, alarms=(alarm(),)), order(2, alarms=(alarm(),)))}
    open_board(page, source)
    for _ in range(20):
        page.keyboard.down("a")
    expect(page.locator(".order:focus")).to_have_count(1)
    assert [] == sent
    page.keyboard.up("a")
    page.keyboard.press("a")
    until_asked(page, sent, 1)
    assert {"by": "Watchroom", "alarms": 1} == json.loads(sent[0]), "and what came since is not taken unseen"


def test_arrows_that_are_held_go_on(page: Page, source: FeedSource) -> None:
    """Held down, an arrow moves on from unit to unit."""
    source.hold([unit(number, f"P{number:03}") for number in range(1, 9)])
    open_board(page, source)
    for _ in range(4):
        page.keyboard.down("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_contain_text("P004")


def test_no_station_is_taken_for_granted(page: Page, source: FeedSource) -> None:
    """The station is that of the units; where they have none in common nobody is alerted until one was chosen."""
    sent = sending(page)
    source.hold([unit(1, "P141", base="Alpha"), unit(2, "P142", base="Bravo"), unit(3, "P143", base="Bravo")])
    open_board(page, source)
    page.keyboard.press("m")
    expect(page.locator("#m-base option")).to_have_count(3)
    expect(page.locator("#m-base")).to_have_value("")
    page.locator("#m-units").fill("P142 P143")
    expect(page.locator("#m-base")).to_have_value("bravo")
    page.locator("#m-units").fill("P141 P142")
    expect(page.locator("#m-base")).to_have_value("")
    page.keyboard.press("Enter")
    expect(page.locator("#mobilise .said")).to_have_text("Which station?")
    assert [] == sent
    page.locator("#m-base").select_option("alpha")
    page.locator("#m-units").fill("P142")
    expect(page.locator("#m-base")).to_have_value("alpha")


def test_two_stations_of_one_name_are_told_apart(page: Page, source: FeedSource) -> None:
    """A unit's record names its base as people do: where two have that name, neither is taken for it."""
    twins = [{"base": base, "name": "Ashford", "device": "panel"} for base in ("ashford-1", "ashford-2")]
    page.route("**/v1/bases", lambda route: route.fulfill(json={"bases": twins}))
    source.hold([unit(1, "P141", base="Ashford")])
    open_board(page, source)
    page.keyboard.press("j")
    page.keyboard.press("m")
    named = ["Which station?", "Ashford (ashford-1)", "Ashford (ashford-2)"]
    expect(page.locator("#m-base option")).to_have_text(named)
    expect(page.locator("#m-base")).to_have_value("")


def test_what_became_of_an_order_is_told_although_the_next_is_being_written(page: Page, source: FeedSource) -> None:
    """Who turns to the next order before the answer has come sends that at once, and is told what came of the first."""
    sent = sending(page)
    source.hold([unit(1, "P141"), unit(2, "P142")])
    open_board(page, source)
    waiting = hold_answers(page)
    ask(page, "P141", "I0001")
    until_asked(page, waiting, 1)
    page.keyboard.press("Escape")
    ask(page, "P142", "I0002")
    until_asked(page, waiting, 2)
    waiting[0].fulfill(status=409, json={"problem": "units were moved meanwhile", "versions": {}})
    expect(page.locator("#action")).to_have_text(re.compile(r"I0001 .*not given: units were moved"))
    expect(page.locator("#mobilise")).to_be_visible()
    waiting[1].fulfill(status=201, json={"base_name": "Stn 14"})
    expect(page.locator("#action")).to_have_text("Given: I0002 to Stn 14")
    expect(page.locator("#mobilise")).to_be_hidden()
    assert 2 == len(sent)


def test_nothing_typed_while_an_order_is_sent_reaches_the_board(page: Page, source: FeedSource) -> None:
    """While the form waits for its answer it can't be typed in: keys then begin nothing else."""
    sent = sending(page)
    source.hold([unit(1, "P141")])
    source.orders = {order(1).order: order(1, alarms=(alarm(),))}
    open_board(page, source)
    waiting = hold_answers(page)
    ask(page, "P141", "I0001")
    until_asked(page, waiting, 1)
    for key in "maajk":
        page.keyboard.press(key)
    waiting[0].fulfill(status=422, json={"problem": "no such base"})
    expect(page.locator("#mobilise .said")).to_have_text("Not given: no such base")
    expect(page.locator("#m-incident")).to_have_value("I0001")
    assert 1 == len(sent)
