"""A page and a feed for each test."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.feed_source import FeedSource, SourceFactory, serving
from tests.chromium import launched
from tests.ports import free_port
from tests.waiting import DEADLINE_S


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without its windows and tabs: the same engine and build, for two thirds of the processor time.

    The tests in tests/endtoend, and the pictures, are of the whole browser.
    """
    with launched("chromium-headless-shell") as browser:
        yield browser


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
    page.set_default_timeout(DEADLINE_S * 1_000)
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
