"""A command and control system beside Watchroom over HTTP: the whole application, and a crew's device."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.api import cad as cad_api
from cloud.app import App
from cloud.clock import SystemClock
from cloud.ledger import opening
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import speaking
from tests.cloud.cad_lab import OTHER, UNIT, cad_client, cad_site, county_text, said, say, told
from tests.cloud.ledger.samples import url_of

Beside = tuple[App, httpx.AsyncClient, httpx.AsyncClient]
ORDER = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a0c0de"


@contextlib.asynccontextmanager
async def beside(folder: Path, broker: RunningBroker, text: str = "") -> AsyncIterator[Beside]:
    """The application, the CAD's client, and the control room's own."""
    async with cad_site(folder, broker, text) as app, cad_client(app) as cad:
        async with httpx.AsyncClient(base_url=app.address, timeout=20) as room:
            yield app, cad, room


async def record_of(room: httpx.AsyncClient, unit: str = UNIT) -> Any:
    """What the board shows of a unit."""
    return (await room.get(f"v1/units/{unit}")).json()


async def news_of(cad: httpx.AsyncClient, after: int, field: str = "status") -> Any:
    """The first message after a number that tells of this, once it is there."""
    while True:
        page = await told(cad, after, wait=10)
        assert page["messages"], f"nothing was told of {field}"
        for one in page["messages"]:
            after = one["seq"]
            if one["kind"] == "unit" and field in one["changed"]:
                return one


async def versions(cad: httpx.AsyncClient) -> Any:
    """The versions of the unit, as the CAD looks them up."""
    return (await cad.get("v1/cad/kp/units")).json()["units"][0]["versions"]


def test_what_it_says_stands_is_shown_and_outlives_a_restart(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Status, assignment and crew are on the board with who said so, and as they were after the next start."""

    async def scenario() -> None:
        async with beside(tmp_path, shared_mosquitto) as (_, cad, room):
            answers = [
                await say(cad, said("status", code="2", by="J Shah", remarks="radio")),
                await say(cad, said("assignment", order="I-77", incident="RTC", version=0)),
                await say(cad, said("crew", on=True, riders=2, persons=[{"ref": "a1", "skills": ["driver"]}])),
            ]
            assert [(201, "taken", 1)] * 3 == [
                (one.status_code, one.json()["outcome"], one.json()["version"]) for one in answers
            ], [one.text for one in answers]
            before = await record_of(room)
            assert ("2", "radio", "RTC", 2) == (
                before["status"]["code"],
                before["status"]["by"],
                before["assignment"]["incident"],
                before["crew"]["riders"],
            )
            event = (await room.get(f"v1/units/{UNIT}/events")).json()["events"][1]
            assert ("J Shah", "radio") == (event["event"]["operator"], event["event"]["remarks"])
            newest = (await told(cad))["newest"]
        async with beside(tmp_path, shared_mosquitto) as (_, cad, room):
            after = await record_of(room)
            for field in ("status", "assignment", "crew"):
                assert before[field] == after[field]
            assert {"status": 1, "assignment": 1, "crew": 1} == await versions(cad)
            await told(cad, newest, wait=0.5)
            assert [] == [one for one in (await told(cad, newest))["messages"] if "status" in one["changed"]]

    asyncio.run(scenario())


def test_the_same_message_again_changes_nothing(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """It is known, also to the next process; another message under its id is refused."""

    async def scenario() -> None:
        message = said("status", code="2")
        for start in (1, 2):
            async with beside(tmp_path, shared_mosquitto) as (_, cad, room):
                if start == 1:
                    assert 201 == (await say(cad, message)).status_code
                again = await say(cad, message)
                assert (200, "known", "repeated", 1) == (again.status_code, *_short(again))
                other = await say(cad, message | {"code": "8"})
                assert (409, "refused", "differs") == (other.status_code, *_short(other)[:2])
                assert 1 == len((await room.get(f"v1/units/{UNIT}/events")).json()["events"])

    asyncio.run(scenario())


def _short(answer: httpx.Response) -> tuple[str, str, int | None]:
    body = answer.json()
    return body["outcome"], body["why"], body["version"]


def test_what_cannot_be_taken_is_refused_and_says_why(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Each with its word and a line that says what would be right; nothing is stored, and each is counted."""

    async def scenario() -> None:
        async with beside(tmp_path, shared_mosquitto) as (app, cad, room):
            now = SystemClock().now()
            early, late = (now + timedelta(minutes=1)).isoformat(), (now - timedelta(hours=25)).isoformat()
            refused: list[tuple[int, str, str, dict[str, Any]]] = [
                (404, "no_such_unit", "none that you may speak for", said("status", code="2", unit="kp-99")),
                (404, "no_such_unit", "none that you may speak for", said("status", code="2", unit=OTHER)),
                (404, "no_such_unit", "none", said("assignment", order="I-1", version=0, unit=OTHER)),
                (404, "no_such_unit", "none", said("crew", on=False, unit=OTHER)),
                (422, "unknown_code", "one of 1, 2, 3", said("status", code="99")),
                (422, "bad_time", "in the future", said("status", code="2", at=early)),
                (422, "bad_time", "more than a day ago", said("crew", on=True, at=late)),
                (422, "not_understood", "timezone", said("status", code="2", at="2026-11-01T12:00:00")),
                (422, "not_understood", "verison", said("status", code="2", verison=3)),
                (422, "not_understood", "version", said("assignment", order="I-1")),
                (409, "moved", "no order", said("assignment", order="I-1", version=4)),
                (409, "moved", "look again", said("status", code="2", version=4)),
            ]
            for status, why, advice, message in refused:
                answer = await say(cad, message)
                assert (status, "refused", why) == (answer.status_code, *_short(answer)[:2]), answer.text
                assert advice in answer.json()["text"], answer.text
            long = await say(cad, said("status", code="2", remarks="x" * 17_000))
            assert (413, "too_large") == (long.status_code, _short(long)[1])
            swapped = await cad.put("v1/cad/kp/messages/elsewhere", json=said("status", code="2"))
            assert (422, "not_understood") == (swapped.status_code, _short(swapped)[1])
            plain = await cad.put("v1/cad/kp/messages/m", content=b"{}")
            assert 415 == plain.status_code
            assert [] == (await room.get(f"v1/units/{UNIT}/events")).json()["events"]
            assert app.site is not None
            assert 4 == app.site.cad.inbox.counts[("kp", "refused", "no_such_unit")]

    asyncio.run(scenario())


def test_only_its_master_has_the_word(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Field by field: what Watchroom is the master of is refused to the CAD, and the other way round."""

    async def scenario() -> None:
        async with beside(tmp_path, shared_mosquitto) as (app, _cad, room), cad_client(app, "kf") as fire:
            for message in (said("status", code="2", unit=OTHER), said("crew", on=True, unit=OTHER)):
                answer = await say(fire, message, "kf")
                assert (409, "refused", "not_master") == (answer.status_code, *_short(answer)[:2])
                assert "masters." in answer.json()["text"]
            taken = await say(fire, said("assignment", order="F-1", version=0, unit=OTHER), "kf")
            assert 201 == taken.status_code
            word = {"code": "2", "by": "op 7", "reason": "by radio"}
            assert 409 == (await room.post(f"v1/units/{UNIT}/status", json=word)).status_code
            order = {"base": "stn-14", "units": [UNIT], "by": "op 7"}
            given = await room.put(f"v1/orders/{ORDER}", json=order)
            assert 422 == given.status_code and "masters.assignment" in given.text

    asyncio.run(scenario())


def test_it_is_told_what_others_say_and_not_what_it_said(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A crew's press comes with who said it; the CAD's own words never come, and its version counts them."""

    async def scenario() -> None:
        async with beside(tmp_path, shared_mosquitto) as (_, cad, room), speaking(shared_mosquitto) as device:
            first = (await told(cad, 0, wait=5))["newest"]
            await device.announce()
            await device.prove()
            await say(cad, said("status", code="2"))
            await device.press("8", at=SystemClock().now(), clock="gnss")
            await device.settled()
            news = await news_of(cad, first)
            assert ("8", "panel", "veh-2", "watchroom") == (
                news["status"]["code"],
                news["status"]["by"],
                news["status"]["device"],
                news["status"]["origin"],
            )
            assert (UNIT, "watchroom", 2) == (news["unit"], news["origin"], news["versions"]["status"])
            echoes = [
                await cad.put(f"v1/cad/kp/messages/{news['id']}", json=news),
                await say(cad, said("status", code="2", origin="watchroom")),
                await say(cad, said("status", code="2", id="wr.1")),
                await say(cad, said("status", code="8")),
            ]
            assert [("known", "echo")] * 3 + [("known", "stands")] == [_short(one)[:2] for one in echoes]
            assert "8" == (await record_of(room))["status"]["code"]
            stale = await say(cad, said("status", code="2", version=1))
            assert ("refused", "moved", 2) == _short(stale)
            newest = (await told(cad))["newest"]
            before = (SystemClock().now() - timedelta(minutes=1)).isoformat()
            assert ("refused", "late", 2) == _short(await say(cad, said("status", code="2", at=before)))
            assert ("taken", "", 3) == _short(await say(cad, said("status", code="2", version=2)))
            page = await told(cad, newest, wait=0.5)
            assert [] == [one for one in page["messages"] if "status" in one["changed"]]

    asyncio.run(scenario())


def test_its_stream_has_no_gap_and_outlives_a_restart(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Numbers go on where they stopped; what came while the CAD was away is there, also as an event stream."""

    async def scenario() -> None:
        async with beside(tmp_path, shared_mosquitto) as (_, cad, _room), speaking(shared_mosquitto) as device:
            for code in ("2", "8", "2"):
                await device.press(code)
                await device.settled()
                seen = (await told(cad))["newest"]
                await eventually_told(cad, seen)
            first = (await told(cad))["messages"]
        async with beside(tmp_path, shared_mosquitto) as (_, cad, _room):
            page = await told(cad, 0, wait=5)
            numbers = [one["seq"] for one in page["messages"]]
            assert first == page["messages"][: len(first)]
            assert list(range(1, len(numbers) + 1)) == numbers and 0 == page["missed"]
            headers = {"Accept": "text/event-stream", "Last-Event-ID": "1"}
            async with cad.stream("GET", "v1/cad/kp/messages", headers=headers) as stream:
                lines = stream.aiter_lines()
                got = [await anext(lines) for _ in range(3)]
            assert ["id: 2", "event: unit"] == got[:2]
            assert page["messages"][1] == json.loads(got[2].removeprefix("data: "))

    asyncio.run(scenario())


async def eventually_told(cad: httpx.AsyncClient, seen: int) -> None:
    """Wait a moment for what the press before brings."""
    await told(cad, seen, wait=1)


def test_it_is_told_of_our_orders_with_its_own_units_only(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """An order of the control room that calls units of two services comes to each CAD with its own unit."""

    async def scenario() -> None:
        text = county_text(police='name = "Weald Police"\nservice = "police"\n').replace('assignment = "cad"', "")
        async with beside(tmp_path, shared_mosquitto, text) as (_, cad, room):
            seen = (await told(cad, 0, wait=5))["newest"]
            order = {"base": "stn-14", "units": [UNIT, OTHER], "by": "op 7", "incident": "RTC"}
            assert 201 == (await room.put(f"v1/orders/{ORDER}", json=order)).status_code
            unit = await news_of(cad, seen, "assignment")
            page = await told(cad, seen)
            (news,) = [one for one in page["messages"] if one["kind"] == "order"][:1]
            assert ("mobilise", [UNIT], True) == (
                news["order_kind"],
                [one["unit"] for one in news["units"]],
                news["active"],
            )
            assert (ORDER, "watchroom", 1) == (
                unit["assignment"]["order"],
                unit["assignment"]["origin"],
                unit["versions"]["assignment"],
            )

    asyncio.run(scenario())


def test_nobody_else_learns_anything(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Another organisation's token, one without a CAD, and none at all are turned away alike, whatever there is."""

    async def scenario() -> None:
        async with beside(tmp_path, shared_mosquitto) as (app, cad, _room), cad_client(app, "kf") as fire:
            paths = ("v1/cad/{}/messages", "v1/cad/{}/units")
            for path in paths:
                assert 200 == (await cad.get(path.format("kp"))).status_code
                answers = [await fire.get(path.format(name)) for name in ("kp", "nobody")]
                assert [404, 404] == [one.status_code for one in answers]
                assert answers[0].content == answers[1].content
            assert 404 == (await say(fire, said("status", code="2"))).status_code
            async with httpx.AsyncClient(base_url=app.partner_address) as nobody:
                assert 401 == (await nobody.get("v1/cad/kp/units")).status_code
        async with beside(tmp_path, shared_mosquitto, county_text(cad="false")) as (app, cad, _room):
            assert 404 == (await cad.get("v1/cad/kp/units")).status_code
            assert 404 == (await say(cad, said("status", code="2"))).status_code

    asyncio.run(scenario())


def test_a_token_that_is_withdrawn_waits_for_nothing(
    shared_mosquitto: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for the next message is turned away, and its stream ends, though it came in by that token."""

    async def scenario() -> None:
        async with beside(tmp_path, shared_mosquitto) as (app, cad, _room):
            newest, path = (await told(cad, 0, wait=5))["newest"], "v1/cad/kp/messages"
            headers = {"Accept": "text/event-stream", "Last-Event-ID": "9" * 5_000}
            waiting = asyncio.create_task(cad.get(path, params={"after": newest, "wait": 30}))
            async with cad.stream("GET", path, params={"after": newest}, headers=headers) as stream:
                assert 200 == stream.status_code
                lines = stream.aiter_lines()
                assert "event: tick" == await anext(lines)
                text = county_text().replace("cad = true", "cad = false")
                (tmp_path / "directory" / "county.toml").write_text(text, encoding="utf-8")
                app.reload()
                async with asyncio.timeout(5):
                    assert [] == [line async for line in lines if line.startswith("id:")]
                    assert 404 == (await waiting).status_code

    monkeypatch.setattr(cad_api, "LOOK_S", 0.1)
    asyncio.run(scenario())


def test_what_cannot_be_stored_is_asked_for_again(
    shared_mosquitto: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the ledger is away a message is a 503 that says so and changes nothing; afterwards it is taken."""

    async def scenario() -> None:
        async with beside(tmp_path, shared_mosquitto) as (_, cad, room):
            message = said("status", code="2")
            engine = opening.open_engine(url_of(tmp_path / "data" / "ledger.db"))
            with engine.execution_options(begin="IMMEDIATE").begin():
                answer = await say(cad, message)
                assert (503, "again", "away") == (answer.status_code, *_short(answer)[:2])
                assert None is (await record_of(room))["status"]
            engine.dispose()
            for _ in range(50):  # others write too, and wait as little here
                if (answer := await say(cad, message)).status_code != 503:
                    break
                await SystemClock().sleep(0.1)
            assert 201 == answer.status_code
            assert "2" == (await record_of(room))["status"]["code"]

    monkeypatch.setattr(opening, "_SETTINGS", opening._SETTINGS | {"busy_timeout": (50, 50)})
    asyncio.run(scenario())
