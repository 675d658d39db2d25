"""What is shown becomes durable in order, and what could not be kept is never told as if it had been."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cloud.errors import Retryable
from cloud.memory import known_range, recorder
from cloud.memory.instants import encode_us
from tests.cloud.memory.lab import Lab
from tests.cloud.memory.samples import NOON, record
from tests.waiting import eventually
from wire.feed import Ages

TENTH = timedelta(seconds=0.1)
PRESS_WAITS_ROWS = 500
"""Written in 10 ms: what a press may wait for."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A recorder that has begun nothing."""
    lab = Lab(tmp_path)
    yield lab
    lab.recorder._thread.shutdown()
    lab.close()


def test_a_moment_is_told_as_it_was_shown(lab: Lab) -> None:
    """Between two ticks the board is as the first left it, a tenth of a second older, with process and directory."""
    first = lab.tick(record("a"), record("b"))
    second = lab.tick(record("a", link="late", ages=Ages(link_s=20.0, status_s=60.0, position_s=None)))
    lab.tick()
    lab.keep()
    before, after = lab.past(first + TENTH), lab.past(second + TENTH)
    assert (True, NOON, "v1") == (before.known, before.process, before.directory_version)
    assert [("a", "fresh"), ("b", "fresh")] == [(one.unit, one.link) for one in before.units]
    assert [("a", "late", 20.1), ("b", "fresh", 1.3)] == [(one.unit, one.link, one.ages.link_s) for one in after.units]


def test_nothing_is_known_before_the_first_and_after_the_last_tick(lab: Lab) -> None:
    """A moment at which nobody showed anything has no board, and the answer says between when and when."""
    first = lab.tick(record("a"))
    last = lab.tick()
    lab.keep()
    for moment in (first - TENTH, last + TENTH):
        told = lab.past(moment)
        assert not told.known and told.problem is not None and told.problem.startswith("no board is known")
    assert "2026-11-01T12:00:00.523457Z" in str(lab.past(last + TENTH).problem)


def test_a_restart_leaves_a_gap_that_is_told(lab: Lab) -> None:
    """What is between two processes is a gap, not the last board going on, and the next one logs everything anew."""
    lab.tick(record("a"), record("b"))
    last = lab.tick()
    lab.keep()
    lab.start()
    lab.board = {}
    again = lab.tick(record("a"), after_s=60.0)
    lab.tick()
    lab.keep()
    assert not lab.past(last + TENTH).known and not lab.past(again - TENTH).known
    assert ["a"] == [one.unit for one in lab.past(again + TENTH).units], "b was not on the second board"
    known = known_range(lab.frames)
    assert [(last, again)] == [(gap.since, gap.until) for gap in known.gaps]
    assert (NOON + timedelta(seconds=0.2), again + timedelta(seconds=0.2)) == (known.first, known.last)


def test_a_silent_feed_is_a_gap(lab: Lab) -> None:
    """Where no tick came for so long that clients said the feed was lost, replay says that nothing was shown."""
    last = lab.tick(record("a"))
    again = lab.tick(after_s=3.5)
    lab.tick()
    lab.keep()
    assert not lab.past(last + timedelta(seconds=1)).known
    assert ["a"] == [one.unit for one in lab.past(again + TENTH).units], "the board goes on with all that is on it"


def test_ticks_of_nothing_keep_a_span_alive(lab: Lab) -> None:
    """A quiet board is a known board, with its units there for however long nobody speaks."""
    lab.tick(record("a"))
    for _ in range(700):
        last = lab.tick(after_s=1.0)
    lab.keep()
    quiet = lab.past(last)
    assert [("a", 701.0)] == [(one.unit, one.ages.link_s) for one in quiet.units]
    assert not known_range(lab.frames).gaps


def test_another_directory_takes_units_away_without_a_gap(lab: Lab) -> None:
    """Up to the tick the old board is known under the old version, from it on the new one under the new."""
    lab.tick(record("a"), record("b"))
    lab.keep()
    del lab.board["b"]
    lab.recorder.follow("v2")
    turned = lab.tick()
    lab.tick()
    lab.keep()
    before, after = lab.past(turned - timedelta(microseconds=1)), lab.past(turned)
    assert ("v1", ["a", "b"]) == (before.directory_version, [one.unit for one in before.units])
    assert ("v2", ["a"]) == (after.directory_version, [one.unit for one in after.units])
    assert not known_range(lab.frames).gaps


def test_a_clock_set_back_is_a_gap_and_not_another_past(lab: Lab) -> None:
    """While the clock shows a time that was already, nothing is kept: the first board of that time stays what it is."""
    first = lab.tick(record("a"))
    lab.tick(after_s=1.0)
    lab.tick(record("a", link="lost"), after_s=-0.9)
    caught_up = lab.tick(after_s=2.0)
    lab.tick()
    lab.keep()
    assert ["fresh"] == [one.link for one in lab.past(first + timedelta(seconds=0.5)).units]
    assert not lab.past(first + timedelta(seconds=1.05)).known
    assert ["lost"] == [one.link for one in lab.past(caught_up + TENTH).units]
    assert 1 == lab.recorder.lost


def test_a_failing_store_is_waited_out(lab: Lab) -> None:
    """While a store fails what is shown waits, in order; nothing is told as known until both have it."""

    async def scenario() -> None:
        first = lab.tick(record("a"))
        lab.ledger_fails = True
        keeping = asyncio.ensure_future(lab.recorder.keep())
        await eventually(lambda: lab.recorder.failures > 2, what="a failing ledger is tried again")
        assert not await lab.recorder.reach(first)
        lab.ledger_fails, lab.frames_fail = False, True
        failed = lab.recorder.failures
        await eventually(lambda: lab.recorder.failures > failed + 4, what="failing frames are tried again")
        assert 2 == len(lab.ledger.board_at(first)), "the board log has it"
        assert not lab.past(first).known, "the frames have not"
        lab.frames_fail = False
        await keeping
        assert lab.past(first).known and not lab.recorder.failing
        assert 2 == len(lab.ledger.board_of(("", "a"), NOON, NOON + timedelta(hours=1))), "and once"

    asyncio.run(scenario())


def test_more_than_may_wait_is_lost_and_told_so(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound what was shown is dropped, counted, and a gap; then all begins anew, and the start is told."""
    monkeypatch.setattr(recorder, "PENDING_MAX", 10)
    lab.tick(*(record(f"u{number}") for number in range(6)))
    lost = lab.tick(*(record(f"u{number}", link="late") for number in range(6)))
    assert 12 == lab.recorder.lost
    again = lab.tick(record("u1", link="lost"))
    lab.tick()
    lab.keep()
    assert not lab.past(lost).known and not lab.past(again - TENTH).known
    links = [one.link for one in lab.past(again + TENTH).units]
    assert ["late", "lost", "late", "late", "late", "late"] == links
    assert "v1" == lab.past(again).directory_version


def test_whoever_asks_for_just_now_waits_until_it_is_kept(lab: Lab) -> None:
    """A question for a moment ago is answered once what was shown then is durable, and not before."""

    async def scenario() -> None:
        shown = lab.tick(record("a"))
        asking = asyncio.ensure_future(lab.recorder.reach(shown))
        await lab.clock.sleep(0.0)
        assert not asking.done()
        running = asyncio.ensure_future(lab.recorder.run())
        assert await asking
        assert encode_us(shown) <= lab.recorder.through_us
        running.cancel()

    asyncio.run(scenario())


def test_a_ledger_put_back_from_a_copy_is_found_out(lab: Lab, tmp_path: Path) -> None:
    """Frames that outlive their board log prove nothing: an older ledger's board is not shown for it."""
    lab.tick(record("a"))
    lab.keep()
    copy = tmp_path / "copy"
    copy.mkdir()
    lab.ledger.close()
    for name in ("ledger.db", "ledger.db-wal"):
        if (tmp_path / name).exists():
            (copy / name).write_bytes((tmp_path / name).read_bytes())
    lab.ledger = type(lab.ledger).open(f"sqlite:///{tmp_path / 'ledger.db'}")
    shown = lab.tick(record("a", link="lost"))
    lab.keep()
    assert ["lost"] == [one.link for one in lab.past(shown).units]
    lab.ledger.close()
    lab.ledger = type(lab.ledger).open(f"sqlite:///{copy / 'ledger.db'}")
    told = lab.past(shown)
    assert not told.known and "older copy" in str(told.problem)


def test_a_start_does_not_hold_presses_up(lab: Lab) -> None:
    """The whole board goes to the ledger in groups, so that a status that comes meanwhile waits for one of them."""
    sizes: list[int] = []
    lab.recorder._commit_board = lambda rows: sizes.append(len(rows))
    lab.tick(*(record(f"u{number}") for number in range(1_200)))
    lab.keep()
    assert 1_201 == sum(sizes) and max(sizes) <= PRESS_WAITS_ROWS


def test_a_store_that_refuses_for_good_is_not_hidden(lab: Lab) -> None:
    """Only a passing failure is waited out: any other ends the recorder, so that the supervisor hears of it."""
    lab.tick(record("a"))
    lab.recorder._commit_board = lambda rows: [][len(rows)]
    with pytest.raises(IndexError):
        lab.keep()
    assert issubclass(Retryable, Exception)
