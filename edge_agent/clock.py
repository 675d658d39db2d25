"""The device's clocks. The only place on the edge that asks the operating system what time it is."""

import asyncio
import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
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
    adjtimex = _find_adjtimex()
    return adjtimex is not None and 0 <= adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES_MAX)) < _TIME_ERROR


@cache
def _find_adjtimex() -> Callable[[object], int] | None:
    """The call, looked up once: it is asked with every event, and looking it up costs six times the call itself."""
    try:
        found: Callable[[object], int] = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    return found


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
