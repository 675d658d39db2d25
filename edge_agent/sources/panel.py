"""The port of a panel: presses come in, lamps and a notice go out. And what its backends share."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from edge_agent.clock import Clock
from edge_agent.decode.readings import Reading, SourceFault
from edge_agent.state.lamps import Lamp

Emit = Callable[[Reading], None]
Jitter = Callable[[], float]
"""Gives a number from 0 to below 1, so that devices that broke together do not come back together."""

DELAY_FIRST_S = 0.5
DELAY_MAX_S = 5.0
"""A crew waits in front of a replugged panel: the cap is short."""


class PanelBackend(Protocol):
    """A panel, whatever it is made of."""

    async def run(self, emit: Emit) -> None:
        """Emit every edge of every button as `Press`, raw, until cancelled.

        It never ends for outside reasons: an outage is one `SourceFault("panel", text)`, retried with back-off, and
        `SourceFault("panel", "")` once it has healed. What was held down when the panel went is released.
        """
        ...

    def show(self, lamps: Mapping[str, Lamp], notice: str) -> None:
        """Take in what the panel is to show from now on, until the next call. It never blocks or raises."""
        ...


def without_words(lamps: Mapping[str, Lamp], notice: str) -> dict[str, Lamp]:
    """The lamps of a panel with no place for the words of a notice: under one, every lamp that is lit blinks fast."""
    return {button: "fast" if notice and lamp != "dark" else lamp for button, lamp in lamps.items()}


class Outage:
    """Tells an outage once and its end once, and says how long to wait before the next attempt."""

    def __init__(self, source: str, *, emit: Emit, clock: Clock, jitter: Jitter) -> None:
        """Start healthy: nothing is told until something breaks."""
        self._source, self._emit, self._clock, self._jitter = source, emit, clock, jitter
        self._broken = False
        self._attempts = 0
        self._healed_at_s = clock.monotonic()

    def heal(self) -> None:
        """It works (again)."""
        self._healed_at_s = self._clock.monotonic()
        if self._broken:
            self._broken = False
            self._emit(SourceFault(self._source, ""))

    async def wait(self, text: str) -> None:
        """It broke, as `text` says. Wait 0.5 s, doubling to 5 s, less up to half by jitter.

        The doubling starts anew once it had worked for longer than the cap.
        """
        if not self._broken:
            lived_s = self._clock.monotonic() - self._healed_at_s
            self._attempts = 0 if lived_s > DELAY_MAX_S else self._attempts
            self._broken = True
            self._emit(SourceFault(self._source, text))
        delay_s = min(DELAY_FIRST_S * 2.0 ** min(self._attempts, 10), DELAY_MAX_S)
        self._attempts += 1
        await self._clock.sleep(delay_s * (1.0 - self._jitter() / 2))


async def until_first(*work: Coroutine[Any, Any, None]) -> None:
    """Run `work` side by side until one of it ends or raises; cancel the rest, and raise what that one raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
