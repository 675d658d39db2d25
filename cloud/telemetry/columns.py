"""The two tables: their columns for DuckDB and Arrow, and rows to and from them.

`columns` is the one list; it is the order of the structs' fields, so that a row is its own tuple of cells. Times are
kept as UTC without a zone, in microseconds.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec
import pyarrow as pa

from cloud.telemetry.rows import InputRow, PositionRow, TrackRow

Row = TypeVar("Row", bound=TrackRow)

_TEXT = ("VARCHAR", pa.string())
_WHOLE = ("BIGINT", pa.int64())
_REAL = ("DOUBLE", pa.float64())
_TIME = ("TIMESTAMP", pa.timestamp("us"))

_TRACK: dict[str, tuple[str, pa.DataType]] = {
    "device": _TEXT,
    "unit": _TEXT,
    "stream": _TEXT,
    "seq": _WHOLE,
    "boot": _WHOLE,
    "mono_ms": _WHOLE,
    "at": _TIME,
    "received_at": _TIME,
    "corrected_at": _TIME,
    "mode": _TEXT,
}
_POSITION = _TRACK | {
    "fix": _TEXT,
    "lat": _REAL,
    "lon": _REAL,
    "speed_mps": _REAL,
    "heading_deg": _REAL,
    "altitude_m": _REAL,
    "accuracy_m": _REAL,
    "satellites": _WHOLE,
    "gnss_time": _TIME,
}
_INPUT = _TRACK | {"name": _TEXT, "value": _REAL, "quality": _TEXT}


class TrackTable(Generic[Row]):
    """One table, and the struct that is a row of it."""

    def __init__(self, name: str, row: type[Row], columns: dict[str, tuple[str, pa.DataType]]) -> None:
        """Raises `ValueError` where the columns are not the struct's fields: a row would be read askew."""
        if list(columns) != [field.name for field in msgspec.structs.fields(row)]:
            raise ValueError(f"the columns of {name} are not the fields of {row.__name__}")
        self.name = name
        self.row = row
        self.selection = ", ".join(f'"{column}"' for column in columns)
        """Quoted, because `at` is a keyword."""
        definitions = ", ".join(f'"{column}" {kind}' for column, (kind, _) in columns.items())
        self.creation = f"CREATE TABLE IF NOT EXISTS {name}({definitions})"
        self._schema = pa.schema([(column, arrow) for column, (_, arrow) in columns.items()])
        self._times = [column for column, kind in columns.items() if kind is _TIME]

    def encode(self, rows: Sequence[Row]) -> pa.Table:
        """As Arrow, column by column: row by row costs DuckDB a thousand times as much (measured)."""
        columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in self._schema]
        return pa.Table.from_arrays(columns, schema=self._schema)

    def decode(self, found: Iterable[Sequence[Any]]) -> list[Row]:
        """Rows of `selection`, as structs with aware times."""
        return [self.row(**self._fields(cells)) for cells in found]

    def _fields(self, cells: Sequence[Any]) -> dict[str, Any]:
        fields: dict[str, Any] = dict(zip(self._schema.names, cells, strict=True))
        for name in self._times:
            if fields[name] is not None:
                fields[name] = fields[name].replace(tzinfo=UTC)
        return fields


POSITIONS = TrackTable("position", PositionRow, _POSITION)
INPUTS = TrackTable("input", InputRow, _INPUT)


def naive(moment: datetime) -> datetime:
    """A moment as the tables keep it: UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)
