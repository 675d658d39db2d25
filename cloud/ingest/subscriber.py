"""The way to the broker of ingest: one connection, made again whenever it is lost.

Everything travels at QoS 0, so nothing is acknowledged here: the settle after the commit is the acknowledgement.
Pausing stops reading the socket, and the broker then holds back or drops: devices send again. While it is paused
nobody asks whether the broker is alive; what happened to the connection meanwhile is found, and mended, once reading
goes on.
"""

import asyncio
import os
import random
from collections.abc import Callable
from typing import Protocol

import structlog

from cloud.clock import Clock
from cloud.errors import Retryable
from cloud.ingest.connection import NOT_TEXT, TURN_MESSAGES_MAX, Connection, Messages
from cloud.ingest.work import Outgoing

KEEPALIVE_S = 15
WATCH_S = 1.0
BACKOFF_MAX_S = 10.0
BACKOFF_FIRST_S = 0.4
BACKOFF_DOUBLINGS_MAX = 10
SUBSCRIBE_WAIT_S = 10.0

__all__ = ["NOT_TEXT", "TURN_MESSAGES_MAX", "Broker", "Messages", "Subscriber"]

_log = structlog.get_logger("ingest.broker")


class Broker(Protocol):
    """The way to a broker, as ingest uses it."""

    connected: bool
    connections: int
    dropped: int

    async def run(self, on_connected: Callable[[], None]) -> None:
        """Connect, and connect again for as long as the task lives. Calls `on_connected` after each subscription."""
        ...

    def publish(self, message: Outgoing) -> None:
        """Send a message now, or drop it and count it: whoever needs it asks again."""
        ...

    def pause(self) -> None:
        """Stop reading."""
        ...

    def resume(self) -> None:
        """Read on."""
        ...


class Subscriber:
    """Keeps one connection up, hands over what arrives a turn at a time, and publishes."""

    def __init__(self, host: str, port: int, *, clock: Clock, on_messages: Callable[[Messages], None]) -> None:
        """Name the broker. Nothing happens before `run`."""
        self._host, self._port = host, port
        self._clock = clock
        self._on_messages = on_messages
        self._connection: Connection | None = None
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
                connection = await self._connect()
                _log.info("broker_connected" if not broken else "broker_back", host=self._host, port=self._port)
                failures, broken = 0, False
                on_connected()
                await self._stay(connection)
            except (OSError, Retryable) as error:
                if not broken:
                    _log.error("broker_lost", host=self._host, port=self._port, cause=_cause(error))
                broken = True
            finally:
                self._close()
            await self._clock.sleep(_backoff_s(failures) * random.uniform(0.5, 1.0))
            failures += 1

    def publish(self, message: Outgoing) -> None:
        """Send a message now, or drop it and count it where there is no connection, or a broker that takes nothing.

        Whoever needs it asks again.
        """
        if self._connection is None or not self.connected or not self._connection.publish(message):
            self.dropped += 1

    def pause(self) -> None:
        """Stop reading."""
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        """Read on."""
        if self._connection is not None:
            self._connection.resume()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        connection = self._connection = Connection(self._clock, KEEPALIVE_S, self._on_subscribed, self._on_messages)
        try:
            async with asyncio.timeout(SUBSCRIBE_WAIT_S):
                await loop.create_connection(lambda: connection, self._host, self._port)
                await asyncio.wait((connection.subscribed, connection.lost), return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise Retryable("the broker did not answer the subscription") from None
        if not connection.subscribed.done():
            raise connection.fault or Retryable("the broker closed the connection")
        if objection := connection.subscribed.result():
            raise Retryable(objection)
        return connection

    def _on_subscribed(self) -> None:
        self.connected = True
        self.connections += 1

    async def _stay(self, connection: Connection) -> None:
        while not connection.lost.done():
            await asyncio.wait((connection.lost,), timeout=WATCH_S)
            connection.keep_alive()
        raise connection.fault or Retryable("the broker closed the connection")

    def _close(self) -> None:
        """End the connection now, in good order where the socket still takes that."""
        self.connected = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _cause(error: Exception) -> str:
    """Say what went wrong. asyncio only says that a connection failed, so the system's own word for it goes first."""
    refused = isinstance(error, ConnectionError) and error.errno is not None
    return f"{os.strerror(error.errno)}: {error}" if refused else str(error)  # type: ignore[attr-defined]


def _backoff_s(failures: int) -> float:
    """The longest pause before the next try, after this many in a row that failed."""
    return min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(failures, BACKOFF_DOUBLINGS_MAX))
