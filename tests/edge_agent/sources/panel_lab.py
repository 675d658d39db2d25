"""A workbench for panels: a clock moved by hand, and a backend run for as long as a test looks at it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from edge_agent.decode.readings import Press, Reading, SourceFault
from edge_agent.sources.panel import PanelBackend
from tests.waiting import DEADLINE_S


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        """Start at zero."""
        self._now_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self._slept = asyncio.Event()

    def now(self) -> datetime:
        """Wall time, moving with the monotonic clock."""
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self._now_s)

    def monotonic(self) -> float:
        """How far the clock has been moved, in seconds."""
        return self._now_s

    async def sleep(self, duration_s: float) -> None:
        """Wait until the clock has been moved that far."""
        sleeper = (self._now_s + duration_s, asyncio.Event())
        self._sleepers.append(sleeper)
        self._slept.set()
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def next_due_s(self) -> float:
        """Wait until somebody sleeps, and say when the first of them is due."""
        async with asyncio.timeout(DEADLINE_S):
            while not self._sleepers:
                self._slept.clear()
                await self._slept.wait()
        return min(due_s for due_s, _ in self._sleepers)

    async def wake_next(self) -> float:
        """Move the clock to the first sleeper, wake it, and return the time."""
        self._now_s = max(self._now_s, await self.next_due_s())
        woken = [event for due_s, event in self._sleepers if due_s <= self._now_s]
        for event in woken:
            event.set()
        async with asyncio.timeout(DEADLINE_S):
            while any(event in woken for _, event in self._sleepers):
                await asyncio.sleep(0)
        return self._now_s


class Bench:
    """A running panel and what it has emitted."""

    def __init__(self, task: "asyncio.Task[None]", emitted: "asyncio.Queue[Reading]") -> None:
        """Watch the running `task`, which emits into `emitted`."""
        self.task = task
        self._emitted = emitted

    async def next(self) -> Reading:
        """The next reading; or what the panel died of."""
        getter = asyncio.ensure_future(self._emitted.get())
        await asyncio.wait((getter, self.task), timeout=DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        if getter.done():
            return getter.result()
        getter.cancel()
        if self.task.done():
            self.task.result()
        raise TimeoutError("no reading")

    async def presses(self, count: int) -> list[tuple[str, bool]]:
        """The next `count` readings, which must all be presses."""
        found = [await self.next() for _ in range(count)]
        assert all(isinstance(each, Press) for each in found), found
        return [(each.button, each.down) for each in found if isinstance(each, Press)]

    async def fault(self) -> str:
        """The text of the next reading, which must be a fault."""
        found = await self.next()
        assert isinstance(found, SourceFault) and found.source == "panel", found
        return found.text


@asynccontextmanager
async def running(panel: PanelBackend) -> AsyncIterator[Bench]:
    """Run a panel until the block ends."""
    emitted: asyncio.Queue[Reading] = asyncio.Queue()
    task = asyncio.ensure_future(panel.run(emitted.put_nowait))
    try:
        yield Bench(task, emitted)
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until the condition holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0)
