"""Waits for a condition with a deadline: the only place in the tests that pauses."""

import asyncio
import time
from collections.abc import Callable

PAUSE_S = 0.01
DEADLINE_S = 30.0
"""Far above what anything here takes on two busy cores; it is only ever reached by a failure."""


def wait_until(condition: Callable[[], object], *, what: str, deadline_s: float = DEADLINE_S) -> None:
    """Return as soon as `condition()` is truthy; raise AssertionError naming `what` after `deadline_s` seconds."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        time.sleep(PAUSE_S)


async def eventually(condition: Callable[[], object], *, what: str, deadline_s: float = DEADLINE_S) -> None:
    """The same for coroutines: other tasks run between looks."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        await asyncio.sleep(PAUSE_S)
