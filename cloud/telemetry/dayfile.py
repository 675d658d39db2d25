"""One day's file on disk: name it, make it, open it, set it aside. Nothing here is shared between threads."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import duckdb
import msgspec

from cloud.errors import Fatal, Retryable
from cloud.telemetry.columns import INPUTS, POSITIONS

TRACKS = (POSITIONS.creation, INPUTS.creation)
"""The tables of a day's file, unless another store keeps its own."""
SUFFIX = ".duckdb"
LOG_SUFFIX = ".wal"
LOG_BYTES_MAX = 16 * 1024 * 1024
LOG_WRITES_MAX = 600
"""So many small writes cost as much to open again as a long log: some 0.1 ms each (measured)."""
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "temp_directory": "",
    # A checkpoint that DuckDB makes by itself inside a commit and that finds the disk full takes the whole
    # connection with it, and the commit fails though it is durable (measured): so we make them, apart.
    "checkpoint_threshold": "1TB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class SetAside(msgspec.Struct, frozen=True):
    """A damaged file, under the name that it has now."""

    path: Path
    reason: str


def path_of(folder: Path, day: date) -> Path:
    """Where what was received on that UTC day is kept."""
    return folder / f"{day.isoformat()}{SUFFIX}"


def days_in(folder: Path) -> list[date]:
    """The days that have a file, oldest first."""
    days = [day_of(path) for path in folder.glob(f"*{SUFFIX}")]
    return sorted(day for day in days if day is not None)


def day_of(path: Path) -> date | None:
    """The day that a file of ours is of, whatever follows in its name; None for any other."""
    try:
        return date.fromisoformat(path.name[:10])
    except ValueError:
        return None


def connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open a day's file. Raises `duckdb.Error`."""
    return duckdb.connect(str(path), read_only=read_only, config=_CONFIG)


def create(path: Path, creations: Sequence[str] = TRACKS) -> None:
    """Make an empty day's file under another name and rename it: a full disk or a crash leaves nothing half made.

    Raises `duckdb.Error` and `Retryable`.
    """
    with _naming_os_errors(path):
        log = path.with_name(path.name + LOG_SUFFIX)
        if log.exists():
            log.rename(_free_name(log))
        fresh = path.with_name(path.name + ".new")
        for leftover in (fresh, fresh.with_name(fresh.name + LOG_SUFFIX)):
            leftover.unlink(missing_ok=True)
        with closing(connect(fresh, read_only=False)) as connection:
            for creation in creations:
                connection.execute(creation)
            connection.execute("CHECKPOINT")
        fresh.rename(path)
        _sync_folder(path.parent)


def set_aside(path: Path) -> Path:
    """Rename a damaged file, and its log after it, so that a new one can take its place. Returns its new name."""
    with _naming_os_errors(path):
        aside = _free_name(path)
        path.rename(aside)
        log = path.with_name(path.name + LOG_SUFFIX)
        if log.exists():
            log.rename(_free_name(log))
    return aside


def fresh_of(path: Path) -> Path:
    """Give the name under which a day's file is written anew, cleared of what an earlier try left there."""
    fresh = path.with_name(path.name + ".sorted")
    with _naming_os_errors(path):
        for leftover in (fresh, fresh.with_name(fresh.name + LOG_SUFFIX)):
            leftover.unlink(missing_ok=True)
    return fresh


def begin_copy(cursor: duckdb.DuckDBPyConnection, creations: Sequence[str]) -> str:
    """Make the tables of `fresh`, which is attached to a cursor on a day's file. Returns that file's quoted name."""
    old = '"' + str(cursor.execute("SELECT current_database()").fetchall()[0][0]) + '"'
    cursor.execute("USE fresh")
    try:
        for creation in creations:
            cursor.execute(creation)
    finally:
        cursor.execute(f"USE {old}")
    return old


def take_place(fresh: Path, path: Path) -> None:
    """Put a file that was written anew in the place of the old one, which is closed and has no log."""
    with _naming_os_errors(path):
        descriptor = os.open(fresh, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.replace(path)
        _sync_folder(path.parent)


def remove(path: Path) -> None:
    """Delete a day's file and its log."""
    with _naming_os_errors(path):
        path.with_name(path.name + LOG_SUFFIX).unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def log_bytes(path: Path) -> int:
    """How much of the day is in its log, waiting for a checkpoint."""
    try:
        return path.with_name(path.name + LOG_SUFFIX).stat().st_size
    except FileNotFoundError:
        return 0


def claim_folder(folder: Path) -> int:
    """Make the folder and take it for this process. Returns the descriptor that holds it; raises `Fatal`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Fatal(f"telemetry can't use {folder} ({error.strerror}): give this user a folder there") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Fatal(f"another process has telemetry's folder {folder}: stop it, then start again") from error
    return descriptor


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free_name(path: Path) -> Path:
    name = path.with_name(path.name + ".damaged")
    number = 1
    while name.exists():
        number += 1
        name = path.with_name(f"{path.name}.damaged-{number}")
    return name


@contextmanager
def _naming_os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Retryable(f"telemetry can't change {path} now: {error.strerror}") from error
