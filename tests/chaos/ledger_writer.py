"""The cloud's own ledger at work under the lab's orders."""

from hashlib import sha256

import msgspec

from cloud.errors import Retryable
from cloud.ledger import Commit, EventRow, Ledger, Watermark
from tests.chaos.jobs import AT, REFUSALS_MAX, Job, OwnCut, chain, press, say

DEVICES = ("d1", "d2", "d3")


class LedgerWriter:
    """Commits groups of events of several devices, each with its watermarks, as ingest does."""

    def __init__(self, job: Job) -> None:
        """Open the ledger, record the start, and go on from what it holds."""
        OwnCut(job).arm("start")
        self._ledger = Ledger.open(f"sqlite:///{job.folder}/ledger.db")
        loaded = self._ledger.load()
        self._marks = {mark.device: mark for mark in loaded.watermarks}
        self._tails = loaded.tails
        self._next = loaded.next_event_id
        self._refused = 0
        self._group: tuple[Commit, dict[str, Watermark], dict[str, int]] = (Commit(), {}, {})
        say("open", loaded.next_event_id - 1, self._ledger.record_start(AT, 1, "lab"))

    async def do(self, step: str) -> None:
        """Do one step."""
        match step.split():
            case ["commit", count]:
                self._commit(int(count))
            case ["crowd"]:
                while self._refused < REFUSALS_MAX:
                    self._commit(20)
            case ["close"]:
                self._ledger.close()
            case _:
                raise ValueError(f"no such step: {step}")

    def _commit(self, count: int) -> None:
        """Commit a group; after a refusal the next try is the same group again, as it is."""
        if self._refused:
            commit, marks, tails = self._group
        else:
            commit, marks, tails = self._group = self._make_group(count)
        first, last = commit.events[0].id, commit.events[-1].id
        say("try", "event", first, last)
        try:
            self._ledger.commit(commit)
        except Retryable:
            self._refused += 1
            say("refused", "event", first, last)
            return
        say("stored", "event", first, last)
        self._refused = 0
        self._marks, self._tails, self._next = marks, tails, last + 1

    def _make_group(self, count: int) -> tuple[Commit, dict[str, Watermark], dict[str, int]]:
        marks, tails = dict(self._marks), dict(self._tails)
        events = [self._event(number, marks, tails) for number in range(self._next, self._next + count)]
        touched = sorted({event.device for event in events})
        heads = [(f"u-{device}", device, tails[f"u-{device}"]) for device in touched]
        commit = Commit(
            events=events,
            watermarks=[marks[device] for device in touched],
            heads=heads,
            tails=[(unit, last) for unit, _, last in heads],
        )
        return commit, marks, tails

    def _event(self, number: int, marks: dict[str, Watermark], tails: dict[str, int]) -> EventRow:
        device = DEVICES[number * number % 7 % len(DEVICES)]
        unit, stream = f"u-{device}", f"e-{device}"
        mark = marks.get(device)
        seq = mark.through + 1 if mark else 1
        body = msgspec.json.encode(press(number)(seq=seq))
        before = mark.digest if mark else sha256(f"watchroom/1/{stream}/status".encode()).digest()
        marks[device] = Watermark(
            device=device,
            stream=stream,
            queue="status",
            ordinal=1,
            through=seq,
            digest=chain(before, [body]),
            corrected_at=AT,
        )
        prev, tails[unit] = tails.get(unit), number
        return EventRow(
            id=number,
            device=device,
            stream=stream,
            queue="status",
            seq=seq,
            kind="status",
            unit=unit,
            mode="live",
            at=AT,
            received_at=AT,
            corrected_at=AT,
            proven=True,
            prev=prev,
            body=body,
        )
