"""A process of its own: many devices that have more to send than ingest can take, on one bare connection.

`python -m benchmarks.ingest_load PORT status|track DEVICES EVENTS SECONDS STREAM` speaks the protocol: each device is
born, echoes the answer, and then has one envelope of EVENTS events in flight; the next goes when the settle of the one
before it has come and its digest is the device's own. One that is not settled within 3 s is sent again. It prints
`window` when the count begins, then the count as JSON, then, once everything is settled, the total as JSON.

`python -m benchmarks.ingest_load PORT flood DEVICES EVENTS SECONDS STREAM` sends such envelopes as fast as the broker
takes them, and never more than `FLOOD_AHEAD` before what the null consumer has said that it got.
"""

import asyncio
import json
import sys
from datetime import datetime
from itertools import cycle

import msgspec

from benchmarks.bare_mqtt import CAME, Bare, connect
from benchmarks.processes import SCHEME
from benchmarks.spoken import ORG, device_name, unit_name
from cloud.clock import SystemClock
from cloud.ingest import packets
from cloud.ingest.packets import Published
from wire import codec, topics
from wire.digest import extend, genesis
from wire.events import Queue
from wire.messages import Birth, Echo, Heartbeat, LastSeq, OutboxDepth

WARM_UP_S = 2.0
RESEND_S = 3.0
DRAIN_S = 30.0
WATCH_S = 0.5
FLOOD_AT_ONCE = 100
FLOOD_AHEAD = 20_000
FLOOD_STALLED_S = 0.2
"""After this long without word from the consumer, what is on its way is taken for lost."""
CODES = (b"4", b"1", b"2")
_clock = SystemClock()

_ENVELOPE = (
    b'{"type":"envelope","v":1,"device":"%b","boot":1,"conn":1,"sent_mono_ms":%d,"sent_at":"%b","clock":"gnss",'
    b'"stream":"%b","signature":"","queue":"%b","first_held":%d,"base_digest":"%b","events":[%b]}'
)
_STATUS = (
    b'{"kind":"status","seq":%d,"at":"%b","clock":"gnss","boot":1,"mono_ms":%d,"mode":"live","unit":"%b",'
    b'"scheme":"' + SCHEME.encode() + b'","code":"%b","by":"panel"}'
)
_POSITION = (
    b'{"kind":"position","seq":%d,"at":"%b","clock":"gnss","boot":1,"mono_ms":%d,"mode":"live","fix":"3d",'
    b'"lat":51.2%04d1,"lon":0.5%04d3,"speed_mps":13.4,"heading_deg":90.5,"accuracy_m":4.1,"satellites":11}'
)
"""As `codec.encode` writes them: formatting costs a third of it."""


class _Ended(msgspec.Struct):
    through: int
    digest: str


class _Answer(msgspec.Struct):
    id: str
    queues: list[_Ended] = []


_answers = msgspec.json.Decoder(_Answer)


class Sender:
    """One device, one queue, one envelope in flight."""

    def __init__(self, number: int, queue: Queue, events: int, stream: str) -> None:
        """Nothing is sent yet."""
        name = device_name(number)
        self._device, self._unit = name.encode(), unit_name(number).encode()
        self._queue, self._events = queue, events
        self.stream = f"E{number:05d}-{stream}"
        self._digest = genesis(self.stream, queue)
        self._seq = 0
        self._channel: topics.UpChannel = "status" if queue == "status" else "history"
        self._topic = topics.up(ORG, name, self._channel)
        self._flight = b""
        self.proved = False
        self.sent_s = 0.0

    def birth(self, at: datetime) -> bytes:
        """The first message."""
        birth = Birth(**self._vitals(at), software="b", config_hash="b")  # type: ignore[arg-type]
        return self._publish("link", codec.encode(birth))

    def heartbeat(self, at: datetime, answer: str) -> bytes:
        """Echo the first answer: from here on the device's clock is mapped."""
        self.proved = True
        return self._publish("live", codec.encode(Heartbeat(**self._vitals(at), echo=Echo(answer, 0))))  # type: ignore[arg-type]

    def next(self, at: bytes) -> bytes:
        """The next envelope, as a packet."""
        now_ms = self._stamp()
        first, base = self._seq + 1, self._digest.hex().encode()
        events = [self._event(seq, at, now_ms) for seq in range(first, first + self._events)]
        for event in events:
            self._digest = extend(self._digest, event)
        self._seq += self._events
        sent = (self._device, now_ms, at, self.stream.encode(), self._queue.encode(), first, base, b",".join(events))
        self._flight = packets.publish(self._topic, _ENVELOPE % sent)
        return self._flight

    def again(self) -> bytes:
        """The envelope in flight, once more."""
        self._stamp()
        return self._flight

    def is_settled(self, ended: _Ended) -> bool:
        """Whether this ends the envelope in flight. Ends the process where it ends another."""
        if ended.through != self._seq:
            return False
        if ended.digest != self._digest.hex():
            raise SystemExit(f"{self.stream} was settled with a digest that is not its own")
        return True

    def _stamp(self) -> int:
        self.sent_s = _clock.monotonic()
        return int(self.sent_s * 1000)

    def _event(self, seq: int, at: bytes, now_ms: int) -> bytes:
        if self._queue == "status":
            return _STATUS % (seq, at, now_ms, self._unit, CODES[seq % 3])
        return _POSITION % (seq, at, now_ms, seq % 9_999, seq % 7_777)

    def _publish(self, channel: topics.UpChannel, payload: bytes) -> bytes:
        return packets.publish(topics.up(ORG, self._device.decode(), channel), payload)

    def _vitals(self, at: datetime) -> dict[str, object]:
        return {
            "v": 1,
            "device": self._device.decode(),
            "boot": 1,
            "conn": 1,
            "sent_mono_ms": self._stamp(),
            "sent_at": at,
            "clock": "gnss",
            "stream": self.stream,
            "interval_s": 20.0,
            "last_seq": LastSeq(0, 0),
            "outbox": OutboxDepth(0, 0),
        }


class Fleet:
    """All the senders, on one connection."""

    def __init__(self, senders: list[Sender]) -> None:
        """Nobody is born yet."""
        self._senders = {topics.down(ORG, device_name(n), "settle").encode(): one for n, one in enumerate(senders)}
        self._bare = Bare("load", topics.down(ORG, "+", "settle"), self._take)
        self._at = b""
        self._open = True
        self.in_flight = 0
        self.settled = 0
        self.resent = 0

    async def start(self, port: int) -> None:
        """Connect, and be born."""
        await connect(port, self._bare)
        self.watch()
        for sender in self._senders.values():
            self._bare.write(sender.birth(_clock.now()))
            await self._bare.writable.wait()

    def stop(self) -> None:
        """Send nothing new."""
        self._open = False

    def watch(self) -> None:
        """Renew the time that events are stamped with, and send again what nobody has settled for long."""
        self._at = _clock.now().isoformat().replace("+00:00", "Z").encode()
        due_s = _clock.monotonic() - RESEND_S
        for sender in self._senders.values():
            if 0 < sender.sent_s < due_s:
                self.resent += 1
                self._bare.write(sender.again() if sender.proved else sender.birth(_clock.now()))

    def _take(self, published: list[Published]) -> None:
        out = [packet for topic, payload, _ in published if (packet := self._answer(self._senders[topic], payload))]
        if out:
            self._bare.write(b"".join(out))

    def _answer(self, sender: Sender, payload: bytes) -> bytes:
        answer = _answers.decode(payload)
        if not sender.proved:
            self.in_flight += 1
            return sender.heartbeat(_clock.now(), answer.id) + sender.next(self._at)
        for ended in answer.queues:
            if sender.is_settled(ended):
                return self._go_on(sender)
        return b""

    def _go_on(self, sender: Sender) -> bytes:
        self.settled += sender._events
        if self._open:
            return sender.next(self._at)
        self.in_flight -= 1
        sender.sent_s = 0.0
        return b""


async def load(port: int, senders: list[Sender], seconds: float) -> None:
    """Send for so long, and print what was settled in that time."""
    fleet = Fleet(senders)
    await fleet.start(port)
    await watch_for(fleet, WARM_UP_S)
    while fleet.in_flight < len(senders):
        await watch_for(fleet, WATCH_S)
    print("window", flush=True)
    began_s, before = _clock.monotonic(), fleet.settled
    await watch_for(fleet, seconds)
    count, elapsed_s = fleet.settled - before, _clock.monotonic() - began_s
    print(json.dumps({"events": count, "per_s": count / elapsed_s}), flush=True)
    fleet.stop()
    while fleet.in_flight and _clock.monotonic() < began_s + seconds + DRAIN_S:
        await watch_for(fleet, WATCH_S)
    print(json.dumps({"settled": fleet.settled, "in_flight": fleet.in_flight, "resent": fleet.resent}), flush=True)


async def watch_for(fleet: Fleet, seconds: float) -> None:
    """Let the fleet send for so long."""
    end_s = _clock.monotonic() + seconds
    while (left_s := end_s - _clock.monotonic()) > 0:
        await _clock.sleep(min(WATCH_S, left_s))
        fleet.watch()


async def flood(port: int, senders: list[Sender], seconds: float) -> None:
    """Send envelopes for as long, as fast as the broker and the null consumer take them."""
    got, sent = 0, 0
    word = asyncio.Event()

    def hear(published: list[Published]) -> None:
        nonlocal got
        got = max(got, int(published[-1].payload))
        word.set()

    bare = await connect(port, Bare("flood", CAME, hear))
    at = _clock.now().isoformat().replace("+00:00", "Z").encode()
    each = [one.next(at) for one in senders]
    some = cycle([b"".join(each[start : start + FLOOD_AT_ONCE]) for start in range(0, len(each), FLOOD_AT_ONCE)])
    end_s = _clock.monotonic() + seconds
    while _clock.monotonic() < end_s:
        bare.write(next(some))
        sent += FLOOD_AT_ONCE
        await bare.writable.wait()
        await _clock.sleep(0)
        while sent - got > FLOOD_AHEAD:
            word.clear()
            try:
                await asyncio.wait_for(word.wait(), FLOOD_STALLED_S)
            except TimeoutError:
                sent = got


def main() -> None:
    """Run the load."""
    port, kind, devices, events, seconds, stream = sys.argv[1:]
    queue: Queue = "track" if kind == "track" else "status"
    senders = [Sender(number, queue, int(events), stream) for number in range(int(devices))]
    asyncio.run((flood if kind == "flood" else load)(int(port), senders, float(seconds)))


if __name__ == "__main__":
    main()
