"""Takes the pictures of the touch page that stand in the documentation: `python -m tests.browser.panel_pictures`."""

from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.panel_page import Panel, on_glass
from tests.chromium import ARGUMENTS
from tests.edge_agent.panel.orders import order
from tests.edge_agent.panel.stand import Stand
from tests.programs import require_program

DOCS = Path(__file__).resolve().parents[2] / "docs"


def take(panel: Panel, name: str) -> None:
    """Write one picture, with every animation at its beginning."""
    panel.page.evaluate("document.getAnimations().forEach(each => { each.pause(); each.currentTime = 0; })")
    panel.page.screenshot(path=DOCS / f"panel-{name}.png")


def main() -> None:
    """Take all of them."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=require_program("chromium"), args=list(ARGUMENTS))
        with on_glass(chromium, Stand()) as panel:
            take(panel, "live")
            panel.tell(panel.stand.put, order())
            expect(panel.page.locator(".acknowledge")).to_be_enabled()
            take(panel, "order")
        with on_glass(chromium, Stand()) as panel:
            panel.cut_wan()
            panel.push(panel.status("a14p1", "1"), "touch")
            expect(panel.page.locator("#notice-more")).to_contain_text("oldest unsent 4 s")
            take(panel, "wan-down")
        with on_glass(chromium, Stand()) as panel:
            panel.tell(panel.stand.set, night=True)
            expect(panel.page.locator("html")).to_have_class("night")
            take(panel, "night")
        chromium.close()


if __name__ == "__main__":
    main()
