"""Time in a scenario: the only place that waits."""

import asyncio
from datetime import datetime, timedelta

from simulator.scenario.virtual import VirtualLoop

HANG_S = 100_000.0
"""The longest that anybody waits at once."""


async def elapse(duration_s: float) -> None:
    """Let `duration_s` virtual seconds pass."""
    await asyncio.sleep(duration_s)


class MachineClock:
    """A machine's two clocks. The wall clock may be stepped and drift; the monotonic one only drifts."""

    def __init__(self, loop: VirtualLoop, true_utc: datetime, *, booted_mono_s: float, drift: float = 0.0) -> None:
        """Begin a boot now, with its monotonic clock at `booted_mono_s`; `drift` is a fraction (50e-6 is 50 ppm)."""
        self._loop = loop
        self._start = true_utc
        self._booted_s = loop.time()
        self._mono_s = booted_mono_s
        self._drift = drift
        self.wrong_s = 0.0
        """How far the wall clock is ahead of the truth."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        elapsed_s = self._loop.time() - self._booted_s
        return self._start + timedelta(seconds=self._loop.time() + self.wrong_s + elapsed_s * self._drift)

    def monotonic(self) -> float:
        """Seconds since some moment of this boot."""
        return self._mono_s + (self._loop.time() - self._booted_s) * (1 + self._drift)

    async def sleep(self, duration_s: float) -> None:
        """Wait for `duration_s` seconds of this clock."""
        await asyncio.sleep(min(HANG_S, max(0.0, duration_s) / (1 + self._drift)))
