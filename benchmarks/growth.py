"""What a unit more costs: bytes of live state, and processor time of an event in a larger fleet.

`python -m benchmarks.growth` builds ingest's whole live state for 1,000, 10,000 and 50,000 units, each in a process of
its own: marks and acceptor, book, fleet and feed, every unit with its own carrier, heard, with a head, a place and a
record on the feed. It prints one JSON object on the last line:

- `bytes_per_unit`: growth of the resident set at 50,000 units, from an empty state beside the loaded directory to one
  in which every device has spoken two dozen times, over the number of units.
- `cost_ratio`: processor time of an event at 50,000 units over that at 1,000. An event is one message of `SCRIPT`, from
  its bytes through receipt, commit entry, fold and settle to the feed's tick with a board listening: the stores and the
  network are left out, for they know nothing of units. Both hear the same 5,000 events a second, by turns a few
  seconds each, so that the machine's noise hits both; the median of the turns' ratios counts.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.spoken import SCRIPT, Message, Speakers, make_directory, number_of
from cloud.directory import Directory, InForce
from cloud.feeds import Feed
from cloud.fleet.clocks import Moment
from cloud.fleet.entry import UnitEntry
from cloud.fleet.fleet import Fleet
from cloud.ingest.acceptor import Acceptor
from cloud.ingest.book import Book
from cloud.ingest.marks import Key
from cloud.ingest.work import Aside, Said, Work
from cloud.ledger import Loaded
from wire import codec
from wire.messages import Settle

SIZES = (1_000, 10_000, 50_000)
TICK_MS = 200
TICK_EVENTS = 1_000
"""5,000 events a second: at 50,000 units each speaks every 10 s and says where it is every 40 s at the least, so
nothing goes late; at 1,000 each speaks once a tick, so no two of its messages come to one record."""
TURN_EVENTS = 10_000
PASSES_TO_WARM_UP = 23
"""So that whatever is kept of the last few messages of a device is full."""
_START = datetime(2026, 1, 1, tzinfo=UTC)


class LiveState:
    """All that ingest and the feed hold in memory, composed as the application does, with stores that hold nothing."""

    def __init__(self, directory: Directory, now: Moment) -> None:
        """Nobody has been heard."""
        bound = {unit.id: (unit.carrier,) for unit in directory.units.values()}
        self._fleet = Fleet(make_entries(directory), bound)
        loaded = Loaded(next_event_id=1, watermarks=[], heads=[], tails={})
        in_force = InForce(directory)
        self._acceptor = Acceptor(in_force, self._fleet, (), owner_term=1)
        self._book = Book(loaded, in_force, self._fleet)
        self._feed = Feed(self._fleet, epoch="growth", owner_term=1, tick_ms=TICK_MS, now=now)

    def take(self, messages: list[Message], now: Moment) -> None:
        """Take in, commit, show and settle; then speak to the boards."""
        for topic, payload in messages:
            self._acceptor.receive(topic, payload, now)
        group: list[Work | Aside] = [item for item in self._acceptor.status if not isinstance(item, Said)]
        group += self._acceptor.track
        self._acceptor.status.clear()
        self._acceptor.track.clear()
        entry = self._book.enter(group)
        settled: dict[str, set[Key]] = defaultdict(set)
        for mark in entry.marks:
            self._acceptor.commit_mark(mark, now)
            settled[mark.device].add((mark.device, mark.stream, mark.queue))
        moved = {head.unit for head in entry.heads if self._fleet.apply_head(head, now)}
        for device, keys in settled.items():
            self._acceptor.settle(device, sorted(keys), now)
        self._acceptor.tell_state({device for unit in moved for device in self._fleet.speakers(unit)}, now)
        self._feed.tick(now)

    def take_answers(self) -> list[tuple[int, str]]:
        """Give the device's number and the id of each settle that went out."""
        sent, self._acceptor.outgoing = self._acceptor.outgoing, []
        decoded = ((number_of(message.topic), codec.decode_down(message.payload)) for message in sent)
        return [(number, settle.id) for number, settle in decoded if isinstance(settle, Settle)]

    def check(self, count: int, now: Moment) -> None:
        """Exit where any unit is doubted, or has no place: then something else was measured.

        The devices say that they are at base as they drive, which contradicts it: that is no doubt of what was heard.
        """
        heard = ("confirmed", "contradicted")
        good = sum(one.confidence in heard and one.position is not None for one in self._feed.records(now))
        if good != count:
            raise SystemExit(f"only {good} of {count} units were heard without a doubt and have a place")


def make_entries(directory: Directory) -> Iterator[UnitEntry]:
    """Make what the fleet needs to know of each unit, of the directory's own strings."""
    for unit in directory.units.values():
        yield UnitEntry(
            id=unit.id,
            callsign=unit.callsign,
            organisation=unit.organisation,
            service=unit.service,
            type=unit.type,
            base=directory.bases[unit.base].name,
            capabilities=unit.capabilities,
            carrier=unit.carrier,
        )


class Run:
    """One size, as its devices speak turn by turn."""

    def __init__(self, count: int) -> None:
        """Let every device speak until nothing grows any more, and note what that took."""
        self._count, self._turn, self._mono_s = count, 0, 1000.0
        self._speakers = Speakers(count)
        directory = make_directory(count)
        rss = rss_bytes()
        self._state = LiveState(directory, self._now)
        self._all_say("birth", "heartbeat", "status", "live", "history", "heartbeat")
        while self._turn < PASSES_TO_WARM_UP * count:
            self.take_turn(min(TURN_EVENTS, count))
        gc.collect()
        self.bytes_per_unit = (rss_bytes() - rss) / count
        self._state.check(count, self._now)

    def take_turn(self, events: int) -> float:
        """Let the next devices speak, all kinds of messages mixed. Gives seconds of processor time an event."""
        cpu_s = 0.0
        for start in range(self._turn, self._turn + events, TICK_EVENTS):
            turns = range(start, min(start + TICK_EVENTS, self._turn + events))
            cpu_s += self._take([self._next(turn) for turn in turns])
        self._turn += events
        return cpu_s / events

    @property
    def _now(self) -> Moment:
        return Moment(_START + timedelta(seconds=self._mono_s), self._mono_s)

    def _all_say(self, *script: str) -> None:
        for what in script:
            for start in range(0, self._count, TICK_EVENTS):
                numbers = range(start, min(start + TICK_EVENTS, self._count))
                self._take([self._speakers.say(what, number, self._now) for number in numbers])

    def _next(self, turn: int) -> Message:
        number = turn % self._count
        what = SCRIPT[(turn // self._count + number) % len(SCRIPT)]
        return self._speakers.say(what, number, self._now)

    def _take(self, messages: list[Message]) -> float:
        self._mono_s += TICK_MS / 1000
        now = self._now
        started_s = time.process_time()
        self._state.take(messages, now)
        cpu_s = time.process_time() - started_s
        for number, answer in self._state.take_answers():
            self._speakers.hear(number, answer, now)
        return cpu_s


def rss_bytes() -> int:
    """The resident set of this process."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def serve(count: int) -> None:
    """Be the process of one size: say what a unit takes, then take a turn for each line that comes in."""
    run = Run(count)
    print(run.bytes_per_unit, flush=True)
    for _ in sys.stdin:
        print(run.take_turn(TURN_EVENTS), flush=True)


class Child:
    """The process of one size."""

    def __init__(self, count: int) -> None:
        """Start it, and wait until every device has been heard."""
        command = [sys.executable, "-m", "benchmarks.growth", "--serve", str(count)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.bytes_per_unit = self._read()

    def take_turn(self) -> float:
        """Seconds of processor time an event, over one turn."""
        assert self._process.stdin is not None
        self._process.stdin.write("turn\n")
        self._process.stdin.flush()
        return self._read()

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> float:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a process of the benchmark has ended before its time")
        return float(line)


def measure(sizes: list[int], turns: int) -> dict[str, Any]:
    """Start one process a size, then let them take turns."""
    children = {size: Child(size) for size in sizes}
    small, large = min(sizes), max(sizes)
    took = {size: list[float]() for size in sizes}
    for _ in range(turns):
        for size, child in children.items():
            took[size].append(child.take_turn())
    for child in children.values():
        child.stop()
    return {
        "bytes_per_unit": round(children[large].bytes_per_unit),
        "cost_ratio": round(statistics.median(b / a for a, b in zip(took[small], took[large], strict=True)), 3),
        "units": large,
        "against_units": small,
        "bytes_per_unit_of": {size: round(child.bytes_per_unit) for size, child in children.items()},
        "us_per_event_of": {size: round(statistics.median(took[size]) * 1e6, 1) for size in sizes},
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, nargs="+", default=SIZES, help="sizes of the fleet (default %(default)s)")
    parser.add_argument("--turns", type=int, default=15, help="turns of each size (default 15)")
    parser.add_argument("--serve", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve)
        return
    print(json.dumps(measure(sorted(asked.units), asked.turns)))


if __name__ == "__main__":
    main()
