"""Takes the pictures of the sharing pages that stand in the documentation, of a demo that runs.

`watchroom demo`, and then `python -m tests.browser.sharing_pictures http://127.0.0.1:8470/`.
"""

import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect, sync_playwright

from tests.programs import require_program

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
ROOMS: Final = "rooms?show=own,kas,kfrs,kp"


def take_rooms(page: Page, address: str) -> None:
    """Write the picture of four rooms."""
    page.goto(address + ROOMS)
    expect(page.locator('.room-column[data-feed="live"]')).to_have_count(4)
    page.keyboard.press("ArrowDown")
    expect(page.locator('[aria-selected="true"]').first).to_be_visible()
    page.screenshot(path=DOCS / "rooms.png")


def take_agreements(page: Page, address: str) -> None:
    """Write the picture of the agreements, and of what the fire service sees."""
    page.goto(f"{address}agreements?partner=kfrs")
    expect(page.locator("body")).to_have_attribute("data-known", "true")
    page.locator("#unseen button").first.click()
    expect(page.locator(".why-verdict")).to_be_visible()
    page.screenshot(path=DOCS / "agreements.png")


def main() -> None:
    """Take both."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(require_program("chromium")), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1920, "height": 1080}, locale="en-GB", timezone_id="Europe/London")
        take_rooms(page, sys.argv[1])
        take_agreements(page, sys.argv[1])
        chromium.close()


if __name__ == "__main__":
    main()
