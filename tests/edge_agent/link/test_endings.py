"""How connections end, and what a link does that meets a broker which is dead, frozen, foreign or unwilling."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from edge_agent.link import Link
from edge_agent.link.link import BACKOFF_FIRST_S, DEATH_S
from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import (
    Bench,
    Cloud,
    beside,
    connections_to,
    frozen,
    lock,
    own_tasks,
    playing_cloud,
    proxied,
    settle_of,
)
from tests.edge_agent.outbox.lab import press
from tests.gpsd_lab import Talk, peer
from tests.waiting import eventually
from wire.messages import Birth, Death, Heartbeat

STOP_S = DEATH_S + 1.0
"""Within this long a cancelled link ends, whatever the broker does."""
RECOVERY_S = 30.0
CONNACK = b"\x20\x02\x00\x00"


async def cancelled_within(task: "asyncio.Task[None]", limit_s: float) -> None:
    """Cancel a task, which ends as cancelled within the limit."""
    task.cancel()
    await asyncio.wait((task,), timeout=limit_s)
    assert task.cancelled(), f"not cancelled within {limit_s} s: {task}"


def reached(link: Link, conn: int) -> bool:
    """Whether the link has tried that often to connect."""
    return link._conn >= conn


def births(cloud: Cloud, count: int) -> bool:
    """Whether that many births have come."""
    return len(cloud.all(Birth)) >= count


def events(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of what the link logged."""
    return [line["event"] for line in lines if line["event"].startswith("link_")]


def test_a_link_that_is_stopped_says_so_itself(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """The last word of a stopped link is the death of this very connection, and the broker keeps it for later ones."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        async with playing_cloud(shared_broker, bench.org) as cloud:
            async with beside(bench.run()):
                birth = await cloud.first(Birth)
            death = await cloud.first(Death)
            assert (death.boot, death.conn, death.stream) == (birth.boot, birth.conn, birth.stream)
            async with playing_cloud(shared_broker, bench.org) as late:
                assert await late.first(Death) == death
                assert late.order() == ["death"]
        await bench.keeper.close()

    asyncio.run(scenario())


def test_the_will_after_a_new_stream_is_the_new_connections(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """What the broker would tell of a link that vanished speaks of the stream that it was speaking in."""

    async def scenario() -> None:
        bench = Bench(fresh_mosquitto, tmp_path / "device")
        async with playing_cloud(fresh_mosquitto, bench.org) as cloud, beside(bench.run()):
            await cloud.first(Birth)
            await cloud.settle(mint="fork")
            await eventually(lambda: len(cloud.all(Birth)) == 2, what="the new stream's birth")
            assert cloud.all(Death) == []
        await bench.keeper.close()
        birth = cloud.all(Birth)[1]
        async with playing_cloud(fresh_mosquitto, bench.org) as late:
            death = await late.first(Death)
        assert (death.boot, death.conn, death.stream) == (birth.boot, birth.conn, birth.stream)

    asyncio.run(scenario())


def test_a_stop_while_the_broker_is_frozen_takes_a_second_or_so(broker: RunningBroker, tmp_path: Path) -> None:
    """A connected link is cancelled while its broker hangs: it ends as cancelled, and does not go on instead."""

    async def scenario() -> None:
        bench = Bench(broker, tmp_path / "device")
        async with playing_cloud(broker, bench.org) as cloud:
            task = asyncio.create_task(bench.run())
            await cloud.first(Heartbeat)
            with frozen(broker):
                await cancelled_within(task, STOP_S)
            await cloud.first(Death)
        await bench.keeper.close()

    asyncio.run(scenario())


def test_a_stop_while_connecting_to_a_frozen_broker_leaves_nothing_open(broker: RunningBroker, tmp_path: Path) -> None:
    """Cancelled while it waits to be let in, the link ends, and no connection is left that would come alive later."""

    async def scenario() -> None:
        bench = Bench(broker, tmp_path / "device")
        with frozen(broker):
            task = asyncio.create_task(bench.run())
            await eventually(lambda: connections_to(broker.port) == 1, what="the connection")
            await cancelled_within(task, STOP_S)
            await eventually(lambda: connections_to(broker.port) == 0, what="no connection left", deadline_s=STOP_S)
            await eventually(lambda: not own_tasks(), what="no task left", deadline_s=STOP_S)
        await bench.keeper.close()

    asyncio.run(scenario())


def test_a_stop_ends_the_link_at_whatever_turn_it_comes(shared_nats: RunningBroker, tmp_path: Path) -> None:
    """The library forgets a cancellation that comes together with what it waits for; the link, always sending, ends."""

    async def scenario() -> None:
        bench = Bench(shared_nats, tmp_path / "device", heartbeat_s=0.0)
        async with playing_cloud(shared_nats, bench.org) as cloud:
            for turns in range(60):
                task = asyncio.create_task(bench.run())
                await eventually(partial(births, cloud, turns + 1), what="a birth")
                for _ in range(turns):
                    await asyncio.sleep(0)
                await cancelled_within(task, STOP_S)
        await bench.keeper.close()

    asyncio.run(scenario())


def test_a_stop_ends_the_link_although_its_connection_breaks_at_that_very_turn(
    shared_nats: RunningBroker, tmp_path: Path
) -> None:
    """The failure of the connection does not cover up the cancellation: the link ends, and does not try for ever."""

    async def scenario() -> None:
        async with proxied(shared_nats) as (proxy, port):
            bench = Bench(shared_nats, tmp_path / "device", port=port)
            async with playing_cloud(shared_nats, bench.org) as cloud:
                for turns in range(20):
                    task = asyncio.create_task(bench.run())
                    await eventually(partial(births, cloud, turns + 1), what="a birth")
                    proxy.blocked = True
                    proxy.reset()
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    await cancelled_within(task, STOP_S)
                    proxy.blocked = False
            await bench.keeper.close()

    asyncio.run(scenario())


def test_a_link_that_broke_and_is_back_says_each_once(broker: RunningBroker, tmp_path: Path) -> None:
    """However many attempts an outage takes, the log has one line for it and one for its end; so for the next one."""

    async def logged(event: str, count: int) -> None:
        await eventually(lambda: events(lines).count(event) == count, what=f"{event} {count}", deadline_s=RECOVERY_S)

    async def scenario() -> None:
        bench = Bench(broker, tmp_path / "device", jitter=lambda: 0.9)
        async with beside(bench.run()):
            for outage in (1, 2):
                await logged("link_up", outage)
                await asyncio.to_thread(broker.kill)
                await logged("link_broke", outage)
                attempts = bench.link._conn + 1
                await eventually(partial(reached, bench.link, attempts), what="another attempt")
                await asyncio.to_thread(broker.start)
            await logged("link_up", 3)
        await bench.keeper.close()

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert events(lines) == ["link_up", "link_broke", "link_up", "link_broke", "link_up"]


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the device in, refuse every subscription, and wait until it has gone."""
    await reader.read(1024)
    writer.write(CONNACK)
    subscribe = await reader.read(1024)
    identifier = subscribe[3:5] if subscribe[1] & 0x80 else subscribe[2:4]
    writer.write(b"\x90\x06" + identifier + b"\x80" * 4)
    while await reader.read(1024):
        pass


async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the device in, then talk what is no MQTT."""
    await reader.read(1024)
    writer.write(CONNACK + b"\xff\xff\xff\xff\xff\xff" * 50)
    await reader.read(1024)


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let nobody in."""
    await reader.read(1024)


@pytest.mark.parametrize("talk", [refuse, babble, hang_up])
def test_a_broker_that_is_none_is_tried_again_ever_more_slowly(
    tmp_path: Path, shared_nats: RunningBroker, talk: Talk
) -> None:
    """Refused, babbled at or hung up on, the link is not up; it says so once and comes again after 0.5 s, then 1 s."""
    came_s: list[float] = []

    def counted(inner: Talk) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came_s.append(asyncio.get_running_loop().time())
            await inner(reader, writer)

        return serve

    async def scenario() -> None:
        async with peer(counted(talk)) as port:
            bench = Bench(shared_nats, tmp_path / "device", port=port)
            async with beside(bench.run()):
                await eventually(lambda: len(came_s) == 3, what="three attempts")
            await bench.keeper.close()

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert [line["event"] for line in lines] == ["link_broke"]
    pauses_s = [after - before for before, after in zip(came_s, came_s[1:], strict=False)]
    assert pauses_s[0] >= BACKOFF_FIRST_S and pauses_s[1] >= 2 * BACKOFF_FIRST_S


def test_a_settle_that_the_disk_is_at_when_its_connection_ends_is_handed_on(
    shared_broker: RunningBroker, tmp_path: Path
) -> None:
    """What a settle deletes, the lamps hear of: the cloud will not settle it twice."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        task = asyncio.create_task(bench.run())
        async with playing_cloud(shared_broker, bench.org) as cloud:
            settle = settle_of(await cloud.envelope("status"))
            other = lock(bench.keeper, patience_ms=30_000)
            await cloud.settle(settle)
            await eventually(lambda: bench.link._delivery.answered, what="the settle came")
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert bench.words == [] and not task.done()
        other.close()
        await cancelled_within(task, STOP_S)
        assert bench.words == [settle] and bench.keeper.depth.status == 0
        await bench.keeper.close()

    asyncio.run(scenario())


def test_an_outbox_that_fails_does_not_end_the_link(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """A settle and a new stream that the disk will not take are forgone; the link stays up, and takes them later."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            envelope = await cloud.envelope("status")
            other = lock(bench.keeper, patience_ms=50)
            await cloud.settle(settle_of(envelope))
            await eventually(lambda: bench.keeper.fault, what="the outbox's fault")
            assert bench.keeper.depth.status == 1 and bench.words == []
            other.close()
            await cloud.settle(settle_of(envelope))
            await eventually(lambda: bench.words, what="the settle")
            assert (bench.keeper.fault, cloud.all(Birth)[-1].conn) == ("", 1)

    asyncio.run(scenario())


def test_nothing_of_a_lost_connection_counts_as_in_flight(broker: RunningBroker, tmp_path: Path) -> None:
    """After an outage everything unsettled goes again at once, however long its back-off had grown."""

    async def scenario() -> None:
        bench = Bench(broker, tmp_path / "device", jitter=lambda: 0.9)
        await bench.keeper.append("status", [press("1")])
        task = asyncio.create_task(bench.run())
        async with playing_cloud(broker, bench.org) as cloud:
            await cloud.envelope("status", 3)
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        async with playing_cloud(broker, bench.org) as cloud:
            cloud.answering = True
            envelope = await cloud.envelope("status")
            assert envelope.conn > 1 and envelope.first_held == 1
            assert cloud.order().index("heartbeat") < cloud.order().index("status")
        await cancelled_within(task, STOP_S)
        await bench.keeper.close()

    asyncio.run(scenario())
