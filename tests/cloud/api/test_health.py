"""Health and figures, as a monitor reads them."""

import asyncio
from pathlib import Path

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from cloud.api.answers import Health
from cloud.app import App
from cloud.ledger import opening
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import UNIT, county_site, speaking
from tests.cloud.ledger.samples import open_in
from tests.site import FeedClient, following
from tests.waiting import eventually

EXPECTED = {
    "watchroom_ingest": "counter",
    "watchroom_commits": "counter",
    "watchroom_commit_seconds": "counter",
    "watchroom_waiting": "gauge",
    "watchroom_units": "gauge",
    "watchroom_broker_connected": "gauge",
    "watchroom_feed_listeners": "gauge",
}


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


async def figures(app: App) -> dict[str, float]:
    """Every figure by its name and labels, read by Prometheus's own parser."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{app.address}metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found[" ".join([sample.name, *sample.labels.values()])] = sample.value
    return found


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


def test_figures_parse_and_move(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Every figure has its type and help, is read by Prometheus's parser, and counts what happened."""

    async def scenario() -> None:
        async with county_site(tmp_path, fresh_mosquitto) as app, speaking(fresh_mosquitto) as device:
            before = await figures(app)
            assert 2 == before["watchroom_units never"]
            for _ in range(3):
                await device.press()
                await device.settled()
            async with following(app) as feed:
                await device.prove()
                await eventually(lambda: _confidence(feed) == "confirmed", what="confirmed")
                during = await figures(app)
            assert (1, 1, 0) == tuple(during[f"watchroom_units {one}"] for one in ("confirmed", "never", "unconfirmed"))
            assert before["watchroom_commits_total ledger"] + 3 == during["watchroom_commits_total ledger"]
            assert during["watchroom_commit_seconds_total ledger"] > 0
            assert 5 == during["watchroom_ingest_total messages"] - before.get("watchroom_ingest_total messages", 0)
            assert 1 == during["watchroom_feed_listeners"]
            async with httpx.AsyncClient() as client:
                text = (await client.get(f"{app.address}metrics")).text
            families = {one.name: one for one in text_string_to_metric_families(text)}
            assert EXPECTED == {name: one.type for name, one in families.items()}
            assert all(one.documentation for one in families.values())

    asyncio.run(scenario())
    assert [] == list(CollectorRegistry().collect())


def _confidence(feed: FeedClient) -> str:
    return feed.records[UNIT].confidence


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
