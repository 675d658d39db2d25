"""What a writer said that it was told, held against the files that it left.

The files are read from copies with SQLite alone, and every digest is computed by hashlib: nothing here is shared with
the code under test. An event is known by its number (`mono_ms` in its body), whatever sequence it got.
"""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tests.chaos.nursery import Line
from tests.chaos.verdict import Verdict
from wire.events import Queue

QUEUES: tuple[Queue, Queue] = ("status", "track")


class Wrong(AssertionError):
    """The files contradict themselves, or what was promised besides the events."""


class Tally(msgspec.Struct):
    """What all audits together found."""

    presses: int = 0
    confirmed: int = 0
    lost: int = 0
    twice: int = 0
    out_of_order: int = 0

    def verdict(self) -> Verdict:
        """As the proof tells it."""
        return Verdict(**msgspec.structs.asdict(self))


@contextmanager
def copy_of(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a copy of a database and its log: reading it changes nothing for those who use the file."""
    with tempfile.TemporaryDirectory(prefix="watchroom-audit-") as folder:
        copy = Path(folder) / path.name
        for suffix in ("", "-wal"):
            if path.with_name(path.name + suffix).exists():
                shutil.copyfile(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
        with closing(sqlite3.connect(copy)) as db:
            yield db


def chained(digest: bytes, events: Sequence[bytes]) -> bytes:
    """The digest after `events`, as the contract says it."""
    for event in events:
        digest = sha256(digest + event).digest()
    return digest


def genesis(stream: str, queue: str) -> bytes:
    """The digest before a queue's first event, as the contract says it."""
    return sha256(f"watchroom/1/{stream}/{queue}".encode()).digest()


class OutboxAccount:
    """The events of one outbox folder: which were confirmed, which were settled, and which must be there."""

    def __init__(self, folder: Path, tally: Tally, first: int) -> None:
        """A folder that is empty as yet; `first` is the number of its first event."""
        self.folder = folder
        self.next = first
        self.in_flight = False
        """Whether the last thing that the writer said leaves something unfinished."""
        self.due: dict[Queue, list[int]] = {"status": [], "track": []}
        """Confirmed and not settled, in order."""
        self.delivered: dict[Queue, list[int]] = {"status": [], "track": []}
        self.refused: set[int] = set()
        """Presses that were told to be not stored."""
        self._settling: list[tuple[Queue, list[int]]] = []
        """Begun, and not known to have ended."""
        self._pressed = first - 1
        """The last press that was confirmed: at least so far must the unit's current status be."""
        self._tally = tally

    def note(self, line: Line) -> None:
        """Take down what the writer said."""
        match line:
            case ["try", queue, *numbers]:
                self.next = int(numbers[-1]) + 1
                self._tally.presses += len(numbers) * (queue == "status")
                self.in_flight = True
            case ["stored", ("status" | "track") as queue, *numbers]:
                self._take("status" if queue == "status" else "track", [int(number) for number in numbers])
                self.in_flight = False
            case ["settling", queue, *numbers]:
                name: Queue = "status" if queue == "status" else "track"
                self._settling.append((name, [int(number) for number in numbers]))
                self.in_flight = True
            case ["settled", *_]:
                self._settle(*self._settling.pop())
                self.in_flight = False
            case ["minting", *_]:
                self.in_flight = True
            case ["refused", "status", *numbers]:
                self.refused.update(map(int, numbers))
                self.in_flight = False
            case ["minted" | "refused", *_]:
                self.in_flight = False

    def _take(self, queue: Queue, numbers: list[int]) -> None:
        self.due[queue] += numbers
        if queue == "status":
            self._tally.confirmed += len(numbers)
            self._pressed = numbers[-1]

    def _settle(self, queue: Queue, numbers: list[int]) -> None:
        self.delivered[queue] += numbers
        self.due[queue] = [number for number in self.due[queue] if number > numbers[-1]]

    def audit(self, *, may_miss: frozenset[int] = frozenset(), evicting: bool = False) -> None:
        """Hold the folder's live file against the account. Raises `Wrong` where it contradicts itself.

        `may_miss` are the events whose bytes were destroyed. `evicting`: the oldest of the track may have gone.
        """
        with copy_of(self.folder / "outbox.db") as db:
            held = {queue: _read_queue(db, queue) for queue in QUEUES}
            self._check_current(db, may_miss)
        self._resolve(held)
        for queue in QUEUES:
            self._audit_queue(queue, held[queue], may_miss, evicting and queue == "track")

    def _resolve(self, held: dict[Queue, list[int]]) -> None:
        """Learn from the file whether a settle that was in flight had happened: all of it or nothing."""
        for queue, numbers in self._settling:
            left = set(numbers) & set(held[queue])
            if not left:
                self._settle(queue, numbers)
            elif left != set(numbers):
                raise Wrong(f"{self.folder.name}: half of a settle: {sorted(left)} of {numbers} are left")
        self._settling = []

    def _audit_queue(self, queue: Queue, held: list[int], may_miss: frozenset[int], evicting: bool) -> None:
        here, due = set(held), self.due[queue]
        if evicting:
            due = [number for number in due if number >= min(here, default=self.next)]
        missing = set(due) - here - may_miss
        again = here & set(self.delivered[queue])
        if strangers := {number for number in here if number >= self.next}:
            raise Wrong(f"{self.folder.name}: {queue} holds what nobody wrote: {sorted(strangers)[:10]}")
        if queue == "track" and (missing or again):
            raise Wrong(
                f"{self.folder.name}: of the track {sorted(missing)[:10]} is lost, {sorted(again)[:10]} is back"
            )
        self._tally.lost += len(missing)
        self._tally.twice += len(held) - len(here) + len(again)
        self._tally.out_of_order += sum(later <= one for one, later in zip(held, held[1:], strict=False))
        self.due[queue] = sorted(here)  # one that was committed and never confirmed counts from now on

    def _check_current(self, db: sqlite3.Connection, may_miss: frozenset[int]) -> None:
        found = [int(code[1:]) for (code,) in db.execute("SELECT code FROM current")]
        pressed = any(self.due["status"]) or any(self.delivered["status"])
        if pressed and not may_miss and (not found or found[0] < self._pressed):
            raise Wrong(f"{self.folder.name}: the current status is {found}, and {self._pressed} was confirmed")

    def audit_drained(self) -> None:
        """Everything confirmed was delivered, once and in order, and nothing is left."""
        for queue in QUEUES:
            sent = self.delivered[queue]
            if self.due[queue] or sent != sorted(set(sent)):
                raise Wrong(f"{self.folder.name}: {queue} was not delivered once and in order, and to its end")
        self.audit()


class LedgerAccount:
    """The events of one ledger: how far it was committed, and what its watermarks must then say."""

    def __init__(self, folder: Path, tally: Tally) -> None:
        """A folder that is empty as yet."""
        self.folder = folder
        self.in_flight = False
        self._stored = 0
        self._tried: set[int] = set()
        """Where the groups end that were begun since, and may be there or not."""
        self._term = 0
        self._tally = tally

    def note(self, line: Line) -> None:
        """Take down what the writer said."""
        match line:
            case ["try", "event", _, last]:
                self.in_flight = True
                self._tried.add(int(last))
            case ["stored", "event", first, last]:
                self._tally.presses += int(last) - int(first) + 1
                self._tally.confirmed += int(last) - int(first) + 1
                self._stored, self._tried, self.in_flight = int(last), set(), False
            case ["refused", "event", *_]:
                self.in_flight = False
            case ["open", _, term]:
                if int(term) <= self._term:
                    raise Wrong(f"{self.folder.name}: the owner's term went from {self._term} to {term}")
                self._term = int(term)

    @property
    def stored(self) -> int:
        """The last event that is known to be committed."""
        return self._stored

    def audit(self, *, exact: bool = False) -> None:
        """Hold the file against the account. Raises `Wrong` where watermarks and events are not in step.

        `exact`: what was refused must not be there.
        """
        if exact:
            self._tried = set()
        path = self.folder / "ledger.db"
        if not path.exists():
            if self._term:
                raise Wrong(f"{path} is gone")
            return
        with copy_of(path) as db:
            rows = db.execute("SELECT id, device, stream, queue, seq, unit, body FROM event ORDER BY id").fetchall()
            marks = db.execute("SELECT device, stream, queue, through, digest FROM watermark").fetchall()
            ends = [db.execute(f"SELECT unit, event_id FROM {table}").fetchall() for table in ("head", "tail")]
        last = self._audit_rows([row[0] for row in rows], [(row[1], row[4]) for row in rows])
        streams: dict[tuple[Any, ...], list[Any]] = {}
        for row in rows:
            streams.setdefault(tuple(row[1:4]), []).append(row)
        expected = {(*key, len(of), chained(genesis(*key[1:]), [row[6] for row in of])) for key, of in streams.items()}
        if {tuple(mark) for mark in marks} != expected:
            raise Wrong(f"{self.folder.name}: the watermarks are not in step with the events")
        newest = {row[5]: row[0] for row in rows}
        if any(dict(end) != newest for end in ends):
            raise Wrong(f"{self.folder.name}: heads or tails are not in step with the events")
        self._stored, self._tried = last, set()

    def _audit_rows(self, ids: list[int], names: list[tuple[str, int]]) -> int:
        last = ids[-1] if ids else 0
        if last > self._stored and last not in self._tried:
            raise Wrong(f"{self.folder.name}: half of a group: {last}, of those that end at {sorted(self._tried)}")
        self._tally.presses += max(0, last - self._stored)
        self._tally.lost += len(set(range(1, self._stored + 1)) - set(ids))
        self._tally.twice += len(names) - len(set(names))
        reached: dict[str, int] = {}
        for device, seq in names:
            self._tally.out_of_order += seq != reached.get(device, 0) + 1
            reached[device] = seq
        return last


def _read_queue(db: sqlite3.Connection, queue: Queue) -> list[int]:
    """The numbers of a queue's events, by sequence. Raises `Wrong` where sequences or digests do not follow."""
    rows = db.execute(f"SELECT seq, event, digest FROM {queue} ORDER BY seq").fetchall()
    next_seq, base, tip = db.execute("SELECT next_seq, base, tip FROM queue WHERE name = ?", (queue,)).fetchone()
    if [row[0] for row in rows] != list(range(next_seq - len(rows), next_seq)):
        raise Wrong(f"{queue}: the sequences do not follow each other up to {next_seq - 1}")
    if chained(base, [row[1] for row in rows]) != tip or (rows and rows[-1][2] != tip):
        raise Wrong(f"{queue}: the digests do not lead from the base to the tip")
    bodies = [json.loads(row[1]) for row in rows]
    if any(body["seq"] != row[0] for body, row in zip(bodies, rows, strict=True)):
        raise Wrong(f"{queue}: an event says another sequence than its row")
    return [body["mono_ms"] for body in bodies]
