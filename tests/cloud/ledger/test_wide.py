"""Commits of many rows: what goes in by wide statements is what goes in row by row."""

import contextlib
from pathlib import Path

import pytest

from cloud.ledger import Commit
from cloud.ledger.statements import WIDE_ROWS
from tests.cloud.ledger.samples import event, gap, open_in, watermark


@pytest.mark.parametrize("count", [1, WIDE_ROWS - 1, WIDE_ROWS, WIDE_ROWS + 1, 3 * WIDE_ROWS + 7])
def test_every_row_of_a_large_commit_is_stored(tmp_path: Path, count: int) -> None:
    """However many rows a commit has, each is stored once, in its own words: none twice where a statement ends."""
    numbers = range(1, count + 1)
    units = [f"u{number}" for number in numbers]
    commit = Commit(
        events=[event(number, unit=unit, body=b"%d" % number) for number, unit in zip(numbers, units, strict=True)],
        watermarks=[watermark(number, device=f"d{number}") for number in numbers],
        heads=[(unit, "d1", number) for number, unit in zip(numbers, units, strict=True)],
        tails=list(zip(units, numbers, strict=True)),
        gaps=[gap(number, number) for number in numbers],
    )
    with contextlib.closing(open_in(tmp_path)) as ledger:
        ledger.commit(commit)
        loaded = ledger.load()
        assert [row.body for row in loaded.heads] == [b"%d" % number for number in numbers]
        assert {mark.device: mark.through for mark in loaded.watermarks} == {f"d{n}": n for n in numbers}
        assert loaded.tails == dict(commit.tails)
        assert [row.first_seq for row in ledger.gaps(1_000)] == sorted(numbers, reverse=True)
        assert [row.seq for row in ledger.events_of("u1", None, 10)] == [1]


def test_the_last_of_each_counts(tmp_path: Path) -> None:
    """A commit with many steps of one queue and one unit stands where the last of them stands."""
    last = 2 * WIDE_ROWS + 3
    numbers = range(1, last + 1)
    commit = Commit(
        events=[event(number, prev=number - 1 or None) for number in numbers],
        watermarks=[watermark(number) for number in numbers],
        heads=[("p12", "d1", number) for number in numbers],
        tails=[("p12", number) for number in numbers],
    )
    with contextlib.closing(open_in(tmp_path)) as ledger:
        ledger.commit(commit)
        loaded = ledger.load()
        assert ([mark.through for mark in loaded.watermarks], loaded.tails) == ([last], {"p12": last})
        assert [row.id for row in loaded.heads] == [last]
        assert [row.seq for row in ledger.events_of("p12", None, 1_000)] == sorted(numbers, reverse=True)
