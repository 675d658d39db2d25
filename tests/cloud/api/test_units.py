"""Units, their events and their tracks, over HTTP, with what devices really sent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cloud.app import App
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import UNIT, county_site, speaking
from tests.cloud.fleet.samples import position
from tests.cloud.ingest.samples import Vehicle
from tests.waiting import eventually
from wire import codec
from wire.feed import FeedRecord

Scenario = Callable[[App, httpx.AsyncClient], Awaitable[None]]
PRESSES = 23
PAGE = 5
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
POSITIONS = 40


def on_a_site(folder: Path, broker: RunningBroker, scenario: Scenario) -> None:
    """Run a scenario on a site, with a client of its API."""

    async def run() -> None:
        async with county_site(folder, broker) as app, httpx.AsyncClient(base_url=app.address, timeout=20) as client:
            await scenario(app, client)

    asyncio.run(run())


def test_units_are_listed_and_shown(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Every unit of the directory is listed, heard or not, and each is the same when it is asked for alone."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        answer = await client.get("v1/units")
        listed = answer.json()
        assert "no-store" == answer.headers["cache-control"]
        assert [("kp-12", "never"), ("kf-1", "never")] == [(one["unit"], one["confidence"]) for one in listed["units"]]
        alone = msgspec.json.decode((await client.get(f"v1/units/{UNIT}")).content, type=FeedRecord)
        assert alone == msgspec.convert(listed["units"][0], FeedRecord)
        async with speaking(shared_mosquitto) as device:
            await device.press("8")
            await device.settled()
        shown = (await client.get(f"v1/units/{UNIT}")).json()
        assert ("8", "unconfirmed") == (shown["status"]["code"], shown["confidence"])

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_events_page_to_the_end(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Page by page every event comes once, newest first, as it was sent; the last page says that it is the last."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        async with speaking(shared_mosquitto) as device:
            for number in range(PRESSES):
                device.vehicle.press("2", remarks=f"number {number}")
            await device.send(1, 20)
            await eventually(lambda: device.vehicle.settled == 20, what="the first envelope")
            await device.send(21)
            await device.settled()
            sent = [msgspec.json.decode(raw) for raw in device.vehicle.events]
        pages = await pages_of(client, PAGE)
        assert [PAGE, PAGE, PAGE, PAGE, PRESSES % PAGE] == [len(page) for page in pages]
        assert [one["event"] for page in pages for one in page] == sent[::-1]
        assert [len(page) for page in await pages_of(client, PRESSES)] == [PRESSES]
        assert [] == (await client.get("v1/units/kf-1/events")).json()["events"]

    on_a_site(tmp_path, shared_mosquitto, scenario)


async def pages_of(client: httpx.AsyncClient, limit: int) -> list[list[Any]]:
    """Follow `next_before` to the end."""
    pages: list[list[Any]] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        page = (await client.get(f"v1/units/{UNIT}/events", params=query)).json()
        pages.append(page["events"])
        if page["next_before"] is None:
            return pages
        query["before"] = page["next_before"]


def test_a_track_window_holds_its_start_and_not_its_end(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A window gives the positions from its start to just before its end, oldest first, and whether it holds more."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        await drive(shared_mosquitto)

        async def track(**query: Any) -> Any:
            return (await client.get(f"v1/units/{UNIT}/track", params=query)).json()

        def moment(seq: int) -> str:
            return (START + timedelta(seconds=seq)).isoformat()

        whole = await track(since=moment(0), until=moment(1_000))
        assert (list(range(1, POSITIONS + 1)), False) == ([one["seq"] for one in whole["points"]], whole["more"])
        part = await track(since=moment(10), until=moment(20))
        assert list(range(10, 20)) == [one["seq"] for one in part["points"]]
        first = await track(since=moment(0), until=moment(1_000), limit=7)
        assert (list(range(1, 8)), True) == ([one["seq"] for one in first["points"]], first["more"])
        just = await track(since=moment(0), until=moment(8), limit=7)
        assert (7, False) == (len(just["points"]), just["more"])
        offset = await track(since="2026-11-01T13:00:10+01:00", until="2026-11-01T13:00:20+01:00")
        assert part == offset
        assert [] == (await track())["points"]

    on_a_site(tmp_path, shared_mosquitto, scenario)


async def drive(broker: RunningBroker) -> None:
    """Store one position a second from `START`, in an earlier boot and under a clock that is believed."""
    measured = Vehicle(queue="track")
    async with speaking(broker) as device:
        await device.prove()
        device.vehicle = measured
        for seq in range(1, POSITIONS + 1):
            at = START + timedelta(seconds=seq)
            measured.add(codec.encode(position(seq, seq * 1_000, at=at, clock="gnss", boot=0)))
        await device.publish(measured.topic, measured.envelope(1, 20))
        await eventually(lambda: measured.settled == 20, what="the first half")
        await device.publish(measured.topic, measured.envelope(21))
        await device.settled()


FAR = "9" * 30
BAD_QUERIES = [
    ("events?limit=0", "limit: "),
    ("events?limit=1001", "limit: "),
    ("events?before=0", "before: "),
    (f"events?before={FAR}", "before: "),
    ("events?before=x", "before: "),
    ("track?limit=0", "limit: "),
    ("track?since=2026-11-01T12:00:00", "must name their offset from UTC, such as"),
    ("track?since=2026-11-01T12:00:00Z&until=2026-11-01T13:00:00", "must name their offset from UTC, such as"),
    ("track?since=yesterday", "since: "),
    ("track?since=2026-11-01T12:00:00+01:00", "%2B"),
    ("track?since=2026-11-01T12:00:00Z&until=2026-11-01T12:00:00Z", "before until"),
    ("track?until=0001-01-01T00:30:00Z", "years 1 to 9999"),
    ("track?since=0001-01-01T00:00:00%2B14:00", "years 1 to 9999"),
    ("track?until=9999-12-31T23:59:59-14:00", "years 1 to 9999"),
    (f"track?since={FAR}", "since: "),
]


def test_a_query_that_makes_no_sense_is_a_problem_with_advice(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Whatever is asked wrongly is a 422 with one line that names the parameter or says what would be right."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        for query, advice in BAD_QUERIES:
            answer = await client.get(f"v1/units/{UNIT}/{query}")
            assert 422 == answer.status_code, (query, answer.text)
            assert ["problem"] == list(answer.json())
            assert advice in answer.json()["problem"], query

    on_a_site(tmp_path, shared_mosquitto, scenario)


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("v1/units/kp-99", "there is no unit 'kp-99'; GET /v1/units lists them"),
        ("v1/units/kp-99/events", "there is no unit 'kp-99'; GET /v1/units lists them"),
        ("v1/units/kp-99/track", "there is no unit 'kp-99'; GET /v1/units lists them"),
        ("v2/units", "there is nothing at /v2/units; GET /openapi.json lists what there is"),
        ("console/nothing.js", "there is nothing at /console/nothing.js; GET /openapi.json lists what there is"),
    ],
)
def test_what_is_not_there_is_named(path: str, advice: str, shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A 404 names what is missing and says where to look."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        answer = await client.get(path)
        assert (404, {"problem": advice}) == (answer.status_code, answer.json())

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_nothing_can_be_written(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Every other method is a 405 that says so, and changes nothing."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        before = (await client.get("v1/units")).json()["units"]
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = await client.request(method, f"v1/units/{UNIT}")
            assert (405, "GET") == (answer.status_code, answer.headers["allow"])
            assert answer.json()["problem"].startswith(f"{method} does nothing at /v1/units/{UNIT}")
        after = (await client.get("v1/units")).json()["units"]
        assert [one["status"] for one in before] == [one["status"] for one in after]

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_a_store_that_cannot_be_read_is_a_503(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Where the ledger can't be read the answer is a problem, not a traceback, and the live picture is still served."""

    async def scenario(app: App, client: httpx.AsyncClient) -> None:
        assert app.site is not None
        (tmp_path / "data" / "ledger.db").rename(tmp_path / "away.db")
        app.site.ledger.close()
        (tmp_path / "data" / "ledger.db").mkdir()
        answer = await client.get(f"v1/units/{UNIT}/events")
        assert 503 == answer.status_code
        assert "can't be read now" in answer.json()["problem"]
        assert str(tmp_path) not in answer.text
        assert 200 == (await client.get(f"v1/units/{UNIT}")).status_code

    on_a_site(tmp_path, shared_mosquitto, scenario)
