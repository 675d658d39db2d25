"""One outbox file: append, batch, settle. Synchronous, for one thread.

A stream is minted inside the file (enrolment number and a random id). Each queue counts its events from 1 and chains
a digest over their bytes, kept per row, so that the cloud's word on a sequence can be checked before anything is
deleted.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from wire import codec, digest
from wire.messages import CurrentStatus, Event, InputEvent, PositionEvent, Queue, StatusEvent

Draft = Callable[..., Event]
"""Makes the event once its sequence is known: called with `seq=`."""

SettleOutcome = Literal["deleted", "ignored", "mismatch", "ahead"]

BATCH_BYTES_MAX = 14_000
"""Leaves room for the envelope around the events within the contract's 16 KiB."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue(name TEXT PRIMARY KEY, next_seq INTEGER NOT NULL, base BLOB NOT NULL,
                                 tip BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS status(seq INTEGER PRIMARY KEY, series TEXT NOT NULL, boot INTEGER NOT NULL,
                                  mono_ms INTEGER NOT NULL, event BLOB NOT NULL, digest BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS track(seq INTEGER PRIMARY KEY, series TEXT NOT NULL, boot INTEGER NOT NULL,
                                 mono_ms INTEGER NOT NULL, event BLOB NOT NULL, digest BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS track_series ON track(series, seq);
CREATE TABLE IF NOT EXISTS current(unit TEXT PRIMARY KEY, stream TEXT NOT NULL, seq INTEGER NOT NULL,
                                   scheme TEXT NOT NULL, code TEXT NOT NULL) WITHOUT ROWID;
"""


class Damaged(Exception):
    """The file's content contradicts itself: take over from it, and set it aside."""


class Stored(msgspec.Struct, frozen=True):
    """An event that is committed to disk."""

    seq: int
    event: Event
    raw: bytes


class Batch(msgspec.Struct, frozen=True):
    """The oldest events that a queue still holds, consecutive from `first_held`."""

    queue: Queue
    first_held: int
    base_digest: bytes
    events: tuple[bytes, ...]

    @property
    def last(self) -> int:
        """The last sequence in the batch."""
        return self.first_held + len(self.events) - 1


class Depth(msgspec.Struct, frozen=True):
    """How much is unsettled, and what the oldest status is: its boot and monotonic milliseconds."""

    status: int
    track: int
    oldest_status: tuple[int, int] | None


class OutboxFile:
    """An open outbox. Every method raises `sqlite3.Error` when the disk or the file fails, and `Damaged`."""

    def __init__(self, path: Path, enrolment: str) -> None:
        """Open the file, making it if it is not there, and start a new boot."""
        self.path = path
        self._db = _connect(path)
        try:
            self._prepare(enrolment)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file. What was appended is on disk already."""
        self._db.close()

    def append(self, queue: Queue, drafts: Sequence[Draft], standing: bool = True) -> list[Stored]:
        """Commit the drafts' events in order: when this returns they are on disk.

        `standing` tells whether a status among them becomes its unit's current one (an event code does not).
        """
        with _transaction(self._db):
            next_seq, tip = self._db.execute("SELECT next_seq, tip FROM queue WHERE name = ?", (queue,)).fetchone()
            stored = []
            for draft in drafts:
                event = draft(seq=next_seq)
                raw = codec.encode(event)
                tip = digest.extend(tip, raw)
                row = (next_seq, series_of(event), event.boot, event.mono_ms, raw, tip)
                self._db.execute(f"INSERT INTO {queue} VALUES(?, ?, ?, ?, ?, ?)", row)
                if standing and isinstance(event, StatusEvent):
                    current = (event.unit, self.stream, event.seq, event.scheme, event.code)
                    self._db.execute("INSERT OR REPLACE INTO current VALUES(?, ?, ?, ?, ?)", current)
                stored.append(Stored(next_seq, event, raw))
                next_seq += 1
            self._db.execute("UPDATE queue SET next_seq = ?, tip = ? WHERE name = ?", (next_seq, tip, queue))
        return stored

    def batch(self, queue: Queue, events_max: int) -> Batch | None:
        """Give the oldest unsettled events, or None. Raises `Damaged` where a row does not fit its digest."""
        base = self._queue_row(queue)[1]
        query = f"SELECT seq, event, digest FROM {queue} ORDER BY seq LIMIT ?"
        rows = self._db.execute(query, (events_max,)).fetchall()
        if not rows:
            return None
        events: list[bytes] = []
        size, tip = 0, base
        for position, (seq, event, row_digest) in enumerate(rows):
            tip = digest.extend(tip, event)
            if tip != row_digest or seq != rows[0][0] + position:
                raise Damaged(f"{queue} {seq} does not fit its digest")
            size += len(event) + 1
            if events and size > BATCH_BYTES_MAX:
                break
            events.append(event)
        return Batch(queue, rows[0][0], base, tuple(events))

    def settle(self, queue: Queue, stream: str, through: int, cloud_digest: bytes) -> SettleOutcome:
        """Take the cloud's word that everything up to `through` has ended; delete it where the digests agree."""
        first_held = self.first_held(queue)
        if stream != self.stream or through < first_held:
            return "ignored"
        if through >= self._queue_row(queue)[0]:
            return "ahead"
        found = self._db.execute(f"SELECT digest FROM {queue} WHERE seq = ?", (through,)).fetchone()
        if found is None or found[0] != cloud_digest:
            return "mismatch"
        self._forget(queue, through, cloud_digest)
        return "deleted"

    def evict(self, rows_max: int) -> int:
        """Delete all but the newest `rows_max` of the track. Gives how many went. The status queue never shrinks so."""
        query = "SELECT seq, digest FROM track ORDER BY seq DESC LIMIT 1 OFFSET ?"
        found = self._db.execute(query, (rows_max,)).fetchone()
        if found is None:
            return 0
        before = self.depth().track
        self._forget("track", found[0], found[1])
        return before - self.depth().track

    def shrink(self) -> None:
        """Fold the write-ahead log into the file and give its space back."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def first_held(self, queue: Queue) -> int:
        """Give the oldest sequence still held; the next to be given out where the queue is empty."""
        found = self._db.execute(f"SELECT min(seq) FROM {queue}").fetchone()[0]
        return int(found) if found is not None else self._queue_row(queue)[0]

    def last_seq(self, queue: Queue) -> int:
        """Give the last sequence given out; 0 for none."""
        return self._queue_row(queue)[0] - 1

    def depth(self) -> Depth:
        """Count what is unsettled: sequences are consecutive, so the ends of a queue tell."""
        status, track = self._held("status"), self._held("track")
        oldest = self._db.execute("SELECT boot, mono_ms FROM status ORDER BY seq LIMIT 1").fetchone()
        return Depth(status, track, oldest)

    def unsettled_statuses(self, events_max: int) -> list[Stored]:
        """Give the newest unsettled statuses, oldest first."""
        query = "SELECT seq, event FROM status ORDER BY seq DESC LIMIT ?"
        return _decoded(self._db.execute(query, (events_max,)).fetchall()[::-1])

    def current(self) -> list[CurrentStatus]:
        """Give each unit's current status, settled or not."""
        rows = self._db.execute("SELECT unit, stream, seq, scheme, code FROM current ORDER BY unit")
        return [CurrentStatus(*row) for row in rows]

    def newest_track(self) -> list[Stored]:
        """Give the newest unsettled track record of each kind and name."""
        query = "SELECT seq, event FROM track WHERE seq IN (SELECT max(seq) FROM track GROUP BY series) ORDER BY seq"
        return _decoded(self._db.execute(query))

    def _prepare(self, enrolment: str) -> None:
        _check_durability(self._db)
        if self._db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise Damaged("the file fails SQLite's quick check")
        with _transaction(self._db):
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
            if self._meta("stream") is None:
                self._mint(f"{enrolment}-{secrets.token_hex(8)}")
            boot = int(self._meta("boot") or 0) + 1
            self._db.execute("INSERT OR REPLACE INTO meta VALUES('boot', ?)", (str(boot),))
        self.boot = boot
        self.stream = self._meta("stream") or ""
        self.predecessor = self._meta("predecessor") or ""

    def _mint(self, stream: str) -> None:
        self._db.execute("INSERT INTO meta VALUES('stream', ?)", (stream,))
        for queue in ("status", "track"):
            start = digest.genesis(stream, queue)
            self._db.execute("INSERT INTO queue VALUES(?, 1, ?, ?)", (queue, start, start))

    def _meta(self, key: str) -> str | None:
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return found[0] if found else None

    def succeed(self, stream: str, boot: int, current: Sequence[CurrentStatus]) -> None:
        """Record the stream that this one takes over from, its boot number and its units' current statuses."""
        with _transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO meta VALUES('predecessor', ?)", (stream,))
            self._db.execute("INSERT OR REPLACE INTO meta VALUES('boot', ?)", (str(boot),))
            for one in current:
                row = (one.unit, one.stream, one.seq, one.scheme, one.code)
                self._db.execute("INSERT OR REPLACE INTO current VALUES(?, ?, ?, ?, ?)", row)
        self.predecessor, self.boot = stream, boot

    def _held(self, queue: Queue) -> int:
        return self._queue_row(queue)[0] - self.first_held(queue)

    def _queue_row(self, queue: Queue) -> tuple[int, bytes, bytes]:
        query = "SELECT next_seq, base, tip FROM queue WHERE name = ?"
        next_seq, base, tip = self._db.execute(query, (queue,)).fetchone()
        return next_seq, base, tip

    def _forget(self, queue: Queue, through: int, base: bytes) -> None:
        with _transaction(self._db):
            self._db.execute(f"DELETE FROM {queue} WHERE seq <= ?", (through,))
            self._db.execute("UPDATE queue SET base = ? WHERE name = ?", (base, queue))


def series_of(event: Event) -> str:
    """Name the series that an event belongs to: its kind, and for an input its name too."""
    match event:
        case StatusEvent():
            return "status"
        case PositionEvent():
            return "position"
        case InputEvent():
            return f"input/{event.name}"


def _decoded(rows: Iterable[tuple[int, bytes]]) -> list[Stored]:
    return [
        Stored(seq, event, raw) for seq, raw in rows if not isinstance(event := codec.decode_event(raw), codec.Rejected)
    ]


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA journal_size_limit=1048576")
    except BaseException:
        db.close()
        raise
    return db


def _check_durability(db: sqlite3.Connection) -> None:
    """Refuse to go on where the settings did not take: only WAL with FULL lost nothing in measured power cuts."""
    journal = db.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = db.execute("PRAGMA synchronous").fetchone()[0]
    if journal != "wal" or synchronous != 2:
        raise sqlite3.OperationalError(f"journal_mode is {journal} and synchronous {synchronous}, not wal and 2")


class _transaction:
    """A write transaction: committed at the end of the block, rolled back where the block raises."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
