"""A browser for the whole run, a page and a feed for each test."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.feed_source import FeedSource, SourceFactory, free_port, serving

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Its absence is a skip, and in CI a failure."""
    if not CHROMIUM.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def faults() -> list[str]:
    """What the page's console and its policy complained of. Checked empty when the test ends."""
    return []


@pytest.fixture
def page(chromium: Browser, faults: list[str]) -> Iterator[Page]:
    """A control room's screen, in British time. A fault of the page fails the test."""
    context = chromium.new_context(
        viewport={"width": 1920, "height": 1080}, locale="en-GB", timezone_id="Europe/London"
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Security" in said.text else None)
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def serve() -> Iterator[SourceFactory]:
    """Serve a source until the test ends."""
    with ExitStack() as stack:
        yield lambda source: stack.enter_context(serving(source))


@pytest.fixture
def port() -> int:
    """A free loopback port."""
    return free_port()


@pytest.fixture
def source(serve: SourceFactory, port: int) -> FeedSource:
    """A feed with nothing on it yet."""
    return serve(FeedSource(port=port))
