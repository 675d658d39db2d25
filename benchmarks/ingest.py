"""How much ingest takes in durably, on a ledger that holds a million events already.

`python -m benchmarks.ingest --seconds 10 [--broker nats|mosquitto]` runs, each on a fresh broker and with ingest as a
process of its own on the same growing ledger, a load that always has more to send (`ingest_load` says how it keeps to
the protocol), and counts what was settled; what was settled is then looked up in the ledger. Prints one JSON object on
the last line:

- `status_per_s`, `track_per_s`: events a second in envelopes of 20; `single_per_s`: statuses a second, one an envelope.
- `us_per_single`: processor time of the ingest process, all threads, for each status of that last run; `us_per_status`
  and `us_per_track` are the same of the others.
- `ceiling_per_s`: messages a second from a bare asyncio publisher by way of the broker to a bare consumer that does
  nothing, with the same payload at QoS 0; `ratio` is `single_per_s` to it.
- `cores` that each of ingest, broker and load used in the run of single statuses: they share this machine's, so that
  this says what held the rate down.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.agent_footprint import cpu_s
from benchmarks.processes import process, program_of
from cloud.broker.embedded import EmbeddedBroker
from cloud.clock import SystemClock

CEILING_WARM_UP_S = 3.0
_clock = SystemClock()


def command(module: str, *arguments: object) -> list[str]:
    """The command line of another process of the benchmark."""
    return [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]


async def fill(folder: Path, devices: int, events: int) -> None:
    """Fill the ledger."""
    async with process(command("ingest_served", folder, "fill", devices, events), until="") as filling:
        if await filling.wait():
            raise SystemExit("the ledger could not be filled")


async def measure(folder: Path, kind: str, devices: int, seconds: float, load: tuple[str, str, int]) -> dict[str, Any]:
    """Measure one kind of load: its name, its queue, and the events of an envelope."""
    name, queue, events = load
    async with broker_in(folder, kind, name) as broker:
        serve = command("ingest_served", folder, broker.port, devices)
        send = command("ingest_load", broker.port, queue, devices, events, seconds, f"{kind}{name}")
        async with process(serve, until="ready") as ingest, process(send, until="window") as sender:
            pids = (ingest.pid, broker.pid or 0, sender.pid)
            before = [cpu_s(pid) for pid in pids]
            counted = await next_line(sender)
            used = [cpu_s(pid) - was_s for pid, was_s in zip(pids, before, strict=True)]
            total = await next_line(sender)
        check(folder, f"{kind}{name}", total)
    return {
        "per_s": round(counted["per_s"]),
        "us": round(used[0] / counted["events"] * 1e6, 1),
        "cores": {who: round(s / seconds, 2) for who, s in zip(("ingest", "broker", "load"), used, strict=True)},
        "resent": total["resent"],
    }


async def next_line(running: asyncio.subprocess.Process) -> dict[str, Any]:
    """Read one line of JSON that a process prints."""
    assert running.stdout is not None
    line = await running.stdout.readline()
    if not line:
        raise SystemExit("the load ended before it was done")
    found: dict[str, Any] = json.loads(line)
    return found


def check(folder: Path, stream: str, total: dict[str, Any]) -> None:
    """Look up in the ledger what was said to be settled. Exits where it is not there."""
    engine = create_engine(f"sqlite:///{folder / 'ledger.db'}")
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT sum(through) FROM watermark WHERE stream LIKE :s"), {"s": f"%-{stream}"}
        ).scalar_one()
    engine.dispose()
    if total["in_flight"] or rows != total["settled"]:
        raise SystemExit(f"{total['settled']} events were settled, {total['in_flight']} not; the ledger holds {rows}")


async def ceiling(folder: Path, kind: str, devices: int, seconds: float) -> int:
    """Measure the broker alone, with the payloads of single statuses."""
    async with broker_in(folder, kind, "ceiling") as broker:
        flood = command("ingest_load", broker.port, "flood", devices, 1, seconds + CEILING_WARM_UP_S, "flood")
        async with process(command("bare_mqtt", broker.port, seconds), until="ready") as consumer:
            async with process(flood, until=""):
                found = await next_line(consumer)
    return int(found["per_s"])


@contextlib.asynccontextmanager
async def broker_in(folder: Path, kind: str, name: str) -> AsyncIterator[EmbeddedBroker]:
    """A fresh broker: what the last run left behind must not slow the next."""
    async with EmbeddedBroker(program_of(kind), store=folder / f"broker-{name}", clock=_clock) as broker:
        yield broker


async def run(kind: str, devices: int, events: int, seconds: float, only: str) -> dict[str, Any]:
    """Measure everything with one broker."""
    loads = [("status", "status", 20), ("track", "track", 20), ("single", "status", 1)]
    found: dict[str, Any] = {"broker": kind, "seconds": seconds, "devices": devices, "ledger_events_before": events}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await fill(folder, devices, events)
        for load in loads:
            if only in ("", load[0]):
                one = await measure(folder, kind, devices, seconds, load)
                found |= {f"{load[0]}_per_s": one["per_s"], f"us_per_{load[0]}": one["us"]}
                found |= {f"{load[0]}_cores": one["cores"], f"{load[0]}_resent": one["resent"]}
        if not only:
            found["ceiling_per_s"] = await ceiling(folder, kind, devices, seconds)
            found["ratio"] = round(found["single_per_s"] / found["ceiling_per_s"], 3)
    return found | {"load_average": round(os.getloadavg()[0], 1)}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each is counted (default 10)")
    parser.add_argument("--broker", choices=["nats", "mosquitto"], default="nats")
    parser.add_argument("--devices", type=int, default=2_000, help="how many send at once (default 2000)")
    parser.add_argument("--events", type=int, default=1_000_000, help="in the ledger before (default a million)")
    parser.add_argument("--only", choices=["status", "track", "single", ""], default="", help="measure this alone")
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(run(asked.broker, asked.devices, asked.events, asked.seconds, asked.only))))


if __name__ == "__main__":
    main()
