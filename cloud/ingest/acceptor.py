"""Accepts messages: who may send what, what is new in it, and what is answered at once. Pure; time comes in.

One owner, one thread. What has to be committed goes to `status` or `track`; what can be answered goes to `outgoing`.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from cloud.directory import Device, Directory
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.link import freshness, thresholds_s
from cloud.fleet.position import Place
from cloud.ingest.judge import Judged, is_enrolled, judge, object_to
from cloud.ingest.marks import Fit, Key, Mark, find_outgrown, fit, start_mark
from cloud.ingest.succession import Succession, Successions, find_lost
from cloud.ingest.work import Aside, Outgoing, Work
from cloud.ledger.rows import REFUSED_KEPT
from wire import codec, topics
from wire.messages import (
    MESSAGE_BYTES_MAX,
    Birth,
    Death,
    Envelope,
    Heartbeat,
    Hello,
    PositionEvent,
    Queue,
    QueueSettle,
    RefusedSeq,
    Settle,
    ShownStatus,
    State,
    UpMessage,
)
from wire.topics import UpTopic

IDS_KEPT = 16
"""How many of the newest ids given to a device are remembered, so that an echo of an older one still proves."""
PENDING_MAX = 20_000
"""Envelopes and messages kept aside that may wait for a commit; past it track waits on the devices."""
WAITING_MAX = 256
"""Envelopes of one device's queue that may wait for a commit; past it they are left for the device to send again."""
STREAMS_MAX = 256
"""Streams of one enrolment. A device mints one when its outbox is damaged, put back or forked: more is a fault."""
STATE_VALID_S = 86_400.0
STATE_EVERY_S = 3_600.0
"""A device that speaks is told the state again when it was last told longer ago than this: it must not run out."""


class Acceptor:
    """Holds the marks, and turns each message into work, an answer, or a line kept aside."""

    def __init__(self, directory: Directory, fleet: Fleet, marks: Iterable[Mark], *, owner_term: int) -> None:
        """Go on from the committed `marks`."""
        self._directory = directory
        self._fleet = fleet
        self._owner_term = owner_term
        self._ids: dict[str, deque[tuple[str, float]]] = {}
        self._greetings: deque[tuple[str, float]] = deque(maxlen=IDS_KEPT)
        self._next_id = 0
        self._state_version = 0
        self._told_s: dict[str, float] = {}
        """When each device was last told the state."""
        self._first_heard_s: dict[str, float] = {}
        self._successions = Successions()
        self._ordinals: dict[str, dict[str, int]] = {}
        self._waiting: Counter[tuple[str, Queue]] = Counter()
        self.committed: dict[Key, Mark] = {}
        self._accepted: dict[Key, Mark] = {}
        for mark in marks:
            key = (mark.device, mark.stream, mark.queue)
            self.committed[key] = self._accepted[key] = mark
            self._ordinals.setdefault(mark.device, {})[mark.stream] = mark.ordinal
        self.status: deque[Work | Aside] = deque()
        self.track: deque[Work] = deque()
        self.outgoing: list[Outgoing] = []
        self.counts: Counter[str] = Counter()

    def receive(self, topic: str, payload: bytes, now: Moment) -> None:
        """Take one message in."""
        self.counts["messages"] += 1
        where = topics.parse_up(topic)
        if where is None:
            return self._set_aside(Aside(topic=topic[:300], reason="unknown_topic", raw=payload, received=now))
        device = self._directory.devices.get(where.device)
        if device is None or device.organisation != where.org:
            return self._set_aside(Aside(topic=topic, reason="foreign_device", raw=payload, received=now))
        message = codec.decode_up(payload)
        objection = object_to(where, device, message) or self._stream_objection(device, message)
        if isinstance(message, codec.Rejected) or objection:
            aside = Aside(topic=topic, reason=objection, raw=payload, received=now, device=device.id)
            return self._set_aside(aside)
        self._dispatch(topic, where, message, payload, now)

    def greet(self, now: Moment) -> None:
        """Tell every organisation's devices that this ingest has started listening."""
        greeting = self._make_id()
        self._greetings.append((greeting, now.mono_s))
        payload = codec.encode(Hello(v=1, id=greeting, owner_term=self._owner_term))
        for org in self._directory.organisations:
            self.outgoing.append(Outgoing(topics.hello(org), payload))

    def settle(
        self, device: str, keys: Iterable[Key], now: Moment, mint: Literal["", "fork", "superseded"] = ""
    ) -> None:
        """Answer a device: how far these queues have ended. With no key it is the plain answer."""
        queues = [_queue_settle(self.committed[key]) for key in keys if key in self.committed]
        answer = self._make_id()
        self._ids.setdefault(device, deque(maxlen=IDS_KEPT)).append((answer, now.mono_s))
        message = Settle(v=1, id=answer, owner_term=self._owner_term, queues=queues, mint=mint)
        org = self._directory.devices[device].organisation
        self.outgoing.append(Outgoing(topics.down(org, device, "settle"), codec.encode(message)))

    def tell_state(self, devices: Iterable[str], now: Moment) -> None:
        """Publish what control believes of the units bound to these devices."""
        for device in devices:
            self._state_version += 1
            self._told_s[device] = now.mono_s
            shown = (self._shown(unit.id) for unit in self._directory.device_units(device))
            state = State(
                v=1,
                owner_term=self._owner_term,
                version=self._state_version,
                valid_until=_later(now, STATE_VALID_S),
                units=[one for one in shown if one is not None],
            )
            org = self._directory.devices[device].organisation
            self.outgoing.append(Outgoing(topics.down(org, device, "state"), codec.encode(state), retain=True))

    def ordinal(self, device: str, stream: str) -> int:
        """Which of a device's streams this is. One not seen before supersedes all that were."""
        known = self._ordinals.setdefault(device, {})
        if stream not in known:
            known[stream] = max(known.values(), default=0) + 1
            self.counts["streams"] += 1
        return known[stream]

    def commit_mark(self, mark: Mark, now: Moment) -> None:
        """Note that a mark is durable."""
        key = (mark.device, mark.stream, mark.queue)
        self.committed[key] = mark
        self._waiting[(mark.device, mark.queue)] = max(0, self._waiting[(mark.device, mark.queue)] - 1)
        if mark.queue == "status":
            self._fleet.apply_through(mark.device, mark.ordinal, mark.through, now)

    def _stream_objection(self, device: Device, message: UpMessage | codec.Rejected) -> str:
        """Bound what one device can make us remember: each stream is remembered for good."""
        known = self._ordinals.get(device.id, {})
        if isinstance(message, codec.Rejected | Death) or message.stream in known or len(known) < STREAMS_MAX:
            return ""
        same = sum(is_enrolled(stream, device.enrolment) for stream in known)
        return "too_many_streams" if same >= STREAMS_MAX else ""

    def _dispatch(self, topic: str, where: UpTopic, message: UpMessage, payload: bytes, now: Moment) -> None:
        if isinstance(message, Death):  # the end of a stream not heard of since the start ends nothing
            known = self._ordinals.get(where.device, {}).get(message.stream)
            if known is not None:
                self._fleet.apply_death(where.device, message, known, now)
            return
        ordinal = self.ordinal(where.device, message.stream)
        match message:
            case Heartbeat() | Birth():
                self._receive_vitals(where.device, message, ordinal, now)
            case Envelope():
                self._fleet.apply_sent(where.device, message.boot, message.sent_mono_ms, now, ordinal)
                if where.channel == "live":
                    self._receive_live(topic, where, message, ordinal, now)
                else:
                    self._receive_queue(topic, where, message, payload, now)

    def _receive_vitals(self, device: str, vitals: Heartbeat | Birth, ordinal: int, now: Moment) -> None:
        echoed_s = self._sent_s(device, vitals.echo.id) if vitals.echo is not None else None
        before = self._fleet.link(device)
        if not self._fleet.apply_vitals(device, vitals, ordinal, echoed_s, now):
            self.counts["replayed"] += 1
            if self._was_put_back(device, ordinal, now):
                self.settle(device, (), now, "superseded")
            return
        if self._was_put_back(device, ordinal, now):
            self.settle(device, (), now, "superseded")
        else:
            self.settle(device, find_outgrown(self.committed, vitals), now)
        if isinstance(vitals, Birth) or now.mono_s - self._told_s.get(device, -math.inf) > STATE_EVERY_S:
            self.tell_state((device,), now)
        if isinstance(vitals, Birth):
            self._record_lost(device, self._successions.begin(before, vitals), now)

    def _record_lost(self, device: str, ended: Succession | None, now: Moment) -> None:
        """Once a stream has brought all that it carried: record what the one before had named and nobody sent."""
        if ended is None:
            return
        stream, ordinal = ended.predecessor, self.ordinal(device, ended.predecessor)
        mark = self._accepted.get((device, stream, "status")) or start_mark(device, stream, "status", ordinal)
        org = self._directory.devices[device].organisation
        topic = topics.up(org, device, "status")
        lost = Work(org=org, device=device, topic=topic, stream=stream, ordinal=ordinal, received=now, mark=mark)
        for gap in find_lost(ended, mark.through):
            self.counts["lost_with_stream"] += gap.last - gap.first + 1
            self._waiting[(device, "status")] += 1
            self.status.append(msgspec.structs.replace(lost, gap=gap))

    def _was_put_back(self, device: str, ordinal: int, now: Moment) -> bool:
        """Tell whether a device speaks in an old stream while nobody speaks in its newer one: a card put back.

        Whoever speaks in the newer one has, from the device's first word since the start, as long to prove it as it
        may be silent.
        """
        first_s = self._first_heard_s.setdefault(device, now.mono_s)
        link = self._fleet.link(device)
        if link is None or ordinal == max(self._ordinals[device].values()):
            return False
        if now.mono_s - first_s <= thresholds_s(link)[0]:
            return False
        return ordinal == link.order[0] or freshness(link, now.mono_s) != "fresh"

    def _receive_live(self, topic: str, where: UpTopic, envelope: Envelope, ordinal: int, now: Moment) -> None:
        judged = tuple(self._judge_live(where.device, bytes(raw)) for raw in envelope.events)
        for one in judged:
            if isinstance(one.event, PositionEvent):
                self.place(where.device, envelope.stream, ordinal, one.event, now)
        if len(self.track) >= PENDING_MAX:
            self.counts["live_not_stored"] += 1
            return
        work = Work(
            org=where.org,
            device=where.device,
            topic=topic,
            stream=envelope.stream,
            ordinal=ordinal,
            received=now,
            judged=judged,
        )
        self.track.append(work)

    def place(self, device: str, stream: str, ordinal: int, event: PositionEvent, received: Moment) -> None:
        """Fold a position into the fleet."""
        corrected = self._fleet.correct(device, event, received, ordinal)
        place = Place(
            ordinal=ordinal,
            stream=stream,
            boot=event.boot,
            seq=event.seq,
            mono_ms=event.mono_ms,
            event=event,
            at=corrected.at,
            proven=corrected.proven,
            received_s=received.mono_s,
        )
        self._fleet.apply_place(device, place, received)

    def _receive_queue(self, topic: str, where: UpTopic, envelope: Envelope, payload: bytes, now: Moment) -> None:
        key: Key = (where.device, envelope.stream, envelope.queue)
        ordinal = self.ordinal(where.device, envelope.stream)
        mark = self._accepted.get(key) or start_mark(where.device, envelope.stream, envelope.queue, ordinal)
        found = fit(mark, envelope)
        match found.outcome:
            case "fork":
                return self._refuse_fork(topic, where, envelope, payload, now)
            case "known":
                return self._answer_known(key, mark, now)
        if self._must_wait(where.device, envelope.queue):
            self.counts[f"{envelope.queue}_deferred"] += 1
            return
        self._enqueue(topic, where, mark, found, now)

    def _refuse_fork(self, topic: str, where: UpTopic, envelope: Envelope, payload: bytes, now: Moment) -> None:
        self.counts["forks"] += 1
        aside = Aside(
            topic=topic, reason="fork", raw=payload, received=now, device=where.device, stream=envelope.stream
        )
        self._set_aside(aside)
        self.settle(where.device, (), now, "fork")

    def _answer_known(self, key: Key, mark: Mark, now: Moment) -> None:
        """Settle again what is durable; while a commit is in flight its own settle will come."""
        self.counts["duplicates"] += 1
        committed = self.committed.get(key)
        if committed is not None and committed.through == mark.through:
            self.settle(mark.device, (key,), now)

    def _must_wait(self, device: str, queue: Queue) -> bool:
        if queue == "track" and len(self.track) >= PENDING_MAX:
            return True
        return self._waiting[(device, queue)] >= WAITING_MAX

    def _enqueue(self, topic: str, where: UpTopic, mark: Mark, found: Fit, now: Moment) -> None:
        judged = tuple(
            self._judge(where.device, raw, found.first_seq + place, mark.queue) for place, raw in enumerate(found.fresh)
        )
        if found.gap is not None:
            self.counts[f"gone_{mark.queue}"] += found.gap.last - found.gap.first + 1
        changed = msgspec.structs.replace(
            mark,
            through=found.first_seq + len(judged) - 1,
            digest=found.digest,
            refused=(*mark.refused, *_refusals(judged))[-REFUSED_KEPT:],
        )
        self._accepted[(mark.device, mark.stream, mark.queue)] = changed
        self._waiting[(mark.device, mark.queue)] += 1
        work = Work(
            org=where.org,
            device=where.device,
            topic=topic,
            stream=mark.stream,
            ordinal=mark.ordinal,
            received=now,
            judged=judged,
            mark=changed,
            gap=found.gap,
        )
        if mark.queue == "status":
            self.status.append(work)
            ended = self._successions.note(mark.device, mark.stream, judged, changed.through)
            self._record_lost(mark.device, ended, now)
        else:
            self.track.append(work)

    def _judge(self, device: str, raw: bytes, seq: int, queue: Queue) -> Judged:
        judged = judge(raw, seq, queue, self._directory.device_units(device), self._directory.schemes)
        if judged.reason:
            self.counts[f"refused_{judged.reason}"] += 1
        return judged

    def _judge_live(self, device: str, raw: bytes) -> Judged:
        event = codec.decode_event(raw)
        seq = 0 if isinstance(event, codec.Rejected) else event.seq
        return self._judge(device, raw, seq, "track")

    def _set_aside(self, aside: Aside) -> None:
        self.counts[f"aside_{aside.reason}"] += 1
        if len(self.status) >= PENDING_MAX:
            self.counts["aside_not_kept"] += 1
            return
        self.status.append(msgspec.structs.replace(aside, raw=aside.raw[:MESSAGE_BYTES_MAX]))

    def _shown(self, unit: str) -> ShownStatus | None:
        head = self._fleet.standing(unit)
        if head is None:
            return None
        return ShownStatus(
            unit=unit,
            scheme=head.scheme,
            code=head.code,
            label=head.label,
            since=head.at,
            by=head.by,
            device=head.device,
            stream=head.stream,
            seq=head.seq,
        )

    def _sent_s(self, device: str, echoed: str) -> float | None:
        given = (*self._ids.get(device, ()), *self._greetings)
        return next((sent_s for given_id, sent_s in given if given_id == echoed), None)

    def _make_id(self) -> str:
        self._next_id += 1
        return f"{self._owner_term}-{self._next_id}"


def _later(now: Moment, duration_s: float) -> datetime:
    return now.utc + timedelta(seconds=duration_s)


def _queue_settle(mark: Mark) -> QueueSettle:
    return QueueSettle(
        stream=mark.stream,
        queue=mark.queue,
        through=mark.through,
        digest=mark.digest.hex(),
        refused=list(mark.refused),
    )


def _refusals(judged: Iterable[Judged]) -> tuple[RefusedSeq, ...]:
    return tuple(RefusedSeq(one.seq, one.reason) for one in judged if one.reason)
