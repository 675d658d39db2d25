"""The fleet's health over HTTP: every device, worst first, as it is asked for; for this control room alone."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cloud.api.fleethealth import TOLD_AGAIN_S, device_routes
from cloud.api.fleetviews import version_key
from cloud.api.problems import add_problems
from cloud.api.source import Site
from tests.brokers import RunningBroker
from tests.cloud.api.exposition import exposition, figures
from tests.cloud.api.heard_fleet import FULL, NO_FIX, PARTS, WELL, HeardFleet, now, with_findings, write_fleet
from tests.cloud.api.partner.lab import FIRE, agreement, as_partner, sharing_site
from tests.cloud.api.speaker import county_site, speaking
from tests.cloud.fleet.samples import birth, heartbeat
from tests.waiting import eventually
from wire import codec
from wire.findings import Finding, warn
from wire.messages import OutboxDepth

REVOKED = '[[device]]\nid = "old-1"\norganisation = "kp"\nenrolment = "O1"\nrevoked = true\n'
SPARE = '[[device]]\nid = "spare-1"\norganisation = "kp"\nenrolment = "O2"\n'


def ask(heard: HeardFleet, *asked: dict[str, Any]) -> list[Any]:
    """Ask the routes once for each, at one moment."""

    async def run(client: httpx.AsyncClient) -> list[Any]:
        return [(await client.get("v1/devices", params=one)).json() for one in asked]

    return list(with_client(heard, run))


def with_client(heard: HeardFleet, scenario: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    """Run a scenario with a client of the routes."""
    api = FastAPI()
    surveyor = heard.surveyor()
    api.include_router(device_routes(lambda: surveyor))
    add_problems(api)

    async def run() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://127.0.0.1") as client:
            return await scenario(client)

    return asyncio.run(run())


def mixed() -> HeardFleet:
    """Eight devices, each in another way."""
    heard = HeardFleet(directory=write_fleet(6, 1, REVOKED + SPARE))
    heard.hear("veh-1")
    heard.hear("veh-2", with_findings(NO_FIX))
    heard.hear("veh-3", with_findings(FULL), outbox=OutboxDepth(2, 9, 61_000), software="0.10.0")
    heard.hear("veh-4", with_findings(NO_FIX), ago_s=600)
    heard.hear("veh-5", ())
    heard.hear("spare-1")
    heard.hear("old-1", software="9.9")
    return heard


def ids(answer: Any) -> list[str]:
    """Which devices, in order."""
    return [one["device"] for one in answer["devices"]]


def test_worst_comes_first_and_all_are_added_up() -> None:
    """Failed, lost, to look after, untold, not heard, well; a revoked device that keeps silent is none."""
    (answer,) = ask(mixed(), {})
    assert ["veh-2", "veh-4", "spare-1", "veh-3", "veh-5", "stn-1", "veh-6", "veh-1"] == ids(answer)
    fleet = answer["fleet"]
    assert {"failed": 1, "lost": 1, "look": 2, "untold": 1, "never": 2, "well": 1} == fleet["standings"]
    assert (8, "0.10.0", 5) == (fleet["devices"], fleet["newest_software"], fleet["outdated"])
    assert {"ok": 3, "warn": 0, "fail": 1} == fleet["parts"]["receiver"]
    assert {"ok": 5, "warn": 2, "fail": 1} == fleet["parts"]["link"]


def test_a_device_is_told_with_where_it_is_and_how_old_its_word_is() -> None:
    """Unit, vehicle and station by the directory; the age of an old word; what waits; whether its software is old."""
    heard = mixed()
    heard.hear("stn-1", software="0.5\u202e")
    answer = ask(heard, {"limit": 1000})[0]
    devices = {one["device"]: one for one in answer["devices"]}
    lost = devices["veh-4"]
    assert ("474", [{"unit": "u-4", "callsign": "P4", "carries": True}]) == (lost["vehicle"], lost["units"])
    assert (True, True, lost["heard_at"]) == (lost["is_old"], lost["outdated"], lost["told_at"])
    assert ["link", "receiver"] == [one["check"] for one in lost["findings"]]
    full = devices["veh-3"]
    assert (2, 9, 61.0, 93) == (
        full["waiting_status"], full["waiting_track"], full["oldest_status_s"], full["disk_free_mib"]
    )  # fmt: skip
    assert ("Stn 1", False) == (devices["stn-1"]["station"], devices["stn-1"]["is_old"])
    assert "0.5\ufffd" == devices["stn-1"]["software"]
    assert [("binding", "warn")] == [(one["check"], one["level"]) for one in devices["spare-1"]["findings"]]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"organisation": "kf"}, []),
        ({"standing": "lost"}, ["veh-4"]),
        ({"freshness": "never"}, ["stn-1", "veh-6"]),
        ({"part": "receiver"}, ["veh-2", "veh-4"]),
        ({"part": "disk", "level": "warn"}, ["veh-3"]),
        ({"level": "fail"}, ["veh-2", "veh-4"]),
        ({"level": "ok"}, ["veh-5", "veh-1"]),
        ({"text": "P3"}, ["veh-3"]),
        ({"text": "kp 474"}, ["veh-4"]),
        ({"text": "0.10"}, ["veh-3"]),
        ({"text": "stn 1"}, ["spare-1", "stn-1"][1:]),
        ({"limit": 2}, ["veh-2", "veh-4"]),
        ({"limit": 2, "start": 6}, ["veh-6", "veh-1"]),
        ({"start": 8}, []),
    ],
    ids=str,
)
def test_what_is_asked_for_is_found(asked: dict[str, Any], found: list[str]) -> None:
    """By organisation, standing, link, part, level and words that all occur; a page says how many there are in all."""
    (answer,) = ask(mixed(), asked)
    assert found == ids(answer)
    assert 8 == answer["fleet"]["devices"]
    assert "limit" in asked or "start" in asked or len(found) == answer["matching"]


def test_a_query_that_makes_no_sense_is_refused() -> None:
    """A part, level or page that there is not is a problem in words."""

    async def scenario(client: httpx.AsyncClient) -> None:
        for query in ("part=engine", "level=bad", "limit=0", "start=-1", "standing=x"):
            answer = await client.get(f"v1/devices?{query}")
            assert (422, True) == (answer.status_code, query.partition("=")[0] in answer.json()["problem"]), query
        assert 404 == (await client.get("v1/devices/old-1")).status_code
        assert "veh-1" == (await client.get("v1/devices/veh-1")).json()["device"]

    with_client(mixed(), scenario)


def test_what_has_not_changed_is_not_sent_again() -> None:
    """Ages alone are nothing new; a finding, a unit bound elsewhere or a device lost is."""
    heard = mixed()

    async def scenario(client: httpx.AsyncClient) -> None:
        first = await client.get("v1/devices")
        seen = {"If-None-Match": first.headers["etag"]}
        heard.ahead_s += 2
        for device in ("veh-1", "spare-1"):
            heard.hear(device)
        assert (304, b"") == ((again := await client.get("v1/devices", headers=seen)).status_code, again.content)
        assert 200 == (await client.get("v1/devices?text=veh", headers=seen)).status_code
        heard.ahead_s += 2
        heard.hear("veh-1", with_findings(FULL))
        changed = await client.get("v1/devices", headers=seen)
        assert 200 == changed.status_code and "no-store" == changed.headers["cache-control"]
        heard.ahead_s += 2
        heard.hear("veh-1", with_findings(warn("disk", "7 MiB free", "copy off and delete what was set aside")))
        worse = await client.get("v1/devices", headers={"If-None-Match": changed.headers["etag"]})
        assert (200, changed.json()["fleet"]) == (worse.status_code, worse.json()["fleet"])
        heard.ahead_s += 60
        assert 304 != (await client.get("v1/devices", headers={"If-None-Match": worse.headers["etag"]})).status_code

    with_client(heard, scenario)


def test_moments_that_are_shown_are_never_those_of_an_older_answer() -> None:
    """A lost device that was heard later, another status that waits longest, and the passing of days are news."""
    heard = HeardFleet(directory=write_fleet(2))
    heard.hear("veh-1", ago_s=3_600)
    heard.hear("veh-2", outbox=OutboxDepth(1, 0, 600_000))

    async def scenario(client: httpx.AsyncClient) -> None:
        async def asked(tag: str, query: str = "") -> httpx.Response:
            heard.ahead_s += 2
            return await client.get(f"v1/devices?{query}", headers={"If-None-Match": tag})

        first = (await asked("")).headers["etag"]
        heard.hear("veh-1", ago_s=1_800)
        second = await asked(first)
        assert (200, "lost") == (second.status_code, second.json()["devices"][0]["standing"])
        heard.hear("veh-2", outbox=OutboxDepth(1, 0, 61_000))
        assert 200 == (await asked(second.headers["etag"])).status_code
        lost = (await asked("", "standing=lost")).headers["etag"]
        heard.ahead_s += TOLD_AGAIN_S
        heard.hear("veh-2", outbox=OutboxDepth(1, 0, 61_000))
        assert 200 == (await asked(lost, "standing=lost")).status_code

    with_client(heard, scenario)


def test_whoever_speaks_in_a_name_that_is_held_elsewhere_hides_nobody() -> None:
    """One of kf that calls itself as one of kp does stands beside it; by its name the one of the directory is told."""
    heard = HeardFleet(directory=write_fleet(1))
    heard.hear("veh-1")
    heard.troubles.note_aside(None, "wr/1/up/kf/veh-1/live", "foreign_device", now())

    async def scenario(client: httpx.AsyncClient) -> None:
        devices = (await client.get("v1/devices?text=veh-1")).json()["devices"]
        assert [("kf", "failed"), ("kp", "well")] == [(one["organisation"], one["standing"]) for one in devices]
        assert "kp" == (await client.get("v1/devices/veh-1")).json()["organisation"]

    with_client(heard, scenario)


def test_a_stranger_is_shown_while_nobody_can_flood_the_list() -> None:
    """Who speaks and is in no directory is a failed device with what to do; made-up names make room for newer ones."""
    heard = HeardFleet(directory=write_fleet(1))
    for number in range(500):
        heard.troubles.note_aside(None, f"wr/1/up/kp/x-{number}/live", "foreign_device", now())
    answer, own = ask(heard, {"standing": "failed", "limit": 1000}, {"text": "x-499"})
    assert 50 == answer["matching"] == len(answer["devices"])
    assert [(False, "binding")] == [(one["listed"], one["findings"][0]["check"]) for one in own["devices"]]
    assert own["devices"][0]["findings"][0]["last"] is not None


def test_versions_are_compared_as_people_count() -> None:
    """0.10 is newer than 0.9, a release than its candidate, and whatever has no number is oldest."""
    ordered = ["dirty", "0.9", "0.9.1", "0.10.0rc1", "0.10.0", "1.0"]
    assert ordered == sorted(reversed(ordered), key=version_key)
    assert version_key("1.0") == version_key("1.0+local")
    named = [f"watchroom-{release}" for release in ordered[1:]]
    assert named == sorted(reversed(named), key=version_key)


def test_a_look_at_many_leaves_the_loop_to_others() -> None:
    """While 1,000 devices are looked at others run in between, and whoever asks meanwhile shares the look."""
    heard = HeardFleet(directory=write_fleet(1_000))
    for device in heard.directory.devices:
        heard.hear(device, WELL)

    async def scenario() -> tuple[int, bool]:
        surveyor, turns = heard.surveyor(), 0
        looks = [asyncio.ensure_future(surveyor.survey()) for _ in range(3)]
        while not all(look.done() for look in looks):
            turns += 1
            await asyncio.sleep(0)
        return turns, looks[0].result() is looks[2].result()

    turns, is_shared = asyncio.run(scenario())
    assert turns > 4 and is_shared


def test_what_a_device_says_comes_through_the_broker(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """From the wire to the list and the figures; a refused event, a stranger and one that is revoked show.

    A birth that nothing proves to be of now is in no figure.
    """

    async def scenario() -> None:
        async with county_site(tmp_path, fresh_mosquitto) as app, speaking(fresh_mosquitto) as device:
            await device.prove()
            kept = birth(9, device="veh-1", stream="E1-a", health=[NO_FIX])
            await device.publish("wr/1/up/kf/veh-1/link", codec.encode(kept))
            own = {"device": "veh-2", "stream": device.vehicle.stream}
            said = heartbeat(9, health=[*with_findings(NO_FIX), Finding(check="my-own", level="warn")], **own)
            await device.publish("wr/1/up/kp/veh-2/live", codec.encode(said))
            await device.press("999")
            await device.publish("wr/1/up/kp/veh-77/live", codec.encode(said))
            await device.publish("wr/1/up/kp/veh-9/live", codec.encode(heartbeat(9, device="veh-9", stream="E9-a")))
            await eventually(lambda: app.site and _all_came(app.site), what="everything that was said")
            async with httpx.AsyncClient(base_url=app.address) as client:
                devices = (await client.get("v1/devices")).json()["devices"]
                found = {one["device"]: [what["check"] for what in one["findings"]] for one in devices}
                assert {"receiver", "events"} <= set(found["veh-2"])
                assert (["binding"], ["binding"]) == (found["veh-77"], found["veh-9"])
                assert 200 == (await client.get("devices")).status_code
            counted = await figures(app)
            assert (1, 0) == tuple(counted[f"watchroom_device_health {level} receiver"] for level in ("fail", "ok"))
            assert 1 == counted["watchroom_device_health warn other"]
            assert (5, 1) == (
                sum(counted[f"watchroom_device_health ok {part}"] for part in PARTS),
                counted["watchroom_devices_with_faults"],
            )
            assert "my-own" not in await exposition(app)

    asyncio.run(scenario())


def _all_came(site: Site) -> bool:
    link, troubles = site.ingest.fleet.link("veh-2"), site.ingest.acceptor.troubles
    at = site.moment().utc
    is_told = link is not None and link.vitals is not None and bool(link.vitals.health)
    is_kept = site.ingest.fleet.link("veh-1") is not None
    return (
        is_told and is_kept and bool(troubles.of("veh-2", at) and troubles.of("veh-9", at) and troubles.strangers(at))
    )


def test_no_partner_sees_a_device(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The partners' port has no such route or page, and its document names nothing that a device says of itself."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto, agreement()) as app, as_partner(app, FIRE) as client:
            for path in ("v1/devices", "v1/devices/veh-2", "devices", "console/devices.html"):
                assert 404 == (await client.get(path)).status_code, path
            document = (await client.get("openapi.json")).json()
            assert not any("devices" in path for path in document["paths"])
            text = json.dumps(document)
            assert not [name for name in ("DeviceView", "HealthFinding", "disk_free_mib", "software") if name in text]
            async with httpx.AsyncClient(base_url=app.address) as control:
                assert 200 == (await control.get("v1/devices")).status_code

    asyncio.run(scenario())
