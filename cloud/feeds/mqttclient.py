"""One MQTT connection through aiomqtt, opened and closed for good, however it ends."""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiomqtt

KEEPALIVE_S = 15
TIMEOUT_S = 10.0
"""A broker that takes longer for an answer counts as lost."""
LINGER_S = 0.5
"""How long an attempt that is over waits for why, or, cancelled, for the library's thread, which would otherwise open
the socket after we had left."""
DROP_TURNS_MAX = 20
"""Turns of the loop in which the last packet is written and the socket closed; two or three do."""
INCOMING_MAX = 100_000
"""Messages that may wait to be read. Past it they are dropped: whoever reads back what the broker holds looks again."""

_silent = logging.getLogger("cloud.feeds.silent")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
"""Takes what the MQTT library would print on its own: the link says once what broke."""


@contextlib.asynccontextmanager
async def connected(host: str, port: int) -> AsyncIterator[aiomqtt.Client]:
    """Connect, and close in good order. Raises `aiomqtt.MqttError` where that fails."""
    client = aiomqtt.Client(
        host,
        port,
        identifier=f"feed-{secrets.token_hex(8)}",
        keepalive=KEEPALIVE_S,
        timeout=TIMEOUT_S,
        max_queued_incoming_messages=INCOMING_MAX,
        socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
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


async def _enter(client: aiomqtt.Client) -> None:
    """Connect. A broker that hangs up before it has answered is noticed; aiomqtt 2.5 would wait for `TIMEOUT_S`."""
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

    def on_close(paho: Any, data: Any, sock: Any) -> None:
        client._on_socket_close(paho, data, sock)
        if not closed.done():
            closed.set_result(None)

    client._client.on_socket_close = on_close
    return closed


async def _drop(client: aiomqtt.Client) -> None:
    """Close what aiomqtt 2.5 leaves open where connecting failed. After a close in good order it does nothing."""
    client._client.on_disconnect = None  # aiomqtt's own fails for an attempt that was cancelled, and the socket stays
    client._client.disconnect()
    for _ in range(DROP_TURNS_MAX):
        if client._client.socket() is None:
            return
        await asyncio.sleep(0)
