"""Alarms over the feed and HTTP, from devices on a real broker."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import UNSET, UnsetType

from cloud.app import App
from cloud.clock import SystemClock
from tests.brokers import RunningBroker
from tests.cloud.api.exposition import figures
from tests.cloud.api.speaker import Speaker, county_site, speaking
from tests.cloud.api.test_orders import station_site
from tests.cloud.dispatch.samples import STATION
from tests.cloud.ingest.samples import Vehicle
from tests.site import FeedClient, following
from tests.waiting import eventually
from wire import codec, topics
from wire.events import AlarmEvent, EmergencyEvent, Event, Origin
from wire.feed import AlarmView

STATUSES = 500
LATE_S = 13 * 3600
TAKEN = {"by": "op 7"}
CANCELLED = {"by": "op 9", "reason": "crew safe"}


def emergency(seq: int, **changes: Any) -> EmergencyEvent:
    """The police vehicle's emergency, pressed now."""
    return EmergencyEvent(**_event(seq) | {"unit": "kp-12"} | changes)


def mains(seq: int, raised: bool) -> AlarmEvent:
    """The station's mains failed, or came back."""
    return AlarmEvent(**_event(seq), name="mains_failed", raised=raised)


def _event(seq: int) -> dict[str, Any]:
    return {"seq": seq, "at": SystemClock().now(), "clock": "gnss", "boot": 1, "mono_ms": 0, "mode": "live"}


async def tell_live(device: Speaker, event: Event, stream: str | None = None) -> None:
    """Tell an event ahead of its queue."""
    vehicle = device.vehicle
    lone = Vehicle(stream or vehicle.stream, device=vehicle.device, org=vehicle.org)
    lone.add(codec.encode(event))
    await device.publish(topics.up(vehicle.org, vehicle.device, "live"), lone.envelope(first_held=event.seq))


def client_of(app: App) -> httpx.AsyncClient:
    """A client of the application's API."""
    return httpx.AsyncClient(base_url=app.address, timeout=20)


def states(feed: FeedClient) -> list[tuple[str, bool]]:
    """Every alarm that the feed ever told, as its name and whether it was active."""
    return [(one.name, one.active) for one in feed.seen_alarms]


def test_an_emergency_is_on_the_feed_ahead_of_500_statuses(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """While none of them has come; once the queue has brought them and it, there is still one alarm, told once."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto) as device:
            async with following(app) as feed:
                for _ in range(STATUSES):
                    device.vehicle.press()
                device.vehicle.add(codec.encode(emergency(STATUSES + 1)))
                event = codec.decode_event(device.vehicle.events[-1])
                assert isinstance(event, EmergencyEvent)
                await tell_live(device, event)
                await eventually(lambda: feed.seen_alarms, what="the emergency")
                assert feed.records["kp-12"].status is None and device.vehicle.settled == 0
                for first in range(1, STATUSES + 2, 20):
                    await device.send(first, min(first + 19, STATUSES + 1))
                await device.settled()
                await tell_live(device, event)
                await tell_live(device, emergency(1, origin=Origin(device.vehicle.stream, STATUSES + 1)), "E2-b")
                await device.prove()
                await eventually(lambda: feed.records["kp-12"].status is not None, what="the statuses")
                assert [("emergency", True)] == states(feed)

    asyncio.run(scenario())


def test_an_emergency_outlives_the_process_until_a_person_has_it(
    shared_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """Over a restart it is on the feed's first snapshot, in hand or not; cancelled it is over, also on the lamp."""

    async def scenario() -> None:
        async with speaking(shared_mosquitto) as device:
            async with county_site(tmp_path, shared_mosquitto) as app, following(app):
                device.vehicle.add(codec.encode(emergency(1, mode="training")))
                await device.send()
                await device.settled()
            async with county_site(tmp_path, shared_mosquitto) as app, following(app) as feed, client_of(app) as client:
                await eventually(lambda: feed.alarms, what="the alarm")
                ((alarm, shown),) = feed.alarms.items()
                assert ("emergency", "P12", "training") == (shown.kind, shown.callsign, shown.mode)
                listed = (await client.get("v1/alarms")).json()["alarms"]
                assert [alarm] == [one["alarm"] for one in listed]
                assert 1 == (await figures(app))["watchroom_alarms_unacknowledged emergency"]
                answer = await client.post(f"v1/alarms/{alarm}/acknowledge", json=TAKEN)
                assert (200, "op 7", True) == (
                    answer.status_code,
                    answer.json()["acknowledged_by"],
                    answer.json()["active"],
                )
                await eventually(lambda: feed.alarms[alarm].acknowledged_by, what="it in hand on the feed")
                await eventually(lambda: device.states and device.states[-1].emergencies, what="the lamp")
                assert 0 == (await figures(app))["watchroom_alarms_unacknowledged emergency"]
            async with county_site(tmp_path, shared_mosquitto) as app, following(app) as feed, client_of(app) as client:
                assert [alarm] == [one["alarm"] for one in (await client.get("v1/alarms")).json()["alarms"]]
                again = await client.post(f"v1/alarms/{alarm}/acknowledge", json={"by": "op 8"})
                assert (409, True) == (again.status_code, "op 7" in again.json()["problem"])
                ended = await client.post(f"v1/alarms/{alarm}/cancel", json=CANCELLED)
                assert (200, "op 9", False) == (
                    ended.status_code,
                    ended.json()["cancelled_by"],
                    ended.json()["active"],
                )
                await eventually(lambda: not feed.alarms[alarm].active, what="its end on the feed")
                await eventually(lambda: [True] == _cancelled(device), what="the lamp")
            async with county_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
                assert [] == (await client.get("v1/alarms")).json()["alarms"]
                again = await client.post(f"v1/alarms/{alarm}/cancel", json=CANCELLED | {"by": "op 8"})
                assert (409, True) == (again.status_code, "op 9" in again.json()["problem"])

    asyncio.run(scenario())


def _cancelled(device: Speaker) -> list[bool]:
    told = device.states[-1].emergencies if device.states else UNSET
    return [] if isinstance(told, UnsetType) else [one.cancelled for one in told]


def test_nobody_cancels_what_nobody_has(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """An emergency that nobody has in hand can't be cancelled, nor can what is no emergency: the problem says why."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto) as device:
            async with following(app) as feed, client_of(app) as client:
                device.vehicle.press("14")
                device.vehicle.press("0")
                await device.send()
                await eventually(lambda: len(feed.alarms) == 2, what="the alarms")
                calls: dict[str, AlarmView] = {one.kind: one for one in feed.alarms.values()}
                for kind, says in (("emergency", "acknowledge it first"), ("speech", "no emergency")):
                    answer = await client.post(f"v1/alarms/{calls[kind].alarm}/cancel", json=CANCELLED)
                    assert (409, True) == (answer.status_code, says in answer.json()["problem"])
                missing = await client.post("v1/alarms/veh-2.E2-a.99/cancel", json=CANCELLED)
                unsaid = await client.post(f"v1/alarms/{calls['speech'].alarm}/cancel", json=TAKEN | {"reason": ""})
                assert (404, 422) == (missing.status_code, unsaid.status_code)
                taken = await client.post(f"v1/alarms/{calls['speech'].alarm}/acknowledge", json=TAKEN)
                assert (200, False, "urgent_speech_request") == (
                    taken.status_code,
                    taken.json()["active"],
                    taken.json()["name"],
                )

    asyncio.run(scenario())


def test_a_station_alarm_rises_and_clears(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Everybody sees it at once, acknowledged it stays, and it is over when the station says so."""

    async def scenario() -> None:
        vehicle = Vehicle("E14-a", device=STATION, org="kf")
        async with station_site(tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto, vehicle) as station:
            async with following(app) as feed, client_of(app) as client:
                vehicle.add(codec.encode(mains(1, True)))
                await station.send()
                await eventually(lambda: feed.alarms, what="the alarm")
                (shown,) = feed.alarms.values()
                assert ("station", "stn-14", None) == (shown.kind, shown.base, shown.unit)
                await client.post(f"v1/alarms/{shown.alarm}/acknowledge", json=TAKEN)
                vehicle.add(codec.encode(mains(2, False)))
                await station.send()
                await eventually(lambda: not feed.alarms[shown.alarm].active, what="its end")
                assert [("mains_failed", True), ("mains_failed", True), ("mains_failed", False)] == states(feed)
                assert "op 7" == feed.alarms[shown.alarm].acknowledged_by

    asyncio.run(scenario())


def test_an_emergency_of_hours_ago_says_so(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """After 13 h without a network it is shown, as of when it was pressed, and never as if that were now."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto) as device:
            async with following(app) as feed:
                device.sent_ms = LATE_S * 1000
                await device.prove()
                await eventually(lambda: feed.records["kp-12"].link == "fresh", what="a proven clock")
                pressed = SystemClock().now() - timedelta(seconds=LATE_S)
                device.vehicle.add(codec.encode(emergency(1, at=pressed)))
                await device.send()
                await eventually(lambda: feed.alarms, what="the alarm")
                (shown,) = feed.alarms.values()
                assert shown.active and shown.proven and "13 h 0 min before control heard of it" in shown.text
                assert timedelta(seconds=1) > abs(shown.raised_at - pressed)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ({"json": TAKEN}, (404, "no alarm")),
        ({"json": {}}, (422, "by")),
        ({"json": {"by": ""}}, (422, "by")),
        ({"json": TAKEN | {"why": "x"}}, (422, "why")),
        ({"content": b'{"by": "op 7"}'}, (415, "application/json")),
        ({"json": {"by": "x" * 70_000}}, (413, "longer")),
    ],
)
def test_what_is_no_acknowledgement_is_refused(
    shared_mosquitto: RunningBroker, tmp_path: Path, sent: dict[str, Any], answered: tuple[int, str]
) -> None:
    """An alarm that there is not, or a body that names nobody, changes nothing and is answered with what is wrong."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            answer = await client.post("v1/alarms/veh-2.E2-a.1/acknowledge", **sent)
            status, says = answered
            assert status == answer.status_code and says in answer.json()["problem"]

    asyncio.run(scenario())
