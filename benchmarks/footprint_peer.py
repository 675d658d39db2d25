"""The peer of a station's agent: thingsboard-gateway, in an environment of its own, on the same slave."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.footprint_plant import POINTS, POLL_MS

PACKAGES = ("thingsboard-gateway==3.8.5", "pymodbus==3.9.2", "pyserial", "pyserial-asyncio")
"""The gateway installs the others by itself when its Modbus connector first runs."""
_FUNCTIONS = (("d", 2, "bits", POINTS), ("h", 3, "16uint", 1), ("i", 4, "16uint", 1))


def make_peer(folder: Path) -> Path:
    """Make the peer's environment, and give its interpreter."""
    environment = folder / "environment"
    python = environment / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(environment)],
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return python


def peer_command(python: Path, folder: Path, plant_port: int, mqtt_port: int) -> list[str]:
    """Write the peer's configuration, and give the command that runs it, quiet but for errors."""
    config = folder / "config"
    config.mkdir(parents=True)
    (folder / "logs").mkdir()
    gateway = {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": mqtt_port,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False},
            "security": {"type": "accessToken", "accessToken": "bench"},
            "qos": 1,
        },
        "storage": {"type": "memory", "read_records_count": 100, "max_records_count": 100_000},
        "grpc": {"enabled": False},
        "connectors": [{"name": "plant", "type": "modbus", "configuration": "modbus.json"}],
    }
    (config / "tb_gateway.json").write_text(json.dumps(gateway), encoding="utf-8")
    (config / "modbus.json").write_text(json.dumps({"master": {"slaves": [_slave(plant_port)]}}), encoding="utf-8")
    logs = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}}
    (config / "logs.json").write_text(json.dumps(logs), encoding="utf-8")
    run = (
        f"import os; os.chdir({str(folder)!r}); os.environ['TB_GW_CONFIG_DIR'] = {str(config)!r}; "
        "from thingsboard_gateway.tb_gateway import main; main()"
    )
    return [str(python), "-c", run]


def _slave(port: int) -> dict[str, object]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "type": "tcp",
        "method": "socket",
        "unitId": 1,
        "deviceName": "plant",
        "timeout": 5,
        "byteOrder": "BIG",
        "wordOrder": "BIG",
        "retries": 0,
        "pollPeriod": POLL_MS,
        "connectAttemptTimeMs": 1000,
        "connectAttemptCount": 5,
        "waitAfterFailedAttemptsMs": 1000,
        "attributes": [],
        "timeseries": [
            {
                "tag": mark,
                "type": kind,
                "functionCode": function,
                "address": 0,
                "objectsCount": count,
            }
            for mark, function, kind, count in _FUNCTIONS
        ],
        "attributeUpdates": [],
        "rpc": [],
    }
