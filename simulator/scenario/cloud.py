"""The cloud: the real ingest, fleet and feed as one process, on a real ledger."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from cloud.desk import Desk, Minted, Ports
from cloud.directory import Directory, InForce
from cloud.feeds import Feed
from cloud.ingest.ingest import Ingest
from cloud.ledger import Ledger
from cloud.telemetry import InputRow, Owned, PositionRow
from simulator.scenario.clock import MachineClock, elapse
from simulator.scenario.machine import START, no_room
from simulator.scenario.network import CloudLine, Weather
from simulator.scenario.stage import Stage
from simulator.scenario.virtual import Process
from wire.feed import Assignment, FeedRecord, OrderView

TICK_S = 0.5
START_S = (0.5, 4.0)
"""How long a process takes to start."""


class KeptTracks:
    """A telemetry store in memory that outlives the process, as a disk does."""

    def __init__(self) -> None:
        """Empty."""
        self.positions: list[PositionRow] = []

    def append(self, positions: Sequence[PositionRow], inputs: Sequence[InputRow]) -> None:
        """Keep them."""
        self.positions += positions

    def latest(self) -> list[PositionRow]:
        """Where each device is."""
        newest: dict[str, list[PositionRow]] = {}
        for row in sorted(self.positions, key=lambda row: (row.corrected_at, row.seq)):
            placed = [one for one in newest.get(row.device, []) if one.fix != "none"]
            newest[row.device] = [row] if row.fix != "none" or not placed else [row, placed[-1]]
        return [row for device in sorted(newest) for row in newest[device]]

    def series(self, unit: str, since: datetime, until: datetime, limit: int) -> list[PositionRow]:
        """Nobody asks in a scenario."""
        return []

    def inputs_of_unit(self, unit: str, name: str, since: datetime, until: datetime, limit: int) -> list[InputRow]:
        """Nobody asks in a scenario."""
        return []

    def inputs_of_device(self, device: str, name: str, since: datetime, until: datetime, limit: int) -> list[InputRow]:
        """Nobody asks in a scenario."""
        return []

    def days(self) -> list[date]:
        """Nothing is old in a scenario."""
        return []

    def forget(self, day: date, positions: Owned, inputs: Owned) -> int:
        """Nothing is old in a scenario."""
        return 0

    def drop_before(self, day: date) -> None:
        """Nothing is old in a scenario."""

    def close(self) -> None:
        """Nothing to let go of."""


class Cloud:
    """The cloud's disk, and the process that serves from it."""

    def __init__(self, directory: Directory, empty_ledger: bytes, stage: Stage, chance: Random) -> None:
        """Begin with an empty ledger, switched off."""
        self._directory, self._chance = directory, chance
        self._loop, self._broker, self._story, self._root = stage
        self._lives = 0
        self.folder = self._root / "cloud-0"
        self.folder.mkdir(parents=True)
        (self.folder / "ledger.db").write_bytes(empty_ledger)
        self.tracks = KeptTracks()
        self.weather = Weather(delay_s=(0.0005, 0.005))
        self.process: Process | None = None
        self.ingest: Ingest | None = None
        self.full = False
        self.starts = 0
        self.restores = 0
        self.on_disk: Callable[[], None] = lambda: None
        self.on_died: Callable[[BaseException | None], None] = lambda error: None
        self.on_start: Callable[[], None] = lambda: None
        self.has_desk = False
        """Whether it has orders in hand. Most scenarios have none, and save the time."""
        self.desk: Desk | None = None
        self.on_orders: Callable[[tuple[OrderView, ...]], None] = lambda orders: None
        self.on_feed: Callable[[tuple[FeedRecord, ...], float], None] = lambda records, now_s: None

    @property
    def running(self) -> bool:
        """Whether it serves."""
        return self.process is not None and self.process.alive

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "ledger.db"

    def start(self) -> None:
        """Start the process."""
        if self.running:
            return
        self.starts += 1
        process = Process("cloud", self._loop, self._chance, self._story)
        process.around_job = self._write
        process.after_job = self.on_disk
        process.on_end = self.on_died
        self.process = process
        self._story.tell("cloud", "starts")
        self.on_start()
        process.start(self._serve)

    def kill(self) -> None:
        """Kill the process."""
        if self.process is None or not self.process.alive:
            return
        self._story.tell("cloud", "is killed")
        self._leave(self.folder, self.tracks.positions)
        self.process.kill()
        self.on_disk()

    def back_up(self) -> Callable[[], None]:
        """Keep a copy of the stores. Gives what restores it, to be called while the process is dead."""
        kept = self._root / f"backup-{self._lives}"
        _copy_ledger(self.folder, kept)
        positions = list(self.tracks.positions)
        return lambda: self._restore(kept, positions)

    def _restore(self, kept: Path, positions: list[PositionRow]) -> None:
        self._story.tell("cloud", "is restored from a backup")
        self.restores += 1
        self._leave(kept, positions)
        self.on_disk()

    def _leave(self, folder: Path, positions: list[PositionRow]) -> None:
        """Go on with a copy of a folder; what still writes to the old one is dead."""
        self._lives += 1
        fresh = self._root / f"cloud-{self._lives}"
        _copy_ledger(folder, fresh)
        self.folder = fresh
        shutil.rmtree(self._root / f"cloud-{self._lives - 2}", ignore_errors=True)  # its process is long gone
        tracks = KeptTracks()
        tracks.positions = list(positions)
        self.tracks = tracks

    def _write(self, job: Callable[[], Any]) -> Any:
        if not self.full:
            return job()
        with no_room():
            return job()

    async def _serve(self) -> None:
        process = self.process
        assert process is not None
        clock = MachineClock(self._loop, START, booted_mono_s=self._chance.randrange(1_000_000) / 1.0)
        ledger = Ledger.open(f"sqlite:///{self.ledger}")
        try:
            term = ledger.record_start(clock.now(), int(clock.now().timestamp()), "scenario")
            ingest = Ingest(InForce(self._directory), ledger, self.tracks, clock=clock, owner_term=term)
            self.ingest = ingest
            feed = Feed(ingest.fleet, epoch="e", owner_term=term, tick_ms=500, now=ingest.moment())
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(
                    ingest.run(lambda receive: CloudLine(self._broker, self.weather, process, receive), lambda: None)
                )
                tasks.create_task(self._show(feed, ingest))
                if self.has_desk:
                    self.desk = Desk(ingest.in_force, ledger, self._ports(ingest), clock=clock, owner_term=term)
                    ingest.on_events = self.desk.on_events
                    tasks.create_task(self.desk.run())
        finally:
            ledger.close()

    def _ports(self, ingest: Ingest) -> Ports:
        def nonce_of(device: str) -> Minted | None:
            known = ingest.nonces.get(device)
            return None if known is None else Minted(known.nonce, known.received.mono_s)

        def publish(topic: str, payload: bytes) -> bool:
            ingest.publish(topic, payload)
            return True

        def assign(unit: str, assignment: Assignment | None, version: int) -> None:
            ingest.fleet.assign(unit, assignment, version, ingest.moment())

        return Ports(publish=publish, nonce_of=nonce_of, show=lambda orders: self.on_orders(orders), assign=assign)

    async def _show(self, feed: Feed, ingest: Ingest) -> None:
        """Speak to a control room, which sees what changes and lets the rest age."""
        self.on_feed(feed.records(ingest.moment()), self._loop.time())
        while True:
            await elapse(TICK_S)
            event = feed.tick(ingest.moment())
            if event is not None and b"\nevent: changes\n" in event:
                data = event.partition(b"\ndata: ")[2]
                records = _decode(data.rstrip()).records
                self.on_feed(records, self._loop.time())
            else:
                self.on_feed((), self._loop.time())


class _Records(msgspec.Struct):
    records: tuple[FeedRecord, ...]


_decode = msgspec.json.Decoder(_Records).decode


def _copy_ledger(old: Path, new: Path) -> None:
    new.mkdir(exist_ok=True)
    for name in ("ledger.db", "ledger.db-wal"):
        if (old / name).exists():
            shutil.copyfile(old / name, new / name)
