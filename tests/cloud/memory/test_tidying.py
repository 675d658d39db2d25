"""Finished days are put in order in the background, an hour after they are over, and whatever happens meanwhile."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from cloud.errors import Retryable
from cloud.memory import tidy_days
from cloud.telemetry import DuckFrames
from cloud.telemetry.days import DayFiles
from tests.cloud.memory.lab import Turned
from tests.waiting import eventually

MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)


class Days(DuckFrames):
    """Frames on a disk that has no room at first: it notes what it is asked to tidy."""

    def __init__(self, days: DayFiles) -> None:
        """Full."""
        super().__init__(days)
        self.asked: list[date] = []
        self.full = True

    def tidy(self, day: date) -> bool:
        """Refuse while the disk is full; else tidy."""
        self.asked.append(day)
        if self.full:
            raise Retryable("no room")
        return super().tidy(day)


def test_a_day_is_tidied_once_it_is_over(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Not before the hour after midnight; a full disk is waited out."""
    frames = Days.open(tmp_path_factory.mktemp("frames"))
    clock = Turned(at=MIDNIGHT + timedelta(minutes=59))

    async def scenario() -> None:
        tidying = asyncio.ensure_future(tidy_days(frames, clock))
        await eventually(lambda: len(frames.asked) > 2, what="a full disk is tried again")
        assert {date(2026, 11, 1)} == set(frames.asked)
        frames.full = False
        clock.at += timedelta(minutes=1)
        await eventually(lambda: frames.asked[-1] == date(2026, 11, 2), what="the day is over")
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)

    asyncio.run(scenario())
    frames.close()
