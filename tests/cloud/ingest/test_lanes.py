"""The two lanes on real stores: what commits together, what waits for what, and what a failing disk costs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cloud.clock import SystemClock
from cloud.directory import InForce
from cloud.errors import Fatal
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.ingest.acceptor import Acceptor
from cloud.ingest.book import Book
from cloud.ingest.folding import Folding
from cloud.ingest.lanes import STATUS_GROUP_MAX, Committer, StatusLane, TrackLane
from cloud.ingest.marks import Key
from cloud.ledger import Commit, Ledger, opening
from cloud.telemetry import DuckTelemetry
from tests.cloud.fleet.samples import NOON, county, fleet
from tests.cloud.ingest.samples import Vehicle
from tests.cloud.ledger.samples import open_in, press
from tests.cloud.ledger.small_disk import fill, small_disk
from tests.waiting import eventually
from wire import codec
from wire.messages import QueueSettle, Settle

KEY: Key = ("veh-2", "E2-a", "status")
BIG = "r" * 400
"""Remarks that fill a small disk sooner."""


class Brisk(SystemClock):
    """The system's clock with short pauses, so that waiting out a disk does not take seconds."""

    async def sleep(self, duration_s: float) -> None:
        """Wait for a fiftieth of it."""
        await super().sleep(duration_s / 50)


class Lanes:
    """Both lanes at work between an acceptor and real stores."""

    def __init__(self, ledger: Ledger, telemetry: DuckTelemetry) -> None:
        """Start from what the ledger holds."""
        self.clock = Brisk()
        self.ledger, self.telemetry = ledger, telemetry
        self.fleet: Fleet = fleet()
        self.in_force = InForce(county())
        self.acceptor = Acceptor(self.in_force, self.fleet, [], owner_term=1)
        self.book = Book(ledger.load(), self.in_force, self.fleet)
        self.folding = Folding(self.fleet, self.acceptor.privacy)
        self.status_committer = Committer("ledger", self.clock)
        self.track_committer = Committer("telemetry", self.clock)
        self.status = StatusLane(self.acceptor, self.book, self.fleet, self.folding)
        self.track = TrackLane(self.acceptor, self.fleet, self.in_force)
        self.settled: list[QueueSettle] = []
        self.store: Callable[[Commit], None] = ledger.commit

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.status.run(self.status_committer, self._store, self._flush, self.clock))
            tasks.create_task(
                self.track.run(self.track_committer, self.telemetry.append, self.status.wake.set, self.clock)
            )

    def moment(self) -> Moment:
        """Now, on both clocks."""
        return Moment(self.clock.now(), self.clock.monotonic())

    def receive(self, vehicle: Vehicle, first: int = 1, last: int | None = None) -> None:
        """Take an envelope in, as ingest does."""
        self.acceptor.receive(vehicle.topic, vehicle.envelope(first, last), self.moment())
        if self.acceptor.status:
            self.status.wake.set()
        self._flush()

    def through(self, vehicle: Vehicle) -> int:
        """How far a vehicle's queue was settled."""
        mine = [one.through for one in self.settled if (one.stream, one.queue) == (vehicle.stream, vehicle.queue)]
        return max(mine, default=0)

    def close(self) -> None:
        """Wait for the commits in flight."""
        self.status_committer.close()
        self.track_committer.close()

    def _store(self, commit: Commit) -> None:
        self.store(commit)

    def _flush(self) -> None:
        for message in self.acceptor.outgoing:
            said = codec.decode_down(message.payload)
            if isinstance(said, Settle):
                self.settled += said.queues
        self.acceptor.outgoing.clear()


@contextlib.contextmanager
def stores(ledger_in: Path, telemetry_in: Path) -> Iterator[tuple[Ledger, DuckTelemetry]]:
    """Both stores, open."""
    with contextlib.closing(open_in(ledger_in)) as ledger:
        with contextlib.closing(DuckTelemetry.open(telemetry_in / "telemetry")) as telemetry:
            yield ledger, telemetry


@contextlib.asynccontextmanager
async def working(ledger: Ledger, telemetry: DuckTelemetry) -> AsyncIterator[Lanes]:
    """Both lanes in the background."""
    lanes = Lanes(ledger, telemetry)
    task = asyncio.create_task(lanes.run())
    try:
        yield lanes
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        lanes.close()


def vehicles(count: int) -> list[Vehicle]:
    """As many streams, each with one press."""
    made = [Vehicle(f"E2-{number}") for number in range(count)]
    for vehicle in made:
        vehicle.press()
    return made


def test_what_gathers_while_a_commit_runs_is_the_next_commit(tmp_path: Path) -> None:
    """One press commits alone; the forty that came while it ran commit together, and every one is settled."""

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            first, *others = vehicles(41)
            with holding(tmp_path):
                lanes.receive(first)
                await eventually(lambda: not lanes.acceptor.status, what="the first is in flight")
                for vehicle in others:
                    lanes.receive(vehicle)
                assert [] == lanes.settled
            await eventually(lambda: all(map(lanes.through, others)), what="all settled")
            assert (2, 1) == (lanes.status_committer.commits, lanes.through(first))

    with stores(tmp_path, tmp_path) as (ledger, telemetry):
        asyncio.run(scenario())
        assert 41 == ledger.counts().last_event_id


def test_a_group_is_bounded(tmp_path: Path) -> None:
    """However much waits, one commit takes about so many events: the first to come is not held up by the last."""
    sizes: list[int] = []

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            lanes.store = store
            vehicle = Vehicle()
            for _ in range(60):
                for _ in range(20):
                    last = vehicle.press()
                lanes.receive(vehicle, last - 19, last)
            await eventually(lambda: lanes.through(vehicle) == 1_200, what="all settled")

    def store(commit: Commit) -> None:
        sizes.append(len(commit.events))
        ledger.commit(commit)

    with stores(tmp_path, tmp_path) as (ledger, telemetry):
        asyncio.run(scenario())
    assert (1_200, STATUS_GROUP_MAX) == (sum(sizes), max(sizes))


@contextlib.contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Another program writes to the ledger and does not let go."""
    with contextlib.closing(open_in(folder)) as other, other._writing() as connection:
        connection.exec_driver_sql("UPDATE counter SET value = value")
        yield


def test_a_ledger_that_is_held_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger fails, nothing is settled and it is told once; then everything is, and that is told once."""
    monkeypatch.setattr(opening, "_SETTINGS", opening._SETTINGS | {"busy_timeout": (50, 50)})

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            every = vehicles(10)
            with holding(tmp_path):
                for vehicle in every:
                    lanes.receive(vehicle)
                await eventually(lambda: lanes.status_committer.failing, what="the failure")
                tried = lanes.clock.monotonic()
                await eventually(lambda: lanes.clock.monotonic() > tried + 0.3, what="a few more tries")
                assert ([], 0) == (lanes.settled, lanes.status_committer.commits)
                assert lanes.fleet.standing("kp-12") is None
            await eventually(lambda: all(map(lanes.through, every)), what="all settled")
            assert not lanes.status_committer.failing

    with stores(tmp_path, tmp_path) as (ledger, telemetry), capture_logs() as logs:
        asyncio.run(scenario())
        assert 10 == ledger.counts().last_event_id
    assert [("store_broke", "ledger"), ("store_healed", "ledger")] == [(one["event"], one["store"]) for one in logs]


def test_a_full_disk_settles_nothing_and_loses_nothing(tmp_path: Path) -> None:
    """Presses that do not fit are neither settled nor shown; once there is room they all are, in order."""

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            vehicle = Vehicle()
            vehicle.press()
            lanes.receive(vehicle)
            await eventually(lambda: lanes.through(vehicle) == 1, what="the first settled")
            filler = fill(disk, leave_bytes=32 * 1024)
            for seq in range(2, 202):
                vehicle.press("8", remarks=BIG)
                lanes.receive(vehicle, seq, seq)
            await eventually(lambda: lanes.status_committer.failing, what="a full disk")
            known = lanes.through(vehicle)
            assert known < 201
            head = lanes.fleet.standing("kp-12")
            assert head is not None and head.seq == known == lanes.acceptor.committed[KEY].through
            filler.unlink()
            await eventually(lambda: lanes.through(vehicle) == 201, what="all settled")
            assert [row.seq for row in ledger.events_of("kp-12", None, 1_000)] == list(range(201, 0, -1))

    with small_disk(tmp_path / "disk", 2048) as disk, stores(disk, tmp_path) as (ledger, telemetry):
        with capture_logs() as logs:
            asyncio.run(scenario())
        assert ["store_broke", "store_healed"] == [one["event"] for one in logs]


def test_status_goes_on_while_telemetry_fails(tmp_path: Path) -> None:
    """With telemetry's disk full a press is stored and settled; positions are settled only when they are stored."""

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            pressed, measured = Vehicle(), Vehicle(queue="track")
            filler = fill(disk)
            for seq in range(1, 41):
                measured.measure(at=NOON, lat=51.0 + seq / 1000)
                lanes.receive(measured, seq, seq)
            await eventually(lambda: lanes.track_committer.failing, what="a full disk")
            pressed.press()
            lanes.receive(pressed)
            await eventually(lambda: lanes.through(pressed) == 1, what="the press settled")
            assert 0 == lanes.through(measured)
            assert ("veh-2", "E2-a", "track") not in lanes.acceptor.committed
            filler.unlink()
            await eventually(lambda: lanes.through(measured) == 40, what="the track settled", deadline_s=20)

    with small_disk(tmp_path / "disk", 8192) as disk, stores(tmp_path, disk) as (ledger, telemetry):
        with capture_logs() as logs:
            asyncio.run(scenario())
        assert 40 == _stored(telemetry)
    assert [("store_broke", "telemetry"), ("store_healed", "telemetry")] == [
        (one["event"], one["store"]) for one in logs
    ]


def test_a_track_watermark_follows_its_positions(tmp_path: Path) -> None:
    """Whenever the ledger takes a watermark of the track, telemetry holds every position up to it."""
    ahead: list[tuple[int, int]] = []

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            lanes.store = store
            measured = Vehicle(queue="track")
            for seq in range(1, 101):
                measured.measure()
                lanes.receive(measured, seq, seq)
                await asyncio.sleep(0)
            await eventually(lambda: lanes.through(measured) == 100, what="the track settled")

    def store(commit: Commit) -> None:
        through = max((mark.through for mark in commit.watermarks if mark.queue == "track"), default=0)
        ahead.append((through, _stored(telemetry)))
        ledger.commit(commit)

    with stores(tmp_path, tmp_path) as (ledger, telemetry):
        asyncio.run(scenario())
    assert ahead[-1] == (100, 100)
    assert all(through <= stored for through, stored in ahead)


def test_a_ledger_that_another_wrote_to_ends_the_lane(tmp_path: Path) -> None:
    """What no retry can mend is raised at once: the process ends rather than settle what is not its own."""

    async def scenario() -> None:
        lanes = Lanes(ledger, telemetry)
        with contextlib.closing(open_in(tmp_path)) as other:
            other.commit(press(1, None))
        lanes.receive(vehicles(1)[0])
        try:
            with pytest.raises(ExceptionGroup) as raised:
                await asyncio.wait_for(lanes.run(), 10)
        finally:
            lanes.close()
        assert raised.group_contains(Fatal, match="stop whatever else writes to it")
        assert [] == lanes.settled

    with stores(tmp_path, tmp_path) as (ledger, telemetry):
        asyncio.run(scenario())


def _stored(telemetry: DuckTelemetry) -> int:
    return len(telemetry.series("kp-12", NOON.replace(year=1), NOON.replace(year=9999), 1_000))
