"""Who is let in: the holder of a token of the directory in force, and nobody else."""

import asyncio
from pathlib import Path

import httpx
import pytest

from cloud.app import App
from tests.brokers import RunningBroker
from tests.cloud.api.partner.lab import (
    CAR,
    FIRE,
    POLICE,
    PUMP,
    TOKENS,
    agreement,
    as_partner,
    following_as,
    partner_row,
    sharing_site,
    write_sharing,
)
from tests.waiting import eventually

END_S = 5.0
"""How long a stream may go on after its token was withdrawn."""
WRONG: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer wrong"},
    {"Authorization": "Basic fire-token"},
    {"Authorization": "fire-token"},
    {"Authorization": "Bearer fire-token x"},
    {"Authorization": f"Bearer {'x' * 10_000}"},
    {"Cookie": "token=fire-token"},
)
PATHS = ("v1/units", f"v1/units/{CAR}", "v1/units/nobody", "v1/feed", "healthz", "openapi.json", "nowhere")


def said(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer, but for when it was given."""
    return answer.status_code, [pair for pair in answer.headers.multi_items() if pair[0] != "date"], answer.content


def test_without_a_token_everything_is_answered_alike(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """No token, a wrong one, one of another scheme: the same 401 on every path, whatever is there or not."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto, agreement()) as app:
            async with httpx.AsyncClient(base_url=app.partner_address) as client:
                answers = [said(await client.get(path, headers=WRONG[3])) for path in PATHS]
                answers += [said(await client.get("v1/units", headers=headers)) for headers in WRONG]
                answers.append(said(await client.get("v1/units?token=fire-token")))
                two = [("Authorization", "Bearer fire-token"), ("Authorization", "Bearer fire-token")]
                answers.append(said(await client.get("v1/units", headers=two)))
                answers.append(said(await client.post("v1/units")))
            status, headers, _ = answers[0]
            assert 401 == status
            assert "Bearer" in dict(headers)["www-authenticate"]
            assert [answers[0]] * len(answers) == answers

    asyncio.run(scenario())


def test_a_token_is_let_in_however_its_scheme_is_written(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The scheme's name has no case (RFC 9110, section 11.1); each token answers for its own organisation."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto, agreement()) as app:
            async with httpx.AsyncClient(base_url=app.partner_address) as client:
                for partner, units in ((FIRE, [PUMP, CAR, "kp-13"]), (POLICE, [CAR, "kp-13", "kp-99"])):
                    for scheme in ("Bearer", "bearer", "BEARER"):
                        headers = {"Authorization": f"{scheme} {TOKENS[partner]}"}
                        found = await client.get("v1/units", headers=headers)
                        assert (200, units) == (found.status_code, [one["unit"] for one in found.json()["units"]])

    asyncio.run(scenario())


def test_a_token_of_one_port_opens_nothing_on_the_other(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """The partners' port has no routes of the control room, and answers only to its own name."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto, agreement()) as app, as_partner(app, FIRE) as client:
            for path in ("metrics", "v1/alarms", "v1/orders", "v1/directory", "v1/partners", f"v1/units/{CAR}/events"):
                assert 404 == (await client.get(path)).status_code, path
            assert 421 == (await client.get("v1/units", headers={"Host": "elsewhere.example"})).status_code
            assert {"ok": True} == (await client.get("healthz")).json()

    asyncio.run(scenario())


@pytest.mark.parametrize("rows", [partner_row(FIRE, "another"), ""], ids=["replaced", "removed"])
def test_a_token_that_is_withdrawn_ends_its_streams(rows: str, shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A token replaced or taken away by a reload is let in no more, and its stream ends within 5 s."""

    async def scenario() -> None:
        async with sharing_site(tmp_path, shared_mosquitto, agreement()) as app, as_partner(app, FIRE) as client:
            async with following_as(app, FIRE) as fire, following_as(app, POLICE) as police:
                folder = write_sharing(tmp_path / "directory", agreement(), rows)
                if not rows:
                    path = folder / "county.toml"
                    path.write_text(path.read_text().replace(partner_row(FIRE), ""))
                app.reload()
                await eventually(lambda: fire.ended, what="its stream ends", deadline_s=END_S)
                assert 401 == (await client.get("v1/units")).status_code
                heard = len(police.kinds)
                await eventually(lambda: len(police.kinds) > heard, what="the other goes on")
                assert not police.ended
            assert_nobody_listens(app, FIRE)

    asyncio.run(scenario())


def assert_nobody_listens(app: App, partner: str) -> None:
    """Whoever listened to a partner's feed is forgotten."""
    assert app.site is not None
    if app.site.partners.feed(partner) is not None:
        assert 0 == len(app.site.partners.listeners(partner))
