"""The Swap vehicle tab: a spare takes over a callsign by touch or by the keyboard, with the WAN up and down."""

import pytest
from playwright.sync_api import Browser, expect

from edge_agent.panel.port import SwapCard, SwapForm
from tests.browser.panel_page import TARGET_PX, Panel, Way, on_glass
from tests.edge_agent.panel.stand import Stand, StandUnit

SPARE = (StandUnit(unit="spare-1", callsign="SPARE 1", service="fire", vehicle="F0999", crewed=False),)
CARD = SwapCard(own="SPARE 1", choices=("14P1", "14P2", "SPARE 1"))


def stand() -> Stand:
    """A spare pump."""
    found = Stand(SPARE)
    found.carry(CARD)
    return found


def test_only_a_vehicle_has_the_tab(chromium: Browser) -> None:
    """A station's panel has no Swap vehicle tab."""
    with on_glass(chromium, Stand()) as panel:
        expect(panel.page.locator("#tab-swap")).to_be_hidden()
        expect(panel.page.locator("#tab-test")).to_be_visible()


@pytest.mark.parametrize("way", ["touch", "keyboard"])
def test_a_callsign_is_chosen_and_confirmed(chromium: Browser, way: Way) -> None:
    """Nothing is asked before it is confirmed; then the card says that control is waited for, and who confirmed."""
    with on_glass(chromium, stand()) as panel:
        pane = panel.open_tab("swap", way)
        expect(pane.get_by_role("button", name="Take over")).to_be_disabled()
        panel.push(pane.get_by_role("button", name="14P1", exact=True), way)
        panel.push(pane.get_by_role("button", name="Take over"), way)
        assert panel.stand.asked == []
        panel.push(pane.get_by_role("button", name="CONFIRM: this vehicle is 14P1 now"), way)
        panel.expect_asked(SwapForm(callsign="14P1"))
        expect(pane.locator(".stands")).to_have_text("14P1: WAITING FOR CONTROL to confirm the swap")
        panel.open_tab("units", way)
        card = panel.page.locator('[data-unit="spare-1"]')
        expect(card.locator(".callsign")).to_have_text("14P1")
        expect(card.locator(".swapped")).to_contain_text("WAITING FOR CONTROL")
        panel.tell(panel.stand.carry, SwapCard(own="SPARE 1", stage="confirmed", callsign="14P1", by="Shah"))
        expect(card.locator(".swapped")).to_have_text("This vehicle carries 14P1: confirmed by Shah")
        check_targets(panel)
        pane = panel.open_tab("swap", way)
        panel.push(pane.get_by_role("button", name="End swap"), way)
        panel.push(pane.get_by_role("button", name="CONFIRM: this vehicle is 14P1 no longer"), way)
        panel.expect_asked(SwapForm(callsign="14P1", on=False))
        expect(pane.locator(".stands")).to_contain_text("End of the swap: waiting for control")


def test_a_callsign_is_typed_on_the_glass_while_the_wan_is_down(chromium: Browser) -> None:
    """Typed without any other keyboard; without the WAN the page says that it is queued, and to use the radio."""
    with on_glass(chromium, stand()) as panel:
        panel.cut_wan()
        pane = panel.open_tab("swap")
        pane.get_by_role("textbox").tap()
        glass = panel.page.locator("#glass")
        for key in "14P9":
            glass.get_by_role("button", name=key, exact=True).tap()
        glass.get_by_role("button", name="Done").tap()
        panel.push(pane.get_by_role("button", name="Take over"), "touch")
        check_targets(panel)
        panel.push(pane.get_by_role("button", name="Cancel"), "touch")
        assert panel.stand.asked == []
        panel.push(pane.get_by_role("button", name="Take over"), "touch")
        panel.push(pane.get_by_role("button", name="CONFIRM: this vehicle is 14P9 now"), "touch")
        panel.expect_asked(SwapForm(callsign="14P9"))
        expect(panel.page.locator("#said")).to_contain_text("QUEUED: control is not told until the WAN is back")
        expect(pane.locator(".stands")).to_have_text("Swap to 14P9: NOT AT CONTROL YET. USE RADIO")
        elsewhere = SwapCard(own="14P1", stage="elsewhere", callsign="14P1", by="Shah")
        panel.tell(panel.stand.carry, elsewhere)
        panel.open_tab("units")
        expect(panel.page.locator(".swapped")).to_contain_text("ANOTHER VEHICLE CARRIES 14P1 NOW")


def check_targets(panel: Panel) -> None:
    """Every target on the glass is of finger size, and inside it."""
    for box in [one.bounding_box() for one in panel.buttons().all()]:
        assert box is not None and box["width"] >= TARGET_PX and box["height"] >= TARGET_PX
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1024 and box["y"] + box["height"] <= 600
