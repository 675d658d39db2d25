"""Talks with command and control systems (CAD) over MQTT, on a connection of its own: both ways, in order.

What comes in is answered once it is stored, and only then. A broker's acknowledgement is none of ours: a message that
gets no answer is sent again by the CAD, and one that it did not get it looks up by its number over HTTP; so nothing is
kept here that a broken connection could lose.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable

import aiomqtt
import structlog

from cloud.clock import Clock
from cloud.errors import Retryable
from cloud.feeds.cad import PAGE_MAX, CadStreams
from cloud.feeds.mqttclient import connected
from wire import cad
from wire.cad import CadAnswer, CadTick

TICK_S = 10.0
"""How often the newest number is told, so that a gap at the end is seen too."""
WAITING_MAX = 20_000
"""Messages of one CAD that may wait to be taken in. Past it they are dropped: without an answer they come again."""
IDLE_S = 2.0
"""How often it is looked whether the directory lets any CAD use MQTT by now."""
TAKING_MAX = 100
"""Messages of one CAD that are being stored at once: one after the other, but their answers together."""
WINDOW = 20
"""Messages in flight at once: MQTT libraries and brokers allow about as many by default."""
ANSWER_QOS, OUT_QOS, IN_QOS = 0, 1, 1
BACKOFF_FIRST_S, BACKOFF_MAX_S, BACKOFF_DOUBLINGS_MAX = 0.5, 10.0, 10

Take = Callable[[str, bytes], Awaitable[CadAnswer]]
_log = structlog.get_logger("cad.link")


class CadLink:
    """Keeps a connection up for as long as its task lives, for every CAD that the directory lets use MQTT."""

    def __init__(self, address: tuple[str, int], streams: CadStreams, take: Take, *, clock: Clock) -> None:
        """Name the broker. Nothing happens before `run`. What is stored by now is not told again."""
        self._address, self._streams, self._take, self._clock = address, streams, take, clock
        self._told = {name: streams.newest(name) for name in streams.organisations()}
        self._broken = False
        self.dropped = 0
        """Messages that came while too many waited."""

    async def run(self) -> None:
        """Connect, and connect again whenever it breaks. Says once that it broke and once that it is back."""
        failures = 0
        while True:
            while not self._speaking():
                await self._clock.sleep(IDLE_S)
            try:
                await self._converse()
            except* (aiomqtt.MqttError, OSError) as errors:
                _raise_if_cancelled()
                if not self._broken:
                    _log.error("cad_broker_lost", host=self._address[0], port=self._address[1], cause=_cause(errors))
                failures = failures + 1 if self._broken else 1
                self._broken, self._streams.linked = True, False
            _raise_if_cancelled()
            longest_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(failures - 1, BACKOFF_DOUBLINGS_MAX))
            await self._clock.sleep(longest_s * random.uniform(0.5, 1.0))

    def _speaking(self) -> list[str]:
        return [name for name in self._streams.organisations() if self._streams.uses_mqtt(name)]

    async def _converse(self) -> None:
        """Use one connection until it breaks."""
        async with connected(*self._address) as client:
            await _subscribe(client)
            _log.info("cad_broker_back" if self._broken else "cad_broker_connected", port=self._address[1])
            self._broken, self._streams.linked = False, True
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(client, tasks))
                await self._write(client)

    async def _read(self, client: aiomqtt.Client, tasks: asyncio.TaskGroup) -> None:
        """Sort what comes by whose it is: a flood of one holds no other up."""
        waiting: dict[str, asyncio.Queue[bytes]] = {}
        async for message in client.messages:
            organisation = cad.parse_in(str(message.topic))
            if organisation is None or message.retain or not self._streams.uses_mqtt(organisation):
                continue
            if organisation not in waiting:
                waiting[organisation] = asyncio.Queue(WAITING_MAX)
                tasks.create_task(self._answer(client, organisation, waiting[organisation]))
            if waiting[organisation].full():
                self.dropped += 1
            elif isinstance(message.payload, bytes):
                waiting[organisation].put_nowait(message.payload)

    async def _answer(self, client: aiomqtt.Client, organisation: str, waiting: asyncio.Queue[bytes]) -> None:
        """Take one CAD's messages in, some at a time, and answer them in the order in which they came."""
        taking: deque[asyncio.Future[CadAnswer]] = deque()
        try:
            while True:
                while not taking or len(taking) < TAKING_MAX and not waiting.empty():
                    taking.append(asyncio.ensure_future(self._take(organisation, await waiting.get())))
                answer = await taking.popleft()
                await client.publish(cad.topic(organisation, "answer"), cad.encode(answer), qos=ANSWER_QOS)
                _raise_if_cancelled()
        finally:
            for one in taking:
                one.cancel()

    async def _write(self, client: aiomqtt.Client) -> None:
        """Tell each CAD what is new, and from time to time how much there is."""
        ticked_s = -TICK_S
        while True:
            stored = self._streams.stored
            stored.clear()
            due = self._clock.monotonic() - ticked_s >= TICK_S
            ticked_s = self._clock.monotonic() if due else ticked_s
            for organisation in self._speaking():
                await self._tell(client, organisation, tick=due)
            _raise_if_cancelled()
            try:
                async with asyncio.timeout(max(0.0, ticked_s + TICK_S - self._clock.monotonic())):
                    await stored.wait()
            except TimeoutError:
                continue

    async def _tell(self, client: aiomqtt.Client, organisation: str, *, tick: bool) -> None:
        name, now = cad.topic(organisation, "out"), self._clock.now()
        told = self._told.setdefault(organisation, 0)
        while told < self._streams.newest(organisation):
            try:
                page = await self._streams.messages(organisation, told, PAGE_MAX, now)
            except Retryable:
                return
            bodies = [cad.encode(message) for message in page.messages]
            for start in range(0, len(bodies), WINDOW):
                async with asyncio.TaskGroup() as tasks:
                    for body in bodies[start : start + WINDOW]:
                        tasks.create_task(client.publish(name, body, qos=OUT_QOS))
            told = self._told[organisation] = page.messages[-1].seq if page.messages else page.newest
        if tick:
            await client.publish(name, cad.encode(CadTick(at=now, seq=told)), qos=OUT_QOS)


async def _subscribe(client: aiomqtt.Client) -> None:
    granted = await client.subscribe(cad.IN_FILTER, IN_QOS)
    if any(bool(getattr(code, "is_failure", False)) or (isinstance(code, int) and code >= 128) for code in granted):
        raise aiomqtt.MqttError("the broker refused what command and control systems say")


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
