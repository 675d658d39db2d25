"""Ingest's connection: kept up through everything a broker can do, and nothing of it left behind."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from structlog.testing import capture_logs

from cloud.clock import SystemClock
from cloud.ingest import subscriber as room
from cloud.ingest.subscriber import TURN_MESSAGES_MAX, Messages, Subscriber
from cloud.ingest.work import Outgoing
from tests.brokers import RunningBroker
from tests.cloud.ingest.listening import (
    HOST,
    Hurried,
    events,
    listening,
    seconds_from_now,
)
from tests.waiting import eventually

CLOSE_WAIT = "08"
"""A connection that the other side has ended, as the kernel's tables write it."""


async def publish_many(broker: RunningBroker, count: int, start: int = 0) -> None:
    """Publish numbered messages, and return once the broker has handed each of them out."""
    async with aiomqtt.Client(broker.host, broker.port, max_queued_outgoing_messages=0) as client:
        await client.subscribe("wr/1/up/#")
        for number in range(start, start + count):
            await client.publish("wr/1/up/kp/veh-2/live", b"%d" % number)
        async for message in client.messages:
            if message.payload == b"%d" % (start + count - 1):
                return


def numbered(count: int, start: int = 0) -> list[bytes]:
    """What `publish_many` publishes."""
    return [b"%d" % number for number in range(start, start + count)]


def test_what_arrives_is_handed_over_in_order(broker: RunningBroker) -> None:
    """Every message comes once, in order, and the subscription is greeted once."""

    async def scenario() -> None:
        async with listening(broker.port) as running:
            await eventually(lambda: running.greetings, what="a subscription")
            await publish_many(broker, 500)
            await eventually(lambda: len(running.payloads) >= 500, what="every message")
            assert running.payloads == numbered(500)
            assert (running.greetings, running.subscriber.connections) == (1, 1)

    asyncio.run(scenario())


def test_what_is_published_arrives_and_stays_where_asked(broker: RunningBroker) -> None:
    """A listener hears both messages; one that comes later hears only the one that was to be retained."""

    async def hear(count: int) -> list[tuple[str, Any]]:
        async with aiomqtt.Client(broker.host, broker.port) as client:
            await client.subscribe("wr/1/down/#")
            heard.set()
            return [(str(one.topic), one.payload) async for one in _first(client.messages, count)]

    async def scenario() -> None:
        async with asyncio.timeout(20), listening(broker.port) as running:
            await eventually(lambda: running.subscriber.connected, what="a subscription")
            hearing = asyncio.create_task(hear(2))
            await heard.wait()
            running.subscriber.publish(Outgoing("wr/1/down/kp/veh-2/settle", b"once"))
            running.subscriber.publish(Outgoing("wr/1/down/kp/veh-2/state", b"stays", retain=True))
            assert [b"once", b"stays"] == [payload for _, payload in await hearing]
            assert [("wr/1/down/kp/veh-2/state", b"stays")] == await hear(1)
            assert 0 == running.subscriber.dropped

    heard = asyncio.Event()
    asyncio.run(scenario())


def test_a_broker_that_died_is_told_once_and_found_again(broker: RunningBroker) -> None:
    """Killed and started: one line that it broke, one that it is back, greeted again, and messages come."""

    async def scenario() -> None:
        async with listening(broker.port) as running:
            await eventually(lambda: running.greetings == 1, what="a subscription")
            await asyncio.to_thread(broker.kill)
            await eventually(lambda: not running.subscriber.connected, what="the loss")
            running.subscriber.publish(Outgoing("wr/1/down/kp/veh-2/settle", b"into nothing"))
            assert 1 == running.subscriber.dropped
            await asyncio.to_thread(broker.start)
            await eventually(lambda: running.greetings == 2, what="a subscription again", deadline_s=30)
            await publish_many(broker, 10)
            await eventually(lambda: running.payloads == numbered(10), what="messages")

    with capture_logs() as logs:
        asyncio.run(scenario())
    told = events(logs, "broker_connected", "broker_lost", "broker_back")
    assert told == ["broker_connected", "broker_lost", "broker_back"]


def test_a_broker_away_for_hours_is_found_again(fresh_mosquitto: RunningBroker) -> None:
    """More than a thousand tries in vain, hours at the longest pause, end nothing and are one line."""

    async def scenario() -> None:
        clock = CountingPauses()
        async with listening(fresh_mosquitto.port, clock) as running:
            await eventually(lambda: clock.pauses > 1_100 or running.task.done(), what="many tries", deadline_s=60)
            assert not running.task.done(), running.task.exception()
            await asyncio.to_thread(fresh_mosquitto.start)
            await eventually(lambda: running.greetings == 1, what="a subscription")

    class CountingPauses(Hurried):
        pauses = 0

        async def sleep(self, duration_s: float) -> None:
            self.pauses += 1
            assert 0 < duration_s <= room.BACKOFF_MAX_S
            await asyncio.sleep(0)

    fresh_mosquitto.stop()
    with capture_logs() as logs:
        asyncio.run(scenario())
    assert events(logs, "broker_connected", "broker_lost", "broker_back") == ["broker_lost", "broker_back"]


def test_pausing_loses_nothing_that_the_broker_still_holds(broker: RunningBroker) -> None:
    """While it is paused nothing comes; then everything does, in order, in slices, on the same connection."""

    async def scenario() -> None:
        async with listening(broker.port) as running:
            await eventually(lambda: running.greetings, what="a subscription")
            running.subscriber.pause()
            running.subscriber.pause()
            await publish_many(broker, 300)
            assert [] == running.batches
            running.subscriber.resume()
            running.subscriber.resume()
            await eventually(lambda: len(running.payloads) >= 300, what="every message")
            assert running.payloads == numbered(300)
            assert max(map(len, running.batches)) <= TURN_MESSAGES_MAX
            assert 1 == running.subscriber.connections

    asyncio.run(scenario())


def test_a_long_pause_ends_in_one_reconnection(fresh_mosquitto: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause that outlasts the broker's patience is quiet; afterwards what had come is read, and then the end."""
    monkeypatch.setattr(room, "KEEPALIVE_S", 1)

    async def scenario() -> None:
        async with listening(fresh_mosquitto.port) as running:
            await eventually(lambda: running.greetings, what="a subscription")
            running.subscriber.pause()
            await publish_many(fresh_mosquitto, 100)
            await eventually(lambda: hung_up(fresh_mosquitto.port), what="the broker's end of it", deadline_s=20)
            told = len(logs)
            await eventually(seconds_from_now(3.0), what="three times the keep-alive")
            assert (told, [], 1) == (len(logs), running.batches, running.subscriber.connections)
            running.subscriber.resume()
            await eventually(lambda: running.greetings == 2, what="a subscription again")
            assert running.payloads == numbered(100)

    with capture_logs() as logs:
        asyncio.run(scenario())
    told = events(logs, "broker_connected", "broker_lost", "broker_back")
    assert told == ["broker_connected", "broker_lost", "broker_back"]


def hung_up(port: int) -> bool:
    """Whether a connection to `port` of this machine was ended by the other side only."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return any(row[3] == CLOSE_WAIT and int(row[2].split(":")[1], 16) == port for row in rows)


def test_a_fault_of_ours_is_raised(broker: RunningBroker) -> None:
    """What the taker of messages raises ends `run` with it: it is never lost in the loop's log."""

    def stumble(_messages: Messages) -> None:
        raise ZeroDivisionError("an invariant is broken")

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        subscriber = Subscriber(HOST, broker.port, clock=SystemClock(), on_messages=stumble)
        greeted = asyncio.Event()
        running = asyncio.create_task(subscriber.run(greeted.set))
        await asyncio.wait_for(greeted.wait(), 20)
        await publish_many(broker, 1)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(running, 10)

    asyncio.run(scenario())


async def _first(messages: AsyncIterator[Any], count: int) -> AsyncIterator[Any]:
    async for message in messages:
        yield message
        count -= 1
        if not count:
            return
