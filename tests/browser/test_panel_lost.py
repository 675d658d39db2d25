"""What the glass says when it cannot be believed, and how it looks at night and without motion."""

import threading

from playwright.sync_api import Browser, expect

from tests.browser.panel_page import Panel, on_glass
from tests.edge_agent.panel.orders import order
from tests.edge_agent.panel.stand import WELL, Stand
from wire.findings import fail

NOT_CONNECTED = "PANEL NOT CONNECTED: USE RADIO OR PHONE"
UNSEEN = "CONTROL CANNOT SEE THIS: USE RADIO OR PHONE"


def expect_lost(panel: Panel) -> None:
    """The banner is up over the whole width, nothing is lit, and nothing can be pressed."""
    panel.expect_link("lost")
    banner = panel.page.locator("#banner")
    expect(banner).to_have_text(NOT_CONNECTED)
    box = banner.bounding_box()
    assert box is not None and box["width"] == 1024
    expect(panel.buttons()).to_have_count(0)
    expect(panel.page.locator('.status:not([data-lamp="dark"])')).to_have_count(0)
    expect(panel.page.locator('[aria-pressed="true"].status')).to_have_count(0)


def test_an_agent_that_ended(chromium: Browser) -> None:
    """Without its agent the panel says so, is dark and takes no press; it comes back by itself."""
    with on_glass(chromium, Stand()) as panel:
        panel.served.stop()
        panel.pass_time(3.0)
        expect_lost(panel)
        expect(panel.page.locator('[data-unit="a14p1"] .shown')).to_have_text("Control shows: not known here")
        panel.served.start()
        panel.expect_link("live")
        expect(panel.page.locator("#banner")).to_be_hidden()
        panel.push(panel.status("a14p1", "1"), "touch")
        expect(panel.status("a14p1", "1")).to_have_attribute("data-lamp", "steady")


def test_an_agent_that_hangs(chromium: Browser) -> None:
    """A connection that stays open and says nothing is no connection."""
    with on_glass(chromium, Stand(), real_time=True) as panel:
        going_on = threading.Event()
        panel.stand.loop.call_soon_threadsafe(going_on.wait, 20)
        expect_lost(panel)
        going_on.set()
        panel.expect_link("live")


def test_a_page_that_never_started_says_so(chromium: Browser) -> None:
    """Before the first word of the agent, and with scripts that fail, the glass says to use the radio."""
    with on_glass(chromium, Stand()) as panel:
        panel.page.route("**/*.js", lambda route: route.abort())
        panel.page.reload()
        expect(panel.page.locator("#banner")).to_have_text("PANEL STARTING. IF THIS STAYS: USE RADIO OR PHONE")


def test_a_page_that_failed_says_so_and_starts_again(chromium: Browser) -> None:
    """A fault in the page puts out its lamps and buttons, and loads it again without anybody's help."""
    with on_glass(chromium, Stand()) as panel:
        panel.page.evaluate("() => { window.before = true; Promise.reject('a fault'); }")
        expect(panel.page.locator("#banner")).to_have_text("THIS PANEL HAS FAILED: USE RADIO OR PHONE")
        expect(panel.buttons()).to_have_count(0)
        panel.pass_time(5.0)
        panel.expect_link("live")
        assert panel.page.evaluate("window.before") is None
        assert panel.faults == ["a fault"]
        panel.faults.clear()


def test_the_notice_stands_over_everything_but_the_clock_and_the_mains(chromium: Browser) -> None:
    """What control cannot see is said in the band, whatever is on the glass, with how old the oldest unsent is."""
    with on_glass(chromium, Stand()) as panel:
        panel.cut_wan()
        panel.push(panel.status("a14p1", "1"), "touch")
        panel.tell(panel.stand.put, order())
        expect(panel.page.locator("#order")).to_be_visible()
        expect(panel.page.locator("#notice-text")).to_have_text(UNSEEN)
        expect(panel.page.locator("#notice-more")).to_contain_text("oldest unsent")
        expect(panel.page.locator("#clock")).to_be_visible()
        expect(panel.page.locator("#mode")).to_have_text("LIVE")
        panel.tell(panel.stand.set, mains="failed")
        expect(panel.page.locator("#mains")).to_have_text("MAINS FAILED")


def test_a_press_that_waits_and_a_control_that_is_silent_are_both_said(chromium: Browser) -> None:
    """After ten seconds the press is the notice, and that control sees nothing stands beside it."""
    with on_glass(chromium, Stand()) as panel:
        panel.cut_wan()
        panel.push(panel.status("a14p1", "1"), "touch")
        expect(panel.status("a14p1", "1")).to_have_attribute("data-lamp", "slow")
        expect(panel.page.locator("#notice-text")).to_have_text(UNSEEN)
        panel.tell(panel.stand.skip, 10.0)
        expect(panel.page.locator("#notice-text")).to_have_text("NOT RECEIVED: USE RADIO")
        expect(panel.page.locator("#notice-more")).to_contain_text("control cannot see this")


def test_control_that_overrules_a_press_is_shown(chromium: Browser) -> None:
    """The card says what control shows, and that it is not what was pressed here."""
    with on_glass(chromium, Stand()) as panel:
        panel.push(panel.status("a14p1", "1"), "touch")
        expect(panel.status("a14p1", "1")).to_have_attribute("data-lamp", "steady")
        panel.tell(panel.stand.show, "a14p1", "5")
        shown = panel.page.locator('[data-unit="a14p1"] .shown')
        expect(shown).to_contain_text("≠ Control shows: NOT AVAILABLE")
        expect(shown).to_contain_text("not what was pressed")
        expect(panel.status("a14p1", "5")).to_have_attribute("data-lamp", "steady")
        expect(panel.status("a14p1", "1")).to_have_attribute("data-lamp", "dark")


def test_night_dims_but_not_an_order(chromium: Browser) -> None:
    """The glass is red and low by night; an order that calls is bright, and a person can choose until day comes."""
    with on_glass(chromium, Stand()) as panel:
        html, button = panel.page.locator("html"), panel.page.locator("#tab-night")
        panel.tell(panel.stand.set, night=True)
        expect(html).to_have_class("night")
        panel.tell(panel.stand.put, order())
        expect(html).to_have_class("")
        panel.push(panel.page.locator(".acknowledge"), "touch")
        expect(html).to_have_class("night")
        panel.push(button, "touch")
        expect(html).to_have_class("")
        panel.tell(panel.stand.set, night=False, health=(fail("clock", "it is day", "sleep"),))
        expect(panel.page.locator("#tab-faults")).to_have_text("Faults 1")
        panel.tell(panel.stand.set, night=True)
        expect(html).to_have_class("night")


CONTRAST = """() => {
    const channels = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number).map(value => value / 255)
        .map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const light = text => { const [r, g, b] = channels(text); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const behind = node => { for (let at = node; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (!colour.endsWith(', 0)')) return colour; } return 'rgb(0, 0, 0)'; };
    return [...document.querySelectorAll('body *')]
        .filter(node => node.getClientRects().length > 0 && node.children.length === 0 && node.textContent.trim())
        .map(node => { const [a, b] = [light(getComputedStyle(node).color), light(behind(node))];
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.textContent]; })
        .filter(([contrast]) => contrast < 4.5).map(([contrast, text]) => `${contrast.toFixed(1)} ${text}`); }"""


def test_everything_can_be_read(chromium: Browser) -> None:
    """Every word stands out from its ground by 4.5 to 1 (WCAG 2.2, 1.4.3), by day and by night."""
    with on_glass(chromium, Stand()) as panel:
        panel.push(panel.status("a14p1", "1"), "touch")
        for number, night in enumerate((False, True)):
            panel.tell(panel.stand.set, night=night, health=(fail("disk", "is full", "make room"), *WELL))
            expect(panel.page.locator("html")).to_have_class("night" if night else "")
            for view in ("units", "crew", "defect", "test", "turn-out", "faults"):
                panel.open_tab(view)
                assert panel.page.evaluate(CONTRAST) == []
            panel.tell(panel.stand.put, order(number, acknowledged=True))
            expect(panel.page.locator("#order")).to_be_visible()
            assert panel.page.evaluate(CONTRAST) == []
            panel.tell(panel.stand.put)


def test_lamps_differ_without_motion(chromium: Browser) -> None:
    """Where motion is not wanted nothing blinks, and each lamp still looks different and carries its own sign."""
    with on_glass(chromium, Stand(), reduced_motion="reduce") as panel:
        panel.cut_wan()
        panel.push(panel.status("a14p1", "1"), "touch")
        expect(panel.status("a14p1", "1")).to_have_attribute("data-lamp", "slow")
        panel.stand.disk_full = True
        panel.push(panel.status("pc61", "5"), "touch")
        looks = {}
        for unit, code, lamp in (("d204", "at_base", "steady"), ("a14p1", "1", "slow"), ("pc61", "5", "fast")):
            button = panel.status(unit, code)
            expect(button).to_have_attribute("data-lamp", lamp)
            assert button.evaluate("node => node.getAnimations({ subtree: true }).length") == 0
            looks[lamp] = button.evaluate(
                "node => { const look = getComputedStyle(node); return [look.background, look.border,"
                " node.querySelector('.lamp-sign').textContent].join() }"
            )
        assert len(set(looks.values())) == 3


def test_lamps_blink_as_the_contract_says(chromium: Browser) -> None:
    """Slow is 1 Hz and fast 5 Hz, half of the time on, as on every other panel."""
    timing = "node => { const [blink] = node.getAnimations(); return [blink.effect.getTiming().duration,"
    timing += " blink.effect.getKeyframes().map(frame => frame.offset).slice(0, 2)]; }"
    with on_glass(chromium, Stand()) as panel:
        panel.cut_wan()
        for lamp, unit, code, period_ms in (("slow", "a14p1", "1", 1000), ("fast", "pc61", "5", 200)):
            panel.stand.disk_full = lamp == "fast"
            button = panel.status(unit, code)
            panel.push(button, "touch")
            expect(button).to_have_attribute("data-lamp", lamp)
            assert button.evaluate(timing) == [period_ms, [0, 0.5]]
