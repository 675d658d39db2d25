"""Refused bytes stay within bounds, and no refused event is ever among those that go."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.ledger import Bounds, Commit, Ledger, Refused
from tests.cloud.ledger.samples import refused, url_of

arrivals = st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=12)


def reference(rows: list[Refused], bounds: Bounds) -> tuple[list[Refused], int]:
    """What should be held after all of them, and how many should have gone."""
    messages = [row for row in rows if row.seq is None]
    kept = list(messages)
    while len(kept) > bounds.messages_max or sum(len(row.body) for row in kept) > bounds.bytes_max:
        kept.pop(0)
    gone = {id(row) for row in messages} - {id(row) for row in kept}
    return [row for row in rows if id(row) not in gone], len(gone)


@settings(max_examples=40, deadline=None)
@given(commits=st.lists(arrivals, max_size=5))
def test_the_oldest_messages_go_and_no_event_does(
    tmp_path_factory: pytest.TempPathFactory, commits: list[list[tuple[bool, int]]]
) -> None:
    """After any mix of commits the ledger holds what the bounds allow, and its figures say so."""
    bounds = Bounds(messages_max=6, bytes_max=70)
    ledger = Ledger.open(url_of(tmp_path_factory.mktemp("ledger") / "ledger.db"), bounds)
    rows: list[Refused] = []
    for commit in commits:
        new = [
            refused(body=bytes([len(rows) + place]) * size, seq=place if single else None)
            for place, (single, size) in enumerate(commit)
        ]
        rows += new
        ledger.commit(Commit(refused=new))
    kept, dropped = reference(rows, bounds)
    held = list(reversed(ledger.refused_rows(1000)))
    counts = ledger.counts()
    ledger.close()
    assert [(row.seq, row.body) for row in kept] == [(row.seq, row.body) for row in held]
    messages = [row for row in kept if row.seq is None]
    figures = (len(kept) - len(messages), len(messages), sum(len(row.body) for row in messages), dropped)
    assert figures == (
        counts.refused_events,
        counts.refused_messages,
        counts.refused_messages_bytes,
        counts.dropped_messages,
    )


def test_a_flood_in_one_commit_is_cut_to_the_bounds(tmp_path: Path) -> None:
    """More than a step's worth of messages at once is dropped all the way down, in that same commit."""
    ledger = Ledger.open(url_of(tmp_path / "ledger.db"), Bounds(messages_max=10))
    ledger.commit(Commit(refused=[refused(body=b"%d" % number) for number in range(2_500)]))
    assert [b"2499", b"2498"] == [row.body for row in ledger.refused_rows(2)]
    assert (10, 2_490) == (ledger.counts().refused_messages, ledger.counts().dropped_messages)
    ledger.close()


def test_the_default_bounds_are_finite(tmp_path: Path) -> None:
    """Unless told otherwise a ledger keeps at most 10,000 whole messages and 64 MiB of them."""
    assert Bounds(messages_max=10_000, bytes_max=67_108_864) == Bounds()
