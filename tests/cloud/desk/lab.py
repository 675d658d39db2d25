"""A desk on a real ledger, with a clock that the test moves, and devices that answer when the test says so."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cloud.clock import SystemClock
from cloud.desk import Desk, Minted, Placed, Ports
from cloud.directory import Directory, InForce
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.ledger import Commit, EventRow, Ledger
from tests.cloud.dispatch.samples import ORDER, STATION, request
from tests.cloud.fleet.samples import COUNTY, NOON
from tests.cloud.ledger.samples import open_in
from wire import codec
from wire.events import Event
from wire.feed import Assignment, OrderView
from wire.messages import Command

_REAL = SystemClock()
TERM = 77
OTHER = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a0cccc"
STATION_ROWS = f"""
[[device]]
id = "{STATION}"
organisation = "kf"
enrolment = "E14"
units = ["kf-1", "kp-12"]
"""
STATION_COUNTY = (
    COUNTY.replace('name = "Stn 14 shared"', f'name = "Stn 14 shared"\ndevice = "{STATION}"') + STATION_ROWS
)


@cache
def station_county() -> Directory:
    """The county of the samples, whose shared station has a device that speaks for both services' units."""
    directory = build({"county.toml": STATION_COUNTY}, read_packaged(), {})
    assert isinstance(directory, Directory), directory
    return directory


class HandClock:
    """A clock that goes where the test moves it; whoever waits on it lets others run for a moment.

    A moment, and not only a turn: a loop that never rests starves the threads that write.
    """

    def __init__(self) -> None:
        """It is noon."""
        self.moved_s = 0.0

    def now(self) -> datetime:
        """Wall time."""
        return NOON + timedelta(seconds=self.moved_s)

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return 1_000.0 + self.moved_s

    async def sleep(self, duration_s: float) -> None:
        """Let others run."""
        await _REAL.sleep(0.001)


class Said(msgspec.Struct, frozen=True):
    """An event as ingest hands it on."""

    device: str
    row: EventRow
    event: Event
    live: bool = False


@dataclass
class Lab:
    """A desk and everything around it."""

    folder: Path
    clock: HandClock
    ledger: Ledger
    term: int = TERM

    def __post_init__(self) -> None:
        """Begin with no device heard."""
        self.commands: list[tuple[str, Command]] = []
        """What was published, with its topic."""
        self.nonces: dict[str, Minted] = {}
        self.shown: dict[str, OrderView] = {}
        self.assigned: dict[str, tuple[Assignment | None, int]] = {}
        self.broker = True
        self.in_force = InForce(station_county())
        self._ids = itertools.count(self.ledger.load().next_event_id)
        ports = Ports(publish=self._publish, nonce_of=self.nonces.get, show=self._show, assign=self._assign)
        self.desk = Desk(self.in_force, self.ledger, ports, clock=self.clock, owner_term=self.term)

    def hear(self, *devices: str) -> None:
        """Devices' heartbeats bring nonces, minted just now."""
        for device in devices:
            self.nonces[device] = Minted(f"{device}-{self.clock.moved_s}", self.clock.monotonic())

    def store(self, device: str, event: Event, **changes: Any) -> Said:
        """Have ingest commit an event, and not yet hand it on."""
        now = self.clock.now()
        fields: dict[str, Any] = {
            "id": next(self._ids),
            "device": device,
            "stream": "E-a",
            "queue": "status",
            "seq": event.seq,
            "kind": str(event.__struct_config__.tag),
            "unit": None,
            "mode": event.mode,
            "at": event.at,
            "received_at": now,
            "corrected_at": now,
            "proven": True,
            "prev": None,
            "body": codec.encode(event),
        }
        row = EventRow(**fields | changes)
        self.ledger.commit(Commit(events=[row]))
        return Said(device, row, event)

    def tell(self, device: str, *events: Event, **changes: Any) -> None:
        """Have ingest commit events and hand them on."""
        self.desk.on_events([self.store(device, event, **changes) for event in events])

    def wait(self, duration_s: float) -> None:
        """Let time pass at once."""
        self.clock.moved_s += duration_s
        self.desk.step()

    def sent(self) -> list[tuple[str, int, str]]:
        """What was published since the last call: to which device, which revision, with which nonce."""
        commands, self.commands = self.commands, []
        return [(topic.split("/")[4], command.revision, command.nonce) for topic, command in commands]

    def _publish(self, topic: str, payload: bytes) -> bool:
        command = codec.decode_down(payload)
        assert isinstance(command, Command)
        if self.broker:
            self.commands.append((topic, command))
        return self.broker

    def _show(self, orders: tuple[OrderView, ...]) -> None:
        self.shown |= {order.order: order for order in orders}

    def _assign(self, unit: str, assignment: Assignment | None, version: int) -> None:
        self.assigned[unit] = assignment, version


@contextlib.asynccontextmanager
async def working(folder: Path, *, term: int = TERM, clock: HandClock | None = None) -> AsyncIterator[Lab]:
    """A desk on the ledger in `folder`: do it again, and it goes on. Nothing runs by itself."""
    ledger = open_in(folder)
    try:
        yield Lab(folder, clock or HandClock(), ledger, term)
    finally:
        ledger.close()


@contextlib.asynccontextmanager
async def writing(lab: Lab) -> AsyncIterator[None]:
    """Let the desk run: it keeps what it is told."""
    task = asyncio.create_task(lab.desk.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def on_a_desk(folder: Path, scenario: Callable[[Lab], Awaitable[None]]) -> None:
    """Run a scenario on a fresh desk."""

    async def run() -> None:
        async with working(folder) as lab:
            await scenario(lab)

    asyncio.run(run())


async def put(lab: Lab, order_id: str = ORDER, **changes: object) -> OrderView:
    """Give an order that is new."""
    answer = await lab.desk.put(order_id, request(**changes))
    assert isinstance(answer, Placed) and answer.new, answer
    return answer.view
