"""The panel's client against the agent's real panel."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.decode.readings import Press, Reading
from edge_agent.sources.panel_scripted import ScriptedPanel
from edge_agent.state.debounce import Debounce, apply
from simulator.panel import Panel
from tests.gpsd_lab import running
from tests.waiting import eventually

BUTTONS = ("b1", "b4")
DEBOUNCE_S = 0.03
"""The agent's default."""


class Agent:
    """The agent's side of a panel: the real source, and the real debouncing of what it emits."""

    def __init__(self, path: str) -> None:
        """Nothing is listened on before it runs."""
        self.source = ScriptedPanel(path, buttons=BUTTONS, clock=SystemClock(), jitter=lambda: 0.0)
        self.pressed: list[str] = []
        self._debounce = Debounce(DEBOUNCE_S)

    def emit(self, reading: Reading) -> None:
        """Take in an edge."""
        if isinstance(reading, Press):
            now_s = asyncio.get_running_loop().time()
            self._debounce, pressed = apply(self._debounce, reading, now_s)
            self.pressed += pressed


@contextlib.asynccontextmanager
async def listening(path: str) -> AsyncIterator[Agent]:
    """An agent's panel that is served while the block lasts."""
    agent = Agent(path)
    async with running(agent.source.run(agent.emit)):
        yield agent


@pytest.fixture
def path(tmp_path: Path) -> str:
    """The socket's path."""
    return str(tmp_path / "panel.sock")


def test_each_press_counts_once(path: str) -> None:
    """Presses of the same and of other buttons, made at once, each pass the agent's debouncing as one, in order."""

    async def main() -> None:
        async with listening(path) as agent, Panel.connect(path, clock=SystemClock()) as panel:
            await asyncio.gather(*(panel.press(button) for button in ("b4", "b4", "b1", "b4")))
            await eventually(lambda: len(agent.pressed) == 4, what="four presses")
            assert agent.pressed == ["b4", "b4", "b1", "b4"]
            assert not agent.source.rejected

    asyncio.run(main())


def test_lamps_follow_the_agent(path: str) -> None:
    """Lamps and notice are the agent's at once and on every change."""

    async def main() -> None:
        async with listening(path) as agent, Panel.connect(path, clock=SystemClock()) as panel:
            assert await panel.shown("b4", "dark") == "dark"
            agent.source.show({"b1": "dark", "b4": "slow"}, "NOT RECEIVED: USE RADIO")
            async with asyncio.timeout(10.0):
                assert await panel.shown("b4", "steady", "slow") == "slow"
            assert (panel.lamps, panel.notice) == ({"b1": "dark", "b4": "slow"}, "NOT RECEIVED: USE RADIO")

    asyncio.run(main())


def test_a_press_waits_for_the_agent(path: str) -> None:
    """A press made before the agent is there is made once it is."""

    async def main() -> None:
        async with Panel.connect(path, clock=SystemClock()) as panel:
            async with running(panel.press("b1")) as pressing:
                assert not panel.connected
                async with listening(path) as agent:
                    await eventually(lambda: agent.pressed == ["b1"], what="the press")
                    await pressing

    asyncio.run(main())


def test_it_comes_back_after_a_restart_of_the_agent(path: str) -> None:
    """When the agent goes, its lamps are unknown; when another takes its place, they and presses are there again."""

    async def main() -> None:
        async with Panel.connect(path, clock=SystemClock()) as panel:
            async with listening(path):
                await eventually(lambda: panel.lamps, what="lamps")
            await eventually(lambda: not panel.connected and not panel.lamps, what="the end")
            async with listening(path) as agent:
                await panel.press("b4")
                await eventually(lambda: agent.pressed == ["b4"], what="the press")
                await panel.shown("b1", "dark")

    asyncio.run(main())
