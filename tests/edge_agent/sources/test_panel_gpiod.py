"""The GPIO panel, over lines that a pipe stands for: a build machine has no GPIO, nor the module that simulates one."""

import asyncio
import errno
import sys
from collections.abc import Mapping

import pytest

from edge_agent.decode.readings import Press, SourceFault
from edge_agent.errors import Fatal
from edge_agent.sources.panel_gpiod import Edge, GpiodPanel, Lines, Wiring, gpiod_request
from tests.edge_agent.sources.gpio_lab import PipeLines
from tests.edge_agent.sources.panel_lab import HandClock, running, until

WIRING = Wiring(chip="/dev/gpiochip9", lines={"GPIO17": "b1", "18": "b4"}, lamps={"b1": "GPIO22", "b4": "23"})


class Bench:
    """A chip at hand: edges are pushed in, levels set, what is written kept. A byte in a pipe says that edges wait."""

    def __init__(self) -> None:
        """All lines open."""
        self.there = True
        self.requests = 0
        self.levels = dict.fromkeys(WIRING.lines, False)
        self.lit: dict[str, bool] = {}
        self.open: _Buttons | None = None
        self.number = 0

    def request(self, wiring: Wiring) -> Lines:
        """Give the lines, while the chip is there."""
        self.requests += 1
        if not self.there:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.number = 0
        self.open = _Buttons(self)
        return self.open

    def move(self, line: str, closed: bool, *, lose: bool = False) -> None:
        """Close or open a contact; `lose` its edge, as a full buffer of the kernel does."""
        self.levels[line] = closed
        self.number += 1
        if not lose:
            assert self.open is not None
            self.open.put(Edge(line, closed, self.number))

    def pull(self) -> None:
        """Take the chip away."""
        self.there = False
        assert self.open is not None
        self.open.put(None)


class _Buttons(PipeLines):
    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench

    def read_levels(self) -> Mapping[str, bool]:
        return dict(self._bench.levels)

    def write(self, levels: Mapping[str, bool]) -> None:
        self._bench.lit |= levels


def panel_on(bench: Bench, clock: HandClock) -> GpiodPanel:
    """The panel under test, without jitter."""
    return GpiodPanel(WIRING, clock=clock, jitter=lambda: 0.0, request=bench.request)


def test_edges_are_presses_in_order() -> None:
    """Each edge of a line is a press or a release of its button, in the kernel's order, by name and by offset."""

    async def main() -> None:
        bench = Bench()
        async with running(panel_on(bench, HandClock())) as watched:
            await until(lambda: bench.lit != {})
            bench.move("GPIO17", True)
            bench.move("18", True)
            bench.move("GPIO17", False)
            assert await watched.presses(3) == [("b1", True), ("b4", True), ("b1", False)]

    asyncio.run(main())


def test_an_edge_that_the_kernel_dropped_is_made_up() -> None:
    """Where the edges' numbers have a gap, levels are read again: what was let go does not stay held, and it counts."""

    async def main() -> None:
        bench = Bench()
        panel = panel_on(bench, HandClock())
        async with running(panel) as watched:
            await until(lambda: bench.lit != {})
            bench.move("18", True)
            assert await watched.presses(1) == [("b4", True)]
            bench.move("18", False, lose=True)
            bench.move("GPIO17", True)
            assert await watched.presses(2) == [("b1", True), ("b4", False)]
            assert panel.rejected == {"edges dropped by the kernel": 1}

    asyncio.run(main())


def test_a_chip_that_goes_releases_is_told_once_and_comes_back() -> None:
    """A chip that vanishes releases what was held, is one fault however long it is away, and then works again."""

    async def main() -> None:
        bench, clock = Bench(), HandClock()
        async with running(panel_on(bench, clock)) as watched:
            await until(lambda: bench.lit != {})
            bench.move("GPIO17", True)
            assert await watched.presses(1) == [("b1", True)]
            bench.pull()
            assert await watched.presses(1) == [("b1", False)]
            assert "/dev/gpiochip9: No such device" == await watched.fault()
            for _ in range(3):
                await clock.wake_next()
            bench.there, bench.levels["GPIO17"] = True, False
            await clock.wake_next()
            assert await watched.fault() == ""
            await until(lambda: bench.requests == 5)
            bench.move("GPIO17", True)
            assert await watched.presses(1) == [("b1", True)]

    asyncio.run(main())


def test_a_button_held_at_the_start_is_a_fault() -> None:
    """A button that is down when the agent starts declares nothing, and is said."""

    async def main() -> None:
        bench = Bench()
        bench.levels["18"] = True
        async with running(panel_on(bench, HandClock())) as watched:
            found = await watched.next()
            assert isinstance(found, SourceFault) and found.source == "panel b4"
            bench.move("18", False)
            assert await watched.next() == SourceFault("panel b4", "")
            bench.move("18", True)
            assert await watched.next() == Press("b4", True)

    asyncio.run(main())


def test_lamps_blink_and_go_out_with_the_agent() -> None:
    """Steady stays, slow turns each half second, a notice makes all that is lit blink fast, and the end is dark."""

    async def main() -> None:
        bench, clock = Bench(), HandClock()
        panel = panel_on(bench, clock)
        async with running(panel):
            panel.show({"b1": "steady", "b4": "slow"}, "")
            await until(lambda: bench.lit == {"GPIO22": True, "23": True})
            assert await clock.wake_next() == 0.5
            await until(lambda: bench.lit == {"GPIO22": True, "23": False})
            panel.show({"b1": "steady", "b4": "dark"}, "NOT RECEIVED: USE RADIO")
            seen = {bench.lit["GPIO22"]}
            for _ in range(4):
                await clock.wake_next()
                await asyncio.sleep(0)
                seen.add(bench.lit["GPIO22"])
            assert seen == {True, False} and not bench.lit["23"]
            panel.show({"b1": "steady", "b4": "steady"}, "")
            await until(lambda: bench.lit == {"GPIO22": True, "23": True})
        assert bench.lit == {"GPIO22": False, "23": False}

    asyncio.run(main())


def test_a_missing_library_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libgpiod's Python package the agent ends at its start with what to install, not within a run."""
    monkeypatch.setitem(sys.modules, "gpiod", None)  # Python's own way to say that there is no such module
    with pytest.raises(Fatal, match=r"watchroom\[edge,gpio\]") as caught:
        gpiod_request()
    assert "\n" not in str(caught.value)
    with pytest.raises(Fatal):
        GpiodPanel(WIRING, clock=HandClock(), jitter=lambda: 0.0)
