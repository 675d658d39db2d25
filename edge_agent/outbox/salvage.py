"""What can still be read and verified of an outbox file, however damaged. Nothing here writes."""

import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.outbox.database import connect_read_only, is_sealed
from wire import digest
from wire.events import Queue
from wire.messages import CurrentStatus

_ROW_BYTES_MIN = 64
"""A row takes more than this: no more than so many can lie in a hole."""

TRACK_CARRIED_MAX = 40_000
"""How much of the track is taken over: the newest. All that is read is held in memory, about 1 KiB a record, and a
device gives its agent little: one that is ended for want of it would begin the same anew at each start, for ever. What
is older stays in the file that is set aside."""

_Rows = Mapping[int, tuple[Any, Any]]


class Salvage(msgspec.Struct, frozen=True, kw_only=True):
    """What a file still says. `stream` is empty and `boot` 0 where nobody can tell any more."""

    stream: str
    boot: int
    current: list[CurrentStatus]
    status: list[tuple[int, bytes]]
    track: list[tuple[int, bytes]]


def read(path: Path, track_rows_max: int = TRACK_CARRIED_MAX) -> Salvage:
    """Read it: of the track the newest `track_rows_max`, all of the rest."""
    meta, queues = _read_meta(path), _read_sealed(path, "SELECT name, stream, next_seq, base, tip, seal FROM queue")
    current = _read_sealed(path, "SELECT unit, stream, seq, scheme, code, seal FROM current")
    return Salvage(
        stream=meta.get("stream") or next((row[1] for row in queues), ""),
        boot=int(meta.get("boot", 0)),
        current=[CurrentStatus(*row[:-1]) for row in current],
        status=list(read_rows(path, "status")),
        track=list(read_rows(path, "track", track_rows_max))[-track_rows_max:],
    )


def read_rows(path: Path, queue: Queue, rows_max: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Read each event of a queue that can still be read and that the digest chain vouches for, in order.

    An event is vouched for by the digests before and after it. The first after a hole has none before it and is left
    out: a status that may have been altered must not be told as one that was pressed. With `rows_max` no more than that
    are read, the newest, and the one before them.
    """
    ends = _read_while_possible(path, f"SELECT next_seq, base, tip FROM queue WHERE name = '{queue}'")
    next_seq, base, tip = ends[0] if ends else (None, None, None)
    rows = _read_events(path, queue, next_seq, rows_max)
    bases = (base, bytes.fromhex(_read_meta(path).get(f"base/{queue}", "")))
    reached: bytes | None = None
    for seq in sorted(rows):
        before = (rows[seq - 1][1], reached) if seq - 1 in rows else ()
        reached = _vouch(rows, seq, (*before, *bases), tip)
        if reached is not None:
            yield seq, rows[seq][0]


def _vouch(rows: _Rows, seq: int, before: tuple[Any, ...], tip: Any) -> bytes | None:
    """Give the digest after the event at `seq` where some later digest agrees with it.

    Its own is the first to ask; where that is what was altered, the next event's or the queue's end will do.
    """
    event, own = rows[seq]
    later = rows.get(seq + 1)
    for base in before:
        if not isinstance(base, bytes) or not isinstance(event, bytes):
            continue
        reached = digest.extend(base, event)
        follows = later is not None and isinstance(later[0], bytes) and digest.extend(reached, later[0]) == later[1]
        if reached in (own, tip) or follows:
            return reached
    return None


def _read_events(path: Path, queue: Queue, next_seq: Any, rows_max: int | None) -> dict[int, tuple[Any, Any]]:
    """Read backwards until the damage, forwards to it from the other end, and what lies between one by one."""
    most = None if rows_max is None else rows_max + 1
    query = f"SELECT seq, event, digest FROM {queue} ORDER BY seq "
    backwards = _read_numbered(path, f"{query} DESC LIMIT {-1 if most is None else most}", most)
    if most is not None and len(backwards) == most:
        return {seq: (event, own) for seq, event, own in backwards}
    forwards = _read_numbered(path, f"{query} ASC", most)
    rows = {seq: (event, own) for seq, event, own in forwards + backwards}
    span = path.stat().st_size // _ROW_BYTES_MIN
    high = backwards[-1][0] if backwards else next_seq if isinstance(next_seq, int) else 0
    low = forwards[-1][0] if forwards else high - span
    if not backwards:
        high = max(high, low + 1)
    high = min(high, low + span)
    rows.update(_read_between(path, queue, low + 1 if most is None else max(low + 1, high - most), high))
    return rows


def _read_numbered(path: Path, query: str, most: int | None) -> list[tuple[Any, ...]]:
    return [row for row in _read_while_possible(path, query, most) if isinstance(row[0], int)]


def _read_between(path: Path, queue: Queue, low: int, high: int) -> dict[int, tuple[Any, Any]]:
    rows = {}
    with closing(connect_read_only(path)) as db:
        for seq in range(low, high):
            try:
                row = db.execute(f"SELECT event, digest FROM {queue} WHERE seq = ?", (seq,)).fetchone()
            except sqlite3.Error:
                continue  # it lies in a damaged page
            if row is not None:
                rows[seq] = (row[0], row[1])
    return rows


def _read_meta(path: Path) -> dict[str, str]:
    return {row[0]: row[1] for row in _read_sealed(path, "SELECT key, value, seal FROM meta")}


def _read_sealed(path: Path, query: str) -> list[tuple[Any, ...]]:
    return [row for row in _read_while_possible(path, query) if is_sealed(row)]


def _read_while_possible(path: Path, query: str, most: int | None = None) -> list[tuple[Any, ...]]:
    """Read until the damage, and keep the last `most` of that."""
    rows: deque[tuple[Any, ...]] = deque(maxlen=most)
    try:
        with closing(connect_read_only(path)) as db:
            rows.extend(db.execute(query))
    except sqlite3.Error:
        pass  # what came before the damage is what there is
    return list(rows)
