"""The keypad on the bus: what is read becomes presses, and lamps cost the bus no more than they may."""

import asyncio

from edge_agent.decode.readings import Press, SourceFault
from edge_agent.sources.panel_modbus import (
    WRITE_PAUSE_S,
    Blink,
    ModbusPanel,
    decode_level,
    is_lit,
    turn,
    until_turn_s,
)
from edge_agent.station.words import Value
from tests.edge_agent.sources.panel_lab import HandClock, running, until

INPUTS = {"keypad.b1": "b1", "keypad.b4": "b4"}
COILS = {"b1": "keypad.l1", "b4": "keypad.l4"}


class Coils:
    """The far end of the bus: what was written, and whether the slave answers."""

    def __init__(self, clock: HandClock) -> None:
        """Answering."""
        self._clock = clock
        self.answers = True
        self.lit: dict[str, bool] = {}
        self.written: list[tuple[float, str, bool]] = []

    async def write(self, coil: str, lit: bool) -> bool:
        """Take a write in."""
        if self.answers:
            self.lit[coil] = lit
            self.written.append((self._clock.monotonic(), coil, lit))
        return self.answers


def read(level: bool | None) -> Value:
    """A value as the bus gives it; None for one that could not be read."""
    return Value(level, "good" if level is not None else "bad", 0.0)


def keypad() -> tuple[ModbusPanel, Coils, HandClock]:
    """The panel under test, with what it writes to."""
    clock = HandClock()
    coils = Coils(clock)
    return ModbusPanel(INPUTS, COILS, write=coils.write, clock=clock), coils, clock


def test_inputs_are_presses() -> None:
    """A discrete input that turns on is a press of its button; other points of the bus are nothing."""

    async def main() -> None:
        panel, coils, _ = keypad()
        async with running(panel) as watched:
            await until(lambda: coils.lit != {})
            panel.take({"keypad.b1": read(False), "keypad.b4": read(False), "meter.volts": Value(231.0, "good", 0.0)})
            panel.take({"plant.open": read(True)})
            panel.take({"keypad.b1": read(True), "keypad.b4": read(False)})
            panel.take({"keypad.b1": read(False)})
            assert await watched.presses(2) == [("b1", True), ("b1", False)]

    asyncio.run(main())


def test_a_silent_keypad_is_one_fault() -> None:
    """A keypad that stops answering releases what was held and is one fault until all of it can be read again."""

    async def main() -> None:
        panel, coils, _ = keypad()
        async with running(panel) as watched:
            await until(lambda: coils.lit != {})
            panel.take({"keypad.b1": read(False), "keypad.b4": read(False)})
            panel.take({"keypad.b1": read(True)})
            assert await watched.presses(1) == [("b1", True)]
            panel.take({"keypad.b1": read(None), "keypad.b4": read(None)})
            panel.take({"keypad.b1": read(None), "keypad.b4": read(None)})
            assert "b1 and 1 more" in await watched.fault()
            assert await watched.presses(1) == [("b1", False)]
            panel.take({"keypad.b1": read(False)})
            panel.take({"keypad.b4": read(True)})
            assert await watched.fault() == ""
            found = await watched.next()
            assert isinstance(found, SourceFault) and found.source == "panel b4", "held since before it was read"
            panel.take({"keypad.b1": read(True)})
            assert await watched.next() == Press("b1", True)

    asyncio.run(main())


def test_bad_quality_is_never_a_level() -> None:
    """A value of bad or stale quality is neither closed nor open, whatever number stands in it."""
    assert [decode_level(Value(True, quality, 0.0)) for quality in ("good", "bad", "stale")] == [True, None, None]
    assert decode_level(Value(None, "good", 0.0)) is None


def test_lamps_are_dark_first_and_written_on_change_only() -> None:
    """At the start every coil is written off; then only what changes is written, with a pause after each write."""

    async def main() -> None:
        panel, coils, clock = keypad()
        async with running(panel):
            await until(lambda: len(coils.written) == 1)
            assert await clock.wake_next() == WRITE_PAUSE_S
            await until(lambda: coils.lit == {"keypad.l1": False, "keypad.l4": False})
            await clock.wake_next()
            panel.show({"b1": "steady", "b4": "dark"}, "")
            await until(lambda: coils.lit["keypad.l1"])
            await clock.wake_next()
            panel.show({"b1": "steady", "b4": "dark"}, "")
            await asyncio.sleep(0)
        assert len(coils.written) == 3

    asyncio.run(main())


def test_a_write_that_failed_is_tried_again() -> None:
    """A lamp that could not be written is not taken for lit: it is written when the slave answers again."""

    async def main() -> None:
        panel, coils, clock = keypad()
        coils.answers = False
        panel.show({"b1": "steady", "b4": "dark"}, "")
        async with running(panel):
            for _ in range(3):
                await clock.wake_next()
            coils.answers = True
            for _ in range(2):
                await clock.wake_next()
            await until(lambda: coils.lit.get("keypad.l1", False))

    asyncio.run(main())


def test_fast_is_never_taken_for_slow_on_a_slow_bus() -> None:
    """However seldom the bus lets it look, a blinking lamp turns at each look: it never seems steady or dark."""
    for every_s in (0.05, 0.2, 0.4, 1.0, 2.0):
        blink, seen = Blink(), list[bool]()
        for number in range(40):
            blink = turn(blink, number * every_s)
            seen.append(is_lit("fast", blink))
        longest = max(len(run) for run in "".join("x" if lit else "." for lit in seen).replace(".", " ").split())
        assert longest <= max(1, round(0.2 / every_s)) + 1
        assert {True, False} == set(seen)


def test_lamps_leave_room_on_the_bus() -> None:
    """Eight lamps blinking fast take at most twenty writes a second of the bus, for the sounders share it."""

    async def main() -> None:
        clock = HandClock()
        coils = Coils(clock)
        names = [f"b{number}" for number in range(8)]
        panel = ModbusPanel({}, {name: f"k.{name}" for name in names}, write=coils.write, clock=clock)
        panel.show(dict.fromkeys(names, "fast"), "")
        async with running(panel):
            while clock.monotonic() < 5.0:
                await clock.wake_next()
        assert 60 <= len(coils.written) <= 5.0 / WRITE_PAUSE_S + 1

    asyncio.run(main())


def test_nothing_blinks_nothing_is_due() -> None:
    """With lamps that are steady or dark the panel waits for a change, and costs nothing."""
    assert until_turn_s(Blink(), ["steady", "dark"], 0.0) is None
    assert until_turn_s(Blink(), ["steady", "slow"], 0.0) == 0.5
