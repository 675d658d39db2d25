"""Publishes what `MqttOut` says is due, on a connection of its own, and reads back what the broker holds."""

import asyncio
import random

import aiomqtt
import structlog

from cloud.clock import Clock
from cloud.feeds.mqttclient import connected
from cloud.feeds.mqttout import MqttOut
from wire.topics import FEED_FILTER

WINDOW = 20
"""Messages in flight at once: MQTT libraries and brokers allow about as many by default. Each one that is acknowledged
makes way for the next: to wait for all costs 40 ms each time with Mosquitto (measured: 500 a second, not 7,000)."""
LOOK_POLL_S = 0.25
LOOK_QUIET_S = 1.0
"""When nothing more has come for so long, all that the broker holds has come: MQTT has no sign for it."""
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 10.0
BACKOFF_DOUBLINGS_MAX = 10

_log = structlog.get_logger("feeds.mqtt")


class MqttLink:
    """Keeps a connection up for as long as its task lives. All that is remembered is with `MqttOut`."""

    def __init__(self, host: str, port: int, out: MqttOut, *, clock: Clock) -> None:
        """Name the broker. Nothing happens before `run`."""
        self._host, self._port = host, port
        self._out = out
        self._clock = clock
        self._due = asyncio.Event()
        self._heard_s = 0.0
        self._broken = False
        out.on_waiting = self._due.set

    async def run(self) -> None:
        """Connect, and connect again whenever it breaks. Says once that it broke and once that it is back."""
        failures = 0
        while True:
            try:
                await self._converse()
            except* (aiomqtt.MqttError, OSError) as errors:
                _raise_if_cancelled()
                if not self._broken:
                    _log.error("feed_broker_lost", host=self._host, port=self._port, cause=_cause(errors))
                failures = failures + 1 if self._broken else 1
                self._broken = True
            finally:
                self._out.lost()
            _raise_if_cancelled()
            longest_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(failures - 1, BACKOFF_DOUBLINGS_MAX))
            await self._clock.sleep(longest_s * random.uniform(0.5, 1.0))

    async def _converse(self) -> None:
        """Use one connection until it breaks."""
        async with connected(self._host, self._port) as client:
            _log.info("feed_broker_back" if self._broken else "feed_broker_connected", host=self._host, port=self._port)
            self._broken = False
            self._out.begin(self._clock.monotonic())
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read(client))
                for _ in range(WINDOW):
                    tasks.create_task(self._write(client))
                # Not a task too: when one fails while a group waits at its end, Python 3.11 leaves this task marked as
                # cancelled, and the link would end without a word.
                await self._look(client)

    async def _write(self, client: aiomqtt.Client) -> None:
        """Publish what is due, one after the other. Those of one topic leave in the order in which they were taken."""
        while True:
            _raise_if_cancelled()
            if batch := self._out.take(1):
                (one,) = batch
                await client.publish(one.topic, one.payload, qos=1, retain=True)  # on its way before it first waits
                self._out.settle(batch)
            else:
                self._due.clear()
                await self._due.wait()

    async def _read(self, client: aiomqtt.Client) -> None:
        """Take what the broker held when it was asked. What is published meanwhile comes too, and is our own."""
        async for message in client.messages:
            if message.retain and message.payload:
                self._heard_s = self._clock.monotonic()
                self._out.find(str(message.topic))

    async def _look(self, client: aiomqtt.Client) -> None:
        """Read back what the broker holds whenever it is time."""
        while True:
            if self._out.look_s > self._clock.monotonic():
                await self._clock.sleep(LOOK_POLL_S)
                continue
            self._heard_s = self._clock.monotonic()
            self._out.begin_look(self._heard_s)
            await _subscribe(client)
            _raise_if_cancelled()
            while (quiet_s := self._clock.monotonic() - self._heard_s) < LOOK_QUIET_S:
                await self._clock.sleep(LOOK_QUIET_S - quiet_s)
            await client.unsubscribe(FEED_FILTER)
            _raise_if_cancelled()
            if found := self._out.end_look():
                _log.info("feed_cleared", found=found, still_held=self._out.still_held)


async def _subscribe(client: aiomqtt.Client) -> None:
    granted = await client.subscribe(FEED_FILTER, 0)
    if any(bool(getattr(code, "is_failure", False)) or (isinstance(code, int) and code >= 128) for code in granted):
        raise aiomqtt.MqttError("the broker refused to be read back")


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
