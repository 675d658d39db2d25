"""Who saw which unit: an interval for each reason to see it, kept through full disks, and closed after a crash."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cloud.ledger import Ledger, opening
from cloud.memory import reads as subject
from cloud.memory.reads import MERGE_S, Reads, Seen
from cloud.sharing.terms import OWN, Grants
from simulator.scenario.world import empty_ledger
from tests.cloud.desk.lab import HandClock
from tests.cloud.fleet.samples import NOON
from tests.waiting import eventually

BOARD = Grants(fields=frozenset({"status", "position"}), agreements=("a1",), precision_m=500, delay_s=30)
MORE = Grants(fields=frozenset({"status", "position", "crew"}), agreements=("a1", "emergency:x"))
EVER = (NOON - timedelta(days=1), NOON + timedelta(days=1))


class Lab:
    """A log of reads on a real ledger, with a clock that the test moves. Nothing runs by itself."""

    def __init__(self, folder: Path, clock: HandClock) -> None:
        """Begin, or go on with what is in the folder."""
        self.clock, self.ledger = clock, Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
        self.reads = Reads(self.ledger, clock=clock)

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.clock.now()

    def wait(self, duration_s: float) -> None:
        """Let time pass."""
        self.clock.moved_s += duration_s
        self.reads.sweep()

    def seen(self, unit: str = "kf-1") -> list[tuple[str, str, float, float | None]]:
        """Who saw a unit, oldest first: partner, way, since and until in seconds after noon."""
        rows = asyncio.run(self.reads.of(unit, *EVER))
        return [(one.partner, one.way, seconds(one.since), after(one)) for one in reversed(rows)]


def seconds(moment: datetime) -> float:
    """How long after noon."""
    return (moment - NOON).total_seconds()


def after(one: Seen) -> float | None:
    """When it ended, in seconds after noon."""
    return None if one.until is None else seconds(one.until)


@contextmanager
def logging(folder: Path, clock: HandClock | None = None) -> Iterator[Lab]:
    """The log at work: do it again in one folder, and it goes on as after a crash."""
    path = folder / "ledger.db"
    if not path.exists():
        path.write_bytes(empty_ledger())
    lab = Lab(folder, clock or HandClock())
    try:
        yield lab
    finally:
        lab.ledger.close()


def test_an_interval_says_who_saw_what(tmp_path: Path) -> None:
    """By which way, with what open, by which agreements and how sharp, from when until when."""
    with logging(tmp_path) as lab:
        lab.reads.see("kp", "kf-1", grants=BOARD, way="feed", now=lab.now)
        lab.wait(10)
        lab.reads.leave("kp", "kf-1", lab.now)
        (one,) = asyncio.run(lab.reads.of("kf-1", *EVER))
        assert ("kp", "feed", ("position", "status"), ("a1",), 500, 30) == (
            one.partner, one.way, one.fields, one.agreements, one.precision_m, one.delay_s,
        )  # fmt: skip
        assert (NOON, NOON + timedelta(seconds=10)) == (one.since, one.until)
        assert [] == lab.seen("kf-2")


def test_to_be_told_again_changes_nothing(tmp_path: Path) -> None:
    """While the same is open it is one interval however often that is said; another set of grants is another one."""
    with logging(tmp_path) as lab:
        for _ in range(5):
            same = Grants(fields=frozenset(BOARD.fields), agreements=("a1",), precision_m=500, delay_s=30)
            lab.reads.see("kp", "kf-1", grants=same, way="feed", now=lab.now)
            lab.wait(1)
        lab.reads.see("kp", "kf-1", grants=MORE, way="feed", now=lab.now)
        assert [("kp", "feed", 0, 5), ("kp", "feed", 5, None)] == lab.seen()


def test_its_own_units_are_no_reads(tmp_path: Path) -> None:
    """What an organisation sees of its own is nobody's to ask after."""
    with logging(tmp_path) as lab:
        lab.reads.see("kf", "kf-1", grants=OWN, way="feed", now=lab.now)
        lab.reads.note("kf", {"kf-1": OWN}, way="query", now=lab.now)
        assert [] == lab.seen()


def test_who_listens_sees_from_its_first_listener_to_its_last(tmp_path: Path) -> None:
    """Two connections of one partner are one interval; it goes on where the partner is back within a minute."""
    with logging(tmp_path) as lab:
        for _ in range(2):
            lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
            lab.wait(5)
        lab.reads.depart("kp", way="feed", now=lab.now)
        lab.wait(5)
        assert [("kp", "feed", 0, None)] == lab.seen()
        lab.reads.depart("kp", way="feed", now=lab.now)
        lab.wait(50)
        assert [("kp", "feed", 0, 15)] == lab.seen()
        lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
        assert [("kp", "feed", 0, None)] == lab.seen()
        lab.reads.depart("kp", way="feed", now=lab.now)
        lab.wait(61)
        lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
        assert [("kp", "feed", 0, 65), ("kp", "feed", 126, None)] == lab.seen()


def test_what_turns_is_noted_for_who_listens(tmp_path: Path) -> None:
    """A unit that comes into view, or is opened further, or goes: at that moment, by each way, and only by those."""
    with logging(tmp_path) as lab:
        lab.reads.turn("kp", "kf-1", BOARD, lab.now)
        assert [] == lab.seen()
        for way in ("feed", "mqtt"):
            lab.reads.arrive("kp", {}, way=way, now=lab.now)
        lab.wait(1)
        lab.reads.turn("kp", "kf-1", BOARD, lab.now)
        lab.wait(1)
        lab.reads.turn("kp", "kf-1", None, lab.now)
        assert [("kp", "feed", 1, 2), ("kp", "mqtt", 1, 2)] == sorted(lab.seen())


def test_what_turns_is_nothing_to_who_is_gone(tmp_path: Path) -> None:
    """A partner whose last listener has left sees nothing more, although its view goes on."""
    with logging(tmp_path) as lab:
        lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
        lab.reads.depart("kp", way="feed", now=lab.now)
        lab.reads.depart("kp", way="feed", now=lab.now)
        lab.wait(1)
        lab.reads.turn("kp", "kf-1", MORE, lab.now)
        lab.reads.turn("kp", "kf-2", BOARD, lab.now)
        assert ([("kp", "feed", 0, 0)], []) == (lab.seen(), lab.seen("kf-2"))


def test_a_withdrawal_ends_it_at_once(tmp_path: Path) -> None:
    """What is opened anew after it was gone is another interval, however soon, also for who was away meanwhile."""
    with logging(tmp_path) as lab:
        lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
        lab.wait(10)
        lab.reads.depart("kp", way="feed", now=lab.now)
        lab.wait(5)
        lab.reads.turn("kp", "kf-1", None, lab.now)
        lab.wait(5)
        lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
        assert [("kp", "feed", 0, 10), ("kp", "feed", 20, None)] == lab.seen()


def test_reads_of_once_are_merged(tmp_path: Path) -> None:
    """One interval while they come again within a minute, from the first to the last; later it is another one."""
    with logging(tmp_path) as lab:
        for pause_s in (0, 40, 59, 61):
            lab.wait(pause_s)
            lab.reads.note("kp", {"kf-1": BOARD}, way="query", now=lab.now)
        assert [("kp", "query", 0, 99), ("kp", "query", 160, 160)] == lab.seen()
        lab.wait(100)
        assert [("kp", "query", 0, 99), ("kp", "query", 160, 160)] == lab.seen()


def test_a_read_is_merged_no_later_than_a_minute(tmp_path: Path) -> None:
    """To the second, however long it is since anybody looked which are over."""
    with logging(tmp_path) as lab:
        lab.wait(MERGE_S)
        for pause_s in (0.0, MERGE_S, MERGE_S + 1):
            lab.clock.moved_s += pause_s
            lab.reads.note("kp", {"kf-1": BOARD}, way="query", now=lab.now)
        assert [("kp", "query", 60, 120), ("kp", "query", 181, 181)] == lab.seen()


def test_what_ends_while_it_is_written_is_written_again(tmp_path: Path) -> None:
    """An interval that closes while the thread commits it as open is committed once more, with its end."""
    with logging(tmp_path) as lab:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        async def scenario() -> None:
            lab.reads.see("kp", "kf-1", grants=BOARD, way="feed", now=lab.now)
            keeping = asyncio.create_task(lab.reads.keep())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            lab.wait(5)
            lab.reads.leave("kp", "kf-1", lab.now)
            other.execute("ROLLBACK")
            assert await keeping

        asyncio.run(scenario())
        other.close()
        (row,) = lab.ledger.reads_of("kf-1", *EVER, before=None, limit=9)
        assert NOON + timedelta(seconds=5) == row.until


def test_a_crash_after_the_clock_was_set_back_ends_nothing_before_it_began(tmp_path: Path) -> None:
    """What began under a clock that was ahead ends, at the least, when it began."""
    clock = HandClock()
    with logging(tmp_path, clock) as lab:
        lab.wait(100)
        lab.reads.see("kp", "kf-1", grants=BOARD, way="feed", now=lab.now)
        clock.moved_s = 10
        assert asyncio.run(lab.reads.keep())
    with logging(tmp_path, clock) as lab:
        assert [("kp", "feed", 100, 100)] == lab.seen()


def test_a_crash_closes_at_the_last_sign_of_life(tmp_path: Path) -> None:
    """What was open ends when the process last said that it lived: some seconds before its end, not before it began."""
    clock = HandClock()
    with logging(tmp_path, clock) as lab:
        lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
        for _ in range(20):
            lab.wait(1)
            asyncio.run(lab.reads.keep())
    clock.moved_s += 3_600
    with logging(tmp_path, clock) as lab:
        ((_, _, since, until),) = lab.seen()
        assert since == 0 and until is not None and 15 <= until <= 20
        lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
        assert [until, None] == [end for _, _, _, end in lab.seen()]


def test_an_end_is_written_down(tmp_path: Path) -> None:
    """A process that is stopped writes what waits, and its last moment, which is where the next closes."""
    clock = HandClock()
    with logging(tmp_path, clock) as lab:

        async def run() -> None:
            task = asyncio.create_task(lab.reads.run())
            lab.reads.arrive("kp", {"kf-1": BOARD}, way="feed", now=lab.now)
            await eventually(lambda: lab.ledger.reads_of("kf-1", *EVER, before=None, limit=9), what="a row")
            lab.reads.see("kp", "kf-2", grants=BOARD, way="feed", now=lab.now)
            clock.moved_s += 3
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        asyncio.run(run())
    with logging(tmp_path, clock) as lab:
        for unit in ("kf-1", "kf-2"):
            assert [("kp", "feed", 0, 3)] == lab.seen(unit)


def test_a_ledger_that_takes_nothing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen meanwhile waits, is told as trouble, and is written when there is room again."""
    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))
    with logging(tmp_path) as lab:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        lab.reads.see("kp", "kf-1", grants=BOARD, way="feed", now=lab.now)
        assert not asyncio.run(lab.reads.keep()) and "not being written" in lab.reads.trouble[0]
        lab.wait(10)
        lab.reads.see("kp", "kf-1", grants=MORE, way="feed", now=lab.now)
        assert not asyncio.run(lab.reads.keep())
        other.execute("ROLLBACK")
        other.close()
        assert [("kp", "feed", 0, 10), ("kp", "feed", 10, None)] == lab.seen()
        assert [] == lab.reads.trouble


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound the oldest that are over are lost, and that is told; what is still seen never is."""
    monkeypatch.setattr(subject, "WAITING_MAX", 50)
    with logging(tmp_path) as lab:
        lab.reads.see("kp", "kf-1", grants=BOARD, way="feed", now=lab.now)
        for number in range(100):
            lab.reads.see("kp", f"u-{number}", grants=BOARD, way="feed", now=lab.now)
            lab.reads.leave("kp", f"u-{number}", lab.now)
        assert lab.reads.lost > 0 and f"{lab.reads.lost} reads" in lab.reads.trouble[0]
        assert [("kp", "feed", 0, None)] == lab.seen() and [] == lab.seen("u-0") != lab.seen("u-99")


def test_an_answer_comes_in_pages(tmp_path: Path) -> None:
    """Newest first, each once, whatever the page's size; and only what lies in the window."""
    with logging(tmp_path) as lab:
        for _ in range(5):
            lab.reads.see("kp", "kf-1", grants=BOARD, way="feed", now=lab.now)
            lab.wait(10)
            lab.reads.leave("kp", "kf-1", lab.now)
            lab.wait(10)
        found: list[Seen] = []
        while page := asyncio.run(lab.reads.of("kf-1", *EVER, before=found[-1].number if found else None, limit=2)):
            found += page
        assert [80, 60, 40, 20, 0] == [seconds(one.since) for one in found]
        window = [NOON + timedelta(seconds=end_s) for end_s in (30, 60)]
        assert [40, 20] == [seconds(one.since) for one in asyncio.run(lab.reads.of("kf-1", *window))]


def test_the_same_grants_are_kept_once(tmp_path: Path) -> None:
    """However many units and starts: a set of grants is one row, so that an interval costs some fifty bytes."""
    clock = HandClock()
    for start in range(3):
        with logging(tmp_path, clock) as lab:
            seen = {f"u-{number}": BOARD for number in range(200)}
            lab.reads.arrive("kp", seen, way="feed", now=lab.now)
            assert asyncio.run(lab.reads.keep())
        clock.moved_s += 10
        with sqlite3.connect(tmp_path / "ledger.db") as connection:
            assert [(1,)] == connection.execute("SELECT count(*) FROM grant_set").fetchall()
            assert [(200 * (start + 1),)] == connection.execute("SELECT count(*) FROM read_log").fetchall()
        connection.close()


def test_what_does_not_change_costs_nothing(tmp_path: Path) -> None:
    """However many units are seen: while nothing turns nothing is committed but a sign of life each five seconds."""
    with logging(tmp_path) as lab:
        lab.reads.arrive("kp", {f"u-{number}": BOARD for number in range(2_000)}, way="feed", now=lab.now)
        assert asyncio.run(lab.reads.keep())
        watching = sqlite3.connect(tmp_path / "ledger.db")
        versions = []
        for _ in range(20):
            lab.wait(1)
            assert asyncio.run(lab.reads.keep())
            versions.append(watching.execute("PRAGMA data_version").fetchone())
        watching.close()
        assert 4 == len(set(versions[4:]))


def test_what_is_past_its_time_goes(tmp_path: Path) -> None:
    """What ended before a moment, some at once; what ended after it, or is still seen, stays."""
    with logging(tmp_path) as lab:
        for _ in range(3):
            lab.reads.see("kp", "kf-1", grants=BOARD, way="feed", now=lab.now)
            lab.wait(10)
            lab.reads.leave("kp", "kf-1", lab.now)
        lab.reads.see("kp", "kf-1", grants=BOARD, way="mqtt", now=lab.now)
        assert asyncio.run(lab.reads.keep())
        before = NOON + timedelta(seconds=25)
        assert [1, 1, 0] == [lab.ledger.drop_reads("kf-1", before, 1) for _ in range(3)]
        assert [("kp", "feed", 20, 30), ("kp", "mqtt", 30, None)] == lab.seen()
