"""Events on their way into the outbox: in order, through any failure of the disk, and never in the station's way."""

import asyncio
from collections.abc import Sequence
from functools import partial

from edge_agent.clock import SystemClock
from edge_agent.outbox import StorageFailed
from edge_agent.outbox.file import Draft
from edge_agent.state.events import Stamp
from edge_agent.station.words import Journaled
from edge_agent.turnout.events import receipt_event
from edge_agent.turnout.teller import WAITING_MAX, Teller
from tests.edge_agent.turnout.lab import AT, row
from tests.waiting import eventually
from wire.events import Event, ReceiptEvent

STAMP = Stamp(at=AT, clock="ntp", boot=1, mono_ms=5)


class Disk:
    """An outbox that can be told to fail."""

    def __init__(self) -> None:
        """Nothing is stored."""
        self.stored: list[Event] = []
        self.marked: list[Journaled] = []
        self.fails = False
        self.tries = 0

    async def tell(self, drafts: Sequence[Draft]) -> None:
        """Store events."""
        self.tries += 1
        if self.fails:
            raise StorageFailed("full")
        for draft in drafts:
            self.stored.append(draft(seq=len(self.stored) + 1))

    async def mark(self, rows: Sequence[Journaled]) -> None:
        """Note rows as told."""
        self.marked += rows

    @property
    def steps(self) -> list[str]:
        """The steps of the stored receipts."""
        return [event.step for event in self.stored if isinstance(event, ReceiptEvent)]


class QuickClock(SystemClock):
    """Waits a hundredth of what it is asked to."""

    async def sleep(self, duration_s: float) -> None:
        """Wait, shortly."""
        await super().sleep(duration_s / 100)


def receipt(number: int) -> tuple[Draft, Journaled]:
    """A receipt of a numbered step."""
    held = row(f"light:{number}", "done")
    return partial(receipt_event, STAMP, held), held


def test_events_are_told_in_order_and_then_marked() -> None:
    """A hundred receipts come to the outbox as they were put, and the journal hears of each."""

    async def run() -> None:
        disk = Disk()
        teller = Teller(disk.tell, disk.mark, clock=QuickClock())
        task = asyncio.create_task(teller.run())
        told = [teller.put(*receipt(number)) for number in range(100)]
        assert all(await asyncio.gather(*told))
        await eventually(lambda: len(disk.marked) == 100, what="all are marked")
        assert [f"light:{number}" for number in range(100)] == disk.steps == [one.step for one in disk.marked]
        task.cancel()

    asyncio.run(run())


def test_a_failing_disk_is_tried_again() -> None:
    """Who waits is told at once that it is not stored; later it is, in order, once."""

    async def run() -> None:
        disk = Disk()
        disk.fails = True
        teller = Teller(disk.tell, disk.mark, clock=QuickClock())
        task = asyncio.create_task(teller.run())
        assert not await teller.put(*receipt(1))
        assert [] == disk.marked
        second = teller.put(*receipt(2))
        disk.fails = False
        assert await second
        assert ["light:1", "light:2"] == disk.steps
        task.cancel()

    asyncio.run(run())


def test_what_waits_is_bounded() -> None:
    """Past the bound the oldest is dropped and counted; it is not marked, so the next start tells it."""

    async def run() -> None:
        disk = Disk()
        teller = Teller(disk.tell, disk.mark, clock=QuickClock())
        told = [teller.put(*receipt(number)) for number in range(WAITING_MAX + 3)]
        task = asyncio.create_task(teller.run())
        assert [False] * 3 + [True] * WAITING_MAX == await asyncio.gather(*told)
        await eventually(lambda: len(disk.marked) == WAITING_MAX, what="all are marked")
        assert 3 == teller.dropped and "light:3" == disk.marked[0].step
        task.cancel()

    asyncio.run(run())
