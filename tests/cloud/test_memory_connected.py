"""The service's memory as it is connected: it begins with what the processes before it kept."""

import asyncio
import contextlib
from pathlib import Path

from cloud.clock import SystemClock
from cloud.connections import connect_memory
from cloud.directory import InForce
from cloud.feeds import Feed
from cloud.ingest.ingest import Ingest
from cloud.ledger import BoardRow, Ledger
from cloud.telemetry import DuckFrames, DuckTelemetry
from tests.cloud.directory.shire import shire


def test_a_unit_that_left_while_nothing_ran_is_written_down_as_gone(tmp_path: Path) -> None:
    """Else figures would count it, as it stood last, for ever after."""
    clock = SystemClock()
    with contextlib.ExitStack() as stack:
        ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
        stack.callback(ledger.close)
        telemetry, frames = DuckTelemetry.open(tmp_path / "telemetry"), DuckFrames.open(tmp_path / "frames")
        stack.callback(telemetry.close)
        stack.callback(frames.close)
        ledger.commit_board([BoardRow(shown_at=clock.now(), unit="of-old", kind="record", body=b"{}")])
        ingest = Ingest(InForce(shire()), ledger, telemetry, clock=clock, owner_term=1)
        feed = Feed(ingest.fleet, epoch="e", owner_term=1, tick_ms=200, now=ingest.moment())
        recorder = connect_memory(ingest, feed, ledger, frames, clock)
        feed.tick(ingest.moment())
        asyncio.run(recorder.keep())
        shown = {row.unit: row.kind for row in ledger.board_at(clock.now())}
    assert {"": "started", "of-old": "gone"} | dict.fromkeys(shire().units, "record") == shown
