"""What the telemetry store costs on InfluxDB, and on DuckDB in the same minute: rows written and read a second.

`python -m benchmarks.influx` starts an InfluxDB 1.6 behind nginx in a folder of its own (Debian's packages; `--url` and
`--token-file` name another that runs, whose bucket `watchroom-benchmark` it fills). It appends a county's positions in
groups of 10,000 as ingest does, to either store in turn, and reads the whole track of unit after unit; every row that
is read is compared. It prints one JSON object on the last line, `influx` and `duckdb` each with:

- `written_per_s`: rows made durable a second; `append_ms`: the median of one group.
- `read_per_s`: rows a second as structs; `track_ms`: the median of one unit's track.
- `latest_ms`: where every device is, as at a start.
- `own_cpu_us`: processor time of this process alone for each row written: for InfluxDB its server's comes on top.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.processes import process
from cloud.config import InfluxAddress
from cloud.telemetry import DuckTelemetry, PositionRow, Telemetry
from cloud.telemetry.influx import InfluxTelemetry

BEGIN = datetime(2026, 11, 1, 6, tzinfo=UTC)
GROUP_ROWS = 10_000
TRACKS_READ = 40


def county(units: int, groups: int) -> list[list[PositionRow]]:
    """Give groups of positions: every unit on the move, one a second."""
    return [
        [row_of(number % units, number // units) for number in range(start, start + GROUP_ROWS)]
        for start in range(0, groups * GROUP_ROWS, GROUP_ROWS)
    ]


def row_of(unit: int, second: int) -> PositionRow:
    """Give one position, like no other."""
    at = BEGIN + timedelta(seconds=second, microseconds=unit * 317)
    return PositionRow(
        device=f"veh-{unit:05}",
        unit=f"unit-{unit:05}",
        stream=f"E-{unit:05}-a1b2c3d4",
        seq=second + 1,
        boot=3,
        mono_ms=second * 1000 + unit % 1000,
        at=at,
        received_at=at + timedelta(milliseconds=300 + unit % 400),
        corrected_at=at,
        mode="live",
        fix="3d",
        lat=51.0 + unit / 1e4 + second / 1e6,
        lon=0.5 - unit / 1e4 - second / 1e6,
        speed_mps=(unit * 7 + second) % 300 / 10,
        heading_deg=(unit * 31 + second * 3) % 3600 / 10,
        altitude_m=(unit + second) % 2000 / 10,
        accuracy_m=(unit + second) % 50 / 10,
        satellites=4 + (unit + second) % 20,
        gnss_time=at,
    )


def measure_writing(stores: dict[str, Telemetry], groups: list[list[PositionRow]]) -> dict[str, dict[str, float]]:
    """Append every group to each store in turn, so that whatever else the machine does is shared."""
    took: dict[str, list[float]] = {name: [] for name in stores}
    cpu: dict[str, float] = dict.fromkeys(stores, 0.0)
    for group in groups:
        for name, store in stores.items():
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            store.append(group, [])
            took[name].append(time.perf_counter() - began_s)
            cpu[name] += time.process_time() - began_cpu_s
    rows = sum(map(len, groups))
    return {
        name: {
            "written_per_s": round(rows / sum(took[name])),
            "append_ms": round(statistics.median(took[name]) * 1000, 1),
            "own_cpu_us": round(cpu[name] / rows * 1e6, 2),
        }
        for name in stores
    }


def measure_reading(store: Telemetry, groups: list[list[PositionRow]], units: int) -> dict[str, float]:
    """Read tracks and compare them, row by row."""
    tracks: dict[str, list[PositionRow]] = {}
    for group in groups:
        for row in group:
            tracks.setdefault(row.unit or "", []).append(row)
    window = (BEGIN, BEGIN + timedelta(days=1))
    took, rows = [], 0
    for unit in sorted(tracks)[:: max(1, units // TRACKS_READ)]:
        found, took_s = timed(lambda unit=unit: store.series(unit, *window, 1_000_000))  # type: ignore[misc]
        if found != tracks[unit]:
            raise SystemExit(f"the track of {unit} did not come back as it was written")
        took.append(took_s)
        rows += len(found)
    latest, latest_s = timed(store.latest)
    if [row.seq for row in latest] != [tracks[unit][-1].seq for unit in sorted(tracks)]:
        raise SystemExit("the latest positions did not come back as they were written")
    return {
        "read_per_s": round(rows / sum(took)),
        "track_ms": round(statistics.median(took) * 1000, 1),
        "latest_ms": round(latest_s * 1000, 1),
    }


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Give what it gives, and the seconds it took."""
    began_s = time.perf_counter()
    return work(), time.perf_counter() - began_s


def run(address: InfluxAddress, folder: Path, units: int, groups: int) -> dict[str, Any]:
    """Measure both stores, empty at first."""
    stores: dict[str, Telemetry] = {
        "influx": InfluxTelemetry.open(address),
        "duckdb": DuckTelemetry.open(folder / "telemetry"),
    }
    try:
        stores["influx"].drop_before(date.max)
        rows = county(units, groups)
        figures = measure_writing(stores, rows)
        for name, store in stores.items():
            figures[name] |= measure_reading(store, rows, units)
    finally:
        for store in stores.values():
            store.close()
    return {"benchmark": "influx", "units": units, "rows": groups * GROUP_ROWS, **figures}


async def beside_a_server(folder: Path, units: int, groups: int) -> dict[str, Any]:
    """Start an InfluxDB, measure, and end it."""
    command = [sys.executable, "-m", "tests.cloud.telemetry.influxd", str(folder / "influx")]
    async with process(command, until="ready", takes_input=True) as server:
        url = (folder / "influx" / "url").read_text(encoding="ascii")
        figures = await asyncio.to_thread(run, InfluxAddress(url=url), folder, units, groups)
        assert server.stdin is not None
        server.stdin.close()
        await server.wait()
    return figures


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1_000)
    parser.add_argument("--groups", type=int, default=30, help=f"of {GROUP_ROWS} rows")
    parser.add_argument("--url", help="an InfluxDB that runs; its bucket watchroom-benchmark is emptied")
    parser.add_argument("--token-file", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.url:
            address = InfluxAddress(url=options.url, bucket="watchroom-benchmark", token_file=options.token_file)
            figures = run(address, folder, options.units, options.groups)
        else:
            figures = asyncio.run(beside_a_server(folder, options.units, options.groups))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
