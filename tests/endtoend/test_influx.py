"""A whole Watchroom on a real InfluxDB: a vehicle's track from the wire to the API, and a store that comes and goes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.app import App
from cloud.clock import SystemClock
from cloud.config import BrokerAddress, InfluxAddress, Settings
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import UNIT, speaking, write_county
from tests.cloud.fleet.samples import NOON, position
from tests.cloud.ingest.samples import Vehicle
from tests.cloud.telemetry.influxd import Influx, running_influx
from tests.ports import free_port
from tests.site import following
from tests.waiting import eventually
from wire import codec

START_S = 20.0
HEALED_S = 20.0


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[Influx]:
    """A real InfluxDB."""
    with running_influx(tmp_path / "influx") as running:
        yield running


@contextlib.asynccontextmanager
async def site_on(influx: Influx, folder: Path, broker: RunningBroker) -> AsyncIterator[App]:
    """The application with its telemetry there."""
    settings = Settings(
        data=folder / "data",
        directory=write_county(folder / "directory"),
        port=free_port(),
        broker=BrokerAddress("127.0.0.1", broker.port),
        telemetry=InfluxAddress(url=influx.url),
    )
    app = App(settings, SystemClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(app.run())
        await asyncio.wait_for(app.ready.wait(), START_S)
        try:
            yield app
        finally:
            running.cancel()


def measured(count: int) -> Vehicle:
    """A queue of so many positions, a second apart."""
    vehicle = Vehicle(queue="track")
    for seq in range(1, count + 1):
        vehicle.add(codec.encode(position(seq, seq * 1000, lat=51.0 + seq / 1000, lon=0.25)))
    return vehicle


async def stored(app: App, through: int) -> None:
    """Wait until the track is committed as far as that."""
    assert app.site is not None
    marks = app.site.ingest.acceptor.committed
    key = ("veh-2", "E2-a", "track")
    await eventually(lambda: key in marks and marks[key].through == through, what="stored", deadline_s=HEALED_S)


async def track(app: App) -> list[Any]:
    """What the API gives of the unit's track."""
    query = {"since": NOON.replace(year=2020).isoformat(), "until": NOON.replace(year=2090).isoformat()}
    async with httpx.AsyncClient(timeout=30) as client:
        answer = (await client.get(f"{app.address}v1/units/{UNIT}/track", params=query)).raise_for_status()
        points: list[Any] = answer.json()["points"]
        return points


def troubles(app: App) -> str:
    """What it says is wrong."""
    assert app.site is not None
    return " ".join(app.site.trouble())


def test_a_track_is_stored_served_and_found_again(
    shared_mosquitto: RunningBroker, influx: Influx, tmp_path: Path
) -> None:
    """Positions from the wire are in InfluxDB before they are settled, come from the API, and outlive a restart."""

    async def scenario() -> None:
        vehicle = measured(12)
        async with site_on(influx, tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto, vehicle) as device:
            await device.send()
            await device.settled()
            points = await track(app)
            assert list(range(1, 13)) == [one["seq"] for one in points]
            assert [round(51.0 + seq / 1000, 6) for seq in range(1, 13)] == [one["lat"] for one in points]
            assert not (tmp_path / "data" / "telemetry").exists()
        async with site_on(influx, tmp_path, shared_mosquitto) as app, following(app) as feed:
            place = feed.records[UNIT].position
            assert place is not None and (51.012, 0.25) == (place.lat, place.lon)

    asyncio.run(scenario())


def test_statuses_go_on_while_the_store_is_away(
    shared_mosquitto: RunningBroker, influx: Influx, tmp_path: Path
) -> None:
    """Its end holds up the track alone, which waits on the device and goes in, once, when it is back; /health tells."""

    async def scenario() -> None:
        vehicle = measured(20)
        async with site_on(influx, tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto, vehicle) as device:
            await device.send(1, 10)
            await stored(app, 10)
            influx.kill()
            await device.send(11, 20)
            await press(shared_mosquitto)
            await eventually(lambda: "telemetry" in troubles(app), what="told")
            assert device.vehicle.settled == 10
            influx.start()
            await device.settled()
            assert list(range(1, 21)) == [one["seq"] for one in await track(app)]
            assert "telemetry" not in troubles(app)

    asyncio.run(scenario())


def test_it_starts_without_its_store_and_fills_in_where_everybody_was(
    shared_mosquitto: RunningBroker, influx: Influx, tmp_path: Path
) -> None:
    """Started while InfluxDB is away it takes statuses at once; places come to the board once it is back."""

    async def scenario() -> None:
        async with site_on(influx, tmp_path, shared_mosquitto) as app:
            async with speaking(shared_mosquitto, measured(3)) as device:
                await device.send()
                await stored(app, 3)
        influx.kill()
        async with site_on(influx, tmp_path, shared_mosquitto) as app, following(app) as feed:
            assert feed.records[UNIT].position is None
            await press(shared_mosquitto)
            await eventually(lambda: feed.records[UNIT].status, what="the status on the board")
            influx.start()
            await eventually(lambda: feed.records[UNIT].position, what="the place", deadline_s=HEALED_S)
            place = feed.records[UNIT].position
            assert place is not None and 51.003 == place.lat

    asyncio.run(scenario())


async def press(broker: RunningBroker) -> None:
    """A status from the vehicle is stored and settled."""
    async with speaking(broker, Vehicle()) as panel:
        await panel.press("8")
        await panel.settled()
