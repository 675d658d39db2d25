"""How often a turnout lets time pass: seldom while there is nothing to do, and often from the moment that there is."""

import asyncio
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.turnout.runner import IDLE_PASS_S, PASS_S
from tests.edge_agent.turnout.lab import ENGINE
from tests.edge_agent.turnout.yard import served, working

SOON_S = 1.0


class CountingClock(SystemClock):
    """The operating system's clocks; it counts how often anybody waited for a tenth of a second."""

    def __init__(self) -> None:
        """Nobody has waited."""
        self.often = 0

    async def sleep(self, duration_s: float) -> None:
        """Wait for `duration_s` seconds."""
        self.often += duration_s == PASS_S
        await super().sleep(duration_s)


def test_time_passes_often_only_while_something_is_in_hand(tmp_path: Path) -> None:
    """With nothing in hand nobody wakes ten times a second, which costs a device its processor; a call changes that."""

    async def run() -> None:
        clock = CountingClock()
        async with served() as (plant, port), working(tmp_path, plant, port, clock=clock) as yard:
            await clock.sleep(1.5 * IDLE_PASS_S)
            assert 0 == clock.often
            await yard.turnout.turn_out([ENGINE])
            await clock.sleep(SOON_S)
            assert clock.often > SOON_S / PASS_S / 3

    asyncio.run(run())
