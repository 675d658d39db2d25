"""The emergency button at work: held for long enough it commits one emergency, and its lamp says what became of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from edge_agent.actuators.emergency import EmergencyButton
from edge_agent.clock import SystemClock
from edge_agent.decode.readings import Press
from edge_agent.state.emergency import Guard
from tests.waiting import eventually
from wire.messages import QueueSettle, RefusedSeq

GUARD = Guard(hold_s=0.2, debounce_s=0.01)


@contextlib.asynccontextmanager
async def button(
    seqs: list[int | None], guard: Guard = GUARD
) -> AsyncIterator[tuple[EmergencyButton, list[int | None]]]:
    """A running button whose emergencies are committed as `seqs`, and those that were."""
    committed: list[int | None] = []

    async def commit() -> int | None:
        committed.append(seqs[len(committed)])
        return committed[-1]

    one = EmergencyButton("sos", guard, clock=SystemClock(), commit=commit)
    running = asyncio.ensure_future(one.run())
    try:
        yield one, committed
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def _hold() -> None:
    async with button([7, 8]) as (one, committed):
        await one.take(Press("sos", True))
        await eventually(lambda: committed == [7], what="an emergency")
        assert "slow" == one.lamp
        await SystemClock().sleep(0.3)
        assert [7] == committed


def test_a_button_that_is_held_raises_one_emergency_however_long() -> None:
    """It is raised by time alone, without another edge, and only once."""
    asyncio.run(_hold())


async def _tap() -> None:
    async with button([7], Guard(hold_s=30.0, debounce_s=0.01)) as (one, committed):
        await one.take(Press("sos", True))
        await one.take(Press("sos", False))
        await SystemClock().sleep(0.1)
        assert ([], "dark") == (committed, one.lamp)


def test_a_tap_raises_nothing() -> None:
    """Who leans on the button for a moment calls nobody."""
    asyncio.run(_tap())


async def _refused() -> None:
    async with button([None]) as (one, committed):
        await one.take(Press("sos", True))
        await eventually(lambda: bool(committed), what="an emergency")
        assert "fast" == one.lamp
    async with button([9]) as (one, committed):
        await one.take(Press("sos", True))
        await eventually(lambda: bool(committed), what="an emergency")
        settle = QueueSettle(stream="s", queue="status", through=9, digest="0" * 64, refused=[RefusedSeq(9, "x")])
        one.settle(settle)
        assert "fast" == one.lamp


def test_an_emergency_that_was_not_stored_or_was_refused_blinks_fast() -> None:
    """The crew knows that it must use the radio."""
    asyncio.run(_refused())
