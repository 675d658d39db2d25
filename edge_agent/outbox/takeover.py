"""A new outbox file takes over from one that is damaged, or behind what the cloud has already settled.

The old file is never deleted: it is set aside under a name that says why. The new one is made complete beside it
(`outbox.new`), and from the moment that it gets its second name (`outbox.REASON.ready`) it is the one that counts: a
power cut before leaves the old one untouched, and one after it is made good at the next start.
"""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from edge_agent.outbox import salvage
from edge_agent.outbox.file import OutboxFile
from edge_agent.outbox.salvage import Salvage
from wire import codec
from wire.events import Event, Origin, Queue, StatusEvent

_GROUP = 100
"""Events to a transaction: a bound for the room that its log takes beside the new file."""
_COMPANIONS = ("-wal", "-shm")


def take_over(
    path: Path,
    enrolment: str,
    reason: str,
    event_codes: frozenset[str],
    *,
    track_rows_max: int = salvage.TRACK_CARRIED_MAX,
) -> tuple[OutboxFile, Path]:
    """Replace the file at `path`. Gives the new open file and where the old one lies now.

    `event_codes` are the codes that never become a unit's current status; `track_rows_max` carries only the newest of
    the track. Raises `sqlite3.Error` or `OSError` where the disk does not let the new file be made; call
    `finish_interrupted` then, before the file at `path` is opened again.
    """
    fresh = path.with_suffix(".new")
    remove(fresh)
    new = OutboxFile(fresh, enrolment)
    try:
        _carry(new, salvage.read(path, track_rows_max), event_codes)
        new.shrink()
    finally:
        new.close()
    ready = path.with_name(f"{path.stem}.{reason}.ready")
    _forget_companions(fresh)
    fresh.rename(ready)
    _sync_folder(path)
    aside = _put_in_place(path, ready)
    return OutboxFile(path, enrolment), aside


def finish_interrupted(path: Path) -> Path | None:
    """Complete a take-over that was cut short once the new file was ready; drop one that was not.

    Gives where the old file lies, if a take-over was completed.
    """
    aside = None
    for ready in sorted(path.parent.glob(f"{path.stem}.*.ready")):
        aside = _put_in_place(path, ready)
    remove(path.with_suffix(".new"))
    return aside if aside is not None and aside.exists() else None


def remove(path: Path) -> None:
    """Delete a database file and its companions, as far as they are there."""
    path.unlink(missing_ok=True)
    _forget_companions(path)


def _put_in_place(path: Path, ready: Path) -> Path:
    """Move the old file aside and the new one in, in steps that can be taken up again after any of them.

    The old log goes before the old file, and both before the new file comes: SQLite would replay a log that it finds
    beside a file into that file, whichever file it was written for.
    """
    aside = _free_name(path, ready.name[len(path.stem) + 1 : -len(".ready")])
    for suffix in (*_COMPANIONS, ""):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(aside.with_name(aside.name + suffix))
    ready.rename(path)
    _sync_folder(path)
    return aside


def _carry(new: OutboxFile, old: Salvage, event_codes: frozenset[str]) -> None:
    """Append what the old file still held, each event with the name that it had there."""
    events = {"status": _decoded(old.status), "track": _decoded(old.track)}
    boots = [event.boot for queue in events.values() for _, event in queue]
    new.succeed(old.stream, max([old.boot, *boots]) + 1, old.current)
    newest = {one.unit: one.seq for one in old.current if one.stream == old.stream}
    group: list[partial[Event]] = []
    stands = False
    for seq, event in events["status"]:
        standing = isinstance(event, StatusEvent) and event.code not in event_codes and seq >= newest.get(event.unit, 0)
        if standing != stands or len(group) == _GROUP:
            _append(new, "status", group, stands)
            group, stands = [], standing
        group.append(_renumbered(old.stream, seq, event))
    _append(new, "status", group, stands)
    for at in range(0, len(events["track"]), _GROUP):
        part = events["track"][at : at + _GROUP]
        _append(new, "track", [_renumbered(old.stream, seq, event) for seq, event in part], False)


def _append(new: OutboxFile, queue: Queue, group: Sequence["partial[Event]"], standing: bool) -> None:
    if group:
        new.append(queue, group, standing)
        new.fold()


def _decoded(rows: list[tuple[int, bytes]]) -> list[tuple[int, Event]]:
    return [(seq, event) for seq, raw in rows if not isinstance(event := codec.decode_event(raw), codec.Rejected)]


def _renumbered(stream: str, seq: int, event: Event) -> "partial[Event]":
    origin = event.origin or (Origin(stream, seq) if stream else None)
    return partial(_renumber, event, origin)


def _renumber(event: Event, origin: Origin | None, *, seq: int) -> Event:
    return msgspec.structs.replace(event, seq=seq, origin=origin)


def _free_name(path: Path, reason: str) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.{reason}-{number}.db")).exists():
        number += 1
    return aside


def _forget_companions(path: Path) -> None:
    for suffix in _COMPANIONS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
