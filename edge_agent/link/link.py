"""One MQTT connection at a time: connects, publishes what delivery says is due, hands on what the cloud says."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable

import aiomqtt
import msgspec
import structlog

from edge_agent.clock import Clock
from edge_agent.link import writer
from edge_agent.link.writer import Description, Sending
from edge_agent.outbox import OutboxKeeper, StorageFailed
from edge_agent.state import delivery
from edge_agent.state.delivery import Answer, Delivery, DeliveryRules, Waiting
from wire import codec, topics
from wire.messages import EVENTS_MAX, DownMessage, Hello, Queue, QueueSettle, Settle, State

HELLO_SPREAD_S = 2.0
"""Answers to a greeting are spread over this long: every device of the organisation heard it at once."""
CONNECT_S = 10.0
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 15.0

_log = structlog.get_logger("link")

Describe = Callable[[], Description]
Receive = Callable[[QueueSettle | State], None]
"""Takes in a settle that deleted what it settled, or control's state."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is, and who this device is there."""

    host: str
    port: int
    keepalive_s: int
    organisation: str
    device: str


class Link:
    """Runs until cancelled, whatever the network does. The outbox stands between it and everything that is sent."""

    def __init__(self, address: Address, rules: DeliveryRules, *, keeper: OutboxKeeper, clock: Clock) -> None:
        """Nothing connects before `run`."""
        self._address = address
        self._keeper = keeper
        self._clock = clock
        self._delivery = Delivery(rules=rules)
        self._wake = asyncio.Event()
        self._conn = 0
        self._fault = ""

    @property
    def fault(self) -> str:
        """What is wrong between the outbox and the cloud, for the heartbeat; empty where nothing is."""
        return self._fault

    def committed(self, queue: Queue) -> None:
        """Tell that events were committed to a queue."""
        self._delivery = delivery.on_committed(self._delivery, queue, self._clock.monotonic())
        self._wake.set()

    async def run(self, describe: Describe, receive: Receive, jitter: Callable[[], float]) -> None:
        """Keep a connection up. Says once that it broke and once that it is back."""
        failures, broken = 0, False
        while True:
            started_s = self._clock.monotonic()
            try:
                await self._converse(describe, receive, jitter)
            except* (aiomqtt.MqttError, OSError) as errors:
                _raise_if_cancelled()
                if not broken:
                    _log.warning("link_broke", cause=_cause(errors))
                broken = True
            self._delivery = delivery.on_disconnected(self._delivery)
            failures = 1 if self._clock.monotonic() - started_s > BACKOFF_MAX_S else failures + 1
            broken = broken and failures > 0
            wait_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures - 1, 10))
            await self._clock.sleep(wait_s * (1 - jitter() / 2))

    async def _converse(self, describe: Describe, receive: Receive, jitter: Callable[[], float]) -> None:
        self._conn += 1
        held = await self._keeper.held()
        death = writer.write_death(self._sending(held.stream, held.boot))
        link_topic = topics.up(self._address.organisation, self._address.device, "link")
        client = aiomqtt.Client(
            self._address.host,
            self._address.port,
            identifier=f"{self._address.device}-{secrets.token_hex(4)}",
            keepalive=self._address.keepalive_s,
            timeout=CONNECT_S,
            will=aiomqtt.Will(link_topic, death, qos=1, retain=True),
        )
        async with client:
            await self._subscribe(client)
            await self._publish_birth(client, link_topic, describe)
            _log.info("link_up", conn=self._conn, host=self._address.host, port=self._address.port)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._read(client, receive, jitter))
                    tasks.create_task(self._write(client, describe))
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError):  # the will says it where this cannot
                    await client.publish(link_topic, death, qos=1, retain=True, timeout=1.0)
                raise

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        org, device = self._address.organisation, self._address.device
        names = (topics.down(org, device, "settle"), topics.down(org, device, "state"), topics.hello(org))
        await client.subscribe([(name, 0) for name in names])

    async def _publish_birth(self, client: aiomqtt.Client, topic: str, describe: Describe) -> None:
        held = await self._keeper.held()
        now_s = self._clock.monotonic()
        echo = delivery.echo_of(self._delivery, now_s)
        birth = writer.write_birth(self._sending(held.stream, held.boot), held, describe(), echo)
        await client.publish(topic, birth, qos=1, retain=True)
        self._delivery = delivery.on_connected(self._delivery, now_s)

    async def _read(self, client: aiomqtt.Client, receive: Receive, jitter: Callable[[], float]) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            decoded = codec.decode_down(payload)
            if isinstance(decoded, codec.Rejected):
                _log.warning("message_rejected", topic=str(message.topic), reason=decoded.reason)
                continue
            await self._take(decoded, receive, jitter)
            self._wake.set()

    async def _take(self, message: DownMessage, receive: Receive, jitter: Callable[[], float]) -> None:
        now_s = self._clock.monotonic()
        match message:
            case Hello():
                answer = Answer(message.id, now_s, message.owner_term)
                self._delivery = delivery.on_answer(self._delivery, answer, jitter() * HELLO_SPREAD_S)
            case Settle():
                if not delivery.is_current(self._delivery, message.owner_term):
                    return
                self._delivery = delivery.on_answer(self._delivery, delivery.answer_of(message, now_s))
                await self._settle(message, receive)
            case State():
                if delivery.is_current(self._delivery, message.owner_term):
                    receive(message)

    async def _settle(self, message: Settle, receive: Receive) -> None:
        if message.mint:
            _log.error("stream_cannot_go_on", reason=message.mint)
            await self._keeper.mint(message.mint)
            self._delivery = delivery.on_minted(self._delivery)
        for queue in message.queues:
            outcome = await self._keeper.settle(queue.queue, queue.stream, queue.through, bytes.fromhex(queue.digest))
            self._note_outcome(queue, outcome)
            if outcome == "deleted":
                self._delivery = delivery.on_settled(self._delivery, queue.queue, queue.through)
                receive(queue)
            elif outcome == "ahead":
                self._delivery = delivery.on_minted(self._delivery)

    def _note_outcome(self, queue: QueueSettle, outcome: str) -> None:
        if outcome == "mismatch":
            if not self._fault:
                _log.error("settle_does_not_match", queue=queue.queue, through=queue.through)
            self._fault = f"the cloud's settle of {queue.queue} {queue.through} does not match what is kept here"
        elif outcome == "deleted":
            self._fault = ""

    async def _write(self, client: aiomqtt.Client, describe: Describe) -> None:
        while True:
            self._wake.clear()
            waiting = Waiting(self._keeper.depth.status, self._keeper.depth.track)
            now_s = self._clock.monotonic()
            send = delivery.due(self._delivery, waiting, now_s, EVENTS_MAX)
            if send is not None:
                try:
                    await self._send(client, send, describe)
                except StorageFailed:
                    await self._clock.sleep(1.0)
                continue
            pause_s = delivery.next_s(self._delivery, waiting, EVENTS_MAX) - now_s
            await self._wait(pause_s)

    async def _wait(self, pause_s: float) -> None:
        """Wait for a commit, a word from the cloud, or `pause_s` of the clock."""
        sleep = asyncio.ensure_future(self._clock.sleep(min(pause_s, 60.0)))
        wake = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleep, wake), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wake.cancel()

    async def _send(self, client: aiomqtt.Client, send: delivery.Send, describe: Describe) -> None:
        match send:
            case "heartbeat":
                last = await self._send_heartbeat(client, describe)
            case "live":
                last = await self._send_live(client, describe)
            case "status":
                last = await self._send_batch(client, "status", describe)
            case "history":
                last = await self._send_batch(client, "track", describe)
        self._delivery = delivery.on_sent(self._delivery, send, self._clock.monotonic(), last)

    async def _send_heartbeat(self, client: aiomqtt.Client, describe: Describe) -> int:
        held = await self._keeper.held()
        echo = delivery.echo_of(self._delivery, self._clock.monotonic())
        payload = writer.write_heartbeat(self._sending(held.stream, held.boot), held, describe(), echo)
        await client.publish(self._topic("live"), payload)
        return 0

    async def _send_live(self, client: aiomqtt.Client, describe: Describe) -> int:
        records = await self._keeper.newest_track()
        for record in records:
            payload = writer.write_live(self._sending(self._keeper.stream, self._keeper.boot), describe().clock, record)
            await client.publish(self._topic("live"), payload)
        return 0

    async def _send_batch(self, client: aiomqtt.Client, queue: Queue, describe: Describe) -> int:
        batch = await self._keeper.batch(queue, EVENTS_MAX)
        if batch is None:
            return 0
        sending = self._sending(self._keeper.stream, self._keeper.boot)
        payload = writer.write_batch(sending, describe().clock, batch)
        await client.publish(self._topic("status" if queue == "status" else "history"), payload)
        return batch.last

    def _topic(self, channel: topics.UpChannel) -> str:
        return topics.up(self._address.organisation, self._address.device, channel)

    def _sending(self, stream: str, boot: int) -> Sending:
        return Sending(
            device=self._address.device,
            boot=boot,
            conn=self._conn,
            mono_s=self._clock.monotonic(),
            utc=self._clock.now(),
            stream=stream,
        )


def _raise_if_cancelled() -> None:
    """Go on with a cancellation that a failure of the closing connection has covered up."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _cause(errors: BaseExceptionGroup) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
