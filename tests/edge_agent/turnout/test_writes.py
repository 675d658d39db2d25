"""What is put on the bus: the newest value of each level, and each pulse once."""

import asyncio

from edge_agent.station.words import Pulse, Write, WriteFailed
from edge_agent.turnout.writes import Writes
from tests.waiting import eventually


class SlowOutputs:
    """A bus that takes its time: each write ends when it is let, with the result that it is let with."""

    def __init__(self) -> None:
        """Nothing was written yet."""
        self.begun: list[tuple[str, bool | float]] = []
        self._ends: asyncio.Queue[str] = asyncio.Queue()

    def let(self, result: str) -> None:
        """Let one write end."""
        self._ends.put_nowait(result)

    async def write(self, output: str, value: bool | float) -> str:
        """Write once."""
        self.begun.append((output, value))
        if output == "io.impossible":
            raise ValueError("it does not fit its register")
        return await self._ends.get()

    async def pulse(self, output: str, pulse_s: float) -> str:
        """Turn on once, and off again."""
        return await self.write(output, pulse_s)


async def settled(bus: SlowOutputs, count: int) -> None:
    """Wait until so many writes have begun."""
    await eventually(lambda: len(bus.begun) >= count, what=f"{count} writes have begun")


def test_a_newer_value_takes_the_place_of_one_that_waits() -> None:
    """On, on again and off while the first is on its way: off follows at once, and nobody hears of the first."""

    async def run() -> None:
        bus, failed = SlowOutputs(), list[WriteFailed]()
        async with asyncio.TaskGroup() as tasks:
            writes = Writes(bus, failed.append, tasks.create_task)
            writes.write(Write("io.a", True))
            await settled(bus, 1)
            writes.write(Write("io.a", True))
            writes.write(Write("io.a", False))
            bus.let("no_device_response")
            await settled(bus, 2)
            bus.let("done")
        assert [("io.a", True), ("io.a", False)] == bus.begun
        assert [] == failed

    asyncio.run(run())


def test_a_slow_output_delays_no_other() -> None:
    """While one output is being written, another is too."""

    async def run() -> None:
        bus = SlowOutputs()
        async with asyncio.TaskGroup() as tasks:
            writes = Writes(bus, list[WriteFailed]().append, tasks.create_task)
            writes.write(Write("dead.a", True))
            writes.write(Write("io.a", True))
            await settled(bus, 2)
            bus.let("done")
            bus.let("done")
        assert {("dead.a", True), ("io.a", True)} == set(bus.begun)

    asyncio.run(run())


def test_a_failure_is_heard_once_and_never_tried_again() -> None:
    """Neither a level nor a pulse is written a second time: whether to is the station's to decide."""

    async def run() -> None:
        bus, failed = SlowOutputs(), list[WriteFailed]()
        bus.let("device_refused")
        bus.let("no_device_response")
        async with asyncio.TaskGroup() as tasks:
            writes = Writes(bus, failed.append, tasks.create_task)
            writes.write(Write("io.a", 30.0))
            await settled(bus, 1)
            writes.pulse(Pulse("io.door", 0.5))
        assert [("io.a", 30.0), ("io.door", 0.5)] == bus.begun
        assert [("io.a", "device_refused"), ("io.door", "no_device_response")] == [
            (one.output, one.reason) for one in failed
        ]

    asyncio.run(run())


def test_a_value_that_no_register_holds_fails_alone() -> None:
    """The bus raises for it: that is a failed write, and the rest of the alert goes on."""

    async def run() -> None:
        bus, failed = SlowOutputs(), list[WriteFailed]()
        bus.let("done")
        async with asyncio.TaskGroup() as tasks:
            writes = Writes(bus, failed.append, tasks.create_task)
            writes.write(Write("io.impossible", 1e9))
            writes.write(Write("io.a", True))
        assert [WriteFailed(output="io.impossible", reason="device_refused")] == failed
        assert ("io.a", True) in bus.begun

    asyncio.run(run())


def test_an_output_can_be_written_again_later() -> None:
    """After a write has ended, the next one to the same output goes out."""

    async def run() -> None:
        bus = SlowOutputs()
        async with asyncio.TaskGroup() as tasks:
            writes = Writes(bus, list[WriteFailed]().append, tasks.create_task)
            for number in (1, 2):
                writes.write(Write("io.a", True))
                await settled(bus, number)
                bus.let("done")
                await eventually(lambda: not writes._busy, what="the write has ended")
        assert 2 == len(bus.begun)

    asyncio.run(run())
