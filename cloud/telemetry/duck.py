"""Telemetry in DuckDB: one file for each UTC day of receipt, so that retention deletes files.

An append goes, whole, into the file of the newest receipt in it: DuckDB can't commit to two files at once. What a
file holds is therefore never newer than its day, and reads look by corrected time at what each file really spans.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any, Self

import duckdb

from cloud.telemetry import dayfile
from cloud.telemetry.columns import INPUTS, POSITIONS, Row, TrackTable, naive
from cloud.telemetry.dayfile import SetAside
from cloud.telemetry.days import DayFiles
from cloud.telemetry.rows import InputRow, Owned, PositionRow

LATEST_DAYS = 3
OPEN_MAX = 3

_NEWEST = """
    WITH newest AS (SELECT device, max(corrected_at) AS corrected_at FROM position {where} GROUP BY device)
    SELECT {columns} FROM position SEMI JOIN newest USING (device, corrected_at) {where}
    QUALIFY row_number() OVER (PARTITION BY device ORDER BY seq DESC, received_at) = 1
"""
_WINDOW = """
    SELECT {columns} FROM {table} WHERE {where} AND corrected_at >= ? AND corrected_at < ?
    QUALIFY row_number() OVER (PARTITION BY device, stream, seq ORDER BY corrected_at, received_at) = 1
    ORDER BY corrected_at, seq, device, stream LIMIT ?
"""


_OF = """(CASE WHEN unit IS NULL THEN device IN (SELECT unnest(?::VARCHAR[]))
    ELSE unit IN (SELECT unnest(?::VARCHAR[])) END)"""


class DuckTelemetry:
    """The `Telemetry` port on a folder of DuckDB files, for one process."""

    def __init__(self, days: DayFiles, latest_days: int) -> None:
        """Read and write through `days`; `latest` looks back over the newest `latest_days` files."""
        self._days = days
        self._latest_days = latest_days
        self._spans: dict[tuple[str, date], tuple[int, datetime | None, datetime | None]] = {}

    @classmethod
    def open(cls, folder: Path, *, latest_days: int = LATEST_DAYS, open_max: int = OPEN_MAX) -> Self:
        """Take a folder, making it if need be. Raises `Fatal` where it can't be used or another process has it.

        Files are opened as they are needed; a damaged one is renamed, reported in `set_aside`, and gone on without.
        """
        return cls(DayFiles(folder, open_max), latest_days)

    @property
    def set_aside(self) -> list[SetAside]:
        """The damaged files found so far, under the names that they have now."""
        return list(self._days.set_aside)

    def append(self, positions: Sequence[PositionRow], inputs: Sequence[InputRow]) -> None:
        """Make all of it durable in one transaction, or raise `Retryable` or `Fatal`.

        When it raises, all of it or none of it is stored: trying again leaves copies at most, which reads drop.
        """
        received = [row.received_at for row in positions] + [row.received_at for row in inputs]
        if not received:
            return
        batches = {POSITIONS.name: POSITIONS.encode(positions), INPUTS.name: INPUTS.encode(inputs)}
        self._days.write(naive(max(received)).date(), {n: b for n, b in batches.items() if b.num_rows})

    def latest(self) -> list[PositionRow]:
        """Each device's newest row, and its newest with a position where that one has none; see the port."""
        newest: dict[str, PositionRow] = {}
        placed: dict[str, PositionRow] = {}
        for day in self._days.days()[-self._latest_days :]:
            _keep_newest(newest, self._newest(day, ""))
            _keep_newest(placed, self._newest(day, "WHERE lat IS NOT NULL"))
        rows: list[PositionRow] = []
        for device in sorted(newest):
            rows.append(newest[device])
            if newest[device].lat is None and device in placed:
                rows.append(placed[device])
        return rows

    def series(self, unit: str, since: datetime, until: datetime, limit: int) -> list[PositionRow]:
        """A unit's positions in a window of corrected time; see the port."""
        return self._window(POSITIONS, {"unit": unit}, (since, until), limit)

    def inputs_of_unit(self, unit: str, name: str, since: datetime, until: datetime, limit: int) -> list[InputRow]:
        """What a unit's input read in a window of corrected time; see the port."""
        return self._window(INPUTS, {"unit": unit, "name": name}, (since, until), limit)

    def inputs_of_device(self, device: str, name: str, since: datetime, until: datetime, limit: int) -> list[InputRow]:
        """What a device's input read in a window of corrected time; see the port."""
        return self._window(INPUTS, {"device": device, "name": name}, (since, until), limit)

    def days(self) -> list[date]:
        """Give the days that have a file; see the port."""
        return self._days.days()

    def forget(self, day: date, positions: Owned, inputs: Owned) -> int:
        """Write a finished day's file anew without some rows: what is deleted in place could still be read there."""
        owned = {POSITIONS.name: positions, INPUTS.name: inputs}
        counts = [
            self._days.query(day, f"SELECT count(*) FROM {name} WHERE {_OF}", _ids(owned[name])) for name in owned
        ]
        rows = sum(found[0][0] for found in counts if found)
        if not rows:
            return 0

        def copy_the_rest(cursor: duckdb.DuckDBPyConnection) -> None:
            old = dayfile.begin_copy(cursor, dayfile.TRACKS)
            for name, whose in owned.items():
                cursor.execute(f"INSERT INTO fresh.{name} SELECT * FROM {old}.{name} WHERE NOT {_OF}", _ids(whose))

        return rows if self._days.rewrite(day, copy_the_rest) else 0

    def drop_before(self, day: date) -> None:
        """Delete the files of earlier days, damaged ones too."""
        self._days.drop_before(day)

    def close(self) -> None:
        """Close every file and let go of the folder."""
        self._days.close()

    def _newest(self, day: date, where: str) -> list[PositionRow]:
        sql = _NEWEST.format(columns=POSITIONS.selection, where=where)
        return POSITIONS.decode(self._days.query(day, sql))

    def _window(
        self, table: TrackTable[Row], of: dict[str, str], window: tuple[datetime, datetime], limit: int
    ) -> list[Row]:
        """Day by day, keeping the first `limit` so far: what a later day adds can only push others out."""
        since, until = naive(window[0]), naive(window[1])
        where = " AND ".join(f"{column} = ?" for column in of)
        sql = _WINDOW.format(columns=table.selection, table=table.name, where=where)
        found: list[Row] = []
        for day in self._days.days():
            first, last = self._span(table.name, day)
            if first is None or last is None or first >= until or last < since:
                continue
            rows = table.decode(self._days.query(day, sql, [*of.values(), since, until, limit]))
            found = list(islice(_distinct(merge(found, rows, key=_place)), limit))
        return found

    def _span(self, table: str, day: date) -> tuple[datetime | None, datetime | None]:
        """The first and last corrected time in a day's file; kept until the file is written again."""
        stamp = self._days.stamp(day)
        known = self._spans.get((table, day))
        if known is None or known[0] != stamp:
            rows = self._days.query(day, f"SELECT min(corrected_at), max(corrected_at) FROM {table}")
            first, last = rows[0] if rows else (None, None)
            known = self._spans[table, day] = (stamp, first, last)
        return known[1], known[2]


def _ids(whose: Owned) -> list[list[str]]:
    return [sorted(whose.devices), sorted(whose.units)]


def _keep_newest(standing: dict[str, PositionRow], rows: Iterable[PositionRow]) -> None:
    for row in rows:
        other = standing.get(row.device)
        if other is None or (other.corrected_at, other.seq) < (row.corrected_at, row.seq):
            standing[row.device] = row


def _place(row: Any) -> tuple[Any, ...]:
    return (row.corrected_at, row.seq, row.device, row.stream, row.received_at)


def _distinct(rows: Iterable[Row]) -> Iterable[Row]:
    """The first copy of each record."""
    seen: set[tuple[str, str, int]] = set()
    for row in rows:
        name = (row.device, row.stream, row.seq)
        if name not in seen:
            seen.add(name)
            yield row
