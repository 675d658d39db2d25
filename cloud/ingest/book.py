"""Turns a group of work into one ledger commit, and says what holds once it is durable. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from cloud.directory import InForce
from cloud.fleet.clocks import Corrected
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import CONTROL, Head, newer
from cloud.ingest.judge import Judged
from cloud.ingest.marks import Mark
from cloud.ingest.sayings import Saying, Sayings, Stream, make_saying
from cloud.ingest.standing import make_head, ordinals_in
from cloud.ingest.work import Aside, Recorded, Said, Work
from cloud.ledger import Commit, EventRow, Gap, Loaded, Refused, Watermark
from wire.events import BindingEvent, CrewEvent, DefectEvent, EmergencyEvent, Event, Mode, Queue, StatusEvent

APART = "apart"
"""The name that the ledger has the latest status under that was declared in another mode than live."""


class _Stream(msgspec.Struct, gc=False):
    """What a device's stream has come to: its ordinal, and the newest time that is proven of one of its statuses."""

    ordinal: int
    at: datetime | None = None


_Key = tuple[str, str, bool]
"""A unit, a device, and whether the status was declared in earnest: in the mode live."""


class Entry(msgspec.Struct, frozen=True):
    """A commit, and what to show and settle after it."""

    commit: Commit
    heads: list[Head]
    marks: list[Mark]
    recorded: list[Recorded]
    sayings: list[Saying]


class Book:
    """Gives out event ids and links each unit's events into a chain. One writer."""

    def __init__(self, loaded: Loaded, in_force: InForce, fleet: Fleet) -> None:
        """Go on from what the ledger holds."""
        self._next_id = loaded.next_event_id
        self._tails = dict(loaded.tails)
        self._in_force = in_force
        self._fleet = fleet
        self._streams = _load_streams(loaded)
        self._ordinal = ordinals_in(self._streams)
        self._heads: dict[_Key, Head] = {}
        """Those that the fleet doesn't show, yet or at all: it has the others."""
        self._sayings = Sayings()

    def know_head(self, head: Head) -> None:
        """Note a head that the ledger holds already."""
        self._heads[_key_of(head)] = head

    def know_saying(self, saying: Saying) -> None:
        """Note a crew, a defect or an automatic status that the ledger holds already."""
        self._sayings.keep(saying)

    def enter(self, group: Iterable[Work | Aside]) -> Entry:
        """Make the commit for a group. Times are corrected here, once, and stored."""
        self._heads = {key: head for key, head in self._heads.items() if self._shown(*key) is not head}
        entry = Entry(Commit(), [], [], [], [])
        for item in group:
            if isinstance(item, Aside):
                entry.commit.refused.append(_aside_row(item))
            else:
                self._enter_work(entry, item)
        return entry

    def enter_said(self, said: Said) -> Entry:
        """Make the commit for a person's word at control: its time is what that person gave.

        It always stands as control's word, for it is the newest. Take it back where it can't be committed.
        """
        entry = Entry(Commit(), [], [], [], [])
        row = EventRow(
            id=self._next_id,
            device=CONTROL,
            stream=said.stream,
            queue=None,
            seq=said.event.seq,
            kind=str(said.event.__struct_config__.tag),
            unit=said.event.unit,
            mode=said.event.mode,
            at=said.event.at,
            received_at=said.received.utc,
            corrected_at=said.event.at,
            proven=True,
            prev=self._tails.get(said.event.unit),
            body=said.raw,
        )
        self._append(entry, row, said.event)
        schemes = self._in_force.directory.schemes
        head = make_head(row, said.event, self._ordinal, schemes) if isinstance(said.event, StatusEvent) else None
        if head is not None:
            self._enter_head(entry, row, head)
        self._enter_saying(entry, row, said.event)
        return entry

    def take_back(self, entry: Entry) -> None:
        """Undo the last entry, which was a person's word and is not in the ledger."""
        (row,) = entry.commit.events
        assert row.unit is not None and row.id == self._next_id - 1
        self._next_id = row.id
        if row.prev is None:
            del self._tails[row.unit]
        else:
            self._tails[row.unit] = row.prev
        for head in entry.heads:
            del self._heads[_key_of(head)]

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
        if isinstance(event, BindingEvent) and not (corrected.proven or corrected.bounded):
            corrected = self._before_the_next(work, judged.seq, corrected)
        unit = judged.unit if isinstance(event, BindingEvent | EmergencyEvent) else self._unit_of(event)
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
        self._append(entry, row, event)
        schemes = self._in_force.directory.schemes
        if isinstance(event, StatusEvent):
            head = make_head(row, event, self._ordinal, schemes)
            if head is not None and newer(self._latest(event.unit, row.device, event.mode), head):
                self._enter_head(entry, row, head)
        self._enter_saying(entry, row, event)

    def _enter_saying(self, entry: Entry, row: EventRow, event: Event) -> None:
        """Enter what an event says beside the statuses, where it is the latest of its name."""
        saying = make_saying(row, event, self._ordinal, self._in_force.directory.schemes)
        if saying is not None and self._sayings.keep(saying):
            entry.sayings.append(saying)
            entry.commit.latest.append((saying.unit, saying.device, saying.name, row.id))

    def _append(self, entry: Entry, row: EventRow, event: Event) -> None:
        """Enter an event under the next id, at the end of its unit's chain."""
        self._next_id += 1
        entry.commit.events.append(row)
        entry.recorded.append(Recorded(row.device, row, event))
        if row.unit is not None:
            self._tails[row.unit] = row.id
            entry.commit.tails.append((row.unit, row.id))

    def _enter_head(self, entry: Entry, row: EventRow, head: Head) -> None:
        """Enter the head that an event comes to. One that is not live leaves the live one where it is."""
        self._heads[_key_of(head)] = head
        entry.heads.append(head)
        if not head.is_live:
            entry.commit.latest.append((head.unit, head.device, APART, row.id))
        else:
            entry.commit.heads.append((head.unit, head.device, row.id))

    def _unit_of(self, event: Event) -> str | None:
        """Give the unit whose history an event belongs to."""
        if isinstance(event, StatusEvent | CrewEvent | DefectEvent):
            return self._fleet.name(event.unit)
        return None

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

    def _before_the_next(self, work: Work, seq: int, corrected: Corrected) -> Corrected:
        """Correct a claim of an unknown time: it was made before whatever its device said after it.

        A binding reaches back to it, so that what was pressed since counts, however late both were heard.
        """
        events = (one.event for one in work.judged if one.event is not None and one.seq > seq)
        later = (self._fleet.correct(work.device, event, work.received, work.ordinal) for event in events)
        return Corrected(min([corrected.at, *(one.at for one in later if one.proven)]), False)

    def _latest(self, unit: str, device: str, mode: Mode) -> Head | None:
        """Give the newest head of a device: the live one, or the one that is not, as the mode is."""
        key = unit, device, mode == "live"
        return self._heads.get(key) or self._shown(*key)

    def _shown(self, unit: str, device: str, is_live: bool) -> Head | None:
        return next((head for head in self._fleet.heads(unit, device) if head.is_live == is_live), None)

    def _bound_by_head(self, device: str, event: Event) -> datetime | None:
        """Give the time of the status that this one follows, as the first in a new stream of its device."""
        head = self._latest(event.unit, device, event.mode) if isinstance(event, StatusEvent) else None
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
        head = self._latest(event.unit, device, event.mode)
        if head is None or not head.ranks or not head.is_at(event.origin.stream, event.origin.seq):
            return None
        return (
            Corrected(head.at, head.proven, head.bounded)
            if (event.boot, event.mono_ms) == (head.boot, head.mono_ms)
            else None
        )


def _key_of(head: Head) -> _Key:
    return head.unit, head.device, head.is_live


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
