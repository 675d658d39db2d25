"""What stands in the state folder: the outbox, and who writes it. Takes no lock and writes nothing."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from edge_agent.outbox.database import is_sealed
from edge_agent.outbox.room import size_of
from wire import codec
from wire.findings import Finding, fail, warn, well

_UNSETTLED_S = 60.0
"""A status that has waited longer than this is worth a person's look."""
_SMALL_TABLES = ("meta", "queue", "status", "current")
"""What is checked page by page. The track may be too long to read beside a running agent."""


class _Held(msgspec.Struct, frozen=True):
    stream: str
    boot: int
    status: int
    track: int
    oldest_at: datetime | None
    """By the device's own clock."""


def find_agent(folder: Path) -> int | None:
    """Give the process that holds the folder's lock, as the kernel lists it; None where nobody does."""
    try:
        inode = (folder / "lock").stat().st_ino
        rows = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
    except OSError:
        return None
    holders = [int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode)]
    return next((process for process in holders if _may_have_open(process, folder / "lock")), None)


def look_at_folder(folder: Path) -> Iterator[Finding]:
    """Look whether the folder can be used. How much room it has belongs to the disk."""
    if not folder.is_dir():
        do = "start the agent, which makes it, or mend device.state_dir"
        yield warn("state folder", f"{folder} is not there", do)
    elif not os.access(folder, os.W_OK | os.X_OK):
        do = "make it writable for the agent's user and its disk not read-only; no press can be kept before that"
        yield fail("state folder", f"{folder} cannot be written to by this user", do)
    else:
        yield well("state folder", f"{folder} can be written to")


def look_at_outbox(folder: Path, now: datetime, *, is_running: bool) -> Iterator[Finding]:
    """Look into the outbox, read-only. `now` is by the device's clock."""
    path = folder / "outbox.db"
    if not path.exists():
        yield warn("outbox", f"{path} is not there", "nothing, if this device never ran; else ask who removed it")
        return
    try:
        held = _read(path, is_running=is_running)
    except sqlite3.OperationalError as error:
        do = "run this as the agent's user or as root; if it stays, look at the disk with dmesg"
        yield fail("outbox", f"{path} cannot be read: {error}", do)
    except (sqlite3.DatabaseError, ValueError) as error:
        do = "start the agent again: it sets the file aside and takes over what can be read. Keep what it set aside"
        yield fail("outbox", f"{path} is damaged: {error}", do)
    else:
        yield well("outbox", f"stream {held.stream}, boot {held.boot}")
        yield _about_depth(held, now)


def _may_have_open(process: int, path: Path) -> bool:
    """Tell whether a process has a file open; True where we may not look."""
    try:
        return any(entry.readlink() == path.resolve() for entry in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return True


def _about_depth(held: _Held, now: datetime) -> Finding:
    found = f"status {held.status}, track {held.track}"
    if held.oldest_at is None:
        return well("unsettled", found)
    age_s = (now - held.oldest_at).total_seconds()
    found = f"{found}; the oldest status is {age_s:.0f} s old by this device's clock"
    if age_s <= _UNSETTLED_S:
        return well("unsettled", found)
    return warn("unsettled", found, "they are safe here. See broker and cloud below; until then tell control by voice")


def _read(path: Path, *, is_running: bool) -> _Held:
    """Read what the outbox says of itself. Raises `sqlite3.Error`, or `ValueError` where it contradicts itself.

    A file that nobody has open and that has no log is opened as one that cannot change, so that SQLite makes no files
    beside it.
    """
    at_rest = not is_running and size_of(path.with_name(path.name + "-wal")) == 0
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if at_rest else ''}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=2.0)) as db:
        for table in _SMALL_TABLES:
            answer = db.execute(f"PRAGMA quick_check({table})").fetchone()[0]
            if answer != "ok":
                raise ValueError(str(answer).partition("\n")[0])
        rows = db.execute("SELECT key, value, seal FROM meta").fetchall()
        meta = {key: value for key, value, _ in rows}
        if not all(map(is_sealed, rows)) or not {"stream", "boot"} <= set(meta):
            raise ValueError("what it says of itself was altered")
        raw = db.execute("SELECT event FROM status ORDER BY seq LIMIT 1").fetchone()
        oldest = codec.decode_event(raw[0]) if raw is not None else None
        oldest_at = None if oldest is None or isinstance(oldest, codec.Rejected) else oldest.at
        return _Held(meta["stream"], int(meta["boot"]), _count(db, "status"), _count(db, "track"), oldest_at)


def _count(db: sqlite3.Connection, queue: str) -> int:
    """Count a queue by its ends: its sequences are consecutive."""
    first, last = db.execute(f"SELECT min(seq), max(seq) FROM {queue}").fetchone()
    return 0 if first is None else int(last) - int(first) + 1
