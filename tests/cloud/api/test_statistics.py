"""Figures over HTTP, as JSON and as a table, and when the board changed."""

import asyncio
import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cloud.api import changes, statistics
from cloud.api.problems import add_problems
from cloud.fleet.clocks import Moment
from cloud.memory.counting import Counting
from tests.cloud.memory.keep import BEGIN, Keep

NOW = BEGIN + timedelta(hours=30)
DAY = {"since": BEGIN.isoformat(), "until": (BEGIN + timedelta(days=1)).isoformat()}


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    """Stores that know of one unit's day."""
    keep = Keep(tmp_path)
    keep.known(BEGIN, NOW)
    keep.show(BEGIN, "p12")
    keep.show(BEGIN + timedelta(hours=6), "p12", availability="NotAvailable")
    keep.show(BEGIN + timedelta(hours=7), "14p1")
    yield keep
    keep.close()


def ask(keep: Keep, path: str, accept: str = "", **query: str) -> httpx.Response:
    """The answer to one request."""
    app = FastAPI()
    app.include_router(statistics.router(Counting(keep.in_force, keep.ledger, keep.frames), lambda: Moment(NOW, 0.0)))
    app.include_router(changes.router(keep.ledger))
    add_problems(app)

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.get(path, params=query, headers={"Accept": accept})

    return asyncio.run(get())


def test_the_same_figures_as_json_and_as_a_table(keep: Keep) -> None:
    """By `Accept` or by the name: with a head and UTC, whatever zone is asked for; JSON has the hours of the zone."""
    asked = {"scope": "unit", "id": "p12"} | DAY
    found = ask(keep, "/v1/statistics", zone="America/New_York", **asked).json()
    assert ("America/New_York", 1.0) == (found["zone"], found["hours"][19]["available_h"])
    assert {"Available": 6 * 3600, "NotAvailable": 18 * 3600} == {
        one["class"]: one["duration_s"] for one in found["classes"]
    }
    tables = [
        ask(keep, "/v1/statistics.csv", **asked),
        ask(keep, "/v1/statistics", "text/csv", zone="America/New_York", **asked),
    ]
    assert tables[0].text == tables[1].text
    assert {"text/csv; charset=utf-8; header=present"} == {one.headers["content-type"] for one in tables}
    lines = list(csv.DictReader(io.StringIO(tables[0].text, newline="")))
    by_key = {(line["figure"], line["key"]): line for line in lines}
    assert ("1", "UTC") == (by_key["hour_available", "05"]["value"], by_key["hour_available", "05"]["detail"])
    assert ("21600", "0") == (by_key["class", "Available"]["value"], by_key["hour_available", "06"]["value"])


def test_what_is_no_question_is_refused(keep: Keep) -> None:
    """An unknown id, scope or zone, no offset, no window and one too long: each is told in one line."""
    asked = {"scope": "unit", "id": "p12"} | DAY
    refused = [
        ({"id": "p99"}, 404, "no unit 'p99'"),
        ({"scope": "county"}, 422, "scope"),
        ({"zone": "Mars/Olympus"}, 422, "no time zone"),
        ({"since": "2026-11-20T00:00:00"}, 422, "offset"),
        ({"since": DAY["until"]}, 422, "since must be before until"),
        ({"since": "2026-10-01T00:00:00Z"}, 422, "31 days"),
        ({"since": "0001-01-01T00:00:00+14:00"}, 422, "years"),
        ({"since": "0001-01-01T00:00:00Z", "until": "0001-01-02T00:00:00Z", "zone": "America/New_York"}, 422, "1970"),
    ]
    for changed, status, says in refused:
        answer = ask(keep, "/v1/statistics", **asked | changed)
        assert (status, True) == (answer.status_code, says in answer.json()["problem"]), answer.text


def test_when_the_board_changed(keep: Keep) -> None:
    """The next change after a moment and the last before it, of any unit or of one; none is null."""

    def change(hours: float, towards: str, **query: str) -> float | None:
        moment = (BEGIN + timedelta(hours=hours)).isoformat()
        found = ask(keep, "/v1/replay/change", at=moment, towards=towards, **query).json()["at"]
        return None if found is None else float(found[11:13])

    assert [6, 7, None] == [change(hours, "next") for hours in (0, 6, 7)]
    assert [None, 0, 6, 7] == [change(hours, "previous") for hours in (0, 6, 7, 8)]
    assert [7, None] == [change(hours, "next", unit="14p1") for hours in (0, 7)]
    assert [None, 6] == [change(hours, "previous", unit="p12") for hours in (0, 9)]
    assert 422 == ask(keep, "/v1/replay/change", at="2026-11-20T00:00:00").status_code
