"""The link's workbench: a cloud played word by word over a real broker, and a real link on a real outbox."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sqlite3
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiomqtt

from edge_agent.clock import SystemClock
from edge_agent.link import Address, Description, Link, NewStream
from edge_agent.outbox import Batch, OutboxKeeper
from edge_agent.state.delivery import DeliveryRules
from tests.brokers import RunningBroker
from tests.edge_agent.outbox.lab import chain, keeper
from tests.gpsd_lab import peer
from tests.waiting import eventually
from wire import codec, topics
from wire.messages import (
    Birth,
    Command,
    Death,
    Envelope,
    Heartbeat,
    Hello,
    QueueSettle,
    RefusedSeq,
    Settle,
    State,
    UpMessage,
)
from wire.topics import DownChannel

TERM = 1_800_000_000
HEARTBEAT_S = 1.0
SETTLE_TIMEOUT_S = 0.3
END_S = 5.0
"""Within this long whatever runs here ends once it is cancelled; the device's own bound is `DEATH_S` and a little."""
NOTHING = "00" * 32
"""A digest that no outbox ever has."""

_M = TypeVar("_M", bound=UpMessage)
Word = QueueSettle | State | Command | NewStream


class SkippingClock:
    """The system's clocks, which jump ahead by hand. What sleeps meanwhile wakes by the real clock, and sees it."""

    def __init__(self) -> None:
        """Start with the system's time."""
        self._ahead_s = 0.0
        self._system = SystemClock()

    def skip(self, duration_s: float) -> None:
        """Let that much time have passed."""
        self._ahead_s += duration_s

    def now(self) -> datetime:
        """Wall time."""
        return self._system.now() + timedelta(seconds=self._ahead_s)

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return self._system.monotonic() + self._ahead_s

    async def sleep(self, duration_s: float) -> None:
        """Wait by the real clock."""
        await self._system.sleep(duration_s)


@dataclass(frozen=True)
class Heard:
    """A message of the device, on which channel, and whether the broker had kept it."""

    channel: str
    message: UpMessage
    retained: bool
    at_s: float


class Cloud:
    """The cloud's side of one device, played by hand: it hears everything and says only what it is told to say."""

    def __init__(self, client: aiomqtt.Client, org: str, device: str) -> None:
        """Take a connected client."""
        self._client = client
        self._org, self._device = org, device
        self._ids = 0
        self.heard: list[Heard] = []
        self.answering = False
        """Whether each birth and heartbeat gets its plain answer."""
        self.settling = False
        """Whether each envelope of a queue is settled as soon as it comes."""

    async def listen(self) -> None:
        """Hear the device until cancelled."""
        task = asyncio.current_task()
        async for message in self._client.messages:
            if task is not None and task.cancelling():
                raise asyncio.CancelledError  # up to Python 3.11 `wait_for` in aiomqtt may have forgotten it
            assert isinstance(message.payload, bytes)
            decoded = codec.decode_up(message.payload)
            assert not isinstance(decoded, codec.Rejected), decoded
            channel = str(message.topic).rpartition("/")[2]
            self.heard.append(Heard(channel, decoded, message.retain, asyncio.get_running_loop().time()))
            if self.answering and isinstance(decoded, Birth | Heartbeat):
                await self.settle()
            if self.settling and isinstance(decoded, Envelope) and channel != "live":
                await self.settle(settle_of(decoded))

    def all(self, kind: type[_M]) -> list[_M]:
        """Every message of a kind, in the order in which they came."""
        return [one.message for one in self.heard if isinstance(one.message, kind)]

    def envelopes(self, channel: str) -> list[Envelope]:
        """Every envelope on a channel."""
        return [one.message for one in self.heard if one.channel == channel and isinstance(one.message, Envelope)]

    def order(self) -> list[str]:
        """What came, in order: the channel of each envelope, and the type of everything else."""
        kinds: list[tuple[type[UpMessage], str]] = [(Birth, "birth"), (Death, "death"), (Heartbeat, "heartbeat")]
        return [next((name for kind, name in kinds if isinstance(h.message, kind)), h.channel) for h in self.heard]

    async def first(self, kind: type[_M]) -> _M:
        """The first message of a kind, once it has come."""
        await eventually(lambda: self.all(kind), what=kind.__name__)
        return self.all(kind)[0]

    async def envelope(self, channel: str, count: int = 1) -> Envelope:
        """The `count`th envelope on a channel, once it has come."""
        await eventually(lambda: len(self.envelopes(channel)) >= count, what=f"{count} envelopes on {channel}")
        return self.envelopes(channel)[count - 1]

    async def settle(self, *queues: QueueSettle, term: int = TERM, mint: str = "") -> str:
        """Answer the device. Gives the id of the answer."""
        self._ids += 1
        answer = f"{term}-{self._ids}"
        message = Settle(v=1, id=answer, owner_term=term, queues=list(queues), mint=mint)  # type: ignore[arg-type]
        await self.say("settle", codec.encode(message))
        return answer

    async def greet(self, *, term: int = TERM) -> str:
        """Say hello to the organisation. Gives the id."""
        self._ids += 1
        greeting = f"{term}-{self._ids}"
        payload = codec.encode(Hello(v=1, id=greeting, owner_term=term))
        await self._client.publish(topics.hello(self._org), payload)
        return greeting

    async def say(self, channel: DownChannel, payload: bytes) -> None:
        """Say anything at all to the device."""
        await self._client.publish(topics.down(self._org, self._device, channel), payload)

    async def say_to_all(self, payload: bytes) -> None:
        """Say anything at all where greetings go."""
        await self._client.publish(topics.hello(self._org), payload)


def settle_of(
    envelope: Envelope | Batch, stream: str = "", *, events: int = 20, refused: dict[int, str] | None = None
) -> QueueSettle:
    """The true settle of an envelope's (or of `stream`'s batch's) first events, its digest by hashlib alone."""
    base = envelope.base_digest if isinstance(envelope, Batch) else bytes.fromhex(envelope.base_digest)
    raw = [bytes(event) for event in envelope.events][:events]
    return QueueSettle(
        stream=envelope.stream if isinstance(envelope, Envelope) else stream,
        queue=envelope.queue,
        through=envelope.first_held + len(raw) - 1,
        digest=chain(base, raw).hex(),
        refused=[RefusedSeq(seq, reason) for seq, reason in (refused or {}).items()],
    )


@contextlib.asynccontextmanager
async def playing_cloud(broker: RunningBroker, org: str, device: str = "veh-1") -> AsyncIterator[Cloud]:
    """A cloud that listens to one device."""
    async with aiomqtt.Client(broker.host, broker.port, identifier=f"cloud-{secrets.token_hex(4)}") as client:
        cloud = Cloud(client, org, device)
        await client.subscribe(f"wr/1/up/{org}/{device}/#", qos=0)
        async with beside(cloud.listen()):
            yield cloud


@dataclass
class Bench:
    """A link on an outbox in a folder of its own, and what it handed on."""

    broker: RunningBroker
    folder: Path
    org: str = field(default_factory=lambda: f"org-{secrets.token_hex(4)}")
    device: str = "veh-1"
    jitter: Callable[[], float] = lambda: 0.0
    faults: tuple[str, ...] = ()
    heartbeat_s: float = HEARTBEAT_S
    port: int = 0
    """Where the link connects, if not to the broker."""
    words: list[Word] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the outbox and make the link."""
        self.keeper: OutboxKeeper = keeper(self.folder)
        port = self.port or self.broker.port
        address = Address(host=self.broker.host, port=port, keepalive_s=5, organisation=self.org, device=self.device)
        rules = DeliveryRules(heartbeat_s=self.heartbeat_s, settle_timeout_s=SETTLE_TIMEOUT_S)
        self.link = Link(address, rules, keeper=self.keeper, clock=SystemClock())

    def describe(self) -> Description:
        """What the device says of itself."""
        faults = tuple(fault for fault in (*self.faults, self.link.fault) if fault)
        return Description(
            interval_s=max(1.0, self.heartbeat_s),
            clock="ntp",
            faults=faults,
            position=None,
            software="watchroom-test",
            config_hash="0",
        )

    async def run(self) -> None:
        """Run the link until cancelled."""
        await self.link.run(self.describe, self.words.append, self.jitter)

    @contextlib.asynccontextmanager
    async def linked(self) -> AsyncIterator[Cloud]:
        """The link runs, and a cloud that has listened since before it did."""
        async with playing_cloud(self.broker, self.org, self.device) as cloud:
            async with beside(self.run()):
                yield cloud
            await self.keeper.close()


@contextlib.asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Run `work` beside the block and cancel it at the end. A failure of it fails the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        done, _ = await asyncio.wait((task,), timeout=END_S)
        assert done, f"{task} did not end when it was cancelled"
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


@contextlib.contextmanager
def frozen(broker: RunningBroker) -> Iterator[None]:
    """The broker stops without ending: the kernel still takes what is sent to it, and nobody answers."""
    pid = broker._broker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def connections_to(port: int) -> int:
    """How many TCP connections of this machine to a loopback port are open, seen from the side that connected."""
    peers = [line.split()[2:4] for line in Path("/proc/self/net/tcp").read_text("ascii").splitlines()[1:]]
    return sum(state == "01" and int(peer.rpartition(":")[2], 16) == port for peer, state in peers)


def own_tasks() -> set["asyncio.Task[Any]"]:
    """Every task of this loop but the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}


def lock(keeper: OutboxKeeper, *, patience_ms: int) -> sqlite3.Connection:
    """Keep the outbox from writing until the connection is closed. Its own attempts fail after `patience_ms`."""
    keeper._file._db.execute(f"PRAGMA busy_timeout={patience_ms}")
    other = sqlite3.connect(keeper._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


class Proxy:
    """A way to a broker that can be cut, as a router's restart cuts it: at once, and with a reset."""

    def __init__(self, port: int) -> None:
        """Lead to a port of this machine."""
        self._target = port
        self._ends: list[asyncio.StreamWriter] = []
        self.blocked = False
        """Whether nobody gets through."""

    def reset(self) -> None:
        """Cut every connection."""
        for end in self._ends:
            if (sock := end.get_extra_info("socket")) is not None and not end.transport.is_closing():
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()
        self._ends.clear()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        if self.blocked:
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._ends += [writer, far_writer]
        ways = [asyncio.create_task(_carry(*way)) for way in ((reader, far_writer), (far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.transport.abort()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)


@contextlib.asynccontextmanager
async def proxied(broker: RunningBroker) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy to the broker, and its port."""
    proxy = Proxy(broker.port)
    async with peer(proxy.talk) as port:
        yield proxy, port
