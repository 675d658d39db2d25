"""A process of its own: ingest on a filled ledger, without the feed and HTTP. What `benchmarks.ingest` measures.

`python -m benchmarks.ingest_served FOLDER PORT DEVICES` serves until it is terminated; prints `ready` once subscribed.
`python -m benchmarks.ingest_served FOLDER fill DEVICES EVENTS` fills the ledger and ends.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.processes import SCHEME
from benchmarks.spoken import device_name, make_directory, unit_name
from cloud.clock import SystemClock
from cloud.directory import InForce
from cloud.ingest.ingest import Ingest
from cloud.ingest.subscriber import Messages, Subscriber
from cloud.ledger import Commit, EventRow, Ledger, Watermark
from cloud.telemetry import DuckTelemetry
from wire import codec
from wire.digest import genesis
from wire.events import StatusEvent

GROUP = 20_000
_START = datetime(2026, 1, 1, tzinfo=UTC)


def open_ledger(folder: Path) -> Ledger:
    """Open the ledger of a benchmark's folder."""
    return Ledger.open(f"sqlite:///{folder / 'ledger.db'}")


def fill(ledger: Ledger, devices: int, events: int) -> None:
    """Commit so many statuses, by turns of every device's unit, in the groups of a large backlog."""
    for first in range(1, events + 1, GROUP):
        rows = [make_row(number, devices) for number in range(first, min(first + GROUP, events + 1))]
        last = {row.unit: row for row in rows if row.unit is not None}
        ledger.commit(
            Commit(
                events=rows,
                watermarks=[_watermark(row) for row in last.values()],
                heads=[(unit, row.device, row.id) for unit, row in last.items()],
                tails=[(unit, row.id) for unit, row in last.items()],
            )
        )


def make_row(number: int, devices: int) -> EventRow:
    """Make the event of that id."""
    device, seq = number % devices, (number + devices - 1) // devices
    at = _START + timedelta(milliseconds=number)
    event = StatusEvent(
        seq=seq,
        at=at,
        clock="gnss",
        boot=1,
        mono_ms=number,
        mode="live",
        unit=unit_name(device),
        scheme=SCHEME,
        code="4",
        by="panel",
    )
    return EventRow(
        id=number,
        device=device_name(device),
        stream=f"E{device:05d}-old",
        queue="status",
        seq=seq,
        kind="status",
        unit=event.unit,
        mode="live",
        at=at,
        received_at=at,
        corrected_at=at,
        proven=True,
        prev=number - devices if number > devices else None,
        body=codec.encode(event),
    )


def _watermark(row: EventRow) -> Watermark:
    return Watermark(
        device=row.device,
        stream=row.stream,
        queue="status",
        ordinal=1,
        through=row.seq,
        digest=genesis(row.stream, "status"),
        corrected_at=row.corrected_at,
    )


async def serve(folder: Path, port: int, devices: int) -> None:
    """Run ingest until terminated."""
    clock = SystemClock()
    ledger, telemetry = open_ledger(folder), DuckTelemetry.open(folder / "telemetry")
    term = ledger.record_start(clock.now(), int(clock.now().timestamp()), "benchmark")
    ingest = Ingest(InForce(make_directory(devices)), ledger, telemetry, clock=clock, owner_term=term)

    def connect(on_messages: Callable[[Messages], None]) -> Subscriber:
        return Subscriber("127.0.0.1", port, clock=clock, on_messages=on_messages)

    running = asyncio.ensure_future(ingest.run(connect, lambda: print("ready", flush=True)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        print(f"{dict(ingest.acceptor.counts)}", file=sys.stderr)
    finally:
        telemetry.close()
        ledger.close()


def main() -> None:
    """Run one or the other."""
    folder, what, devices = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if what == "fill":
        fill(open_ledger(folder), devices, int(sys.argv[4]))
    else:
        asyncio.run(serve(folder, int(what), devices))


if __name__ == "__main__":
    main()
