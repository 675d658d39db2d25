"""Accepts messages: who may send what, what is new in it, and what is answered at once. Pure; time comes in.

One owner, one thread. What has to be committed goes to `status` or `track`; what can be answered goes to `outgoing`.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from cloud.directory import InForce
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.position import make_place
from cloud.fleet.troubles import Troubles
from cloud.ingest.copies import Copies
from cloud.ingest.echoes import Echoes
from cloud.ingest.emergencies import Emergencies, record_live
from cloud.ingest.judge import Judged, judge, object_to
from cloud.ingest.marks import Fit, Gap, Key, Mark, find_outgrown, fit, start_mark, unrecorded
from cloud.ingest.nonces import Nonce, Nonces
from cloud.ingest.privacy import Privacy
from cloud.ingest.rights import Rights, Speaking
from cloud.ingest.states import States
from cloud.ingest.streams import Streams
from cloud.ingest.succession import Succession, Successions, find_lost
from cloud.ingest.work import Aside, Outgoing, Recorded, Said, Work
from cloud.ledger.rows import REFUSED_KEPT
from wire import codec, topics
from wire.events import EmergencyEvent, InputEvent, PositionEvent, Queue
from wire.messages import (
    MESSAGE_BYTES_MAX,
    Birth,
    Death,
    Envelope,
    Heartbeat,
    Hello,
    QueueSettle,
    RefusedSeq,
    Settle,
    UpMessage,
)
from wire.topics import UpChannel, UpTopic

PENDING_MAX = 20_000
"""Envelopes and messages kept aside that may wait for a commit; past it track waits on the devices."""
WAITING_MAX = 256
"""Envelopes of one device's queue that may wait for a commit; past it they are left for the device to send again."""


class Acceptor:
    """Holds the marks, and turns each message into work, an answer, or a line kept aside."""

    def __init__(self, in_force: InForce, fleet: Fleet, marks: Iterable[Mark], *, owner_term: int) -> None:
        """Go on from the committed `marks`."""
        self._in_force = in_force
        self.speaking = Speaking(in_force)
        """What each device may say."""
        self.privacy = Privacy()
        self._fleet = fleet
        self._owner_term = owner_term
        self._echoes = Echoes(owner_term)
        self.states = States(in_force, fleet, owner_term)
        self._gone: dict[tuple[str, str], int] = {}
        """Up to where a stream's lost statuses were recorded before an envelope showed them missing."""
        self._copies = Copies(fleet)
        self._nonces = Nonces()
        self._emergencies = Emergencies()
        self._successions = Successions()
        self._waiting: Counter[tuple[str, Queue]] = Counter()
        self.committed: dict[Key, Mark] = {}
        self._accepted: dict[Key, Mark] = {}
        """Only those that are ahead of what is committed."""
        for mark in marks:
            self.committed[(mark.device, mark.stream, mark.queue)] = mark
        self.counts: Counter[str] = Counter()
        self.troubles = Troubles()
        self._streams = Streams(self.committed.values(), self.counts)
        self.status: deque[Work | Aside | Said] = deque()
        self.track: deque[Work] = deque()
        self.outgoing: list[Outgoing] = []
        self.recorded: list[Recorded] = []
        """What is to be acted on before `outgoing` is published."""
        self.heard: Counter[tuple[type[UpMessage], UpChannel]] = Counter()
        """Messages that were not kept aside, by kind and channel."""

    @property
    def nonces(self) -> Mapping[str, Nonce]:
        """The newest nonce of each device that has proven when it minted it."""
        return self._nonces.newest

    def receive(self, topic: str, payload: bytes, now: Moment) -> None:
        """Take one message in."""
        self.counts["messages"] += 1
        where = topics.parse_up(topic)
        if where is None:
            return self._set_aside(Aside(topic=topic[:300], reason="unknown_topic", raw=payload, received=now))
        device = self._in_force.directory.devices.get(where.device)
        if device is None or device.organisation != where.org:
            return self._set_aside(Aside(topic=topic, reason="foreign_device", raw=payload, received=now))
        where = UpTopic(device.organisation, device.id, where.channel)  # the directory's own texts: one of each is kept
        message = codec.decode_up(payload)
        objection = object_to(where, device, message) or self._streams.objection(device, message)
        if isinstance(message, codec.Rejected) or objection:
            aside = Aside(topic=topic, reason=objection, raw=payload, received=now, device=device.id)
            return self._set_aside(aside)
        self._dispatch(topic, where, message, payload, now)

    def greet(self, now: Moment) -> None:
        """Tell every organisation's devices that this ingest has started listening."""
        payload = codec.encode(Hello(v=1, id=self._echoes.greet(now), owner_term=self._owner_term))
        for org in self._in_force.directory.organisations:
            self.outgoing.append(Outgoing(topics.hello(org), payload))

    def settle(
        self, device: str, keys: Iterable[Key], now: Moment, mint: Literal["", "fork", "superseded"] = ""
    ) -> None:
        """Answer a device: how far these queues have ended. With no key it is the plain answer.

        One that is no longer in the directory gets none.
        """
        known = self._in_force.directory.devices.get(device)
        if known is None:
            return
        queues = [_queue_settle(self.committed[key]) for key in keys if key in self.committed]
        message = Settle(v=1, id=self._echoes.give(device, now), owner_term=self._owner_term, queues=queues, mint=mint)
        self.outgoing.append(Outgoing(topics.down(known.organisation, device, "settle"), codec.encode(message)))

    def tell_state(self, devices: Iterable[str], now: Moment) -> None:
        """Publish what control believes of the units bound to these devices."""
        self.outgoing += self.states.tell(devices, now)

    def ordinal(self, device: str, stream: str) -> int:
        """Which of a device's streams this is. One not seen before supersedes all that were."""
        return self._streams.find(device, stream)[1]

    def commit_mark(self, mark: Mark, now: Moment) -> None:
        """Note that a mark is durable."""
        key = (mark.device, mark.stream, mark.queue)
        self.committed[key] = mark
        if key in self._accepted and self._accepted[key].through == mark.through:
            del self._accepted[key]
        waiting = self._waiting.pop((mark.device, mark.queue), 0) - 1
        if waiting > 0:
            self._waiting[(mark.device, mark.queue)] = waiting
        if mark.queue == "status":
            self._fleet.apply_through(mark.device, mark.ordinal, mark.through, now)

    def known(self, device: str) -> dict[str, int]:
        """Give the streams of a device, each with its ordinal."""
        return self._streams.known(device)

    def _dispatch(self, topic: str, where: UpTopic, message: UpMessage, payload: bytes, now: Moment) -> None:
        self.heard[type(message), where.channel] += 1
        if isinstance(message, Death):  # the end of a stream not heard of since the start ends nothing
            known = self.known(where.device).get(message.stream)
            if known is not None:
                self._fleet.apply_death(where.device, message, known, now)
            return
        stream, ordinal = self._streams.find(where.device, message.stream)
        msgspec.structs.force_setattr(message, "stream", stream)  # just decoded and ours: one text is kept, not many
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
        echoed_s = self._echoes.sent_s(device, vitals.echo.id) if vitals.echo is not None else None
        before = self._fleet.link(device)
        if not self._fleet.apply_vitals(device, vitals, ordinal, echoed_s, now):
            self.counts["replayed"] += 1
            late = self._is_put_back(device, ordinal, now) or self._copies.is_alive(vitals, ordinal, echoed_s, now)
            self.settle(device, (), now, "superseded" if late else "")  # who never gets an id can never prove itself
            return
        self._nonces.note(vitals, self._fleet.link(device), now)
        if self._is_put_back(device, ordinal, now):
            self.settle(device, (), now, "superseded")
        else:
            self.settle(device, find_outgrown(self.committed, vitals), now)
        if isinstance(vitals, Birth) or self.states.lacks(vitals, now):
            self.tell_state((device,), now)
        self._record_lost(device, self._successions.begin(before, vitals, ordinal), now)
        self._record_gone(vitals, ordinal, now)

    def _record_gone(self, vitals: Heartbeat | Birth, ordinal: int, now: Moment) -> None:
        """Record what a device has named, no longer holds, and never brought here: a ledger that was put back.

        Its outbox deletes only what was settled, so this cannot be on its way. The mark stays where it is, for only
        an envelope brings the digest to go on from.
        """
        device, last = vitals.device, vitals.last_seq.status
        key: Key = (device, vitals.stream, "status")
        if vitals.outbox.status or self._waiting.get((device, "status")) or key[:2] in self._gone:
            return  # once a stream: what is gone beyond that, an envelope will show
        if len(self.status) >= PENDING_MAX:
            return
        mark = self._newest_mark(key, ordinal)
        if mark.through >= last:
            return
        self._record_gap(mark, Gap(mark.through + 1, last, "not_held"), now)
        self._gone[key[:2]] = last
        self._fleet.apply_through(device, ordinal, last, now)

    def _record_lost(self, device: str, ended: Succession | None, now: Moment) -> None:
        """Once a stream has brought all that it carried: record what the one before had named and nobody sent."""
        if ended is None:
            return
        mark = self._newest_mark((device, ended.predecessor, "status"), self.ordinal(device, ended.predecessor))
        for gap in find_lost(ended, mark.through):
            self.counts["lost_with_stream"] += gap.last - gap.first + 1
            self._record_gap(mark, gap, now)

    def _record_gap(self, mark: Mark, gap: Gap, now: Moment) -> None:
        """Record a gap beyond a mark, which stays where it is."""
        self.counts[f"gone_{mark.queue}"] += gap.last - gap.first + 1
        org = self._in_force.directory.devices[mark.device].organisation
        topic = topics.up(org, mark.device, "status")
        self._waiting[(mark.device, mark.queue)] += 1
        self.status.append(
            Work(
                org=org,
                device=mark.device,
                topic=topic,
                stream=mark.stream,
                ordinal=mark.ordinal,
                received=now,
                mark=mark,
                gap=gap,
            )
        )

    def _is_put_back(self, device: str, ordinal: int, now: Moment) -> bool:
        return self._copies.is_put_back(device, ordinal, max(self.known(device).values()), now)

    def _receive_live(self, topic: str, where: UpTopic, envelope: Envelope, ordinal: int, now: Moment) -> None:
        rights = self.speaking.of(where.device)
        judged = tuple(self._judge_live(rights, bytes(raw), envelope.queue) for raw in envelope.events)
        work = Work(
            org=where.org,
            device=where.device,
            topic=topic,
            stream=envelope.stream,
            ordinal=ordinal,
            received=now,
            judged=judged,
        )
        if envelope.queue == "status":
            return self._hand_on(work)
        for one in judged:
            if isinstance(one.event, PositionEvent):
                self.place(where.device, envelope.stream, ordinal, one.event, now)
            elif isinstance(one.event, InputEvent):
                self.read(where.device, ordinal, one.event, now)
        if len(self.track) >= PENDING_MAX:
            self.counts["live_not_stored"] += 1
            return
        self.track.append(work)

    def _hand_on(self, work: Work) -> None:
        """Hand emergencies on ahead of their queue, which will bring them to the ledger."""
        for one in work.judged:
            if not isinstance(one.event, EmergencyEvent):
                continue
            if not self._emergencies.is_news(work.device, work.stream, one.event, self.committed):
                self.counts["emergencies_repeated"] += 1
                continue
            corrected = self._fleet.correct(work.device, one.event, work.received, work.ordinal)
            self.counts["emergencies_live"] += 1
            self.recorded.append(record_live(work, one, one.event, corrected))

    def place(self, device: str, stream: str, ordinal: int, event: PositionEvent, received: Moment) -> None:
        """Fold a position into the fleet, unless it is of a time when its unit was private."""
        corrected = self._fleet.correct(device, event, received, ordinal)
        carried = self._in_force.directory.carried_by(device)
        if carried is not None and self.privacy.hides(carried.id, corrected.at):
            return
        place = make_place(event, ordinal=ordinal, stream=stream, corrected=corrected, received_s=received.mono_s)
        self._fleet.apply_place(device, place, received)

    def read(self, device: str, ordinal: int, event: InputEvent, received: Moment) -> None:
        """Fold an input's value into the fleet; None for one that was not measured well."""
        at = self._fleet.correct(device, event, received, ordinal).at
        self._fleet.apply_input(device, event.name, event.value, at, (ordinal, event.seq), received)

    def _receive_queue(self, topic: str, where: UpTopic, envelope: Envelope, payload: bytes, now: Moment) -> None:
        ordinal = self.ordinal(where.device, envelope.stream)
        key: Key = (where.device, envelope.stream, envelope.queue)
        mark = self._newest_mark(key, ordinal)
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

    def _newest_mark(self, key: Key, ordinal: int) -> Mark:
        """Give how far a queue was accepted, committed or not."""
        return self._accepted.get(key) or self.committed.get(key) or start_mark(*key, ordinal)

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
        return self._waiting.get((device, queue), 0) >= WAITING_MAX

    def _enqueue(self, topic: str, where: UpTopic, mark: Mark, found: Fit, now: Moment) -> None:
        rights = self.speaking.of(where.device)
        numbered = enumerate(found.fresh, found.first_seq)
        judged = tuple([self._judge(rights, raw, seq, mark.queue) for seq, raw in numbered])
        gap = unrecorded(found.gap, self._gone.get((mark.device, mark.stream), 0) if mark.queue == "status" else 0)
        if gap is not None:
            self.counts[f"gone_{mark.queue}"] += gap.last - gap.first + 1
        refused = _refusals(judged)
        self.troubles.note_refused(where.device, refused, now.utc)
        changed = msgspec.structs.replace(
            mark,
            through=found.first_seq + len(judged) - 1,
            digest=found.digest,
            refused=(*mark.refused, *refused)[-REFUSED_KEPT:],
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
            gap=gap,
        )
        if mark.queue == "status":
            self.status.append(work)
            ended = self._successions.note(mark.device, mark.stream, judged, changed.through)
            self._record_lost(mark.device, ended, now)
        else:
            self.track.append(work)

    def _judge(self, rights: Rights, raw: bytes, seq: int, queue: Queue) -> Judged:
        judged = judge(raw, seq, queue, rights)
        if judged.reason:
            self.counts[f"refused_{judged.reason}"] += 1
        return judged

    def _judge_live(self, rights: Rights, raw: bytes, queue: Queue) -> Judged:
        event = codec.decode_event(raw)
        seq = 0 if isinstance(event, codec.Rejected) else event.seq
        return self._judge(rights, raw, seq, queue)

    def _set_aside(self, aside: Aside) -> None:
        self.counts[f"aside_{aside.reason}"] += 1
        self.troubles.note_aside(aside.device, aside.topic, aside.reason, aside.received.utc)
        if len(self.status) >= PENDING_MAX:
            self.counts["aside_not_kept"] += 1
            return
        self.status.append(msgspec.structs.replace(aside, raw=aside.raw[:MESSAGE_BYTES_MAX]))


def _queue_settle(mark: Mark) -> QueueSettle:
    return QueueSettle(
        stream=mark.stream,
        queue=mark.queue,
        through=mark.through,
        digest=mark.digest.hex(),
        refused=list(mark.refused),
    )


def _refusals(judged: Iterable[Judged]) -> tuple[RefusedSeq, ...]:
    return tuple([RefusedSeq(one.seq, one.reason) for one in judged if one.reason])
