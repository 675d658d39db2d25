"""The emergency button at work: held for long enough it commits one emergency, and its lamp says what became of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from msgspec import UNSET

from edge_agent.actuators.emergency import EmergencyButton
from edge_agent.clock import SystemClock
from edge_agent.decode.readings import Press
from edge_agent.outbox import Stored
from edge_agent.state.emergency import Guard
from tests.waiting import eventually
from wire.events import EmergencyEvent, Origin
from wire.messages import AcknowledgedEmergency, QueueSettle, RefusedSeq, State

AT = datetime(2026, 11, 22, 13, 37, 1, tzinfo=UTC)
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


def lamp(one: EmergencyButton) -> str:
    """What its lamp says now."""
    return one.lamp


def told(*names: tuple[str, int], cancelled: bool = False) -> State:
    """Control's word of the emergencies that people have in hand; None said of any where there are none."""
    known = [
        AcknowledgedEmergency(unit="k-101", stream=stream, seq=seq, by="op 7", cancelled=cancelled)
        for stream, seq in names
    ]
    return State(v=1, owner_term=1, version=1, valid_until=AT, emergencies=known or UNSET)


def stored(seq: int, origin: Origin | None = None) -> Stored:
    """An emergency that is on disk and unsettled."""
    event = EmergencyEvent(seq=seq, at=AT, clock="gnss", boot=1, mono_ms=0, mode="live", origin=origin, unit="k-101")
    return Stored(seq, event, b"")


async def _acknowledged() -> None:
    async with button([7]) as (one, committed):
        one.hear(told(("s", 7), cancelled=True))
        assert "dark" == lamp(one), "nobody has raised one"
        one.restart([], stream="s")
        await one.take(Press("sos", True))
        await eventually(lambda: bool(committed), what="an emergency")
        for other in (told(), told(("s", 6)), told(("older", 7))):
            one.hear(other)
            assert "slow" == lamp(one)
        one.hear(told(("s", 6), ("s", 7)))
        assert "steady" == lamp(one)
        one.hear(told(("s", 7)))
        assert "steady" == lamp(one), "for as long as somebody has it"
        one.hear(told(("s", 7), cancelled=True))
        assert "dark" == lamp(one)


def test_the_lamp_is_steady_once_control_has_acknowledged_it() -> None:
    """That very emergency, and no other one, until control cancels it; the crew knows that a person has seen it."""
    asyncio.run(_acknowledged())


async def _carried() -> None:
    async with button([7]) as (one, committed):
        one.restart([stored(3)], stream="s")
        assert "slow" == lamp(one), "after a power cut the lamp says what is on disk"
        one.restart([stored(1, Origin("s", 3))], stream="t")
        one.hear(told(("t", 1)))
        assert "slow" == lamp(one)
        one.hear(told(("s", 3)))
        assert "steady" == lamp(one)
        await one.take(Press("sos", True))
        await eventually(lambda: committed == [7], what="another emergency")
        assert "slow" == lamp(one)
        one.hear(told(("t", 7)))
        assert "steady" == lamp(one)


def test_an_emergency_in_a_new_stream_goes_by_its_first_name() -> None:
    """However often the outbox was replaced, control's word finds it; a new push begins anew, in the stream of now."""
    asyncio.run(_carried())
