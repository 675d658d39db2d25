"""Recorded receiver logs, what a newer gpsd says of them, and sentences of a drive that was never recorded."""

import functools
import json
import operator
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any


def real_logs() -> list[Path]:
    """Every recorded receiver log, sorted; empty where WATCHROOM_REAL_DATA is unset."""
    real_data = os.environ.get("WATCHROOM_REAL_DATA")
    return sorted(Path(real_data, "gpsd").glob("*.log")) if real_data else []


def checked_logs() -> list[Path]:
    """The recorded logs that come with the expected output of a newer gpsd."""
    return [log for log in real_logs() if chk_of(log).exists()]


def chk_of(log: Path) -> Path:
    """Where the expected output of a log is."""
    return log.with_name(log.name + ".chk")


@dataclass(frozen=True)
class ExpectedFix:
    """What a newer gpsd says of one epoch: all modes it reported, the last one, and all positions."""

    time: datetime | None
    modes: tuple[int, ...]
    places: tuple[tuple[float, float], ...]

    @property
    def mode(self) -> int:
        """The last word on this epoch: 0 and 1 no fix, 2 2D, 3 3D."""
        return self.modes[-1]


def expected_fixes(chk: Path) -> list[ExpectedFix]:
    """The epochs of a `.chk` file in their order: all TPV of one time, and runs of TPV without a time.

    A run without a time ends where a fix is gained or lost.
    """
    epochs: list[tuple[str | None, list[dict[str, Any]]]] = []
    by_time: dict[str, list[dict[str, Any]]] = {}
    for line in chk.read_bytes().splitlines():
        if not line.startswith(b'{"class":"TPV"'):
            continue
        tpv = json.loads(line)
        time = tpv.get("time")
        known = by_time.get(time) if time else _open_run(epochs, tpv)
        if known is None:
            known = []
            epochs.append((time, known))
            if time:
                by_time[time] = known
        known.append(tpv)
    return [
        ExpectedFix(
            time=None if time is None else datetime.fromisoformat(time),
            modes=tuple(tpv["mode"] for tpv in tpvs),
            places=tuple((tpv["lat"], tpv["lon"]) for tpv in tpvs if "lat" in tpv),
        )
        for time, tpvs in epochs
    ]


def _open_run(
    epochs: list[tuple[str | None, list[dict[str, Any]]]], tpv: dict[str, Any]
) -> list[dict[str, Any]] | None:
    if not epochs or epochs[-1][0] is not None:
        return None
    run = epochs[-1][1]
    return run if (run[-1]["mode"] < 2) == (tpv["mode"] < 2) else None


def first_time(chk: Path) -> datetime:
    """The first time in a `.chk` file: when the log was recorded."""
    return next(fix.time for fix in expected_fixes(chk) if fix.time is not None)


def packets(log: Path) -> list[bytes]:
    """A log as a serial line would bring it: sentence by sentence, or 64 bytes at a time where it is binary."""
    raw = log.read_bytes()
    while raw.startswith(b"#"):
        raw = raw.partition(b"\n")[2]
    lines = raw.split(b"\n")
    if all(line[:1] in (b"$", b"!", b"#", b"") for line in lines):
        return [line + b"\n" for line in lines if line and not line.startswith(b"#")]
    return [raw[at : at + 64] for at in range(0, len(raw), 64)]


def drive(start: datetime, *, count: int, step_s: float = 0.2) -> list[bytes]:
    """What a receiver says in `count` epochs of a drive north at 10 m/s from 51.5 N, 0.1 W: GGA, GSA, RMC."""
    return [_epoch(start + timedelta(seconds=number * step_s), number * step_s * 10.0) for number in range(count)]


def _epoch(at: datetime, metres_north: float) -> bytes:
    clock, date = f"{at:%H%M%S}.{at.microsecond // 10_000:02d}", f"{at:%d%m%y}"
    place = f"51{30.0 + metres_north / 1852.0:08.5f},N,00006.00000,W"
    bodies = (
        f"GPGGA,{clock},{place},1,08,1.0,30.0,M,46.0,M,,",
        "GPGSA,A,3,01,02,03,04,05,06,07,08,,,,,2.0,1.0,1.7",
        f"GPRMC,{clock},A,{place},19.44,0.50,{date},,,A",
    )
    return "".join(f"${body}*{_checksum(body):02X}\r\n" for body in bodies).encode()


def _checksum(body: str) -> int:
    return functools.reduce(operator.xor, body.encode())
