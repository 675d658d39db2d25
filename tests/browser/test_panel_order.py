"""An order takes the glass, and gives it back only to a person."""

import re
from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.panel_page import Panel, on_glass
from tests.edge_agent.panel.orders import STEPS, order
from tests.edge_agent.panel.stand import Stand


@pytest.fixture(scope="module")
def glass(chromium: Browser) -> Iterator[Panel]:
    """One page for all of these: loading it takes longer than most of them."""
    with on_glass(chromium, Stand()) as panel:
        yield panel


@pytest.fixture
def panel(glass: Panel) -> Panel:
    """The page with no order on it, the units in front, and nothing asked yet."""
    glass.tell(glass.stand.put)
    glass.page.keyboard.press("Escape")
    expect(glass.page.locator("#units")).to_be_visible()
    expect(glass.page.locator("#tab-units")).to_have_text("Units")
    glass.stand.asked.clear()
    return glass


def test_an_order_takes_the_glass_from_whatever_is_on_it(panel: Panel) -> None:
    """Also from a tab and from the keyboard on the glass; it is spoken, and nothing was pressed by it."""
    panel.open_tab("crew").get_by_role("textbox").tap()
    expect(panel.page.locator("#glass")).to_be_visible()
    panel.tell(panel.stand.put, order())
    expect(panel.page.locator("#order")).to_be_visible()
    expect(panel.page.locator("#glass")).to_be_hidden()
    expect(panel.page.locator("#order-said")).to_contain_text("MOBILISE. I417")
    expect(panel.page.locator("#order-said")).to_contain_text("TR 1064 6658")
    assert panel.stand.asked == []


def test_a_finger_on_its_way_acknowledges_nothing(panel: Panel) -> None:
    """For a moment after an order has come up by itself its button takes no press."""
    watch = """new Promise(seen => new MutationObserver((_, watching) => {
        const button = document.querySelector('.acknowledge');
        if (document.getElementById('order').hidden) return;
        watching.disconnect();
        button.click();
        seen(button.disabled); }).observe(document.body, { subtree: true, childList: true, attributes: true }))"""
    panel.page.evaluate(f"() => {{ window.came = {watch}; }}")
    panel.tell(panel.stand.put, order())
    assert panel.page.evaluate("window.came") is True
    expect(panel.page.locator(".acknowledge")).to_be_enabled()
    assert panel.stand.asked == []


def test_an_acknowledgement_on_its_way_is_not_one(panel: Panel) -> None:
    """Until the agent has answered, the button says that it is being sent, and takes no second press."""
    panel.tell(panel.stand.put, order())
    panel.stand.slow = True
    button = panel.page.locator(".acknowledge")
    panel.push(button, "touch")
    expect(button).to_have_text("SENDING…")
    expect(button).to_be_disabled()
    expect(panel.page.locator("#order")).to_have_attribute("data-calling", "true")
    panel.stand.slow = False
    expect(button).to_have_text("✓ ACKNOWLEDGED")


def test_the_turnout_clock_runs_from_the_order(panel: Panel) -> None:
    """It counts on from the agent's time, stands when the last unit is mobile, and runs on when the agent is silent."""
    panel.tell(panel.stand.put, msgspec.structs.replace(order(), elapsed_s=58.0))
    clock = panel.page.locator(".turnout")
    expect(clock).to_have_text("0:58")
    panel.pass_time(2.0)
    expect(clock).to_have_text(re.compile("1:0[0-6]"))
    panel.served.stop()
    panel.pass_time(7.0)
    panel.expect_link("lost")
    expect(clock).to_have_text(re.compile("1:(0[7-9]|1[0-9])"))
    panel.served.start()
    panel.expect_link("live")
    panel.tell(panel.stand.put, msgspec.structs.replace(order(), turned_out_s=73.9))
    expect(clock).to_have_text("1:13")


def test_steps_show_what_was_read_back(panel: Panel) -> None:
    """A step is ticked only when it was confirmed; what failed says why, what waits says so."""
    panel.tell(panel.stand.put, order())
    steps = panel.page.locator(".step")
    expect(steps.nth(0)).to_have_text("✓Sounder, fire dormitoryconfirmed 0.2 s")
    expect(steps.nth(3)).to_have_text("✗Cooker offFAILED: not proved off")
    expect(steps.nth(4)).to_have_text("…Door, bay 1started")
    expect(steps.nth(5)).to_have_text("·Indicator, bay 1waiting")
    done = tuple(msgspec.structs.replace(one, outcome="done", reason="", elapsed_ms=900) for one in STEPS)
    panel.tell(panel.stand.put, order(steps=done))
    expect(panel.page.locator('.step[data-state="done"]')).to_have_count(6)


def test_units_can_be_reached_while_an_order_stands(panel: Panel) -> None:
    """A crew presses its status during an order, and comes back to the order by the same tab."""
    panel.tell(panel.stand.put, order())
    panel.push(panel.page.locator(".acknowledge"), "touch")
    tab = panel.page.locator("#tab-units")
    panel.push(tab, "touch")
    panel.push(panel.status("a14p1", "1"), "touch")
    expect(panel.status("a14p1", "1")).to_have_attribute("data-lamp", "steady")
    expect(tab).to_have_text("ORDER")
    panel.push(tab, "touch")
    expect(panel.page.locator("#order")).to_be_visible()
    panel.tell(panel.stand.put)
    expect(panel.page.locator("#units")).to_be_visible()
    expect(tab).to_have_text("Units")


def test_an_order_that_calls_comes_back(panel: Panel) -> None:
    """An order that nobody has acknowledged returns to the glass when nobody touches it for ten seconds."""
    panel.tell(panel.stand.put, order())
    panel.open_tab("crew")
    expect(panel.page.locator("#tab-units")).to_have_attribute("data-calling", "true")
    panel.pass_time(7.0)
    panel.expect_link("live")
    expect(panel.page.locator("#crew")).to_be_visible()
    panel.pass_time(3.0)
    expect(panel.page.locator("#order")).to_be_visible()


def test_two_orders(panel: Panel) -> None:
    """The newest comes first, the other is a press away and shows that it calls; each is acknowledged alone."""
    panel.tell(panel.stand.put, order(1))
    expect(panel.page.locator(".incident")).to_contain_text("I417")
    panel.tell(panel.stand.put, order(2), order(1))
    expect(panel.page.locator(".incident")).to_contain_text("I418")
    panel.push(panel.page.locator(".acknowledge"), "touch")
    expect(panel.page.locator(".acknowledge")).to_have_text("✓ ACKNOWLEDGED")
    following = panel.page.locator("#tab-next")
    expect(following).to_have_text("Order 1/2")
    expect(following).to_have_attribute("data-lamp", "slow")
    panel.push(following, "touch")
    expect(panel.page.locator(".incident")).to_contain_text("I417")
    expect(panel.page.locator(".acknowledge")).to_have_text("ACKNOWLEDGE")
    assert [form for form in panel.stand.asked] == [
        msgspec.convert({"order": order(2).order}, type(panel.stand.asked[0]))
    ]


def test_a_cancelled_order_is_said_until_it_is_closed(panel: Panel) -> None:
    """A cancellation takes the glass again, and a person puts it away; that is nothing to tell the agent."""
    panel.tell(panel.stand.put, order(acknowledged=True))
    panel.open_tab("units")
    panel.tell(panel.stand.put, order(acknowledged=True, standing="cancelled"))
    expect(panel.page.locator(".order-title")).to_have_text("CANCELLED: MOBILISE")
    expect(panel.page.locator("#order-said")).to_contain_text("CANCELLED")
    panel.push(panel.page.get_by_role("button", name="SEEN: CLOSE"), "touch")
    expect(panel.page.locator("#units")).to_be_visible()
    assert panel.stand.asked == []


def test_an_exercise_cannot_be_taken_for_an_incident(panel: Panel) -> None:
    """An order in another mode than live says so before anything else."""
    panel.tell(panel.stand.put, order(mode="training"))
    expect(panel.page.locator(".order-title")).to_have_text("TRAINING ONLY: MOBILISE")


def test_text_from_elsewhere_is_text(panel: Panel) -> None:
    """Markup in what control writes is shown as it is written."""
    hostile = "<img src=x onerror=document.body.remove()>"
    panel.tell(panel.stand.put, msgspec.structs.replace(order(), address=hostile, text=hostile, incident=hostile))
    expect(panel.page.locator(".address")).to_have_text(hostile)
