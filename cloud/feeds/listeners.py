"""Who listens to the feed. One that does not keep up is let go: it comes back and gets the picture as it is then."""

import asyncio
from collections.abc import AsyncGenerator

BACKLOG_MAX = 25
"""Events that may wait for one listener: 5 s at the fastest tick. What waits longer would come with ages too young."""


class Listeners:
    """Hands each event to every listener, without ever waiting for one."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self.let_go = 0

    def __len__(self) -> int:
        """How many listen."""
        return len(self._queues)

    def send(self, event: bytes) -> None:
        """Hand an event out."""
        for queue in tuple(self._queues):
            if queue.qsize() >= BACKLOG_MAX:
                self.let_go += 1
                self._queues.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    def close(self) -> None:
        """End every listener's stream."""
        for queue in tuple(self._queues):
            queue.put_nowait(None)
        self._queues.clear()

    def listen(self, first: list[bytes]) -> AsyncGenerator[bytes, None]:
        """Give `first`, then every event from this call on, until the listener is let go.

        It counts from the call, not from when it is first asked: what is sent in between belongs after `first`.
        """
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queues.add(queue)
        return self._give(queue, first)

    async def _give(self, queue: asyncio.Queue[bytes | None], first: list[bytes]) -> AsyncGenerator[bytes, None]:
        try:
            for event in first:
                yield event
            while (event_or_end := await queue.get()) is not None:
                yield event_or_end
        finally:
            self._queues.discard(queue)
