"""Control's word by the page, over the real application: the unit's record has it, and the crew's panel is told."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect

from cloud.app import App
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import county_site
from tests.waiting import wait_until


@contextmanager
def serving_site(folder: Path, broker: RunningBroker) -> Iterator[App]:
    """The real application, on a thread of its own: the browser's client has this one."""
    begun: list[App] = []
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        async with county_site(folder, broker) as app:
            begun.append(app)
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[run()])
    thread.start()
    try:
        wait_until(lambda: bool(begun), what="the application", deadline_s=20)
        yield begun[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()


def test_a_word_a_mode_and_a_list_by_the_page(
    chromium: Browser, shared_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """A status that is typed stands on the board as control's; the unit in test is then recommended to nobody."""
    with serving_site(tmp_path, shared_mosquitto) as app:
        context = chromium.new_context(viewport={"width": 1280, "height": 700}, locale="en-GB")
        page = context.new_page()
        page.goto(app.address + "?map=off")
        expect(page.locator("body")).to_have_attribute("data-feed", "live")
        page.keyboard.press(">")
        page.keyboard.type("s P12 2")
        page.keyboard.press("Enter")
        expect(page.locator(".saying-enter")).to_have_text("Enter says: 2 Available, on patrol")
        page.locator("#s-by").fill("A. Smith")
        page.keyboard.press("Enter")
        told = page.locator('[id="unit-kp-12"]')
        expect(told).to_contain_text("Available, on patrol")
        expect(page.locator("#saying")).to_be_hidden()
        page.keyboard.press("/")
        page.keyboard.type("P12")
        page.keyboard.press("Enter")
        page.keyboard.press("s")
        expect(page.locator(".saying-now")).to_contain_text("Stands: 2 Available, on patrol")
        page.locator("#s-code").fill("7")
        page.keyboard.press("Enter")
        expect(told).to_contain_text("Committed but deployable")
        expect(page.locator("#saying")).to_be_hidden()
        page.keyboard.press(">")
        page.keyboard.type("mode P12")
        page.keyboard.press("Enter")
        page.locator("#o-until").fill("30m")
        page.locator("#o-reason").fill("drill")
        page.keyboard.press("Enter")
        expect(page.locator("#modes")).to_contain_text("TEST until")
        found = page.evaluate("fetch('v1/recommend?lat=51&lon=1').then((answer) => answer.json())")
        assert ([], {"mode": 1, "no_status": 1}) == (
            found["units"],
            {one["why"]: one["units"] for one in found["left_out"]},
        )
        context.close()
