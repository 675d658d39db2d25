"""The journal against real files: what it recorded is there after any end, and damage costs no more than it must."""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from edge_agent.errors import Fatal
from edge_agent.outbox import StorageFailed
from edge_agent.station.words import Journaled
from edge_agent.turnout import Journal
from edge_agent.turnout.journal import read_boot_id
from edge_agent.turnout.lines import Particulars
from tests.edge_agent.turnout.lab import JumpingClock, call, opened, order_id, row

PLACE = Particulars(incident="I0417", address="1 High Street")


def with_journal(
    folder: Path, work: Callable[[Journal], Awaitable[None]], clock: JumpingClock | None = None, boot_id: str = "b1"
) -> Journal:
    """Open the journal, work with it, and close it."""

    async def run() -> Journal:
        found = opened(folder, clock or JumpingClock(), boot_id)
        try:
            await work(found)
        finally:
            await found.close()
        return found

    return asyncio.run(run())


async def look(_: Journal) -> None:
    """Only open and close it."""


def test_what_was_recorded_is_there_again(tmp_path: Path) -> None:
    """Every row with its call, the newest of each step, in the order of their changes; with what the crew was told."""
    rows = [row(), row("sounder:dorm", "started"), row("door:bay", "started"), row("sounder:dorm", "done")]

    async def work(journal: Journal) -> None:
        for one in rows:
            assert (one,) == await journal.record([one], PLACE)

    with_journal(tmp_path, work)
    found = with_journal(tmp_path, look)
    assert [rows[0], rows[2], rows[3]] == found.rows == found.of(order_id())
    assert PLACE == found.particulars(order_id(), 1)
    assert Particulars() == found.particulars(order_id(2), 1)


def test_an_end_keeps_the_call(tmp_path: Path) -> None:
    """The row that ends an order does not repeat its call, and the call is there all the same."""

    async def work(journal: Journal) -> None:
        await journal.record([row()], PLACE)
        await journal.record([row("", "expired")])

    with_journal(tmp_path, work)
    found = with_journal(tmp_path, look)
    assert [("expired", call())] == [(one.outcome, one.call) for one in found.rows]
    assert PLACE == found.particulars(order_id(), 1)


def test_it_is_durable(tmp_path: Path) -> None:
    """The file is in WAL with full syncs: with anything less, measured power cuts lost the last commit."""

    async def work(journal: Journal) -> None:
        await journal.record([row()])
        assert ("wal", 2) == (
            journal._file._db.execute("PRAGMA journal_mode").fetchone()[0],
            journal._file._db.execute("PRAGMA synchronous").fetchone()[0],
        )

    with_journal(tmp_path, work)


def test_what_was_not_told_is_known(tmp_path: Path) -> None:
    """A receipt that is in the outbox is not told again after a restart; one that changed meanwhile is."""
    first, changed = row("sounder:dorm", "started"), row("sounder:dorm", "done")

    async def work(journal: Journal) -> None:
        await journal.record([row(), first, row("light:hall", "done")])
        await journal.mark_told([row()])
        await journal.record([changed])
        await journal.mark_told([first])

    with_journal(tmp_path, work)
    found = with_journal(tmp_path, look)
    assert ["light:hall", "sounder:dorm"] == [line.row.step for line in found.lines if not line.told]


def test_a_reboot_moves_a_calls_times(tmp_path: Path) -> None:
    """The machine was off for 20 s: of the two minutes, 90 s are left where 110 were at the last line."""
    clock = JumpingClock()

    async def work(journal: Journal) -> None:
        await journal.record([row()])
        clock.skip(10)
        await journal.record([row("sounder:dorm", "done")])

    with_journal(tmp_path, work, clock)
    clock.skip(20)
    clock.mono_s = 5.0
    moved = with_journal(tmp_path, look, clock, boot_id="b2").rows[0].call
    assert moved is not None
    assert (95.0, -25.0) == (moved.expires_s, moved.received_s)


def test_the_kernel_names_its_boot() -> None:
    """The id is there, and the same for as long as the machine is up."""
    assert read_boot_id() == read_boot_id() != ""


def test_old_orders_go(tmp_path: Path) -> None:
    """A week after its end an order is on the disk no more; a live one is."""
    clock = JumpingClock()

    async def work(journal: Journal) -> None:
        await journal.record([row(), row("", "done", number=2)])
        clock.skip(8 * 86_400)
        await journal.tidy()
        assert [order_id(1)] == [one.order for one in journal.rows]

    with_journal(tmp_path, work, clock)
    assert [order_id(1)] == [one.order for one in with_journal(tmp_path, look, clock).rows]


def damaged_anywhere(path: Path, chance: random.Random) -> None:
    """Turn some bytes of a closed file over."""
    held = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 8, 64))):
        held[chance.randrange(len(held))] ^= chance.randrange(1, 256)
    if chance.random() < 0.3:
        del held[chance.randrange(100, len(held)) :]
    path.write_bytes(held)


def test_damage_never_becomes_a_row(tmp_path: Path) -> None:
    """Whatever bytes are altered, the journal opens, and holds nothing but rows that were recorded."""
    rows = [row(number=number) for number in range(1, 30)]
    rows += [row(step, "done", number=number) for number in range(1, 30) for step in ("sounder:dorm", "door:bay")]

    async def work(journal: Journal) -> None:
        await journal.record(rows)

    with_journal(tmp_path / "sound", work)
    sound = (tmp_path / "sound" / "journal.db").read_bytes()
    saved = []
    for seed in range(40):
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "journal.db").write_bytes(sound)
        damaged_anywhere(folder / "journal.db", random.Random(seed))
        found = with_journal(folder, look)
        assert all(one in rows for one in found.rows)
        assert found.salvaged == bool(found.set_aside) == (found.fault != "")
        assert found.salvaged or sorted(map(repr, found.rows)) == sorted(map(repr, rows))
        assert sorted(map(repr, with_journal(folder, look).rows)) == sorted(map(repr, found.rows))
        saved.append(len(found.rows))
    assert any(0 < count < len(rows) for count in saved)


def test_a_damaged_file_is_kept_aside(tmp_path: Path) -> None:
    """Under a name that says so, and a second one does not take its place."""
    for number in (1, 2):
        (tmp_path / "journal.db").write_bytes(b"no database at all, but long enough to be looked at\n" * 100)
        found = with_journal(tmp_path, look)
        assert f"journal.damaged-{number}.db" in found.fault
    assert ["journal.damaged-1.db", "journal.damaged-2.db", "journal.db"] == sorted(
        path.name for path in tmp_path.iterdir()
    )


def test_damage_under_way_costs_nothing(tmp_path: Path) -> None:
    """The process remembers every row: a file that breaks under it is replaced by a whole one."""

    async def work(journal: Journal) -> None:
        await journal.record([row(), row("door:bay", "started")])
        journal._file._db.execute("DROP TABLE line")
        await journal.record([row("door:bay", "done")])
        assert "journal.damaged-1.db" in journal.fault

    assert not with_journal(tmp_path, work).salvaged
    found = with_journal(tmp_path, look)
    assert [row(), row("door:bay", "done")] == found.rows
    assert "" == found.fault


@pytest.mark.parametrize("moved", [False, True])
def test_a_replacement_that_was_cut_short_is_completed(tmp_path: Path, moved: bool) -> None:
    """A new file that is whole takes its place where the old one had moved already; else the old one counts."""

    async def record(number: int, journal: Journal) -> None:
        await journal.record([row(number=number)])

    with_journal(tmp_path / "old", lambda journal: record(1, journal))
    with_journal(tmp_path / "new", lambda journal: record(2, journal))
    (tmp_path / "new" / "journal.db").rename(tmp_path / "old" / "journal.new")
    if moved:
        (tmp_path / "old" / "journal.db").rename(tmp_path / "old" / "journal.damaged-1.db")
    found = with_journal(tmp_path / "old", look)
    assert [order_id(2 if moved else 1)] == [one.order for one in found.rows]
    assert not (tmp_path / "old" / "journal.new").exists()


def test_a_folder_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path) -> None:
    """The person who starts the agent is told what to change."""
    (tmp_path / "state").write_text("a file", encoding="ascii")
    with pytest.raises(Fatal, match="state_dir") as refused:
        opened(tmp_path / "state", JumpingClock())
    assert "\n" not in str(refused.value)


def test_what_the_disk_refuses_is_left_over(tmp_path: Path) -> None:
    """A record that fails says so; the row counts in memory, is on no disk, and goes with the next that succeeds."""
    late, later = row("door:bay", "started"), row("door:bay", "done")

    async def work(journal: Journal) -> None:
        await journal.record([row()])
        other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        journal._file._db.execute("PRAGMA busy_timeout=0")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailed):
            await journal.record([late])
        assert journal.is_behind and not journal.is_on_disk(late) and late in journal.rows
        assert "cannot be written" in journal.fault
        other.execute("ROLLBACK")
        other.close()
        told: tuple[Journaled, ...] = await journal.record([later])
        assert (later,) == told
        assert not journal.is_behind and "" == journal.fault

    with_journal(tmp_path, work)
    assert [row(), later] == with_journal(tmp_path, look).rows
