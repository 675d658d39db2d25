"""Tells control what happened, in order, by way of the outbox: without making the station wait for the disk."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from edge_agent.clock import Clock
from edge_agent.outbox import StorageFailed
from edge_agent.outbox.file import Draft
from edge_agent.station.words import Journaled

Tell = Callable[[Sequence[Draft]], Awaitable[None]]
"""Commits events to the outbox's status queue. Raises `StorageFailed`."""
TOGETHER_MAX = 20
WAITING_MAX = 2_000
"""Past this many the oldest is dropped. A receipt that is dropped is told after the next start."""
AGAIN_S = 1.0


class _Waiting(msgspec.Struct, frozen=True):
    draft: Draft
    row: Journaled | None
    done: asyncio.Future[bool]


class Teller:
    """Events on their way into the outbox."""

    def __init__(self, tell: Tell, told: Callable[[Sequence[Journaled]], Awaitable[None]], *, clock: Clock) -> None:
        """`told` hears which rows of the journal are in the outbox now."""
        self._tell, self._told, self._clock = tell, told, clock
        self._waiting: deque[_Waiting] = deque()
        self._come = asyncio.Event()
        self.dropped = 0

    def put(self, draft: Draft, row: Journaled | None = None) -> asyncio.Future[bool]:
        """Tell an event, the receipt of `row` where one is named. The future says whether it is stored, or can't be."""
        item = _Waiting(draft, row, asyncio.get_running_loop().create_future())
        if len(self._waiting) >= WAITING_MAX:
            _settle(self._waiting.popleft(), False)
            self.dropped += 1
        self._waiting.append(item)
        self._come.set()
        return item.done

    async def run(self) -> None:
        """Tell until cancelled. What the disk does not take is tried again, for ever, in the same order."""
        while True:
            await self._come.wait()
            self._come.clear()
            while self._waiting:
                if not await self._tell_some():
                    await self._clock.sleep(AGAIN_S)

    async def _tell_some(self) -> bool:
        group = [self._waiting.popleft() for _ in range(min(TOGETHER_MAX, len(self._waiting)))]
        try:
            await self._tell([item.draft for item in group])
        except StorageFailed:
            self._waiting.extendleft(reversed(group))
            for item in group:
                _settle(item, False)
            return False
        for item in group:
            _settle(item, True)
        rows = [item.row for item in group if item.row is not None]
        if rows:
            await self._told(rows)
        return True


def _settle(item: _Waiting, stored: bool) -> None:
    if not item.done.done():
        item.done.set_result(stored)
