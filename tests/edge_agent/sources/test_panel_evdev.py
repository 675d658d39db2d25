"""The evdev panel against real file descriptors: terminals for a device that is plugged, a fifo for one that ends."""

import asyncio
import os
import pty
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent.decode.panel import EV_KEY, EV_LED, EV_SYN, EVENT, SYN_REPORT
from edge_agent.decode.readings import Reading
from edge_agent.sources.panel_evdev import EvdevPanel
from edge_agent.state.lamps import Lamp
from tests.edge_agent.sources.panel_lab import HandClock, running
from tests.waiting import DEADLINE_S

KEYS = {2: "b1", 5: "b4"}
LEDS = {"b1": 0, "b4": 1}


def event(kind: int, code: int, value: int) -> bytes:
    """One input event's bytes."""
    return EVENT.pack(1, 2, kind, code, value)


def key(code: int, value: int) -> bytes:
    """A key's event and the report that follows it."""
    return event(EV_KEY, code, value) + event(EV_SYN, SYN_REPORT, 0)


class Plug:
    """A pretended device: the far end of a raw terminal, at `path` while plugged."""

    def __init__(self, path: Path) -> None:
        """Plug it in."""
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        path.symlink_to(os.ttyname(self._slave))
        self._path = path

    def unplug(self) -> None:
        """Take it away, its path too."""
        self._path.unlink()
        os.close(self.master)
        os.close(self._slave)


@contextmanager
def plugged(path: Path) -> Iterator[Plug]:
    """A device plugged in for the block."""
    plug = Plug(path)
    try:
        yield plug
    finally:
        plug.unplug()


def panel_at(path: Path, clock: HandClock, leds: dict[str, int] | None = None) -> EvdevPanel:
    """The panel under test, without jitter."""
    return EvdevPanel(str(path), keys=KEYS, leds=leds or {}, clock=clock, jitter=lambda: 0.0)


async def read_leds(plug: Plug) -> list[tuple[int, int]]:
    """The LEDs that the panel wrote next, as (code, value), up to its report."""
    readable, loop, data = asyncio.Event(), asyncio.get_running_loop(), b""
    loop.add_reader(plug.master, readable.set)
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not data or len(data) % EVENT.size or EVENT.unpack(data[-EVENT.size :])[2] != EV_SYN:
                await readable.wait()
                readable.clear()
                data += os.read(plug.master, EVENT.size)
    finally:
        loop.remove_reader(plug.master)
    return [(code, value) for _, _, kind, code, value in EVENT.iter_unpack(data) if kind == EV_LED]


def test_presses_arrive_however_the_bytes_are_cut(tmp_path: Path) -> None:
    """A key down and up are two readings, in order, even if every byte comes in a read of its own."""

    async def main() -> None:
        with plugged(tmp_path / "event0") as plug:
            async with running(panel_at(tmp_path / "event0", HandClock())) as bench:
                for byte in key(5, 1) + key(5, 2) + key(5, 0):
                    os.write(plug.master, bytes([byte]))
                    await asyncio.sleep(0)
                os.write(plug.master, key(2, 1))
                assert await bench.presses(3) == [("b4", True), ("b4", False), ("b1", True)]

    asyncio.run(main())


def test_unplug_is_told_once_and_replug_heals(tmp_path: Path) -> None:
    """An unplugged panel releases what it held, is one fault however long it is away, and works by its path again."""

    async def main() -> None:
        path, clock = tmp_path / "event0", HandClock()
        plug = Plug(path)
        async with running(panel_at(path, clock)) as bench:
            os.write(plug.master, key(5, 1))
            assert await bench.presses(1) == [("b4", True)]
            plug.unplug()
            assert await bench.presses(1) == [("b4", False)]
            assert await bench.fault() != ""
            waits_s, before_s = [], 0.0
            for _ in range(6):
                due_s = await clock.wake_next()
                waits_s.append(due_s - before_s)
                before_s = due_s
            assert waits_s == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
            await clock.next_due_s()
            with plugged(path) as again:
                await clock.wake_next()
                assert await bench.fault() == ""
                os.write(again.master, key(2, 1))
                assert await bench.presses(1) == [("b1", True)]

    asyncio.run(main())


def test_missing_at_start_is_a_fault_not_an_end(tmp_path: Path) -> None:
    """A device that is not there yet is one fault, and is found when it comes."""

    async def main() -> None:
        clock = HandClock()
        async with running(panel_at(tmp_path / "event0", clock)) as bench:
            assert "No such file" in await bench.fault()
            await clock.next_due_s()
            with plugged(tmp_path / "event0"):
                await clock.wake_next()
                assert await bench.fault() == ""

    asyncio.run(main())


def test_a_fifo_whose_writer_left_counts_as_unplugged(tmp_path: Path) -> None:
    """The end of the stream is an outage like any other; the events before it count."""

    async def main() -> None:
        path, clock = tmp_path / "fifo", HandClock()
        os.mkfifo(path)
        writer = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        async with running(panel_at(path, clock)) as bench:
            os.write(writer, key(2, 1))
            assert await bench.presses(1) == [("b1", True)]
            os.close(writer)
            assert await bench.presses(1) == [("b1", False)]
            assert "gone" in await bench.fault()

    asyncio.run(main())


def test_what_cannot_be_believed_is_counted(tmp_path: Path) -> None:
    """A key without a button and a value that no key has are counted by reason, and the stream goes on."""

    async def main() -> None:
        with plugged(tmp_path / "event0") as plug:
            panel = panel_at(tmp_path / "event0", HandClock())
            async with running(panel) as bench:
                os.write(plug.master, key(99, 1) + key(2, 7) + key(2, 1))
                assert await bench.presses(1) == [("b1", True)]
                assert panel.rejected == {"key without a button": 1, "key neither up nor down": 1}

    asyncio.run(main())


def test_leds_follow_the_lamps_and_blink_by_the_clock(tmp_path: Path) -> None:
    """Steady stays on; slow turns every 0.5 s and fast every 0.1 s; only changes are written."""

    async def main() -> None:
        path, clock = tmp_path / "event0", HandClock()
        with plugged(path) as plug:
            panel = panel_at(path, clock, LEDS)
            panel.show({"b1": "steady", "b4": "slow"}, "")
            async with running(panel):
                assert await read_leds(plug) == [(0, 1), (1, 1)]
                assert await clock.wake_next() == 0.5
                assert await read_leds(plug) == [(1, 0)]
                panel.show({"b1": "dark", "b4": "fast"}, "")
                assert await read_leds(plug) == [(0, 0)]
                turned_s = []
                for _ in range(3):
                    turned_s.append(await clock.wake_next())
                    assert await read_leds(plug) == [(1, len(turned_s) % 2)]
                assert turned_s == pytest.approx([0.6, 0.7, 0.8])

    asyncio.run(main())


def test_leds_go_dark_with_the_agent_and_come_back_with_the_device(tmp_path: Path) -> None:
    """A lamp does not outlive the agent behind it, and a replugged device is lit anew."""

    async def main() -> None:
        path, clock = tmp_path / "event0", HandClock()
        panel = panel_at(path, clock, LEDS)
        panel.show({"b1": "steady", "b4": "dark"}, "")
        plug = Plug(path)
        async with running(panel) as bench:
            assert await read_leds(plug) == [(0, 1), (1, 0)]
            plug.unplug()
            assert await bench.fault() != ""
            await clock.next_due_s()
            plug = Plug(path)
            await clock.wake_next()
            assert await read_leds(plug) == [(0, 1), (1, 0)]
        assert await read_leds(plug) == [(0, 0)]
        plug.unplug()

    asyncio.run(main())


def test_showing_needs_no_device_and_no_room(tmp_path: Path) -> None:
    """`show` takes whatever the moment is: before the device is there, and while it takes no more bytes."""

    async def main() -> None:
        path, clock = tmp_path / "event0", HandClock()
        panel = panel_at(path, clock, LEDS)
        panel.show({"b1": "steady"}, "NOT RECEIVED: USE RADIO")
        with plugged(path) as plug:
            async with running(panel) as bench:
                await read_leds(plug)
                lamps: tuple[Lamp, Lamp] = ("dark", "steady")
                for turn in range(2_000):
                    panel.show({"b1": lamps[turn % 2]}, "")
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                os.write(plug.master, key(2, 1))
                assert await bench.presses(1) == [("b1", True)]

    asyncio.run(main())


def test_a_broken_consumer_ends_the_panel(tmp_path: Path) -> None:
    """What `emit` raises is no outage: it reaches whoever runs the panel."""

    async def main() -> None:
        def emit(reading: Reading) -> None:
            raise LookupError(reading)

        with plugged(tmp_path / "event0") as plug:
            os.write(plug.master, key(2, 1))
            with pytest.raises(LookupError):
                async with asyncio.timeout(DEADLINE_S):
                    await panel_at(tmp_path / "event0", HandClock()).run(emit)

    asyncio.run(main())
