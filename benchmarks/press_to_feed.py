"""From a press's commit on the device to its bytes at a client of the feed.

`python -m benchmarks.press_to_feed --units 1000 --seconds 10` runs, for each broker, the application as a process of
its own, one real agent as another, and the other units as real MQTT clients in a third. Prints one JSON object on the
last line: `p50_ms` and `p99_ms` from commit to bytes (of the slower broker), the same `beyond_tick`, where each press's
own wait for the feed's tick is taken out, and a baseline from the same minute: a bare publish to subscribe on the same
broker at QoS 0, and a commit to disk.

The commit is seen from outside: the lamp turns to slow as soon as the press is on disk, before anything is sent.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from benchmarks.fleet_load import ORG, device_name, enrolment
from benchmarks.percentiles import in_ms
from benchmarks.processes import SCHEME, free_port, process, program_of, write_lines
from cloud.broker.embedded import EmbeddedBroker
from cloud.clock import SystemClock
from wire.feed import Changes, Snapshot

AGENT_UNITS = 8
"""Units on the one real agent, pressed by turns, so that presses can be frequent and each is still shown alone."""
PRESSES_PER_S = 10.0
START_S = 90.0
_clock = SystemClock()


class Samples:
    """Presses on their way, and what each took."""

    def __init__(self) -> None:
        """Nothing measured yet."""
        self.committed_s: dict[tuple[str, str], float] = {}
        self.total_s: list[float] = []
        self.beyond_tick_s: list[float] = []
        self.path_s: list[float] = []

    def shown(self, unit: str, code: str, at_s: float, tick_wait_s: float) -> None:
        """Take in that a client received a unit's status."""
        committed_s = self.committed_s.pop((unit, code), None)
        if committed_s is not None:
            self.total_s.append(at_s - committed_s)
            self.beyond_tick_s.append(at_s - committed_s - tick_wait_s)


async def follow(port: int, samples: Samples, confirmed: set[str], tick_ms: list[int]) -> None:
    """Follow the feed on a bare socket: the time is taken when the bytes are there, before they are decoded."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    writer.write(b"GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    kind = b""
    while line := await reader.readline():
        at_s = _clock.monotonic()
        name, _, value = line.rstrip().partition(b": ")
        if name == b"event":
            kind = value
        elif name == b"data" and kind in (b"snapshot", b"changes"):
            event: Any = msgspec.json.decode(value, type=Snapshot if kind == b"snapshot" else Changes)
            if kind == b"snapshot":
                tick_ms[:] = [event.tick_ms]
            for record in event.records:
                (confirmed.add if record.confidence == "confirmed" else confirmed.discard)(record.unit)
                if record.status is not None:
                    wait_s = max(0.0, (event.at - record.as_of).total_seconds())
                    samples.shown(record.unit, record.status.code, at_s, wait_s)


async def press(path: Path, seconds: float, samples: Samples) -> int:
    """Press one unit after the other, at random moments, and note when each press is on disk."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    await reader.readline()
    chance = random.Random(1)
    end_s = _clock.monotonic() + seconds
    count = 0
    while _clock.monotonic() < end_s:
        unit, code = count % AGENT_UNITS, ("1", "2", "4")[count // AGENT_UNITS % 3]
        button = f"u{unit}c{code}"
        for down in (True, False):
            writer.write(json.dumps({"button": button, "down": down}).encode() + b"\n")
        await until_slow(reader, button)
        samples.committed_s[(f"bench-{unit}", code)] = _clock.monotonic()
        count += 1
        await _clock.sleep(chance.uniform(0.5, 1.5) / PRESSES_PER_S)
    writer.close()
    return count


async def until_slow(reader: asyncio.StreamReader, button: str) -> None:
    """Wait for the lamp that says: on disk here."""
    while line := await reader.readline():
        if json.loads(line).get("lamps", {}).get(button) == "slow":
            return


async def broker_baseline(port: int) -> list[float]:
    """Time a bare publish to subscribe at QoS 0 on the loaded broker."""
    times = []
    async with aiomqtt.Client("127.0.0.1", port, identifier="baseline") as client:
        await client.subscribe("baseline/x", qos=0)
        for _ in range(100):
            started_s = _clock.monotonic()
            await client.publish("baseline/x", bytes(500))
            await anext(client.messages)
            times.append(_clock.monotonic() - started_s)
    return times


def disk_baseline(folder: Path) -> list[float]:
    """Time a one-row commit with the ledger's settings."""
    times = []
    db = sqlite3.connect(folder / "baseline.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t(x)")
    for _ in range(100):
        started_s = _clock.monotonic()
        db.execute("INSERT INTO t VALUES(zeroblob(500))")
        times.append(_clock.monotonic() - started_s)
    db.close()
    return times


def write_site(folder: Path, units: int, mqtt_port: int) -> None:
    """Write the directory and the one real device."""
    lines = ['[[organisation]]\nid = "load"\nname = "Load"\nservice = "fire"', '[[base]]\nid = "b"\nname = "Base"']
    row = (
        '[[unit]]\nid = "{0}"\ncallsign = "{0}"\norganisation = "load"\ntype = "pump"\nbase = "b"\n'
        'scheme = "{1}"\ncarrier = "{2}"'
    )
    device = '[[device]]\nid = "{0}"\norganisation = "load"\nenrolment = "{1}"\nunits = {2}'
    for number in range(units - AGENT_UNITS):
        name = device_name(number)
        lines += [row.format(f"u-{name}", SCHEME, name), device.format(name, enrolment(number), "[]")]
    bench = [f"bench-{number}" for number in range(AGENT_UNITS)]
    lines += [row.format(unit, SCHEME, "bench" if place == 0 else f"spare-{place}") for place, unit in enumerate(bench)]
    lines += [device.format(f"spare-{place}", f"S{place}", "[]") for place in range(1, AGENT_UNITS)]
    lines.append(device.format("bench", "B1", json.dumps(bench)))
    write_lines(folder / "data" / "directory" / "all.toml", lines)
    buttons = [f'u{n}c{code} = "bench-{n}:{code}"' for n in range(AGENT_UNITS) for code in ("1", "2", "4")]
    agent = [
        f'[device]\nid = "bench"\norganisation = "{ORG}"\nenrolment = "B1"\nstate_dir = "state"',
        f'[link]\nbroker = "mqtt://127.0.0.1:{mqtt_port}"\nheartbeat_s = 5.0',
        *(f'[[unit]]\nid = "{unit}"\nscheme = "{SCHEME}"' for unit in bench),
        '[panel]\nbackend = "scripted"\npath = "panel.sock"',
        "[panel.buttons]",
        *buttons,
    ]
    write_lines(folder / "device" / "device.toml", agent)


async def measure(kind: str, units: int, seconds: float, per_s: float) -> dict[str, Any]:
    """Measure with one broker."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with EmbeddedBroker(program_of(kind), store=folder / "broker", clock=_clock) as broker:
            write_site(folder, units, broker.port)
            port = free_port()
            async with running(folder, broker.port, port, units, per_s):
                return await measure_running(folder, broker.port, port, units, seconds)


@contextlib.asynccontextmanager
async def running(folder: Path, mqtt_port: int, port: int, units: int, per_s: float) -> AsyncIterator[None]:
    """Run the application, the agent and the load."""
    scripts = Path(sys.executable).parent
    url = f"mqtt://127.0.0.1:{mqtt_port}"
    up = [str(scripts / "watchroom"), "up", "--data", str(folder / "data"), "--port", str(port), "--broker", url]
    agent = [str(scripts / "edge-agent"), "run", "--config", str(folder / "device" / "device.toml")]
    load = [sys.executable, "-m", "benchmarks.fleet_load", str(mqtt_port), str(units - AGENT_UNITS), str(per_s)]
    async with process(up, until="Board"), process(agent, until=""), process(load, until="ready"):
        yield


async def measure_running(folder: Path, mqtt_port: int, port: int, units: int, seconds: float) -> dict[str, Any]:
    """Measure once everyone is there."""
    samples, confirmed, tick_ms = Samples(), set[str](), [0]
    following = asyncio.ensure_future(follow(port, samples, confirmed, tick_ms))
    deadline_s = _clock.monotonic() + START_S
    while len(confirmed) < units - AGENT_UNITS:
        if _clock.monotonic() > deadline_s:
            raise SystemExit(f"only {len(confirmed)} of {units} units were confirmed within {START_S:.0f} s")
        await _clock.sleep(0.1)
    count = await press(folder / "device" / "panel.sock", seconds, samples)
    await _clock.sleep(1.0)
    following.cancel()
    baseline = await broker_baseline(mqtt_port)
    return {
        "presses": count,
        "measured": len(samples.total_s),
        "confirmed_units": len(confirmed),
        "tick_ms": tick_ms[0],
        "p50_ms": in_ms(samples.total_s, 0.5),
        "p99_ms": in_ms(samples.total_s, 0.99),
        "beyond_tick_p50_ms": in_ms(samples.beyond_tick_s, 0.5),
        "beyond_tick_p99_ms": in_ms(samples.beyond_tick_s, 0.99),
        "baseline_broker_p50_ms": in_ms(baseline, 0.5),
        "baseline_broker_p99_ms": in_ms(baseline, 0.99),
        "baseline_commit_p50_ms": in_ms(disk_baseline(folder), 0.5),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1000, help="units on the feed (default 1000)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to press, for each broker (default 10)")
    parser.add_argument("--messages", type=float, default=100.0, help="messages a second of the others (default 100)")
    parser.add_argument("--broker", choices=["nats", "mosquitto", "both"], default="both")
    asked = parser.parse_args()
    kinds = ["nats", "mosquitto"] if asked.broker == "both" else [asked.broker]
    found = {kind: asyncio.run(measure(kind, asked.units, asked.seconds, asked.messages)) for kind in kinds}
    worst = {key: max(one[key] for one in found.values()) for key in next(iter(found.values())) if key.endswith("_ms")}
    print(json.dumps({"units": asked.units, "messages_per_s": asked.messages, **worst, "brokers": found}))


if __name__ == "__main__":
    main()
