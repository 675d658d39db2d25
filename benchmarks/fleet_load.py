"""A process of its own: many real MQTT clients that speak `wire`, each for one unit, at a steady rate together.

`python -m benchmarks.fleet_load PORT UNITS MESSAGES_PER_S`. Prints `ready` once all are connected.
"""

import asyncio
import sys

import aiomqtt
import msgspec

from benchmarks.processes import SCHEME
from cloud.clock import SystemClock
from wire import codec, topics
from wire.digest import genesis
from wire.events import PositionEvent, StatusEvent
from wire.messages import Birth, CurrentStatus, Echo, Envelope, Heartbeat, LastSeq, OutboxDepth, Settle

ORG = "load"
INTERVAL_S = 20.0
CONNECT_AT_ONCE = 20


def device_name(number: int) -> str:
    """Name a device of the load."""
    return f"load-{number:04d}"


def enrolment(number: int) -> str:
    """Give a device's enrolment number."""
    return f"L{number:04d}"


class Unit:
    """One client: a birth and a status first, then heartbeats and positions by turns."""

    def __init__(self, number: int, clock: SystemClock) -> None:
        """Nothing connects yet."""
        self._number, self._clock = number, clock
        self._device = device_name(number)
        self._stream = f"{enrolment(number)}-bench"
        self._seq = 0
        self._answer: tuple[str, float] | None = None
        self._turn = 0

    async def run(self, port: int, connected: asyncio.Semaphore, ready: asyncio.Event) -> None:
        """Connect, declare a status, and listen until cancelled."""
        async with connected:
            client = aiomqtt.Client("127.0.0.1", port, identifier=self._device, keepalive=60)
            await client.__aenter__()
            await client.subscribe(topics.down(ORG, self._device, "settle"), qos=0)
            await client.publish(self._topic("link"), codec.encode(self._birth()), qos=1, retain=True)
            self._client = client
        ready.set()
        async for message in client.messages:
            settle = codec.decode_down(bytes(message.payload))
            if isinstance(settle, Settle):
                first = self._answer is None
                self._answer = (settle.id, self._clock.monotonic())
                if first:
                    await client.publish(self._topic("live"), codec.encode(self._heartbeat()))
                    await client.publish(self._topic("status"), codec.encode(self._status()))

    async def speak(self) -> None:
        """Send the next message: a heartbeat or a position."""
        self._turn += 1
        if self._turn % 2:
            await self._client.publish(self._topic("live"), codec.encode(self._heartbeat()))
        else:
            self._seq += 1
            await self._client.publish(self._topic("live"), codec.encode(self._position()))

    def _topic(self, channel: topics.UpChannel) -> str:
        return topics.up(ORG, self._device, channel)

    def _sent(self) -> dict[str, object]:
        return {
            "v": 1,
            "device": self._device,
            "boot": 1,
            "conn": 1,
            "sent_mono_ms": int(self._clock.monotonic() * 1000),
            "sent_at": self._clock.now(),
            "clock": "ntp",
            "stream": self._stream,
        }

    def _vitals(self) -> dict[str, object]:
        now_s = self._clock.monotonic()
        echo = Echo(self._answer[0], int((now_s - self._answer[1]) * 1000)) if self._answer else None
        return {
            **self._sent(),
            "echo": echo,
            "interval_s": INTERVAL_S,
            "current": [CurrentStatus(f"u-{self._device}", self._stream, 1, SCHEME, "4")],
            "last_seq": LastSeq(1, self._seq),
            "outbox": OutboxDepth(0, 0),
        }

    def _birth(self) -> Birth:
        return Birth(**self._vitals(), software="bench", config_hash="bench")  # type: ignore[arg-type]

    def _heartbeat(self) -> Heartbeat:
        return Heartbeat(**self._vitals())  # type: ignore[arg-type]

    def _stamp(self, seq: int) -> dict[str, object]:
        now_ms = int(self._clock.monotonic() * 1000)
        return {"seq": seq, "at": self._clock.now(), "clock": "ntp", "boot": 1, "mono_ms": now_ms, "mode": "live"}

    def _status(self) -> Envelope:
        event = StatusEvent(**self._stamp(1), unit=f"u-{self._device}", scheme=SCHEME, code="4", by="panel")  # type: ignore[arg-type]
        return self._envelope("status", 1, event)

    def _position(self) -> Envelope:
        lat = 51.2 + (self._number % 100) * 0.001
        event = PositionEvent(
            **self._stamp(self._seq),  # type: ignore[arg-type]
            fix="3d",
            lat=lat,
            lon=0.5 + self._turn * 0.0001,
            speed_mps=13.0,
            heading_deg=90.0,
            accuracy_m=5.0,
        )
        return self._envelope("track", self._seq, event)

    def _envelope(self, queue: str, first: int, event: StatusEvent | PositionEvent) -> Envelope:
        base = genesis(self._stream, queue).hex()
        raw = msgspec.Raw(codec.encode(event))
        return Envelope(**self._sent(), queue=queue, first_held=first, base_digest=base, events=[raw])  # type: ignore[arg-type]


async def run(port: int, count: int, per_s: float) -> None:
    """Connect everyone, then speak by turns until killed."""
    clock = SystemClock()
    units = [Unit(number, clock) for number in range(count)]
    gate = asyncio.Semaphore(CONNECT_AT_ONCE)
    async with asyncio.TaskGroup() as tasks:
        events = []
        for unit in units:
            ready = asyncio.Event()
            events.append(ready)
            tasks.create_task(unit.run(port, gate, ready))
        for ready in events:
            await ready.wait()
        print("ready", flush=True)
        due_s = clock.monotonic()
        while True:
            for unit in units:
                await unit.speak()
                due_s += 1 / per_s
                await clock.sleep(max(0.0, due_s - clock.monotonic()))


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
