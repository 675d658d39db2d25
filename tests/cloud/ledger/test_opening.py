"""A ledger opens whole, with the settings that keep its promise, or not at all."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from cloud.errors import Fatal
from cloud.ledger import Ledger, opening
from cloud.ledger.statements import Statements
from cloud.ledger.tables import metadata
from tests.cloud.ledger.samples import NOON, open_in, press, url_of

POWER_CUT_SAFE = {"journal_mode": "wal", "synchronous": 2}
"""The only pair that lost nothing in 42 power cuts right after a commit (lessons, SQLite)."""


def made(folder: Path) -> Path:
    """A closed ledger with a few hundred presses, whole in its one file."""
    ledger = open_in(folder)
    for number in range(1, 300):
        ledger.commit(press(number, number - 1 or None))
    ledger.close()
    return folder / "ledger.db"


def test_each_connection_has_the_settings_that_survive_a_power_cut(tmp_path: Path) -> None:
    """Every connection, not just the first, answers with write-ahead log and full synchronisation."""
    engine = opening.open_engine(url_of(tmp_path / "ledger.db"))
    with engine.connect() as one, engine.connect() as two:
        for connection in (one, two):
            answers = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in POWER_CUT_SAFE}
            assert POWER_CUT_SAFE == answers
    engine.dispose()


def test_a_setting_that_is_not_taken_is_fatal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answer differs from what is needed, nothing goes on."""
    monkeypatch.setitem(opening._SETTINGS, "synchronous", ("NORMAL", 2))
    with pytest.raises(Fatal, match="synchronous 1, not 2"):
        open_in(tmp_path)


def test_the_migrations_make_the_schema_that_the_code_uses(tmp_path: Path) -> None:
    """After every revision nothing differs from the tables that the statements are written against."""
    engine = opening.open_engine(url_of(tmp_path / "ledger.db"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [] == compare_metadata(context, metadata)
    engine.dispose()


def test_the_event_table_has_no_index_but_its_id(tmp_path: Path) -> None:
    """A live index would cost five times the rate (lessons, SQLite), so there is none, and the id is the row number."""
    path = made(tmp_path)
    with sqlite3.connect(path) as connection:
        assert [] == connection.execute("PRAGMA index_list(event)").fetchall()
        connection.execute("SELECT rowid FROM event WHERE rowid = id AND id = 7").fetchone()
        plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM event WHERE id = 7").fetchall()
    connection.close()
    assert "INTEGER PRIMARY KEY" in plan[0][3]


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    """A revision that this program does not know is never written to."""
    path = made(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Fatal, match="newer version.*upgrade Watchroom"):
        open_in(tmp_path)


def test_another_programs_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A database that is not a ledger is named, and gets no tables of ours."""
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("CREATE TABLE other(x)")
    with pytest.raises(Fatal, match="is not a ledger"):
        open_in(tmp_path)
    assert [("other",)] == connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()


@pytest.mark.parametrize("damage", ["half", "empty", "header", "small table", "garbage"])
def test_a_damaged_file_is_fatal_and_is_not_begun_anew(tmp_path: Path, damage: str) -> None:
    """The message names the file and says to restore it, and the bytes stay as they were for whoever repairs it."""
    path = made(tmp_path)
    spoil(path, damage)
    before = path.read_bytes()
    with pytest.raises(Fatal, match=r"ledger\.db is damaged.*restore a backup") as raised:
        open_in(tmp_path)
    assert "\n" not in str(raised.value)
    assert before == path.read_bytes()


def spoil(path: Path, damage: str) -> None:
    """Damage a file as a disk or a person might."""
    whole = path.read_bytes()
    if damage == "small table":
        with sqlite3.connect(path) as connection:
            row = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'watermark'").fetchone()
        connection.close()
        start = (row[0] - 1) * 4096
        path.write_bytes(whole[:start] + b"\xa5" * 4096 + whole[start + 4096 :])
        return
    spoilt = {
        "half": whole[: len(whole) // 2],
        "empty": b"",
        "header": b"\xff" * 100 + whole[100:],
        "garbage": b"not a database, " * 1000,
    }
    path.write_bytes(spoilt[damage])


def test_a_log_without_its_file_is_fatal(tmp_path: Path) -> None:
    """Where the file was lost and its log was not, beginning anew would throw the log away."""
    (tmp_path / "ledger.db-wal").write_bytes(b"frames")
    with pytest.raises(Fatal, match="its log is here and the file is not"):
        open_in(tmp_path)
    assert b"frames" == (tmp_path / "ledger.db-wal").read_bytes()


def test_what_a_crash_left_half_made_is_made_again(tmp_path: Path) -> None:
    """A file that was never given the ledger's name does not stand in the way of a first start."""
    (tmp_path / "ledger.db.new").write_bytes(b"half a page")
    ledger = open_in(tmp_path)
    ledger.commit(press(1, None))
    ledger.close()
    assert ["ledger.db"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:////nowhere/at/all/ledger.db", "create it for this user"),
        ("no url", "can't be read"),
        ("nosuchdatabase://host/name", "needs a driver"),
    ],
)
def test_a_url_that_cannot_hold_a_ledger_says_what_to_do(url: str, says: str) -> None:
    """Each is fatal at start, in one line."""
    with pytest.raises(Fatal, match=says):
        Ledger.open(url)


def test_a_servers_password_is_not_named() -> None:
    """What names the ledger in messages carries no secret."""
    url: URL = make_url("postgresql://watchroom:hunter2@db/ledger")
    assert "hunter2" not in opening.name_place(url)


def test_the_schema_and_statements_are_portable() -> None:
    """Every table, index and writing statement compiles for PostgreSQL, with its placeholders by position."""
    dialect = postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
    for table in metadata.sorted_tables:
        str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            whole = index.name in ("board_log_unit", "read_log_unit")
            assert whole or "WHERE " in str(CreateIndex(index).compile(dialect=dialect))
    statements = Statements(dialect)
    assert statements.event.count("%s") == 14
    assert "ON CONFLICT (unit) DO UPDATE SET event_id = excluded.event_id" in statements.tail


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """A ledger that is up to date is opened as it stands, as often as one likes."""
    path = made(tmp_path)
    before = path.read_bytes()
    for _ in range(2):
        open_in(tmp_path).close()
    assert before == path.read_bytes()
    ledger = open_in(tmp_path)
    assert 1 == ledger.record_start(NOON, 1, "0.1.0")
    ledger.close()
