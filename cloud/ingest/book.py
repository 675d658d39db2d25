"""Turns a group of work into one ledger commit, and says what holds once it is durable. Pure."""

from collections.abc import Iterable

import msgspec

from cloud.fleet.clocks import Corrected
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import Head
from cloud.ingest.judge import Judged
from cloud.ingest.marks import Mark
from cloud.ingest.work import Aside, Work
from cloud.ledger import Commit, EventRow, Gap, Loaded, Refused, Watermark
from wire import codec
from wire.messages import Event, Queue, StatusEvent
from wire.scheme import Scheme

Key = tuple[str, str, Queue]


class Entry(msgspec.Struct, frozen=True):
    """A commit, and what to show and settle after it."""

    commit: Commit
    heads: list[Head]
    marks: list[Mark]


class Book:
    """Gives out event ids and links each unit's events into a chain. One writer."""

    def __init__(self, loaded: Loaded, schemes: dict[str, Scheme], fleet: Fleet) -> None:
        """Go on from what the ledger holds."""
        self._next_id = loaded.next_event_id
        self._tails = dict(loaded.tails)
        self._schemes = schemes
        self._fleet = fleet
        unproven = {(row.device, row.stream, row.corrected_at) for row in loaded.heads if not row.proven}
        self._corrected: dict[Key, Corrected] = {
            (mark.device, mark.stream, mark.queue): Corrected(
                mark.corrected_at, (mark.device, mark.stream, mark.corrected_at) not in unproven
            )
            for mark in loaded.watermarks
            if mark.corrected_at is not None
        }
        self._head_orders: dict[tuple[str, str], tuple[int, int]] = {}

    def know_head(self, head: Head) -> None:
        """Note a head that the ledger holds already."""
        self._head_orders[(head.unit, head.device)] = head.order

    def enter(self, group: Iterable[Work | Aside]) -> Entry:
        """Make the commit for a group. Times are corrected here, once, and stored."""
        entry = Entry(Commit(), [], [])
        for item in group:
            if isinstance(item, Aside):
                entry.commit.refused.append(_aside_row(item))
            else:
                self._enter_work(entry, item)
        return entry

    def _enter_work(self, entry: Entry, work: Work) -> None:
        if work.mark is None:
            return
        key = (work.device, work.stream, work.mark.queue)
        if work.gap is not None:
            entry.commit.gaps.append(_gap_row(work))
        for one in work.judged:
            if one.event is None:
                entry.commit.refused.append(_refused_row(work, one, work.mark.queue))
            elif work.mark.queue == "status":
                self._enter_event(entry, work, one, one.event, key)
        last = self._corrected.get(key)
        mark = msgspec.structs.replace(work.mark, corrected_at=last.at if last is not None else None)
        entry.marks.append(mark)
        entry.commit.watermarks.append(_watermark_row(mark))

    def _enter_event(self, entry: Entry, work: Work, judged: Judged, event: Event, key: Key) -> None:
        corrected = self._correct(work, event, key)
        unit = event.unit if isinstance(event, StatusEvent) else None
        row = EventRow(
            id=self._next_id,
            device=work.device,
            stream=work.stream,
            queue="status",
            seq=judged.seq,
            kind="status",
            unit=unit,
            mode=event.mode,
            at=event.at,
            received_at=work.received.utc,
            corrected_at=corrected.at,
            proven=corrected.proven,
            prev=self._tails.get(unit) if unit else None,
            body=judged.raw,
        )
        self._next_id += 1
        entry.commit.events.append(row)
        if unit is not None:
            self._tails[unit] = row.id
            entry.commit.tails.append((unit, row.id))
        if isinstance(event, StatusEvent) and (head := self._head_of(row, event, work.ordinal)) is not None:
            entry.heads.append(head)
            entry.commit.heads.append((head.unit, head.device, row.id))

    def _head_of(self, row: EventRow, event: StatusEvent, ordinal: int) -> Head | None:
        head = make_head(row, event, ordinal, self._schemes)
        key = (event.unit, row.device)
        if head is None or head.order <= self._head_orders.get(key, (0, 0)):
            return None
        self._head_orders[key] = head.order
        return head

    def _correct(self, work: Work, event: Event, key: Key) -> Corrected:
        """Correct an event's time. Along a stream time never goes back, whatever the clocks said.

        A time that is taken over from an unproven event before it is no better proven than that one's.
        """
        corrected = self._fleet.correct(work.device, event, work.received, work.ordinal)
        last = self._corrected.get(key)
        if last is not None and last.at > corrected.at:
            corrected = Corrected(last.at, corrected.proven and last.proven)
        self._corrected[key] = corrected
        return corrected


def make_head(row: EventRow, event: StatusEvent, ordinal: int, schemes: dict[str, Scheme]) -> Head | None:
    """Make the head that a stored status comes to; None for an event code, which never stands."""
    scheme = schemes.get(event.scheme)
    code = scheme.code(event.code) if scheme is not None else None
    if code is None or code.availability is None:
        return None
    return Head(
        unit=event.unit,
        device=row.device,
        ordinal=ordinal,
        stream=row.stream,
        seq=row.seq,
        scheme=event.scheme,
        code=event.code,
        label=code.label,
        availability=code.availability,
        by=event.by,
        mode=event.mode,
        at=row.corrected_at,
        proven=row.proven,
    )


def load_heads(loaded: Loaded, schemes: dict[str, Scheme]) -> Iterable[Head]:
    """Make the heads that stood when the last process stopped."""
    ordinals = {(mark.device, mark.stream): mark.ordinal for mark in loaded.watermarks}
    for row in loaded.heads:
        event = codec.decode_event(row.body)
        if isinstance(event, StatusEvent):
            head = make_head(row, event, ordinals.get((row.device, row.stream), 0), schemes)
            if head is not None:
                yield head


def load_marks(loaded: Loaded) -> Iterable[Mark]:
    """Make the marks that held when the last process stopped."""
    for row in loaded.watermarks:
        yield Mark(
            device=row.device,
            stream=row.stream,
            queue=row.queue,
            ordinal=row.ordinal,
            through=row.through,
            digest=row.digest,
            corrected_at=row.corrected_at,
        )


def _watermark_row(mark: Mark) -> Watermark:
    return Watermark(
        device=mark.device,
        stream=mark.stream,
        queue=mark.queue,
        ordinal=mark.ordinal,
        through=mark.through,
        digest=mark.digest,
        corrected_at=mark.corrected_at,
    )


def _gap_row(work: Work) -> Gap:
    assert work.gap is not None and work.mark is not None
    return Gap(
        device=work.device,
        stream=work.stream,
        queue=work.mark.queue,
        first_seq=work.gap.first,
        last_seq=work.gap.last,
        recorded_at=work.received.utc,
        reason="not_held",
    )


def _refused_row(work: Work, judged: Judged, queue: Queue) -> Refused:
    return Refused(
        received_at=work.received.utc,
        topic=work.topic,
        reason=judged.reason,
        body=judged.raw,
        device=work.device,
        stream=work.stream,
        queue=queue,
        seq=judged.seq,
    )


def _aside_row(aside: Aside) -> Refused:
    return Refused(
        received_at=aside.received.utc,
        topic=aside.topic,
        reason=aside.reason,
        body=aside.raw,
        device=aside.device,
        stream=aside.stream,
    )
