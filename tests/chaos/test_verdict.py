"""The audit can fail: each kind of damage to a ledger is found, counted, and taken for no other."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.verdict import Kept, Press, Verdict, audit, combine, read_ledger

PRESSES = [
    Press(unit=unit, code=code, down_s=100.0 + place, lamp_s=100.02 + place)
    for place, (unit, code) in enumerate([("u1", "1"), ("u1", "2"), ("u2", "1"), ("u1", "4"), ("u1", "1"), ("u2", "2")])
]
SOUND = [Kept(press.unit, press.code, round(press.down_s * 1000) + 5) for press in PRESSES]
Damage = Callable[[list[Kept]], list[Kept]]


def write_ledger(path: Path, rows: list[Kept]) -> Path:
    """A file with what the audit reads of a ledger, and an event of another kind."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE event(id INTEGER PRIMARY KEY, kind TEXT, body BLOB)")
        db.execute("INSERT INTO event(kind, body) VALUES('position', '{}')")
        for row in rows:
            body = json.dumps({"unit": row.unit, "code": row.code, "mono_ms": row.mono_ms}).encode()
            db.execute("INSERT INTO event(kind, body) VALUES('status', ?)", (body,))
    return path


def test_a_sound_ledger_holds(tmp_path: Path) -> None:
    """Every press once and in order, read from a file: nothing is found wrong."""
    found = audit(PRESSES, read_ledger(write_ledger(tmp_path / "ledger.db", SOUND)))
    assert Verdict(presses=6, confirmed=6, lost=0, twice=0, out_of_order=0) == found
    assert found.holds


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param(lambda rows: rows[:3] + rows[4:], (1, 0, 0), id="a row is gone"),
        pytest.param(lambda rows: rows[:-1], (1, 0, 0), id="the last row is gone"),
        pytest.param(lambda rows: [], (6, 0, 0), id="the ledger is empty"),
        pytest.param(lambda rows: [*rows, rows[-1]], (0, 1, 0), id="the last row is doubled"),
        pytest.param(lambda rows: [*rows[:2], rows[1], *rows[2:]], (0, 1, 0), id="a row is doubled in place"),
        pytest.param(lambda rows: [*rows, rows[0]], (0, 1, 1), id="an old row comes again at the end"),
        pytest.param(lambda rows: [rows[1], rows[0], *rows[2:]], (0, 0, 1), id="two rows of a unit are swapped"),
        pytest.param(lambda rows: [Kept("u1", "2", rows[0].mono_ms), *rows[1:]], (1, 0, 0), id="another code"),
        pytest.param(lambda rows: [Kept("u3", "1", rows[0].mono_ms), *rows[1:]], (1, 0, 0), id="another unit"),
        pytest.param(lambda rows: [Kept("u1", "1", 99_000), *rows[1:]], (1, 0, 0), id="before the press"),
        pytest.param(lambda rows: [Kept("u1", "1", 100_500), *rows[1:]], (1, 0, 0), id="after the lamp"),
    ],
)
def test_damage_is_found(damage: Damage, expected: tuple[int, int, int]) -> None:
    """Lost, doubled and turned-round presses are each counted as what they are, and the promise does not hold."""
    found = audit(PRESSES, damage(SOUND))
    assert expected == (found.lost, found.twice, found.out_of_order)
    assert not found.holds


def test_units_do_not_wait_for_each_other() -> None:
    """Rows of different units may stand in any order: a device that was away brings older presses."""
    swapped = [*SOUND[:2], SOUND[3], SOUND[2], *SOUND[4:]]
    assert audit(PRESSES, swapped).holds


@pytest.mark.parametrize(("rows", "twice"), [(0, 0), (1, 0), (2, 1)])
def test_an_unconfirmed_press_may_be_missing_but_not_doubled(rows: int, twice: int) -> None:
    """Nobody was told that it is stored, so none or one are both right, and two are not."""
    press = Press(unit="u1", code="1", down_s=100.0)
    assert Verdict(presses=1, confirmed=0, lost=0, twice=twice, out_of_order=0) == audit(
        [press], [Kept("u1", "1", 100_300)] * rows
    )


def test_the_next_press_of_a_button_is_not_taken_for_a_double() -> None:
    """A press that nobody saw confirmed ends where its button goes down again, even within its second."""
    presses = [
        Press(unit="u1", code="1", down_s=100.0),
        Press(unit="u1", code="1", down_s=100.4, lamp_s=100.41),
    ]
    both = [Kept("u1", "1", 100_001), Kept("u1", "1", 100_402)]
    assert audit(presses, both).holds
    assert 1 == audit(presses, both[:1]).lost
    assert 1 == audit(presses, [both[0], *both]).twice


def test_verdicts_add_up() -> None:
    """One bad audit among good ones is still there in their sum."""
    bad = audit(PRESSES, SOUND[1:])
    total = combine([audit(PRESSES, SOUND), bad, audit(PRESSES, SOUND)])
    assert Verdict(presses=18, confirmed=18, lost=1, twice=0, out_of_order=0) == total
