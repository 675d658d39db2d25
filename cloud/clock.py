"""The server's clocks. The only place in the cloud that asks the operating system what time it is."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks and a way to wait. Durations come from `monotonic`, records from `now`."""

    def now(self) -> datetime:
        """Wall time, aware, UTC. It may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment. It never goes back."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Wait for `duration_s` seconds of the monotonic clock."""
        ...


class SystemClock:
    """The operating system's clocks."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of CLOCK_BOOTTIME. It goes on while the machine sleeps: an hour of sleep makes all an hour older."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, duration_s: float) -> None:
        """Wait for `duration_s` seconds."""
        await asyncio.sleep(duration_s)
