"""The MQTT connection of ingest: paho, driven by the event loop without a thread of its own.

A thread hop a message costs more than the message (measured: 215 to 305 µs an event). Everything travels at QoS 0, so
nothing is acknowledged here: the settle after the commit is the acknowledgement. Pausing stops reading the socket,
and the broker then holds back or drops: devices send again. While it is paused nobody asks whether the broker is
alive; what happened to the connection meanwhile is found, and mended, once reading goes on.
"""

import asyncio
import random
import secrets
from collections.abc import Callable
from typing import Any

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from cloud.clock import Clock
from cloud.errors import Retryable
from cloud.ingest.work import Outgoing
from wire.topics import UP_FILTER

TURN_MESSAGES_MAX = 100
"""Messages read in one turn of the loop, so that a burst does not hold everything else up."""
KEEPALIVE_S = 15
BACKOFF_MAX_S = 10.0
BACKOFF_FIRST_S = 0.4
BACKOFF_DOUBLINGS_MAX = 10
SUBSCRIBE_WAIT_S = 10.0
NOT_TEXT = "(not UTF-8)"
"""Stands for a topic that is not text: no broker should carry one, and it is never one of the contract's."""

_log = structlog.get_logger("ingest.broker")
Messages = list[tuple[str, bytes]]


class Subscriber:
    """Keeps one connection up, hands over what arrives a turn at a time, and publishes."""

    def __init__(self, host: str, port: int, *, clock: Clock, on_messages: Callable[[Messages], None]) -> None:
        """Name the broker. Nothing happens before `run`."""
        self._host, self._port = host, port
        self._clock = clock
        self._on_messages = on_messages
        self._inbox: Messages = []
        self._client: paho.Client | None = None
        self._paused = False
        self._subscribed: asyncio.Future[None] | None = None
        self._lost: asyncio.Future[None] | None = None
        self._fault: Exception | None = None
        self.connected = False
        self.connections = 0
        self.dropped = 0

    async def run(self, on_connected: Callable[[], None]) -> None:
        """Connect, and connect again for as long as the task lives. Calls `on_connected` after each subscription.

        Raises what `on_messages` raised: that is a fault of ours, and no new connection mends it.
        """
        failures = 0
        broken = False
        while True:
            try:
                await self._connect()
                _log.info("broker_connected" if not broken else "broker_back", host=self._host, port=self._port)
                failures, broken = 0, False
                on_connected()
                await self._stay()
            except (OSError, Retryable) as error:
                if not broken:
                    _log.error("broker_lost", host=self._host, port=self._port, cause=str(error))
                broken = True
            finally:
                self._close()
            await self._clock.sleep(_backoff_s(failures) * random.uniform(0.5, 1.0))
            failures += 1

    def publish(self, message: Outgoing) -> None:
        """Send a message now, or drop it and count it where there is no connection: whoever needs it asks again."""
        if self._client is None or not self.connected:
            self.dropped += 1
            return
        self._client.publish(message.topic, message.payload, qos=0, retain=message.retain)

    def pause(self) -> None:
        """Stop reading."""
        if not self._paused and self._client is not None and (socket := self._client.socket()) is not None:
            asyncio.get_running_loop().remove_reader(socket)
            self._paused = True

    def resume(self) -> None:
        """Read on."""
        if self._paused and self._client is not None and (socket := self._client.socket()) is not None:
            asyncio.get_running_loop().add_reader(socket, self._read, self._client)
        self._paused = False

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        client = self._make_client()
        self._subscribed, self._lost = loop.create_future(), loop.create_future()
        self._inbox.clear()
        await loop.run_in_executor(None, client.connect, self._host, self._port, KEEPALIVE_S)
        self._client = client
        if (socket := client.socket()) is None:
            raise Retryable("the broker closed the connection")
        _watch_writes(client, loop)
        loop.add_reader(socket, self._read, client)
        try:
            async with asyncio.timeout(SUBSCRIBE_WAIT_S):
                await asyncio.wait((self._subscribed, self._lost), return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise Retryable("the broker did not answer the subscription") from None
        if not self._subscribed.done():
            raise Retryable("the broker closed the connection")
        self._subscribed.result()
        self.connections += 1

    def _make_client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"ingest-{secrets.token_hex(8)}")
        client.on_message = lambda _c, _u, message: self._inbox.append((_topic(message), bytes(message.payload)))
        client.on_connect = lambda c, _u, _f, reason, *_: self._on_answered(c, reason)
        client.on_subscribe = lambda _c, _u, _m, codes, *_: self._on_subscribed(codes)
        client.on_disconnect = lambda *_: self._on_lost()
        return client

    async def _stay(self) -> None:
        assert self._lost is not None and self._client is not None
        while not self._lost.done():
            await asyncio.wait((self._lost,), timeout=1.0)
            if not self._paused:
                self._client.loop_misc()
        raise self._fault or Retryable("the broker closed the connection")

    def _read(self, client: paho.Client) -> None:
        for _ in range(TURN_MESSAGES_MAX):
            before = len(self._inbox)
            client.loop_read()
            if len(self._inbox) == before:
                break
        if self._inbox:
            messages, self._inbox = self._inbox, []
            self._hand_over(messages)

    def _hand_over(self, messages: Messages) -> None:
        try:
            self._on_messages(messages)
        except Exception as error:
            self._fault = error  # for `run` to raise: the loop itself only logs it
            self._on_lost()
            raise

    def _on_answered(self, client: paho.Client, reason: Any) -> None:
        assert self._subscribed is not None
        if not reason.is_failure:
            client.subscribe(UP_FILTER, 0)
        elif not self._subscribed.done():
            self._subscribed.set_exception(Retryable(f"the broker refused the connection: {reason}"))

    def _on_subscribed(self, codes: list[Any]) -> None:
        assert self._subscribed is not None
        if self._subscribed.done():
            return
        if any(code.is_failure for code in codes):
            self._subscribed.set_exception(Retryable("the broker refused the subscription"))
        else:
            self._subscribed.set_result(None)
            self.connected = True

    def _on_lost(self) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    def _close(self) -> None:
        """End the connection now, in good order where the socket still takes that."""
        self.connected = self._paused = False
        client, self._client = self._client, None
        if client is None:
            return
        client.disconnect()
        client.loop_write()
        if client.socket() is not None:
            client.reinitialise()


def _backoff_s(failures: int) -> float:
    """The longest pause before the next try, after this many in a row that failed."""
    return min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(failures, BACKOFF_DOUBLINGS_MAX))


def _topic(message: paho.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return NOT_TEXT


def _watch_writes(client: paho.Client, loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop write what the socket did not take at once. Not before it is connected: a thread has it then."""

    def watch(client: paho.Client, _data: Any, socket: Any) -> None:
        loop.add_writer(socket, client.loop_write)

    def forget_writes(_client: paho.Client, _data: Any, socket: Any) -> None:
        loop.remove_writer(socket)

    def forget(_client: paho.Client, _data: Any, socket: Any) -> None:
        loop.remove_reader(socket)
        loop.remove_writer(socket)

    client.on_socket_register_write = watch
    client.on_socket_unregister_write = forget_writes
    client.on_socket_close = forget
    if client.want_write():
        loop.add_writer(client.socket(), client.loop_write)  # type: ignore[arg-type]
