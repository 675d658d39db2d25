"""A new outbox file takes over from one that is damaged, or behind what the cloud has already settled.

The old file is never deleted: it is set aside under a name that says why. The new one is made complete beside it and
only then put in its place, so that a power cut in between leaves one of the two to go on with.
"""

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.outbox.file import OutboxFile
from wire import codec, digest
from wire.messages import CurrentStatus, Event, Origin, Queue

_GROUP = 500


class _Meta(msgspec.Struct, frozen=True):
    stream: str
    boot: int


def take_over(path: Path, enrolment: str, reason: str, scheme_events: frozenset[str]) -> tuple[OutboxFile, Path]:
    """Replace the file at `path`. Gives the new open file and where the old one lies now.

    `scheme_events` are the codes that never become a unit's current status. Raises `sqlite3.Error` or `OSError` where
    the disk does not let the new file be made; the old one then stays where it is.
    """
    fresh = path.with_suffix(".new")
    remove(fresh)
    new = OutboxFile(fresh, enrolment)
    try:
        old = _read_meta(path)
        new.succeed(old.stream, old.boot + 1, _read_current(path))
        for queue in ("status", "track"):
            _carry(path, new, queue, old.stream, scheme_events)
        new.shrink()
    finally:
        new.close()
    aside = _free_name(path, reason)
    for suffix in ("-wal", "-shm"):
        _rename_if_there(path.with_name(path.name + suffix), aside.with_name(aside.name + suffix))
    path.rename(aside)
    fresh.rename(path)
    return OutboxFile(path, enrolment), aside


def finish_interrupted(path: Path) -> None:
    """Complete a take-over that a power cut interrupted between the two renames; drop one that was not yet complete."""
    fresh = path.with_suffix(".new")
    if fresh.exists() and not path.exists():
        fresh.rename(path)
    remove(fresh)


def read_rows(path: Path, queue: Queue) -> Iterator[tuple[int, bytes]]:
    """Read each row of a queue that can still be read and that fits its digest, in order.

    Reads forwards until the damage, and backwards to it from the other end. The first row after a hole has nothing to
    be checked against and is left out: a status that may have been altered must not be told as one that was pressed.
    """
    rows: dict[int, tuple[bytes, bytes]] = {}
    for direction in ("ASC", "DESC"):
        query = f"SELECT seq, event, digest FROM {queue} ORDER BY seq {direction}"
        rows.update({seq: (event, row_digest) for seq, event, row_digest in _read_while_possible(path, query)})
    base = next((row[0] for row in _read_while_possible(path, f"SELECT base FROM queue WHERE name = '{queue}'")), None)
    for seq in sorted(rows):
        before = rows[seq - 1][1] if seq - 1 in rows else base if seq == min(rows) else None
        event, row_digest = rows[seq]
        if before is not None and isinstance(event, bytes) and digest.extend(before, event) == row_digest:
            yield seq, event


def remove(path: Path) -> None:
    """Delete a database file and its companions, as far as they are there."""
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)


def _carry(path: Path, new: OutboxFile, queue: Queue, stream: str, scheme_events: frozenset[str]) -> None:
    group: list[Callable[..., Event]] = []
    for seq, raw in read_rows(path, queue):
        event = codec.decode_event(raw)
        if isinstance(event, codec.Rejected):
            continue
        standing = getattr(event, "code", None) not in scheme_events
        origin = event.origin or (Origin(stream, seq) if stream else None)
        group.append(partial(_renumber, event, origin))
        if queue == "status" or len(group) == _GROUP:
            new.append(queue, group, standing)
            group = []
    if group:
        new.append(queue, group)


def _renumber(event: Event, origin: Origin | None, *, seq: int) -> Event:
    return msgspec.structs.replace(event, seq=seq, origin=origin)


def _read_meta(path: Path) -> _Meta:
    values = dict(_read_while_possible(path, "SELECT key, value FROM meta"))
    boot = values.get("boot", "0")
    return _Meta(str(values.get("stream", "")), int(boot) if str(boot).isdigit() else 0)


def _read_current(path: Path) -> list[CurrentStatus]:
    rows = _read_while_possible(path, "SELECT unit, stream, seq, scheme, code FROM current")
    return [CurrentStatus(*row) for row in rows]


def _read_while_possible(path: Path, query: str) -> list[tuple[Any, ...]]:
    rows = []
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        try:
            for row in db.execute(query):
                rows.append(row)
        finally:
            db.close()
    except sqlite3.Error:
        pass  # what came before the damage is what there is
    return rows


def _free_name(path: Path, reason: str) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.{reason}-{number}.db")).exists():
        number += 1
    return aside


def _rename_if_there(old: Path, new: Path) -> None:
    if old.exists():
        old.rename(new)
