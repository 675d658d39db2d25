"""A real bus of the data drives a vehicle: every fix that it reported is in the stored track, and nothing else."""

import asyncio
import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import zip_longest
from pathlib import Path

from edge_agent.agent import Agent
from edge_agent.clock import SystemClock
from simulator.receiver import Receiver
from simulator.vehicle import Fix as Seen
from tests.brokers import RunningBroker
from tests.endtoend.test_real_receivers import STORED_S, stored_track
from tests.site import UNIT, running_agent, running_site, write_device, write_directory
from tests.waiting import eventually

BUS = "4720"
FIXES = 278
"""As the data's own page says."""
DEGREES_TOLERANCE = 1e-9
"""Positions travel as decimal text; nothing may be rounded off on the way."""
POLL_S = 0.002
SILENT_AFTER_S = 60.0
BREAK_ENDS = timedelta(seconds=60)
"""In what is left of the break the agent comes back: it waits 15 s at most between two attempts."""
STEP = timedelta(seconds=0.05)
"""The source closes an epoch 0.3 s after its last report; the bus's fixes are at least a second apart."""


class SteppedClock:
    """A device's clocks that stand until they are set forward: hours pass in seconds, and none between two fixes."""

    def __init__(self, start: datetime) -> None:
        """Begin at `start`."""
        self._start, self._elapsed_s = start, 0.0

    def set(self, moment: datetime) -> None:
        """Go forward to `moment`."""
        self._elapsed_s = (moment - self._start).total_seconds()

    def now(self) -> datetime:
        """Wall time."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self._elapsed_s

    async def sleep(self, duration_s: float) -> None:
        """Wait until the clock has been set far enough forward."""
        until_s = self._elapsed_s + duration_s
        while True:
            await SystemClock().sleep(POLL_S)
            if self._elapsed_s >= until_s:
                return


@dataclass(frozen=True)
class Row:
    """One fix of the bus."""

    at: datetime
    lat: float
    lon: float
    heading_deg: float


class Bus:
    """Where the bus is."""

    def __init__(self, row: Row) -> None:
        """Stand at the first fix."""
        self.row = row

    def observe(self, _: datetime) -> Seen:
        """What its receiver says."""
        return Seen(self.row.lat, self.row.lon, 5.0, self.row.heading_deg)


def read_bus(real_data: Path) -> list[Row]:
    """The bus's fixes, in order of time."""
    with (real_data / "avl" / "liverpool_bus_route14_outbound.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["vehicle_id"] == BUS]
    return [
        Row(
            datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC),
            float(row["latitude"]),
            float(row["longitude"]),
            float(row["bearing"] or 0) % 360,
        )
        for row in rows
    ]


def test_the_stored_track_of_a_real_bus_equals_its_input(
    shared_nats: RunningBroker, real_data: Path, tmp_path: Path
) -> None:
    """Two hours of a bus under an accelerated clock: each fix is stored once, in order, where and when it was."""
    rows = read_bus(real_data)
    assert len(rows) == FIXES

    async def scenario() -> None:
        clock = SteppedClock(rows[0].at)
        bus = Bus(rows[0])
        receiver = Receiver(bus.observe, clock=clock)
        directory = write_directory(tmp_path / "directory")
        async with (
            receiver,
            running_site(tmp_path / "data", broker_port=shared_nats.port, directory=directory) as app,
        ):
            config = write_device(
                tmp_path / "device", broker=shared_nats.url, gpsd=(receiver.port, SILENT_AFTER_S), every_fix=True
            )
            async with running_agent(config, clock) as agent:
                await eventually(lambda: receiver.watchers > 0, what="a watch")
                for row, after in zip_longest(rows, rows[1:]):
                    if (row.at - clock.now()).total_seconds() > SILENT_AFTER_S:
                        await be_silent(clock, agent, receiver, row.at)
                    clock.set(row.at)
                    bus.row = row
                    receiver.tick()
                    seen = partial(has_seen, agent, row, clock, after.at if after else None)
                    await eventually(seen, what=f"the fix of {row.at}")
                await eventually(lambda: step(clock) and agent.is_settled, what="all settled", deadline_s=STORED_S)
                fixes = [fix for fix in await stored_track(app.address, UNIT) if fix.mode != "none"]
        assert [row.at for row in rows] == [fix.gnss_time for fix in fixes]
        for row, fix in zip(rows, fixes, strict=True):
            assert fix.lat is not None and abs(fix.lat - row.lat) < DEGREES_TOLERANCE
            assert fix.lon is not None and abs(fix.lon - row.lon) < DEGREES_TOLERANCE

    asyncio.run(scenario())


async def be_silent(clock: SteppedClock, agent: Agent, receiver: Receiver, until: datetime) -> None:
    """Let the bus's long break pass: the agent says that it has no fix, drops the connection and watches anew."""
    clock.set(until - BREAK_ENDS)
    await eventually(lambda: step(clock) and agent.newest_gnss_time is None, what="no fix after a long silence")
    await eventually(lambda: step(clock) and receiver.watchers == 0, what="the connection given up")
    await eventually(lambda: step(clock) and receiver.watchers == 1, what="a new watch")
    assert clock.now() < until


def has_seen(agent: Agent, row: Row, clock: SteppedClock, before: datetime | None) -> bool:
    """Whether the agent has taken this fix in. Lets the device's time go on, but not to the next fix."""
    if before is None or clock.now() + STEP < before:
        clock.set(clock.now() + STEP)
    return agent.newest_gnss_time == row.at


def step(clock: SteppedClock) -> bool:
    """Let the device's time go on while the test waits."""
    clock.set(clock.now() + STEP)
    return True
