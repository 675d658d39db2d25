"""A process of its own: vehicles that come back after days, each a real outbox and the production link.

`python -m benchmarks.returning FOLDER PORT FIRST COUNT HOURS` writes the outboxes of that many devices, prints `ready`,
waits for a line, connects them all, and prints `drained` once the cloud has settled everything. What a device kept:
40 presses a day (120 in 72 hours), and its positions by the packaged reporting rules: every 60 s parked, and every 5 s
in 8 of 72 hours on the road, which comes to 9,600.
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.processes import SCHEME
from benchmarks.spoken import CODES, ORG, device_name, enrolment, unit_name
from cloud.clock import SystemClock
from edge_agent.link import Address, Description, Link
from edge_agent.outbox import OutboxKeeper, OutboxLimits
from edge_agent.outbox.file import Draft, OutboxFile
from edge_agent.state.delivery import DeliveryRules
from wire.events import PositionEvent, StatusEvent

PRESSES_A_DAY = 40
PARKED_S, MOVING_S = 60, 5
ON_THE_ROAD = 8 / 72
DRIVE_S = 1_200
ROWS_AT_ONCE = 2_000
LIMITS = OutboxLimits(track_max_rows=1_000_000, reserve_kib=64)
RULES = DeliveryRules(heartbeat_s=5.0, settle_timeout_s=10.0)
_clock = SystemClock()


def presses(hours: float) -> int:
    """Give how many presses a device has kept."""
    return round(hours / 24 * PRESSES_A_DAY)


def report_times_s(hours: float) -> Iterator[int]:
    """Give the moments of a device's positions: it drives twenty minutes, then stands until its share is kept."""
    at_s, cycle_s = 0, round(DRIVE_S / ON_THE_ROAD)
    while at_s < hours * 3600:
        yield at_s
        at_s += MOVING_S if at_s % cycle_s < DRIVE_S else PARKED_S


def write_outbox(folder: Path, number: int, hours: float) -> None:
    """Write the outbox of a device that was cut off so many hours ago."""
    folder.mkdir(parents=True)
    start = _clock.now() - timedelta(hours=hours)
    count = presses(hours)
    outbox = OutboxFile(folder / "outbox.db", enrolment(number))
    step_s = hours * 3600 / max(1, count)
    outbox.append("status", [_status(start, number, int(place * step_s), place) for place in range(count)])
    drafts = (_position(start, number, at_s) for at_s in report_times_s(hours))
    while group := list(islice(drafts, ROWS_AT_ONCE)):
        outbox.append("track", group)
    outbox.close()


def _status(start: datetime, number: int, at_s: int, place: int) -> Draft:
    at, code = start + timedelta(seconds=at_s), CODES[place % len(CODES)]
    return partial(
        StatusEvent,
        at=at,
        clock="gnss",
        boot=1,
        mono_ms=at_s * 1000,
        mode="live",
        unit=unit_name(number),
        scheme=SCHEME,
        code=code,
        by="panel",
    )


def _position(start: datetime, number: int, at_s: int) -> Draft:
    at = start + timedelta(seconds=at_s)
    return partial(
        PositionEvent,
        at=at,
        clock="gnss",
        boot=1,
        mono_ms=at_s * 1000,
        mode="live",
        fix="3d",
        lat=51.2 + number * 0.001,
        lon=0.5 + at_s * 0.000001,
        speed_mps=13.0,
        heading_deg=90.0,
        altitude_m=30.0,
        accuracy_m=5.0,
        satellites=9,
        gnss_time=at,
    )


class Vehicle:
    """One device that comes back."""

    def __init__(self, folder: Path, number: int, port: int) -> None:
        """Open its outbox."""
        self._keeper = OutboxKeeper(folder, enrolment(number), LIMITS, frozenset())
        device = device_name(number)
        address = Address(host="127.0.0.1", port=port, keepalive_s=30, organisation=ORG, device=device)
        self._link = Link(address, RULES, keeper=self._keeper, clock=_clock)

    @property
    def waiting(self) -> int:
        """How much is not settled yet."""
        return self._keeper.depth.status + self._keeper.depth.track

    async def run(self) -> None:
        """Speak until cancelled."""
        try:
            await self._link.run(_describe, lambda _word: None, random.random)
        finally:
            await self._keeper.close()


def _describe() -> Description:
    return Description(
        interval_s=RULES.heartbeat_s, clock="gnss", faults=(), position=None, software="bench", config_hash="bench"
    )


async def run(folder: Path, port: int, numbers: range, hours: float) -> None:
    """Write the outboxes, wait for the word, and let everyone come back at once."""
    for number in numbers:
        write_outbox(folder / device_name(number), number, hours)
    vehicles = [Vehicle(folder / device_name(number), number, port) for number in numbers]
    print("ready", sum(vehicle.waiting for vehicle in vehicles), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    tasks = [asyncio.ensure_future(vehicle.run()) for vehicle in vehicles]
    while any(vehicle.waiting for vehicle in vehicles):
        await _clock.sleep(0.2)
    print("drained", flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    _, place, broker_port, first, count, cut_off_h = sys.argv
    asyncio.run(run(Path(place), int(broker_port), range(int(first), int(first) + int(count)), float(cut_off_h)))
