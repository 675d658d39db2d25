"""What brokers do that they should not, to ingest's connection: it is told, mended, and nothing of it is left."""

import asyncio

import pytest
from structlog.testing import capture_logs

from cloud.ingest import subscriber as room
from cloud.ingest.subscriber import NOT_TEXT
from cloud.ingest.work import Outgoing
from tests.cloud.ingest.listening import (
    CONNACK,
    NOT_GRANTED,
    REFUSED,
    Hurried,
    Serve,
    accept,
    descriptors,
    fall_silent,
    keep_silent,
    listening,
    packet,
    publish_packet,
    serving,
    watched,
)
from tests.ports import free_port
from tests.waiting import eventually

RECONNECTS = 50


@pytest.mark.parametrize(
    ("answers", "cause"),
    [
        ([REFUSED], "the broker refused the connection: Not authorized"),
        ([CONNACK, NOT_GRANTED], "the broker refused the subscription"),
        ([CONNACK], "the broker closed the connection"),
        ([], "the broker closed the connection"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "the broker closed the connection"),
    ],
)
def test_a_broker_that_refuses_is_named_and_asked_again(answers: list[bytes], cause: str) -> None:
    """Whatever a broker refuses, the log says once which it was, nothing is greeted, and another try follows."""
    tries = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        for answer in answers:
            await packet(reader)
            writer.write(answer)
        await writer.drain()

    async def scenario() -> None:
        async with serving(refuse) as port, listening(port, Hurried()) as running:
            await eventually(lambda: tries > 3, what="another try")
            assert not running.subscriber.connected
            assert 0 == running.greetings

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert [line["cause"] for line in logs] == [cause]


@pytest.mark.parametrize("serve", [keep_silent, fall_silent])
def test_a_broker_that_says_nothing_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent from the start or from the subscription on, a broker is left within a bounded time and tried again."""
    monkeypatch.setattr(room, "SUBSCRIBE_WAIT_S", 0.3)
    monkeypatch.setattr(room, "KEEPALIVE_S", 1)
    met = ended = 0

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met, ended
        met += 1
        await serve(reader, writer)
        ended += 1

    async def scenario() -> None:
        async with serving(counted) as port, listening(port, Hurried()):
            await eventually(lambda: met >= 2 and ended >= 1, what="another try", deadline_s=20)

    asyncio.run(scenario())


async def hang_up_at_once(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Close."""


async def hang_up_half_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept the connection, then close."""
    await packet(reader)
    writer.write(CONNACK)


@pytest.mark.parametrize("serve", [hang_up_at_once, hang_up_half_way, accept, keep_silent])
def test_nothing_is_left_of_fifty_connections(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a connection ends, neither its socket nor the loop's watch on it outlives it."""
    monkeypatch.setattr(room, "SUBSCRIBE_WAIT_S", 0.02)
    met = 0

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        await serve(reader, writer)

    async def scenario() -> None:
        async with serving(counted) as port:
            async with listening(port, Hurried()):
                await eventually(lambda: met >= 3, what="a few tries", deadline_s=20)
                before = descriptors(), watched()
                await eventually(lambda: met >= 3 + RECONNECTS, what="many tries", deadline_s=20)
                await eventually(lambda: descriptors() <= before[0] + 4, what="no socket of theirs is left")
                await eventually(lambda: watched() <= before[1] + 4, what="no watch on one is left")

    asyncio.run(scenario())


def test_a_frozen_broker_holds_no_socket_of_ours() -> None:
    """A subscriber that ends while megabytes wait for a broker that reads nothing ends its connection all the same."""
    frozen = asyncio.Event()

    async def freeze(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await frozen.wait()

    async def scenario() -> None:
        async with serving(freeze) as port:
            before = watched()
            async with listening(port) as running:
                await eventually(lambda: running.greetings, what="a subscription")
                for _ in range(1_500):
                    running.subscriber.publish(Outgoing("wr/1/down/kp/veh-2/state", b"x" * 16_000))
            assert watched() == before  # the server does not watch its own end either: it does not read
            frozen.set()

    asyncio.run(scenario())


def test_a_subscriber_that_ends_while_it_connects_leaves_nothing() -> None:
    """Cancelled at any moment of its first connection, it leaves no file open and no watch."""

    async def scenario() -> None:
        before = descriptors(), watched()
        async with serving(fall_silent) as port:
            for turns in range(40):
                async with listening(port):
                    for _ in range(turns):
                        await asyncio.sleep(0)
            await eventually(lambda: watched() <= before[1] + 1, what="every connection to end")
            await eventually(lambda: descriptors() <= before[0] + 4, what="every file to be closed")

    asyncio.run(scenario())


def test_a_topic_that_is_not_text_holds_nothing_up() -> None:
    """A message that no broker should carry is handed over under a name for it, and so are those around it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        for topic in (b"wr/1/up/a", b"wr/1/up/\xff\xfe", b"wr/1/up/b"):
            writer.write(publish_packet(topic, b"x"))
        await keep_silent(reader, writer)

    async def scenario() -> None:
        async with serving(serve) as port, listening(port) as running:
            await eventually(lambda: len(running.payloads) == 3, what="all three")
            assert ["wr/1/up/a", NOT_TEXT, "wr/1/up/b"] == [topic for batch in running.batches for topic, _ in batch]

    asyncio.run(scenario())


def test_a_port_where_nothing_listens_is_told_with_its_cause() -> None:
    """The log names the port and why: what a person needs who gave the wrong one."""
    port = free_port()

    async def scenario() -> None:
        async with listening(port, Hurried()):
            await eventually(lambda: logs, what="a line")

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert (port, "error") == (logs[0]["port"], logs[0]["log_level"])
    assert "refused" in logs[0]["cause"].lower()
