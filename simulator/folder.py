"""Writes a county as files: the directory that the cloud loads, and one TOML for each device."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.county import County, Device
from simulator.crew import codes

DEVICE_FILE = "device.toml"
PANEL_SOCKET = "panel.sock"
STATE_FOLDER = "state"

Value = str | float | int | bool | Sequence[str]


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """What a device is told beside who it is."""

    broker_port: int
    gpsd_port: int
    heartbeat_s: float = 5.0
    moving_s: float = 2.0
    parked_s: float = 30.0


def write_directory(county: County, folder: Path) -> Path:
    """Write `organisations.toml`, `bases.toml`, `units.toml` and `devices.toml` into `folder`, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in _rows(county).items():
        texts = (_table(f"[[{name}]]", row) for row in rows)
        (folder / f"{name}s.toml").write_text("\n".join(texts), encoding="utf-8")
    return folder


def write_device(device: Device, folder: Path, settings: DeviceSettings) -> Path:
    """Write a device's TOML into `folder`, and return its path. Its panel's socket and its state lie beside it.

    A socket's path can have 107 bytes: keep `folder` short.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identity = {"id": device.id, "organisation": device.organisation, "enrolment": device.enrolment}
    link: Mapping[str, Value] = {
        "broker": f"mqtt://127.0.0.1:{settings.broker_port}",
        "heartbeat_s": settings.heartbeat_s,
    }
    buttons = {button(code): code for code in codes(device.unit.organisation.service)}
    tables: dict[str, Mapping[str, Value]] = {
        "[device]": {**identity, "state_dir": STATE_FOLDER},
        "[link]": link,
        "[[unit]]": {"id": device.unit.id, "scheme": device.unit.scheme},
        "[gpsd]": {"host": "127.0.0.1", "port": settings.gpsd_port},
        "[panel]": {"backend": "scripted", "path": PANEL_SOCKET},
        "[panel.buttons]": buttons,
        "[report]": {"moving_s": settings.moving_s, "parked_s": settings.parked_s},
    }
    path = folder / DEVICE_FILE
    path.write_text("\n".join(_table(header, row) for header, row in tables.items()), encoding="utf-8")
    return path


def button(code: str) -> str:
    """The name of the button that declares `code`, such as `b4`, or `at_base` where the code is a word."""
    return f"b{code}" if code.isdigit() else code


def _rows(county: County) -> dict[str, list[Mapping[str, Value]]]:
    return {
        "organisation": [{"id": o.id, "name": o.name, "service": o.service} for o in county.organisations],
        "base": [
            {
                "id": base.id,
                "name": base.name,
                **({"organisation": base.organisation} if base.organisation is not None else {}),
                "lat": round(base.point.lat, 6),
                "lon": round(base.point.lon, 6),
            }
            for base in county.bases
        ],
        "unit": [
            {
                "id": unit.id,
                "callsign": unit.callsign,
                "organisation": unit.organisation.id,
                "type": unit.type,
                "base": unit.base.id,
                "scheme": unit.scheme,
                "carrier": unit.device,
                "capabilities": list(unit.capabilities),
            }
            for unit in county.units
        ],
        "device": [
            {"id": each.id, "organisation": each.organisation, "enrolment": each.enrolment, "units": [each.unit.id]}
            for each in county.devices
        ],
    }


def _table(header: str, row: Mapping[str, Value]) -> str:
    """One TOML table. JSON's strings, numbers, booleans and arrays of strings are TOML's too."""
    return "\n".join([header, *(f"{key} = {json.dumps(value)}" for key, value in row.items()), ""])
