"""The touch page as a test drives it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, expect

from tests.edge_agent.panel.stand import Form, Served, Stand, serving
from tests.waiting import wait_until

HOLD_MS = 2_000
LOST_MS = 6_000
"""The page gives up after 3 s of silence; the rest is room for two busy cores."""
Way = Literal["touch", "keyboard"]
GAP_PX = 12
TARGET_PX = 88


class Panel:
    """A page on a panel's glass, and the station behind it."""

    def __init__(self, page: Page, served: Served) -> None:
        """Drive `page`, which shows `served`."""
        self.page = page
        self.faults: list[str] = []
        """What the page's console and its policy complained of."""
        self.served = served
        self.stand = served.stand

    def open(self) -> None:
        """Load the page and wait until the agent has shown itself."""
        self.page.goto(self.stand.url)
        self.expect_link("live")

    def expect_link(self, link: str) -> None:
        """Wait until the page says so of its agent."""
        expect(self.page.locator("body")).to_have_attribute("data-link", link, timeout=LOST_MS)

    def tell(self, what: Callable[..., None], *args: object, **named: object) -> None:
        """Do something to the station."""
        self.served.tell(what, *args, **named)

    def cut_wan(self) -> None:
        """Cut the WAN, and wait until the page says that control sees nothing."""
        self.tell(self.stand.cut)
        expect(self.page.locator("#notice-text")).to_have_text("CONTROL CANNOT SEE THIS: USE RADIO OR PHONE")

    def status(self, unit: str, code: str) -> Locator:
        """A status button."""
        return self.page.locator(f'[data-unit="{unit}"] [data-code="{code}"]')

    def push(self, button: Locator, way: Way) -> None:
        """Press a button by a finger, or by the keyboard once it has the focus."""
        expect(button).to_be_visible()
        expect(button).to_be_enabled()
        if way == "touch":
            button.tap()
        else:
            button.focus()
            self.page.keyboard.press("Enter")

    def hold(self, button: Locator, way: Way, until: Callable[[], None]) -> None:
        """Hold a button, until the page shows what comes of it."""
        expect(button).to_be_enabled()
        if way == "keyboard":
            button.focus()
            self.page.keyboard.down("Enter")
            until()
            self.page.keyboard.up("Enter")
            return
        pointer = {"isPrimary": True, "button": 0, "pointerType": "touch", "pointerId": 7}
        button.dispatch_event("pointerdown", pointer)
        until()
        button.dispatch_event("pointerup", pointer)

    def open_tab(self, name: str, way: Way = "touch") -> Locator:
        """Open a tab, by a hold where it asks for one."""
        tab, pane = self.page.locator(f"#tab-{name}"), self.page.locator(f"#{name}")
        if name in ("test", "turn-out"):
            self.hold(tab, way, lambda: expect(pane).to_be_visible())
        else:
            self.push(tab, way)
        expect(pane).to_be_visible()
        return pane

    def expect_asked(self, form: Form) -> None:
        """Wait until the agent's newest request is this."""
        wait_until(lambda: self.stand.asked[-1:] == [form], what=f"the agent is asked {form}")

    def buttons(self) -> Locator:
        """Every target on the glass that can be pressed now."""
        return self.page.locator(":is(button, input):not(:disabled):visible")


@contextmanager
def on_glass(
    chromium: Browser,
    stand: Stand,
    *,
    touch: bool = True,
    reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
) -> Iterator[Panel]:
    """A panel's screen, in British time, on a station that is being served. A fault of the page fails the test."""
    context = chromium.new_context(
        viewport={"width": 1024, "height": 600},
        has_touch=touch,
        locale="en-GB",
        timezone_id="Europe/London",
        reduced_motion=reduced_motion,
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    with serving(stand) as served:
        panel = Panel(page, served)
        page.on("pageerror", lambda error: panel.faults.append(str(error)))
        page.on("console", lambda said: panel.faults.append(said.text) if "Security" in said.text else None)
        panel.open()
        yield panel
        context.close()
    assert panel.faults == []
