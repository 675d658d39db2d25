"""The day files that are open: one to write, a few to read, shared by one writing thread and any number of readers.

Each is a DuckDB instance of its own, so that damage or a full disk in one does not reach another. A file is written
or read, never opened twice: whoever uses one pins it, and who wants it another way waits until it is closed.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from cloud.errors import Retryable
from cloud.telemetry import dayfile
from cloud.telemetry.dayfile import SetAside
from cloud.telemetry.failures import is_damage, opening_failure, working_failure

WAIT_MAX_S = 10.0


@dataclass
class _Open:
    connection: duckdb.DuckDBPyConnection
    read_only: bool
    pins: int = 0
    writes: int = 0
    """How many transactions are in its log."""
    closing: bool = False
    """Nobody new may use it; the last to let go closes it."""
    damage: str | None = None
    """Why it is set aside once it is closed."""


class DayFiles:
    """The files of one folder. `write` and `drop_before` belong to one thread."""

    def __init__(self, folder: Path, open_max: int, creations: Sequence[str] = dayfile.TRACKS) -> None:
        """Take the folder; at most `open_max` files stay open for reading; `creations` make a file's tables.

        Raises `Fatal`.
        """
        self._folder = folder
        self._creations = creations
        self._open_max = open_max
        self._claim = dayfile.claim_folder(folder)
        self._turn = threading.Condition()
        self._rewriting = threading.Lock()
        """One day is written anew at a time: each goes by way of a file of the same name."""
        self._open: dict[date, _Open] = {}
        """The one used last stands last."""
        self._wanted: date | None = None
        """Whose file the writing thread waits to have for itself."""
        self._writes: dict[date, int] = {}
        self.set_aside: list[SetAside] = []

    def days(self) -> list[date]:
        """The days that have a file, oldest first."""
        return dayfile.days_in(self._folder)

    def stamp(self, day: date) -> int:
        """How often this process has written to that day: while it stands still, so does the file."""
        return self._writes.get(day, 0)

    def query(self, day: date, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read one day on a cursor of its own. A day without a file, or whose file is damaged, has no rows."""
        with self._turn:
            entry = self._pin_to_read(day)
        if entry is None:
            return []
        with self._pinned(day, entry), closing(entry.connection.cursor()) as cursor:
            return cursor.execute(sql, list(parameters)).fetchall()
        return []

    def write(self, day: date, batches: dict[str, pa.Table]) -> None:
        """Append each table's rows in one transaction. After a failure the file is opened afresh the next time."""
        with self._turn:
            entry = self._pin_to_write(day)
        with self._pinned(day, entry):
            entry.connection.execute("BEGIN")
            for name, batch in batches.items():
                entry.connection.register("batch", batch)
                entry.connection.execute(f"INSERT INTO {name} SELECT * FROM batch")
                entry.connection.unregister("batch")
            entry.connection.execute("COMMIT")
            self._writes[day] = self.stamp(day) + 1
            entry.writes += 1
            self._checkpoint(day, entry)
        if entry.damage:
            raise Retryable(f"telemetry's file of {day} is damaged and set aside")

    def rewrite(self, day: date, fill: Callable[[duckdb.DuckDBPyConnection], None]) -> bool:
        """Write a finished day's file anew, in another order. Tells whether it was done: not where it was written to.

        `fill` gets a cursor on the old file to which the new one is attached as `fresh`. May come from any thread.
        """
        with self._rewriting:
            return self._rewrite(day, fill)

    def _rewrite(self, day: date, fill: Callable[[duckdb.DuckDBPyConnection], None]) -> bool:
        path, stamp = dayfile.path_of(self._folder, day), self.stamp(day)
        fresh = dayfile.fresh_of(path)
        with self._turn:
            self._empty_log(day)
            entry = self._pin_to_read(day)
        if entry is None:
            return False
        with self._pinned(day, entry), closing(entry.connection.cursor()) as cursor:
            quoted = str(fresh).replace("'", "''")
            cursor.execute(f"ATTACH '{quoted}' AS fresh (READ_WRITE)")
            try:
                fill(cursor)
                cursor.execute("CHECKPOINT fresh")
            finally:
                cursor.execute("DETACH fresh")
        with self._turn:
            self._await_closed(day)
            if entry.damage or self.stamp(day) != stamp or dayfile.log_bytes(path):
                return False
            dayfile.take_place(fresh, path)
            self._writes[day] = stamp + 1
        return True

    def drop_before(self, day: date) -> None:
        """Delete the files of earlier days, those set aside with them."""
        for path in sorted(self._folder.iterdir()):
            of_day = dayfile.day_of(path)
            if of_day is not None and of_day < day:
                with self._turn:
                    self._await_closed(of_day)
                    dayfile.remove(path)

    def close(self) -> None:
        """Close every file, once its readers are done, and let go of the folder."""
        try:
            with self._turn:
                for day in list(self._open):
                    self._await_closed(day)
        finally:
            os.close(self._claim)

    @contextmanager
    def _pinned(self, day: date, entry: _Open) -> Iterator[None]:
        """Use what was pinned. Damage closes the file and is swallowed; a failed write closes it too, and raises."""
        try:
            yield
        except duckdb.Error as error:
            if is_damage(error):
                entry.damage = str(error).partition("\n")[0]
            entry.closing = entry.closing or entry.damage is not None or not entry.read_only
            if entry.damage is None:
                raise working_failure(str(dayfile.path_of(self._folder, day)), error) from error
        finally:
            with self._turn:
                entry.pins -= 1
                self._close_idle()
                self._turn.notify_all()

    def _pin_to_read(self, day: date) -> _Open | None:
        self._await(day, lambda: day != self._wanted and (day not in self._open or not self._open[day].closing))
        entry = self._open.pop(day, None) or self._open_to_read(day)
        if entry is not None:
            entry.pins += 1
            self._open[day] = entry
            self._close_idle()
        return entry

    def _pin_to_write(self, day: date) -> _Open:
        entry = self._open.get(day)
        if entry is None or entry.read_only or entry.closing:
            for other in self._open.values():
                other.closing = other.closing or not other.read_only
            self._close_idle()
            self._await_closed(day)
            entry = self._open_to_write(day)
            self._open[day] = entry
        entry.pins += 1
        return entry

    def _open_to_read(self, day: date) -> _Open | None:
        path = dayfile.path_of(self._folder, day)
        if not path.exists():
            return None
        connection = self._connect(path, read_only=True)
        return None if connection is None else _Open(connection, read_only=True)

    def _open_to_write(self, day: date) -> _Open:
        path = dayfile.path_of(self._folder, day)
        connection = self._connect(path, read_only=False) if path.exists() else None
        if connection is None:
            try:
                dayfile.create(path, self._creations)
                connection = dayfile.connect(path, read_only=False)
            except duckdb.Error as error:
                raise opening_failure(str(path), error) from error
        return _Open(connection, read_only=False)

    def _connect(self, path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection | None:
        """None for a damaged file, which is then set aside.

        To write, what a crash left in the log is first moved into the file: whoever crashes often, or fails to write
        for long, would read an ever longer one each time.
        """
        failure = opening_failure
        try:
            connection = dayfile.connect(path, read_only=read_only)
            if not read_only and dayfile.log_bytes(path) and self._has_room(path):
                failure = working_failure
                connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            if failure is working_failure:
                connection.close()
            if not is_damage(error):
                raise failure(str(path), error) from error
            self.set_aside.append(SetAside(dayfile.set_aside(path), str(error).partition("\n")[0]))
            return None
        return connection

    def _empty_log(self, day: date) -> None:
        """Move what a crash left in a day's log into its file."""
        path = dayfile.path_of(self._folder, day)
        if dayfile.log_bytes(path) and self._has_room(path):
            self._await_closed(day)
            connection = self._connect(path, read_only=False)
            if connection is not None:
                self._close(day, _Open(connection, read_only=False))

    def _await(self, day: date, condition: Any) -> None:
        if not self._turn.wait_for(condition, WAIT_MAX_S):
            raise Retryable(f"telemetry's file of {day} has been read for {WAIT_MAX_S:.0f} s without a pause")

    def _await_closed(self, day: date) -> None:
        """Have that day's file closed. Readers who come meanwhile wait until the caller lets go of the turn."""
        self._wanted = day
        try:
            if day in self._open:
                self._open[day].closing = True
                self._close_idle()
                self._await(day, lambda: day not in self._open)
        finally:
            self._wanted = None
            self._turn.notify_all()

    def _close_idle(self) -> None:
        """Close what nobody uses and is to be closed, and the files read longest ago beyond the bound."""
        reading = [day for day, entry in self._open.items() if entry.read_only]
        surplus = set(reading[: max(0, len(reading) - self._open_max)])
        for day, entry in list(self._open.items()):
            if entry.pins == 0 and (entry.closing or day in surplus):
                del self._open[day]
                self._close(day, entry)

    def _close(self, day: date, entry: _Open) -> None:
        path = dayfile.path_of(self._folder, day)
        with suppress(duckdb.Error):
            if not entry.read_only and entry.damage is None and self._has_room(path):
                entry.connection.execute("CHECKPOINT")
        with suppress(duckdb.Error):
            entry.connection.close()
        if entry.damage is not None:
            self.set_aside.append(SetAside(dayfile.set_aside(path), entry.damage))

    def _checkpoint(self, day: date, entry: _Open) -> None:
        """Move a long log into the file, some time when there is room: the rows are durable in the log."""
        path = dayfile.path_of(self._folder, day)
        is_long = entry.writes >= dayfile.LOG_WRITES_MAX or dayfile.log_bytes(path) >= dayfile.LOG_BYTES_MAX
        if is_long and self._has_room(path):
            entry.connection.execute("CHECKPOINT")
            entry.writes = 0

    def _has_room(self, path: Path) -> bool:
        """Whether a checkpoint would fit on the disk."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize > 2 * dayfile.log_bytes(path)
