"""Rows as InfluxDB's line protocol, and back from what its queries answer. Pure.

Two points of one series with the same time are one point to InfluxDB, and the later overwrites the earlier. So a
point's time is its row's corrected time to a tenth of a second alone; below that stand the low 17 bits of the row's
sequence, and a number that differs for copies that were received at different times. The true times are fields, in
whole microseconds.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from math import isfinite
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote

from cloud.telemetry.rows import InputRow, PositionRow, TrackRow

Row = TypeVar("Row", bound=TrackRow)

SLOT_US = 100_000
SLOT_NS = SLOT_US * 1000
SEQ_BITS = 17
"""Rows of one stream whose corrected times fall together stay apart if their sequences are less than 2**17 apart: a day
and a half at one a second, in a time that stands still."""
COPIES = 761
"""A prime. Of two copies of a record with the same time and day of receipt, one in so many overwrites the other."""
BODY_BYTES_MAX = 900_000
"""Of one request: nginx takes a megabyte unless it is told otherwise."""
NONE = "%"
"""The tag of what is None: a tag can't be empty, and not every version finds what has no tag."""
EMPTY = "%%"
_DAY_US = 86_400_000_000
_SEQ_MASK = (1 << SEQ_BITS) - 1
_STEP = SLOT_NS // (_SEQ_MASK + 1)
_SLOT_MIN = -90_000_000_000
"""InfluxDB knows the years 1677 to 2262. What lies outside has the time of the end it is beyond, and its own fields."""
_SLOT_MAX = 90_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_TRACK = {
    "seq": "whole",
    "boot": "whole",
    "mono_ms": "whole",
    "mode": "text",
    "at": "time",
    "received_at": "time",
    "corrected_at": "time",
}
_POSITION = _TRACK | {
    "fix": "text",
    "lat": "real",
    "lon": "real",
    "speed_mps": "real",
    "heading_deg": "real",
    "altitude_m": "real",
    "accuracy_m": "real",
    "satellites": "whole",
    "gnss_time": "time",
}
"""The kind of each field: `whole`, `real`, `text` (of a closed set, so that nothing in it needs quoting) or `time`."""


def column_of(field: str, kind: str) -> str:
    """Give what a struct's field is called there: a time by its unit."""
    if kind != "time":
        return field
    return f"{field.removesuffix('_at').removesuffix('_time')}_us"


class Lines(Generic[Row]):
    """One measurement: what its rows look like there."""

    def __init__(self, name: str, row: type[Row], tags: Sequence[str], fields: dict[str, str]) -> None:
        """Name the tags and the fields, each with its kind: together they are the fields of the struct."""
        self.name = name
        self.tags = tuple(tags)
        self._row = row
        self._optional = [(field, kind) for field, kind in fields.items() if field not in _TRACK]
        self._kinds = fields
        columns = [*self.tags, *(column_of(field, kind) for field, kind in fields.items())]
        self.selection = ", ".join(f'"{column}"' for column in columns)
        self.fields = ", ".join(f'"{column_of(field, kind)}"' for field, kind in fields.items())

    def encode(self, rows: Sequence[Row]) -> Iterator[bytes]:
        """Give a line a row. By hand: a client library's objects take seven times as long (measured)."""
        known: dict[tuple[Any, ...], str] = {}
        for row in rows:
            received_us = _us(row.received_at)
            series = (received_us // _DAY_US, *[getattr(row, tag) for tag in self.tags])
            head = known.get(series)
            if head is None:
                head = known[series] = self._head(row)
            corrected_us = _us(row.corrected_at)
            fields = (
                f'seq={row.seq}i,boot={row.boot}i,mono_ms={row.mono_ms}i,mode="{row.mode}",at_us={_us(row.at)}i,'
                f"received_us={received_us}i,corrected_us={corrected_us}i"
            )
            for name, kind in self._optional:
                value = getattr(row, name)
                if value is not None:
                    fields += _field(name, kind, value)
            yield f"{head} {fields} {_time_ns(corrected_us, row.seq, received_us)}".encode()

    def decode(self, cells: Sequence[Any]) -> Row | None:
        """Read a row from the tags and the fields of `selection`, in that order.

        None where not all is there that every row has: InfluxDB shows a point's fields one by one as it takes them in.
        """
        if None in cells[: len(self.tags) + len(_TRACK)]:
            return None
        values: dict[str, Any] = {tag: _untag(cell) for tag, cell in zip(self.tags, cells, strict=False)}
        for (name, kind), cell in zip(self._kinds.items(), cells[len(self.tags) :], strict=True):
            if cell is None:
                values[name] = None
            elif kind == "time":
                values[name] = _EPOCH + timedelta(microseconds=cell)
            else:
                values[name] = float(cell) if kind == "real" else cell
        return self._row(**values)

    def _head(self, row: Row) -> str:
        tags = "".join(f",{tag}={tag_of(getattr(row, tag))}" for tag in self.tags)
        return f"{self.name},day={_day(row)}{tags}"


POSITIONS = Lines("position", PositionRow, ("device", "unit", "stream"), _POSITION)
INPUTS = Lines("input", InputRow, ("device", "unit", "stream", "name"), _TRACK | {"value": "real", "quality": "text"})


def tag_of(text: str | None) -> str:
    """Write any text as a tag that needs no further quoting anywhere: our own tokens as they are."""
    if not text:
        return NONE if text is None else EMPTY
    return quote(text, safe="")


def bodies(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Gather lines into requests of a size that servers take."""
    body: list[bytes] = []
    size = 0
    for line in lines:
        if body and size + len(line) >= BODY_BYTES_MAX:
            yield b"\n".join(body)
            body, size = [], 0
        body.append(line)
        size += len(line) + 1
    if body:
        yield b"\n".join(body)


def window_ns(since: datetime, until: datetime) -> tuple[int, int]:
    """Give the times between which the points of a window of corrected time stand: it may hold others too."""
    first = _within(_us(since) // SLOT_US)
    last = _within(-(-_us(until) // SLOT_US) - 1)
    return first * SLOT_NS, (last + 1) * SLOT_NS


def days_of(rows: Sequence[TrackRow]) -> set[date]:
    """Give the UTC days on which rows were received."""
    return {_EPOCH.date() + timedelta(days=day) for day in {_us(row.received_at) // _DAY_US for row in rows}}


def _time_ns(corrected_us: int, seq: int, received_us: int) -> int:
    low = (seq & _SEQ_MASK) * _STEP + received_us % COPIES
    return _within(corrected_us // SLOT_US) * SLOT_NS + low


def _within(slot: int) -> int:
    return max(_SLOT_MIN, min(_SLOT_MAX, slot))


def _us(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _day(row: TrackRow) -> str:
    return row.received_at.astimezone(UTC).date().isoformat()


def _field(name: str, kind: str, value: Any) -> str:
    if kind == "real":
        return f",{name}={value!r}" if isfinite(value) else ""
    if kind == "whole":
        return f",{name}={value}i"
    if kind == "time":
        return f",{column_of(name, kind)}={_us(value)}i"
    return f',{name}="{value}"'


def _untag(tag: str) -> str | None:
    if tag in (NONE, EMPTY):
        return None if tag == NONE else ""
    return unquote(tag)
