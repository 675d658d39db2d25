"""The device's clocks, and what the kernel says of them."""

import asyncio
import ctypes
import gc
from datetime import UTC

from edge_agent.clock import SystemClock, kernel_synchronised

FUNCTION_TYPE: type = type(ctypes.CDLL(None).adjtimex).__mro__[1]
"""What ctypes derives a type from for each library that it opens."""
_TIME_ERROR = 5
"""ntp_gettime(3): the clock is not synchronised."""


def test_the_clock_is_synchronised_where_the_kernel_says_so() -> None:
    """The answer is a bool, and the same that another call of the C library gives."""
    answer = ctypes.CDLL(None).ntp_gettime(ctypes.create_string_buffer(512))
    assert kernel_synchronised() is (answer != _TIME_ERROR)


def test_asking_often_leaves_nothing_behind() -> None:
    """It is asked with every event and heartbeat: a thousand answers make no new type, which only a collection ends."""
    kernel_synchronised()
    gc.disable()
    try:
        before = len(FUNCTION_TYPE.__subclasses__())
        for _ in range(1_000):
            kernel_synchronised()
        assert len(FUNCTION_TYPE.__subclasses__()) == before
    finally:
        gc.enable()


def test_wall_time_is_utc_and_a_sleep_is_as_long_as_asked() -> None:
    """Records are in UTC, and durations are those of the clock that never goes back."""

    async def scenario() -> None:
        clock = SystemClock()
        assert clock.now().tzinfo is UTC
        before_s = clock.monotonic()
        await clock.sleep(0.02)
        assert clock.monotonic() - before_s >= 0.02

    asyncio.run(scenario())
