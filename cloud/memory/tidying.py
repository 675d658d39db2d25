"""Puts each day's frames in order once it is over: in the background, and again later where there is no room now."""

import asyncio
from datetime import timedelta

import structlog

from cloud.clock import Clock
from cloud.errors import Retryable
from cloud.telemetry import Frames

EVERY_S = 600.0
OVER_FOR = timedelta(hours=1)
"""A day is left alone for so long after its end: what was shown before it may still be on its way."""
_log = structlog.get_logger("memory")


async def tidy_days(frames: Frames, clock: Clock) -> None:
    """Look for finished days now and then, until cancelled."""
    failing = False
    while True:
        try:
            while await asyncio.to_thread(frames.tidy, (clock.now() - OVER_FOR).date()):
                _log.info("day_tidied")
            failing = False
        except Retryable as error:
            if not failing:
                _log.error("day_not_tidied", cause=str(error))
            failing = True
        await clock.sleep(EVERY_S)
