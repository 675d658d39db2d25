"""Lines of gpsd's JSON to reports, and a report to a fix. The format is gpsd_json(5) of gpsd 3.22.

Which altitude: `altMSL`, metres above mean sea level, the one on maps; never `alt`, which changed its meaning
between releases, nor `altHAE`, which is some 45 m more in England. Which accuracy: `eph`, else `epx` and `epy`
together; gpsd_json(5) leaves their certainty open. `edge_agent.decode.gpsd_epoch` coalesces an epoch's reports.
"""

import math
from datetime import datetime
from typing import Final

import msgspec

from edge_agent.decode.plausible import date_fault, heading_deg, plausible_speed_mps, position_fault
from edge_agent.decode.readings import Fix, FixMode, Rejected

STATUS_DEAD_RECKONING: Final = 5
"""`status` in gpsd 3.22. 6 is satellites aided by dead reckoning, which gpsd calls a valid 3D fix: so do we."""

STATUS_NOT_MEASURED: Final = frozenset({7, 8})
"""`status` 7 is a surveyed or typed-in position, 8 a simulated one: neither says where the vehicle is."""


class Tpv(msgspec.Struct, frozen=True, kw_only=True):
    """One time, position and velocity report. Every number in it is finite; nothing else is checked yet."""

    mode: int
    """0 not yet known, 1 no fix, 2 2D, 3 3D."""
    status: int = 0
    time: datetime | None = None
    """Aware, as the receiver gave it: not yet held against any clock."""
    lat: float | None = None
    lon: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    raw: bytes = b""


class Sky(msgspec.Struct, frozen=True):
    """A satellite view, maybe of one constellation only: how many satellites the fix uses."""

    used: int


class Devices(msgspec.Struct, frozen=True):
    """How many receivers gpsd has. It drops one for good that it could not reopen (measured with 3.22)."""

    count: int


class _TpvLine(msgspec.Struct, frozen=True):
    mode: int
    status: int = 0
    time: str | None = None
    lat: float | None = None
    lon: float | None = None
    speed: float | None = None
    track: float | None = None
    altMSL: float | None = None
    eph: float | None = None
    epx: float | None = None
    epy: float | None = None


class _Satellite(msgspec.Struct, frozen=True):
    used: bool = False


class _SkyLine(msgspec.Struct, frozen=True):
    uSat: int | None = None
    satellites: tuple[_Satellite, ...] = ()


class _DevicesLine(msgspec.Struct, frozen=True):
    devices: tuple[msgspec.Raw, ...]


class _AnyLine(msgspec.Struct, frozen=True):
    kind: str = msgspec.field(name="class")


def decode_line(line: bytes) -> Tpv | Sky | Devices | Rejected | None:
    """One line from gpsd; None for the classes that say nothing about a position. Never raises, whatever the bytes.

    `Rejected` has the reason `malformed` (no JSON object, or a field of the wrong type) or `not_finite`.
    """
    try:
        kind = msgspec.json.decode(line, type=_AnyLine).kind
        if kind == "TPV":
            return _tpv(msgspec.json.decode(line, type=_TpvLine), line)
        if kind == "SKY":
            return _sky(msgspec.json.decode(line, type=_SkyLine))
        if kind == "DEVICES":
            return Devices(len(msgspec.json.decode(line, type=_DevicesLine).devices))
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        # msgspec raises the last three for invalid UTF-8, numbers beyond a float and endless nesting.
        return Rejected("malformed", line)
    return None


def decode_fix(tpv: Tpv, now: datetime) -> tuple[Fix | None, tuple[Rejected, ...]]:
    """The fix that a report is worth at `now`, and what of it was not believed, by reason.

    A position that is no position, or was not measured, gives no fix at all. An implausible date or speed leaves the
    fix standing without them. A report without a fix has no position and no time either: such a time is the
    receiver's own clock, not the satellites'.
    """
    mode = _fix_mode(tpv)
    if mode is None:
        return None, (Rejected("mode", tpv.raw),)
    if mode == "none":
        return Fix(mode="none"), ()
    if tpv.status in STATUS_NOT_MEASURED:
        return None, (Rejected("not_measured", tpv.raw),)
    if tpv.lat is None or tpv.lon is None:
        return None, (Rejected("position_missing", tpv.raw),)
    if fault := position_fault(tpv.lat, tpv.lon):
        return None, (Rejected(fault, tpv.raw),)
    return _believed(tpv, mode, now)


def _believed(tpv: Tpv, mode: FixMode, now: datetime) -> tuple[Fix, tuple[Rejected, ...]]:
    doubts: list[Rejected] = []
    gnss_time = tpv.time
    if gnss_time is not None and (fault := date_fault(gnss_time, now)):
        gnss_time = None
        doubts.append(Rejected(fault, tpv.raw))
    speed_mps = plausible_speed_mps(tpv.speed_mps, tpv.course_deg)
    if speed_mps is None and tpv.speed_mps is not None:
        doubts.append(Rejected("speed", tpv.raw))
    fix = Fix(
        mode=mode,
        lat=tpv.lat,
        lon=tpv.lon,
        speed_mps=speed_mps,
        heading_deg=heading_deg(speed_mps, tpv.course_deg),
        # In a 2D fix the altitude is assumed or left over, not measured.
        altitude_m=None if mode == "2d" else tpv.altitude_m,
        accuracy_m=tpv.accuracy_m,
        gnss_time=gnss_time,
    )
    return fix, tuple(doubts)


def _fix_mode(tpv: Tpv) -> FixMode | None:
    if tpv.mode in (0, 1):
        return "none"
    if tpv.mode not in (2, 3):
        return None
    if tpv.status == STATUS_DEAD_RECKONING:
        return "dead_reckoning"
    return "2d" if tpv.mode == 2 else "3d"


def _tpv(line: _TpvLine, raw: bytes) -> Tpv | Rejected:
    numbers = (line.lat, line.lon, line.speed, line.track, line.altMSL, line.eph, line.epx, line.epy)
    if not all(number is None or math.isfinite(number) for number in numbers):
        return Rejected("not_finite", raw)
    return Tpv(
        mode=line.mode,
        status=line.status,
        time=_time(line.time),
        lat=line.lat,
        lon=line.lon,
        speed_mps=line.speed,
        course_deg=line.track,
        altitude_m=line.altMSL,
        accuracy_m=_accuracy_m(line),
        raw=raw,
    )


def _sky(line: _SkyLine) -> Sky:
    used = line.uSat if line.uSat is not None else sum(satellite.used for satellite in line.satellites)
    return Sky(max(0, used))


def _time(text: str | None) -> datetime | None:
    """The time of a report; None where there is none or it is no UTC date. The position is kept all the same."""
    if text is None or not text.endswith("Z"):
        return None
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None


def _accuracy_m(line: _TpvLine) -> float | None:
    accuracy_m = line.eph
    if accuracy_m is None and line.epx is not None and line.epy is not None:
        accuracy_m = math.hypot(line.epx, line.epy)
    return accuracy_m if accuracy_m is None or accuracy_m >= 0.0 else None
