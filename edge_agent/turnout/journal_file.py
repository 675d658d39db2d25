"""One journal file: lines in, lines out. Synchronous, for one thread. Every line is held by a seal of its own."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from sys import intern
from typing import Any

import msgspec

from edge_agent.outbox import database
from edge_agent.outbox.database import Damaged, is_sealed, sealed, transaction
from edge_agent.station.words import Journaled
from edge_agent.turnout.lines import Line

SCHEMA = """
CREATE TABLE line(change INTEGER PRIMARY KEY AUTOINCREMENT, order_id TEXT NOT NULL, revision INTEGER NOT NULL,
                  step TEXT NOT NULL, body BLOB NOT NULL, seal BLOB NOT NULL, told INTEGER NOT NULL,
                  UNIQUE(order_id, revision, step));
"""
_COMPANIONS = ("-wal", "-shm")
_COLUMNS = "order_id, revision, step, body, seal, told"


class JournalFile:
    """An open journal. Every method raises `sqlite3.Error` when the disk or the file fails."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it if it is not there. Raises `Damaged` where it is no journal."""
        self.closed = False
        self._db = database.connect(path)
        try:
            database.check_durability(self._db)
            if not self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'line'").fetchone():
                with transaction(self._db):
                    self._db.execute(SCHEMA)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file. What was written is on disk already."""
        self.closed = True
        self._db.close()

    def read(self) -> list[Line]:
        """Read every line, in the order of their last change. Raises `Damaged` where one was altered."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM line ORDER BY change").fetchall()
        lines = [_to_line(row) for row in rows]
        found = [line for line in lines if line is not None]
        if len(found) < len(lines):
            raise Damaged("a line was altered")
        return found

    def write(self, lines: Iterable[Line]) -> None:
        """Commit lines, each in the place of the one before it: when this returns they are on disk."""
        with transaction(self._db):
            for line in lines:
                body = msgspec.json.encode(line)
                row = sealed(line.row.order, line.row.revision, line.row.step, body)
                self._db.execute(f"INSERT OR REPLACE INTO line({_COLUMNS}) VALUES(?, ?, ?, ?, ?, ?)", (*row, line.told))

    def mark_told(self, rows: Sequence[Journaled]) -> None:
        """Note that these receipts are in the outbox. A line that has changed since keeps its own to tell."""
        with transaction(self._db):
            for row in rows:
                key = (row.order, row.revision, row.step)
                found = self._db.execute(
                    f"SELECT {_COLUMNS} FROM line WHERE order_id = ? AND revision = ? AND step = ?", key
                ).fetchone()
                line = _to_line(found) if found is not None else None
                if line is not None and says_the_same(line.row, row):
                    self._db.execute("UPDATE line SET told = 1 WHERE order_id = ? AND revision = ? AND step = ?", key)

    def forget(self, orders: Sequence[str]) -> None:
        """Drop every line of these orders."""
        with transaction(self._db):
            for order in orders:
                self._db.execute("DELETE FROM line WHERE order_id = ?", (order,))


def says_the_same(one: Journaled, other: Journaled) -> bool:
    """Tell whether two rows of one step make the same receipt."""
    return (one.outcome, one.reason, one.elapsed_ms) == (other.outcome, other.reason, other.elapsed_ms)


def salvage(path: Path) -> list[Line]:
    """Read every line that a damaged file still gives and whose seal holds."""
    found: dict[tuple[Any, ...], Line] = {}
    for direction in ("ASC", "DESC"):
        for row in _read_while_possible(path, f"SELECT {_COLUMNS} FROM line ORDER BY change {direction}"):
            line = _to_line(row)
            if line is not None:
                found.setdefault(line.key, line)
    return list(found.values())


def replace(path: Path, lines: Iterable[Line]) -> Path:
    """Set a damaged file aside and put a new one with these lines in its place. Gives where the old one lies.

    The new one is complete before the old one moves. Raises `sqlite3.Error` or `OSError`, and then nothing has moved.
    """
    fresh = _fresh(path)
    _remove(fresh)
    new = JournalFile(fresh)
    try:
        new.write(lines)
    finally:
        new.close()
    aside = _free_name(path)
    for suffix in (*_COMPANIONS, ""):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(aside.with_name(aside.name + suffix))
    fresh.rename(path)
    return aside


def finish_interrupted(path: Path) -> None:
    """Complete a replacement that was cut short when the old file had moved; drop one that was cut short before."""
    if not path.exists() and _fresh(path).exists():
        _fresh(path).rename(path)
    _remove(_fresh(path))


def _fresh(path: Path) -> Path:
    return path.with_suffix(".new")


def _remove(path: Path) -> None:
    for suffix in ("", *_COMPANIONS):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")).exists():
        number += 1
    return aside


def _to_line(row: tuple[Any, ...]) -> Line | None:
    *held, told = row
    if not is_sealed(tuple(held)):
        return None
    try:
        line = msgspec.json.decode(held[3], type=Line)
    except msgspec.DecodeError:
        return None  # sealed, and of a version that wrote other lines
    shared = msgspec.structs.replace(line.row, order=intern(line.row.order), step=intern(line.row.step))
    return msgspec.structs.replace(line, row=shared, boot=intern(line.boot), told=bool(told))


def _read_while_possible(path: Path, query: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    try:
        with closing(database.connect_read_only(path)) as db:
            for row in db.execute(query):
                rows.append(row)
    except sqlite3.Error:
        pass  # what came before the damage is what there is
    return rows
