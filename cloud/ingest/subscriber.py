"""The MQTT connection of ingest: paho, driven by the event loop without a thread of its own.

A thread hop a message costs more than the message (measured: 215 to 305 µs an event). Everything travels at QoS 0, so
nothing is acknowledged here: the settle after the commit is the acknowledgement. Pausing stops reading the socket,
and the broker then holds back or drops: devices send again.
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
SUBSCRIBE_WAIT_S = 10.0

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
        self.connected = False
        self.connections = 0
        self.dropped = 0

    async def run(self, on_connected: Callable[[], None]) -> None:
        """Connect, and connect again for as long as the task lives. Calls `on_connected` after each subscription."""
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
            failures += 1
            await self._clock.sleep(min(BACKOFF_MAX_S, 0.2 * 2**failures) * random.uniform(0.5, 1.0))

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
        self.connected = True
        self.connections += 1

    def _make_client(self) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"ingest-{secrets.token_hex(8)}")
        client.on_message = lambda _c, _u, message: self._inbox.append((message.topic, bytes(message.payload)))
        client.on_connect = lambda c, *_: c.subscribe(UP_FILTER, 0)
        client.on_subscribe = lambda _c, _u, _m, codes, *_: self._on_subscribed(codes)
        client.on_disconnect = lambda *_: self._on_lost()
        return client

    async def _stay(self) -> None:
        assert self._lost is not None and self._client is not None
        while not self._lost.done():
            await asyncio.wait((self._lost,), timeout=1.0)
            self._client.loop_misc()
        raise Retryable("the broker closed the connection")

    def _read(self, client: paho.Client) -> None:
        for _ in range(TURN_MESSAGES_MAX):
            before = len(self._inbox)
            client.loop_read()
            if len(self._inbox) == before:
                break
        if self._inbox:
            messages, self._inbox = self._inbox, []
            self._on_messages(messages)

    def _on_subscribed(self, codes: list[Any]) -> None:
        assert self._subscribed is not None
        if self._subscribed.done():
            return
        if any(code.is_failure for code in codes):
            self._subscribed.set_exception(Retryable("the broker refused the subscription"))
        else:
            self._subscribed.set_result(None)

    def _on_lost(self) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    def _close(self) -> None:
        self.connected = False
        client, self._client = self._client, None
        self._paused = False
        if client is not None:
            client.disconnect()


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
