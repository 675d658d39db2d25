"""Turns a group of work into one ledger commit, and says what holds once it is durable. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from cloud.fleet.clocks import Corrected
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import Head, newer
from cloud.ingest.judge import Judged
from cloud.ingest.marks import Key, Mark
from cloud.ingest.work import Aside, Recorded, Work
from cloud.ledger import Commit, EventRow, Gap, Loaded, Refused, Watermark
from wire import codec
from wire.events import CrewEvent, DefectEvent, EmergencyEvent, Event, Queue, StatusEvent
from wire.messages import RefusedSeq
from wire.scheme import Scheme

Stream = tuple[str, str]
"""A device and one of its streams."""


class _Stream(msgspec.Struct, gc=False):
    """What a device's stream has come to: its ordinal, and the newest time that is proven of one of its statuses."""

    ordinal: int
    at: datetime | None = None


class Entry(msgspec.Struct, frozen=True):
    """A commit, and what to show and settle after it."""

    commit: Commit
    heads: list[Head]
    marks: list[Mark]
    recorded: list[Recorded]


class Book:
    """Gives out event ids and links each unit's events into a chain. One writer."""

    def __init__(self, loaded: Loaded, schemes: dict[str, Scheme], fleet: Fleet) -> None:
        """Go on from what the ledger holds."""
        self._next_id = loaded.next_event_id
        self._tails = dict(loaded.tails)
        self._schemes = schemes
        self._fleet = fleet
        self._streams = _load_streams(loaded)
        self._heads: dict[tuple[str, str], Head] = {}
        """Those that the fleet doesn't show yet: it has the others."""

    def know_head(self, head: Head) -> None:
        """Note a head that the ledger holds already."""
        self._heads[(head.unit, head.device)] = head

    def enter(self, group: Iterable[Work | Aside]) -> Entry:
        """Make the commit for a group. Times are corrected here, once, and stored."""
        self._heads = {key: head for key, head in self._heads.items() if self._fleet.head(*key) is not head}
        entry = Entry(Commit(), [], [], [])
        for item in group:
            if isinstance(item, Aside):
                entry.commit.refused.append(_aside_row(item))
            else:
                self._enter_work(entry, item)
        return entry

    def _enter_work(self, entry: Entry, work: Work) -> None:
        if work.mark is None:
            return
        key = (work.device, work.stream)
        if key not in self._streams:
            self._streams[key] = _Stream(work.ordinal)
        if work.gap is not None:
            entry.commit.gaps.append(_gap_row(work))
        for one in work.judged:
            if one.event is None:
                entry.commit.refused.append(_refused_row(work, one, work.mark.queue))
            elif work.mark.queue == "status":
                self._enter_event(entry, work, one, one.event, key)
        last_at = self._streams[key].at if work.mark.queue == "status" else None
        mark = msgspec.structs.replace(work.mark, corrected_at=last_at)
        entry.marks.append(mark)
        entry.commit.watermarks.append(_watermark_row(mark))

    def _enter_event(self, entry: Entry, work: Work, judged: Judged, event: Event, key: Stream) -> None:
        corrected = self._correct(work, event, key)
        unit = self._unit_of(event)
        row = EventRow(
            id=self._next_id,
            device=work.device,
            stream=work.stream,
            queue="status",
            seq=judged.seq,
            kind=str(event.__struct_config__.tag),
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
        entry.recorded.append(Recorded(work.device, row, event))
        if unit is not None:
            self._tails[unit] = row.id
            entry.commit.tails.append((unit, row.id))
        if isinstance(event, StatusEvent) and (head := self._head_of(row, event)) is not None:
            entry.heads.append(head)
            entry.commit.heads.append((head.unit, head.device, row.id))

    def _unit_of(self, event: Event) -> str | None:
        """Give the unit whose history an event belongs to."""
        if isinstance(event, StatusEvent | CrewEvent | DefectEvent | EmergencyEvent):
            return self._fleet.name(event.unit)
        return None

    def _head_of(self, row: EventRow, event: StatusEvent) -> Head | None:
        """Give the head that a status becomes; None where what stands stays. See `newer` for which."""
        head = make_head(row, event, self._ordinal, self._schemes)
        if head is None or not newer(self._latest(event.unit, row.device), head):
            return None
        self._heads[(event.unit, row.device)] = head
        return head

    def _correct(self, work: Work, event: Event, key: Stream) -> Corrected:
        """Correct an event's time. Along a stream proven time never goes back, whatever the clocks said.

        An unproven event is not before the proven ones that came before it in its stream. A press that stands already
        and was carried to a new stream keeps its time: it is no younger for having come again.
        """
        corrected = self._standing_time(work.device, event)
        if corrected is None:
            corrected = self._fleet.correct(work.device, event, work.received, work.ordinal)
        last = self._streams[key]
        if corrected.bounded:
            return corrected if last.at is None else Corrected(max(last.at, corrected.at), False, bounded=True)
        if not corrected.proven and (bound := last.at or self._bound_by_head(work.device, event)) is not None:
            return Corrected(bound, False, bounded=True)
        if last.at is not None and last.at > corrected.at:
            corrected = Corrected(last.at, True)
        if corrected.proven:
            last.at = corrected.at
        return corrected

    def _latest(self, unit: str, device: str) -> Head | None:
        return self._heads.get((unit, device)) or self._fleet.head(unit, device)

    def _ordinal(self, stream: Stream) -> int | None:
        known = self._streams.get(stream)
        return None if known is None else known.ordinal

    def _bound_by_head(self, device: str, event: Event) -> datetime | None:
        """Give the time of the status that this one follows, as the first in a new stream of its device."""
        head = self._latest(event.unit, device) if isinstance(event, StatusEvent) else None
        if head is None or not head.ranks:
            return None
        if event.origin is not None:
            origin = self._ordinal((device, event.origin.stream))
            if origin is None or (origin, event.origin.seq) <= head.order:
                return None
        return head.at

    def _standing_time(self, device: str, event: Event) -> Corrected | None:
        if event.origin is None or not isinstance(event, StatusEvent):
            return None
        head = self._latest(event.unit, device)
        if head is None or not head.ranks or not head.is_at(event.origin.stream, event.origin.seq):
            return None
        return (
            Corrected(head.at, head.proven, head.bounded)
            if (event.boot, event.mono_ms) == (head.boot, head.mono_ms)
            else None
        )


def make_head(
    row: EventRow, event: StatusEvent, ordinal_of: Callable[[Stream], int | None], schemes: dict[str, Scheme]
) -> Head | None:
    """Make the head that a stored status comes to; None for an event code, which never stands.

    An origin counts where it is in an earlier stream of the device: it never makes a press newer than its place does.
    """
    scheme = schemes.get(event.scheme)
    code = scheme.code(event.code) if scheme is not None else None
    if scheme is None or code is None or code.availability is None:
        return None
    ordinal = ordinal_of((row.device, row.stream)) or 0
    origin = event.origin
    origin_ordinal = ordinal if origin is None else ordinal_of((row.device, origin.stream)) or ordinal
    return Head(
        unit=row.unit or event.unit,
        device=row.device,
        ordinal=ordinal,
        stream=row.stream,
        seq=row.seq,
        origin=origin if origin_ordinal < ordinal else None,
        origin_ordinal=origin_ordinal if origin_ordinal < ordinal else 0,
        boot=event.boot,
        mono_ms=event.mono_ms,
        scheme=scheme.name,  # the scheme's own texts, and not a copy for each head
        code=code.code,
        label=code.label,
        availability=code.availability,
        meaning=code,
        by=event.by,
        mode=event.mode,
        at=row.corrected_at,
        proven=row.proven,
        received=row.received_at,
        bounded=not row.proven and row.corrected_at < row.received_at,
    )


def load_heads(loaded: Loaded, schemes: dict[str, Scheme]) -> Iterable[Head]:
    """Make the heads that stood when the last process stopped."""
    ordinals = {(mark.device, mark.stream): mark.ordinal for mark in loaded.watermarks}
    for row in loaded.heads:
        event = codec.decode_event(row.body)
        if isinstance(event, StatusEvent):
            head = make_head(row, event, ordinals.get, schemes)
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


def _load_streams(loaded: Loaded) -> dict[Stream, _Stream]:
    streams: dict[Stream, _Stream] = {}
    for mark in loaded.watermarks:
        known = streams.setdefault((mark.device, mark.stream), _Stream(mark.ordinal))
        if mark.queue == "status" and mark.corrected_at is not None:
            known.at = mark.corrected_at
    return streams


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
