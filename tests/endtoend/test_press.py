"""A press, from the panel's socket to a client of the feed, on every broker, through everything that can break."""

import asyncio
from pathlib import Path

import httpx

from edge_agent.clock import SystemClock
from tests.brokers import RunningBroker
from tests.site import (
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

RECOVERY_S = 60.0
"""Live state is to equal the devices' within 60 s after a fault."""


def test_a_press_is_on_the_feed_and_its_lamp_is_steady(broker: RunningBroker, tmp_path: Path) -> None:
    """A press reaches the feed, confirmed, and its lamp goes steady only then; an event code leaves it standing."""

    async def scenario() -> None:
        config = write_device(tmp_path / "device", broker=broker.url)
        directory = write_directory(tmp_path / "directory")
        async with (
            running_site(tmp_path / "data", broker_port=broker.port, directory=directory) as app,
            following(app) as feed,
        ):
            assert feed.records[UNIT].confidence == "never"
            assert feed.records[UNIT].reasons[0].code == "never_heard"
            async with running_agent(config, SystemClock()), pressing(config) as panel:
                await panel.press("b4")
                await eventually(lambda: status_code(feed)() == "4", what="the press on the feed")
                await eventually(lambda: panel.lamps.get("b4") == "steady", what="a steady lamp")
                await eventually(lambda: feed.records[UNIT].confidence == "confirmed", what="confirmed")
                await panel.press("b12")
                await eventually(lambda: panel.lamps.get("b12") == "steady", what="the event's lamp")
                assert status_code(feed)() == "4"
                assert panel.lamps["b4"] == "steady"
            await eventually(lambda: feed.records[UNIT].confidence == "unconfirmed", what="doubt after the device left")
            assert feed.records[UNIT].availability == "Available"
            async with httpx.AsyncClient() as client:
                page = (await client.get(f"{app.address}v1/units/{UNIT}/events")).json()
            assert [event["event"]["code"] for event in page["events"]] == ["12", "4"]

    asyncio.run(scenario())


def test_presses_while_broker_and_cloud_are_away_arrive_in_order(broker: RunningBroker, tmp_path: Path) -> None:
    """Presses made while the broker is dead, and while ingest is down, are kept, and all come when they are back."""

    async def scenario() -> None:
        config = write_device(tmp_path / "device", broker=broker.url)
        directory = write_directory(tmp_path / "directory")
        data = tmp_path / "data"
        async with running_agent(config, SystemClock()), pressing(config) as panel:
            async with (
                running_site(data, broker_port=broker.port, directory=directory) as app,
                following(app) as feed,
            ):
                await panel.press("b4")
                await eventually(lambda: feed.records[UNIT].confidence == "confirmed", what="the first press")
                await asyncio.to_thread(broker.kill)
                await eventually(lambda: feed.records[UNIT].link != "fresh", what="doubt", deadline_s=RECOVERY_S)
                assert feed.records[UNIT].confidence == "unconfirmed"
                await panel.press("b1")
                await eventually(lambda: panel.lamps.get("b1") == "slow", what="stored, not settled")
                await asyncio.to_thread(broker.start)
                await eventually(
                    lambda: status_code(feed)() == "1", what="the press made meanwhile", deadline_s=RECOVERY_S
                )
                await eventually(lambda: panel.lamps.get("b1") == "steady", what="its lamp", deadline_s=RECOVERY_S)
            await panel.press("b2")
            await eventually(lambda: panel.lamps.get("b2") == "slow", what="stored while ingest is down")
            async with (
                running_site(data, broker_port=broker.port, directory=directory) as app,
                following(app) as feed,
            ):
                assert feed.records[UNIT].confidence != "confirmed" or status_code(feed)() == "2"
                await eventually(lambda: status_code(feed)() == "2", what="the last press", deadline_s=RECOVERY_S)
                await eventually(
                    lambda: feed.records[UNIT].confidence == "confirmed", what="confirmed again", deadline_s=RECOVERY_S
                )
                async with httpx.AsyncClient() as client:
                    page = (await client.get(f"{app.address}v1/units/{UNIT}/events")).json()
                assert [event["event"]["code"] for event in page["events"]] == ["2", "1", "4"]
                assert [event["seq"] for event in page["events"]] == [3, 2, 1]

    asyncio.run(scenario())
