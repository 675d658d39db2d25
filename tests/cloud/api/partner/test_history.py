"""The past over the partners' port: what was allowed then and is allowed now, and nothing of anybody else."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from cloud.app import App
from cloud.clock import SystemClock
from cloud.sharing.blur import middle
from tests.brokers import RunningBroker
from tests.cloud.api.partner.lab import (
    CAR,
    COVERT,
    FIRE,
    POLICE,
    PUMP,
    VAN,
    agreement,
    as_partner,
    drive,
    sharing_site,
    write_sharing,
)
from tests.cloud.api.speaker import Speaker
from tests.cloud.fleet.samples import COUNTY
from tests.waiting import eventually

Asking = Callable[[App, httpx.AsyncClient, Speaker], Awaitable[None]]
BLURRED = agreement("a1", fields=["status", "position", "assignment"], precision_m=500)
SAID = {"by": "op 7", "reason": "a mistake"}


def ask(folder: Path, broker: RunningBroker, asking: Asking, *rows: str) -> None:
    """Ask as the fire service, once the police car has pressed and said where it is."""

    async def run() -> None:
        async with sharing_site(folder, broker, *rows) as app, as_partner(app, FIRE) as client:
            client.timeout = httpx.Timeout(20)
            async with drive(app, broker) as device:
                await asking(app, client, device)

    asyncio.run(run())


async def track(client: httpx.AsyncClient, unit: str = CAR) -> list[Any]:
    """A unit's track, of the last hour."""
    answer = await client.get(f"v1/units/{unit}/track")
    assert 200 == answer.status_code, answer.text
    return list(answer.json()["points"])


async def replay(client: httpx.AsyncClient, at: datetime) -> dict[str, Any]:
    """What was shown at a moment, by unit."""
    answer = await client.get("v1/replay", params={"at": at.isoformat()})
    assert (200, True) == (answer.status_code, answer.json()["known"]), answer.text
    return {one["unit"]: one for one in answer.json()["units"]}


async def reload(app: App, folder: Path, *rows: str, **more: str) -> None:
    """Put another directory in force."""
    write_sharing(folder / "directory", *rows, **more)
    async with httpx.AsyncClient(base_url=app.address) as control:
        assert 200 == (await control.post("v1/directory/reload")).status_code


async def passed(app: App) -> datetime:
    """A moment at which the board showed what is known now, and that has passed."""
    assert app.site is not None
    site, begun = app.site, SystemClock().now()
    await eventually(lambda: site.partners.ticked.utc > begun, what="a tick")
    at = SystemClock().now()
    await eventually(lambda: site.partners.ticked.utc > at, what="another")
    return at


async def tracked(client: httpx.AsyncClient, unit: str = CAR) -> Any:
    """A unit's only point, once it is stored."""
    async with asyncio.timeout(10):
        while not (points := await track(client, unit)):
            await SystemClock().sleep(0.05)
    (point,) = points
    return point


def test_a_track_is_no_sharper_than_agreed(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A partner's points are blurred like its view and name no device; an owner has its own as they were."""

    async def asking(app: App, client: httpx.AsyncClient, _device: Speaker) -> None:
        point = await tracked(client)
        assert middle(51.27, 0.52, 500) == (point["position"]["lat"], point["position"]["lon"])
        assert (500, None, None) == (
            point["precision_m"], point["position"]["speed_mps"], point["position"]["heading_deg"],
        )  # fmt: skip
        assert {"at", "position", "precision_m"} == point.keys()
        async with as_partner(app, POLICE) as police:
            own = await tracked(police)
            assert (51.27, 0.52, 0) == (own["position"]["lat"], own["position"]["lon"], own["precision_m"])
        assert [] == await track(client, PUMP)
        for query in ("since=2026-01-01T00:00:00Z", "since=2026-01-01T00:00:00", "until=x", "limit=0"):
            assert 422 == (await client.get(f"v1/units/{CAR}/track?{query}")).status_code

    ask(tmp_path, shared_mosquitto, asking, BLURRED)


def test_the_past_needs_a_word_then_and_now(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """What was not agreed then is not seen now that it is; nor what was agreed then, and is withdrawn now."""

    async def asking(app: App, client: httpx.AsyncClient, _device: Speaker) -> None:
        before = await passed(app)
        assert {PUMP} == (await replay(client, before)).keys()
        await reload(app, tmp_path, BLURRED)
        after = await passed(app)
        assert {PUMP, CAR, VAN} == (await replay(client, after)).keys()
        assert {PUMP} == (await replay(client, before)).keys(), "not agreed then"
        assert [] == await track(client), "where it was before it was agreed"
        async with httpx.AsyncClient(base_url=app.address) as control:
            assert 200 == (await control.post("v1/agreements/a1/withdraw", json=SAID)).status_code
            between = await passed(app)
            assert {PUMP} == (await replay(client, after)).keys(), "withdrawn now"
            assert 404 == (await client.get(f"v1/units/{CAR}/track")).status_code
            assert 200 == (await control.post("v1/agreements/a1/restore", json=SAID)).status_code
            assert {PUMP, CAR, VAN} == (await replay(client, after)).keys()
            just_now = {"at": SystemClock().now().isoformat()}  # what is not kept yet is waited for
            waiting = asyncio.create_task(client.get("v1/replay", params=just_now))
            await SystemClock().sleep(0.05)
            assert 200 == (await control.post("v1/agreements/a1/withdraw", json=SAID)).status_code
            assert not waiting.done() and 503 == (await waiting).status_code, "withdrawn while it waited"
            assert 200 == (await control.post("v1/agreements/a1/restore", json=SAID)).status_code
        assert {PUMP} == (await replay(client, between)).keys(), "withdrawn then"

    ask(tmp_path, shared_mosquitto, asking)


def test_what_was_hidden_then_stays_hidden(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A unit that was off duty, or covert, at a moment is in no replay of it, whatever it is now; and the reverse."""

    async def asking(app: App, client: httpx.AsyncClient, device: Speaker) -> None:
        on_duty = await passed(app)
        shown = (await replay(client, on_duty))[CAR]
        assert middle(51.27, 0.52, 500) == (shown["position"]["lat"], shown["position"]["lon"])
        assert "2" == shown["status"]["code"]
        assert "link" not in shown
        await device.press("11")
        await device.settled()
        off_duty = await passed(app)
        assert CAR not in await replay(client, on_duty), "off duty now"
        await device.press("2")
        await device.settled()
        later = await passed(app)
        assert CAR not in await replay(client, off_duty), "off duty then"
        assert CAR in await replay(client, on_duty)
        text = (tmp_path / "directory" / "county.toml").read_text(encoding="utf-8")
        open_now = text.replace("covert = true\n", "")
        (tmp_path / "directory" / "county.toml").write_text(open_now, encoding="utf-8")
        async with httpx.AsyncClient(base_url=app.address) as control:
            assert 200 == (await control.post("v1/directory/reload")).status_code
        assert COVERT not in await replay(client, later), "covert then"
        assert COVERT in await replay(client, await passed(app))

    ask(tmp_path, shared_mosquitto, asking, BLURRED)


def test_where_it_was_while_it_was_covert_stays_hidden(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A car that is covert no more is seen from then on, and not where it was before: not now, and in no replay."""

    async def run() -> None:
        county = COUNTY.replace('id = "kp-12"\n', 'id = "kp-12"\ncovert = true\n')
        async with (
            sharing_site(tmp_path, shared_mosquitto, BLURRED, county=county) as app,
            as_partner(app, FIRE) as fire,
            as_partner(app, POLICE) as police,
            drive(app, shared_mosquitto),
        ):
            assert 404 == (await fire.get(f"v1/units/{CAR}")).status_code
            await reload(app, tmp_path, BLURRED, county=COUNTY)
            at = await passed(app)
            for client, is_known in ((fire, False), (police, True)):
                client.timeout = httpx.Timeout(20)
                shown = [(await client.get(f"v1/units/{CAR}")).json(), (await replay(client, at))[CAR]]
                assert [is_known] * 2 == [one["position"] is not None for one in shown]
            assert [] == await track(fire)
            async with as_partner(app, POLICE) as owner:
                await tracked(owner)  # it is stored: the next process knows it
        for _ in range(2):  # the second knows of that time only by the ledger
            async with sharing_site(tmp_path, shared_mosquitto, BLURRED, county=COUNTY) as app:
                async with as_partner(app, FIRE) as fire, as_partner(app, POLICE) as police:
                    places = [(await one.get(f"v1/units/{CAR}")).json()["position"] for one in (fire, police)]
                    assert [False, True] == [place is not None for place in places]

    asyncio.run(run())


def test_what_waits_for_an_incident_opens_no_past(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A unit seen by emergency access alone, or by a joint incident, has no past for its partner: an empty track."""

    async def asking(app: App, client: httpx.AsyncClient, _device: Speaker) -> None:
        body = {"owner": POLICE, "minutes": 5, "by": "watch 3", "reason": "search"}
        assert 200 == (await client.post("v1/emergency-access", json=body)).status_code
        at = await passed(app)
        async with as_partner(app, POLICE) as police:
            await tracked(police)
        assert 200 == (await client.get(f"v1/units/{CAR}")).status_code
        assert [] == await track(client)
        assert {PUMP} == (await replay(client, at)).keys()

    ask(tmp_path, shared_mosquitto, asking)


def test_delays_hold_in_the_past(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A position that is held back now is in no track and no replay of a moment that has not waited long enough."""

    async def asking(app: App, client: httpx.AsyncClient, _device: Speaker) -> None:
        assert [] == await track(client)
        shown = (await replay(client, await passed(app)))[CAR]
        assert "position" not in shown
        assert "status" in shown

    ask(tmp_path, shared_mosquitto, asking, agreement("a1", fields=["status", "position"], delay_s=3_600))


def test_figures_agreements_and_loans_are_its_own(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Figures of its own organisation alone; agreements and loans that it is a side of; a message only as itself."""

    async def asking(app: App, client: httpx.AsyncClient, _device: Speaker) -> None:
        figures = (await client.get("v1/statistics?scope=organisation&id=kp")).json()
        assert ("organisation", FIRE) == (figures["scope"], figures["id"])
        assert b"kp" not in (await client.get("v1/statistics?id=kp", headers={"Accept": "text/csv"})).content
        listed = (await client.get("v1/agreements")).json()["agreements"]
        assert [("a1", "partner", "in_force")] == [(one["agreement"], one["role"], one["state"]) for one in listed]
        assert COVERT not in (await client.get("v1/agreements")).text
        async with as_partner(app, POLICE) as police:
            assert ["owner", "owner"] == [
                one["role"] for one in (await police.get("v1/agreements")).json()["agreements"]
            ]
        loan = "00000000-0000-4000-8000-000000000001"
        wish = {"loan": loan, "message": "m1", "verb": "request", "from": FIRE, "to": POLICE, "units": [VAN],
                "reason": "flood", "by": "watch 3", "expects": 0}  # fmt: skip
        assert 403 == (await client.post("v1/loans", json=wish | {"from": POLICE, "to": FIRE})).status_code
        assert 200 == (await client.post("v1/loans", json=wish)).status_code
        assert [loan] == [one["loan"] for one in (await client.get("v1/loans")).json()["loans"]]
        assert 200 == (await client.get(f"v1/loans/{loan}")).status_code
        assert 404 == (await client.get("v1/loans/00000000-0000-4000-8000-000000000002")).status_code
        assert "uk-police-state" in (await client.get("v1/schemes")).json()["schemes"]
        assert 200 == (await client.get("v1/schemes/uk-police-state")).status_code
        assert 404 == (await client.get("v1/schemes/none")).status_code

    third = '[[organisation]]\nid = "ka"\nname = "Weald Ambulance"\nservice = "ambulance"\n'
    own = agreement("a1", fields=["status"], covers={"units": [CAR, COVERT]})
    ask(tmp_path, shared_mosquitto, asking, third, own, agreement("a2", partner="ka"))
