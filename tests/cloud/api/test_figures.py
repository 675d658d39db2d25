"""The figures: what they count, that they move, and what they must not tell."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from cloud.app import App
from cloud.ledger import opening
from tests.brokers import RunningBroker
from tests.cloud.api.exposition import exposition, figures
from tests.cloud.api.speaker import UNIT, Speaker, county_site, speaking
from tests.cloud.fleet.samples import heartbeat
from tests.cloud.ingest.samples import Vehicle
from tests.cloud.ledger.samples import open_in
from tests.site import FeedClient, following
from tests.waiting import eventually
from wire import codec
from wire.messages import OutboxDepth

EXPECTED = {
    "watchroom_broker_connected": "gauge",
    "watchroom_broker_connections": "counter",
    "watchroom_broker_publishes_dropped": "counter",
    "watchroom_heard_age_seconds": "gauge",
    "watchroom_messages": "counter",
    "watchroom_ingest": "counter",
    "watchroom_refused": "counter",
    "watchroom_set_aside": "counter",
    "watchroom_gone": "counter",
    "watchroom_lost_with_stream": "counter",
    "watchroom_forks": "counter",
    "watchroom_streams": "counter",
    "watchroom_commit_seconds": "histogram",
    "watchroom_commit_failures": "counter",
    "watchroom_store_failing": "gauge",
    "watchroom_waiting": "gauge",
    "watchroom_waiting_age_seconds": "gauge",
    "watchroom_settle_seconds": "histogram",
    "watchroom_feed_tick_lag_seconds": "histogram",
    "watchroom_feed_listeners": "gauge",
    "watchroom_feed_listeners_let_go": "counter",
    "watchroom_partner_mqtt_connected": "gauge",
    "watchroom_partner_mqtt_due": "gauge",
    "watchroom_partner_mqtt_published": "counter",
    "watchroom_partner_mqtt_cleared": "counter",
    "watchroom_orders": "gauge",
    "watchroom_orders_undelivered": "gauge",
    "watchroom_alarms_unacknowledged": "gauge",
    "watchroom_units": "gauge",
    "watchroom_devices": "gauge",
    "watchroom_devices_with_faults": "gauge",
    "watchroom_device_health": "gauge",
    "watchroom_outbox_waiting": "gauge",
    "watchroom_outbox_waiting_max": "gauge",
    "watchroom_outbox_oldest_seconds": "gauge",
    "watchroom_loop_lag_seconds": "histogram",
    "watchroom_disk_free_bytes": "gauge",
    "watchroom_disk_size_bytes": "gauge",
    "watchroom_owner_term": "gauge",
    "watchroom_start_time_seconds": "gauge",
    "watchroom_info": "gauge",
}


def test_every_figure_has_its_type_and_its_help(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """From the start every figure that an alert may rest on is there, typed, explained, and nowhere registered."""

    async def scenario() -> None:
        async with county_site(tmp_path, fresh_mosquitto) as app:
            families = {one.name: one for one in text_string_to_metric_families(await exposition(app))}
            assert EXPECTED == {name: one.type for name, one in families.items()}
            assert all(one.documentation for one in families.values())

    asyncio.run(scenario())
    assert [] == list(CollectorRegistry().collect())


def test_figures_follow_a_press(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Every hop of a press counts it: taken in, committed, settled, shown."""

    async def scenario() -> None:
        async with county_site(tmp_path, fresh_mosquitto) as app, speaking(fresh_mosquitto) as device:
            before = await figures(app)
            assert (2, 3) == (before["watchroom_units never"], before["watchroom_devices never"])
            for _ in range(3):
                await device.press()
                await device.settled()
            async with following(app) as feed:
                await device.prove()
                await eventually(lambda: _confidence(feed) == "confirmed", what="confirmed")
                during = await figures(app)
            moved = {name: value - before.get(name, 0) for name, value in during.items()}
        assert (1, 1, 0) == tuple(during[f"watchroom_units {one}"] for one in ("confirmed", "never", "unconfirmed"))
        assert (1, 2) == (during["watchroom_devices fresh"], during["watchroom_devices never"])
        assert (3, 2, 5) == tuple(
            moved[f"watchroom_{one}"]
            for one in ("messages_total status", "messages_total heartbeat", "ingest_total messages")
        )
        assert 3 == moved["watchroom_commit_seconds_count ledger"] == moved["watchroom_settle_seconds_count status"]
        assert 0 < moved["watchroom_commit_seconds_sum ledger"] <= moved["watchroom_settle_seconds_sum status"]
        assert moved["watchroom_loop_lag_seconds_count"] >= 0 < during["watchroom_feed_tick_lag_seconds_count"]
        assert (1, 1, 1) == tuple(
            during[f"watchroom_{one}"] for one in ("feed_listeners", "broker_connected", "streams_total")
        )
        assert 0 < during["watchroom_disk_free_bytes"] <= during["watchroom_disk_size_bytes"]
        assert during["watchroom_heard_age_seconds"] < 10

    asyncio.run(scenario())


def _confidence(feed: FeedClient) -> str:
    return feed.records[UNIT].confidence


def test_what_goes_missing_is_counted(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A gap, a fork, a refused event and a message set aside each move their own figure, by number or reason."""

    async def scenario() -> None:
        async with county_site(tmp_path, fresh_mosquitto) as app, speaking(fresh_mosquitto) as device:
            for _ in range(3):
                device.vehicle.press()
            await device.send(3, 3)
            await device.settled()
            twin = Vehicle(device.vehicle.stream)
            for _ in range(3):
                twin.press("3")
            await device.publish(twin.topic, twin.envelope(3, 3))
            await device.press("999")
            await device.settled()
            await device.publish(device.vehicle.topic, b"{")
            await eventually(lambda: app.site and app.site.ingest.acceptor.counts["aside_malformed"], what="set aside")
            found = await figures(app)
        assert (2, 0) == (found["watchroom_gone_total status"], found["watchroom_gone_total track"])
        assert (1, 1) == (found["watchroom_forks_total"], found["watchroom_set_aside_total fork"])
        assert (1, 1) == (found["watchroom_refused_total unknown_code"], found["watchroom_set_aside_total malformed"])

    asyncio.run(scenario())


def test_a_store_that_takes_no_commits_shows(
    fresh_mosquitto: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the ledger is held its failures count up and what waits grows older; afterwards the age is 0 again."""
    monkeypatch.setattr(opening, "_SETTINGS", opening._SETTINGS | {"busy_timeout": (50, 50)})

    async def scenario() -> None:
        async with county_site(tmp_path, fresh_mosquitto) as app, speaking(fresh_mosquitto) as device:
            committer = app.site.ingest.status_committer if app.site else None
            other = open_in(tmp_path / "data")
            with other._writing() as connection:
                connection.exec_driver_sql("UPDATE counter SET value = value")
                await device.press()
                await eventually(lambda: committer and committer.failures > 1, what="failures")
                during = await figures(app)
            other.close()
            await device.settled()
            after = await figures(app)
        assert 1 == during["watchroom_store_failing ledger"] and 1 < during["watchroom_commit_failures_total ledger"]
        assert 1 < during["watchroom_waiting_age_seconds status"]
        assert (0, 0) == (after["watchroom_store_failing ledger"], after["watchroom_waiting_age_seconds status"])

    asyncio.run(scenario())


async def _complain(device: Speaker, ms: int, outbox: OutboxDepth) -> None:
    said = heartbeat(
        ms,
        outbox=outbox,
        faults=["no receiver"],
        disk_free_mib=7,
        device=device.vehicle.device,
        stream=device.vehicle.stream,
    )
    await device.publish(f"wr/1/up/{device.vehicle.org}/{device.vehicle.device}/live", codec.encode(said))


def _is_heard(app: App, device: str) -> bool:
    link = app.site.ingest.fleet.link(device) if app.site else None
    return link is not None and link.vitals is not None and link.vitals.outbox.status > 0


def test_what_the_devices_say_of_themselves_is_added_up(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Depths are summed and the highest named, ages in seconds, and the least disk; nothing tells whose they are."""

    async def scenario() -> None:
        fire = Vehicle("E1-b", device="veh-1", org="kf")
        async with (
            county_site(tmp_path, fresh_mosquitto) as app,
            speaking(fresh_mosquitto) as police,
            speaking(fresh_mosquitto, fire) as other,
        ):
            await asyncio.gather(police.prove(), other.prove())
            await _complain(police, 5, OutboxDepth(status=2, track=40, oldest_status_ms=90_000))
            await _complain(other, 5, OutboxDepth(status=5, track=1, oldest_status_ms=3_000))
            await eventually(
                lambda: all(_is_heard(app, device) for device in ("veh-1", "veh-2")), what="both are heard"
            )
            found = await figures(app)
            text = await exposition(app)
        assert (7, 41) == (found["watchroom_outbox_waiting status"], found["watchroom_outbox_waiting track"])
        assert (5, 40) == (found["watchroom_outbox_waiting_max status"], found["watchroom_outbox_waiting_max track"])
        assert (90, 2) == (found["watchroom_outbox_oldest_seconds"], found["watchroom_devices_with_faults"])
        assert 7 * 1024 * 1024 == found["watchroom_device_disk_free_min_bytes"]
        for name in ("veh-2", "veh-1", "kp-12", "kf", "kp"):
            assert f'"{name}"' not in text

    asyncio.run(scenario())
