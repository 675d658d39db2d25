"""Writes a county as files: the directory that the cloud loads, and one TOML for each vehicle's device."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simulator.county import County, Device, Unit
from simulator.crew import codes

DEVICE_FILE = "device.toml"
PANEL_SOCKET = "panel.sock"
STATE_FOLDER = "state"

Value = str | float | int | bool | datetime | Sequence["Value"] | Mapping[str, "Value"]


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
    return write_tables(_rows(county), folder)


def write_tables(tables: Mapping[str, Sequence[Mapping[str, Value]]], folder: Path) -> Path:
    """Write a file for each kind of row into `folder`, such as `units.toml` for `unit`, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        texts = (table(f"[[{name}]]", row) for row in rows)
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
    path.write_text("\n".join(table(header, row) for header, row in tables.items()), encoding="utf-8")
    return path


def button(code: str) -> str:
    """The name of the button that declares `code`, such as `b4`, or `at_base` where the code is a word."""
    return f"b{code}" if code.isdigit() else code


def _rows(county: County) -> dict[str, list[Mapping[str, Value]]]:
    stations = {station.base.id: station.device for station in county.stations}
    return {
        "organisation": [{"id": o.id, "name": o.name, "service": o.service} for o in county.organisations],
        "base": [
            {
                "id": base.id,
                "name": base.name,
                **({"organisation": base.organisation} if base.organisation is not None else {}),
                **({"device": stations[base.id]} if base.id in stations else {}),
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
                **({"covert": True} if unit.covert else {}),
            }
            for unit in county.units
        ],
        "device": [
            *(_device_row(each.id, each.organisation, each.enrolment, (each.unit,)) for each in county.devices),
            *(_device_row(each.device, each.organisation, each.enrolment, each.units) for each in county.stations),
        ],
    }


def _device_row(device: str, organisation: str, enrolment: str, units: Sequence[Unit]) -> Mapping[str, Value]:
    named = [unit.id for unit in units]
    return {"id": device, "organisation": organisation, "enrolment": enrolment, "units": named}


def table(header: str, row: Mapping[str, Value]) -> str:
    """One TOML table."""
    return "\n".join([header, *(f"{key} = {_written(value)}" for key, value in row.items()), ""])


def _written(value: Value) -> str:
    """A value as TOML writes it. JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_written(each)}' for key, each in value.items())} }}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value)
