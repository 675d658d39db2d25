"""What the panels share: how an outage is told and waited for."""

import asyncio

import pytest

from edge_agent.decode.readings import Reading, SourceFault
from edge_agent.sources.panel import Outage, until_first
from tests.edge_agent.sources.panel_lab import HandClock
from tests.waiting import DEADLINE_S


def test_back_off_is_capped_jittered_and_starts_anew() -> None:
    """Waits double to 5 s, jitter takes at most half, a flapping device keeps waiting, a long-lived one does not."""

    async def main() -> None:
        told: list[Reading] = []
        clock = HandClock()
        outage = Outage("panel", emit=told.append, clock=clock, jitter=lambda: 0.5)

        async def wait_s() -> float:
            before_s, waiting = clock.monotonic(), asyncio.ensure_future(outage.wait("gone"))
            await clock.wake_next()
            await waiting
            return clock.monotonic() - before_s

        assert [await wait_s() for _ in range(5)] == pytest.approx([0.375, 0.75, 1.5, 3.0, 3.75])
        outage.heal()
        assert await wait_s() == pytest.approx(3.75)
        outage.heal()
        living = asyncio.ensure_future(clock.sleep(6.0))
        await clock.wake_next()
        await living
        assert await wait_s() == pytest.approx(0.375)
        broke, healed = SourceFault("panel", "gone"), SourceFault("panel", "")
        assert told == [broke, healed, broke, healed, broke]

    asyncio.run(main())


def test_the_first_to_end_cancels_the_others_and_its_error_comes_out_bare() -> None:
    """Work that runs side by side ends together, and a supervisor sees the error itself, not a group."""

    async def main() -> None:
        ended: list[str] = []

        async def forever() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("forever")

        async def broken() -> None:
            await asyncio.sleep(0)
            raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            async with asyncio.timeout(DEADLINE_S):
                await until_first(forever(), broken())
        assert ended == ["forever"]

    asyncio.run(main())
