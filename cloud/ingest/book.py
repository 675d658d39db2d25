"""Turns a group of work into one ledger commit, and says what holds once it is durable. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from cloud.fleet.clocks import Corrected
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import Head, newer
from cloud.ingest.judge import Judged
from cloud.ingest.marks import Key, Mark
from cloud.ingest.work import Aside, Work
from cloud.ledger import Commit, EventRow, Gap, Loaded, Refused, Watermark
from wire import codec
from wire.messages import Event, Queue, RefusedSeq, StatusEvent
from wire.scheme import Scheme

Stream = tuple[str, str]
"""A device and one of its streams."""


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
        self._heads: dict[tuple[str, str], Head] = {}
        self._ordinals = _ordinals(loaded)

    def know_head(self, head: Head) -> None:
        """Note a head that the ledger holds already."""
        self._heads[(head.unit, head.device)] = head

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
        self._ordinals.setdefault((work.device, work.stream), work.ordinal)
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
        if isinstance(event, StatusEvent) and (head := self._head_of(row, event)) is not None:
            entry.heads.append(head)
            entry.commit.heads.append((head.unit, head.device, row.id))

    def _head_of(self, row: EventRow, event: StatusEvent) -> Head | None:
        """Give the head that a status becomes; None where what stands stays. See `newer` for which."""
        head = make_head(row, event, self._ordinals, self._schemes)
        key = (event.unit, row.device)
        if head is None or not newer(self._heads.get(key), head):
            return None
        self._heads[key] = head
        return head

    def _correct(self, work: Work, event: Event, key: Key) -> Corrected:
        """Correct an event's time. Along a stream time never goes back, whatever the clocks said.

        A time that is taken over from an unproven event before it is no better proven than that one's. A press that
        stands already and was carried to a new stream keeps its time: it is no younger for having come again.
        """
        corrected = self._standing_time(work.device, event)
        if corrected is None:
            corrected = self._fleet.correct(work.device, event, work.received, work.ordinal)
        last = self._corrected.get(key)
        if last is not None and last.at > corrected.at:
            corrected = Corrected(last.at, corrected.proven and last.proven)
        self._corrected[key] = corrected
        return corrected

    def _standing_time(self, device: str, event: Event) -> Corrected | None:
        head = self._heads.get((event.unit, device)) if isinstance(event, StatusEvent) else None
        if head is None or event.origin is None or not head.is_at(event.origin.stream, event.origin.seq):
            return None
        return Corrected(head.at, head.proven) if (event.boot, event.mono_ms) == (head.boot, head.mono_ms) else None


def make_head(
    row: EventRow, event: StatusEvent, ordinals: Mapping[Stream, int], schemes: dict[str, Scheme]
) -> Head | None:
    """Make the head that a stored status comes to; None for an event code, which never stands.

    An origin counts where it is in an earlier stream of the device: it never makes a press newer than its place does.
    """
    scheme = schemes.get(event.scheme)
    code = scheme.code(event.code) if scheme is not None else None
    if code is None or code.availability is None:
        return None
    ordinal = ordinals.get((row.device, row.stream), 0)
    origin = event.origin
    origin_ordinal = ordinals.get((row.device, origin.stream), ordinal) if origin is not None else ordinal
    return Head(
        unit=event.unit,
        device=row.device,
        ordinal=ordinal,
        stream=row.stream,
        seq=row.seq,
        origin=origin if origin_ordinal < ordinal else None,
        origin_ordinal=origin_ordinal if origin_ordinal < ordinal else 0,
        boot=event.boot,
        mono_ms=event.mono_ms,
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
    ordinals = _ordinals(loaded)
    for row in loaded.heads:
        event = codec.decode_event(row.body)
        if isinstance(event, StatusEvent):
            head = make_head(row, event, ordinals, schemes)
            if head is not None:
                yield head


def load_marks(loaded: Loaded) -> Iterable[Mark]:
    """Make the marks that held when the last process stopped."""
    refused: dict[Key, list[RefusedSeq]] = defaultdict(list)
    for device, stream, queue, seq, reason in loaded.refused:
        refused[(device, stream, queue)].append(RefusedSeq(seq, reason))
    for row in loaded.watermarks:
        yield Mark(
            device=row.device,
            stream=row.stream,
            queue=row.queue,
            ordinal=row.ordinal,
            through=row.through,
            digest=row.digest,
            corrected_at=row.corrected_at,
            refused=tuple(refused[(row.device, row.stream, row.queue)]),
        )


def _ordinals(loaded: Loaded) -> dict[Stream, int]:
    return {(mark.device, mark.stream): mark.ordinal for mark in loaded.watermarks}


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
        reason=work.gap.reason,
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
