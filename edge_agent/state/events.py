"""Events as the device drafts them: everything but the sequence, which the outbox gives out."""

from datetime import datetime

import msgspec

from edge_agent.decode.readings import Fix, InputValue
from wire.messages import ClockSource, InputEvent, Mode, PositionEvent, StatusEvent


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """When something happened, by the device's clocks."""

    at: datetime
    clock: ClockSource
    boot: int
    mono_ms: int
    mode: Mode = "live"


def status_event(stamp: Stamp, unit: str, scheme: str, code: str, *, seq: int) -> StatusEvent:
    """Make the event of a press on the panel."""
    return StatusEvent(
        seq=seq,
        at=stamp.at,
        clock=stamp.clock,
        boot=stamp.boot,
        mono_ms=stamp.mono_ms,
        mode=stamp.mode,
        unit=unit,
        scheme=scheme,
        code=code,
        by="panel",
    )


def position_event(stamp: Stamp, fix: Fix, *, seq: int) -> PositionEvent:
    """Make the event of a fix, or of having none."""
    return PositionEvent(
        seq=seq,
        at=stamp.at,
        clock=stamp.clock,
        boot=stamp.boot,
        mono_ms=stamp.mono_ms,
        mode=stamp.mode,
        fix=fix.mode,
        lat=fix.lat,
        lon=fix.lon,
        speed_mps=fix.speed_mps,
        heading_deg=fix.heading_deg,
        altitude_m=fix.altitude_m,
        accuracy_m=fix.accuracy_m,
        satellites=fix.satellites,
        gnss_time=fix.gnss_time,
    )


def input_event(stamp: Stamp, read: InputValue, *, seq: int) -> InputEvent:
    """Make the event of an input's value."""
    return InputEvent(
        seq=seq,
        at=stamp.at,
        clock=stamp.clock,
        boot=stamp.boot,
        mono_ms=stamp.mono_ms,
        mode=stamp.mode,
        name=read.name,
        value=read.value,
        quality=read.quality,
    )
