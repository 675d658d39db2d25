"""The touch page as a test drives it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, expect

from tests.edge_agent.panel.stand import Form, Served, Stand, serving
from tests.waiting import DEADLINE_S, wait_until

HOLD_MS = 2_000
LOST_MS = 6_000
"""The page gives up after 3 s of silence; the rest is room for two busy cores."""
Way = Literal["touch", "keyboard"]
WAYS: tuple[Way, ...] = ("touch", "keyboard")
GAP_PX = 12
HURRIED = "const later = setTimeout; setTimeout = (done, ms, ...more) => later(done, ms === 2000 ? 150 : ms, ...more);"
"""Lets a hold be over soon. What a hold is, is proved without it."""
TARGET_PX = 88


class Screen:
    """A page on a panel's glass."""

    def __init__(self, page: Page) -> None:
        """Drive `page`, and note what its console and its policy complain of."""
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if "Security" in said.text else None)

    def open(self, url: str) -> None:
        """Load the page and wait until the agent has shown itself."""
        self.page.goto(url)
        self.expect_link("live")

    def expect_link(self, link: str) -> None:
        """Wait until the page says so of its agent."""
        expect(self.page.locator("body")).to_have_attribute("data-link", link, timeout=LOST_MS)

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

    def buttons(self) -> Locator:
        """Every target on the glass that can be pressed now."""
        return self.page.locator(":is(button, input):not(:disabled):visible")


class Panel(Screen):
    """A page on a panel's glass, and the stand behind it."""

    def __init__(self, page: Page, served: Served) -> None:
        """Drive `page`, which shows `served`."""
        super().__init__(page)
        self.served = served
        self.stand = served.stand

    def tell(self, what: Callable[..., None], *args: object, **named: object) -> None:
        """Do something to the station."""
        self.served.tell(what, *args, **named)

    def pass_time(self, duration_s: float) -> None:
        """Let the page's clocks run ahead. What hears nothing meanwhile is lost until the agent speaks again."""
        self.page.clock.fast_forward(round(duration_s * 1000))

    def cut_wan(self) -> None:
        """Cut the WAN, and wait until the page says that control sees nothing."""
        self.tell(self.stand.cut)
        expect(self.page.locator("#notice-text")).to_have_text("CONTROL CANNOT SEE THIS: USE RADIO OR PHONE")

    def ways(self) -> Iterator[Way]:
        """Each way to press, with the WAN up and then cut; each time from the units, and with nothing asked yet."""
        for wan_up in (True, False):
            if not wan_up:
                self.cut_wan()
            for way in WAYS:
                self.page.keyboard.press("Escape")
                self.stand.asked.clear()
                yield way

    def expect_asked(self, form: Form) -> None:
        """Wait until the agent's newest request is this."""
        wait_until(lambda: self.stand.asked[-1:] == [form], what=f"the agent is asked {form}")


@contextmanager
def screen(
    chromium: Browser,
    *,
    real_time: bool = False,
    reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
) -> Iterator[Page]:
    """A panel's screen, in British time, with nothing on it yet.

    Its clocks go by the real one, but may be let run ahead, and a hold is short; in `real_time` neither is so.
    """
    context = chromium.new_context(
        viewport={"width": 1024, "height": 600},
        has_touch=True,
        locale="en-GB",
        timezone_id="Europe/London",
        reduced_motion=reduced_motion,
    )
    page = context.new_page()
    page.set_default_timeout(DEADLINE_S * 1_000)
    if not real_time:
        page.clock.install()
        page.add_init_script(HURRIED)
    yield page
    context.close()


@contextmanager
def on_glass(
    chromium: Browser,
    stand: Stand,
    *,
    real_time: bool = False,
    reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
) -> Iterator[Panel]:
    """A panel's screen on a stand that is being served. A fault of the page fails the test."""
    with serving(stand) as served, screen(chromium, real_time=real_time, reduced_motion=reduced_motion) as page:
        panel = Panel(page, served)
        panel.open(stand.url)
        yield panel
    assert panel.faults == []
