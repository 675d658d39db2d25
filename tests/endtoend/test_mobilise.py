"""Mobilising from the real board of the real application: no unit is taken unseen, and one order stays one."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.brokers import RunningBroker
from tests.cloud.desk.lab import STATION_COUNTY
from tests.endtoend.test_board import answers, process
from tests.ports import free_port
from tests.waiting import wait_until

PROGRAM = str(Path(sys.executable).parent / "watchroom")
UNDELIVERED_MS = 15_000
"""An order that reached nobody is an alarm after 5 s; the rest is for a busy machine."""
ELSEWHERE = "11111111-2222-4333-8444-555555555555"

Ask = Callable[..., Any]


@pytest.fixture
def address(shared_mosquitto: RunningBroker, tmp_path: Path) -> Iterator[str]:
    """The application, with a county whose shared station has a device that nobody has switched on."""
    port = free_port()
    folder = tmp_path / "directory"
    folder.mkdir()
    (folder / "county.toml").write_text(STATION_COUNTY, encoding="utf-8")
    options = ("--data", str(tmp_path), "--port", str(port), "--broker", shared_mosquitto.url)
    with process(PROGRAM, "up", *options):
        wait_until(lambda: answers(port), what="the application", deadline_s=30.0)
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """The board of the control room in Maidstone, live, with the fire engine selected."""
    context = chromium.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.goto(f"{address}?room=Maidstone")
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    page.keyboard.press("/")
    page.keyboard.type("kf-1")
    page.keyboard.press("Enter")
    expect(page.locator("[aria-selected=true]")).to_have_attribute("id", "unit-kf-1")
    yield page
    context.close()


@pytest.fixture
def orders(address: str) -> Callable[[], list[dict[str, Any]]]:
    """Every order that the service knows."""

    def read() -> list[dict[str, Any]]:
        with urlopen(f"{address}v1/orders", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["orders"]
            return found

    return read


def give(page: Page, incident: str) -> None:
    """Open the form for the selected unit, and send it."""
    page.keyboard.press("m")
    page.keyboard.type(incident)
    page.keyboard.press("Enter")


def test_a_mobilisation_from_the_keyboard(page: Page, orders: Callable[[], list[dict[str, Any]]]) -> None:
    """`m`, the incident and Enter give an order; unheard it is an alarm, taken by `a` `a`; a reason cancels it."""
    give(page, "I0417")
    expect(page.locator("#mobilise")).to_be_hidden()
    card = page.locator(".order")
    expect(card).to_contain_text("I0417")
    expect(page.locator("#action")).to_have_text("Given: I0417 to Stn 14 shared")
    (given,) = orders()
    assert ("Maidstone", "stn-14", ["kf-1"], "mobilise", "live") == (
        given["by"],
        given["base"],
        [unit["unit"] for unit in given["units"]],
        given["kind"],
        given["mode"],
    )
    expect(page.locator('[id="unit-kf-1"] .order-mark')).to_have_text("I0417")
    expect(page.locator("#alarms")).to_have_text("ALARMS 1", timeout=UNDELIVERED_MS)
    expect(card.locator(".order-alarm")).to_contain_text("telephone")
    page.keyboard.press("a")
    expect(card).to_be_focused()
    expect(page.locator("#alarms")).to_have_text("ALARMS 1")
    page.keyboard.press("a")
    expect(page.locator("#alarms")).to_have_text("ALARMS 0")
    card.get_by_role("button", name="Cancel order").press("Enter")
    page.keyboard.type("false alarm")
    page.keyboard.press("Enter")
    expect(page.locator("#ending")).to_be_hidden()
    expect(page.locator("#orders")).to_be_hidden()
    (ended,) = orders()
    assert ("closed", 2) == (ended["phase"], ended["revision"]), "nobody had heard of it: there is nobody to stand down"
    assert "false alarm" in ended["reason"]


def test_an_answer_that_got_lost_gives_no_second_order(page: Page, orders: Callable[[], list[dict[str, Any]]]) -> None:
    """Where the answer was lost the form says that it is not known; asked again, it is the one order that stands."""

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/v1/orders/*", lose, times=1)
    give(page, "I0418")
    expect(page.locator("#mobilise .said")).to_contain_text("not known whether it was done. Enter asks again")
    expect(page.locator("#m-incident")).to_be_disabled()
    page.keyboard.press("Enter")
    expect(page.locator("#mobilise")).to_be_hidden()
    expect(page.locator(".order")).to_have_count(1)
    assert ["I0418"] == [order["incident"] for order in orders()]


def test_a_unit_that_was_moved_meanwhile_is_not_taken_unseen(
    page: Page, address: str, orders: Callable[[], list[dict[str, Any]]]
) -> None:
    """A unit that another room sent while the form was open is refused; with a reason it is taken all the same."""
    page.keyboard.press("m")
    expect(page.locator("#m-base")).to_have_value("stn-14")
    body = {"base": "stn-14", "units": ["kf-1"], "incident": "I0001", "by": "Medway"}
    asked = Request(f"{address}v1/orders/{ELSEWHERE}", json.dumps(body).encode(), method="PUT")
    asked.add_header("content-type", "application/json")
    with urlopen(asked, timeout=10) as answer:
        assert 201 == answer.status
    expect(page.locator('[id="unit-kf-1"] .order-mark')).to_have_text("I0001")
    page.keyboard.type("I0419")
    page.keyboard.press("Enter")
    expect(page.locator("#mobilise .said")).to_contain_text("Not given: units were moved meanwhile")
    expect(page.locator("#m-override")).to_be_focused()
    assert ["I0001"] == [order["incident"] for order in orders()]
    page.keyboard.type("persons reported")
    page.keyboard.press("Enter")
    expect(page.locator("#mobilise")).to_be_hidden()
    expect(page.locator('[id="unit-kf-1"] .order-mark')).to_have_text("I0419")
    assert {"I0001", "I0419"} == {order["incident"] for order in orders()}


def test_what_names_no_unit_is_not_sent(page: Page, orders: Callable[[], list[dict[str, Any]]]) -> None:
    """A callsign that nobody has, or that two units have, is said in the form, and nothing is sent."""
    page.keyboard.press("m")
    page.locator("#m-units").fill("nobody")
    expect(page.locator("#mobilise .said")).to_have_text("No unit nobody on this feed")
    page.keyboard.press("Enter")
    page.locator("#m-units").fill("")
    page.keyboard.press("Enter")
    expect(page.locator("#mobilise .said")).to_have_text("Which units? Write their callsigns")
    assert [] == orders()
