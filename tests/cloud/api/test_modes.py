"""Modes over HTTP: set, listed, ended; and what is none is refused in plain words."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from cloud.app import App
from cloud.clock import SystemClock
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import county_site
from tests.site import following
from tests.waiting import eventually

MODE = {"scope": "unit", "id": "kp-12", "mode": "test", "by": "A. Smith", "reason": "drill"}


def until(hours: float) -> dict[str, str]:
    """The end of a mode, so many hours from now."""
    return {"until": (SystemClock().now() + timedelta(hours=hours)).isoformat()}


def client_of(app: App) -> httpx.AsyncClient:
    """A client of the application's API."""
    return httpx.AsyncClient(base_url=app.address, timeout=20)


def test_a_mode_is_on_the_feed_until_it_is_ended(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """With who set it and until when, over a restart too; ended by `live` the unit is live on every board."""

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, following(app) as feed, client_of(app) as client:
            answer = await client.post("v1/modes", json=MODE | until(2))
            assert (200, "A. Smith") == (answer.status_code, answer.json()["by"])
            await eventually(lambda: feed.records["kp-12"].mode == "test", what="the mode on the feed")
            record = feed.records["kp-12"]
            assert ("A. Smith", True) == (record.mode_by, record.mode_until is not None)
        async with county_site(tmp_path, shared_mosquitto) as app, following(app) as feed, client_of(app) as client:
            assert "test" == feed.records["kp-12"].mode
            assert ["drill"] == [one["reason"] for one in (await client.get("v1/modes")).json()["modes"]]
            ended = await client.post("v1/modes", json=MODE | {"mode": "live"})
            assert 200 == ended.status_code
            await eventually(lambda: feed.records["kp-12"].mode == "live", what="its end on the feed")
            assert [] == (await client.get("v1/modes")).json()["modes"]

    asyncio.run(scenario())


def test_what_is_no_mode_is_refused(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A unit that there is not, no end or one too far away, no reason, an unknown mode: each is told in one line."""
    refused: list[tuple[dict[str, Any], int, str]] = [
        ({"id": "kp-99"} | until(1), 404, "no unit 'kp-99'"),
        ({}, 422, "say when test ends"),
        (until(30), 422, "at most 24 hours"),
        (until(-1), 422, "not in the future"),
        ({"reason": " "} | until(1), 422, "say why"),
        ({"mode": "drill"} | until(1), 422, "mode"),
        ({"scope": "county"} | until(1), 422, "scope"),
        ({"until": "2026-11-22T14:30:00"}, 422, "until"),
        ({"colour": "red"} | until(1), 422, "colour"),
    ]

    async def scenario() -> None:
        async with county_site(tmp_path, shared_mosquitto) as app, client_of(app) as client:
            for changes, status, says in refused:
                answer = await client.post("v1/modes", json=MODE | changes)
                assert (status, True) == (answer.status_code, says in answer.json()["problem"]), answer.text
            assert [] == (await client.get("v1/modes")).json()["modes"]

    asyncio.run(scenario())
