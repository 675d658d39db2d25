"""What telemetry holds, as values. Times are aware, UTC, and keep their microseconds; integers are below 2**63."""

from datetime import datetime

import msgspec

from wire.events import FixMode, Mode, Quality


class TrackRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every record of the track carries."""

    device: str
    unit: str | None
    stream: str
    seq: int
    """With device and stream it names the record: a second copy is the same record."""
    boot: int
    mono_ms: int
    at: datetime
    """The device's wall time. It may be wrong."""
    received_at: datetime
    corrected_at: datetime
    mode: Mode


class Owned(msgspec.Struct, frozen=True):
    """Whose rows: those of some units, and of what has no unit those of some devices."""

    units: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()


class PositionRow(TrackRow, frozen=True, kw_only=True):
    """Where a device was. `lat` and `lon` are None exactly where `fix` is `none`."""

    fix: FixMode
    lat: float | None = None
    lon: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    satellites: int | None = None
    gnss_time: datetime | None = None


class InputRow(TrackRow, frozen=True, kw_only=True):
    """What a named input read. `value` is None unless `quality` is `good`; a switch is 0.0 or 1.0."""

    name: str
    value: float | None
    quality: Quality
