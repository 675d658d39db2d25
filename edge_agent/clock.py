"""The device's clocks. The only place on the edge that asks the operating system what time it is."""

import asyncio
import ctypes
import time
from datetime import UTC, datetime
from typing import Protocol

_TIMEX_BYTES_MAX = 512
"""`struct timex` is 208 bytes on 64-bit systems and smaller on others. All zero, it asks and sets nothing."""
_TIME_ERROR = 5


class Clock(Protocol):
    """Two clocks and a way to wait. Durations come from `monotonic`, records from `now`."""

    def now(self) -> datetime:
        """Wall time, aware, UTC. It may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment of this boot. It never goes back."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Wait for `duration_s` seconds of the monotonic clock."""
        ...


def kernel_synchronised() -> bool:
    """Tell whether the kernel says that its wall clock is disciplined, by NTP or another service.

    adjtimex(2) answers TIME_ERROR (5) for a clock that is not. Where the system has no such call: False.
    """
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES_MAX)
    try:
        answer: int = ctypes.CDLL(None).adjtimex(buffer)
    except (OSError, AttributeError):
        return False
    return 0 <= answer < _TIME_ERROR


class SystemClock:
    """The operating system's clocks."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Wait for `duration_s` seconds."""
        await asyncio.sleep(duration_s)
