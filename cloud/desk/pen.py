"""Writes down what people decide: one decision at a time, each to its end, and durable before it counts."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from cloud.ledger import DecisionRow, Ledger

_T = TypeVar("_T")


class Pen:
    """One kind of decision, written in turn."""

    def __init__(self, ledger: Ledger) -> None:
        """Write to this ledger."""
        self._ledger = ledger
        self._turn = asyncio.Lock()
        self._working: set[asyncio.Task[Any]] = set()
        self._listeners: list[Callable[[], object]] = []

    def follow(self, listener: Callable[[], object]) -> None:
        """Tell somebody of each change, in the order in which they asked."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Tell everybody who follows that something changed."""
        for listener in self._listeners:
            listener()

    async def finish(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Do `work` when it is its turn. It goes on to its end although whoever asked may go away meanwhile."""
        task = asyncio.ensure_future(self._in_turn(work))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)

    async def write(self, row: DecisionRow) -> None:
        """Make a decision durable. Raises what the ledger does: nothing was decided then."""
        await asyncio.to_thread(self._ledger.commit_decision, row)

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        async with self._turn:
            return await work()
