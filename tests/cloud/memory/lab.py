"""A recorder on a real ledger and real frames, with a clock that the test turns and stores that it can break."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cloud.errors import Retryable
from cloud.fleet.clocks import Moment
from cloud.ledger import BoardRow, Ledger
from cloud.memory import Began, Recorder, Replayed, replay
from cloud.telemetry import DuckFrames, FrameRow, Span
from simulator.scenario.world import empty_ledger
from tests.cloud.memory.samples import NOON
from wire.feed import FeedRecord

TICK_S = 0.2


@dataclass
class Turned:
    """A clock that the test turns; who sleeps by it waits for the next step of the loop."""

    at: datetime = NOON
    mono_s: float = 0.0

    def now(self) -> datetime:
        """Wall time."""
        return self.at

    def monotonic(self) -> float:
        """Seconds."""
        return self.mono_s

    async def sleep(self, duration_s: float) -> None:
        """Let others have their turn."""
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


@dataclass
class Lab:
    """The recorder and its stores in a folder. Open it again and another process goes on."""

    folder: Path
    version: str = "v1"
    clock: Turned = field(default_factory=Turned)
    ledger_fails: bool = False
    frames_fail: bool = False
    board: dict[str, FeedRecord] = field(default_factory=dict)
    """What the feed would give as the whole board."""

    def __post_init__(self) -> None:
        """Open the stores."""
        path = self.folder / "ledger.db"
        if not path.exists():
            path.write_bytes(empty_ledger())
        self.ledger = Ledger.open(f"sqlite:///{path}")
        self.frames = DuckFrames.open(self.folder / "frames")
        self.recorder = self.start()

    def start(self) -> Recorder:
        """Begin another process on the same stores."""
        began = Began(process=self.clock.now(), owner_term=1, directory_version=self.version)
        self.recorder = Recorder(self._commit, self._append, clock=self.clock, began=began)
        self.recorder.whole = lambda _now: tuple(self.board.values())
        return self.recorder

    def close(self) -> None:
        """Let go of the stores."""
        self.frames.close()
        self.ledger.close()

    def tick(self, *records: FeedRecord, after_s: float = TICK_S) -> datetime:
        """Show records, a tick later; gives the moment."""
        self.clock.at += timedelta(seconds=after_s)
        self.clock.mono_s += max(0.0, after_s)
        self.board |= {record.unit: record for record in records}
        self.recorder.show(Moment(self.clock.at, self.clock.mono_s), records)
        return self.clock.at

    def keep(self) -> None:
        """Make durable what waits."""
        asyncio.run(self.recorder.keep())

    def past(self, at: datetime) -> Replayed:
        """Replay a moment."""
        return replay(self.ledger.board_at, self.frames, at)

    def _commit(self, rows: Sequence[BoardRow]) -> None:
        if self.ledger_fails:
            raise Retryable("the ledger is away")
        self.ledger.commit_board(rows)

    def _append(self, frames: Sequence[FrameRow], span: Span) -> None:
        if self.frames_fail:
            raise Retryable("the frames are away")
        self.frames.append(frames, span)
