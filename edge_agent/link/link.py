"""One MQTT connection at a time: connects, publishes what delivery says is due, hands on what the cloud says."""

import asyncio
import contextlib
import math
from collections.abc import Callable, Coroutine
from typing import Any

import aiomqtt
import msgspec
import structlog

from edge_agent.clock import Clock
from edge_agent.link.connection import Address, Client, Connect, connected, subscribe
from edge_agent.link.sender import Sender, Spoken
from edge_agent.link.writer import Describe
from edge_agent.outbox import Held, OutboxKeeper, SettleOutcome, StorageFailed, Stored
from edge_agent.state import delivery
from edge_agent.state.delivery import Answer, Delivery, DeliveryRules, Waiting
from wire import codec
from wire.events import Queue
from wire.messages import EVENTS_MAX, Command, DownMessage, Hello, QueueSettle, Settle, State

HELLO_SPREAD_S = 2.0
"""Answers to a greeting are spread over this long: every device of the organisation heard it at once."""
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 15.0
DEATH_S = 1.0
"""How long a stopping agent waits for the broker to take its last word; a frozen one tells the will instead."""
MINT_GAP_S = 30.0
"""The cloud is obeyed at most this often when it asks for a new stream: each sets a file aside that is never deleted,
and several words on the same stream may be on their way at once.

Two copies of a card can be asked in the same moment. When one is then taken away, the other is asked again as soon as
nobody speaks in the newer stream: the gap leaves it time to agree with control within a minute."""
STATUSES_TOLD_MAX = 100
STORAGE_PAUSE_S = 1.0
"""Between attempts to read what is to be sent from an outbox that fails."""

_log = structlog.get_logger("link")


class NewStream(msgspec.Struct, frozen=True):
    """The outbox has gone on in a new stream, in which the newest unsettled statuses have these sequences."""

    stream: str
    unsettled: tuple[Stored, ...]


Receive = Callable[[QueueSettle | State | Command | NewStream], None]
"""Takes in a settle that deleted what it settled, control's state, an order, or that sequences mean something else now.
"""


class Link:
    """Runs until cancelled, whatever the network does. The outbox stands between it and everything that is sent."""

    def __init__(
        self,
        address: Address,
        rules: DeliveryRules,
        *,
        keeper: OutboxKeeper,
        clock: Clock,
        connect: Connect = connected,
    ) -> None:
        """Nothing connects before `run`."""
        self._address = address
        self._connect = connect
        self._keeper = keeper
        self._clock = clock
        self._delivery = Delivery(rules=rules)
        self._wake = asyncio.Event()
        self._stream = keeper.stream
        self._conn = 0
        self._broken = False
        self._minted_s = -math.inf
        self._faults: dict[Queue, str] = {}
        self._rejections: set[tuple[str, str]] = set()

    @property
    def fault(self) -> str:
        """What is wrong between the outbox and the cloud, for the heartbeat; empty where nothing is."""
        return next(iter(self._faults.values()), "")

    @property
    def answer_age_s(self) -> float:
        """How old the newest answer from the cloud is; infinite before the first in this process."""
        answer = self._delivery.answer
        return math.inf if answer is None else self._clock.monotonic() - answer.at_s

    @property
    def connected(self) -> bool:
        """Whether the connection to the broker stands."""
        return self._delivery.connected

    def committed(self, queue: Queue) -> None:
        """Tell that events were committed to a queue."""
        self._delivery = delivery.on_committed(self._delivery, queue, self._clock.monotonic())
        self._wake.set()

    async def run(self, describe: Describe, receive: Receive, jitter: Callable[[], float]) -> None:
        """Keep a connection up. Says once that it broke and once that it is back."""
        failures = 0
        while True:
            started_s = self._clock.monotonic()
            try:
                await self._converse(describe, receive, jitter)
            except* (aiomqtt.MqttError, OSError, StorageFailed) as errors:
                _raise_if_cancelled()
                self._say_broken(errors)
            _raise_if_cancelled()
            self._delivery = delivery.on_disconnected(self._delivery)
            failures = 1 if self._clock.monotonic() - started_s > BACKOFF_MAX_S else failures + 1
            wait_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures - 1, 10))
            await self._clock.sleep(wait_s * (1 - jitter() / 2))

    async def _converse(self, describe: Describe, receive: Receive, jitter: Callable[[], float]) -> None:
        """One connection, from its birth until it breaks, or until the outbox goes on in another stream.

        That calls for a new one, because the will, once given, speaks of the old stream.
        """
        self._conn += 1
        held = await self._keeper.held()
        await self._tell_stream(held, receive)
        spoken = Spoken(stream=held.stream, boot=held.boot, conn=self._conn)
        sender = Sender(self._address, spoken, keeper=self._keeper, clock=self._clock)
        async with self._connect(self._address, sender.death()) as client:
            try:
                await subscribe(client, self._address)
                await self._begin(client, sender, held, describe)
                async with asyncio.TaskGroup() as tasks:
                    reading = tasks.create_task(self._read(client, receive, jitter))
                    await self._write(client, sender, describe)
                    reading.cancel()
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError):
                    await sender.publish_death(client, DEATH_S)
                raise

    async def _tell_stream(self, held: Held, receive: Receive) -> None:
        """Hand on that sequences mean something else now, before anything is sent or settled under them."""
        if held.stream == self._stream:
            return
        unsettled = await self._keeper.unsettled_statuses(STATUSES_TOLD_MAX)
        self._stream = held.stream
        self._faults.clear()
        receive(NewStream(held.stream, tuple(unsettled)))

    async def _begin(self, client: Client, sender: Sender, held: Held, describe: Describe) -> None:
        now_s = self._clock.monotonic()
        await sender.publish_birth(client, held, describe, delivery.echo_of(self._delivery, now_s))
        self._delivery = delivery.on_connected(self._delivery, self._clock.monotonic())
        self._broken = False
        _log.info("link_up", conn=self._conn, host=self._address.host, port=self._address.port)

    def _say_broken(self, errors: BaseExceptionGroup) -> None:
        if not self._broken:
            _log.warning("link_broke", cause=_cause(errors))
        self._broken = True

    async def _read(self, client: Client, receive: Receive, jitter: Callable[[], float]) -> None:
        async for message in client.messages:
            decoded = codec.decode_down(message.payload if isinstance(message.payload, bytes) else b"")
            if isinstance(decoded, codec.Rejected):
                self._say_rejected(str(message.topic), decoded.reason)
                continue
            try:
                await _finished(self._take(decoded, receive, jitter))
            except StorageFailed:  # said by the keeper; what the cloud said it will say again
                continue
            self._wake.set()

    def _say_rejected(self, topic: str, reason: str) -> None:
        if (topic, reason) not in self._rejections:
            self._rejections.add((topic, reason))
            _log.warning("message_rejected", topic=topic, reason=reason)

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
            case State() | Command():
                if delivery.is_current(self._delivery, message.owner_term):
                    receive(message)

    async def _settle(self, message: Settle, receive: Receive) -> None:
        if message.mint:
            await self._mint(message.mint)
        for queue in message.queues:
            outcome = await self._keeper.settle(queue.queue, queue.stream, queue.through, bytes.fromhex(queue.digest))
            self._note_outcome(queue, outcome)
            if outcome == "deleted":
                self._delivery = delivery.on_settled(self._delivery, queue.queue, queue.through)
                receive(queue)

    async def _mint(self, reason: str) -> None:
        if self._clock.monotonic() - self._minted_s < MINT_GAP_S:
            return
        _log.error("stream_cannot_go_on", reason=reason)
        await self._keeper.mint(reason)
        self._minted_s = self._clock.monotonic()

    def _note_outcome(self, queue: QueueSettle, outcome: SettleOutcome) -> None:
        if outcome == "mismatch":
            if queue.queue not in self._faults:
                _log.error("settle_does_not_match", queue=queue.queue, through=queue.through)
            fault = f"the cloud's settle of {queue.queue} {queue.through} does not match what is kept here"
            self._faults[queue.queue] = fault
        elif outcome == "deleted":
            self._faults.pop(queue.queue, None)

    async def _write(self, client: Client, sender: Sender, describe: Describe) -> None:
        """Send what is due when it is due, for as long as the outbox goes on in this connection's stream."""
        while sender.is_current:
            _raise_if_cancelled()
            self._wake.clear()
            depth = self._keeper.depth
            waiting = Waiting(depth.status, depth.track, self._keeper.emergency)
            now_s = self._clock.monotonic()
            send = delivery.due(self._delivery, waiting, now_s, EVENTS_MAX)
            if send is None:
                await self._wait(delivery.next_s(self._delivery, waiting, EVENTS_MAX) - now_s)
                continue
            try:
                last = await sender.publish(client, send, describe, delivery.echo_of(self._delivery, now_s))
            except StorageFailed:
                await self._clock.sleep(STORAGE_PAUSE_S)
                continue
            self._delivery = delivery.on_sent(self._delivery, send, self._clock.monotonic(), last)

    async def _wait(self, pause_s: float) -> None:
        """Wait for a commit, a word from the cloud, or `pause_s` of the clock."""
        sleep = asyncio.ensure_future(self._clock.sleep(min(pause_s, 60.0)))
        wake = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleep, wake), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wake.cancel()


async def _finished(work: Coroutine[Any, Any, None]) -> None:
    """Let `work` end although this task is cancelled meanwhile: what a settle deleted, the lamps must hear of."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        raise


def _raise_if_cancelled() -> None:
    """Go on with a cancellation that was covered up.

    By a failure of the closing connection, or by `asyncio.wait_for` inside the MQTT library: up to Python 3.11 it
    forgets a cancellation that comes in the same turn of the loop as what it waited for.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _cause(errors: BaseExceptionGroup) -> str:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)
