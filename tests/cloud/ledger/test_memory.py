"""The board log: what held of each unit at a moment, and over a window, however many rows there are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloud.ledger import BoardRow, Ledger
from simulator.scenario.world import empty_ledger

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
UNITS = ("", "a", "b", "c")


def row(unit: str, after_s: int, body: bytes = b"{}") -> BoardRow:
    """What the board showed of a unit from so many seconds after noon on."""
    kind = "started" if unit == "" else "record"
    return BoardRow(shown_at=NOON + timedelta(seconds=after_s), unit=unit, kind=kind, body=body)  # type: ignore[arg-type]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    path = tmp_path / "ledger.db"
    path.write_bytes(empty_ledger())
    ledger = Ledger.open(f"sqlite:///{path}")
    yield ledger
    ledger.close()


@settings(max_examples=25, deadline=None)
@example(shown=[("a", 0), ("a", 0), ("b", 1)], moment_s=0)
@given(
    shown=st.lists(st.tuples(st.sampled_from(UNITS), st.integers(0, 4)), max_size=25),
    moment_s=st.integers(-1, 110),
)
def test_the_last_row_of_each_unit_holds(
    tmp_path_factory: pytest.TempPathFactory, shown: list[tuple[str, int]], moment_s: int
) -> None:
    """At any moment it is each unit's last row by then, of several at once the last written, and what is of all."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    path.write_bytes(empty_ledger())
    ledger = Ledger.open(f"sqlite:///{path}")
    rows, at_s = [], 0
    for number, (unit, step_s) in enumerate(shown):
        at_s += step_s
        rows.append(row(unit, at_s, str(number).encode()))
    ledger.commit_board(rows)
    at = NOON + timedelta(seconds=moment_s)
    expected = {one.unit: one for one in rows if one.shown_at <= at}
    found = ledger.board_at(at)
    ledger.close()
    assert [expected[unit] for unit in sorted(expected)] == found


def test_a_window_begins_with_what_held(ledger: Ledger) -> None:
    """Of a unit in a window come the row that held at its begin and those within, its end left out, unit by unit."""
    rows = [row("b", 0), row("a", 5), row("b", 10), row("a", 20), row("b", 30), row("c", 12)]
    ledger.commit_board(rows)
    found = ledger.board_of(("a", "b", "x"), NOON + timedelta(seconds=10), NOON + timedelta(seconds=30))
    assert [rows[1], rows[3], rows[2]] == found


def test_nothing_is_written_of_nothing(ledger: Ledger) -> None:
    """An empty group is no row and no error, and an empty log has no board."""
    ledger.commit_board([])
    assert [] == ledger.board_at(NOON)
    assert [] == ledger.board_of(("a",), NOON, NOON + timedelta(days=1))
