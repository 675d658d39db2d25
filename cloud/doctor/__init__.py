"""Looks at a data folder and the Watchroom on it, running or stopped, and says what is wrong and what to do.

versions ─▶ data folder, disk, directory ─▶ ledger, telemetry, frames ─▶ broker, the running process ─▶ findings

It takes no lock and changes nothing.
"""

import asyncio
import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from cloud.clock import Clock
from cloud.config import Settings
from cloud.directory import load
from cloud.doctor.folder import find_watchroom, look_at_days, look_at_disk
from cloud.doctor.influx import look_at_influx
from cloud.doctor.ledger import look_at_ledger
from cloud.doctor.service import look_at_broker, look_at_health, read_nats_version
from cloud.errors import CloudError
from wire.findings import Finding, fail, warn, well

__all__ = ["examine"]


async def examine(settings: Settings, clock: Clock) -> list[Finding]:
    """Look at everything that `watchroom up` would use with these settings. Takes a few seconds."""
    process = find_watchroom(settings.data)
    running = process is not None
    findings = [_about_versions(), _about_process(settings, process), *_look_at_files(settings, clock, running)]
    findings.append(await look_at_broker(settings, is_running=running))
    return [*findings, *await asyncio.to_thread(look_at_health, settings.port, is_running=running)]


def _look_at_files(settings: Settings, clock: Clock, is_running: bool) -> Iterator[Finding]:
    yield _look_at_directory(settings.directory)
    if settings.telemetry is not None:
        yield look_at_influx(settings.telemetry)
    if not settings.data.is_dir():
        do = "name the folder with --data; `watchroom up` makes it where there is none yet"
        yield warn("data folder", f"{settings.data} is not there", do)
        return
    yield look_at_disk(settings.data)
    yield from look_at_ledger(settings.data / "ledger.db", clock.now(), is_running=is_running)
    if settings.telemetry is None:
        yield look_at_days(settings.data / "telemetry")
    yield look_at_days(settings.data / "frames")


def _about_versions() -> Finding:
    parts = (
        f"watchroom {version('watchroom')}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        f"DuckDB {version('duckdb')}",
        read_nats_version() or "no nats-server",
    )
    return well("versions", ", ".join(parts))


def _about_process(settings: Settings, process: int | None) -> Finding:
    if process is not None:
        return well("watchroom", f"runs as process {process} on {settings.data}")
    do = "start it with `watchroom up`, with the same --data, if it should run now"
    return warn("watchroom", f"does not run on {settings.data}", do)


def _look_at_directory(folder: Path) -> Finding:
    try:
        directory = load(folder)
    except CloudError as error:
        do = "mend these files, or name the folder with --directory; a Watchroom that runs goes on with what it loaded"
        return fail("directory", str(error), do)
    revoked = sum(device.revoked for device in directory.devices.values())
    counts = (
        f"{len(directory.organisations)} organisations, {len(directory.units)} units, {len(directory.devices)} devices"
    )
    return well("directory", f"{folder}: {counts}, of them {revoked} revoked")
