"""The feed over HTTP: clients that come back, go away, or stop reading."""

import asyncio
import contextlib
import gc
import socket
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cloud import process
from cloud.app import App
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import UNIT, county_site, speaking
from tests.site import FeedClient, following
from tests.waiting import eventually

REQUEST = b"GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BIG_EVENT = b"id: x-1\nevent: tick\ndata: " + b"x" * 500_000 + b"\n\n"
BIG_EVENTS = 100
HELD_BYTES_MAX = 10 * len(BIG_EVENT)
"""Ten times what one event takes; a hundred were handed out."""
ESTABLISHED = "01"
STOP_S = 5.0


@contextlib.asynccontextmanager
async def resuming(app: App, last_id: str) -> AsyncIterator[FeedClient]:
    """A client that comes with a `Last-Event-ID`, once it has its first event."""
    client = FeedClient()
    task = asyncio.create_task(client.follow(app.address, last_id))
    try:
        await eventually(lambda: client.kinds, what="a first event")
        yield client
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_a_client_that_comes_back_gets_what_it_missed(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """With the last id it saw a client gets what changed since, and nothing that it knows already."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto) as device:
            async with following(app) as feed:
                await device.press("2")
                await eventually(lambda: feed.records[UNIT].status, what="the press")
            await device.press("8")
            await device.settled()
            assert app.site is not None
            cursor = app.site.feed.cursor
            await eventually(lambda: app.site and app.site.feed.cursor > cursor, what="the press in the feed")
            async with resuming(app, feed.last_id) as back:
                assert ("changes", [UNIT]) == (back.kinds[0], list(back.records))
                status = back.records[UNIT].status
                assert status is not None and status.code == "8"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "last_id", ["0123456789ab-0", "0123456789ab-1", "nonsense", "-", "9" * 40, "{epoch}-999999", "{epoch}--1"]
)
def test_a_client_with_a_foreign_id_gets_the_whole_picture(
    last_id: str, shared_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """An id of another process, of the future or of nobody is answered with a snapshot."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app:
            async with following(app) as feed:
                epoch = feed.last_id.partition("-")[0]
            async with resuming(app, last_id.format(epoch=epoch)) as client:
                assert ("snapshot", {"kp-12", "kf-1"}) == (client.kinds[0], set(client.records))

    asyncio.run(scenario())


def test_who_goes_away_is_forgotten(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Neither a HEAD nor a client that hangs up, early or late, leaves a listener."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app:
            assert app.site is not None
            listeners = app.site.listeners
            async with httpx.AsyncClient(base_url=app.address) as client:
                assert 405 == (await client.head("v1/feed")).status_code
                assert 0 == len(listeners)
            for _ in range(20):
                early = socket.create_connection(("127.0.0.1", _port(app)))
                early.sendall(REQUEST)
                early.close()
            late = [await asyncio.open_connection("127.0.0.1", _port(app)) for _ in range(20)]
            for reader, writer in late:
                writer.write(REQUEST)
                await reader.readuntil(b"event: snapshot")
            assert len(listeners) >= 20
            for _, writer in late:
                writer.close()
            await eventually(lambda: len(listeners) == 0, what="nobody listens")
            assert 0 == listeners.let_go

    asyncio.run(scenario())


def test_who_does_not_read_is_let_go(
    shared_mosquitto: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that stops reading loses the feed, then its connection, and holds no memory; another one goes on."""
    monkeypatch.setattr(process, "CLIENT_STALLED_MS", 500)

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, following(app) as feed:
            assert app.site is not None
            listeners = app.site.listeners
            with socket.socket() as stuck:
                stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                stuck.connect(("127.0.0.1", _port(app)))
                stuck.sendall(REQUEST)
                await eventually(lambda: len(listeners) == 2, what="both listen")
                assert 2 == connections(_port(app))
                tracemalloc.start()
                before = tracemalloc.get_traced_memory()[0]
                for _ in range(BIG_EVENTS):
                    heard = len(feed.kinds)
                    listeners.send(bytes(bytearray(BIG_EVENT)))  # a copy of its own each time
                    await eventually(lambda: len(feed.kinds) > heard, what="the other has read it")  # noqa: B023
                await eventually(lambda: listeners.let_go == 1, what="it is let go")
                await eventually(lambda: connections(_port(app)) == 1, what="its connection ends", deadline_s=20)
                gc.collect()
                held = tracemalloc.get_traced_memory()[0] - before
                tracemalloc.stop()
            assert held < HELD_BYTES_MAX
            heard = len(feed.kinds)
            await eventually(lambda: len(feed.kinds) > heard, what="the other still hears")
            assert 1 == len(listeners)

    asyncio.run(scenario())


def test_who_does_not_read_does_not_hold_up_the_end(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A site that is stopped while a client takes nothing of what it was sent is gone within seconds."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as stuck:
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            async with county_site(tmp_path, shared_mosquitto) as app:
                assert app.site is not None
                listeners = app.site.listeners
                stuck.connect(("127.0.0.1", _port(app)))
                stuck.sendall(REQUEST)
                await eventually(lambda: len(listeners) == 1, what="it listens")
                while listeners.let_go == 0:
                    listeners.send(BIG_EVENT)
                    await asyncio.sleep(0)
                started_s = loop.time()
            assert loop.time() - started_s < STOP_S

    asyncio.run(scenario())


def connections(port: int) -> int:
    """How many connections to a port of this machine stand."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(row[3] == ESTABLISHED and int(row[1].split(":")[1], 16) == port for row in rows)


def _port(app: App) -> int:
    return int(app.address.rstrip("/").rpartition(":")[2])
