"""The source against a real gpsd that is killed, starved, unplugged, restarted, and against peers that are no gpsd."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from edge_agent.decode.readings import Fix, Reading, SourceFault
from edge_agent.sources.gpsd import LINE_BYTES_MAX, GpsdSource
from tests.gpsd_lab import GpsdLab, ShiftedClock, Talk, gpsd_lab, peer, running
from tests.gpsd_logs import drive
from tests.ports import free_port
from tests.waiting import eventually

START = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SILENT_AFTER_S = 1.0
FIRST_FIX_S = 2.0
"""A vehicle's own promise: seconds from the agent's start to its first fix, with a receiver that has one."""

DRIVE = drive(START, count=600)
"""Two minutes at 5 Hz: more than any test takes."""


@dataclass
class Heard:
    """What a source emitted, in order."""

    readings: list[Reading] = field(default_factory=list)

    def faults(self) -> list[str]:
        """The texts of all faults; an empty one is a healing."""
        return [reading.text for reading in self.readings if isinstance(reading, SourceFault)]

    def ends_with_a_position(self) -> bool:
        """Whether the last reading is a fix with a position."""
        return bool(self.readings) and isinstance(last := self.readings[-1], Fix) and last.lat is not None

    def says_none(self) -> bool:
        """Whether the last two readings are a fault and a fix of mode none."""
        match self.readings[-2:]:
            case [SourceFault(text=text), Fix(mode="none")]:
                return bool(text)
        return False

    def assert_one_outage(self) -> None:
        """One fault, told once and followed by "no fix", then one healing followed by positions only."""
        faults = self.faults()
        assert 2 == len(faults) and faults[0] and not faults[1]
        at = next(n for n, reading in enumerate(self.readings) if isinstance(reading, SourceFault))
        assert self.readings[at + 1] == Fix(mode="none")
        assert self.readings[at + 2] == SourceFault("gpsd", "")


@contextlib.asynccontextmanager
async def listening(port: int) -> AsyncIterator[tuple[GpsdSource, Heard]]:
    """A running source on `port` and what it emits. It must still be running at the end."""
    heard = Heard()
    source = GpsdSource("127.0.0.1", port, clock=ShiftedClock(START), silent_after_s=SILENT_AFTER_S, jitter=lambda: 0.5)
    async with running(source.run(heard.readings.append)) as task:
        yield source, heard
        assert not task.done()


@contextlib.asynccontextmanager
async def driving() -> AsyncIterator[tuple[GpsdLab, asyncio.Task[None], Heard]]:
    """A real gpsd whose receiver drives, its feeding task, and a source that has had its first position."""
    async with gpsd_lab() as lab:
        await lab.opened()
        async with running(lab.feed(DRIVE, cycle_s=0.2)) as feeding, listening(lab.port) as (_, heard):
            await eventually(heard.ends_with_a_position, what="a first position")
            yield lab, feeding, heard


def test_the_first_fix_comes_quickly() -> None:
    """A receiver that has a fix gives one within two seconds of the source's start, with position, time and speed."""

    async def scene() -> None:
        async with gpsd_lab() as lab:
            await lab.opened()
            async with running(lab.feed(DRIVE, cycle_s=0.2)), listening(lab.port) as (source, heard):
                await eventually(heard.ends_with_a_position, what="a first position", deadline_s=FIRST_FIX_S)
                await eventually(lambda: len(heard.readings) >= 5, what="more of them")
                last = heard.readings[-1]
                assert isinstance(last, Fix) and last.mode == "3d" and last.satellites in (None, 8)
                assert last.gnss_time is not None and last.gnss_time.date() == START.date()
                assert last.speed_mps is not None and abs(last.speed_mps - 10.0) < 0.1 and last.heading_deg == 0.5
                assert source.received >= 5 and source.rejected == Counter()
                assert heard.faults() == []

    asyncio.run(scene())


def test_a_silent_receiver_is_told_once_and_heals_once() -> None:
    """While gpsd runs the receiver says nothing: one fault, no fix, and with its next word it is healed."""

    async def scene() -> None:
        async with driving() as (lab, feeding, heard):
            feeding.cancel()
            await eventually(heard.says_none, what="silence is told")
            count = len(heard.readings)
            async with running(lab.feed(DRIVE[300:], cycle_s=0.2)):
                await eventually(heard.ends_with_a_position, what="a position after the silence")
            assert heard.readings[count] == SourceFault("gpsd", "")
            heard.assert_one_outage()

    asyncio.run(scene())


def test_a_long_silence_is_not_repeated() -> None:
    """Three times as long as silence takes to be told, through a reconnection: still one fault, and no fix but none."""

    async def scene() -> None:
        async with driving() as (_, feeding, heard):
            feeding.cancel()
            await eventually(heard.says_none, what="silence is told")
            clock = ShiftedClock(START)
            await eventually(lambda: clock.monotonic() > 3 * SILENT_AFTER_S, what="a while")
            assert heard.says_none() and len(heard.faults()) == 1

    asyncio.run(scene())


def test_a_killed_gpsd_is_found_again() -> None:
    """The daemon dies without a word and comes back: the source connects again by itself."""

    async def scene() -> None:
        async with driving() as (lab, _, heard):
            await lab.kill()
            await eventually(heard.says_none, what="the death is told")
            assert "no gpsd on" in heard.faults()[0]
            await lab.start()
            await eventually(heard.ends_with_a_position, what="a position after the restart")
            heard.assert_one_outage()

    asyncio.run(scene())


def test_a_frozen_gpsd_is_silence() -> None:
    """The daemon is stopped with its socket open: told as silence, and over when it goes on."""

    async def scene() -> None:
        async with driving() as (lab, _, heard):
            lab.freeze()
            await eventually(heard.says_none, what="silence is told")
            lab.thaw()
            await eventually(heard.ends_with_a_position, what="a position after the thaw")
            heard.assert_one_outage()

    asyncio.run(scene())


def test_a_replugged_receiver_is_heard_again() -> None:
    """The cable is pulled and put back, and udev tells gpsd as on Debian: told by its name, and healed."""

    async def scene() -> None:
        async with driving() as (lab, feeding, heard):
            feeding.cancel()
            await lab.unplug()
            await eventually(heard.says_none, what="the unplugging is told")
            assert "has no receiver" in heard.faults()[0]
            await lab.plug()
            await lab.opened()
            async with running(lab.feed(DRIVE[300:], cycle_s=0.2)):
                await eventually(heard.ends_with_a_position, what="a position after the replug")
            heard.assert_one_outage()

    asyncio.run(scene())


def test_no_gpsd_at_all_is_told_once() -> None:
    """Nobody listens on the port: one fault and no fix, however many attempts fail."""

    async def scene() -> None:
        async with listening(free_port()) as (_, heard):
            await eventually(heard.says_none, what="absence is told")
            clock = ShiftedClock(START)
            await eventually(lambda: clock.monotonic() > 2 * SILENT_AFTER_S, what="more attempts")
            assert 2 == len(heard.readings)

    asyncio.run(scene())


def repeating(said: bytes, taken: list[int]) -> Talk:
    """Say `said` again and again; `taken` gets the number of bytes that each connection took."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(0)
        while True:
            writer.write(said)
            await writer.drain()
            await asyncio.sleep(0)
            taken[-1] += len(said)

    return talk


def test_an_endless_line_does_not_eat_memory() -> None:
    """A peer that never ends its line is cut off after a bounded amount, counted, and tried again later."""

    async def scene() -> None:
        taken: list[int] = []
        async with peer(repeating(b"x" * 1024, taken)) as port, listening(port) as (source, heard):
            await eventually(lambda: source.rejected["oversize"] >= 2, what="cut off twice")
            await eventually(heard.says_none, what="it is told")
            assert "no gpsd: endless line" in heard.faults()[0]
        # What the kernel's socket buffers took is not the source's memory: 8 MiB is far below endless.
        assert taken and max(taken) < 8 * 1024 * 1024
        assert LINE_BYTES_MAX == 32 * 1024

    asyncio.run(scene())


def test_a_dead_connection_is_given_up() -> None:
    """A connection that stays open and silent is asked again a few times, then replaced by a new one."""

    async def scene() -> None:
        asked: list[int] = []

        async def count(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            asked.append(0)
            while await reader.readline():
                asked[-1] += 1

        async with peer(count) as port, listening(port):
            await eventually(lambda: len(asked) >= 3, what="a third connection")
            assert asked[:2] == [4, 4]

    asyncio.run(scene())


def test_rubbish_does_not_end_the_source() -> None:
    """Lines of rubbish without pause: each is counted and a few kept, silence is told, nothing is believed."""

    async def scene() -> None:
        async with (
            peer(repeating(b'\x00\xff{"class":"TPV","mode":3,"lat":\n', [])) as port,
            listening(port) as (source, heard),
        ):
            await eventually(heard.says_none, what="nothing usable is told")
            assert source.rejected["malformed"] > 100
            assert 0 < len(source.quarantine) <= 16
            assert "no usable position" in heard.faults()[0]

    asyncio.run(scene())


def test_positions_that_are_none_are_silence() -> None:
    """A receiver that only claims 0, 0 is no live receiver: rejected, and told as a fault with no fix."""

    async def scene() -> None:
        said = b'{"class":"TPV","mode":3,"time":"2026-11-22T10:00:00.000Z","lat":0.0,"lon":0.0}\n'
        said += said.replace(b"00.000Z", b"01.000Z")
        async with peer(repeating(said, [])) as port, listening(port) as (source, heard):
            await eventually(heard.says_none, what="nothing usable is told")
            assert source.rejected["position_zero"] >= 1
            assert not any(isinstance(r, Fix) and r.lat is not None for r in heard.readings)

    asyncio.run(scene())
