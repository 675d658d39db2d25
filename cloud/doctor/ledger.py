"""Looks into the ledger, read-only and beside whoever writes it: is it whole, when was it written, what is missing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from cloud.ledger.tables import decode_instant, encode_instant
from wire.findings import Finding, fail, warn, well

SMALL_TABLES = (
    "watermark",
    "head",
    "latest",
    "tail",
    "process",
    "counter",
    "gap",
    "assignment",
    "cursor",
    "decision",
)
"""What is rewritten in place, and short lists. Events, the board log and directories are only added to, and too much
to read."""
LATELY = timedelta(days=7)
ROWS_MAX = 10_000
"""The newest rows that are looked through."""
SHOWN_MAX = 10


def look_at_ledger(path: Path, now: datetime, *, is_running: bool) -> Iterator[Finding]:
    """Look at the ledger's file."""
    if not path.exists():
        do = "nothing, if this Watchroom never ran; else restore a backup before you start it"
        yield warn("ledger", f"{path} is not there", do)
        return
    try:
        with closing(_connect(path, is_running)) as db:
            yield from _look(db, path, now)
    except sqlite3.OperationalError as error:
        yield fail(
            "ledger", f"{path} cannot be read: {error}", "run this as Watchroom's user; look at the disk with dmesg"
        )
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        do = "stop Watchroom, copy the folder elsewhere, then restore a backup of ledger.db; see docs/operation.md"
        yield fail("ledger", f"{path} is damaged: {error}", do)


def _connect(path: Path, is_running: bool) -> sqlite3.Connection:
    """Open it so that nothing is written: one that nobody has open and that has no log, as one that cannot change."""
    log = path.with_name(path.name + "-wal")
    at_rest = not is_running and not (log.exists() and log.stat().st_size)
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if at_rest else ''}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=2.0)


def _look(db: sqlite3.Connection, path: Path, now: datetime) -> Iterator[Finding]:
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'watermark'").fetchone():
        yield fail(
            "ledger", f"{path} is not a ledger", "restore a backup in its place, or name another folder with --data"
        )
        return
    known = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for table in SMALL_TABLES:
        if table not in known:
            continue  # of an earlier version: the next start brings it up
        answer = str(db.execute(f"PRAGMA quick_check({table})").fetchone()[0])
        if answer != "ok":
            raise ValueError(answer.partition("\n")[0])
    yield _about_content(db)
    if "board_log" in known:
        yield _about_memory(db)
    yield from _about_gaps(db, now)
    yield from _about_forks(db, now)
    yield from _about_refusals(db, now)


def _about_content(db: sqlite3.Connection) -> Finding:
    newest = db.execute("SELECT id, received_at FROM event ORDER BY id DESC LIMIT 1").fetchone()
    counts = dict(db.execute("SELECT name, value FROM counter").fetchall())
    started = db.execute("SELECT started_at, version FROM process ORDER BY id DESC LIMIT 1").fetchone()
    last = f"{newest[0]} events, the newest received {_moment(newest[1])}" if newest else "no event yet"
    since = f"; last started {_moment(started[0])} with watchroom {started[1]}" if started else ""
    refused = counts.get("refused_events", 0) + counts.get("refused_messages", 0)
    return well("ledger", f"{last}; {refused} refused and kept, {counts.get('gaps', 0)} gaps ever{since}")


def _about_memory(db: sqlite3.Connection) -> Finding:
    shown = db.execute("SELECT shown_at FROM board_log ORDER BY number DESC LIMIT 1").fetchone()
    decided = db.execute("SELECT count(*) FROM decision").fetchone()[0]
    directory = db.execute("SELECT version, at FROM directory ORDER BY number DESC LIMIT 1").fetchone()
    last = f"the board last changed {_moment(shown[0])}" if shown else "no board was shown yet"
    under = f"; directory {directory[0]} in force since {_moment(directory[1])}" if directory else ""
    return well("memory", f"{last}; {decided} decisions by control{under}")


def _about_gaps(db: sqlite3.Connection, now: datetime) -> Iterator[Finding]:
    rows = db.execute(
        "SELECT device, stream, queue, first_seq, last_seq, recorded_at, reason FROM "
        "(SELECT * FROM gap ORDER BY id DESC LIMIT ?) WHERE recorded_at >= ? AND queue = 'status'",
        (ROWS_MAX, encode_instant(now - LATELY)),
    ).fetchall()
    if not rows:
        yield well("gaps", f"no status went missing in the last {LATELY.days} days")
        return
    lines = [f"{row[0]}: {row[3]} to {row[4]} of {row[1]}, {_moment(row[5])}, {row[6]}" for row in rows[:SHOWN_MAX]]
    found = f"statuses of {len({row[0] for row in rows})} devices went missing in the last {LATELY.days} days"
    do = (
        "ask these crews by voice for their status; run `edge-agent diagnose` on the devices, keep the outbox files "
        "that it names, and replace a card that was damaged"
    )
    yield warn("gaps", "\n".join([found, *lines, *_more(rows)]), do)


def _about_forks(db: sqlite3.Connection, now: datetime) -> Iterator[Finding]:
    rows = db.execute(
        "SELECT device, max(received_at), count(*) "
        "FROM (SELECT * FROM refused WHERE seq IS NULL ORDER BY id DESC LIMIT ?) "
        "WHERE reason = 'fork' AND received_at >= ? GROUP BY device ORDER BY 2 DESC",
        (ROWS_MAX, encode_instant(now - LATELY)),
    ).fetchall()
    if rows:
        lines = [f"{row[0]}: {row[2]} times, last {_moment(row[1])}" for row in rows[:SHOWN_MAX]]
        found = f"{len(rows)} devices sent other content under a known sequence in the last {LATELY.days} days"
        do = "look for a cloned card or an old copy put back, take the second one away, and enrol the device anew"
        yield warn("forks", "\n".join([found, *lines, *_more(rows)]), do)


def _about_refusals(db: sqlite3.Connection, now: datetime) -> Iterator[Finding]:
    rows = db.execute(
        "SELECT reason, count(*), count(DISTINCT device), max(device) "
        "FROM (SELECT * FROM refused ORDER BY id DESC LIMIT ?) "
        "WHERE reason <> 'fork' AND received_at >= ? GROUP BY reason ORDER BY 2 DESC",
        (ROWS_MAX, encode_instant(now - timedelta(days=1))),
    ).fetchall()
    if rows:
        lines = [
            f"{row[0]}: {row[1]}, of {row[2]} known devices{f', {row[3]} among them' if row[3] else ''}" for row in rows
        ]
        do = (
            "foreign_device, foreign_unit and wrong_enrolment: mend the directory. unknown_code and wrong_scheme: mend "
            "the device's TOML. invalid and malformed: see which version the device runs"
        )
        yield warn("refused", "\n".join(["within the last day, by reason", *lines[:SHOWN_MAX], *_more(rows)]), do)


def _more(rows: list[tuple[object, ...]]) -> list[str]:
    return [f"and {len(rows) - SHOWN_MAX} more"] if len(rows) > SHOWN_MAX else []


def _moment(micros: int) -> str:
    return f"{decode_instant(micros):%Y-%m-%d %H:%M:%S} UTC"
