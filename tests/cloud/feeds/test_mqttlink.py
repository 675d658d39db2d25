"""The view on real brokers: what they hold is the view, whatever happened to them, to it or to the connection."""

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cloud.clock import SystemClock
from cloud.feeds import mqttclient
from cloud.feeds.mqttclient import LINGER_S
from tests.brokers import RunningBroker
from tests.cloud.feeds.mqtt_lab import HIDDEN, TICK_S, County
from tests.cloud.feeds.mqtt_watch import Consumer, consuming, leave, publishing
from tests.edge_agent.link.lab import frozen
from tests.waiting import eventually

WITHDRAWN_WITHIN_S = 5.0
P12, F1 = "wr/1/feed/ka/kp/kp-12", "wr/1/feed/ka/kf/kf-1"
LEFT = ("wr/1/feed/gone/kp/kp-12", "wr/1/feed/ka/kf/kp-12", "wr/1/feed/ka/kp/kp-99", "wr/1/feed/odd")


async def equal(county: County, consumer: Consumer) -> None:
    """Wait until a consumer holds what it should."""
    await eventually(lambda: county.wanted() == consumer.lasting(), what="the broker tells the views")


def test_a_broker_holds_the_views_and_what_is_withdrawn_is_gone(shared_broker: RunningBroker) -> None:
    """What others left is taken away, changes come, and a withdrawal is told and held by nobody within 5 s."""

    async def run() -> None:
        county = County()
        await leave(shared_broker, *LEFT)
        async with consuming(shared_broker) as consumer, publishing(county, shared_broker.port):
            await eventually(lambda: county.out.cleared == len(LEFT), what="what was left is taken away")
            await equal(county, consumer)
            county.turn_out("kp-12")
            await equal(county, consumer)
            withdrawn_s = SystemClock().monotonic()
            county.withdraw("police")
            await eventually(lambda: {F1} == set(consumer.held), what="an empty message", deadline_s=WITHDRAWN_WITHIN_S)
            assert (P12, b"") in consumer.told
            async with consuming(shared_broker) as later:
                await eventually(lambda: later.held, what="what is held")
                await SystemClock().sleep(TICK_S)
                assert {F1} == set(later.held)
            assert SystemClock().monotonic() - withdrawn_s < WITHDRAWN_WITHIN_S
            assert HIDDEN not in str(consumer.told)
            assert [] == county.out.trouble(SystemClock().monotonic())
            county.withdraw("police", "fire")  # nothing stays on a broker that other tests share
            await eventually(lambda: not consumer.held, what="all is gone")

    asyncio.run(run())


def test_thousands_of_views_are_taken_away(shared_broker: RunningBroker) -> None:
    """A withdrawal that ends 4,000 views is told of each of them."""

    async def run() -> None:
        county = County()
        async with publishing(county, shared_broker.port):
            await eventually(lambda: county.out.connected, what="a connection")
            for number in range(4_000):
                county.out.find(f"wr/1/feed/gone/kp/u{number}")
            await eventually(lambda: county.out.cleared >= 4_000, what="all are taken away")
            county.withdraw("police", "fire")  # nothing stays on a broker that other tests share
            await eventually(lambda: county.out.cleared > 4_000, what="ours too")

    asyncio.run(run())


def test_what_happens_while_a_broker_is_down_is_made_good(broker: RunningBroker) -> None:
    """A broker that crashed and forgot all soon holds the views again, without what was withdrawn meanwhile."""

    async def run() -> None:
        county = County()
        async with consuming(broker) as consumer, publishing(county, broker.port):
            await equal(county, consumer)
            await asyncio.to_thread(broker.kill)
            await eventually(lambda: not county.out.connected, what="the link notices")
            assert "no connection" in county.out.trouble(0.0)[0]
            county.turn_out("kf-1")
            county.withdraw("police")
            await asyncio.to_thread(broker.start)
            await eventually(lambda: {F1} == set(consumer.held) == set(county.wanted()), what="the view as it is now")
            await equal(county, consumer)

    with capture_logs() as logs:
        asyncio.run(run())
    said = [log["event"] for log in logs if str(log["event"]).startswith("feed_broker")]
    assert ["feed_broker_connected", "feed_broker_lost", "feed_broker_back"] == said


def test_a_broker_that_freezes_is_left_and_met_again(
    fresh_mosquitto: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that takes what is sent and acknowledges nothing counts as lost; once it answers all is made good."""
    monkeypatch.setattr(mqttclient, "TIMEOUT_S", 0.5)

    async def run() -> None:
        county = County()
        async with publishing(county, fresh_mosquitto.port):
            await eventually(lambda: county.out.published == 3, what="all is published")
            with frozen(fresh_mosquitto):
                for unit in ("kp-12", "kp-13", "kf-1"):
                    county.turn_out(unit)
                await eventually(lambda: not county.out.connected, what="the link notices")
                county.withdraw("police")
            async with consuming(fresh_mosquitto) as consumer:
                await eventually(lambda: {F1} == set(consumer.held), what="the view as it is now")
                await equal(county, consumer)

    asyncio.run(run())


def test_what_happens_while_there_is_no_link_is_made_good(shared_broker: RunningBroker) -> None:
    """A broker that kept everything while nothing was published is told what ended meanwhile, and tells it on."""

    async def run() -> None:
        county = County()
        async with consuming(shared_broker) as consumer:
            async with publishing(county, shared_broker.port):
                await equal(county, consumer)
            county.withdraw("police")
            county.tick()
            assert P12 in consumer.held
            async with publishing(county, shared_broker.port):
                await eventually(lambda: {F1} == set(consumer.held), what="an empty message")
                county.withdraw("police", "fire")
                await eventually(lambda: not consumer.held, what="all is gone")

    asyncio.run(run())


def test_a_peer_that_hangs_up_is_tried_again_and_said_once() -> None:
    """A broker that ends each connection before it answers costs no socket, and one line of the log."""

    async def run() -> None:
        met = 0

        async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal met
            met += 1
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, publishing(County(), port):
            await eventually(lambda: met == 1, what="a first try")
            files = _open_files()
            await eventually(lambda: met >= 3, what="more tries")
            assert _open_files() <= files + 2

    with capture_logs() as logs:
        asyncio.run(run())
    assert ["feed_broker_lost"] == [log["event"] for log in logs]


def test_a_link_that_waits_for_an_answer_can_be_ended() -> None:
    """Cancelled while a broker that took the connection says nothing, it ends at once, and its connection with it."""

    async def run() -> None:
        ended = asyncio.Event()

        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.set()
            await reader.read()  # to the end
            writer.close()
            ended.set()

        met = asyncio.Event()
        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            async with publishing(County(), port):
                await asyncio.wait_for(met.wait(), 10)
                began_s = SystemClock().monotonic()
            assert SystemClock().monotonic() - began_s < LINGER_S + 1.0
            await asyncio.wait_for(ended.wait(), 2)

    asyncio.run(run())


def _open_files() -> int:
    return len(os.listdir(Path("/proc/self/fd")))
