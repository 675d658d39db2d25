"""Bindings: who carries which unit, at which base, in how many parts; what waits for control's word, and that word."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.bodies import AWAY, NOT_JSON, describe_body, read_body
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.desk.bindings import Bindings
from cloud.desk.bindingviews import BindingView, ClaimAsked, Decided, SetAside
from cloud.desk.bindingwords import DecisionRequest, LendRequest, Refusal


class BindingList(msgspec.Struct, frozen=True, kw_only=True):
    """What stands otherwise than the directory's files have it, at `at`."""

    at: datetime
    in_force: tuple[BindingView, ...]
    """By unit."""
    claims: tuple[ClaimAsked, ...]
    """Those that wait for control's word, oldest first."""
    set_aside: tuple[SetAside, ...]
    """Control's word that means nothing now: its unit, device or base is gone from the directory."""


class BindingHistory(msgspec.Struct, frozen=True, kw_only=True):
    """What control decided about a unit, newest first, and how it stands."""

    unit: str
    now: BindingView | None
    """Null for a unit that the directory does not hold any more."""
    decisions: tuple[Decided, ...]


BODIES: list[type[msgspec.Struct]] = [DecisionRequest, LendRequest, BindingView, BindingList, BindingHistory]
"""What the routes read and answer with."""
_ANSWERS = answers(
    BindingView,
    "The unit, as it stands now.",
    s404="There is no such claim or unit.",
    s409="It can't be as things stand: the problem says why.",
    s413="The body is too long.",
    s415=NOT_JSON,
    s422="The body is not understood, or names what there is not: the problem says which.",
    s503=AWAY,
)
_Act = Callable[[Bindings, str, DecisionRequest], Awaitable[BindingView | Refusal]]


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1", tags=["bindings"])
    _add_reads(routes, site)
    _add_claims(routes, site)
    _add_units(routes, site)
    return routes


def _add_reads(routes: APIRouter, site: Site) -> None:
    @routes.get("/bindings", responses=answers(BindingList, "What is in force beside the directory, and what waits."))
    async def list_bindings() -> Response:
        """Every unit that is bound, lent or split by control's word, and every claim that waits for it."""
        bindings = site.bindings
        found = BindingList(
            at=site.moment().utc,
            claims=bindings.waiting(),
            in_force=bindings.in_force(),
            set_aside=bindings.set_aside(),
        )
        return reply(found)

    @routes.get(
        "/units/{unit}/bindings",
        responses=answers(
            BindingHistory, "The unit's bindings.", s404="No such unit.", s503="What is stored can't be read now."
        ),
    )
    async def show_history(unit: str) -> Response:
        """What control decided about a unit: who carries it, where it is lent to, its splits."""
        decisions = await asyncio.to_thread(site.bindings.history, unit)
        now = site.bindings.show(unit)
        if now is None and not decisions:
            return reply(Problem(f"there is no unit {unit!r}; GET /v1/units lists them"), 404)
        return reply(BindingHistory(unit=unit, now=now, decisions=decisions))


def _add_claims(routes: APIRouter, site: Site) -> None:
    @routes.post("/bindings/{claim}/confirm", responses=_ANSWERS, openapi_extra=describe_body("DecisionRequest"))
    async def confirm_claim(claim: str, request: Request) -> Response:
        """Let a claim hold: the device that made it carries the unit, and the one before carries it no longer."""
        return await _decide(site, claim, request, Bindings.confirm)

    @routes.post("/bindings/{claim}/refuse", responses=_ANSWERS, openapi_extra=describe_body("DecisionRequest"))
    async def refuse_claim(claim: str, request: Request) -> Response:
        """Refuse a claim: nothing changes but that it no longer waits."""
        return await _decide(site, claim, request, Bindings.refuse)


def _add_units(routes: APIRouter, site: Site) -> None:
    @routes.post("/units/{unit}/unbind", responses=_ANSWERS, openapi_extra=describe_body("DecisionRequest"))
    async def unbind_unit(unit: str, request: Request) -> Response:
        """Give a unit back to the vehicle that the directory names for it."""
        return await _decide(site, unit, request, Bindings.unbind)

    @routes.post("/units/{unit}/lend", responses=_ANSWERS, openapi_extra=describe_body("LendRequest"))
    async def lend_unit(unit: str, request: Request) -> Response:
        """Lend a unit to another base."""
        asked = await read_body(request, LendRequest)
        return asked if isinstance(asked, Response) else _answer(await site.bindings.lend(unit, asked))

    @routes.post("/units/{unit}/return", responses=_ANSWERS, openapi_extra=describe_body("DecisionRequest"))
    async def return_unit(unit: str, request: Request) -> Response:
        """End a unit's loan: it is at its own base again."""
        return await _decide(site, unit, request, Bindings.take_back)

    @routes.post("/units/{unit}/split", responses=_ANSWERS, openapi_extra=describe_body("DecisionRequest"))
    async def split_unit(unit: str, request: Request) -> Response:
        """Split a unit into the parts that the directory has of it."""
        return await _decide(site, unit, request, Bindings.split)

    @routes.post("/units/{unit}/rejoin", responses=_ANSWERS, openapi_extra=describe_body("DecisionRequest"))
    async def rejoin_unit(unit: str, request: Request) -> Response:
        """Join the parts of a unit again."""
        return await _decide(site, unit, request, Bindings.rejoin)


async def _decide(site: Site, subject: str, request: Request, act: _Act) -> Response:
    asked = await read_body(request, DecisionRequest)
    return asked if isinstance(asked, Response) else _answer(await act(site.bindings, subject, asked))


def _answer(found: BindingView | Refusal) -> Response:
    return reply(Problem(found.problem), found.status) if isinstance(found, Refusal) else reply(found)
