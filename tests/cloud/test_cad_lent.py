"""A command and control system moves another's unit while it is lent to it, and while it may know of it; no longer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from cloud.app import App
from cloud.desk.bindingwords import DecisionRequest
from tests.brokers import RunningBroker
from tests.cloud.cad_lab import OTHER, UNIT, cad_client, cad_site, said, say
from tests.cloud.test_cad_settles import LOAN, lend

WORD = DecisionRequest(by="op 7", reason="the crew is needed here")


def test_what_is_lent_is_moved_until_it_is_hidden_or_withdrawn(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """An order is taken for the lent unit; off duty, or withdrawn, it is answered like one that is not there."""

    async def scenario() -> None:
        async with cad_site(tmp_path, shared_mosquitto) as app, both(app) as (police, fire):
            assert app.site is not None

            async def order(version: int, unit: str = UNIT) -> tuple[int, str]:
                answer = await say(fire, said("assignment", order=f"F-{version}", version=version, unit=unit), "kf")
                return answer.status_code, without(answer, unit)

            absent = await order(0, "kp-77")
            assert (404, absent) == (absent[0], await order(0)), "nothing is lent yet"
            await lend(app)
            assert 201 == (await order(0))[0]
            assert 404 == (await say(police, said("assignment", order="P-1", version=0, unit=OTHER))).status_code
            assert 201 == (await say(police, said("status", code="11"))).status_code
            assert absent == await order(1), "off duty"
            assert 201 == (await say(police, said("status", code="2"))).status_code
            assert 201 == (await order(1))[0]
            await app.site.sharing.withdraw(f"loan:{LOAN}", WORD)
            assert absent == await order(2), "withdrawn"
            await app.site.sharing.restore(f"loan:{LOAN}", WORD)
            assert 201 == (await order(2))[0]

    asyncio.run(scenario())


@contextlib.asynccontextmanager
async def both(app: App) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """The systems of the police, whose unit it is, and of the fire service."""
    async with cad_client(app) as police, cad_client(app, "kf") as fire:
        yield police, fire


def without(answer: httpx.Response, unit: str) -> str:
    """Why, with the unit's name taken out."""
    return str(answer.json()["text"]).replace(unit, "UNIT")
