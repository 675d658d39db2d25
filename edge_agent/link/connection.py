"""One MQTT connection: opened with its will, subscribed to the cloud's word, and closed for good however it ends."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import aiomqtt
import msgspec

from wire import topics

CONNECT_S = 10.0
LINGER_S = 0.5
"""How long an attempt that is over waits for why, or, cancelled, for the library's thread, which would otherwise open
the socket after we had left. On a network that swallows everything the thread takes 5 s."""
DROP_TURNS_MAX = 20
"""Turns of the loop in which it writes the last packet and closes the socket; two or three do."""
INCOMING_MAX = 1_000
"""Messages that may wait while the disk is slow; past it they are dropped, for the cloud says everything again."""

_silent = logging.getLogger("edge_agent.link.silent")
_silent.addHandler(logging.NullHandler())
"""Takes what the MQTT library would print on its own: the link says once what broke."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is, and who this device is there."""

    host: str
    port: int
    keepalive_s: int
    organisation: str
    device: str


class Message(Protocol):
    """A message from the broker."""

    @property
    def topic(self) -> object:
        """Where it was published; `str` gives the name."""
        ...

    @property
    def payload(self) -> object:
        """Its content: bytes, or something that no message of ours is."""
        ...


class Client(Protocol):
    """A connection to a broker, as far as the link uses it. Each method raises `aiomqtt.MqttError`."""

    @property
    def messages(self) -> AsyncIterator[Message]:
        """What arrives, until the connection breaks, which raises."""
        ...

    async def subscribe(self, topic: Any, /) -> Iterable[object]:
        """Subscribe to (topic, QoS) pairs; gives the broker's answer to each."""
        ...

    async def publish(
        self, topic: str, payload: bytes, qos: int = 0, retain: bool = False, *, timeout: float | None = None
    ) -> None:
        """Publish; at QoS 1 it returns once the broker has it."""
        ...


Connect = Callable[[Address, bytes], AbstractAsyncContextManager[Client]]
"""Connects to a broker with a will, and closes in good order."""


@contextlib.asynccontextmanager
async def connected(address: Address, death: bytes) -> AsyncIterator[aiomqtt.Client]:
    """Connect with `death` as the will, and close in good order. Raises `aiomqtt.MqttError` where that fails."""
    client = aiomqtt.Client(
        address.host,
        address.port,
        identifier=f"{address.device}-{secrets.token_hex(4)}",
        keepalive=address.keepalive_s,
        timeout=CONNECT_S,
        max_queued_incoming_messages=INCOMING_MAX,
        will=aiomqtt.Will(topics.up(address.organisation, address.device, "link"), death, qos=1, retain=True),
        logger=_silent,
    )
    try:
        await _enter(client)
        try:
            yield client
        finally:
            await client.__aexit__(None, None, None)
    finally:
        await _drop(client)


async def subscribe(client: Client, address: Address) -> None:
    """Subscribe to all that the cloud says to this device. Raises `aiomqtt.MqttError` where the broker refuses."""
    org, device = address.organisation, address.device
    own: tuple[topics.DownChannel, ...] = ("settle", "state", "command")
    names = (*(topics.down(org, device, channel) for channel in own), topics.hello(org))
    granted = await client.subscribe([(name, 0) for name in names])
    refused = [name for name, code in zip(names, granted, strict=False) if _is_refusal(code)]
    if refused:
        raise aiomqtt.MqttError(f"the broker refused the subscription to {', '.join(refused)}")


async def _enter(client: aiomqtt.Client) -> None:
    """Connect. A broker that hangs up before it has answered is noticed; aiomqtt 2.5 would wait for `CONNECT_S`."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.wait((entering, _hung_up(client)), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await asyncio.wait((entering,), timeout=LINGER_S)
        entering.cancel()
        await asyncio.wait((entering,))
    if entering.cancelled():
        raise aiomqtt.MqttError("the broker hung up before it answered")
    entering.result()


def _hung_up(client: aiomqtt.Client) -> "asyncio.Future[None]":
    """Give a future that is done when the socket is closed."""
    loop = asyncio.get_running_loop()
    closed = loop.create_future()

    def on_close(paho: Any, data: Any, socket: Any) -> None:
        client._on_socket_close(paho, data, socket)
        if not closed.done():
            closed.set_result(None)

    client._client.on_socket_close = on_close
    return closed


async def _drop(client: aiomqtt.Client) -> None:
    """Close what aiomqtt 2.5 leaves open where connecting failed: a broker that was only slow would answer later.

    Nobody would ever end that connection, and its will would one day be told. After a close in good order it does
    nothing.
    """
    client._client.on_disconnect = None  # aiomqtt's own fails for an attempt that was cancelled, and the socket stays
    client._client.disconnect()
    for _ in range(DROP_TURNS_MAX):
        if client._client.socket() is None:
            return
        await asyncio.sleep(0)


def _is_refusal(code: object) -> bool:
    return bool(getattr(code, "is_failure", False)) or (isinstance(code, int) and code >= 128)
