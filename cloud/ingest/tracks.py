"""Turns track events into telemetry rows. Pure."""

from collections.abc import Iterable

from cloud.fleet.clocks import Corrected
from cloud.ingest.judge import Judged
from cloud.ingest.work import Work
from cloud.telemetry import InputRow, PositionRow
from wire.events import InputEvent, PositionEvent


def position_row(work: Work, event: PositionEvent, unit: str | None, corrected: Corrected) -> PositionRow:
    """Make the row of a position."""
    return PositionRow(
        device=work.device,
        unit=unit,
        stream=work.stream,
        seq=event.seq,
        boot=event.boot,
        mono_ms=event.mono_ms,
        at=event.at,
        received_at=work.received.utc,
        corrected_at=corrected.at,
        fix=event.fix,
        lat=event.lat,
        lon=event.lon,
        speed_mps=event.speed_mps,
        heading_deg=event.heading_deg,
        altitude_m=event.altitude_m,
        accuracy_m=event.accuracy_m,
        satellites=event.satellites,
        gnss_time=event.gnss_time,
        mode=event.mode,
    )


def input_row(work: Work, event: InputEvent, unit: str | None, corrected: Corrected) -> InputRow:
    """Make the row of an input's value."""
    return InputRow(
        device=work.device,
        unit=unit,
        stream=work.stream,
        seq=event.seq,
        boot=event.boot,
        mono_ms=event.mono_ms,
        at=event.at,
        received_at=work.received.utc,
        corrected_at=corrected.at,
        name=event.name,
        value=None if event.value is None else float(event.value),
        quality=event.quality,
        mode=event.mode,
    )


def refused_only(judged: Iterable[Judged]) -> tuple[Judged, ...]:
    """Keep what the ledger must keep of a track envelope: the refused. The rest is in the telemetry store."""
    return tuple(one for one in judged if one.event is None)
