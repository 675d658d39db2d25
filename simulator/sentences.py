"""What gpsd 3.22 says, as bytes. Pure. Compared in the tests with what a real gpsd says of recorded receivers.

Numbers are not padded with zeros as gpsd pads them; every key is one that gpsd sends, and of the same type.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import hypot
from random import Random

from simulator.vehicle import Fix

GEOID_SEPARATION_M = 45.6
"""How much higher the ellipsoid's altitude is than the sea's, in south-east England."""
VARIATION_DEG = 0.7
"""How far east of true north a compass points there."""
SATELLITES = 12
TIME_ERROR_S = 0.005
"""gpsd's usual `ept` with a GPS receiver: 5 ms."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a client asked for. gpsd 3.22 sends reports only where both are true."""

    enable: bool = False
    json: bool = False


def version_line() -> bytes:
    """The greeting."""
    return _line({"class": "VERSION", "release": "3.22", "rev": "3.22", "proto_major": 3, "proto_minor": 14})


def devices_line(path: str, activated: datetime) -> bytes:
    """The one receiver there is."""
    return _line({"class": "DEVICES", "devices": [_device(path, activated)]})


def watch_line(watch: Watch) -> bytes:
    """What is now watched."""
    asked = {"class": "WATCH", "enable": watch.enable, "json": watch.json}
    return _line({**asked, "nmea": False, "raw": 0, "scaled": False, "timing": False, "split24": False, "pps": False})


def error_line(text: str) -> bytes:
    """The answer to what is no request."""
    return _line({"class": "ERROR", "message": text})


def lost_line(path: str, at: datetime) -> bytes:
    """A report without a fix: the receiver's own clock, and mode 1."""
    return _line({**_report(path, 1), "time": stamp(at), "ept": TIME_ERROR_S})


def partial_line(path: str, at: datetime, fix: Fix) -> bytes:
    """What an NMEA receiver's first sentence of an epoch gives: a place, but no speed, track or error yet."""
    return _line({**_report(path, 3), "time": stamp(at), "ept": TIME_ERROR_S, **_place(fix)})


def fix_line(path: str, at: datetime, fix: Fix) -> bytes:
    """A whole 3D fix."""
    side_m = fix.accuracy_m / 2**0.5
    errors = {"epx": round(side_m, 3), "epy": round(side_m * 1.2, 3), "epv": round(fix.accuracy_m * 1.6, 3)}
    magnetic = {"magtrack": round((fix.heading_deg - VARIATION_DEG) % 360.0, 4), "magvar": VARIATION_DEG}
    motion = {"track": round(fix.heading_deg, 4), **magnetic, "speed": round(fix.speed_mps, 3), "climb": 0.0}
    motion_errors = {"eps": round(fix.accuracy_m * 0.3, 2), "epc": round(fix.accuracy_m * 3.2, 2)}
    whole = {"eph": round(fix.accuracy_m, 3), "sep": round(hypot(fix.accuracy_m, fix.accuracy_m * 1.6), 3)}
    report = {**_report(path, 3), "time": stamp(at), "ept": TIME_ERROR_S, **_place(fix), **errors}
    return _line({**report, **motion, **motion_errors, "geoidSep": GEOID_SEPARATION_M, **whole})


def sky_line(path: str, at: datetime, *, fixed: bool) -> bytes:
    """The satellites overhead: most of them used in a fix, none without one. They drift by the minute."""
    random = Random(f"sky {path} {int(at.timestamp()) // 60}")
    satellites = [_satellite(number, random, fixed=fixed) for number in range(1, SATELLITES + 1)]
    used = sum(bool(satellite["used"]) for satellite in satellites)
    dilutions = {"xdop": 0.61, "ydop": 0.72, "vdop": 1.31, "tdop": 0.8, "hdop": 0.94, "gdop": 1.8, "pdop": 1.61}
    bad = {"vdop": 50.0, "hdop": 50.0, "pdop": 50.0}
    counts = {"nSat": len(satellites), "uSat": used, "satellites": satellites}
    return _line({"class": "SKY", "device": path, **(dilutions if fixed else bad), **counts})


def stamp(at: datetime) -> str:
    """A time as gpsd writes it: UTC, in milliseconds."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _report(path: str, mode: int) -> dict[str, object]:
    return {"class": "TPV", "device": path, "mode": mode}


def _place(fix: Fix) -> dict[str, object]:
    place = {"lat": round(fix.lat, 9), "lon": round(fix.lon, 9)}
    sea_m = round(fix.altitude_m, 4)
    return {**place, "altHAE": round(fix.altitude_m + GEOID_SEPARATION_M, 4), "altMSL": sea_m, "alt": sea_m}


def _device(path: str, activated: datetime) -> dict[str, object]:
    line = {"native": 0, "bps": 38400, "parity": "N", "stopbits": 1, "cycle": 1.0}
    return {"class": "DEVICE", "path": path, "driver": "NMEA0183", "activated": stamp(activated), "flags": 1, **line}


def _satellite(number: int, random: Random, *, fixed: bool) -> dict[str, object]:
    elevation, azimuth, strength = random.uniform(5, 80), random.uniform(0, 359), random.uniform(22, 46)
    seen = {"PRN": number, "el": round(elevation, 1), "az": round(azimuth, 1)}
    used = fixed and elevation > 12.0
    return {**seen, "ss": round(strength if fixed else 0.0, 1), "used": used, "gnssid": 0, "svid": number}


def _line(report: Mapping[str, object]) -> bytes:
    return json.dumps(report, separators=(",", ":")).encode() + b"\r\n"
