"""A disk that somebody else has filled: presses are stored for as long as there is any way to, and never said to be."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge_agent.errors import Fatal
from edge_agent.outbox import OutboxKeeper, StorageFailed
from tests.edge_agent.outbox.lab import keeper, place, press, rows, told

RESERVE_KIB = 256
MakeDisk = Callable[[int], Path]


class Filler:
    """Somebody else's file, which takes whatever room there is."""

    def __init__(self, disk: Path) -> None:
        """Nothing is taken yet."""
        self._disk = disk
        self._path = disk / "somebody-elses"

    def fill(self) -> None:
        """Take all that is free now."""
        with self._path.open("ab", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        left = os.statvfs(self._disk)
        assert left.f_bavail * left.f_frsize == 0

    def leave(self) -> None:
        """Give it all back."""
        self._path.unlink()


async def stored(found: OutboxKeeper, code: str) -> bool:
    """Press; whether it was stored."""
    try:
        await found.append("status", [press(code)])
    except StorageFailed:
        return False
    return True


async def driven(found: OutboxKeeper, positions: int) -> None:
    """Drive on for so many positions."""
    for start in range(0, positions, 100):
        await found.append("track", [place(float(start % 90))] * min(100, positions - start))


def codes(found: OutboxKeeper) -> list[str]:
    """The codes of every press that is held, each in its place in the chain."""
    return [raw.split(b'"code":"')[1].split(b'"')[0].decode() for raw in rows(found._file, "status").values()]


def test_presses_take_the_place_of_the_oldest_track(small_disk: MakeDisk) -> None:
    """With every free byte taken at once by somebody else, press after press is stored where old positions lay."""
    disk = small_disk(2048)
    filler = Filler(disk)

    async def run() -> None:
        found = keeper(disk, reserve_kib=RESERVE_KIB)
        await driven(found, 4_000)
        for number in range(1_000):
            filler.fill()
            assert await stored(found, f"C{number}"), f"press {number}"
        assert [f"C{number}" for number in range(1_000)] == codes(found)
        track = list(rows(found._file, "track"))
        assert 4_000 == track[-1] and 1 < track[0] < 4_000
        await found.close()

    asyncio.run(run())


def test_presses_take_the_reserve_where_there_is_no_track(small_disk: MakeDisk) -> None:
    """On a full disk without any track, the room that was kept for it takes some hundred presses."""
    disk = small_disk(2048)

    async def run() -> None:
        found = keeper(disk, reserve_kib=RESERVE_KIB)
        Filler(disk).fill()
        assert (disk / "reserve").exists()
        assert all([await stored(found, f"C{number}") for number in range(200)])
        assert 200 == len(codes(found)) and not (disk / "reserve").exists()
        await found.close()

    asyncio.run(run())


def test_when_nothing_is_left_the_press_is_not_confirmed_and_room_heals_it(small_disk: MakeDisk) -> None:
    """Used up, `append` raises, no status goes, and the fault is told until room comes back: said once, healed once."""
    disk = small_disk(2048)
    filler = Filler(disk)

    async def run() -> None:
        found = keeper(disk, reserve_kib=RESERVE_KIB)
        await driven(found, 1_000)
        filler.fill()
        confirmed: list[str] = []
        with capture_logs() as logs:
            while await stored(found, f"C{len(confirmed)}"):
                confirmed.append(f"C{len(confirmed)}")
            assert 0 == (await found.held()).depth.track
            failed = [await stored(found, "LOST") for _ in range(5)]
            await found.held()
            assert not any(failed) and "full" in found.fault
            assert confirmed == codes(found) and len(confirmed) > 300
            filler.leave()
            assert await stored(found, "AGAIN")
            assert "" == found.fault
            await found.tidy()
        assert ["outbox_broke", "outbox_healed"] == [
            line["event"] for line in logs if line["event"] in ("outbox_broke", "outbox_healed")
        ]
        assert RESERVE_KIB * 1024 == (disk / "reserve").stat().st_size
        await driven(found, 1_000)
        assert [*confirmed, "AGAIN"] == codes(found) and 1_000 == found.depth.track
        await found.close()

    asyncio.run(run())


def test_a_fault_heals_by_room_alone(small_disk: MakeDisk) -> None:
    """Where nobody presses again, the next tidying up finds the room and ends the fault."""
    disk = small_disk(2048)
    filler = Filler(disk)

    async def run() -> None:
        found = keeper(disk, reserve_kib=RESERVE_KIB)
        filler.fill()
        while await stored(found, "C"):
            pass
        await found.tidy()
        assert found.fault
        filler.leave()
        await found.tidy()
        assert "" == found.fault
        await found.close()

    asyncio.run(run())


def test_settling_makes_room_again(small_disk: MakeDisk) -> None:
    """On a disk that stays full, presses go on being sent and settled, and what they leave takes the next ones."""
    disk = small_disk(2048)
    filler = Filler(disk)

    async def run() -> None:
        found = keeper(disk, reserve_kib=RESERVE_KIB)
        filler.fill()
        while await stored(found, "C"):
            filler.fill()
        batch = await found.batch("status", 20)
        assert batch is not None
        digest = found._file._db.execute("SELECT digest FROM status WHERE seq = ?", (batch.last,)).fetchone()[0]
        assert "deleted" == await found.settle("status", found.stream, batch.last, digest)
        assert await stored(found, "D")
        await found.close()

    asyncio.run(run())


def test_a_start_on_a_full_disk_uses_the_reserve(small_disk: MakeDisk) -> None:
    """A restart with no room left finds the presses of before and takes new ones."""
    disk = small_disk(2048)

    async def run() -> None:
        found = keeper(disk, reserve_kib=RESERVE_KIB)
        await stored(found, "BEFORE")
        await driven(found, 500)
        await found.close()
        Filler(disk).fill()
        again = keeper(disk, reserve_kib=RESERVE_KIB)
        assert found.stream == again.stream
        assert await stored(again, "AFTER")
        assert ["BEFORE", "AFTER"] == codes(again)
        await again.close()

    asyncio.run(run())


def test_a_first_start_on_a_full_disk_is_refused_in_one_line(small_disk: MakeDisk) -> None:
    """Where not even an empty outbox fits, a person is told to make room."""
    disk = small_disk(1024)
    state = disk / "state"
    state.mkdir()
    Filler(disk).fill()
    with pytest.raises(Fatal, match="Make room") as refused:
        keeper(state)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("reason", ["damaged", "ahead"])
def test_a_take_over_on_a_full_disk_saves_the_presses_first(small_disk: MakeDisk, reason: str) -> None:
    """With little room beside the reserve, a new stream still carries every press, and the newest of the track."""
    disk = small_disk(3072)

    async def run() -> None:
        found = keeper(disk, reserve_kib=RESERVE_KIB)
        for number in range(100):
            await stored(found, f"C{number}")
        await driven(found, 3_000)
        expected = [raw for _, _, raw in told(found._file, "status")]
        Filler(disk).fill()
        if reason == "damaged":
            found._file._db.execute("UPDATE track SET digest = x'00' WHERE seq = 5")
            await found.batch("track", 20)
        else:
            await found.settle("status", found.stream, 10_000, bytes(32))
        assert expected == [raw for _, _, raw in told(found._file, "status")]
        assert 3_000 == told(found._file, "track")[-1][1] and 1 == len(found.set_aside)
        assert await stored(found, "AFTER")
        await found.close()

    asyncio.run(run())
