"""One connection of ingest against brokers that send too much, take too little, or do not speak MQTT."""

import asyncio

import pytest
from structlog.testing import capture_logs

from cloud.clock import SystemClock
from cloud.ingest import connection as room
from cloud.ingest.connection import TURN_MESSAGES_MAX
from cloud.ingest.packets import publish
from cloud.ingest.subscriber import Messages, Subscriber
from cloud.ingest.work import Outgoing
from tests.cloud.ingest.listening import CONNACK, HOST, SUBACK, Hurried, accept, keep_silent, listening, packet, serving
from tests.waiting import eventually


def test_a_broker_that_does_not_speak_mqtt_is_left() -> None:
    """A stream that went wrong is never read on from: the connection is made anew, and what was whole was taken."""
    taken: list[bytes] = []

    async def forge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(publish("wr/1/up/a", b"whole") + bytes.fromhex("30ffffffff01"))
        await keep_silent(reader, writer)

    async def scenario() -> None:
        async with serving(forge) as port, listening(port, Hurried()) as running:
            await eventually(lambda: running.greetings >= 3, what="new connections")
            taken.extend(running.payloads)

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert "the broker closed the connection" in {line.get("cause") for line in logs}
    assert set(taken) == {b"whole"}


def test_a_message_at_qos_1_is_acknowledged() -> None:
    """A broker that delivers at QoS 1 all the same gets its PUBACK, and does not send again for ever."""
    answered: list[bytes] = []

    async def insist(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(bytes.fromhex("3207 0001 61 0102 7879".replace(" ", "")))
        answered.append(await reader.readexactly(4))
        await keep_silent(reader, writer)

    async def scenario() -> None:
        async with serving(insist) as port, listening(port) as running:
            await eventually(lambda: answered, what="the acknowledgement")
            assert running.payloads == [b"xy"]

    asyncio.run(scenario())
    assert answered == [bytes.fromhex("40020102")]


def test_a_burst_leaves_room_for_others() -> None:
    """However much comes at once, the loop turns after each hundred messages; all come, in order, also past a pause."""
    turns = 0

    async def burst(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(b"".join(publish("wr/1/up/a", b"%d" % number) for number in range(2_000)))
        await keep_silent(reader, writer)

    async def scenario() -> None:
        def turn() -> None:
            nonlocal turns
            turns += 1
            asyncio.get_running_loop().call_soon(turn)

        async with serving(burst) as port, listening(port) as running:
            await eventually(lambda: running.batches, what="the first of it")
            running.subscriber.pause()
            turn()
            known = len(running.payloads)
            await eventually(lambda: turns > 50, what="a few turns")
            assert len(running.payloads) == known
            before, slices = turns, len(running.batches)
            running.subscriber.resume()
            await eventually(lambda: len(running.payloads) == 2_000, what="the rest")
            assert turns - before >= len(running.batches) - slices
            assert max(map(len, running.batches)) == TURN_MESSAGES_MAX
            assert running.payloads == [b"%d" % number for number in range(2_000)]

    asyncio.run(scenario())


def test_what_a_broker_does_not_take_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a broker reads nothing, what waits for it is bounded; once it reads again, everything goes through."""
    monkeypatch.setattr(room, "WRITE_BYTES_MAX", 1_000_000)
    reading = asyncio.Event()
    taken = 0

    async def freeze(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        await accept(reader, writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await reading.wait()
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        while came := await reader.read(65_536):
            taken += len(came)

    async def scenario() -> None:
        state = Outgoing("wr/1/down/kp/veh-2/state", bytes(16_000))
        size = len(publish(state.topic, state.payload))
        async with serving(freeze) as port, listening(port) as running:
            await eventually(lambda: running.greetings, what="a subscription")
            for _ in range(1_000):
                running.subscriber.publish(state)
                await asyncio.sleep(0)
            dropped = running.subscriber.dropped
            assert 0 < dropped < 1_000
            reading.set()
            await eventually(lambda: taken == size * (1_000 - dropped), what="all that was not dropped")
            running.subscriber.publish(state)
            await eventually(lambda: taken == size * (1_001 - dropped), what="the next")
            assert running.subscriber.dropped == dropped

    asyncio.run(scenario())


def test_what_is_published_in_one_turn_goes_out_in_order() -> None:
    """Messages of one turn are written together, none is lost at the end of a connection, and order holds."""
    heard = b""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        await accept(reader, writer)
        while came := await reader.read(65_536):
            heard += came

    async def scenario() -> bytes:
        async with serving(listen) as port:
            async with listening(port) as running:
                await eventually(lambda: running.greetings, what="a subscription")
                sent = [Outgoing("a", b"%d" % number, retain=number % 2 == 0) for number in range(300)]
                for message in sent:
                    running.subscriber.publish(message)
            expected = b"".join(publish(one.topic, one.payload, retain=one.retain) for one in sent)
            await eventually(lambda: len(heard) >= len(expected) + 2, what="everything")
            return expected

    assert asyncio.run(scenario()) + bytes.fromhex("e000") == heard


def test_what_comes_with_the_subscription_is_answered() -> None:
    """A message in the same bytes as the subscription's grant finds a connection that its answer can go out on."""
    heard = b""

    async def hurry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        await packet(reader)
        writer.write(CONNACK)
        await packet(reader)
        writer.write(SUBACK + publish("wr/1/up/a", b"asked"))
        heard = await reader.read(65_536)

    async def scenario() -> None:
        async with serving(hurry) as port:

            def answer(_messages: Messages) -> None:
                subscriber.publish(Outgoing("a", b"answered"))

            subscriber = Subscriber(HOST, port, clock=SystemClock(), on_messages=answer)
            running = asyncio.create_task(subscriber.run(lambda: None))
            await eventually(lambda: heard, what="the answer")
            running.cancel()
            await asyncio.wait((running,))
            assert (heard, subscriber.dropped) == (publish("a", b"answered"), 0)

    asyncio.run(scenario())
