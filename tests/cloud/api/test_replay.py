"""The past over HTTP: the board at a moment, the time of which it is known, and what can't be answered."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from cloud.api import replay
from cloud.api.problems import add_problems
from cloud.api.schemas import add_schemas
from cloud.errors import Retryable
from cloud.fleet.clocks import Moment
from cloud.memory import Past, Range, Replayed
from cloud.memory import replay as replay_board
from cloud.memory.past import encode
from tests.cloud.memory.lab import Lab
from tests.cloud.memory.samples import NOON, record

Asking = Callable[[httpx.AsyncClient], Awaitable[None]]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A recorder that has begun nothing."""
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def served(lab: Lab) -> FastAPI:
    """The routes on a lab's stores, as the application has them."""
    api = FastAPI()
    past = Past(lab.recorder, lambda at: lab.ledger.board_at(at), lab.frames)
    api.include_router(replay.router(past, lambda: Moment(lab.clock.at, lab.clock.mono_s)))
    add_problems(api)
    add_schemas(api, replay.BODIES)
    return api


def ask(lab: Lab, asking: Asking) -> None:
    """Ask a service on a lab, whose recorder runs."""

    async def run() -> None:
        running = asyncio.ensure_future(lab.recorder.run())
        transport = httpx.ASGITransport(served(lab), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            await asking(client)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def test_a_past_board_is_answered_in_the_feeds_own_words(lab: Lab) -> None:
    """What was shown is given as the feed's records, at the moment asked for, whatever offset it is written in."""
    shown = lab.tick(record("a"), record("b"))
    lab.tick(record("a", link="lost"), after_s=1.0)

    async def asking(client: httpx.AsyncClient) -> None:
        at = (shown + timedelta(seconds=0.5)).isoformat().replace("12:00", "14:00").replace("+00:00", "+02:00")
        answer = await client.get("v1/replay", params={"at": at})
        board = msgspec.json.decode(answer.content, type=Replayed)
        assert (200, True, "no-store") == (answer.status_code, board.known, answer.headers["cache-control"])
        assert [("a", "fresh", 1.5), ("b", "fresh", 1.5)] == [(u.unit, u.link, u.ages.link_s) for u in board.units]
        assert ("v1", NOON, shown + timedelta(seconds=0.5)) == (board.directory_version, board.process, board.at)

    ask(lab, asking)


def test_a_moment_ago_is_waited_for(lab: Lab) -> None:
    """What was shown at the newest tick is answered as soon as it is kept, in the one request."""
    lab.tick(record("a"))
    shown = lab.tick(record("a", link="late"))

    async def asking(client: httpx.AsyncClient) -> None:
        answer = await client.get("v1/replay", params={"at": shown.isoformat()})
        assert ["late"] == [one["link"] for one in answer.json()["units"]]

    ask(lab, asking)


def test_what_is_not_known_says_why(lab: Lab) -> None:
    """A moment without a board is an answer: not known, and between when and when."""
    lab.tick(record("a"))
    lab.tick()

    async def asking(client: httpx.AsyncClient) -> None:
        board = (await client.get("v1/replay", params={"at": NOON.isoformat()})).json()
        assert (False, []) == (board["known"], board["units"])
        assert "no board is known to 2026-11-01T12:00:00.323457Z" in board["problem"]

    ask(lab, asking)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-01T12:00:00", "offset"),
        ("2126-11-01T12:00:00Z", "not come yet"),
        ("0001-01-01T00:00:00+14:00", "years 1 to 9999"),
        ("yesterday", "at: "),
        (None, "at: "),
    ],
)
def test_a_moment_that_is_none_is_refused(lab: Lab, at: str | None, said: str) -> None:
    """The future, a time without an offset and what is no time are refused in one line that says what is wrong."""
    lab.tick(record("a"))

    async def asking(client: httpx.AsyncClient) -> None:
        answer = await client.get("v1/replay", params={} if at is None else {"at": at})
        assert 422 == answer.status_code
        assert said in answer.json()["problem"]

    ask(lab, asking)


def test_the_known_time_is_told_with_its_gaps(lab: Lab) -> None:
    """From the first moment to the last, and each time between of which nothing is known; nothing at all at first."""

    async def nothing(client: httpx.AsyncClient) -> None:
        assert {"first": None, "last": None, "gaps": []} == (await client.get("v1/replay/range")).json()

    ask(lab, nothing)
    lab.start()
    first = lab.tick(record("a"))
    gap = (lab.tick(), lab.tick(after_s=10.0))
    last = lab.tick()

    async def asking(client: httpx.AsyncClient) -> None:
        await client.get("v1/replay", params={"at": last.isoformat()})
        told = msgspec.json.decode((await client.get("v1/replay/range")).content, type=Range)
        assert (first, last, [gap]) == (told.first, told.last, [(one.since, one.until) for one in told.gaps])

    ask(lab, asking)


def test_stores_that_fail_are_said_to(lab: Lab) -> None:
    """Where the ledger can't be read it is a 503; where what was just shown can't be kept, it is not known yet."""
    shown = lab.tick(record("a"))
    lab.keep()
    lab.ledger_fails = True
    newer = lab.tick(record("a", link="late"))
    board_at = lab.ledger.board_at

    def broken(at: Any) -> Any:
        raise Retryable("the ledger is away")

    async def asking(client: httpx.AsyncClient) -> None:
        not_kept = (await client.get("v1/replay", params={"at": newer.isoformat()})).json()
        assert (False, True) == (not_kept["known"], "not kept yet" in not_kept["problem"])
        lab.ledger.board_at = broken  # type: ignore[method-assign]
        answer = await client.get("v1/replay", params={"at": shown.isoformat()})
        assert 503 == answer.status_code

    ask(lab, asking)
    lab.ledger.board_at = board_at  # type: ignore[method-assign]


def test_answers_are_as_the_document_says(lab: Lab) -> None:
    """The published schema holds for a board that is known, one that is not, and for the range."""
    shown = lab.tick(record("a"), record("b", position=None, status=None, confidence="never"))
    lab.tick()

    async def asking(client: httpx.AsyncClient) -> None:
        document = (await client.get("openapi.json")).json()
        for path, params in (
            ("/v1/replay", {"at": shown.isoformat()}),
            ("/v1/replay", {"at": NOON.isoformat()}),
            ("/v1/replay/range", {}),
        ):
            described = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            schema = {**described, "components": document["components"]}
            Draft202012Validator(schema).validate((await client.get(path, params=params)).json())

    ask(lab, asking)


def test_a_board_is_encoded_piece_by_piece_and_the_same(lab: Lab) -> None:
    """Encoding record by record, which lets other threads have their turn, gives what encoding it whole would."""
    shown = lab.tick(*(record(f"u{number}") for number in range(20)))
    lab.keep()
    for at in (shown, NOON):
        board = replay_board(lab.ledger.board_at, lab.frames, at)
        assert msgspec.json.encode(board) == encode(board)
