"""A clock that was set, and processes that end: what a replay and the figures make of it is what the board showed."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cloud.memory import Recorder
from cloud.memory.before import find_before
from cloud.memory.instants import encode_us
from cloud.memory.keeping import Keeping
from tests.cloud.memory.lab import Lab
from tests.cloud.memory.samples import NOON, record
from wire.feed import Ages, FeedRecord, Freshness

HOUR = timedelta(hours=1)
TENTH = timedelta(seconds=0.1)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A recorder that has begun nothing."""
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def bare(unit: str, link: Freshness = "fresh") -> FeedRecord:
    """A unit of which nothing ages: it is logged when its link changes, and at no other time."""
    return record(unit, link=link, reasons=(), sources=(), status=None, position=None, ages=Ages())


def restart(lab: Lab) -> None:
    """Begin another process, which looks at what was kept before it."""
    before = find_before(lab.ledger.board_at, lab.frames, lab.clock.at)
    start = lab.start()
    lab.recorder = Recorder(lab._commit, lab._append, clock=lab.clock, began=start._began, before=before)
    lab.recorder.whole = start.whole


def links(lab: Lab, at: timedelta) -> list[str]:
    """How fresh the links were on the board so long after noon; `unknown` where no board is known."""
    told = lab.past(NOON + at)
    return [one.link for one in told.units] if told.known else ["unknown"]


@pytest.mark.parametrize("is_restarted", [False, True], ids=["one-process", "restarted"])
def test_a_clock_that_was_ahead_does_not_speak_for_later(lab: Lab, *, is_restarted: bool) -> None:
    """What was shown under a clock an hour ahead is not taken for the board once that hour has really come."""
    lab.tick(bare("a"))
    lab.clock.at += HOUR  # set wrongly, for a second
    lab.tick(bare("a", "late"))
    lab.tick(after_s=0.5)
    lab.keep()
    lab.clock.at -= HOUR
    if is_restarted:
        restart(lab)
    lab.tick()
    lab.tick(after_s=0.3)
    lab.keep()
    assert ["late"] == links(lab, timedelta(seconds=1.2)), "it goes on at once, with what stands"
    lab.tick(bare("a", "lost"))
    lab.clock.at, lab.clock.mono_s = NOON + HOUR - TENTH, 3600.0
    for _ in range(10):
        lab.tick(after_s=0.2)
    lab.keep()
    assert ["late"] == links(lab, HOUR + timedelta(seconds=0.7)), "what was shown by that clock the first time"
    assert ["unknown"] == links(lab, HOUR + timedelta(seconds=0.95)), "and no second board over it"
    assert ["lost"] == links(lab, HOUR + timedelta(seconds=1.6)), "then what stands, although it did not change"


def test_a_clock_that_jumps_ahead_logs_each_unit_again(lab: Lab) -> None:
    """Rows that come later and are stamped earlier do not reach into what was shown under the wrong clock."""
    lab.tick(bare("a"))
    lab.clock.at += HOUR
    lab.tick()
    lab.keep()
    lab.clock.at -= HOUR
    lab.tick(bare("a", "lost"), after_s=1.0)
    lab.tick()
    lab.keep()
    assert ["fresh"] == links(lab, HOUR + timedelta(seconds=0.4))


def test_who_went_while_nothing_ran_is_gone(lab: Lab) -> None:
    """A unit that was taken out of the directory between two processes is not on the board for ever after."""
    lab.tick(bare("a"), bare("b"))
    lab.keep()
    del lab.board["b"]
    lab.clock.at += HOUR
    restart(lab)
    begun = lab.tick(bare("a"))
    lab.keep()
    assert [("", "started"), ("a", "record"), ("b", "gone")] == [(r.unit, r.kind) for r in lab.ledger.board_at(begun)]
    restart(lab)
    lab.tick()
    lab.keep()
    assert 2 == len(lab.ledger.board_of(["b"], NOON, NOON + 2 * HOUR)), "which is said once"
    assert not Keeping().begin(encode_us(NOON), ()).rows, "nobody was there before the first"


def test_what_an_earlier_process_kept_is_there_while_the_stores_fail(lab: Lab) -> None:
    """A full disk keeps nobody from looking back to what is durable, from its start on."""
    shown = lab.tick(bare("a"))
    lab.keep()
    lab.clock.at += HOUR
    restart(lab)
    lab.recorder.failing = True
    assert asyncio.run(lab.recorder.reach(shown)), "before the first tick"
    lab.tick()
    assert asyncio.run(lab.recorder.reach(shown))
    assert not asyncio.run(lab.recorder.reach(lab.clock.at))
