"""Open a ledger's database, and refuse one that can't keep its promise.

A power cut right after a commit lost nothing with WAL and `synchronous=FULL`, and lost the last press with every
other setting tried (measured): so both are read back on each connection.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url, text

from cloud.errors import Fatal
from cloud.ledger import schema
from cloud.ledger.failures import damaged, naming_failures

BUSY_TIMEOUT_MS = 10_000
_SETTINGS: dict[str, tuple[str | int, str | int]] = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "busy_timeout": (BUSY_TIMEOUT_MS, BUSY_TIMEOUT_MS),
    "wal_autocheckpoint": (4_000, 4_000),
}
"""What to ask for, and what SQLite answers when it agrees."""
_SMALL_TABLES = ("watermark", "head", "latest", "tail", "process", "counter", "assignment", "cursor", "alive")


def open_engine(url: str) -> Engine:
    """An engine on a ledger that is whole and of this version's schema.

    A SQLite file that isn't there is made, under another name until it is complete. Raises `Fatal` for one that is
    damaged, newer or not a ledger, and for settings that the database won't take; `Retryable` for a full disk.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_file(parsed)
    place = name_place(parsed)
    engine = _engine(parsed, place)
    with naming_failures(place), engine.begin() as connection:
        schema.upgrade(connection, place)
    return engine


def name_place(url: URL) -> str:
    """Say which ledger it is, for a person: a file's path, or a server's address without its password."""
    if url.get_backend_name() == "sqlite":
        return str(Path(str(url.database)).absolute())
    return url.render_as_string(hide_password=True)


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except exc.ArgumentError as error:
        raise Fatal("the ledger's URL can't be read: write it like sqlite:////var/lib/watchroom/ledger.db") from error


def _engine(url: URL, place: str) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, paramstyle="qmark" if sqlite else "format")
    except (exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise Fatal(f"the ledger {place} needs a driver that isn't installed: {error}") from error
    if sqlite:
        event.listen(engine, "connect", lambda connection, _: _settle_settings(connection, place))
        event.listen(engine, "begin", _begin)
    return engine


def _settle_settings(connection: sqlite3.Connection, place: str) -> None:
    """Ask for each setting and read it back. The driver is told to leave transactions to us."""
    connection.isolation_level = None
    for name, (asked, expected) in _SETTINGS.items():
        connection.execute(f"PRAGMA {name}={asked}")
        answer = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if answer != expected:
            raise Fatal(f"the ledger {place} has {name} {answer}, not {expected}: put it on a local disk")


def _begin(connection: Connection) -> None:
    """A writer takes the file at once, so that it never has to give up half-way because another one wrote."""
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', '')}")


def _open_file(url: URL) -> Engine:
    path = _file(url)
    place = str(path)
    if not path.exists():
        _create(url, path)
    elif path.stat().st_size == 0:
        raise damaged(place, "the file is empty")
    engine = _engine(url, place)
    try:
        with naming_failures(place), engine.execution_options(begin="IMMEDIATE").begin() as connection:
            if schema.read_revision(connection) is None:
                raise Fatal(f"{place} is not a ledger: name another file, or restore a backup in its place")
            schema.upgrade(connection, place)
            _check_small_tables(connection, place)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _file(url: URL) -> Path:
    if url.database in (None, "", ":memory:"):
        raise Fatal("the ledger needs a file: write its URL like sqlite:////var/lib/watchroom/ledger.db")
    path = Path(str(url.database)).absolute()
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise Fatal(f"the ledger's folder {path.parent} isn't there or can't be written: create it for this user")
    return path


def _create(url: URL, path: Path) -> None:
    """Make the file under another name and rename it, so that what carries the ledger's name is never half made."""
    if path.with_name(path.name + "-wal").exists():
        raise damaged(str(path), "its log is here and the file is not")
    fresh = path.with_name(path.name + ".new")
    for suffix in ("", "-wal", "-shm"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    engine = _engine(url.set(database=str(fresh)), str(path))
    try:
        with naming_failures(str(path)), engine.execution_options(begin="IMMEDIATE").begin() as connection:
            schema.upgrade(connection, str(path))
    finally:
        engine.dispose()
    fresh.rename(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_small_tables(connection: Connection, place: str) -> None:
    """Read every page of what is rewritten in place. The events are only added to, and too many to read at start."""
    for name in _SMALL_TABLES:
        answers: list[Any] = list(connection.execute(text(f"PRAGMA quick_check({name})")).scalars())
        if answers != ["ok"]:
            raise damaged(place, str(answers[0]).partition("\n")[0])
