"""Ingest as a whole, on the wire: what a restart keeps, what bad input does, and how memory is bounded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cloud.app import App
from cloud.clock import SystemClock
from cloud.directory import InForce
from cloud.ingest import ingest as room
from cloud.ingest.ingest import Ingest
from cloud.ingest.subscriber import TURN_MESSAGES_MAX, Messages, Subscriber
from cloud.ledger import opening
from cloud.telemetry import DuckTelemetry
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import UNIT, Speaker, county_site, speaking
from tests.cloud.fleet.samples import COUNTY, county, heartbeat, position
from tests.cloud.ingest.samples import Vehicle
from tests.cloud.ledger.samples import open_in
from tests.site import FeedClient, following
from tests.waiting import eventually
from wire import codec
from wire.messages import MESSAGE_BYTES_MAX

PAUSE_AT = 20
FLOOD = 3_000
CONFIRM_S = 20.0


async def counters(app: App) -> dict[str, float]:
    """Ingest's counters as a scraper reads them: by outcome, by `refused_` and by `aside_` with the reason."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{app.address}metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return {
        prefix + next(iter(one.labels.values())): one.value
        for name, prefix in (("ingest", ""), ("refused", "refused_"), ("set_aside", "aside_"))
        for one in families[f"watchroom_{name}"].samples
    }


def test_a_restart_shows_the_same_and_confirms_nothing(broker: RunningBroker, tmp_path: Path) -> None:
    """Started again, ingest shows the same status and place, and confirms neither until the device echoes its id."""

    async def first() -> list[str]:
        async with county_site(tmp_path, broker) as app, following(app) as feed, speaking(broker) as device:
            await device.press("8")
            await device.settled()
            await place(device, app)
            await device.prove()
            await eventually(lambda: feed.records[UNIT].confidence == "confirmed", what="confirmed")
            await eventually(lambda: feed.records[UNIT].position, what="a place")
            known.append(feed.records[UNIT])
            return [settle.id for settle in device.settles]

    async def second(old_ids: list[str]) -> None:
        async with speaking(broker, vehicle) as device:
            async with county_site(tmp_path, broker) as app, following(app) as feed:
                await eventually(lambda: device.hellos, what="a greeting")
                assert_same_but_unconfirmed(feed)
                device.sent_ms = 100
                for number, old_id in enumerate(old_ids * 2, 1):
                    await device.beat(echoing=old_id)
                    await eventually(lambda: len(device.settles) == number, what="an answer")  # noqa: B023
                await eventually(lambda: feed.records[UNIT].link == "late", what="a link without proof")
                await eventually(lambda: feed.kinds[-1] == "tick", what="nothing more to show")
                assert_same_but_unconfirmed(feed)
                await device.beat(echoing=device.hellos[-1].id)
                await eventually(
                    lambda: feed.records[UNIT].confidence == "confirmed", what="confirmed", deadline_s=CONFIRM_S
                )
                assert feed.records[UNIT].status == known[0].status

    def assert_same_but_unconfirmed(feed: FeedClient) -> None:
        record = feed.records[UNIT]
        assert (record.status, record.availability) == (known[0].status, known[0].availability)
        assert record.position is not None and known[0].position is not None
        assert (record.position.lat, record.position.lon) == (known[0].position.lat, known[0].position.lon)
        assert not record.position_fresh
        assert {one.confidence for one in feed.seen if one.unit == UNIT} == {"unconfirmed"}

    async def place(device: Speaker, app: App) -> None:
        measured = Vehicle(queue="track")
        measured.add(codec.encode(position(1, lat=51.5, lon=0.25)))
        await device.publish(measured.topic, measured.envelope())
        assert app.site is not None
        site = app.site
        await eventually(lambda: ("veh-2", "E2-a", "track") in site.ingest.acceptor.committed, what="it is durable")

    known: list[Any] = []
    old_ids = asyncio.run(first())
    assert len(old_ids) >= 3
    vehicle = Vehicle()
    vehicle.press("8")
    asyncio.run(second(old_ids))


def _envelope(**changes: Any) -> bytes:
    vehicle = Vehicle()
    vehicle.press()
    return vehicle.envelope(**changes)


def _many(count: int) -> bytes:
    vehicle = Vehicle()
    for _ in range(count):
        vehicle.press()
    return vehicle.envelope()


def _large(size: int) -> bytes:
    """A heartbeat that would be right, were it not made so long by a field that nobody knows."""
    said = codec.encode(heartbeat(0))
    return said[:-1] + b',"padding":"' + b"x" * (size - len(said) - 13) + b'"}'


UP = "wr/1/up/kp/veh-2"
BAD: list[tuple[str, bytes, str]] = [
    ("wr/1/up/kp/veh-2/elsewhere", b"{}", "unknown_topic"),
    ("wr/1/up/kp", b"\x00\xff", "unknown_topic"),
    ("wr/1/up/kp/nobody/status", _envelope(), "foreign_device"),
    ("wr/1/up/kf/veh-2/status", _envelope(), "foreign_device"),
    ("wr/1/up/kp/veh-9/live", codec.encode(heartbeat(0, device="veh-9", stream="E9-a")), "revoked_device"),
    (f"{UP}/status", _envelope(device="veh-1"), "wrong_device"),
    (f"{UP}/status", _envelope(stream="E1-a"), "wrong_enrolment"),
    (f"{UP}/live", b'{"type":"heartbeat"', "malformed"),
    (f"{UP}/live", b"", "malformed"),
    (f"{UP}/live", bytes(range(256)), "malformed"),
    (f"{UP}/live", codec.encode(heartbeat(0)).replace(b'"interval_s":5', b'"interval_s":5e9'), "invalid"),
    (f"{UP}/status", _many(21), "invalid"),
    (f"{UP}/live", _large(MESSAGE_BYTES_MAX + 1), "too_large"),
]


def test_bad_input_is_kept_counted_and_in_nobodys_way(broker: RunningBroker, tmp_path: Path) -> None:
    """Each bad message is in the ledger with its reason and bytes, and counted; the next press goes through at once."""

    async def scenario() -> None:
        other = Vehicle("E1-a", device="veh-1", org="kf")
        async with county_site(tmp_path, broker) as app, speaking(broker) as good, speaking(broker, other) as hostile:
            for number, (topic, payload, reason) in enumerate(BAD, 1):
                before = (await counters(app)).get(f"aside_{reason}", 0.0)
                await hostile.publish(topic, payload)
                await good.press()
                await good.settled()
                kept = (topic, reason, payload[:MESSAGE_BYTES_MAX])
                await eventually(lambda: newest(app) == kept, what=reason)  # noqa: B023
                after = await counters(app)
                assert after[f"aside_{reason}"] == before + 1
                assert app.site is not None
                assert (number, number) == (len(app.site.ledger.refused_rows(100)), good.vehicle.settled)

    asyncio.run(scenario())


def newest(app: App) -> tuple[str, str, bytes] | None:
    """The newest refused row."""
    assert app.site is not None
    rows = app.site.ledger.refused_rows(1)
    return (rows[0].topic, rows[0].reason, rows[0].body) if rows else None


def test_one_bad_event_is_refused_alone(broker: RunningBroker, tmp_path: Path) -> None:
    """Out of range, of another unit or of an unknown code: refused with its bytes; those around it are stored."""

    async def scenario() -> None:
        async with county_site(tmp_path, broker) as app, speaking(broker) as device:
            vehicle = device.vehicle
            vehicle.press("2")
            wrong = [
                vehicle.press("2", unit="kf-1"),
                vehicle.press("no such code"),
                vehicle.add(b'{"kind":"status","seq":4,"mono_ms":-1}'),
                vehicle.add(b'{"kind":"weather","seq":5}'),
            ]
            vehicle.press("8")
            await device.send()
            await device.settled()
            refused = {one.seq: one.reason for one in device.settles[-1].queues[0].refused}
            expected = ["foreign_unit", "unknown_code", "invalid", "invalid"]
            assert refused == dict(zip(wrong, expected, strict=True))
            assert app.site is not None
            rows = app.site.ledger.refused_rows(10)
            assert {row.seq: row.body for row in rows} == {seq: vehicle.events[seq - 1] for seq in wrong}
            assert [row.seq for row in app.site.ledger.events_of(UNIT, None, 10)] == [6, 1]
            assert 2 == (await counters(app))["refused_invalid"]

    asyncio.run(scenario())


def test_a_position_out_of_range_is_refused_alone(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A latitude of 91 degrees is refused with its bytes; the places around it are stored."""

    async def scenario() -> None:
        measured = Vehicle(queue="track")
        async with county_site(tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto, measured) as device:
            for lat in (b"51.27", b"91.00", b"51.28"):
                seq = len(measured.events) + 1
                measured.add(codec.encode(position(seq)).replace(b"51.27", lat))
            await device.send()
            await device.settled()
            assert app.site is not None
            rows = [row for row in app.site.ledger.refused_rows(10) if row.device == "veh-2"]
            assert [(2, "invalid", measured.events[1])] == [(row.seq, row.reason, row.body) for row in rows]
            now = SystemClock().now()
            stored = app.site.telemetry.series(UNIT, now.replace(year=2000), now.replace(year=9000), 10)
            assert [1, 3] == [row.seq for row in stored]

    asyncio.run(scenario())


@pytest.mark.parametrize("payload", [b"junk", b"\xff" * 300, _envelope(), codec.encode(heartbeat(0))])
def test_retained_junk_on_a_link_is_met_at_every_start(
    fresh_mosquitto: RunningBroker, tmp_path: Path, payload: bytes
) -> None:
    """What somebody left retained on a link topic is kept aside at each start, and the device is heard beside it."""

    async def scenario() -> None:
        async with speaking(fresh_mosquitto) as device:
            await device.publish(f"{UP}/link", payload, qos=1, retain=True)
            for start in (1, 2):
                async with county_site(tmp_path, fresh_mosquitto) as app, following(app) as feed:
                    assert app.site is not None
                    ledger = app.site.ledger
                    await eventually(lambda: len(ledger.refused_rows(10)) == start, what="kept aside")  # noqa: B023
                    assert {payload} == {row.body for row in ledger.refused_rows(10)}
                    await device.press()
                    await device.settled()
                    await device.prove()
                    await eventually(lambda: feed.records[UNIT].confidence == "confirmed", what="heard")  # noqa: B023

    asyncio.run(scenario())


def subscriber_of(broker: RunningBroker, on_messages: Callable[[Messages], None]) -> Subscriber:
    """The way to a running broker."""
    return Subscriber(broker.host, broker.port, clock=SystemClock(), on_messages=on_messages)


@contextlib.asynccontextmanager
async def ingesting(folder: Path, broker: RunningBroker) -> AsyncIterator[Ingest]:
    """Ingest alone, on real stores; ready once it is subscribed."""
    with contextlib.closing(open_in(folder)) as ledger:
        with contextlib.closing(DuckTelemetry.open(folder / "telemetry")) as telemetry:
            ingest = Ingest(InForce(county()), ledger, telemetry, clock=SystemClock(), owner_term=1)
            ready = asyncio.Event()
            task = asyncio.create_task(ingest.run(partial(subscriber_of, broker), ready.set))
            try:
                await asyncio.wait_for(ready.wait(), 20)
                yield ingest
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


def test_a_flood_while_the_ledger_stands_still_is_left_with_the_broker(
    broker: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past a bound ingest stops reading, whatever comes; once the ledger is back it reads on and a press is settled."""
    monkeypatch.setattr(opening, "_SETTINGS", opening._SETTINGS | {"busy_timeout": (50, 50)})
    monkeypatch.setattr(room, "PAUSE_AT", PAUSE_AT)

    async def scenario() -> None:
        async with ingesting(tmp_path, broker) as ingest, speaking(broker) as device:
            seen: Callable[[], int] = lambda: ingest.acceptor.counts["messages"]  # noqa: E731
            with contextlib.closing(open_in(tmp_path)) as other, other._writing() as connection:
                connection.exec_driver_sql("UPDATE counter SET value = value")
                for number in range(FLOOD):
                    await device.publish("wr/1/up/kp/veh-2/elsewhere", b"%d" % number)
                await eventually(lambda: ingest.status_committer.failing, what="the ledger's failure")
                await eventually(lambda: seen() >= PAUSE_AT, what="the bound")
                assert seen() < PAUSE_AT + 2 * TURN_MESSAGES_MAX < FLOOD
                assert len(ingest.acceptor.status) < PAUSE_AT + 2 * TURN_MESSAGES_MAX
            await eventually(lambda: seen() > FLOOD / 2, what="reading on", deadline_s=30)
            await device.press()
            await eventually(lambda: device.vehicle.settled == 1, what="settled", deadline_s=30)

    asyncio.run(scenario())


def test_the_county_is_the_one_on_disk(tmp_path: Path, shared_mosquitto: RunningBroker) -> None:
    """The directory that these tests write is read as it is: what they refuse is refused for its own reason."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app:
            assert app.site is not None
            assert set(app.site.ingest.directory.devices) == set(county().devices)

    assert COUNTY.count("[[device]]") == len(county().devices)
    asyncio.run(scenario())
