"""The Faults tab: every part with its verdict, the worst first, each with what to do, whole and within reach."""

import pytest
from playwright.sync_api import Browser, Locator, expect

from edge_agent.state import health
from tests.browser.panel_page import WAYS, Panel, Way, on_glass
from tests.browser.test_panel_room import CUT_OFF, OUTSIDE, faults_of_targets
from tests.edge_agent.panel.stand import WELL, Stand
from tests.edge_agent.state.unwell import BROKEN, NOW
from tests.edge_agent.state.unwell import CUT_OFF as LINK_CUT_OFF
from wire.findings import Finding, fail, warn, well, worst_first

ALL_BROKEN = health.look(BROKEN, LINK_CUT_OFF, NOW)
WORDS = "#faults li, #faults p, #faults h2, #faults button"


def opened(panel: Panel, *findings: Finding, way: Way = "touch") -> Locator:
    """The tab of a device of which this was found."""
    panel.tell(panel.stand.set, health=findings)
    return panel.open_tab("faults", way)


def expect_whole(panel: Panel) -> None:
    """Nothing on the tab is cut off, outside, or out of a finger's reach."""
    assert panel.page.evaluate(CUT_OFF, WORDS) == []
    assert panel.page.evaluate(OUTSIDE, WORDS) == []
    assert faults_of_targets(panel) == []


def test_a_device_that_is_well_says_so_of_every_part(chromium: Browser) -> None:
    """The tab counts nothing, and each part stands there with its verdict in words."""
    with on_glass(chromium, Stand()) as panel:
        pane = opened(panel, *WELL)
        expect(panel.page.locator("#tab-faults")).to_have_text("Faults")
        expect(pane.get_by_text("No faults.")).to_be_visible()
        rows = pane.get_by_role("list", name="What is in order").get_by_role("listitem")
        expect(rows).to_have_text([f"{one.check.capitalize()} ok: in order" for one in WELL])
        expect(pane.get_by_role("list", name="What is amiss")).to_be_hidden()
        expect_whole(panel)


def test_what_is_amiss_comes_worst_first_with_what_to_do(chromium: Browser) -> None:
    """In the agent's own words, read out as such; what is in order stands below, and the tab counts the rest."""
    amiss = warn("clock", "times may be off", "look at chrony"), fail("link", "the WAN is down", "use voice")
    with on_glass(chromium, Stand()) as panel:
        pane = opened(panel, well("receiver", "a 3d fix"), *amiss)
        expect(panel.page.locator("#tab-faults")).to_have_text("Faults 2")
        rows = pane.get_by_role("list", name="What is amiss").get_by_role("listitem")
        expect(rows).to_have_text(
            ["Link FAIL: the WAN is downTo do: use voice", "Clock LOOK AFTER: times may be offTo do: look at chrony"]
        )
        expect(pane.get_by_text("Receiver ok: a 3d fix")).to_be_visible()
        expect_whole(panel)
        panel.tell(panel.stand.set, health=WELL)
        expect(pane.get_by_text("No faults.")).to_be_visible()
        expect(panel.page.locator("#tab-faults")).to_have_text("Faults")


@pytest.mark.parametrize("way", WAYS)
def test_with_everything_broken_every_word_can_be_reached(chromium: Browser, way: Way) -> None:
    """More than fit are a press away, none is cut off or skipped, and the last page leads back to the first."""
    with on_glass(chromium, Stand()) as panel:
        pane = opened(panel, *ALL_BROKEN, way=way)
        expect(panel.page.locator("#tab-faults")).to_have_text(f"Faults {len(ALL_BROKEN)}")
        more, rows, seen = pane.get_by_role("button"), pane.locator(".fault-list li"), list[str]()
        while len(seen) < len(ALL_BROKEN):
            expect_whole(panel)
            seen += rows.all_inner_texts()
            panel.push(more, way)
            expect(rows.first).not_to_contain_text(seen[-1].partition(":")[0])
        told = ["".join(text.split()) for text in seen]
        for one, text in zip(worst_first(ALL_BROKEN), told, strict=True):
            assert "".join(f"{one.found}To do: {one.do}".split()) in text
        expect(rows.first).to_contain_text(worst_first(ALL_BROKEN)[0].found)


def test_a_page_that_is_turned_stays_while_the_device_goes_on(chromium: Browser) -> None:
    """What the agent says meanwhile does not turn it back; opening the tab again does."""
    with on_glass(chromium, Stand()) as panel:
        pane = opened(panel, *ALL_BROKEN)
        first = pane.locator(".fault-list li").first
        panel.push(pane.get_by_role("button"), "touch")
        before = first.inner_text()
        panel.tell(panel.stand.set, night=True)
        expect(panel.page.locator("html")).to_have_class("night")
        expect(first).to_have_text(before.replace("\n", ""))
        panel.open_tab("faults")
        expect(first).not_to_have_text(before.replace("\n", ""))


def test_of_an_agent_that_ended_nothing_is_known(chromium: Browser) -> None:
    """What it found is told as its last word: a device whose agent is gone is not one without faults."""
    with on_glass(chromium, Stand()) as panel:
        pane = opened(panel, *WELL)
        panel.served.stop()
        panel.pass_time(3.0)
        expect(pane.locator(".stands")).to_have_text("Not known now. As last told:")
        expect(pane.get_by_text("No faults.")).to_have_count(0)
        panel.served.start()
        expect(pane.get_by_text("No faults.")).to_be_visible()
