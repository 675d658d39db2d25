"""The scenario's cloud with a memory: recorder, board log and frames, and a client that follows the feed's bytes."""

import asyncio
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cloud.connections import connect_memory
from cloud.directory import Directory, load
from cloud.feeds import Feed
from cloud.ingest.ingest import Ingest
from cloud.ledger import Ledger
from cloud.memory import Recorder
from cloud.telemetry import DuckFrames, PositionRow
from simulator.scenario.clock import MachineClock, elapse
from simulator.scenario.cloud import TICK_S, Cloud
from simulator.scenario.machine import START
from simulator.scenario.showing import Showing
from wire.feed import FeedRecord

_HEAD = """
[[organisation]]
id = "kf"
name = "Weald Fire and Rescue"
service = "fire"
[[base]]
id = "stn"
name = "{0}"
"""
_UNIT = """
[[unit]]
id = "unit-{0}"
callsign = "U{0}"
organisation = "kf"
type = "pump"
base = "stn"
scheme = "uk-fire-gd92"
carrier = "veh-{0}"
[[device]]
id = "veh-{0}"
organisation = "kf"
enrolment = "V{0}"
"""
_VARIANTS = (("Stn", (1, 2, 3, 4)), ("Stn North", (1, 2, 3, 4)), ("Stn North", (1, 2, 4)))
"""Nobody is in the fourth vehicle: its unit is never heard."""


class Life(msgspec.Struct):
    """One process of the cloud, as its client saw it."""

    since_s: float
    """Its first tick."""
    until_s: float = 0.0
    """Its last one, or a tick after."""
    kept_s: float = 0.0
    """Up to when what it showed was kept at the least: until it ended, but for a full disk."""


class _Event(msgspec.Struct):
    records: tuple[FeedRecord, ...] = ()
    part: int = 0
    parts: int = 0


_decode = msgspec.json.Decoder(_Event).decode


@cache
def directories() -> tuple[Directory, ...]:
    """The county, then with another name for its base, then without its third unit."""
    made = []
    for base, units in _VARIANTS:
        with tempfile.TemporaryDirectory() as name:
            text = _HEAD.format(base) + "".join(_UNIT.format(number) for number in units)
            (Path(name) / "all.toml").write_text(text, encoding="utf-8")
            made.append(load(Path(name)))
    return tuple(made)


class RememberingCloud(Cloud):
    """The cloud, its memory, and a client of its feed."""

    showing: dict[str, Showing]
    lives: list[Life]

    def __init__(self, *parts: Any) -> None:
        """As a cloud, switched off."""
        super().__init__(*parts)
        self.showing, self.lives = {}, []
        self.version = ""
        """Of the directory that the client's board was made by."""
        self.following = False

    @property
    def frames(self) -> Path:
        """The folder of the frames."""
        return self.folder / "frames"

    def kill(self) -> None:
        """Kill the process; its client shows nothing that could be replayed from then on."""
        self.following = False
        super().kill()

    def replace(self, directory: Directory) -> None:
        """Put another directory in force while it runs. The next process begins with it too."""
        assert self.ingest is not None
        self._directory = directory
        self.ingest.in_force.replace(directory)

    def _leave(self, folder: Path, positions: list[PositionRow]) -> None:
        super()._leave(folder, positions)
        ignore = shutil.ignore_patterns("lock")
        if (folder / "frames").exists():
            shutil.copytree(folder / "frames", self.frames, ignore=ignore)

    async def _show(self, feed: Feed, ingest: Ingest) -> None:
        clock = MachineClock(self._loop, START, booted_mono_s=0.0)
        ledger = Ledger.open(f"sqlite:///{self.ledger}")
        frames = DuckFrames.open(self.frames)
        recorder = connect_memory(ingest, feed, ledger, frames, clock)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(recorder.run())
                tasks.create_task(self._follow(feed, ingest, recorder))
        finally:
            frames.close()
            ledger.close()

    async def _follow(self, feed: Feed, ingest: Ingest, recorder: Recorder) -> None:
        """Be a client: take in the picture and every tick's event, and let the rest age."""
        showing: dict[str, Showing] = {}
        self._take(b"".join(feed.snapshot(ingest.moment())), showing)
        process = self.process
        while True:
            await elapse(TICK_S)
            self._take(feed.tick(ingest.moment()) or b"", showing)
            if process is not self.process or not self.running:
                return
            if not self.following:
                self.showing, self.following = showing, True
                self.lives.append(Life(self._loop.time()))
            self.version = ingest.directory.version
            self.lives[-1].until_s = self._loop.time() + TICK_S
            if not recorder.failing and not self.full:
                self.lives[-1].kept_s = self._loop.time()

    def _take(self, events: bytes, showing: dict[str, Showing]) -> None:
        """Take events in, as a control room's client does."""
        for event in events.split(b"\n\n"):
            fields = dict(line.partition(b": ")[::2] for line in event.split(b"\n"))
            kind = fields.get(b"event", b"")
            if kind not in (b"snapshot", b"changes"):
                continue
            told = _decode(fields[b"data"])
            if kind == b"snapshot" and told.part == 1:
                showing.clear()
            showing.update({one.unit: Showing(one, self._loop.time()) for one in told.records})
