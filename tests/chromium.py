"""Debian's Chromium as a fixture, one for each file of tests.

Not one for the whole run: while it is open its event loop runs in this thread, and no other test could run one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.programs import require_program
from tests.waiting import DEADLINE_S

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


expect.set_options(timeout=DEADLINE_S * 1_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Its absence is a skip, and in CI a failure."""
    with launched("chromium") as browser:
        yield browser


@contextmanager
def launched(program: str) -> Iterator[Browser]:
    """A browser without a window, started from Debian's `program`. Skips or fails as `require_program`."""
    path = require_program(program)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()
