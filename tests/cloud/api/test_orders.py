"""Orders over HTTP, with a station and a vehicle on a real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cloud.app import App
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import Speaker, speaking
from tests.cloud.desk.lab import OTHER, STATION_COUNTY
from tests.cloud.dispatch.samples import MOBILE, ORDER, PLAN, PUMP, STATION, acknowledge, receipt, status
from tests.cloud.ingest.samples import Vehicle
from tests.site import FeedClient, following, running_site
from tests.waiting import eventually
from wire import codec
from wire.events import Event
from wire.feed import OrderView

BODY: dict[str, Any] = {
    "base": "stn-14",
    "units": ["kf-1"],
    "incident": "I0417",
    "address": "Mill Lane 4",
    "by": "op 7",
}
ENDED = {"by": "op 8", "reason": "hoax"}


@contextlib.asynccontextmanager
async def station_site(folder: Path, broker: RunningBroker) -> AsyncIterator[App]:
    """The application with a shared station; run it twice in one folder and it goes on."""
    directory = folder / "directory"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "county.toml").write_text(STATION_COUNTY, encoding="utf-8")
    async with running_site(folder / "data", broker_port=broker.port, directory=directory) as app:
        yield app


def client_of(app: App) -> httpx.AsyncClient:
    """A client of the application's API."""
    return httpx.AsyncClient(base_url=app.address, timeout=20)


@contextlib.asynccontextmanager
async def device(broker: RunningBroker, name: str, enrolment: str) -> AsyncIterator[Speaker]:
    """A device of the fire service that takes commands, and has proven when it minted its nonce."""
    async with speaking(broker, Vehicle(f"{enrolment}-a", device=name, org="kf")) as speaker:
        speaker.nonce = f"{name}-n1"
        await speaker.prove()
        yield speaker


async def tell(speaker: Speaker, *events: Event) -> None:
    """Send events, in good order."""
    first = len(speaker.vehicle.events) + 1
    for event in events:
        seq = len(speaker.vehicle.events) + 1
        speaker.vehicle.add(codec.encode(msgspec.structs.replace(event, seq=seq)))
    await speaker.send(first)


async def show(client: httpx.AsyncClient, order: str = ORDER) -> OrderView:
    """The order as the API shows it."""
    return msgspec.json.decode((await client.get(f"v1/orders/{order}")).content, type=OrderView)


def shown(feed: FeedClient) -> str:
    """The phase that the feed shows."""
    return feed.orders[ORDER].phase if ORDER in feed.orders else ""


def test_an_order_is_carried_out_and_everybody_sees_it(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """From the PUT to the crew on its way: the command, each step, the feed, the unit's record, and the log."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client, following(app) as feed:
            async with (
                device(shared_mosquitto, STATION, "E14") as station,
                device(shared_mosquitto, PUMP, "E1") as pump,
            ):
                answer = await client.put(f"v1/orders/{ORDER}", json=BODY)
                assert 201 == answer.status_code, answer.text
                await eventually(lambda: station.commands and pump.commands, what="the commands")
                command = station.commands[0]
                assert (ORDER, 1, "mobilise", station.nonce) == (
                    command.order,
                    command.revision,
                    command.action,
                    command.nonce,
                )
                await eventually(lambda: shown(feed) == "sent", what="sent")
                steps = [receipt("done", step, elapsed_ms=90) for step in PLAN]
                await tell(station, receipt("accepted", steps=PLAN), *steps)
                await eventually(lambda: shown(feed) == "confirmed", what="confirmed")
                await tell(station, acknowledge())
                await eventually(lambda: shown(feed) == "acknowledged", what="acknowledged")
                record = feed.records["kf-1"]
                await eventually(lambda: feed.records["kf-1"].assignment is not None, what="the assignment")
                record = feed.records["kf-1"]
                assert record.assignment is not None
                assert (ORDER, "I0417", 1) == (record.assignment.order, record.assignment.incident, 1)
                quiet = len(station.commands)
                order = await show(client)
                assert [("done", 90)] * 4 == [(step.outcome, step.elapsed_ms) for step in order.steps]
                log = (await client.get(f"v1/orders/{ORDER}/log")).json()["entries"]
                assert "created" == log[0]["kind"] and "op 7" == log[0]["by"]
                assert len(station.commands) == quiet, "an answered order is not sent again"

    asyncio.run(scenario())


def test_the_same_order_again_and_another_one(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The same body is the same order, however it is written; another body, or a unit that is taken, is a conflict."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            assert 201 == (await client.put(f"v1/orders/{ORDER}", json=BODY)).status_code
            again = await client.put(f"v1/orders/{ORDER}", json=dict(reversed(BODY.items())) | {"expires_s": 120})
            assert (200, ORDER) == (again.status_code, again.json()["order"])
            assert 409 == (await client.put(f"v1/orders/{ORDER}", json=BODY | {"text": "x"})).status_code
            taken = await client.put(f"v1/orders/{OTHER}", json=BODY)
            assert (409, {"kf-1": 1}) == (taken.status_code, taken.json()["versions"])
            unit = (await client.get("v1/units/kf-1")).json()
            quoted = BODY | {"assignment_versions": {"kf-1": unit["assignment_version"]}}
            assert 201 == (await client.put(f"v1/orders/{OTHER}", json=quoted)).status_code
            listed = (await client.get("v1/orders", params={"active": True})).json()["orders"]
            assert [ORDER, OTHER] == [one["order"] for one in listed]
            newest = (await client.get("v1/orders")).json()["orders"]
            assert [OTHER, ORDER] == [one["order"] for one in newest]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("order", "body", "answered"),
    [
        (ORDER, BODY | {"open_door": True}, (422, "open_door")),
        (ORDER, BODY | {"units": []}, (422, "units")),
        (ORDER, BODY | {"units": ["kf-9"]}, (422, "kf-9")),
        (ORDER, BODY | {"base": "nowhere"}, (422, "nowhere")),
        (ORDER, BODY | {"kind": "local_turnout"}, (422, "kind")),
        (ORDER, BODY | {"expires_s": 4}, (422, "expires_s")),
        (ORDER, BODY | {"text": "x" * 501}, (422, "text")),
        (ORDER, BODY | {"override": {"reason": ""}}, (422, "reason")),
        (ORDER, [], (422, "body")),
        (ORDER.upper(), BODY, (422, "lower case")),
        ("1", BODY, (422, "UUID")),
        (ORDER, BODY | {"by": "x" * 70_000}, (413, "longer")),
    ],
)
def test_what_is_no_order_is_refused(
    order: str, body: object, answered: tuple[int, str], shared_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """Each mistake is named in one line, and nothing is begun."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            answer = await client.put(f"v1/orders/{order}", json=body)
            status, says = answered
            assert status == answer.status_code
            assert says in answer.json()["problem"]
            assert [] == (await client.get("v1/orders")).json()["orders"]

    asyncio.run(scenario())


def test_orders_that_there_are_not(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Each route answers 404 for an order that there is not."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            for path in ("", "/log"):
                assert 404 == (await client.get(f"v1/orders/{ORDER}{path}")).status_code
            for path, body in (("cancel", ENDED), ("close", ENDED), ("alarms/acknowledge", {"by": "op 8"})):
                assert 404 == (await client.post(f"v1/orders/{ORDER}/{path}", json=body)).status_code

    asyncio.run(scenario())


def test_another_sites_page_gives_no_orders(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A form that a browser would send for any page is no JSON, and a page of another site is told so by its origin."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            assert 201 == (await client.put(f"v1/orders/{ORDER}", json=BODY)).status_code
            path = f"v1/orders/{ORDER}/cancel"
            plain = await client.post(path, content=msgspec.json.encode(ENDED), headers={"Content-Type": "text/plain"})
            assert 415 == plain.status_code
            foreign = await client.post(path, json=ENDED, headers={"Origin": "http://evil.example"})
            assert 403 == foreign.status_code
            assert (await show(client)).active
            own = await client.post(path, json=ENDED, headers={"Origin": app.address.rstrip("/")})
            assert 200 == own.status_code

    asyncio.run(scenario())


def test_a_cancel_reaches_the_station(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """It comes as the next revision, and the order closes once the station has answered; a close before is refused."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client, following(app) as feed:
            async with device(shared_mosquitto, STATION, "E14") as station:
                await client.put(f"v1/orders/{ORDER}", json=BODY)
                await eventually(lambda: station.commands, what="the order")
                await tell(station, receipt("accepted", steps=PLAN))
                await eventually(lambda: shown(feed) == "delivered", what="delivered")
                assert 409 == (await client.post(f"v1/orders/{ORDER}/close", json=ENDED)).status_code
                assert 200 == (await client.post(f"v1/orders/{ORDER}/cancel", json=ENDED)).status_code
                await eventually(lambda: station.commands[-1].action == "cancel", what="the cancel")
                assert 2 == station.commands[-1].revision
                await tell(station, receipt("done", revision=2, reason="cancelled"))
                await eventually(lambda: shown(feed) == "closed", what="closed")
                await eventually(lambda: feed.records["kf-1"].assignment is None, what="the unit is free")
                assert feed.orders[ORDER].reason == "cancelled by op 8: hoax"

    asyncio.run(scenario())


def test_a_stale_nonce_costs_one_round_trip(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A device that does not know the nonce gives another, and gets the same revision with that one."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            async with device(shared_mosquitto, STATION, "E14") as station:
                await client.put(f"v1/orders/{ORDER}", json=BODY)
                await eventually(lambda: station.commands, what="the order")
                await tell(station, receipt("refused", reason="stale_nonce", nonce="fresh"))
                await eventually(lambda: station.commands[-1].nonce == "fresh", what="it comes again")
                assert {1} == {command.revision for command in station.commands}

    asyncio.run(scenario())


def test_an_order_goes_on_when_the_cloud_is_started_again(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Stopped right after the PUT, with the station away, the next process delivers it; a new feed begins with it."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            assert 201 == (await client.put(f"v1/orders/{ORDER}", json=BODY)).status_code
        async with station_site(tmp_path, shared_mosquitto) as app, following(app) as feed:
            await eventually(lambda: shown(feed) == "created", what="the order in the snapshot")
            async with device(shared_mosquitto, STATION, "E14") as station:
                await eventually(lambda: station.commands, what="the order")
                await tell(station, receipt("accepted", steps=PLAN), acknowledge())
                await eventually(lambda: shown(feed) == "acknowledged", what="acknowledged")
        async with station_site(tmp_path, shared_mosquitto) as app, following(app) as feed:
            await eventually(lambda: shown(feed) == "acknowledged", what="what it had come to")
            assignment = feed.records["kf-1"].assignment
            assert assignment is not None and ORDER == assignment.order

    asyncio.run(scenario())


def test_a_unit_that_leaves_moves_its_order(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The vehicle's own status, pressed after the order, makes it mobile; where its clock is proven."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client, following(app) as feed:
            async with device(shared_mosquitto, PUMP, "E1") as pump:
                await client.put(f"v1/orders/{ORDER}", json=BODY)
                await eventually(lambda: pump.commands, what="the order")
                pressed = status("kf-1", MOBILE, mono_ms=pump.sent_ms, at=app.site.moment().utc)  # type: ignore[union-attr]
                await tell(pump, pressed)
                await eventually(lambda: shown(feed) == "mobile", what="mobile")

    asyncio.run(scenario())


def test_a_client_that_comes_back_learns_what_has_ended(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """With the last id it saw, a client is told of an order that ended meanwhile, which is in no snapshot any more."""

    async def scenario() -> None:
        async with station_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            async with following(app) as feed:
                await client.put(f"v1/orders/{ORDER}", json=BODY)
                await eventually(lambda: shown(feed) == "created", what="the order")
            await client.post(f"v1/orders/{ORDER}/cancel", json=ENDED)
            back = FeedClient()
            task = asyncio.create_task(back.follow(app.address, feed.last_id))
            await eventually(lambda: shown(back) == "closed", what="its end")
            assert "snapshot" not in back.kinds
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(scenario())
