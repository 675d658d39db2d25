"""Health, as a monitor reads it."""

import asyncio
from pathlib import Path

import httpx
import msgspec
import pytest

from cloud.api.answers import Health
from cloud.app import App
from cloud.ledger import opening
from tests.brokers import RunningBroker
from tests.cloud.api.exposition import figures
from tests.cloud.api.speaker import county_site, speaking
from tests.cloud.ledger.samples import open_in
from tests.waiting import eventually


class Monitor:
    """Asks for health in the background, and keeps the newest answer."""

    def __init__(self, app: App) -> None:
        """Ask `app`."""
        self.address = app.address
        self.status = 0
        self.trouble: list[str] = []
        self.seen: set[int] = set()

    async def watch(self) -> None:
        """Ask until cancelled."""
        async with httpx.AsyncClient() as client:
            while True:
                answer = await client.get(f"{self.address}healthz")
                body = msgspec.json.decode(answer.content, type=Health)
                assert body.ok == (answer.status_code == 200) == (not body.trouble)
                self.status, self.trouble = answer.status_code, list(body.trouble)
                self.seen.add(self.status)


def test_health_follows_the_broker(broker: RunningBroker, tmp_path: Path) -> None:
    """200 while ingest hears the broker; 503 with the trouble in words while it is away; 200 again after."""

    async def scenario() -> None:
        async with county_site(tmp_path, broker) as app, asyncio.TaskGroup() as tasks:
            monitor = Monitor(app)
            watching = tasks.create_task(monitor.watch())
            await eventually(lambda: monitor.status == 200, what="well")
            assert 1 == (await figures(app))["watchroom_broker_connected"]
            await asyncio.to_thread(broker.kill)
            await eventually(lambda: monitor.status == 503, what="not well")
            assert ["ingest is not connected to the broker: no device is heard"] == monitor.trouble
            assert 0 == (await figures(app))["watchroom_broker_connected"]
            await asyncio.to_thread(broker.start)
            await eventually(lambda: monitor.status == 200, what="well again", deadline_s=30)
            watching.cancel()

    asyncio.run(scenario())


def test_health_follows_the_ledger(
    shared_mosquitto: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the ledger takes no commits health says so in words, and the press that waits is settled afterwards."""
    monkeypatch.setattr(opening, "_SETTINGS", opening._SETTINGS | {"busy_timeout": (50, 50)})

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, asyncio.TaskGroup() as tasks:
            monitor = Monitor(app)
            watching = tasks.create_task(monitor.watch())
            async with speaking(shared_mosquitto) as device:
                other = open_in(tmp_path / "data")
                with other._writing() as connection:
                    connection.exec_driver_sql("UPDATE counter SET value = value")
                    await device.press()
                    await eventually(lambda: monitor.status == 503, what="not well")
                    assert monitor.trouble[0].startswith("the ledger does not take commits: statuses wait")
                other.close()
                await device.settled()
            await eventually(lambda: monitor.status == 200, what="well again")
            watching.cancel()

    asyncio.run(scenario())


def test_an_overloaded_machine_is_told(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """When the feed speaks more than a second late health says how late; once it keeps up again all is well."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app:
            site = app.site
            assert site is not None
            loop = asyncio.get_running_loop()
            await eventually(lambda: not site.trouble(), what="well")
            end_s = loop.time() + 1.5
            while loop.time() < end_s:  # nothing else of this process runs meanwhile: that is the overload
                pass
            await eventually(site.trouble, what="not well")
            assert ["the feed is 1.", " s behind its tick: the machine is overloaded"] == _around(site.trouble()[0])
            await eventually(lambda: not site.trouble(), what="well again")

    asyncio.run(scenario())


def _around(text: str) -> list[str]:
    """The text without the digit after its point."""
    before, _, after = text.partition(".")
    return [f"{before}.", after[1:]]


def test_silence_of_every_device_is_told(
    shared_mosquitto: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every device that was heard falls silent at once, health suspects the broker, not the vehicles."""
    monkeypatch.setattr("cloud.app.SILENT_S", 0.3)

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, asyncio.TaskGroup() as tasks:
            monitor = Monitor(app)
            watching = tasks.create_task(monitor.watch())
            await eventually(lambda: monitor.status == 200, what="well, with no device heard yet")
            async with speaking(shared_mosquitto) as device:
                await device.press()
                await device.settled()
            await eventually(lambda: monitor.status == 503, what="not well")
            assert "suspect the broker" in monitor.trouble[0]
            watching.cancel()

    asyncio.run(scenario())
