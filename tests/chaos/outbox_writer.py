"""The agent's own outbox at work under the lab's orders."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent.outbox import OutboxKeeper, OutboxLimits, StorageFailed
from edge_agent.outbox.file import Draft
from tests.chaos.jobs import REFUSALS_MAX, Job, OwnCut, chain, place, press, say
from wire.events import Queue

RESERVE_KIB = 256
TRACK_ROWS_MAX = 2_000
CROWD = 600
QUEUES: tuple[Queue, Queue] = ("status", "track")


class OutboxWriter:
    """Presses, drives, settles and takes over, by way of the agent's own outbox."""

    def __init__(self, job: Job) -> None:
        """Open the outbox."""
        self._own_cut = OwnCut(job)
        self._own_cut.arm("start")
        limits = OutboxLimits(track_max_rows=TRACK_ROWS_MAX, reserve_kib=RESERVE_KIB)
        self._outbox = OutboxKeeper(Path(job.folder), "e1", limits, frozenset())
        self._next = job.first
        self._refused = 0
        say("open", self._outbox.stream, self._outbox.boot)

    async def do(self, step: str) -> None:
        """Do one step."""
        name, *rest = step.split()
        await getattr(self, f"_{name}")(*rest)

    async def _press(self, count: str) -> None:
        for _ in range(int(count)):
            await self._append("status", [press])

    async def _drive(self, count: str) -> None:
        await self._append("track", [place] * int(count))

    async def _drain(self) -> None:
        for name in QUEUES:
            while await self._settle(name, "20"):
                pass

    async def _tidy(self) -> None:
        await self._outbox.tidy()

    async def _close(self) -> None:
        await self._outbox.close()

    async def _append(self, queue: Queue, drafts: Sequence[Callable[[int], Draft]]) -> None:
        numbers = range(self._next, self._next + len(drafts))
        self._next = numbers[-1] + 1
        say("try", queue, *numbers)
        made = [draft(number) for draft, number in zip(drafts, numbers, strict=True)]
        try:
            await self._outbox.append(queue, made)
        except StorageFailed:
            self._refused += queue == "status"
            say("refused", queue, *numbers)
        else:
            self._refused = 0 if queue == "status" else self._refused
            say("stored", queue, *numbers)

    async def _crowd(self) -> None:
        for number in range(CROWD):
            await self._append("status", [press])
            if self._refused >= REFUSALS_MAX:
                break
            if number % 4 == 0:
                await self._append("track", [place] * 2)

    async def _settle(self, queue: Queue, count: str) -> bool:
        batch = await self._outbox.batch(queue, int(count))
        if batch is None:
            return False
        numbers = [json.loads(raw)["mono_ms"] for raw in batch.events]
        digest = chain(batch.base_digest, batch.events)
        say("settling", queue, *numbers)
        outcome = await self._outbox.settle(queue, self._outbox.stream, batch.last, digest)
        say("settled" if outcome == "deleted" else f"not-{outcome}", queue, *numbers)
        return outcome == "deleted"

    async def _mint(self, reason: str) -> None:
        say("minting", reason)
        self._own_cut.arm("mint")
        if reason == "ahead":
            await self._outbox.settle("status", self._outbox.stream, 10**9, bytes(32))
        else:
            await self._outbox.mint(reason)
        say("minted", self._outbox.stream)
