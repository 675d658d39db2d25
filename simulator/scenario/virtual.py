"""A virtual clock: an event loop on which nothing waits, and processes on it that can be killed between two steps.

The loop is asyncio's own with a selector that leaps to the next deadline, so production coroutines run unchanged and
hours take seconds. What they hand to a thread (each commit) runs on the loop, at a moment and with a delay that the
scenario's chance decides: a process can die before its commit, or after it and before it hears of it.
"""

import asyncio
import selectors
import sqlite3
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from random import Random
from typing import Any

from cloud.errors import CloudError
from edge_agent.errors import AgentError
from simulator.scenario.story import Story

COMMIT_S = (0.0005, 0.02)
"""How long a job for the disk takes."""
SLOW_COMMIT_S = 0.4
SLOW_COMMITS = 0.03
"""How long the slow ones take, and how many there are."""

RUNNING: "ContextVar[Process | None]" = ContextVar("running", default=None)


class _Leap(selectors.SelectSelector):
    """Waits for no file: time passes by leaps."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("the scenario stands still: nothing is due")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        """Begin at 0."""
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._leap.now_s

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Run a job for the disk as the calling process's disk does."""
        process = RUNNING.get()
        if process is None:
            raise RuntimeError("only a process has a disk")
        return process.run_job(self, executor, lambda: func(*args))


class Process:
    """Something that runs until it is killed, and then does nothing more that anybody could see."""

    def __init__(self, name: str, loop: VirtualLoop, chance: Random, story: Story) -> None:
        """Nothing runs yet."""
        self.name = name
        self.alive = True
        self._loop, self._chance, self._story = loop, chance, story
        self._free_s: dict[int, float] = {}
        self._task: asyncio.Task[Any] | None = None
        self.around_job: Callable[[Callable[[], Any]], Any] = lambda job: job()
        """Runs a job; a disk fault stands in its way here."""
        self.after_job: Callable[[], None] = lambda: None
        """Called after each job, while the process lives."""
        self.on_end: Callable[[BaseException | None], None] = lambda error: None
        """Called where it ends by itself."""

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` in a context of its own."""

        def begin() -> None:
            RUNNING.set(self)
            self._task = self._loop.create_task(work())
            self._task.add_done_callback(self._ended)

        copy_context().run(begin)

    def call(self, work: Callable[[], Any]) -> Any:
        """Call something as this process, as when it starts."""

        def inside() -> Any:
            RUNNING.set(self)
            return work()

        return copy_context().run(inside)

    def kill(self) -> None:
        """End it as `kill -9` does: what it still does afterwards is cleaning up, which reaches nobody."""
        self.alive = False
        if self._task is not None:
            self._task.cancel()

    def run_job(self, loop: VirtualLoop, executor: Any, job: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Run a job on the disk: in order, once it is its turn, and heard of a little later."""
        future: asyncio.Future[Any] = loop.create_future()
        if not self.alive:
            _hand_on(future, *_attempt(job))
            return future
        slow = self._chance.random() < SLOW_COMMITS
        takes_s = SLOW_COMMIT_S * self._chance.random() if slow else self._chance.uniform(*COMMIT_S)
        done_s = max(loop.time(), self._free_s.get(id(executor), 0.0)) + takes_s
        self._free_s[id(executor)] = done_s + takes_s
        loop.call_at(done_s, self._do_job, future, job, done_s + takes_s)
        return future

    def _do_job(self, future: "asyncio.Future[Any]", job: Callable[[], Any], heard_s: float) -> None:
        if not self.alive:
            future.cancel()  # it died first: nothing of this was done
            return
        result, error = _attempt(lambda: self.around_job(job))
        self.after_job()
        self._loop.call_at(heard_s, _hand_on, future, result, error)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        error = None if task.cancelled() else task.exception()
        if self.alive:
            self.alive = False
            self.on_end(error)


def _attempt(job: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """Do a job; what may go wrong with it is a value, to be handed on to whoever waits, as an executor does."""
    try:
        return job(), None
    except (AgentError, CloudError, sqlite3.Error, OSError) as error:
        return None, error


def _hand_on(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
