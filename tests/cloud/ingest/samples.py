"""A vehicle as its outbox keeps it, and an ingest desk whose commits happen when the test says so."""

from collections.abc import Iterable
from typing import Any

import msgspec

from cloud.directory import InForce
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.ingest.acceptor import Acceptor
from cloud.ingest.book import Book, Entry
from cloud.ingest.folding import Folding
from cloud.ingest.marks import Mark
from cloud.ingest.work import Aside, Said
from cloud.ledger import EventRow, Loaded, Watermark
from cloud.ledger.rows import Refusal
from tests.cloud.fleet.samples import NOON, STREAM, at, county, fleet, position, status
from wire import codec, digest, topics
from wire.events import Queue
from wire.messages import Envelope, Settle, State

TERM = 77
EMPTY = Loaded(next_event_id=1, watermarks=[], heads=[], tails={})


class Vehicle:
    """One queue of a device: what was pressed or measured, chained, as bytes."""

    def __init__(
        self, stream: str = STREAM, queue: Queue = "status", *, device: str = "veh-2", org: str = "kp"
    ) -> None:
        """Nothing has happened yet."""
        self.stream, self.queue, self.device, self.org = stream, queue, device, org
        self.events: list[bytes] = []
        self.digests = [digest.genesis(stream, queue)]
        self.settled = 0

    def press(self, code: str = "2", **changes: Any) -> int:
        """Add a status; give its sequence."""
        return self.add(codec.encode(status(len(self.events) + 1, code, **changes)))

    def measure(self, **changes: Any) -> int:
        """Add a position; give its sequence."""
        return self.add(codec.encode(position(len(self.events) + 1, **changes)))

    def add(self, raw: bytes) -> int:
        """Add whatever bytes; give their sequence."""
        self.events.append(raw)
        self.digests.append(digest.extend(self.digests[-1], raw))
        return len(self.events)

    def envelope(self, first: int = 1, last: int | None = None, **changes: Any) -> bytes:
        """The events from `first` to `last`, as they travel. The device's monotonic clock is 0 at noon."""
        last = len(self.events) if last is None else last
        fields: dict[str, Any] = {
            "v": 1,
            "device": self.device,
            "boot": 1,
            "conn": 1,
            "sent_mono_ms": 0,
            "sent_at": NOON,
            "clock": "gnss",
            "stream": self.stream,
            "queue": self.queue,
            "first_held": first,
            "base_digest": self.digests[first - 1].hex(),
            "events": [msgspec.Raw(raw) for raw in self.events[first - 1 : last]],
        }
        return codec.encode(Envelope(**fields | changes))

    @property
    def topic(self) -> str:
        """Where this queue's envelopes go."""
        return topics.up(self.org, self.device, "status" if self.queue == "status" else "history")

    def take(self, settles: Iterable[Settle]) -> None:
        """Do what a device does with the cloud's answers: forget what matches, and insist that everything matches."""
        for settle in settles:
            for one in settle.queues:
                if (one.stream, one.queue) == (self.stream, self.queue):
                    assert one.digest == self.digests[one.through].hex()
                    self.settled = max(self.settled, one.through)


class Desk:
    """An acceptor and a book on one fleet. What it commits it keeps, as the ledger would."""

    def __init__(self, marks: Iterable[Mark] = (), loaded: Loaded = EMPTY) -> None:
        """Go on from what is durable."""
        self.fleet: Fleet = fleet()
        self.in_force = InForce(county())
        self.acceptor = Acceptor(self.in_force, self.fleet, marks, owner_term=TERM)
        self.book = Book(loaded, self.in_force, self.fleet)
        self.folding = Folding(self.fleet, self.acceptor.privacy)
        self.stored: list[EventRow] = []
        self.entries: list[Entry] = []
        self.heard_s = 0.0
        """When the last message came, and with it the last answer went."""

    def receive(self, topic: str, payload: bytes, now_s: float = 0.0) -> None:
        """Take one message in."""
        self.acceptor.receive(topic, payload, at(now_s))
        self.heard_s = now_s

    def begin_commit(self) -> Entry:
        """Hand everything that waits to the book: from here it is in flight."""
        waiting = [*self.acceptor.status, *self.acceptor.track]
        group = [item for item in waiting if not isinstance(item, Said)]
        self.acceptor.status.clear()
        self.acceptor.track.clear()
        return self.book.enter(group)

    def end_commit(self, entry: Entry, now_s: float = 0.0) -> None:
        """Find a commit durable: show it and settle it, as the status lane does."""
        now: Moment = at(now_s)
        self.entries.append(entry)
        self.stored += entry.commit.events
        for mark in entry.marks:
            self.acceptor.commit_mark(mark, now)
        for head in entry.heads:
            self.folding.apply_head(head, now)
        for saying in entry.sayings:
            self.folding.apply_saying(saying, now)
        for key in sorted({(mark.device, mark.stream, mark.queue) for mark in entry.marks}):
            self.acceptor.settle(key[0], [key], now)

    def forget(self, entry: Entry) -> None:
        """Find a commit durable and remember nothing of it here: what is left is what ingest itself keeps."""
        self.end_commit(entry)
        self.entries.clear()
        self.stored.clear()
        self.acceptor.outgoing.clear()

    def commit(self, now_s: float = 0.0) -> Entry:
        """Commit everything that waits."""
        entry = self.begin_commit()
        self.end_commit(entry, now_s)
        return entry

    def answers(self) -> list[Settle]:
        """The settles published since the last call."""
        said = [codec.decode_down(one.payload) for one in self.acceptor.outgoing]
        self.acceptor.outgoing.clear()
        assert all(isinstance(one, Settle | State) for one in said), said
        return [one for one in said if isinstance(one, Settle)]

    def asides(self) -> list[tuple[str, bytes]]:
        """The reasons and bytes of whole messages that wait to be kept aside."""
        return [(one.reason, one.raw) for one in self.acceptor.status if isinstance(one, Aside)]


def loaded_of(desk: Desk) -> Loaded:
    """What the ledger would load of what a desk committed."""
    rows = {row.id: row for row in desk.stored}
    heads: dict[tuple[str, str], EventRow] = {}
    latest: dict[tuple[str, str, str], EventRow] = {}
    marks: dict[tuple[str, str, str], Watermark] = {}
    tails: dict[str, int] = {}
    refused: list[Refusal] = []
    for entry in desk.entries:
        heads |= {(unit, device): rows[number] for unit, device, number in entry.commit.heads}
        latest |= {(unit, device, name): rows[number] for unit, device, name, number in entry.commit.latest}
        marks |= {(mark.device, mark.stream, mark.queue): mark for mark in entry.commit.watermarks}
        tails |= dict(entry.commit.tails)
        refused += [
            (row.device, row.stream, row.queue, row.seq, row.reason)
            for row in entry.commit.refused
            if row.device and row.stream and row.queue and row.seq
        ]
    return Loaded(
        next_event_id=len(rows) + 1,
        watermarks=list(marks.values()),
        heads=list(heads.values()),
        latest=sorted(latest.values(), key=lambda row: row.id),
        tails=tails,
        refused=refused,
    )
