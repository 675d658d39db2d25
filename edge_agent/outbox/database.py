"""The SQLite database under an outbox: its tables, how it is made durable, and what its failures mean.

SQLite keeps no checksum of its pages. So every event is held by the digest chain, and every other row by a seal.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL, seal BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE queue(name TEXT PRIMARY KEY, stream TEXT NOT NULL, next_seq INTEGER NOT NULL,
                                 base BLOB NOT NULL, tip BLOB NOT NULL, seal BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE status(seq INTEGER PRIMARY KEY, series TEXT NOT NULL, event BLOB NOT NULL,
                                  digest BLOB NOT NULL);
CREATE TABLE track(seq INTEGER PRIMARY KEY, series TEXT NOT NULL, event BLOB NOT NULL,
                                 digest BLOB NOT NULL);
CREATE INDEX track_series ON track(series, seq);
CREATE TABLE current(unit TEXT PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL,
                                   scheme TEXT NOT NULL, code TEXT NOT NULL, seal BLOB NOT NULL) WITHOUT ROWID;
"""

Failure = Literal["full", "damaged", "other"]

_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})
_UNREADABLE = frozenset(
    {
        sqlite3.SQLITE_ERROR,  # a table or a column that we made is not there
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
        sqlite3.SQLITE_IOERR_CORRUPTFS,
    }
)


class _Connection(sqlite3.Connection):
    """The driver decodes SQLite's own messages, which may quote a damaged file, and fails for it in another way."""

    def execute(self, *words: Any) -> sqlite3.Cursor:
        """Execute. Raises `sqlite3.Error` alone."""
        try:
            return super().execute(*words)
        except UnicodeDecodeError as error:
            raise sqlite3.DatabaseError(f"its schema is not text: {error.reason}") from error


class Damaged(Exception):
    """The file's content contradicts itself: take over from it, and set it aside."""


def failure_of(error: Exception, *, opening: bool = False) -> Failure:
    """Tell what a failure calls for: room, a take-over, or only another try later.

    `opening`: a header that was altered can say that the file must not be written. Later, only the disk can say so.
    """
    if isinstance(error, Damaged):
        return "damaged"
    if not isinstance(error, sqlite3.OperationalError):
        return "damaged" if isinstance(error, sqlite3.DatabaseError) else "other"
    code = getattr(error, "sqlite_errorcode", None)
    if code in _FULL:
        return "full"
    if code == sqlite3.SQLITE_READONLY and opening:
        return "damaged"
    return "damaged" if code is None or code in _UNREADABLE else "other"  # None: text that is not UTF-8


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the file, durable: what a transaction committed survives a power cut. Raises `sqlite3.Error`.

    The write-ahead log is folded in often and keeps its room on the disk, so that a full disk finds it there.
    """
    db = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False, factory=_Connection)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        keep_log_short(db, False)
        db.execute("PRAGMA journal_size_limit=1048576")
    except BaseException:
        db.close()
        raise
    return db


def keep_log_short(db: sqlite3.Connection, short: bool) -> None:
    """Fold the log in every 64 pages, or every 8: more syncs, but less room on a disk that has hardly any."""
    db.execute(f"PRAGMA wal_autocheckpoint={8 if short else 64}")


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a file that may be damaged, to read what it still gives. Text that is not UTF-8 is read all the same."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, factory=_Connection)
    db.text_factory = _read_text
    db.execute("PRAGMA writable_schema=ON")  # without it SQLite reads nothing of a file whose end was cut off
    return db


def check_durability(db: sqlite3.Connection) -> None:
    """Refuse to go on where the settings did not take: only WAL with FULL lost nothing in measured power cuts."""
    journal = db.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = db.execute("PRAGMA synchronous").fetchone()[0]
    if journal != "wal" or synchronous != 2:
        raise sqlite3.OperationalError(f"journal_mode is {journal} and synchronous {synchronous}, not wal and 2")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block writes, or, where it or the commit raises, nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def sealed(*fields: Any) -> tuple[Any, ...]:
    """Give a row with its seal at the end."""
    return (*fields, sha256(repr(fields).encode()).digest())


def is_sealed(row: tuple[Any, ...]) -> bool:
    """Tell whether a row is as it was written, seal last."""
    return sealed(*row[:-1]) == row


def _read_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
