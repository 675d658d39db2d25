"""A hundred vehicles come back after three days without a network, while the others go on as ever.

`python -m benchmarks.backlog` runs the application as a process of its own, `--live` units that speak as a fleet does
as another, and in a third `--devices` vehicles, each with a real outbox that holds `--hours` of presses and positions
(see `benchmarks.returning`) and with the production link and its pacing. All connect at once. Their outboxes are in
memory where the machine has room for that, and their process yields to the application's: elsewhere they would be
machines of their own. Eight more units press all the while, and a client of the feed waits for each press.

Prints one JSON object on the last line: `drain_s`, from the connecting until everything is settled; `live_p95_ratio`,
the 95th percentile from a press's publish to its bytes at the client during that over the same in the quiet just before
(tick of the feed included); both percentiles; the same `beyond_tick`, without each press's wait for the tick; and
`stored`, the statuses of the returned in the ledger afterwards, each of which must be there once: `expected`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt

from benchmarks.board import Board
from benchmarks.fleet_load import ORG
from benchmarks.fleet_load import device_name as live_device
from benchmarks.fleet_load import enrolment as live_enrolment
from benchmarks.percentiles import in_ms
from benchmarks.processes import SCHEME, free_port, process, program_of, write_lines
from benchmarks.returning import presses
from benchmarks.spoken import CODES, Speakers, device_name, unit_name, write_directory
from cloud.broker.embedded import EmbeddedBroker
from cloud.clock import SystemClock
from cloud.fleet.clocks import Moment
from wire.feed import FeedRecord

PRESSING = 8
"""Units that press, by turns."""
PRESSES_PER_S = 10.0
WARM_UP_S = 5.0
DRAIN_MAX_S = 3_600.0
_clock = SystemClock()


class Presses:
    """Presses on their way, and what each took."""

    def __init__(self) -> None:
        """None is under way."""
        self.sent_s: dict[tuple[str, str], float] = {}
        self.total_s: list[float] = []
        self.beyond_tick_s: list[float] = []

    def note(self, record: FeedRecord, at_s: float, wait_s: float) -> None:
        """Take in that a client received a unit's status."""
        sent_s = self.sent_s.pop((record.unit, record.status.code), None) if record.status is not None else None
        if sent_s is not None:
            self.total_s.append(at_s - sent_s)
            self.beyond_tick_s.append(at_s - sent_s - wait_s)

    def take(self) -> tuple[list[float], list[float]]:
        """Give what was measured since the last call."""
        taken = self.total_s, self.beyond_tick_s
        self.total_s, self.beyond_tick_s = [], []
        return taken


async def press(port: int, presses: Presses) -> None:
    """Press one unit after the other, at random moments, until cancelled."""
    speakers, chance, turn = Speakers(PRESSING), random.Random(1), 0
    async with aiomqtt.Client("127.0.0.1", port, identifier="pressing") as client:
        for number in range(PRESSING):
            await client.publish(*speakers.say("birth", number, _moment()))
        while True:
            number = turn % PRESSING
            topic, payload = speakers.say("status", number, _moment())
            presses.sent_s[unit_name(number), CODES[(turn // PRESSING + 1) % len(CODES)]] = _clock.monotonic()
            await client.publish(topic, payload)
            turn += 1
            await _clock.sleep(chance.uniform(0.5, 1.5) / PRESSES_PER_S)


def _moment() -> Moment:
    return Moment(_clock.now(), _clock.monotonic())


def write_live(folder: Path, live: int) -> None:
    """Write the units of the live load beside the others."""
    lines = []
    for number in range(live):
        name = live_device(number)
        lines.append(
            f'[[unit]]\nid = "u-{name}"\ncallsign = "{name}"\norganisation = "{ORG}"\ntype = "pump"\nbase = "base-0"\n'
            f'scheme = "{SCHEME}"\ncarrier = "{name}"'
        )
        lines.append(f'[[device]]\nid = "{name}"\norganisation = "{ORG}"\nenrolment = "{live_enrolment(number)}"')
    write_lines(folder / "directory" / "live.toml", lines)


@contextlib.asynccontextmanager
async def running(asked: argparse.Namespace, folder: Path, outboxes: Path) -> AsyncIterator[tuple[int, Any, Presses]]:
    """Run everything but the returning, who stand ready."""
    write_directory(folder, PRESSING + asked.devices)
    write_live(folder, asked.live)
    port = free_port()
    async with EmbeddedBroker(program_of(asked.broker), store=folder / "broker", clock=_clock) as broker:
        up = [str(Path(sys.executable).parent / "watchroom"), "up", "--data", str(folder), "--port", str(port)]
        load = [sys.executable, "-m", "benchmarks.fleet_load", str(broker.port), str(asked.live), str(asked.messages)]
        back = [sys.executable, "-m", "benchmarks.returning", str(outboxes), str(broker.port), str(PRESSING)]
        returning = await asyncio.create_subprocess_exec(
            *back,
            *(str(asked.devices), str(asked.hours)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=lambda: os.nice(10),
        )
        try:
            await said(returning, "ready")
            async with process([*up, "--broker", f"mqtt://127.0.0.1:{broker.port}"], until="Board"):
                async with process(load, until="ready"), asyncio.TaskGroup() as tasks:
                    measured = Presses()
                    following = tasks.create_task(Board(port, measured.note).follow())
                    pressing = tasks.create_task(press(broker.port, measured))
                    yield broker.port, returning, measured
                    pressing.cancel()
                    following.cancel()
        finally:
            if returning.returncode is None:
                returning.kill()
            await returning.wait()


async def said(running: asyncio.subprocess.Process, word: str) -> list[str]:
    """Wait for a line that begins with a word."""
    assert running.stdout is not None
    while line := await running.stdout.readline():
        if line.decode().startswith(word):
            return line.decode().split()
    raise SystemExit(f"a process of the benchmark ended before it said {word!r}")


async def measure(asked: argparse.Namespace, folder: Path, outboxes: Path) -> dict[str, Any]:
    """Measure the quiet, then the return."""
    async with running(asked, folder, outboxes) as (_, returning, presses_seen):
        await _clock.sleep(WARM_UP_S)
        presses_seen.take()
        await _clock.sleep(asked.quiet)
        quiet = presses_seen.take()
        started_s = _clock.monotonic()
        returning.stdin.write(b"go\n")
        async with asyncio.timeout(DRAIN_MAX_S):
            await said(returning, "drained")
        drain_s = _clock.monotonic() - started_s
        during = presses_seen.take()
    figures = {
        "drain_s": round(drain_s, 1),
        "live_p95_ratio": round(in_ms(during[0], 0.95) / in_ms(quiet[0], 0.95), 3),
        "beyond_tick_p95_ratio": round(in_ms(during[1], 0.95) / in_ms(quiet[1], 0.95), 3),
    }
    for name, (total_s, beyond_s) in {"quiet": quiet, "during": during}.items():
        figures |= {f"{name}_p50_ms": in_ms(total_s, 0.5), f"{name}_p95_ms": in_ms(total_s, 0.95)}
        figures |= {f"{name}_beyond_tick_p95_ms": in_ms(beyond_s, 0.95), f"{name}_presses": len(total_s)}
    return figures | count_stored(folder / "ledger.db", asked)


def count_stored(path: Path, asked: argparse.Namespace) -> dict[str, int]:
    """Count the statuses of the returned in the ledger."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        count = "SELECT count(*), count(DISTINCT device || ' ' || stream || ' ' || seq) FROM event WHERE device >= ?"
        stored, distinct = db.execute(count, (device_name(PRESSING),)).fetchone()
    return {"stored": stored, "stored_distinct": distinct, "expected": asked.devices * presses(asked.hours)}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100, help="vehicles that come back (default 100)")
    parser.add_argument("--hours", type=float, default=72.0, help="how long they were cut off (default 72)")
    parser.add_argument("--live", type=int, default=200, help="units that speak all the while (default 200)")
    parser.add_argument("--messages", type=float, default=50.0, help="messages a second of those (default 50)")
    parser.add_argument("--quiet", type=float, default=60.0, help="seconds of quiet to compare with (default 60)")
    parser.add_argument("--broker", choices=["nats", "mosquitto"], default="nats")
    asked = parser.parse_args()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        outboxes = stack.enter_context(tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None))
        found = asyncio.run(measure(asked, Path(folder), Path(outboxes)))
    print(json.dumps({"devices": asked.devices, "hours": asked.hours, "live_units": asked.live, **found}))
    if not found["stored"] == found["stored_distinct"] == found["expected"]:
        raise SystemExit("not every status of the returned is in the ledger once")


if __name__ == "__main__":
    main()
