"""The polling source against a real gpsd."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from edge_agent.decode.readings import Fix, Reading, SourceFault
from edge_agent.errors import Fatal
from edge_agent.sources.gpsd_poll import GpsdPollSource
from tests.gpsd_lab import GpsdLab, ShiftedClock, gpsd_lab, peer, running
from tests.gpsd_logs import drive
from tests.ports import free_port
from tests.waiting import eventually

START = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
DRIVE = drive(START, count=600)
SILENT_AFTER_S = 2.0
"""Two polls without a fresh answer."""


@pytest.fixture
def readings() -> Iterator[list[Reading]]:
    """Where the source emits to. Skips where the optional library is missing."""
    pytest.importorskip("gpsd", reason="gpsd-py3 is not installed: it is the extra gpsd-poll")
    yield []


def source_on(port: int) -> GpsdPollSource:
    """A source with a short patience."""
    return GpsdPollSource("127.0.0.1", port, clock=ShiftedClock(START), silent_after_s=SILENT_AFTER_S)


def located(readings: list[Reading]) -> bool:
    """Whether the last reading is a fix with a position."""
    return bool(readings) and isinstance(last := readings[-1], Fix) and last.lat is not None


def silent(readings: list[Reading]) -> bool:
    """Whether the last two readings are a fault and a fix of mode none."""
    match readings[-2:]:
        case [SourceFault(text=text), Fix(mode="none")]:
            return bool(text)
    return False


@contextlib.asynccontextmanager
async def polling(readings: list[Reading]) -> AsyncIterator[tuple[GpsdLab, asyncio.Task[None], GpsdPollSource]]:
    """A real gpsd whose receiver drives, its feeding task, and a source that has had its first position."""
    async with gpsd_lab() as lab:
        await lab.opened()
        source = source_on(lab.port)
        async with running(lab.feed(DRIVE, cycle_s=0.2)) as feeding, running(source.run(readings.append)) as task:
            await eventually(lambda: located(readings), what="a first position")
            yield lab, feeding, source
            assert not task.done()


def test_a_position_is_polled(readings: list[Reading]) -> None:
    """A driving receiver gives fresh positions with their time and speed."""

    async def scene() -> None:
        async with polling(readings) as (_, _, source):
            await eventually(lambda: len(readings) >= 3, what="three positions")
            fixes = [reading for reading in readings if isinstance(reading, Fix)]
            times = [fix.gnss_time for fix in fixes if fix.gnss_time is not None]
            assert len(times) == len(fixes) and times == sorted(set(times))
            assert fixes[-1].mode == "3d" and fixes[-1].speed_mps is not None
            assert abs(fixes[-1].speed_mps - 10.0) < 0.1 and fixes[-1].heading_deg == 0.5
            assert fixes[-1].satellites is None, "the library says 0 where gpsd said nothing"
            assert source.received >= 3 and not source.rejected

    asyncio.run(scene())


def test_a_fix_that_does_not_advance_is_silence(readings: list[Reading]) -> None:
    """Polled, gpsd goes on reporting the last fix of a silent receiver: that is not fresh, is told once, and heals."""

    async def scene() -> None:
        async with polling(readings) as (lab, feeding, source):
            feeding.cancel()
            await eventually(lambda: silent(readings), what="silence is told")
            answers = source.received
            await eventually(lambda: source.received > answers, what="gpsd answers all the while")
            assert silent(readings)
            async with running(lab.feed(DRIVE[300:], cycle_s=0.2)):
                await eventually(lambda: located(readings), what="a position after the silence")
            faults = [reading.text for reading in readings if isinstance(reading, SourceFault)]
            assert 2 == len(faults) and not faults[1]

    asyncio.run(scene())


def test_a_gpsd_that_never_answers_does_not_hold_the_agent(readings: list[Reading]) -> None:
    """The daemon is frozen in the middle of a poll: the loop goes on, silence is told, and the thaw heals it."""

    async def scene() -> None:
        async with polling(readings) as (lab, _, source):
            lab.freeze()
            await eventually(lambda: silent(readings), what="silence is told")
            assert source.rejected["answer"] >= 1
            lab.thaw()
            await eventually(lambda: located(readings), what="a position after the thaw", deadline_s=20.0)

    asyncio.run(scene())


def test_a_poll_without_an_answer_is_cut_off(readings: list[Reading]) -> None:
    """A peer that takes the connection and never says a word holds the one worker for a bounded time only."""

    async def scene() -> None:
        connections: list[bool] = []

        async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            connections.append(True)
            await reader.read()

        async with peer(mute) as port, running(source_on(port).run(readings.append)):
            await eventually(lambda: len(connections) >= 2, what="a second attempt")

    asyncio.run(scene())


def test_no_gpsd_is_told_once(readings: list[Reading]) -> None:
    """Nobody listens: one fault, one fix of mode none, and the source goes on asking."""

    async def scene() -> None:
        source = source_on(free_port())
        async with running(source.run(readings.append)):
            await eventually(lambda: silent(readings), what="absence is told")
            failed = source.rejected["answer"]
            await eventually(lambda: source.rejected["answer"] >= failed + 2, what="it asks again")
            assert 2 == len(readings)

    asyncio.run(scene())


def test_without_the_library_the_fault_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where gpsd-py3 is missing the source refuses at once, and says what to install."""
    monkeypatch.setitem(sys.modules, "gpsd", None)
    with pytest.raises(Fatal, match=r"watchroom\[gpsd-poll\]"):
        GpsdPollSource("127.0.0.1", 2947, clock=ShiftedClock(START, began_s=0.0))
