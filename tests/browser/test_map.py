"""What the map shows, and that the board does without it."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from cloud.api.map import read_basemap
from tests.browser.alarms import emergency
from tests.browser.board_page import open_board, row
from tests.browser.county import unit
from tests.browser.feed_source import FeedSource, SourceFactory
from tests.browser.map_page import (
    AVAILABLE,
    COMMITTED,
    HALO,
    RED,
    SOFTWARE_GRAPHICS,
    Eye,
    open_map,
    placed,
    tile_file,
)
from tests.programs import require_program
from tests.waiting import wait_until

SIGN_PX = 22
"""A sign, its ring and what marks it are within this of its place."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, which draws WebGL with software."""
    path = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=list(SOFTWARE_GRAPHICS))
        yield browser
        browser.close()


@pytest.fixture
def page(page: Page) -> Page:
    """A screen with a small map: software draws fewer pixels sooner."""
    page.set_viewport_size({"width": 1100, "height": 700})
    return page


@pytest.fixture
def eye(page: Page, chromium: Browser) -> Iterator[Eye]:
    """Looks at the map's pixels."""
    looking = Eye(page, chromium)
    yield looking
    looking.close()


def test_a_unit_now(page: Page, source: FeedSource, eye: Eye) -> None:
    """A fresh position is a sign in its class's colour and nothing around it; clicked, it is selected on the board."""
    source.hold([placed(), unit(2, "P142", fix=None)])
    map_ = open_map(page, source)
    expect(map_.locator(".map-foot")).to_contain_text("1 of 2 units on the map · 1 with no position")
    wait_until(lambda: eye.away_px(AVAILABLE), what="the sign is drawn")
    assert max(eye.away_px(AVAILABLE)) < SIGN_PX and not eye.away_px(COMMITTED)
    source.change(placed(availability="NotAvailable", activity="mobile", status=unit(1, "P141", code=1).status))
    wait_until(lambda: eye.away_px(COMMITTED) and not eye.away_px(AVAILABLE), what="the sign has its new colour")
    map_.locator("canvas").first.click()
    expect(row(page, "u-1")).to_have_attribute("aria-selected", "true")


def test_doubt_grows(page: Page, source: FeedSource, eye: Eye) -> None:
    """Around a position that is not fresh stands a circle that grows by itself; with the feed lost, around all."""
    source.hold([placed(age_s=30.0, is_fresh=False)])
    map_ = open_map(page, source)

    def reach_px() -> float:
        return max(eye.away_px(AVAILABLE), default=0.0)

    wait_until(lambda: reach_px() > 60, what="a circle is drawn")
    first = reach_px()
    wait_until(lambda: reach_px() > first + 4, what="the circle grows while the feed only ticks")
    source.change(placed(age_s=1.0))
    wait_until(lambda: 0 < reach_px() < SIGN_PX, what="a fresh position has no circle")
    source.silent = True
    expect(map_).to_contain_text("FEED LOST: last known positions")
    wait_until(lambda: reach_px() > SIGN_PX + 8, what="nothing is shown as now by a lost feed")


def test_doubt_in_figures(page: Page, source: FeedSource) -> None:
    """The circle's radius is accuracy and age times speed, at least a driven vehicle's; unknown ages have no radius."""
    open_board(page, source)
    metres = page.evaluate(
        """async (records) => {
          const { signOf, doubtM } = await import("./console/js/map/signs.js");
          return records.map(([speed_mps, position_s, fresh, live, after]) => {
            const position = { fix: "3d", lat: 51, lon: 1, speed_mps, accuracy_m: 4, age_s: position_s };
            const record = { unit: "u", position, position_fresh: fresh, ages: { position_s }, class: null };
            return doubtM(signOf({ record, atMs: 1e6 }, live), 1e6 + after * 1000);
          });
        }""",
        [
            [0, 10, False, True, 0],
            [0, 10, False, True, 10],
            [30, 10, False, True, 0],
            [9000, 10, False, True, 0],
            [0, None, False, True, 5],
            [0, 10, True, True, 60],
            [0, 10, True, False, 60],
        ],
    )
    assert metres == [164, 324, 304, 904, None, 4, 1124]


def test_emergency_and_selection(page: Page, source: FeedSource, eye: Eye) -> None:
    """Red is there for an emergency alone; a unit that is selected on the board comes into view."""
    source.hold([placed(), unit(40, "A40")])
    map_ = open_map(page, source)
    row(page, "u-1").click()
    wait_until(lambda: eye.away_px(HALO, near=6), what="the selected unit is marked")
    assert not eye.away_px(RED)
    page.get_by_role("region", name=re.compile("^Map of units")).focus()
    for _ in range(4):
        page.keyboard.press("+")
    expect(map_.locator(".map-foot")).to_contain_text("outside this view")
    source.alarm(emergency(1, "P141"))
    expect(page.locator("#emergencies")).to_be_visible()
    row(page, "u-40").click()
    row(page, "u-1").click()
    wait_until(lambda: eye.away_px(RED), what="the emergency is marked, in view")


def test_keyboard(page: Page, source: FeedSource) -> None:
    """The map has a name, arrows move it, Home shows all again, and Esc goes to the board."""
    source.hold([placed()])
    map_ = open_map(page, source)
    foot = map_.locator(".map-foot")
    page.get_by_role("region", name=re.compile("^Map of units")).focus()

    def is_outside() -> bool:
        page.keyboard.press("ArrowRight")
        return "1 outside this view" in foot.inner_text()

    wait_until(is_outside, what="the arrows have moved the map away from the unit")
    page.keyboard.press("Home")
    expect(foot).not_to_contain_text("outside")
    page.keyboard.press("Escape")
    expect(page.locator("#grid")).to_be_focused()


def test_no_script_by_text(page: Page, source: FeedSource, faults: list[str]) -> None:
    """The map's policy trusts the two scripts that it needs: any other named by text, and all markup, stay refused."""
    open_map(page, source)
    refused = page.evaluate(
        """() => [
          () => new Worker("console/js/board.js"),
          () => { document.createElement("script").src = "console/js/board.js"; },
          () => { document.createElement("p").innerHTML = "<b>"; },
          () => trustedTypes.createPolicy("another", {}),
        ].map((attempt) => { try { attempt(); return "taken"; } catch (error) { return error.name; } })"""
    )
    assert refused == ["TypeError", "TypeError", "TypeError", "TypeError"]
    faults.clear()


def test_own_tiles(page: Page, serve: SourceFactory, port: int, tmp_path: Path, eye: Eye) -> None:
    """A site's own PMTiles file is what the map stands on, read in pieces from the site's own server."""
    png = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    )
    (tmp_path / "own.pmtiles").write_bytes(tile_file(png))
    (tmp_path / "map.toml").write_text('kind = "pmtiles"\nfile = "own.pmtiles"\nnight = true\nattribution = "Ours"\n')
    source = serve(FeedSource(port=port, basemap=read_basemap(tmp_path)))
    source.hold([placed()])
    map_ = open_map(page, source)
    expect(map_.locator(".map-credit")).to_have_text("Ours")
    wait_until(lambda: len(eye.away_px((139, 18, 22), near=12)) > 10_000, what="the file's red picture is the ground")


def test_no_graphics(chromium: Browser, source: FeedSource) -> None:
    """Without WebGL the map says so in words, and the board goes on."""
    path = str(require_program("chromium"))
    plain = chromium.browser_type.launch(executable_path=path, args=["--no-sandbox", "--disable-3d-apis"])
    source.hold([placed()])
    page = plain.new_page()
    page.goto(f"{source.url}?map")
    expect(page.locator("#map")).to_contain_text("No map: this browser has no WebGL")
    source.change(placed(availability="NotAvailable"))
    expect(row(page, "u-1")).to_contain_text("Not available")
    plain.close()
