"""Frames in DuckDB: one file for each UTC day on which they were shown.

While a day lasts its rows lie as they came: the whole board at a moment is read in one short scan. Once it is over
they are put in order by unit within two hours (`tidy`): then one unit's day is a few short scans too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import msgspec
import pyarrow as pa

from cloud.telemetry import dayfile
from cloud.telemetry.dayfile import SetAside
from cloud.telemetry.days import DayFiles
from cloud.telemetry.frames import KEY_US, FrameRow, Span

OPEN_MAX = 3
DAY_US = 86_400_000_000
BLOCK_US = 7_200_000_000
SLICE_ROWS = 500_000
"""Sorted at once: that bounds what memory it takes."""

_SMALL, _LARGE = ("INTEGER", pa.int32()), ("BIGINT", pa.int64())
_FRAME: dict[str, tuple[str, pa.DataType]] = {
    "unit": _SMALL,
    "shown_us": _LARGE,
    "link_ms": _LARGE,
    "position_ms": _LARGE,
    "as_of_ms": _LARGE,
    "fix": ("TINYINT", pa.int8()),
    "lat_e7": _SMALL,
    "lon_e7": _SMALL,
    "heading_dd": _SMALL,
    "speed_cmps": _SMALL,
    "altitude_m": _SMALL,
    "accuracy_dm": _SMALL,
    "gnss_ms": _LARGE,
}
_FRAME_SCHEMA = pa.schema([(name, arrow) for name, (_, arrow) in _FRAME.items()])
_SPAN_SCHEMA = pa.schema([("since_us", pa.int64()), ("through_us", pa.int64()), ("board_us", pa.int64())])
_NAME_SCHEMA = pa.schema([("number", pa.int32()), ("name", pa.string())])
_CREATIONS = (
    "CREATE TABLE IF NOT EXISTS frame(" + ", ".join(f"{name} {kind}" for name, (kind, _) in _FRAME.items()) + ")",
    "CREATE TABLE IF NOT EXISTS span(since_us BIGINT, through_us BIGINT, board_us BIGINT)",
    "CREATE TABLE IF NOT EXISTS name(number INTEGER, name VARCHAR)",
    "CREATE TABLE IF NOT EXISTS tidied(through_us BIGINT)",
)
_REST = ", ".join(name for name in _FRAME if name != "unit")
_SHOWN = f"""
    SELECT name, {_REST} FROM frame
    JOIN (SELECT arg_max(rowid, shown_us) AS newest FROM frame WHERE shown_us >= ? AND shown_us <= ? GROUP BY unit)
    ON frame.rowid = newest JOIN name ON number = unit
"""
_OF_UNIT = f"""
    SELECT {_REST} FROM frame WHERE unit = (SELECT min(number) FROM name WHERE name = ?)
    AND shown_us >= ? AND shown_us < ? ORDER BY shown_us
"""
_IN = "IN (SELECT unnest(?::INTEGER[]))"
_PLACE = ("fix", "lat_e7", "lon_e7", "heading_dd", "speed_cmps", "altitude_m", "accuracy_dm", "gnss_ms")
"""What of a frame tells where the unit was."""
_COPY = f"""
    INSERT INTO fresh.frame
    SELECT {", ".join(f"CASE WHEN hidden THEN NULL ELSE {name} END" if name in _PLACE else name for name in _FRAME)}
    FROM (SELECT *, unit {_IN} AS hidden FROM {{old}}.frame WHERE NOT unit {_IN})
"""
_SPAN_AT = """
    SELECT since_us, max(through_us), coalesce(max(board_us) FILTER (board_us <= $1), 0) FROM span
    WHERE since_us = (SELECT max(since_us) FROM span WHERE since_us <= $1 AND through_us >= $1) GROUP BY since_us
"""


class DuckFrames:
    """The `Frames` port on a folder of DuckDB files, for one process."""

    def __init__(self, days: DayFiles) -> None:
        """Read and write through `days`."""
        self._days = days
        self._names: tuple[date, dict[str, int]] | None = None
        """Of the day written last: each unit's number there."""
        self._spans: dict[date, tuple[int, list[Span]]] = {}
        self._tidy: set[date] = set()
        """Days known to be in order."""

    @classmethod
    def open(cls, folder: Path, *, open_max: int = OPEN_MAX) -> Self:
        """Take a folder, making it if need be. Raises `Fatal` where it can't be used or another process has it."""
        return cls(DayFiles(folder, open_max, _CREATIONS))

    @property
    def set_aside(self) -> list[SetAside]:
        """The damaged files found so far, under the names that they have now."""
        return list(self._days.set_aside)

    def append(self, frames: Sequence[FrameRow], span: Span) -> None:
        """Store frames and the span that they belong to, day by day; see the port."""
        by_day: dict[int, list[FrameRow]] = defaultdict(list)
        for row in frames:
            by_day[row.shown_us // DAY_US].append(row)
        last = span.through_us // DAY_US
        days = {*by_day, last}
        if span.since_us // DAY_US < last and self._names is not None and self._names[0] < _date(last * DAY_US):
            days.add(last - 1)  # the first append of a day: the span went on to the end of the one before
        for day in sorted(days):
            ends_us = span.through_us if day == last else (day + 1) * DAY_US - 1
            self._write(_date(day * DAY_US), by_day.get(day, []), Span(span.since_us, ends_us, span.board_us))

    def span_at(self, moment_us: int) -> Span | None:
        """Give the span that holds a moment; see the port."""
        found = self._days.query(_date(moment_us), _SPAN_AT, [moment_us])
        return Span(*found[0]) if found else None

    def shown_at(self, moment_us: int, span: Span) -> list[FrameRow]:
        """Give the newest frame of each unit; see the port."""
        first_us = max(span.since_us, moment_us - KEY_US)
        newest: dict[str, FrameRow] = {}
        for day in sorted({_date(first_us), _date(moment_us)}):
            for cells in self._days.query(day, _SHOWN, [first_us, moment_us]):
                newest[cells[0]] = FrameRow(*cells)
        return list(newest.values())

    def of_unit(self, unit: str, since_us: int, until_us: int) -> list[FrameRow]:
        """Give a unit's frames in a window; see the port."""
        found: list[FrameRow] = []
        for day in self._days.days():
            if _date(since_us) <= day <= _date(until_us):
                rows = self._days.query(day, _OF_UNIT, [unit, since_us, until_us])
                found += (FrameRow(unit, *cells) for cells in _distinct(rows))
        return found

    def spans(self, since: date | None = None) -> list[Span]:
        """Give every span; a finished day's are kept in memory."""
        through: dict[int, int] = {}
        for day in (day for day in self._days.days() if since is None or day >= since):
            for span in self._spans_of(day):
                through[span.since_us] = max(span.through_us, through.get(span.since_us, 0))
        return [Span(*ends) for ends in sorted(through.items())]

    def tidy(self, day: date) -> bool:
        """Put the oldest finished day that is not in order yet in order; see the port."""
        for finished in self._days.days():
            if finished < day and finished not in self._tidy:
                done = bool(self._days.query(finished, "SELECT 1 FROM tidied LIMIT 1"))
                if done or self._days.rewrite(finished, _put_in_order):
                    self._tidy.add(finished)
                if not done:
                    return True
        return False

    def days(self) -> list[date]:
        """Give the days that have a file; see the port."""
        return self._days.days()

    def forget(self, day: date, units: Collection[str], places_of: Collection[str]) -> int:
        """Write a finished day's file anew without some frames, and others without their places; see the port."""
        numbers = dict(self._days.query(day, "SELECT name, number FROM name"))
        gone, hidden = ([numbers[unit] for unit in whose if unit in numbers] for whose in (units, places_of))
        found = self._days.query(
            day, f"SELECT count(*) FROM frame WHERE unit {_IN} OR (unit {_IN} AND fix IS NOT NULL)", [gone, hidden]
        )
        rows = int(found[0][0]) if found else 0
        if not rows:
            return 0

        def copy_the_rest(cursor: duckdb.DuckDBPyConnection) -> None:
            old = dayfile.begin_copy(cursor, _CREATIONS)
            for name in ("name", "span", "tidied"):
                cursor.execute(f"INSERT INTO fresh.{name} SELECT * FROM {old}.{name}")
            cursor.execute(_COPY.format(old=old), [hidden, gone])

        return rows if self._days.rewrite(day, copy_the_rest) else 0

    def drop_before(self, day: date) -> None:
        """Delete the files of earlier days, damaged ones too."""
        self._days.drop_before(day)

    def close(self) -> None:
        """Close every file and let go of the folder."""
        self._days.close()

    def _write(self, day: date, frames: list[FrameRow], span: Span) -> None:
        numbers = self._numbers(day)
        new = [unit for unit in dict.fromkeys(row.unit for row in frames) if unit not in numbers]
        numbers |= {unit: number for number, unit in enumerate(new, len(numbers) + 1)}
        batches = {"span": _table(_SPAN_SCHEMA, [(span.since_us, span.through_us, span.board_us)])}
        if frames:
            batches["frame"] = _encode(frames, numbers)
        if new:
            batches["name"] = _table(_NAME_SCHEMA, [(numbers[unit], unit) for unit in new])
        self._names = None  # until it is durable
        self._days.write(day, batches)
        self._names = day, numbers

    def _numbers(self, day: date) -> dict[str, int]:
        """Give each unit's number in a day's file. Read anew after a failure, for who knows what was stored."""
        if self._names is None or self._names[0] != day:
            self._names = day, {name: number for number, name in self._days.query(day, "SELECT number, name FROM name")}
        return self._names[1]

    def _spans_of(self, day: date) -> list[Span]:
        stamp = self._days.stamp(day)
        known = self._spans.get(day)
        if known is None or known[0] != stamp:
            rows = self._days.query(day, "SELECT since_us, max(through_us) FROM span GROUP BY since_us")
            known = self._spans[day] = (stamp, [Span(*cells) for cells in rows])
        return known[1]


def _distinct(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Leave out copies: of one unit, in order, they follow each other."""
    last_us = None
    for cells in rows:
        if cells[0] != last_us:
            yield cells
        last_us = cells[0]


def _put_in_order(cursor: duckdb.DuckDBPyConnection) -> None:
    """Copy a day from the cursor's file to `fresh`: by unit within each block, a slice of units at a time."""
    old = '"' + str(_one(cursor, "SELECT current_database()")) + '"'
    cursor.execute("USE fresh")
    try:
        for creation in _CREATIONS:
            cursor.execute(creation)
        cursor.execute(f"INSERT INTO name SELECT * FROM {old}.name ORDER BY number")
        cursor.execute(f"INSERT INTO span SELECT DISTINCT * FROM {old}.span ORDER BY ALL")
        first, last = cursor.execute(f"SELECT min(shown_us), max(shown_us) FROM {old}.frame").fetchall()[0]
        units = _one(cursor, "SELECT coalesce(max(number), 0) FROM name")
        start_us = 0 if first is None else first
        while last is not None and start_us <= last:
            _put_block_in_order(cursor, old, (start_us, start_us + BLOCK_US), units)
            start_us += BLOCK_US
        cursor.execute("INSERT INTO tidied VALUES (?)", [last])
    finally:
        cursor.execute(f"USE {old}")


def _put_block_in_order(cursor: duckdb.DuckDBPyConnection, old: str, ends: tuple[int, int], units: int) -> None:
    where = f"FROM {old}.frame WHERE shown_us >= ? AND shown_us < ?"
    rows = cursor.execute(f"SELECT count(*) {where}", list(ends)).fetchall()[0][0]
    slices = max(1, -(-rows // SLICE_ROWS))
    step = max(1, -(-units // slices))
    for number in range(1, units + 1, step):
        copy = f"INSERT INTO frame SELECT * {where} AND unit >= ? AND unit < ? ORDER BY unit, shown_us"
        cursor.execute(copy, [*ends, number, number + step])


def _one(cursor: duckdb.DuckDBPyConnection, sql: str) -> Any:
    return cursor.execute(sql).fetchall()[0][0]


def _encode(frames: Sequence[FrameRow], numbers: dict[str, int]) -> pa.Table:
    units, *columns = zip(*map(msgspec.structs.astuple, frames), strict=True)
    arrays = [pa.array([numbers[unit] for unit in units], pa.int32())]
    arrays += (pa.array(column, kind) for column, kind in zip(columns, _FRAME_SCHEMA.types[1:], strict=True))
    return pa.Table.from_arrays(arrays, schema=_FRAME_SCHEMA)


def _table(schema: pa.Schema, rows: Sequence[Sequence[Any]]) -> pa.Table:
    arrays = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _date(moment_us: int) -> date:
    return datetime.fromtimestamp(moment_us // 1_000_000, UTC).date()
