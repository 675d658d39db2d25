"""Lists of units for partners: what is in them, what is asked for, page by page, and in which format."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.api.filters import Asked, Box, Filter, read_filter
from cloud.api.pages import tag_of
from cloud.app import App
from cloud.sharing.blur import middle
from tests.brokers import RunningBroker
from tests.cloud.api.partner.lab import CAR, COVERT, FIRE, POLICE, PUMP, VAN, agreement, as_partner, drive, sharing_site
from tests.cloud.api.partner.test_tokens import said
from tests.cloud.fleet.samples import NOON, county
from wire.feed import PositionView
from wire.partner import FIELDS_OF, GRANTS, Grant, PartnerRecord

PLACE = (51.27, 0.52)
"""Where the samples' vehicle is."""
AREAS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"id": name, "name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[west, 51], [west + 0.5, 51], [west + 0.5, 51.5], [west, 51.5], [west, 51]]],
            },
        }
        for name, west in (("town", 0.25), ("sea", 1.5))
    ],
}
Asking = Callable[[App, httpx.AsyncClient], Awaitable[None]]


def ask(folder: Path, broker: RunningBroker, asking: Asking, *rows: str) -> None:
    """Ask as the fire service, once the police car has pressed and said where it is."""

    async def run() -> None:
        areas = folder / "directory" / "areas"
        areas.mkdir(parents=True)
        (areas / "areas.geojson").write_text(json.dumps(AREAS), encoding="utf-8")
        async with sharing_site(folder, broker, *rows) as app, as_partner(app, FIRE) as client:
            async with drive(app, broker):
                await asking(app, client)

    asyncio.run(run())


async def units_of(client: httpx.AsyncClient, query: str = "") -> list[str]:
    """The units that a query gives, in order."""
    found = await client.get(f"v1/units?{query}")
    assert 200 == found.status_code, found.text
    return [one["unit"] for one in found.json()["units"]]


def test_a_partner_sees_what_is_opened_and_no_more(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Fields that no agreement opens are absent, a position is blurred as agreed, and its own units are whole."""

    async def asking(_app: App, client: httpx.AsyncClient) -> None:
        answer = await client.get("v1/units")
        records = {one["unit"]: one for one in answer.json()["units"]}
        assert {CAR, PUMP} == records.keys()
        opened = {field for grant in ("position", "status") for field in FIELDS_OF[grant]}
        shut = {field for grant in GRANTS for field in FIELDS_OF[grant]} - opened
        told = {"class" if field == "availability" else field for field in shut}
        assert set() == told & records[CAR].keys()
        assert ["a1"] == records[CAR]["agreements"]
        place = records[CAR]["position"]
        assert middle(*PLACE, 500) == (place["lat"], place["lon"])
        assert (500, "2") == (records[CAR]["precision_m"], records[CAR]["status"]["code"])
        assert b"51.27," not in answer.content
        assert told <= records[PUMP].keys()
        one = await client.get(f"v1/units/{CAR}")
        assert records[CAR]["grants"] == one.json()["grants"]
        assert "no-store" == one.headers["cache-control"]

    row = agreement(fields=["status", "position"], precision_m=500, covers={"units": [CAR, COVERT]})
    ask(tmp_path, shared_mosquitto, asking, row)


def test_a_filter_goes_by_what_is_shown(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Each filter narrows by what is shown of a unit; what asks wrongly is a problem with advice."""

    async def asking(_app: App, client: httpx.AsyncClient) -> None:
        assert [PUMP, CAR, VAN] == await units_of(client)
        assert [CAR, VAN] == await units_of(client, "service=police")
        assert [VAN] == await units_of(client, "type=van")
        assert [CAR] == await units_of(client, "class=Available&service=police")
        assert [VAN] == await units_of(client, "confidence=never&service=police")
        assert [CAR] == await units_of(client, "area=town")
        assert [] == await units_of(client, "area=sea")
        assert [CAR] == await units_of(client, "area=0.4,51.2,0.6,51.3")
        assert [] == await units_of(client, "area=0.6,51.2,0.4,51.2")
        assert [] == await units_of(client, "capability=boat")
        for query in ("area=nowhere", "area=1,2,3", "area=0,91,0,92", "area=nan,0,0,0", "class=Perhaps", "limit=0"):
            answer = await client.get(f"v1/units?{query}")
            assert (422, ["problem"]) == (answer.status_code, list(answer.json())), query

    ask(tmp_path, shared_mosquitto, asking, agreement())


def test_a_filter_on_what_is_not_opened_finds_nothing(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Without position, availability and capabilities opened no filter on them tells anything of a unit."""

    async def asking(_app: App, client: httpx.AsyncClient) -> None:
        assert [CAR, VAN] == await units_of(client, "service=police")
        for query in ("area=-180,-90,180,90", "class=Available", "confidence=confirmed", "confidence=never"):
            assert [] == await units_of(client, f"service=police&{query}"), query

    ask(tmp_path, shared_mosquitto, asking, agreement(fields=["status"]))


@pytest.mark.parametrize("grant", [None, *GRANTS])
def test_no_filter_tells_of_a_closed_field(grant: Grant | None) -> None:
    """Whatever a closed field would be, no filter on it takes the record; opened, the right one does."""
    values: dict[Grant, dict[str, Any]] = {
        "capabilities": {"capabilities": ("boat",)},
        "availability": {"availability": "Available", "confidence": "confirmed"},
        "position": {"position": PositionView(fix="3d", lat=51.27, lon=0.52)},
    }
    filters: dict[Grant, list[Filter]] = {
        "capabilities": [Filter(Asked(capability="boat"), None)],
        "availability": [Filter(Asked(availability="Available"), None), Filter(Asked(confidence="confirmed"), None)],
        "position": [Filter(Asked(), Box(-180, -90, 180, 90))],
    }
    record = PartnerRecord(
        unit="u", callsign="U", organisation="o", service="fire", type="pump",
        grants=() if grant is None else (grant,), agreements=(), as_of=NOON, **values.get(grant, {}) if grant else {},
    )  # fmt: skip
    for about, each in filters.items():
        assert [about == grant] * len(each) == [one.takes(record) for one in each]


@pytest.mark.parametrize(
    ("box", "lon", "on"), [("170,-10,-170,10", 179.0, True), ("170,-10,-170,10", -179.0, True),
                           ("170,-10,-170,10", 0.0, False), ("-10,-10,10,10", 10.0, True)],
)  # fmt: skip
def test_a_box_may_cross_the_antimeridian(box: str, lon: float, on: bool) -> None:
    """A box whose east is west of its west goes over longitude 180; its border belongs to it."""
    found = read_filter(Asked(area=box), county())
    assert isinstance(found, Filter)
    assert isinstance(found.ground, Box)
    assert on == found.ground.holds(0.0, lon)


def test_pages(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Pages of one give every unit once, in order, and end with null; one behind an unknown unit goes on after it."""

    async def asking(_app: App, client: httpx.AsyncClient) -> None:
        found, after = list[str](), ""
        while True:
            page = (await client.get("v1/units", params={"limit": 1, "after": after})).json()
            found += [one["unit"] for one in page["units"]]
            if page["next_after"] is None:
                break
            after = page["next_after"]
        assert [PUMP, CAR, VAN] == found
        assert [CAR, VAN] == await units_of(client, "after=kp")
        assert [VAN] == await units_of(client, f"after={CAR}x")
        last = (await client.get("v1/units?service=police&limit=2")).json()
        assert ([CAR, VAN], None) == ([one["unit"] for one in last["units"]], last["next_after"])
        assert 422 == (await client.get("v1/units?limit=1001")).status_code

    ask(tmp_path, shared_mosquitto, asking, agreement())


def test_what_is_known_is_not_sent_again(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """With the tag that it was given a client gets a 304 while nothing but ages changes, and the news once it does."""

    async def asking(app: App, client: httpx.AsyncClient) -> None:
        first = await client.get("v1/units")
        tag = first.headers["etag"]
        assert tag.startswith('W/"')
        for given in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
            again = await client.get("v1/units", headers={"If-None-Match": given})
            assert (304, b"", tag) == (again.status_code, again.content, again.headers["etag"])
        other = await client.get("v1/units?service=fire", headers={"If-None-Match": tag})
        assert 200 == other.status_code
        assert 200 == (await client.get("v1/units?format=geojson", headers={"If-None-Match": tag})).status_code
        one = await client.get(f"v1/units/{CAR}")
        again = await client.get(f"v1/units/{CAR}", headers={"If-None-Match": one.headers["etag"]})
        assert 304 == again.status_code
        async with httpx.AsyncClient(base_url=app.address) as control:
            body = {"code": "8", "by": "op 7", "reason": "said so"}
            answer = await control.post(f"v1/units/{CAR}/status", json=body)
            assert answer.status_code < 300, answer.text

        async def changed() -> bool:
            return 200 == (await client.get("v1/units", headers={"If-None-Match": tag})).status_code

        assert await changed()

    ask(tmp_path, shared_mosquitto, asking, agreement())


def test_a_tag_does_not_count_ages() -> None:
    """Two views of one unit that differ in nothing but ages have one tag; with another status another."""
    record = PartnerRecord(
        unit="u", callsign="U", organisation="o", service="fire", type="pump", grants=("link",), agreements=(),
        as_of=NOON, link="fresh", link_s=1.0,
    )  # fmt: skip
    older = PartnerRecord(
        unit="u", callsign="U", organisation="o", service="fire", type="pump", grants=("link",), agreements=(),
        as_of=NOON, link="fresh", link_s=9.0,
    )  # fmt: skip
    late = PartnerRecord(
        unit="u", callsign="U", organisation="o", service="fire", type="pump", grants=("link",), agreements=(),
        as_of=NOON, link="late", link_s=9.0,
    )  # fmt: skip
    assert tag_of([record], "json") == tag_of([older], "json")
    assert len({tag_of([record], "json"), tag_of([late], "json"), tag_of([record], "eido"), tag_of([], "json")}) == 4


def test_formats(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """`format` or `Accept` chooses JSON, GeoJSON or EIDO; the control room's own list has the same."""

    async def asking(app: App, client: httpx.AsyncClient) -> None:
        async with httpx.AsyncClient(base_url=app.address) as control:
            for each in (client, control):
                for query, accept, media_type in (
                    ("", "*/*", "application/json"),
                    ("format=geojson", "*/*", "application/geo+json"),
                    ("", "application/geo+json", "application/geo+json"),
                    ("", "application/eido+json;q=0.9", "application/eido+json"),
                    ("format=eido", "application/geo+json", "application/eido+json"),
                    ("", "application/geo+json, application/json", "application/json"),
                ):
                    answer = await each.get(f"v1/units?{query}", headers={"Accept": accept})
                    assert (200, media_type) == (answer.status_code, answer.headers["content-type"])
                features = (await each.get("v1/units?format=geojson&type=response car")).json()["features"]
                assert [CAR] == [one["id"] for one in features]
                assert 422 == (await each.get("v1/units?format=xml")).status_code
            whole = (await control.get("v1/units")).json()
            assert {CAR, PUMP, VAN, COVERT} == {one["unit"] for one in whole["units"]}
            assert "ages" in whole["units"][0]
            assert ([PUMP, CAR], CAR) == (
                await units_of(control, "limit=2"), (await control.get("v1/units?limit=2")).json()["next_after"],
            )  # fmt: skip
            tag = (await control.get("v1/units")).headers["etag"]
            assert 304 == (await control.get("v1/units", headers={"If-None-Match": tag})).status_code

    ask(tmp_path, shared_mosquitto, asking, agreement())


def test_hidden_unknown_and_not_agreed_are_answered_alike(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Byte for byte and header for header: a covert unit, one off duty, one not agreed and none at all."""

    async def asking(app: App, client: httpx.AsyncClient) -> None:
        paths = [
            f"v1/units/{unit}{rest}"
            for unit in (COVERT, VAN, "nobody", "x" * 300, "KP-12", CAR)
            for rest in ("", "/track")
        ]
        async with httpx.AsyncClient(base_url=app.address) as control:
            body = {"code": "11", "by": "op 7", "reason": "went home"}
            assert (await control.post(f"v1/units/{CAR}/status", json=body)).status_code < 300
        answers = [said(await client.get(path)) for path in paths]
        assert [404] * len(paths) == [status for status, _, _ in answers]
        assert [answers[0]] * len(paths) == answers

        async def gone() -> bool:
            return [PUMP] == await units_of(client)

        assert await gone()

    ask(tmp_path, shared_mosquitto, asking, agreement(covers={"types": ["response car", "surveillance"]}))


def test_what_a_partner_reads_is_logged(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Whoever lists units, asks for one, looks at its past or follows the feed is in the log of who saw it."""

    async def asking(app: App, client: httpx.AsyncClient) -> None:
        async with httpx.AsyncClient(base_url=app.address) as control:
            await control.get(f"v1/partners/{FIRE}/units")

            async def ways() -> set[str]:
                seen = (await control.get(f"v1/units/{CAR}/seen")).json()["seen"]
                return {f"{one['partner']} {one['way']}" for one in seen}

            assert set() == await ways()
            await client.get("v1/units?type=van")
            assert set() == await ways()
            await client.get("v1/units")
            assert {f"{FIRE} query"} == await ways()
            await client.get(f"v1/units/{CAR}/track")
            assert {f"{FIRE} query", f"{FIRE} history"} == await ways()

    ask(tmp_path, shared_mosquitto, asking, agreement())


def test_control_sees_exactly_what_a_partner_gets(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The owner's look at a partner's view has the same units with the same fields, and says why others are hidden."""

    async def asking(app: App, client: httpx.AsyncClient) -> None:
        async with httpx.AsyncClient(base_url=app.address) as control:
            theirs, ours = await client.get("v1/units"), await control.get(f"v1/partners/{FIRE}/units")
            assert theirs.headers["etag"] == ours.headers["etag"]
            assert [set(one) for one in theirs.json()["units"]] == [set(one) for one in ours.json()["units"]]
            partners = (await control.get("v1/partners")).json()["partners"]
            assert [(FIRE, 3, 2, 0), (POLICE, 3, 0, 0)] == [
                (one["partner"], one["units"], one["others"], one["streams"]) for one in partners
            ]
            sharing = (await control.get(f"v1/units/{COVERT}/sharing")).json()
            assert [(FIRE, False)] == [(one["partner"], one["visible"]) for one in sharing["partners"]]
            sharing = (await control.get(f"v1/units/{CAR}/sharing")).json()
            assert [("a1", True)] == [(one["id"], one["opens"]) for one in sharing["partners"][0]["agreements"]]
            for path in ("v1/partners/nobody/units", "v1/partners/nobody/feed", "v1/units/nobody/sharing"):
                assert 404 == (await control.get(path)).status_code

    ask(tmp_path, shared_mosquitto, asking, agreement())
