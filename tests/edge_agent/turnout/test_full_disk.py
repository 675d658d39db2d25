"""A disk that somebody else has filled: the journal says so in so many words, and heals by itself."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_agent.outbox import StorageFailed
from tests.edge_agent.outbox.conftest import mounted
from tests.edge_agent.turnout.lab import JumpingClock, opened, row

ROWS_MAX = 2_000
"""Far more than fits."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A function: a disk of so many KiB."""
    with ExitStack() as disks:
        yield lambda kib: disks.enter_context(mounted(tmp_path / f"disk-{kib}", f"size={kib}k"))


def test_a_full_disk_is_said_and_healed(small_disk: Callable[[int], Path]) -> None:
    """Rows are recorded until the disk is full; then each fails, and once there is room none is missing."""
    disk = small_disk(512)
    blocker = disk / "somebody-elses"
    blocker.write_bytes(bytes(200_000))

    async def run() -> None:
        journal = opened(disk, JumpingClock())
        rows = [row(number=number) for number in range(1, ROWS_MAX)]
        count = 0
        with pytest.raises(StorageFailed):
            for one in rows:
                count += 1
                await journal.record([one])
        assert "cannot be written" in journal.fault
        with pytest.raises(StorageFailed):
            await journal.record(())
        blocker.unlink()
        assert (rows[count - 1],) == await journal.record(())
        assert "" == journal.fault
        await journal.close()
        again = opened(disk, JumpingClock())
        assert rows[:count] == again.rows
        await again.close()

    asyncio.run(run())
