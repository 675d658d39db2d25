"""The composition: what it claims, when it speaks, and how it comes and goes."""

import asyncio
import contextlib
import dataclasses
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from cloud.api import Site
from cloud.app import App, board_api, serve
from cloud.broker.kept import RETRY_S
from cloud.clock import SystemClock
from cloud.config import BrokerAddress, Settings
from cloud.directory import Directory
from cloud.errors import Fatal
from cloud.feeds import Feed, Listeners, PartnerFeeds, Views
from cloud.fleet.clocks import Moment
from cloud.process import claim_folder, listen_on, next_slot
from edge_agent.clock import SystemClock as DeviceClock
from tests.brokers import RunningBroker
from tests.cloud.fleet.samples import NOON, fleet
from tests.ports import free_port
from tests.site import (
    START_S,
    UNIT,
    following,
    pressing,
    running_agent,
    running_site,
    status_code,
    write_device,
    write_directory,
)
from tests.waiting import eventually

LOOPBACK = "0100007F"
"""127.0.0.1 as the kernel's tables write it."""
LISTENING = "0A"
RECOVERY_S = 60.0


def settings(folder: Path, *, broker_port: int | None = None, port: int = 0) -> Settings:
    """Settings with everything under `folder`; without a broker's port the application runs its own."""
    return Settings(
        data=folder / "data",
        directory=write_directory(folder / "directory"),
        port=port or free_port(),
        mqtt_port=free_port(),
        broker=BrokerAddress("127.0.0.1", broker_port) if broker_port else None,
    )


@contextlib.asynccontextmanager
async def running(app: App) -> AsyncIterator[None]:
    """The application in the background, ready."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(app.run())
        try:
            await asyncio.wait_for(app.ready.wait(), START_S)
            yield
        finally:
            task.cancel()


# The grid.

moments = st.floats(0, 1e6)
ticks = st.floats(0.01, 5)


@given(slot_s=moments, tick_s=ticks, late_s=st.floats(-1, 1e4))
def test_the_next_slot_is_on_the_grid_and_to_come(slot_s: float, tick_s: float, late_s: float) -> None:
    """However late it is, the next slot is a whole number of ticks on, after now, and the first such."""
    now_s = slot_s + late_s
    found_s = next_slot(slot_s, tick_s, now_s)
    ticks_on = (found_s - slot_s) / tick_s
    assert ticks_on == pytest.approx(round(ticks_on), abs=1e-3)
    assert round(ticks_on) >= 1
    tolerance_s = 1e-6
    assert found_s > now_s - tolerance_s
    assert found_s - tick_s <= max(now_s, slot_s) + tolerance_s


class Laden(SystemClock):
    """A clock that stands still but for pauses and for the work that the test says each tick takes."""

    def __init__(self, work_s: list[float]) -> None:
        """Each tick takes so long; after the last the loop is ended."""
        self.work_s = work_s
        self.mono_s = 1_000.0
        self.spoke: list[float] = []
        self.lags: list[float] = []
        self.lag: Callable[[], float] = lambda: 0.0

    def monotonic(self) -> float:
        """The time so far."""
        return self.mono_s

    def moment(self) -> Moment:
        """Note when the feed speaks, and let its work take the time it takes."""
        self.spoke.append(round(self.mono_s - 1_000.0, 6))
        self.lags.append(round(self.lag(), 6))
        if not self.work_s:
            raise asyncio.CancelledError
        moment = Moment(NOON + timedelta(seconds=self.mono_s), self.mono_s)
        self.mono_s += self.work_s.pop(0)
        return moment

    async def sleep(self, duration_s: float) -> None:
        """Let that much time pass."""
        self.mono_s += max(0.0, duration_s)


def tick_through(work_s: list[float], folder: Path) -> Laden:
    """Run the tick of an application over a real feed, until the work is done."""
    clock = Laden(work_s)
    app = App(settings(folder), clock)
    clock.lag = lambda: app._feed_lag_s
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(app._tick(silent_site(clock.moment)))
    return clock


def silent_site(moment: Callable[[], Moment]) -> Site:
    """A real feed of units that nobody hears from, with no stores behind it."""
    now = Moment(NOON, 1_000.0)
    feed = Feed(fleet(), epoch="e", owner_term=1, tick_ms=200, now=now)
    nobody = Directory(organisations={}, bases={}, units={}, devices={}, schemes={}, version="")
    partners = PartnerFeeds(Views(fleet(), nobody, now), epoch="e", tick_ms=200, now=now)
    given = {"feed": feed, "listeners": Listeners(), "partners": partners, "moment": moment}
    absent = (field.name for field in dataclasses.fields(Site) if field.name not in given)
    parts: dict[str, object] = dict.fromkeys(absent) | {"trouble": list, "look": lambda _now: None}
    return Site(**given, **parts)  # type: ignore[arg-type]


def test_ticks_do_not_drift(tmp_path: Path) -> None:
    """Work that takes less than a tick moves nothing: the thousandth is a thousand ticks after the first."""
    clock = tick_through([0.03] * 1_000, tmp_path)
    assert clock.spoke == [round(0.2 * number, 6) for number in range(1_001)]
    assert max(clock.lags) == pytest.approx(0, abs=1e-6)


def test_a_tick_that_overruns_leaves_slots_out_and_says_so(tmp_path: Path) -> None:
    """After an overrun the feed speaks on the same grid again, and its lag is how long after its slot it spoke."""
    clock = tick_through([0.0, 0.3, 0.0, 3.05, 3.05, 0.0, 0.0], tmp_path)
    assert clock.spoke == [0.0, 0.2, 0.6, 0.8, 4.0, 7.2, 7.4, 7.6]
    assert clock.lags == [0.0, 0.0, 0.2, 0.0, 3.0, 3.0, 0.0, 0.0]


# What it claims.


def test_a_data_folder_has_one_owner(tmp_path: Path) -> None:
    """A second claim is refused in words that say what to do; once the first lets go the folder is free."""
    mine = settings(tmp_path)
    with claim_folder(mine):
        with pytest.raises(Fatal, match="another watchroom is using .*--data"), claim_folder(mine):
            pass
    with claim_folder(mine):
        pass


def test_a_port_has_one_owner_from_the_first_moment() -> None:
    """A port that is held, though nothing is served on it yet, is refused in words that say what to do."""
    port = free_port()
    with listen_on(port):
        with pytest.raises(Fatal, match=f"port {port} cannot be used: .*--port"), listen_on(port):
            pass
    with listen_on(port) as listening:
        assert ("127.0.0.1", port) == listening.getsockname()


def test_the_board_and_the_broker_cannot_share_a_port(tmp_path: Path) -> None:
    """One port for both is refused in words, and nothing is left running."""

    async def start() -> None:
        port = free_port()
        same = Settings(data=tmp_path / "d", directory=write_directory(tmp_path / "dir"), port=port, mqtt_port=port)
        await App(same, SystemClock()).run()

    with pytest.raises(Fatal, match="is taken: .*--mqtt-port"):
        asyncio.run(start())
    assert [] == brokers_in(tmp_path)


def test_nothing_listens_beyond_this_machine(tmp_path: Path) -> None:
    """Every listening socket of this process and of its broker is bound to 127.0.0.1; there is no other kind."""

    async def scenario() -> None:
        app = App(settings(tmp_path), SystemClock())
        before = set(listeners_of(os.getpid()))
        async with running(app):
            (broker,) = brokers_in(tmp_path)
            mine = set(listeners_of(os.getpid())) - before
            theirs = set(listeners_of(broker))
        ports = {int(address.rpartition(":")[2], 16) for address in mine | theirs}
        assert {int(app.address.rstrip("/").rpartition(":")[2]), app.broker_port} <= ports
        assert {LOOPBACK} == {address.partition(":")[0] for address in mine | theirs}

    asyncio.run(scenario())


def brokers_in(folder: Path) -> list[int]:
    """The brokers that run on a store under this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if os.fsencode(folder) in entry.read_bytes():
                found.append(int(entry.parent.name))
    return found


def listeners_of(pid: int) -> Iterator[str]:
    """The addresses on which a process takes connections or datagrams, of either version of the protocol."""
    held = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            held.add(os.readlink(entry))
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            row = line.split()
            if f"socket:[{row[9]}]" in held and (row[3] == LISTENING or table.startswith("udp")):
                yield row[1]


# How it comes and goes.


def test_it_can_be_stopped_at_any_moment_of_its_start(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Cancelled after any number of turns of its start, it ends as cancelled, and its folder and port are free."""

    async def stop_after(turns: int) -> bool:
        app = App(mine, SystemClock())
        task = asyncio.create_task(app.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 20)
        return app.ready.is_set()

    mine = settings(tmp_path, broker_port=shared_mosquitto.port)
    ready = [asyncio.run(stop_after(turns)) for turns in (*range(12), 15, 20, 30, 100, 1_000)]
    assert not ready[0]
    with claim_folder(mine), listen_on(mine.port):
        pass
    gc.collect()


@pytest.mark.parametrize("turns", range(6))
def test_serving_can_be_stopped_at_any_moment_of_its_start(turns: int, tmp_path: Path) -> None:
    """Cancelled before it listens, while it does, or after, the server ends as cancelled and its port is free."""

    async def scenario() -> None:
        site = silent_site(lambda: Moment(NOON, 0.0))
        with listen_on(mine.port) as listening:
            task = asyncio.create_task(serve(board_api(site), listening, site))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    mine = settings(tmp_path)
    asyncio.run(scenario())
    with listen_on(mine.port):
        pass


def test_it_starts_again_on_what_it_left(tmp_path: Path) -> None:
    """With its own broker it starts twice on one folder, each time under a higher owner's term, and leaves no child."""

    async def start() -> int:
        app = App(settings(tmp_path), SystemClock())
        async with running(app):
            assert app.site is not None
            return app.site.ingest.owner_term

    first = asyncio.run(start())
    assert [] == brokers_in(tmp_path)
    assert asyncio.run(start()) > first
    assert [] == brokers_in(tmp_path)


def test_a_broker_that_was_killed_comes_back_and_the_devices_with_it(tmp_path: Path) -> None:
    """Its own broker killed, the application starts it on the same port; a press made meanwhile arrives, confirmed."""

    async def scenario() -> None:
        app = App(settings(tmp_path), SystemClock())
        async with running(app):
            port = app.broker_port
            config = write_device(tmp_path / "device", broker=f"mqtt://127.0.0.1:{port}")
            async with running_agent(config, DeviceClock()), pressing(config) as panel, following(app) as feed:
                await panel.press("b4")
                await eventually(lambda: feed.records[UNIT].confidence == "confirmed", what="confirmed")
                (broker,) = brokers_in(tmp_path)
                os.kill(broker, signal.SIGKILL)
                await panel.press("b1")
                await eventually(lambda: status_code(feed)() == "1", what="the press", deadline_s=RECOVERY_S)
                await eventually(
                    lambda: feed.records[UNIT].confidence == "confirmed", what="confirmed again", deadline_s=RECOVERY_S
                )
                assert (port, 1) == (app.broker_port, len(brokers_in(tmp_path)))
                assert broker not in brokers_in(tmp_path)

    with capture_logs() as logs:
        asyncio.run(scenario())
    told = [line["event"] for line in logs if line["event"] in ("broker_died", "broker_lost", "broker_back")]
    assert sorted(told) == ["broker_back", "broker_died", "broker_lost"]


class Impatient(SystemClock):
    """The system's clock, but for the pause between two tries to start a broker, which it shortens and counts."""

    tries = 0

    async def sleep(self, duration_s: float) -> None:
        """Wait, less where it is for a broker."""
        retrying = duration_s == RETRY_S
        self.tries += retrying
        await super().sleep(0.05 if retrying else duration_s)


def test_a_broker_that_cannot_be_started_is_tried_until_it_can(tmp_path: Path) -> None:
    """While its store can't be used the application stays up and says so once; afterwards the broker is back."""

    async def scenario() -> None:
        clock = Impatient()
        app = App(settings(tmp_path), clock)
        async with running(app):
            assert app.site is not None
            site = app.site
            store = tmp_path / "data" / "broker"
            store.rename(tmp_path / "away")
            store.write_text("not a folder", encoding="utf-8")
            (broker,) = brokers_in(tmp_path)
            os.kill(broker, signal.SIGKILL)
            await eventually(lambda: "broker_not_started" in told(), what="a try in vain")
            assert site.trouble()
            tries = clock.tries
            await eventually(lambda: clock.tries >= tries + 2, what="two tries more")
            store.unlink()
            (tmp_path / "away").rename(store)
            await eventually(lambda: not site.trouble(), what="all is well", deadline_s=RECOVERY_S)
            assert 1 == len(brokers_in(tmp_path))

    def told() -> list[str]:
        return [line["event"] for line in logs]

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert (1, 1) == (told().count("broker_died"), told().count("broker_not_started"))


def test_a_client_that_is_there_before_the_start_is_done_is_served(
    shared_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """A request made while the application still starts waits for its answer."""

    async def scenario() -> None:
        data, directory = tmp_path / "data", write_directory(tmp_path / "directory")
        async with running_site(data, broker_port=shared_mosquitto.port, directory=directory) as app:
            with socket.create_connection(("127.0.0.1", int(app.address.rstrip("/").rpartition(":")[2]))) as early:
                early.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_sendall(early, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert (await asyncio.wait_for(loop.sock_recv(early, 100), 10)).startswith(b"HTTP/1.1 ")

    asyncio.run(scenario())
