"""Reads the disks of a scenario with SQLite alone: what is on them, whatever the code under test says of it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

Key = tuple[str, str, int]
"""A status as a crew pressed it: unit, code and its moment on the machine's monotonic clock, in ms."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A status on some disk."""

    key: Key
    device: str = ""
    stream: str
    seq: int
    origin: tuple[str, int] | None = None


class Gap(msgspec.Struct, frozen=True):
    """What the ledger says is gone."""

    stream: str
    first: int
    last: int


class _Origin(msgspec.Struct):
    stream: str
    seq: int


class _Body(msgspec.Struct):
    mono_ms: int
    unit: str = ""
    code: str = ""
    origin: _Origin | None = None


_decode = msgspec.json.Decoder(_Body).decode


class Card:
    """The outboxes on one machine's card: the one in use and those set aside."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self._seen: dict[str, tuple[tuple[int, ...], list[Row], dict[str, str]]] = {}

    def rows(self, folder: Path) -> list[Row]:
        """Every status that can be read in any file of the card."""
        return [row for path in _databases(folder) for row in self._read(path)[1]]

    def waiting(self, folder: Path) -> list[Row]:
        """Every status in the file that is in use."""
        return self._read(f"{folder}/outbox.db")[1]

    def current(self, folder: Path) -> dict[str, str]:
        """Which code stands for each unit, as the file in use has it."""
        return self._read(f"{folder}/outbox.db")[2]

    def _read(self, path: str) -> tuple[tuple[int, ...], list[Row], dict[str, str]]:
        signature = _signature(path)
        known = self._seen.get(path)
        if known is None or known[0] != signature:
            known = (signature, *_read_outbox(path))
            self._seen[path] = known
        return known


class LedgerReader:
    """A ledger's statuses, read on from where the last reading ended. Make another one for a restored ledger."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self._signature: tuple[int, ...] = ()
        self._event_id = self._refused_id = 0
        self.rows: list[Row] = []
        self.refused: list[Row] = []
        self.keys: set[Key] = set()
        """Stored or refused."""
        self.stored: set[Key] = set()

    def read(self, path: Path) -> list[Row]:
        """Read on. Gives the new rows."""
        signature = _signature(str(path))
        if signature == self._signature:
            return []
        self._signature = signature
        with closing(_open(path)) as db:
            found = db.execute(
                "SELECT id, device, stream, seq, body FROM event WHERE id > ? ORDER BY id", (self._event_id,)
            )
            new = [(number, _row(device, stream, seq, body)) for number, device, stream, seq, body in found]
            query = "SELECT id, device, stream, seq, body FROM refused WHERE id > ? AND seq IS NOT NULL ORDER BY id"
            refused = db.execute(query, (self._refused_id,)).fetchall()
        for number, device, stream, seq, body in refused:
            self._refused_id = number
            if (row := _row(device, stream, seq, body)) is not None:
                self.refused.append(row)
                self.keys.add(row.key)
        rows = [row for _, row in new if row is not None]
        if new:
            self._event_id = new[-1][0]
        self.rows += rows
        self.keys.update(row.key for row in rows)
        self.stored.update(row.key for row in rows)
        return rows


def read_gaps(path: Path) -> list[Gap]:
    """What a ledger says is gone of the status queues."""
    with closing(_open(path)) as db:
        return [Gap(*row) for row in db.execute("SELECT stream, first_seq, last_seq FROM gap WHERE queue = 'status'")]


def _read_outbox(path: str) -> tuple[list[Row], dict[str, str]]:
    rows: list[Row] = []
    current: dict[str, str] = {}
    try:
        with closing(_open(path)) as db:
            meta = {str(key): str(value) for key, value in db.execute("SELECT key, value FROM meta")}
            current = {str(unit): str(code) for unit, code in db.execute("SELECT unit, code FROM current")}
            for seq, body in db.execute("SELECT seq, event FROM status ORDER BY seq"):
                if (row := _row("", meta.get("stream", ""), seq, body)) is not None:
                    rows.append(row)
    except (sqlite3.Error, UnicodeDecodeError):  # the driver decodes SQLite's own messages, which quote the damage
        pass  # what can be read is what there is
    return rows, current


def _row(device: str, stream: str, seq: int, body: object) -> Row | None:
    try:
        said = _decode(body if isinstance(body, bytes) else b"")
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    origin = (said.origin.stream, said.origin.seq) if said.origin is not None else None
    return Row(key=(said.unit, said.code, said.mono_ms), device=device, stream=stream, seq=seq, origin=origin)


def _databases(folder: Path) -> list[str]:
    return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if name.endswith((".db", ".ready"))]


def _signature(path: str) -> tuple[int, ...]:
    found: list[int] = []
    for one in (path, path + "-wal"):
        try:
            status = os.stat(one)
        except FileNotFoundError:
            found.append(0)
        else:
            found += [status.st_ino, status.st_size, status.st_mtime_ns]
    return tuple(found)


def _open(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return db
