"""The page of devices: worst first, what to do, by keyboard alone, and nothing old shown as if it were now."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.devices import DeviceSource
from tests.browser.feed_source import SourceFactory
from tests.cloud.api.heard_fleet import FULL, NO_FIX, HeardFleet, now, with_findings, write_fleet
from wire.findings import warn
from wire.messages import OutboxDepth

CROWD = 2_000


@pytest.fixture
def source(serve: SourceFactory, port: int) -> DeviceSource:
    """One that is well, one that failed, one that was lost as it failed, one to look after, and a station not heard."""
    made = DeviceSource(port=port, heard=HeardFleet(directory=write_fleet(4)))
    made.heard.hear("veh-1")
    made.heard.hear("veh-2", with_findings(NO_FIX))
    made.heard.hear("veh-3", with_findings(NO_FIX), ago_s=3_600)
    made.heard.hear("veh-4", with_findings(FULL), outbox=OutboxDepth(3, 40, 600_000), software="0.4.0")
    serve(made)
    return made


def opened(page: Page, source: DeviceSource, query: str = "") -> None:
    """Open the page, with everything read."""
    page.goto(f"{source.url}devices{query}")
    expect(page.locator("body")).to_have_attribute("data-known", "true")


def shown(page: Page) -> list[str]:
    """Which devices, in order."""
    found = page.locator("#devices tr").evaluate_all("rows => rows.map((row) => row.dataset.device)")
    return [str(one) for one in found]


def test_worst_first_each_with_what_to_do(page: Page, source: DeviceSource) -> None:
    """Every verdict is a sign and a word; where it is, what waits, its software, and the first thing to do."""
    opened(page, source)
    assert ["veh-2", "veh-3", "veh-4", "stn-1", "veh-1"] == shown(page)
    failed = page.get_by_role("row", name="veh-2 failed")
    for text in ("P2 · vehicle 472", "✓ fresh", "✗ FAILED", "✓ ok", "✓ 21 GiB", "To do: look at the aerial"):
        expect(failed).to_contain_text(text)
    full = page.get_by_role("row", name="veh-4 to look after")
    for text in ("! 93 MiB", "0.4.0 older", "track 40"):
        expect(full).to_contain_text(text)
    expect(full).to_contain_text(re.compile(r"3 since \d\d:\d\d"))
    expect(page.get_by_role("row", name="stn-1 not heard")).to_contain_text("Stn 1")
    for text in ("5 devices", "✗ 1 failed", "○ 1 lost", "! 1 to look after", "– 1 not heard", "✓ 1 well"):
        expect(page.locator("#strip").get_by_role("button", name=text, exact=True)).to_be_visible()


def test_what_was_told_once_is_in_brackets(page: Page, source: DeviceSource) -> None:
    """Of a lost device the link says since when, and each of its own verdicts says that it is of then."""
    opened(page, source)
    lost = page.get_by_role("row", name="veh-3 lost")
    expect(lost).to_contain_text("(✗ FAILED)")
    expect(lost).to_contain_text("(✓ ok)")
    expect(lost).to_contain_text(re.compile(r"○ lost \d\d:\d\d"))
    lost.click()
    expect(page.locator("#detail")).to_contain_text(re.compile(r"receiver: .* as of \d\d:\d\d, not heard since"))


def test_by_keyboard_alone(page: Page, source: DeviceSource) -> None:
    """Arrows go along, Enter opens, Esc goes back to the row; slash finds, Esc asks for all again."""
    opened(page, source)
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator('[data-device="veh-4"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="veh-4 · P4 · vehicle 474")).to_contain_text("93 MiB free")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("c")
    expect(page.locator("#copied")).to_have_text("Copied")
    told = str(page.evaluate("navigator.clipboard.readText()"))
    assert told.startswith("Device veh-4 of kp, P4 · vehicle 474.\nLink fresh.\nlook after disk: 93 MiB free.\n")
    assert "To do: copy off and delete" in told and "Unsettled: 3 statuses, 40 of track." in told
    page.keyboard.press("Escape")
    expect(page.locator('[data-device="veh-4"]')).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("p3")
    expect(page.locator("#devices tr")).to_have_count(1)
    assert "text=p3" in page.url
    page.keyboard.press("Escape")
    expect(page.locator("#devices tr")).to_have_count(5)


def test_it_can_be_narrowed_down(page: Page, source: DeviceSource) -> None:
    """By standing, by part and its verdict; the address asks for the same again; nothing found is said so."""
    opened(page, source)
    page.get_by_role("button", name="○ 1 lost").click()
    expect(page.locator("#devices tr")).to_have_count(1)
    opened(page, source, page.url.partition("devices")[2])
    expect(page.get_by_role("button", name="○ 1 lost")).to_have_attribute("aria-pressed", "true")
    assert ["veh-3"] == shown(page)
    page.get_by_role("button", name="5 devices").click()
    page.get_by_label("Part").select_option("receiver")
    page.get_by_label("Verdict").select_option("fail")
    expect(page.locator("#devices tr")).to_have_count(2)
    page.get_by_label("Part").select_option("panel")
    expect(page.get_by_text("No device is as asked for. Esc asks for all.")).to_be_visible()


def test_it_follows_and_keeps_its_place(page: Page, source: DeviceSource) -> None:
    """What changes comes by itself: a row that is chosen stays chosen, and an open detail says the new word."""
    opened(page, source)
    page.locator('[data-device="veh-1"]').click()
    expect(page.locator("#detail")).to_contain_text("All its parts are ok")
    source.heard.hear("veh-1", with_findings(FULL))
    source.heard.hear("veh-2")
    expect(page.locator("#detail")).to_contain_text("93 MiB free")
    expect(page.locator('[data-device="veh-1"]')).to_have_attribute("aria-current", "true")
    assert ["veh-3", "veh-1", "veh-4", "stn-1", "veh-2"] == shown(page)


def test_nothing_old_is_shown_as_now(page: Page, source: DeviceSource) -> None:
    """Without answers the page says since when, and no device is fresh or well any more; then it goes on."""
    page.clock.install()
    opened(page, source)
    page.route("**/v1/devices?*", lambda route: route.abort())
    page.clock.run_for(14_000)
    expect(page.locator("#banner")).to_contain_text(re.compile(r"NOT UPDATED SINCE .*\d\d:\d\d:\d\d: .*no answer"))
    row = page.get_by_role("row", name="veh-1 well")
    expect(row).to_contain_text("(✓ fresh)")
    expect(row).not_to_contain_text(re.compile(r"[^(]✓"))
    page.unroute("**/v1/devices?*")
    page.clock.run_for(4_000)
    expect(page.locator("#banner")).to_be_hidden()
    expect(row).to_contain_text(re.compile(r"[^(]✓ fresh"))


def test_a_fault_of_the_page_is_said(page: Page, source: DeviceSource, faults: list[str]) -> None:
    """A page that has failed says so over everything, and is not known any more."""
    opened(page, source)
    page.evaluate("setTimeout(() => { throw new Error('broken'); })")
    expect(page.locator("#banner")).to_have_text("THIS PAGE HAS FAILED: load it again (F5)")
    expect(page.locator("body")).to_have_attribute("data-known", "false")
    assert ["broken"] == faults
    faults.clear()


@pytest.mark.parametrize(("width", "height"), [(1024, 600), (1920, 1080)])
def test_no_barrier(page: Page, source: DeviceSource, width: int, height: int) -> None:
    """No rule of the accessibility checker is broken, with and without the detail; nothing is wider than the screen."""
    page.set_viewport_size({"width": width, "height": height})
    opened(page, source)
    for is_open in (False, True):
        if is_open:
            page.locator('[data-device="veh-3"]').click()
            expect(page.locator("#detail")).to_be_visible()
        found = Axe().run(page).response["violations"]
        assert [] == [(one["id"], one["nodes"][0]["html"]) for one in found]
        size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert [width, height] == page.evaluate(size)


def test_an_empty_fleet_says_what_to_do(page: Page, serve: SourceFactory, port: int) -> None:
    """A directory without devices is no blank page."""
    source = DeviceSource(port=port, heard=HeardFleet(directory=write_fleet(0, 0)))
    serve(source)
    opened(page, source)
    expect(page.get_by_text("The directory holds no device yet")).to_be_visible()
    source.heard.troubles.note_aside(None, "wr/1/up/kp/veh-x/live", "foreign_device", now())
    expect(page.get_by_role("row", name="veh-x failed")).to_contain_text("not in the directory")


def test_two_of_one_name_are_two_rows(page: Page, source: DeviceSource) -> None:
    """Whoever speaks in a name that another organisation's device has takes nobody's row, choice or detail."""
    source.heard.troubles.note_aside(None, "wr/1/up/kf/veh-1/live", "foreign_device", now())
    opened(page, source)
    assert ["veh-1", "veh-2", "veh-3", "veh-4", "stn-1", "veh-1"] == shown(page)
    page.get_by_role("row", name="veh-1 well").click()
    expect(page.get_by_role("region", name="veh-1 · P1 · vehicle 471")).to_contain_text("All its parts are ok")
    page.keyboard.press("Escape")
    expect(page.get_by_role("row", name="veh-1 well")).to_be_focused()
    page.keyboard.press("Home")
    expect(page.get_by_role("row", name="veh-1 failed")).to_be_focused()


def test_what_a_device_says_is_only_text(page: Page, source: DeviceSource, faults: list[str]) -> None:
    """Markup is shown as it is written, and no direction of its own turns what stands around it."""
    said = warn("<b>bus", "<img src=x onerror=alert(1)>\u202etxet", "<script>boom()</script>")
    source.heard.hear("veh-1", with_findings(NO_FIX) + (said,), faults=["x" * 500] * 20)
    opened(page, source)
    page.locator('[data-device="veh-1"]').click()
    expect(page.locator("#detail")).to_contain_text("look after <b>bus: <img src=x onerror=alert(1)>\ufffdtxet")
    assert 0 == page.locator("#detail img, #detail script, #devices img").count()
    width = "document.documentElement.scrollWidth"
    assert faults == [] and page.evaluate(width) == page.evaluate("innerWidth")


def test_what_happened_again_says_when_last(page: Page, source: DeviceSource) -> None:
    """Of messages that were kept aside the first and the last moment stand there: it may be mended since."""
    for hours in (5, 2):
        source.heard.troubles.note_aside(
            "veh-1", "wr/1/up/kp/veh-1/live", "wrong_enrolment", now() - timedelta(hours=hours)
        )
    opened(page, source)
    row = page.get_by_role("row", name="veh-1 failed")
    expect(row).to_contain_text(re.compile(r"kept aside: wrong_enrolment since \d\d:\d\d, last \d\d:\d\d\. To do"))


def test_a_crowd_is_drawn_a_hundred_at_a_time(page: Page, serve: SourceFactory, port: int) -> None:
    """Of 2,000 devices a hundred rows are there; what comes anew makes only those anew that say something else."""
    source = DeviceSource(port=port, heard=HeardFleet(directory=write_fleet(CROWD - 1)))
    for device in source.heard.directory.devices:
        source.heard.hear(device)
    serve(source)
    opened(page, source)
    expect(page.locator("#devices tr")).to_have_count(100)
    page.locator("#next").click()
    expect(page.locator("#page")).to_contain_text("101 to 200 of 2000")
    page.locator("#devices tr").evaluate_all("rows => rows.forEach((row) => { row.marked = true; })")
    source.heard.hear("veh-1999", with_findings(FULL))
    expect(page.locator("#strip")).to_contain_text("! 1 to look after")
    assert 99 == page.locator("#devices tr").evaluate_all("rows => rows.filter((row) => row.marked).length")
    page.locator("#before").click()
    expect(page.locator("#devices tr").first).to_have_attribute("data-device", "veh-1999")


def test_every_page_leads_there(page: Page, source: DeviceSource) -> None:
    """Board, sharing, rooms and figures have a link to the devices."""
    for path in ("", "agreements", "rooms", "figures"):
        page.goto(f"{source.url}{path}")
        assert page.locator('a[href="devices"]').count() >= 1, path
