"""Control's own word over HTTP, with the application on a real broker and the unit's own device listening."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from cloud.app import App
from cloud.clock import SystemClock
from cloud.directory.rows import Masters
from cloud.ledger import opening
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import UNIT, county_site, speaking
from tests.cloud.api.test_units import on_a_site
from tests.cloud.ledger.samples import url_of
from tests.site import following
from tests.waiting import eventually

PATH = f"v1/units/{UNIT}/status"
BOTH_HERE_S = 0.3
"""Within it a second request has certainly come."""
WORD: dict[str, Any] = {"code": "8", "by": "op 7", "reason": "by radio"}


async def say(client: httpx.AsyncClient, key: str | None = None, path: str = PATH, **changes: Any) -> httpx.Response:
    """Enter a status at control."""
    return await client.post(path, json=WORD | changes, headers={} if key is None else {"Idempotency-Key": key})


async def events(client: httpx.AsyncClient) -> list[Any]:
    """The unit's events, newest first."""
    found: list[Any] = (await client.get(f"v1/units/{UNIT}/events")).json()["events"]
    return found


def test_a_word_stands_is_shown_and_is_told_to_the_crew(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """It is in the unit's events and on the feed with who said it, and the vehicle's panel is told that code."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, speaking(shared_mosquitto) as device:
            async with httpx.AsyncClient(base_url=app.address, timeout=20) as client, following(app) as feed:
                await device.press("2")
                await device.settled()
                answer = await say(client)
                assert 201 == answer.status_code, answer.text
                said = answer.json()
                assert ("control", "op 7", "by radio") == (
                    said["device"],
                    said["event"]["operator"],
                    said["event"]["remarks"],
                )
                newest, before = await events(client)
                assert (said, "veh-2") == (newest, before["device"])
                record = (await client.get(f"v1/units/{UNIT}")).json()
                assert ("8", "radio", []) == (record["status"]["code"], record["status"]["by"], record["conflicts"])
                await eventually(lambda: _code(feed.records[UNIT]) == "8", what="it on the feed")
                await eventually(lambda: device.states and device.states[-1].units[0].code == "8", what="it told")
                assert ("radio", "control") == (device.states[-1].units[0].by, device.states[-1].units[0].device)

    asyncio.run(scenario())


def _code(record: Any) -> str:
    return record.status.code if record.status else ""


def test_a_word_is_kept_when_the_cloud_is_started_again(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The next process shows it as it stood."""

    async def scenario() -> None:
        for start in (1, 2):
            async with county_site(tmp_path, shared_mosquitto) as app:
                async with httpx.AsyncClient(base_url=app.address, timeout=20) as client:
                    if start == 1:
                        assert 201 == (await say(client)).status_code
                    record = (await client.get(f"v1/units/{UNIT}")).json()
                    assert ("8", "radio") == (record["status"]["code"], record["status"]["by"])

    asyncio.run(scenario())


def test_what_cannot_be_taken_changes_nothing(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Each is answered with its status and a line that says what would be right, and no event is stored."""

    async def scenario(app: App, client: httpx.AsyncClient) -> None:
        now = SystemClock().now()
        assert app.site is not None
        scheme = app.site.ingest.directory.schemes["uk-police-state"]
        event = next(row.code for row in scheme.codes if row.availability is None)
        refused: list[tuple[int, str, httpx.Response]] = [
            (404, "there is no unit 'kp-99'", await say(client, path="v1/units/kp-99/status")),
            (422, "is no code of uk-police-state; one of 1, 2, 3", await say(client, code="no such")),
            (422, "is an event, and never stands", await say(client, code=event)),
            (422, "in the future", await say(client, at=(now + timedelta(minutes=1)).isoformat())),
            (422, "more than a day ago", await say(client, at=(now - timedelta(hours=25)).isoformat())),
            (422, "body: ", await say(client, at="2026-11-01T12:00:00")),
            (422, "body: ", await say(client, by="")),
            (422, "body: ", await say(client, source="elsewhere")),
            (422, "body: ", await say(client, reazon="x")),
            (422, "1 to 200 characters", await say(client, key="k" * 201)),
            (409, "not of 'cad'", await say(client, source="cad")),
            (409, "no status stands now", await say(client, expects={"code": "2"})),
            (415, "application/json", await client.post(PATH, content=msgspec.json.encode(WORD))),
        ]
        for status, advice, answer in refused:
            assert (status, ["problem"]) == (answer.status_code, list(answer.json())), answer.text
            assert advice in answer.json()["problem"]
        assert [] == await events(client)

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_two_who_decided_on_one_picture_do_not_both_have_their_way(
    shared_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """With the status that it was decided on, the second of two words at once is a 409 that names what stands now."""

    async def scenario(app: App, client: httpx.AsyncClient) -> None:
        assert app.site is not None
        ingest = app.site.ingest
        first = (await say(client)).json()
        seen = {"code": "8", "device": "control", "stream": first["stream"], "seq": first["seq"], "since": first["at"]}
        engine = opening.open_engine(url_of(tmp_path / "data" / "ledger.db"))
        with engine.execution_options(begin="IMMEDIATE").begin():
            asked = [
                asyncio.ensure_future(say(client, code="2", expects=seen)),
                asyncio.ensure_future(say(client, code="3", expects=seen, by="op 8")),
            ]
            await eventually(lambda: ingest._asked, what="the first is being committed")
            await SystemClock().sleep(BOTH_HERE_S)
            assert 1 == len(ingest._asked)
        engine.dispose()
        answers = await asyncio.gather(*asked)
        assert [201, 409] == sorted(answer.status_code for answer in answers)
        lost = next(answer for answer in answers if answer.status_code == 409)
        assert "stands now" in lost.json()["problem"]
        assert 2 == len(await events(client))
        for field, other in (("device", "veh-2"), ("stream", "x"), ("seq", 9), ("since", "2026-11-01T12:00:00Z")):
            assert 409 == (await say(client, expects={field: other})).status_code, field

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_the_same_request_again_is_stored_once(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Under one key it gets the same answer, also at once; under that key anything else is a 409, for any unit."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(*(say(client, key="k1") for _ in range(5)))
        answers.append(await say(client, key="k1"))
        assert {201} == {answer.status_code for answer in answers}
        assert 1 == len({answer.content for answer in answers})
        for other in (await say(client, key="k1", code="2"), await say(client, key="k1", path="v1/units/kf-1/status")):
            assert (409, True) == (other.status_code, "something else" in other.json()["problem"])
        assert 1 == len(await events(client))
        assert 201 == (await say(client, key="k2")).status_code
        assert 2 == len(await events(client))

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_what_was_refused_under_a_key_is_looked_at_anew(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A refusal changed nothing, so the same request may come once the picture is what it expects."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        assert 409 == (await say(client, key="k", code="2", expects={"code": "8"})).status_code
        assert 201 == (await say(client)).status_code
        assert 201 == (await say(client, key="k", code="2", expects={"code": "8"})).status_code

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_the_master_of_statuses_has_the_word(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Where the directory names the dispatch system, its word is taken and the control room's is not."""

    async def scenario(app: App, client: httpx.AsyncClient) -> None:
        assert app.site is not None
        in_force = app.site.ingest.in_force
        rows = in_force.directory
        police = msgspec.structs.replace(rows.organisations["kp"], masters=Masters(status="cad"))
        in_force.replace(msgspec.structs.replace(rows, organisations=rows.organisations | {"kp": police}))
        refused = await say(client)
        assert (409, True) == (refused.status_code, "the word of 'cad'" in refused.json()["problem"])
        assert 201 == (await say(client, source="cad")).status_code

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_a_time_before_controls_last_word_is_refused(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """What control said since then stands; a moment after that one, and not in the future, is taken."""

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        now = SystemClock().now()
        assert 201 == (await say(client, at=(now - timedelta(minutes=5)).isoformat())).status_code
        earlier = await say(client, code="2", at=(now - timedelta(minutes=6)).isoformat())
        assert (422, True) == (earlier.status_code, "control has said" in earlier.json()["problem"])
        later = await say(client, code="2", at=(now - timedelta(minutes=4)).isoformat())
        assert 201 == later.status_code
        record = (await client.get(f"v1/units/{UNIT}")).json()
        assert "2" == record["status"]["code"]

    on_a_site(tmp_path, shared_mosquitto, scenario)


def test_where_the_ledger_takes_nothing_it_is_a_503_and_nothing_changes(
    shared_mosquitto: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says so at once; under the same key it is taken as soon as the ledger is back."""
    monkeypatch.setattr(opening, "_SETTINGS", opening._SETTINGS | {"busy_timeout": (50, 50)})

    async def scenario(_app: App, client: httpx.AsyncClient) -> None:
        engine = opening.open_engine(url_of(tmp_path / "data" / "ledger.db"))
        with engine.execution_options(begin="IMMEDIATE").begin():
            answer = await say(client, key="k")
            assert (503, True) == (answer.status_code, "nothing was changed" in answer.json()["problem"])
            assert (await client.get(f"v1/units/{UNIT}")).json()["status"] is None
        engine.dispose()
        for _ in range(50):  # others write too, and wait as little here
            if (answer := await say(client, key="k")).status_code != 503:
                break
            await SystemClock().sleep(0.1)
        assert 201 == answer.status_code
        assert 1 == len(await events(client))

    on_a_site(tmp_path, shared_mosquitto, scenario)
