"""One outbox file: append, batch, settle. Synchronous, for one thread.

A stream is minted inside the file (enrolment number and a random id). Each queue counts its events from 1 and chains
a digest over their bytes, kept per row, so that the cloud's word on a sequence can be checked before anything is
deleted.
"""

import secrets
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from edge_agent.outbox import database
from edge_agent.outbox.database import Damaged, is_sealed, sealed, transaction
from wire import codec, digest
from wire.events import EmergencyEvent, Event, InputEvent, Queue, StatusEvent
from wire.messages import CurrentStatus

Draft = Callable[..., Event]
"""Makes the event once its sequence is known: called with `seq=`."""

SettleOutcome = Literal["deleted", "ignored", "mismatch", "ahead"]

BATCH_BYTES_MAX = 14_000
"""Leaves room for the envelope around the events within the contract's 16 KiB."""
EVICT_ROWS = 500
"""Rows of the track that go in one transaction: a bound for the room that deleting itself takes in the log."""
_PAGES_MAX = 1_073_741_823
_NEWEST_TRACK = """
WITH RECURSIVE names(name) AS (
    SELECT min(series) FROM track
    UNION ALL SELECT (SELECT min(series) FROM track WHERE series > name) FROM names WHERE name IS NOT NULL
)
SELECT (SELECT max(seq) FROM track WHERE series = name) AS newest FROM names WHERE name IS NOT NULL ORDER BY newest
"""
"""Jumps from series to series in the index: what it costs does not grow with the track."""


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


class _Ends(msgspec.Struct, frozen=True):
    """Where a queue stands: the next sequence, and the digests before its first event and after its last."""

    next_seq: int
    base: bytes
    tip: bytes


class OutboxFile:
    """An open outbox. Every method raises `sqlite3.Error` when the disk or the file fails, and `Damaged`."""

    def __init__(self, path: Path, enrolment: str) -> None:
        """Open the file, making it if it is not there, and start a new boot."""
        self.path = path
        self.closed = False
        self.emergency = 0
        """The sequence of the newest unsettled emergency; 0 for none."""
        self._db = database.connect(path)
        try:
            self._prepare(enrolment)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file. What was appended is on disk already."""
        self.closed = True
        self._db.close()

    def append(self, queue: Queue, drafts: Sequence[Draft], standing: bool = True) -> list[Stored]:
        """Commit the drafts' events in order: when this returns they are on disk.

        `standing` tells whether a status among them becomes its unit's current one (an event code does not).
        """
        with transaction(self._db):
            ends = self._ends(queue)
            seq, tip = ends.next_seq, ends.tip
            stored = []
            for draft in drafts:
                event = draft(seq=seq)
                raw = codec.encode(event)
                tip = digest.extend(tip, raw)
                self._db.execute(f"INSERT INTO {queue} VALUES(?, ?, ?, ?)", (seq, series_of(event), raw, tip))
                if standing and isinstance(event, StatusEvent):
                    self._set_current(CurrentStatus(event.unit, self.stream, seq, event.scheme, event.code))
                stored.append(Stored(seq, event, raw))
                seq += 1
            self._set_ends(queue, _Ends(seq, ends.base, tip))
        self.emergency = max([self.emergency, *(one.seq for one in stored if isinstance(one.event, EmergencyEvent))])
        return stored

    def batch(self, queue: Queue, events_max: int) -> Batch | None:
        """Give the oldest unsettled events, or None. Raises `Damaged` where a row does not fit its digest."""
        ends = self._ends(queue)
        query = f"SELECT seq, event, digest FROM {queue} ORDER BY seq LIMIT ?"
        rows = self._db.execute(query, (events_max,)).fetchall()
        if not rows:
            _require(ends.base == ends.tip, f"{queue} has lost its events")
            return None
        events: list[bytes] = []
        size = 0
        tip: bytes | None = ends.base
        for position, (seq, event, row_digest) in enumerate(rows):
            tip = _follow(tip, event)
            _require(tip == row_digest and seq == rows[0][0] + position, f"{queue} {seq} does not fit its digest")
            size += len(event) + 1
            if events and size > BATCH_BYTES_MAX:
                break
            events.append(event)
        return Batch(queue, rows[0][0], ends.base, tuple(events))

    def settle(self, queue: Queue, stream: str, through: int, cloud_digest: bytes) -> SettleOutcome:
        """Take the cloud's word that everything up to `through` has ended; delete it where the digests agree."""
        if stream != self.stream or through < self.first_held(queue):
            return "ignored"
        if through >= self._ends(queue).next_seq:
            return "ahead"
        found = self._db.execute(f"SELECT digest FROM {queue} WHERE seq = ?", (through,)).fetchone()
        if found is None or found[0] != cloud_digest:
            return "mismatch"
        self._forget(queue, through, cloud_digest)
        return "deleted"

    def evict(self, rows_max: int) -> int:
        """Delete all but the newest `rows_max` of the track. Gives how many went. The status queue never shrinks so."""
        excess = gone = max(0, self._held("track") - rows_max)
        while excess > 0:
            through = self.first_held("track") + min(excess, EVICT_ROWS) - 1
            found = self._db.execute("SELECT digest FROM track WHERE seq = ?", (through,)).fetchone()
            _require(found is not None, f"track {through} is missing")
            self._forget("track", through, found[0])
            excess -= EVICT_ROWS
        return gone

    def fold(self) -> None:
        """Fold the write-ahead log into the file. The log keeps its room on the disk and starts over in it."""
        self._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def shrink(self) -> None:
        """Fold the write-ahead log into the file and give its space back."""
        if self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError("the write-ahead log could not be folded in")

    def cap(self, spare_bytes: int | None) -> bool:
        """Let the file grow by no more than `spare_bytes`, or (None) as it likes. Tells whether that is more room.

        On a full disk a file that grows fails only when its log is folded in, and then nothing can be deleted any
        more for want of room in the log. A capped one fails at once, with the log still of use.
        """
        database.keep_log_short(self._db, spare_bytes is not None)
        before = self._db.execute("PRAGMA max_page_count").fetchone()[0]
        pages_max = _PAGES_MAX
        if spare_bytes is not None:
            pages = self._db.execute("PRAGMA page_count").fetchone()[0]
            pages_max = pages + spare_bytes // self._db.execute("PRAGMA page_size").fetchone()[0]
        return bool(self._db.execute(f"PRAGMA max_page_count={pages_max}").fetchone()[0] > before)

    def first_held(self, queue: Queue) -> int:
        """Give the oldest sequence still held; the next to be given out where the queue is empty."""
        found = self._db.execute(f"SELECT min(seq) FROM {queue}").fetchone()[0]
        return int(found) if found is not None else self._ends(queue).next_seq

    def last_seq(self, queue: Queue) -> int:
        """Give the last sequence given out; 0 for none."""
        return self._ends(queue).next_seq - 1

    def depth(self) -> Depth:
        """Count what is unsettled: sequences are consecutive, so the ends of a queue tell."""
        found = self._db.execute("SELECT event FROM status ORDER BY seq LIMIT 1").fetchone()
        oldest = codec.decode_event(found[0]) if found and isinstance(found[0], bytes) else None
        since = None if oldest is None or isinstance(oldest, codec.Rejected) else (oldest.boot, oldest.mono_ms)
        return Depth(self._held("status"), self._held("track"), since)

    def unsettled_statuses(self, events_max: int) -> list[Stored]:
        """Give the newest unsettled statuses, oldest first."""
        query = "SELECT seq FROM status ORDER BY seq DESC LIMIT ?"
        return self._read("status", [seq for (seq,) in self._db.execute(query, (events_max,)).fetchall()[::-1]])

    def emergencies(self, events_max: int) -> list[Stored]:
        """Give the newest unsettled emergencies, oldest first."""
        query = "SELECT seq FROM status WHERE series = 'emergency' ORDER BY seq DESC LIMIT ?"
        return self._read("status", [seq for (seq,) in self._db.execute(query, (events_max,)).fetchall()[::-1]])

    def current(self) -> list[CurrentStatus]:
        """Give each unit's current status, settled or not."""
        rows = self._db.execute("SELECT unit, stream, seq, scheme, code, seal FROM current ORDER BY unit").fetchall()
        _require(all(map(is_sealed, rows)), "a current status was altered")
        return [CurrentStatus(*row[:-1]) for row in rows]

    def newest_track(self) -> list[Stored]:
        """Give the newest unsettled track record of each kind and name."""
        return self._read("track", [seq for (seq,) in self._db.execute(_NEWEST_TRACK).fetchall()])

    def succeed(self, stream: str, boot: int, current: Sequence[CurrentStatus]) -> None:
        """Record the stream that this one takes over from, its boot number and its units' current statuses."""
        with transaction(self._db):
            self._set_meta("predecessor", stream)
            self._set_meta("boot", str(boot))
            for one in current:
                self._set_current(one)
        self.predecessor, self.boot = stream, boot

    def _prepare(self, enrolment: str) -> None:
        database.check_durability(self._db)
        _require(self._db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok", "it fails SQLite's quick check")
        with transaction(self._db):
            if not self._db.execute("SELECT 1 FROM sqlite_schema").fetchone():
                for statement in database.SCHEMA.split(";"):
                    self._db.execute(statement)
                self._mint(f"{enrolment}-{secrets.token_hex(8)}")
            meta = self._meta()
            self.boot = int(meta["boot"]) + 1
            self._set_meta("boot", str(self.boot))
        self.stream, self.predecessor = meta["stream"], meta.get("predecessor", "")
        self._check()

    def _mint(self, stream: str) -> None:
        self._set_meta("stream", stream)
        self._set_meta("boot", "0")
        for queue in ("status", "track"):
            start = digest.genesis(stream, queue)
            self._db.execute("INSERT INTO queue VALUES(?, ?, ?, ?, ?, ?)", sealed(queue, stream, 1, start, start))
            self._set_meta(f"base/{queue}", start.hex())

    def _check(self) -> None:
        """Hold every row against its digest or its seal, but for the middle of the track: that is when it is sent."""
        self.current()
        self.depth()
        self.newest_track()
        for queue in ("status", "track"):
            ends = self._ends(queue)
            first, last = self._db.execute(f"SELECT min(seq), max(seq) FROM {queue}").fetchone()
            whole = (ends.base == ends.tip) if last is None else last == ends.next_seq - 1
            _require(whole, f"{queue} does not end where it should")
            if queue == "status" and last is not None:
                self._read(queue, range(first, last + 1))
            elif last is not None:
                self._read(queue, [first])
        self.emergency = max((one.seq for one in self.emergencies(1)), default=0)

    def _read(self, queue: Queue, seqs: Sequence[int]) -> list[Stored]:
        """Read rows, each held against the digest before it. Raises `Damaged` where one does not fit."""
        found = []
        query = f"SELECT event, digest, (SELECT digest FROM {queue} WHERE seq = ?1 - 1) FROM {queue} WHERE seq = ?1"
        base = self._ends(queue).base
        for seq in seqs:
            row = self._db.execute(query, (seq,)).fetchone()
            before = base if row and row[2] is None else row and row[2]
            _require(row and _follow(before, row[0]) == row[1], f"{queue} {seq} does not fit its digest")
            event = codec.decode_event(row[0])
            if not isinstance(event, codec.Rejected):
                found.append(Stored(seq, event, row[0]))
        return found

    def _meta(self) -> dict[str, str]:
        rows = self._db.execute("SELECT key, value, seal FROM meta").fetchall()
        meta = {key: value for key, value, _ in rows}
        _require(all(map(is_sealed, rows)) and {"stream", "boot"} <= set(meta), "what it says of itself was altered")
        return meta

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES(?, ?, ?)", sealed(key, value))

    def _set_current(self, one: CurrentStatus) -> None:
        row = sealed(one.unit, one.stream, one.seq, one.scheme, one.code)
        self._db.execute("INSERT OR REPLACE INTO current VALUES(?, ?, ?, ?, ?, ?)", row)

    def _held(self, queue: Queue) -> int:
        return self._ends(queue).next_seq - self.first_held(queue)

    def _ends(self, queue: Queue) -> _Ends:
        query = "SELECT name, stream, next_seq, base, tip, seal FROM queue WHERE name = ?"
        row = self._db.execute(query, (queue,)).fetchone()
        _require(row is not None and is_sealed(row), f"where {queue} stands was altered")
        return _Ends(row[2], row[3], row[4])

    def _set_ends(self, queue: Queue, ends: _Ends) -> None:
        row = sealed(queue, self.stream, ends.next_seq, ends.base, ends.tip)
        self._db.execute("INSERT OR REPLACE INTO queue VALUES(?, ?, ?, ?, ?, ?)", row)

    def _forget(self, queue: Queue, through: int, base: bytes) -> None:
        with transaction(self._db):
            ends = self._ends(queue)
            self._db.execute(f"DELETE FROM {queue} WHERE seq <= ?", (through,))
            self._set_ends(queue, _Ends(ends.next_seq, base, ends.tip))
            self._set_meta(f"base/{queue}", base.hex())  # on another page: without it nothing vouches for the oldest
        if queue == "status" and through >= self.emergency:
            self.emergency = 0


def series_of(event: Event) -> str:
    """Name the series that an event belongs to: its kind, and for an input its name too."""
    match event:
        case InputEvent():
            return f"input/{event.name}"
        case _:
            return str(event.__struct_config__.tag)


def _follow(before: object, event: object) -> bytes | None:
    """Give the digest after `event`; None where damage has left something else than bytes."""
    return digest.extend(before, event) if isinstance(before, bytes) and isinstance(event, bytes) else None


def _require(holds: object, what: str) -> None:
    if not holds:
        raise Damaged(what)
