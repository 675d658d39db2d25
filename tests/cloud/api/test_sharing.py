"""Sharing over HTTP: what is decided there is what partners see from the next tick on, and what was seen is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from cloud.app import App
from tests.brokers import RunningBroker
from tests.cloud.desk.sharing_lab import LOAN, SHARING_COUNTY
from tests.site import following, running_site
from tests.waiting import eventually

WHY = {"by": "A. Smith", "reason": "under review"}
SEEN_WITHIN_S = 5.0
"""How soon whoever reads loses what is withdrawn (the sharing rules)."""
AMBULANCE = """
[[partner]]
organisation = "ka"
mqtt = true
token_sha256 = "2ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"
"""


@contextlib.asynccontextmanager
async def sharing_site(folder: Path, broker: RunningBroker) -> AsyncIterator[tuple[App, httpx.AsyncClient]]:
    """The application with a county that shares, and a client of this room: run it twice and it goes on."""
    directory = folder / "directory"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "county.toml").write_text(SHARING_COUNTY + AMBULANCE, encoding="utf-8")
    async with running_site(folder / "data", broker_port=broker.port, directory=directory) as app:
        async with httpx.AsyncClient(base_url=app.address, timeout=20) as client:
            yield app, client


async def post(client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int = 200) -> Any:
    """Decide something."""
    answer = await client.post(path, json=body)
    assert status == answer.status_code, answer.text
    return answer.json()


async def get(client: httpx.AsyncClient, path: str) -> Any:
    """Read something."""
    answer = await client.get(path)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def sees(app: App, partner: str, *units: str) -> None:
    """Wait until a partner sees these units of the fire service, and no other."""
    assert app.site is not None
    views = app.site.partners.views
    await eventually(
        lambda: set(units) == {unit for unit in views.seen_by(partner) if unit.startswith("kf-")},
        what=f"{partner} to see {units}",
        deadline_s=SEEN_WITHIN_S,
    )


def word(verb: str, sender: str, expects: int, **changes: Any) -> dict[str, Any]:
    """What one of police and fire says to the other about a loan."""
    to = "kf" if sender == "kp" else "kp"
    fields = {"loan": LOAN, "message": f"{verb}-{expects}", "verb": verb, "from": sender, "to": to, "expects": expects}
    return fields | WHY | changes


def test_a_withdrawal_ends_what_a_partner_sees(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Within seconds, over a start too, until it is restored; and the list of agreements says who and why."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto) as (app, client):
            await sees(app, "kp", "kf-1", "kf-2")
            found = await post(client, "v1/agreements/fire-to-police/withdraw", WHY)
            assert ("withdrawn", "A. Smith", "under review") == (
                found["state"], found["withdrawn_by"], found["reason"],
            )  # fmt: skip
            await sees(app, "kp")
        async with sharing_site(tmp_path, shared_mosquitto) as (app, client):
            await sees(app, "kp")
            assert [found] == [
                one for one in (await get(client, "v1/agreements"))["agreements"] if one["state"] == "withdrawn"
            ]
            await post(client, "v1/agreements/fire-to-police/restore", WHY)
            await sees(app, "kp", "kf-1", "kf-2")
            assert "no agreement" in (await post(client, "v1/agreements/none/withdraw", WHY, 404))["problem"]

    asyncio.run(scenario())


def test_a_major_incident_opens_what_waits_for_it(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Declared, the agreement that names it opens; ended, it waits again; what was published meanwhile is logged."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto) as (app, client):
            await sees(app, "ka")
            found = await post(client, "v1/major-incidents", WHY | {"name": "river flood"})
            assert ["flood-plan"] == found["agreements"]
            await sees(app, "ka", "kf-1", "kf-2")
            assert [found] == (await get(client, "v1/major-incidents"))["major_incidents"]
            await post(client, "v1/major-incidents/river%20flood/end", WHY)
            await sees(app, "ka")
            (published,) = (await get(client, "v1/units/kf-1/seen"))["seen"]
            assert ("ka", "mqtt", ["flood-plan"]) == (published["partner"], published["way"], published["agreements"])
            assert published["until"] is not None
            await post(client, "v1/major-incidents/river%20flood/end", WHY, 404)
            await post(client, "v1/major-incidents", WHY | {"name": "M20/A249 pile-up"})
            await post(client, "v1/major-incidents/M20%2FA249%20pile-up/end", WHY)
            assert [] == (await get(client, "v1/major-incidents"))["major_incidents"]

    asyncio.run(scenario())


def test_emergency_access_is_announced_on_the_boards(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """It opens all but what is hidden, its alarm stays until somebody has seen it, and its owner can end it."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto) as (app, client), following(app) as feed:
            asked = WHY | {"owner": "kf", "partner": "ka", "minutes": 30}
            found = await post(client, "v1/emergency-access", asked)
            await sees(app, "ka", "kf-1", "kf-2")
            alarm = f"access.{found['access']}"
            await eventually(lambda: alarm in feed.alarms, what="the announcement")
            shown = feed.alarms[alarm]
            assert shown.active and "Weald Ambulance opened emergency access to all units of Weald Fire" in shown.text
            await post(client, f"v1/emergency-access/{found['access']}/end", WHY | {"organisation": "kp"}, 404)
            await post(client, f"v1/emergency-access/{found['access']}/end", WHY | {"organisation": "kf"})
            await sees(app, "ka")
            assert [False] == [one["active"] for one in (await get(client, "v1/emergency-access"))["accesses"]]
            await eventually(lambda: feed.alarms[alarm].cleared_at is not None, what="its end on the feed")
            assert feed.alarms[alarm].active
            await post(client, f"v1/alarms/{alarm}/acknowledge", {"by": "op 7"})
            await eventually(lambda: not feed.alarms[alarm].active, what="the alarm to go")

    asyncio.run(scenario())


def test_a_loan_opens_its_units_while_it_lasts(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Requested, offered, committed, released, returned: seen from the commit to the release; a third reads nothing."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto) as (app, client):
            await post(client, "v1/agreements/fire-to-police/withdraw", WHY)
            await sees(app, "kp")
            await post(client, "v1/loans", word("request", "kp", 0, units=[], type="ladder", count=1))
            await post(client, "v1/loans", word("offer", "kf", 1, units=["kf-2"]))
            await sees(app, "kp")
            await post(client, "v1/loans", word("commit", "kp", 2))
            await sees(app, "kp", "kf-2")
            stale = await post(client, "v1/loans", word("return", "kf", 2), 409)
            assert "version 3" in stale["problem"]
            await post(client, "v1/loans", word("release", "kp", 3))
            await sees(app, "kp")
            loan = await post(client, "v1/loans", word("return", "kf", 4))
            assert "returned" == loan["state"] == (await get(client, f"v1/loans/{LOAN}"))["state"]
            assert [loan] == (await get(client, "v1/loans?organisation=kp"))["loans"]
            assert [] == (await get(client, "v1/loans?organisation=ka"))["loans"]
            assert 404 == (await client.get(f"v1/loans/{LOAN}?organisation=ka")).status_code

    asyncio.run(scenario())


def test_a_cover_is_shown_with_the_rooms(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The covering room has the other's organisations and areas beside its own; every hand-over is in its history."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto) as (_, client):
            taken = await post(client, "v1/covers/north-by-south/take-over", WHY | {"why": "failure"})
            assert "taken_over" == taken["state"]
            rooms = {one["control_room"]: one for one in (await get(client, "v1/control-rooms"))["control_rooms"]}
            (covering,) = rooms["south"]["covering"]
            assert ("north", ["kp", "kf"], "failure") == (
                covering["control_room"], covering["organisations"], covering["why"],
            )  # fmt: skip
            assert (["ka"], ["south"]) == (rooms["south"]["organisations"], rooms["north"]["covered_by"])
            await post(client, "v1/covers/north-by-south/take-over", WHY | {"why": "overflow"}, 422)
            await post(client, "v1/covers/south-by-north/hand-back", WHY)
            await post(client, "v1/covers/no-such/hand-back", WHY, 404)
            await post(client, "v1/covers/north-by-south/hand-back", WHY)
            (history,) = [
                one["history"] for one in (await get(client, "v1/covers"))["covers"] if one["cover"] == "north-by-south"
            ]
            assert [False, True] == [one["taken"] for one in history]

    asyncio.run(scenario())


def test_who_saw_a_unit_is_told(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """What a listener of a partner saw, from when until when and by which agreement; in pages; a withdrawal ends it."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto) as (app, client):
            await sees(app, "kp", "kf-1", "kf-2")
            assert app.site is not None
            site = app.site
            site.reads.arrive("kp", site.partners.views.seen_by("kp"), way="feed", now=site.moment().utc)
            (one,) = (await get(client, "v1/units/kf-1/seen"))["seen"]
            assert ("kp", "feed", ["fire-to-police"], None) == (
                one["partner"], one["way"], one["agreements"], one["until"],
            )  # fmt: skip
            await post(client, "v1/agreements/fire-to-police/withdraw", WHY)
            await sees(app, "kp")
            found = await get(client, "v1/units/kf-1/seen?limit=1")
            assert found["seen"][0]["until"] is not None and found["next_before"] is None
            await post(client, "v1/agreements/fire-to-police/restore", WHY)
            await sees(app, "kp", "kf-1", "kf-2")
            newest = await get(client, "v1/units/kf-1/seen?limit=1")
            assert newest["seen"][0]["until"] is None
            older = await get(client, f"v1/units/kf-1/seen?limit=1&before={newest['next_before']}")
            assert older["seen"] == found["seen"]
            assert [] == (await get(client, "v1/units/kp-12/seen"))["seen"]
            assert 404 == (await client.get("v1/units/nobody/seen")).status_code
            assert 422 == (await client.get("v1/units/kf-1/seen?since=2026-11-01T12:00:00")).status_code

    asyncio.run(scenario())


ANSWERED = ("v1/agreements", "v1/major-incidents", "v1/emergency-access", "v1/loans", "v1/covers", "v1/control-rooms")


def test_what_is_answered_is_what_is_described(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Every list of these routes, with something in it, is valid by the schema that the document gives."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto) as (_, client):
            await post(client, "v1/major-incidents", WHY | {"name": "river flood"})
            await post(client, "v1/emergency-access", WHY | {"owner": "kf", "partner": "ka"})
            await post(client, "v1/loans", word("offer", "kf", 0, units=["kf-1"]))
            await post(client, "v1/covers/north-by-south/take-over", WHY | {"why": "planned"})
            document = await get(client, "openapi.json")
            registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))
            for path in (*ANSWERED, "v1/units/kf-1/seen", f"v1/loans/{LOAN}"):
                route = f"/{path}".replace("kf-1", "{unit}").replace(LOAN, "{loan}")
                described = document["paths"][route]["get"]["responses"]["200"]
                reference = described["content"]["application/json"]["schema"]["$ref"]
                validator = Draft202012Validator({"$ref": f"urn:api{reference}"}, registry=registry)
                body = await get(client, path)
                assert [] == [error.message for error in validator.iter_errors(body)], path
                assert [] != list(validator.iter_errors({})), path

    asyncio.run(scenario())


TOO_LITTLE: list[tuple[str, dict[str, Any]]] = [
    ("v1/agreements/fire-to-police/withdraw", {"by": "A. Smith", "reason": " "}),
    ("v1/agreements/fire-to-police/withdraw", {"reason": "x"}),
    ("v1/major-incidents", WHY | {"name": ""}),
    ("v1/emergency-access", WHY | {"owner": "kf", "partner": "ka", "minutes": 241}),
    ("v1/emergency-access", WHY | {"owner": "kf", "partner": "kf"}),
    ("v1/loans", {"verb": "request"}),
    ("v1/covers/north-by-south/take-over", WHY),
]


def test_what_says_too_little_is_refused(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A decision wants a name, a reason and what it is about: otherwise it is told why, and nothing is decided."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto) as (app, client):
            for path, body in TOO_LITTLE:
                assert (await post(client, path, body, 422))["problem"], path
            assert app.site is not None and [] == app.site.ledger.decisions()

    asyncio.run(scenario())
