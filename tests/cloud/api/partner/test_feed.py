"""A partner's stream over HTTP, on a real site: what comes, what goes, and how soon."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from cloud.app import App
from tests.brokers import RunningBroker
from tests.cloud.api.partner.lab import (
    CAR,
    COVERT,
    FIRE,
    MORE_UNITS,
    POLICE,
    PUMP,
    TOKENS,
    VAN,
    Follower,
    agreement,
    as_partner,
    drive,
    following_as,
    sharing_site,
    write_sharing,
)
from tests.cloud.api.speaker import Speaker
from tests.cloud.dispatch.samples import ORDER
from tests.cloud.fleet.samples import COUNTY
from tests.waiting import eventually

GONE_S = 5.0
"""How soon a stream shows no more what is withdrawn."""
SECRETS = (b"SECRET-99", b"kp-99", b"surveillance")
Story = Callable[[App, Follower, Speaker], Awaitable[None]]
ROWS = (
    agreement("always", fields=["status", "position", "link"], covers={"units": [CAR, COVERT]}),
    agreement("joint", fields=["assignment", "alarms"], when="joint_incident"),
)


def tell(folder: Path, broker: RunningBroker, story: Story, *rows: str) -> None:
    """Run a story, with the fire service's system on its feed and the police car on its way."""

    async def run() -> None:
        async with sharing_site(folder, broker, *(rows or ROWS)) as app, drive(app, broker) as device:
            async with following_as(app, FIRE) as follower:
                await eventually(lambda: CAR in follower.records, what="the car")
                await story(app, follower, device)
                assert [] == [secret for secret in SECRETS if secret in follower.heard]

    asyncio.run(run())


def control(app: App) -> httpx.AsyncClient:
    """The control room."""
    return httpx.AsyncClient(base_url=app.address, timeout=20)


def test_a_withdrawal_ends_what_a_stream_shows(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """An owner's withdrawal takes its units from a partner's stream within 5 s, and the restoration gives them back."""

    async def story(app: App, follower: Follower, _device: Speaker) -> None:
        said = {"by": "op 7", "reason": "a mistake"}
        async with control(app) as client, as_partner(app, FIRE) as partner:
            assert 200 == (await client.post("v1/agreements/always/withdraw", json=said)).status_code
            assert 404 == (await partner.get(f"v1/units/{CAR}")).status_code, "not even until the next tick"
            await eventually(lambda: CAR not in follower.records, what="the car is gone", deadline_s=GONE_S)
            assert 200 == (await client.post("v1/agreements/always/restore", json=said)).status_code
            await eventually(lambda: CAR in follower.records, what="the car is back", deadline_s=GONE_S)

    tell(tmp_path, shared_mosquitto, story)


def test_a_reload_ends_what_a_stream_shows(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """An agreement that is taken away, and a unit that goes covert, leave the stream within 5 s of the reload."""

    async def story(app: App, follower: Follower, _device: Speaker) -> None:
        async def reload(county: str, *rows: str) -> None:
            write_sharing(tmp_path / "directory", *rows, county=county)
            async with control(app) as client:
                assert 200 == (await client.post("v1/directory/reload")).status_code

        covert = (COUNTY + MORE_UNITS).replace('carrier = "veh-2"\n', 'carrier = "veh-2"\ncovert = true\n', 1)
        async with as_partner(app, FIRE) as partner:
            for county, rows in ((covert, ROWS), (COUNTY + MORE_UNITS, ())):
                await reload(county, *rows)
                assert 404 == (await partner.get(f"v1/units/{CAR}")).status_code, "not even until the next tick"
                await eventually(lambda: CAR not in follower.records, what="the car is gone", deadline_s=GONE_S)
                await reload(COUNTY + MORE_UNITS, *ROWS)
                await eventually(lambda: CAR in follower.records, what="the car is back", deadline_s=GONE_S)

    tell(tmp_path, shared_mosquitto, story)


def test_a_joint_incident_opens_and_closes(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """What waits for a joint incident is there while both are on one, and no longer: the record goes back as it was."""

    async def story(app: App, follower: Follower, _device: Speaker) -> None:
        async with control(app) as client:
            body = {"base": "stn-14", "units": [CAR, PUMP], "incident": "I0417", "by": "op 7"}
            assert 201 == (await client.put(f"v1/orders/{ORDER}", json=body)).status_code

            def incident() -> object:
                return (follower.records[CAR].get("assignment") or {}).get("incident")

            await eventually(lambda: incident() == "I0417", what="the incident")
            assert ["always", "joint"] == follower.records[CAR]["agreements"]
            ended = {"by": "op 7", "reason": "over"}
            assert 200 == (await client.post(f"v1/orders/{ORDER}/cancel", json=ended)).status_code
            await eventually(lambda: "assignment" not in follower.records[CAR], what="closed", deadline_s=GONE_S)

    tell(tmp_path, shared_mosquitto, story)


def test_emergency_access_opens_and_runs_out(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A partner's own request opens all but the hidden; its end closes it; nobody else can end it, or learn of it."""

    async def story(app: App, follower: Follower, _device: Speaker) -> None:
        async with as_partner(app, FIRE) as fire:
            asked = {"owner": POLICE, "minutes": 5, "by": "watch 3", "reason": "search of the river"}
            opened = await fire.post("v1/emergency-access", json=asked)
            assert 200 == opened.status_code, opened.text
            await eventually(lambda: VAN in follower.records, what="the van", deadline_s=GONE_S)
            assert COVERT not in follower.records
            access = opened.json()["access"]
            assert [f"emergency:{access}"] == follower.records[VAN]["agreements"]
            async with as_partner(app, POLICE) as police:
                assert [access] == [
                    one["access"] for one in (await police.get("v1/emergency-access")).json()["accesses"]
                ]
                said = {"by": "duty officer", "reason": "over"}
                assert 404 == (await police.post("v1/emergency-access/nothing/end", json=said)).status_code
                assert 200 == (await police.post(f"v1/emergency-access/{access}/end", json=said)).status_code
            await eventually(lambda: VAN not in follower.records, what="the van is gone", deadline_s=GONE_S)

    tell(tmp_path, shared_mosquitto, story)


def test_a_client_that_comes_back_gets_what_it_missed(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """With the last id it saw a client gets what changed since; with any other the whole view."""

    async def story(app: App, follower: Follower, device: Speaker) -> None:
        back, headers = Follower(), {"Authorization": f"Bearer {TOKENS[FIRE]}"}
        back.records, back.last_id = dict(follower.records), follower.last_id
        await device.press("8")
        await eventually(lambda: follower.records[CAR]["status"]["code"] == "8", what="the press")
        for last_id, kind in ((back.last_id, "changes"), ("0123-1", "snapshot"), ("x", "snapshot")):
            back.last_id, back.kinds = last_id, []
            task = asyncio.create_task(back.follow(app.partner_address, headers))
            await eventually(lambda: back.kinds, what="an event")  # noqa: B023
            task.cancel()
            assert (kind, "8") == (back.kinds[0], back.records[CAR]["status"]["code"])

    tell(tmp_path, shared_mosquitto, story)


def test_owners_look_on_at_the_same_bytes(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The control room's look at a partner's stream gets the same events, and counts neither as stream nor as read."""

    async def story(app: App, follower: Follower, device: Speaker) -> None:
        heard = bytearray()

        async def look() -> None:
            async with httpx.AsyncClient(timeout=None) as client:
                async with client.stream("GET", f"{app.address}v1/partners/{FIRE}/feed") as answer:
                    async for chunk in answer.aiter_bytes():
                        heard.extend(chunk)

        task = asyncio.create_task(look())
        await eventually(lambda: b"event: snapshot" in heard, what="a snapshot")
        await device.press("8")
        await eventually(lambda: follower.records[CAR]["status"]["code"] == "8", what="the press")
        await eventually(lambda: b"event: changes" in heard, what="changes")
        changes = [event for event in bytes(heard).split(b"\n\n") if b"event: changes" in event and b'"8"' in event]
        assert changes
        assert changes[0] in follower.heard
        async with control(app) as client:
            (fire,) = [one for one in (await client.get("v1/partners")).json()["partners"] if one["partner"] == FIRE]
            assert 1 == fire["streams"]
        task.cancel()
        assert app.site is not None
        onlookers = app.site.partners.onlookers(FIRE)
        await eventually(lambda: len(onlookers) == 0, what="nobody looks on")

    tell(tmp_path, shared_mosquitto, story)


def test_a_stream_is_logged_for_as_long_as_it_lasts(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The log of who saw a unit has the partner's stream, with what it opened, and its end."""

    async def story(app: App, follower: Follower, _device: Speaker) -> None:
        async with control(app) as client:

            async def seen() -> list[dict[str, object]]:
                return list((await client.get(f"v1/units/{CAR}/seen")).json()["seen"])

            (read,) = await seen()
            assert (FIRE, "feed", ["always"], None) == tuple(
                read[key] for key in ("partner", "way", "agreements", "until")
            )
            assert [] == (await client.get(f"v1/units/{COVERT}/seen")).json()["seen"]
            assert [] == (await client.get(f"v1/units/{PUMP}/seen")).json()["seen"], "its own are its own"
            write_sharing(tmp_path / "directory")
            assert 200 == (await client.post("v1/directory/reload")).status_code
            await eventually(lambda: CAR not in follower.records, what="the car is gone")
            (read,) = await seen()
            assert read["until"] is not None

    tell(tmp_path, shared_mosquitto, story)


def test_who_does_not_read_is_let_go(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A partner's client that stops reading loses its stream, and another goes on."""

    async def story(app: App, follower: Follower, _device: Speaker) -> None:
        assert app.site is not None
        listeners = app.site.partners.listeners(FIRE)
        port = int(app.partner_address.rstrip("/").rpartition(":")[2])
        with socket.socket() as stuck:
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            stuck.connect(("127.0.0.1", port))
            stuck.sendall(
                f"GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKENS[FIRE]}\r\n\r\n".encode()
            )
            await eventually(lambda: len(listeners) == 2, what="both listen")
            big = b"event: tick\ndata: " + json.dumps({"x": "x" * 500_000}).encode() + b"\n\n"
            while listeners.let_go == 0:
                heard = len(follower.kinds)
                listeners.send(big)
                await eventually(lambda: len(follower.kinds) > heard, what="the other has read it")  # noqa: B023
        await eventually(lambda: len(listeners) == 1, what="one listens")

    tell(tmp_path, shared_mosquitto, story)
