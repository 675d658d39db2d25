"""The page of figures: what is asked for, and charts whose numbers all stand in tables."""

from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from cloud.figures import Call, Change, Stand, Statistics, Tally, Window, count_turnout
from tests.browser.feed_source import FeedSource
from tests.cloud.figures.samples import DAY, HOUR_US, WHOLE_DAY, at, hours, stand

UNITS = {"units": [{"unit": "14p1", "callsign": "14P1", "organisation": "kfrs"}]}
JOB = stand("2", availability="NotAvailable", label="In attendance")


def day_of(hour: float) -> list[Change]:
    """A pump's day: at base, a job, a dead zone, a drill."""
    base = stand("4", label="Available at base")
    lost = stand("4", label="Available at base", link="lost", confidence="unconfirmed")
    told: list[tuple[float, Stand | None]] = [(0, base), (hour, JOB), (hour + 2.5, base), (hour + 5, lost)]
    told += [(hour + 6, base), (hour + 8, stand("4", mode="training")), (hour + 9, base)]
    return [at(moment, what) for moment, what in told]


def figures() -> Statistics:
    """Of a fire service with three pumps."""
    tally = Tally(Window(WHOLE_DAY.since_us, WHOLE_DAY.until_us), [hours(3, 3.2)], DAY.tzinfo)  # type: ignore[arg-type]
    for number in range(3):
        tally.add(f"14p{number + 1}", day_of(5.0 + 3 * number))
    minute = HOUR_US // 60
    calls = [Call("live", 0, number * minute // 20, number * minute // 8) for number in range(8, 20)]
    calls.append(Call("training", 0, 1, 1))
    return tally.give("organisation", "kfrs", "Weald Fire and Rescue", zone="UTC", turnout=count_turnout(calls))


@pytest.fixture
def asked(page: Page) -> list[dict[str, list[str]]]:
    """What the page asked the server for; it is answered with the same figures each time, but for one id."""
    found: list[dict[str, list[str]]] = []

    def answer(route: Route) -> None:
        found.append(parse_qs(urlsplit(route.request.url).query))
        if found[-1]["id"] == ["gone"]:
            route.fulfill(status=404, json={"problem": "there is no organisation 'gone'"})
        else:
            route.fulfill(body=msgspec.json.encode(figures()), content_type="application/json")

    page.route("**/v1/statistics?*", answer)
    page.route("**/v1/units", lambda route: route.fulfill(json=UNITS))
    return found


def test_what_is_asked_for_is_shown(page: Page, source: FeedSource, asked: list[dict[str, list[str]]]) -> None:
    """By keyboard alone; every chart has a name and beside it a table, and the address asks for the same again."""
    page.goto(f"{source.url}figures")
    expect(page.get_by_role("status")).to_have_text("Choose whose figures, and Enter")
    page.get_by_label("From").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Weald Fire and Rescue: 3 units, 2 Nov 2026, 00:00:00")
    assert ("organisation", "kfrs", "Europe/London") == tuple(asked[0][name][0] for name in ("scope", "id", "zone"))
    for chart in page.locator("svg.chart").all():
        assert chart.get_attribute("aria-label")
        expect(chart.locator("xpath=following-sibling::div//table")).to_have_count(1)
    expect(page.get_by_role("row", name="2 In attendance")).to_contain_text("7 h 30 min")
    expect(page.get_by_role("row", name="Left out: training")).to_contain_text("3 h 0 min")
    expect(page.get_by_role("row", name="Mobile 12")).to_contain_text("1 min 38 s")
    expect(page.get_by_role("table", name="Gaps")).to_contain_text("no board")
    assert 5 == page.locator("svg.chart").count()
    link = page.get_by_role("link", name="Table")
    assert "v1/statistics.csv?scope=organisation&id=kfrs&since=" in str(link.get_attribute("href"))
    page.goto(page.url)
    expect(page.get_by_role("status")).to_contain_text("Weald Fire")
    assert asked[0] == asked[1]


def test_no_barrier(page: Page, source: FeedSource, asked: list[dict[str, list[str]]]) -> None:
    """No rule of the accessibility checker is broken, and nothing is wider than a small screen."""
    page.set_viewport_size({"width": 1024, "height": 600})
    page.goto(f"{source.url}figures?scope=organisation&id=kfrs")
    expect(page.get_by_role("status")).to_contain_text("Weald Fire")
    found = Axe().run(page).response["violations"]
    assert [] == [(one["id"], one["nodes"][0]["html"]) for one in found]
    assert 1024 == page.evaluate("document.documentElement.scrollWidth")


def test_what_went_wrong_is_said(page: Page, source: FeedSource, asked: list[dict[str, list[str]]]) -> None:
    """The server's own words, and no figures of before beneath them."""
    page.goto(f"{source.url}figures?scope=organisation&id=kfrs")
    expect(page.locator("svg.chart")).to_have_count(5)
    page.goto(f"{source.url}figures?scope=organisation&id=gone")
    expect(page.get_by_role("status")).to_have_text("there is no organisation 'gone'")
    expect(page.locator("svg.chart")).to_have_count(0)
