"""Rows as vehicles would send them, and what the port says should be read back."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from cloud.telemetry import InputRow, PositionRow
from cloud.telemetry.rows import TrackRow

Row = TypeVar("Row", bound=TrackRow)

NOON = datetime(2026, 11, 1, 12, 0, 0, 123_456, tzinfo=UTC)
EVER = (NOON - timedelta(days=400), NOON + timedelta(days=400))


def later(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def track(seq: int, after_s: float, changes: dict[str, Any]) -> dict[str, Any]:
    """What a record carries that was made, and arrived, so many seconds after noon."""
    fields: dict[str, Any] = {
        "device": "d1",
        "unit": "p12",
        "stream": "e1-abc",
        "seq": seq,
        "boot": 1,
        "mono_ms": int(after_s * 1000) % 1_000_000,
        "at": later(after_s),
        "received_at": later(after_s),
        "corrected_at": later(after_s),
        "mode": "live",
    }
    return fields | changes


def position(seq: int, after_s: float, **changes: Any) -> PositionRow:
    """A fix, so many seconds after noon."""
    fields: dict[str, Any] = {"fix": "3d", "lat": 51.0, "lon": 0.5, "speed_mps": 13.4} | track(seq, after_s, changes)
    return PositionRow(**fields)


def no_fix(seq: int, after_s: float, **changes: Any) -> PositionRow:
    """A receiver that sees no satellites, so many seconds after noon."""
    return position(seq, after_s, fix="none", lat=None, lon=None, speed_mps=None, **changes)


def reading(seq: int, after_s: float, **changes: Any) -> InputRow:
    """An ignition switch that is on, so many seconds after noon."""
    fields: dict[str, Any] = {"name": "ignition", "value": 1.0, "quality": "good"} | track(seq, after_s, changes)
    return InputRow(**fields)


def expected_series(rows: Iterable[Row], window: tuple[datetime, datetime], limit: int) -> list[Row]:
    """What the port promises of these copies: each record's first in the window, in order, the first `limit`."""
    inside = [row for row in rows if window[0] <= row.corrected_at < window[1]]
    first: dict[tuple[str, str, int], Row] = {}
    for row in sorted(inside, key=lambda row: (row.corrected_at, row.received_at)):
        first.setdefault((row.device, row.stream, row.seq), row)
    return sorted(first.values(), key=lambda row: (row.corrected_at, row.seq, row.device, row.stream))[:limit]


def expected_latest(rows: Sequence[PositionRow]) -> list[PositionRow]:
    """What the port promises of these rows: each device's newest, and its newest with a position if need be."""
    found: list[PositionRow] = []
    for device in sorted({row.device for row in rows}):
        mine = sorted((row for row in rows if row.device == device), key=lambda row: (row.corrected_at, row.seq))
        placed = [row for row in mine if row.lat is not None]
        found.append(mine[-1])
        if mine[-1].lat is None and placed:
            found.append(placed[-1])
    return found
