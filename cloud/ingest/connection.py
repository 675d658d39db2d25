"""One MQTT connection, on asyncio's own transport: no thread, and no task of its own."""

import asyncio
import secrets
from collections.abc import Callable

from cloud.clock import Clock
from cloud.ingest import packets
from cloud.ingest.packets import Control, Malformed, Published, Splitter, Taken
from cloud.ingest.work import Outgoing
from wire.topics import UP_FILTER

TURN_MESSAGES_MAX = 100
"""Messages handed over in one turn of the loop, so that a burst does not hold everything else up."""
WRITE_BYTES_MAX = 64 * 1024 * 1024
"""What may wait for a broker that takes nothing. The states of 50,000 devices at a start are half of it."""
NOT_TEXT = "(not UTF-8)"
"""Stands for a topic that is not text: no broker should carry one, and it is never one of the contract's."""
_SUBSCRIPTION_ID = 1

Messages = list[tuple[str, bytes]]


class Connection(asyncio.Protocol):
    """Introduces itself, subscribes, hands over what comes, and writes a turn's messages at once.

    `subscribed` is done once the subscription stands, or with what spoke against it; `lost` once the connection has
    ended, or is no good. `fault` is what taking messages in raised, if that was why.
    """

    def __init__(
        self,
        clock: Clock,
        keepalive_s: int,
        on_subscribed: Callable[[], None],
        on_messages: Callable[[Messages], None],
    ) -> None:
        """Give it to `create_connection`. `on_subscribed` is called before the first messages are handed over."""
        loop = asyncio.get_running_loop()
        self._clock, self._keepalive_s = clock, keepalive_s
        self._loop, self._on_messages = loop, on_messages
        self._on_subscribed = on_subscribed
        self._splitter = Splitter()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._paused = self._turn_is_due = self._greeted = False
        self._heard_s = self._said_s = self._asked_s = 0.0
        self.fault: Exception | None = None
        self.subscribed: asyncio.Future[str] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()

    def publish(self, message: Outgoing) -> bool:
        """Send a message at the end of this turn of the loop. Tells whether there is room for it."""
        transport = self._transport
        packet = packets.publish(message.topic, message.payload, retain=message.retain)
        waiting = self._out_bytes + len(packet)
        if transport is None or waiting + transport.get_write_buffer_size() > WRITE_BYTES_MAX:
            return False
        self._write(packet)
        return True

    def pause(self) -> None:
        """Hand nothing over, and read nothing."""
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on with what has come already, then read."""
        if self._paused:
            self._paused, self._asked_s = False, 0.0
            self._turn_soon()

    def keep_alive(self) -> None:
        """Ask whether the broker is there, where nothing was heard or said for long. Ends a connection of a silent one.

        While it is paused nothing is asked: no answer could be read.
        """
        now_s = self._clock.monotonic()
        if self._paused or self._transport is None:
            return
        if self._asked_s > self._heard_s:
            if now_s - self._asked_s > self._keepalive_s:
                self._end()
        elif now_s - min(self._heard_s, self._said_s) >= self._keepalive_s:
            self._asked_s = now_s
            self._write(packets.PINGREQ)

    def close(self) -> None:
        """End it now, in good order where the socket still takes that."""
        transport, self._transport = self._transport, None
        if transport is None or transport.is_closing():
            return
        self._out.append(packets.DISCONNECT)
        transport.write(b"".join(self._out))
        self._out.clear()
        if transport.get_write_buffer_size():
            transport.abort()
        else:
            transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._heard_s = self._clock.monotonic()
        self._write(packets.connect(f"ingest-{secrets.token_hex(8)}", self._keepalive_s))

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._heard_s = self._clock.monotonic()
        self._splitter.feed(data)
        self._turn()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self._end()

    def _turn(self) -> None:
        """Hand over what has come, up to the bound; where there is more, go on in the next turn, and read then."""
        self._turn_is_due = False
        transport = self._transport
        if self._paused or transport is None:
            return
        try:
            taken = self._splitter.take(TURN_MESSAGES_MAX)
            self._answer(taken)
            if taken.full:
                transport.pause_reading()
                self._turn_soon()
            elif not self._paused:
                transport.resume_reading()
        except Malformed:
            self._end()

    def _turn_soon(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _answer(self, taken: Taken) -> None:
        for control in taken.control:
            self._take_control(control)
        if not taken.published:
            return
        for published in taken.published:
            if published.packet_id:
                self._write(packets.puback(published.packet_id))
        try:
            self._on_messages(_messages(taken.published))
        except Exception as error:
            self.fault = error  # for the subscriber to raise: the loop itself only logs it
            self._end()
            raise

    def _take_control(self, control: Control) -> None:
        if control.first == packets.CONNACK:
            if self._greeted:
                raise Malformed("the broker accepted the connection twice")
            self._greeted = True
            refusal = packets.refusal(control.body)
            if refusal:
                self._decide(f"the broker refused the connection: {refusal}")
            else:
                self._write(packets.subscribe(_SUBSCRIPTION_ID, UP_FILTER))
        elif control.first == packets.SUBACK:
            self._decide("" if packets.is_granted(control.body) else "the broker refused the subscription")

    def _decide(self, objection: str) -> None:
        if self.subscribed.done():
            return
        self.subscribed.set_result(objection)
        if not objection:
            self._on_subscribed()

    def _write(self, packet: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._write_out)
        self._out.append(packet)
        self._out_bytes += len(packet)

    def _write_out(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(b"".join(self._out))
        self._out.clear()
        self._out_bytes = 0
        self._said_s = self._clock.monotonic()

    def _end(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


def _messages(published: list[Published]) -> Messages:
    try:
        return [(one.topic.decode(), one.payload) for one in published]
    except UnicodeDecodeError:
        return [(_topic(one.topic), one.payload) for one in published]


def _topic(topic: bytes) -> str:
    try:
        return topic.decode()
    except UnicodeDecodeError:
        return NOT_TEXT
