"""The device's own inputs, over lines that a pipe stands for: a build machine has no GPIO."""

import asyncio
import errno
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from edge_agent.config import Inputs
from edge_agent.decode.inputs import SUPPLY_FAILED
from edge_agent.decode.readings import InputValue, Reading, SourceFault
from edge_agent.errors import Fatal
from edge_agent.sources.inputs_gpiod import GpiodInputs
from edge_agent.sources.panel_gpiod import Edge, Lines, Wiring
from tests.edge_agent.sources.gpio_lab import PipeLines
from tests.edge_agent.sources.panel_lab import Bench as Watched
from tests.edge_agent.sources.panel_lab import HandClock, until

INPUTS = Inputs(
    backend="gpiod",
    path="/dev/gpiochip9",
    lines={"20": "ignition", "21": "power_fail", "GPIO5": "doors"},
    active_low_of={"doors": False},
)
CLEARED = SourceFault("power_fail", "")


class Chip:
    """A chip at hand: edges are pushed in and levels set, whichever of its requests a line is in."""

    def __init__(self) -> None:
        """All contacts off."""
        self.there = True
        self.levels = dict.fromkeys(INPUTS.lines, False)
        self.asked: list[Wiring] = []
        self.open: list[_Contacts] = []

    def request(self, wiring: Wiring) -> Lines:
        """Give the lines, while the chip is there."""
        self.asked.append(wiring)
        if not self.there:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.open.append(_Contacts(self, wiring))
        return self.open[-1]

    def move(self, line: str, on: bool, *, lose: bool = False) -> None:
        """Turn a contact on or off; `lose` its edge, as a full buffer of the kernel does."""
        self.levels[line] = on
        of = next(each for each in self.open if line in each.wiring.lines)
        of.number += 1
        if not lose:
            of.put(Edge(line, on, of.number))

    def pull(self) -> None:
        """Take the chip away."""
        self.there = False
        self.open[0].put(None)


class _Contacts(PipeLines):
    def __init__(self, chip: Chip, wiring: Wiring) -> None:
        super().__init__()
        self.wiring, self.number, self._chip = wiring, 0, chip

    def read_levels(self) -> Mapping[str, bool]:
        return {line: self._chip.levels[line] for line in self.wiring.lines}

    def write(self, levels: Mapping[str, bool]) -> None:
        raise AssertionError("an input is never driven")

    def close(self) -> None:
        super().close()
        self._chip.open.remove(self)


@asynccontextmanager
async def running(chip: Chip, clock: HandClock) -> AsyncIterator[tuple[Watched, GpiodInputs]]:
    """The inputs under test, without jitter."""
    inputs = GpiodInputs(INPUTS, clock=clock, jitter=lambda: 0.0, request=chip.request)
    emitted: asyncio.Queue[Reading] = asyncio.Queue()
    task = asyncio.ensure_future(inputs.run(emitted.put_nowait))
    try:
        yield Watched(task, emitted), inputs
    finally:
        task.cancel()
        await asyncio.wait((task,))
        assert chip.open == []


async def at_rest(watched: Watched) -> None:
    """Take in how everything stands at the start: all off."""
    found = [await watched.next() for _ in range(4)]
    off = [InputValue("ignition", False), InputValue("power_fail", False), CLEARED, InputValue("doors", False)]
    assert found == off


def test_each_polarity_is_asked_for_in_its_own_request() -> None:
    """The kernel is told which lines are on when low: contacts and optocouplers are, the one that differs is not."""

    async def main() -> None:
        chip = Chip()
        async with running(chip, HandClock()) as (watched, _):
            await at_rest(watched)
        asked = [(dict(each.lines), each.active_low, dict(each.lamps)) for each in chip.asked]
        assert asked == [({"20": "ignition", "21": "power_fail"}, True, {}), ({"GPIO5": "doors"}, False, {})]

    asyncio.run(main())


def test_a_contact_is_told_when_it_has_held() -> None:
    """An edge alone tells nothing; the value comes once the debounce time is over, of lines of both polarities."""

    async def main() -> None:
        chip, clock = Chip(), HandClock()
        async with running(chip, clock) as (watched, _):
            await at_rest(watched)
            for line, name in (("20", "ignition"), ("GPIO5", "doors")):
                before_s = clock.monotonic()
                chip.move(line, True)
                while await clock.next_due_s() > before_s + 1.0:
                    await asyncio.sleep(0)
                assert await clock.wake_next() == pytest.approx(before_s + 0.05)
                assert await watched.next() == InputValue(name, True)

    asyncio.run(main())


def test_a_failed_supply_is_told_at_once() -> None:
    """Value and fault come with the edge, without any time going by."""

    async def main() -> None:
        chip = Chip()
        async with running(chip, HandClock()) as (watched, _):
            await at_rest(watched)
            chip.move("21", True)
            assert await watched.next() == InputValue("power_fail", True)
            assert await watched.next() == SourceFault("power_fail", SUPPLY_FAILED)

    asyncio.run(main())


def test_a_lost_edge_is_made_up_and_counted() -> None:
    """Without its edge a level is found within seconds; with the next edge the gap in the numbers is counted."""

    async def main() -> None:
        chip, clock = Chip(), HandClock()
        async with running(chip, clock) as (watched, inputs):
            await at_rest(watched)
            chip.move("21", True, lose=True)
            assert await clock.wake_next() == 5.0
            assert await watched.next() == InputValue("power_fail", True)
            chip.move("20", True)
            await until(lambda: inputs.rejected == {"edges dropped by the kernel": 1})

    asyncio.run(main())


def test_a_chip_that_goes_makes_every_input_bad_and_comes_back() -> None:
    """While the chip is away nothing claims to know an input, which is one fault; back again, all are told anew."""

    async def main() -> None:
        chip, clock = Chip(), HandClock()
        async with running(chip, clock) as (watched, _):
            await at_rest(watched)
            chip.move("21", True)
            assert [await watched.next() for _ in range(2)][0] == InputValue("power_fail", True)
            chip.pull()
            bad = [InputValue(name, None, "bad") for name in ("ignition", "power_fail", "doors")]
            assert [await watched.next() for _ in range(4)] == [*bad, CLEARED]
            assert await watched.next() == SourceFault("inputs", "/dev/gpiochip9: No such device")
            chip.there = True
            await clock.wake_next()
            assert await watched.next() == SourceFault("inputs", "")
            again = [await watched.next() for _ in range(4)]
            assert again[:2] == [InputValue("ignition", False), InputValue("power_fail", True)]

    asyncio.run(main())


def test_a_chip_that_never_was_is_bad_from_the_start() -> None:
    """Where the chip is missing when the agent starts, that is said, and no input is taken for off."""

    async def main() -> None:
        chip = Chip()
        chip.there = False
        async with running(chip, HandClock()) as (watched, _):
            assert await watched.next() == InputValue("ignition", None, "bad")
            found = [await watched.next() for _ in range(4)]
            assert found[-1] == SourceFault("inputs", "/dev/gpiochip9: No such file or directory")

    asyncio.run(main())


def test_a_missing_library_names_the_section(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libgpiod's Python package the start ends with what to install, and for which section."""
    monkeypatch.setitem(sys.modules, "gpiod", None)  # Python's own way to say that there is no such module
    with pytest.raises(Fatal, match=r"\[inputs\] backend 'gpiod' needs libgpiod 2"):
        GpiodInputs(INPUTS, clock=HandClock(), jitter=lambda: 0.0)
