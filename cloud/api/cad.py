"""What an organisation's command and control system (CAD) says and is told, over HTTP, on the partners' port."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse

from cloud.api.answers import Problem
from cloud.api.bodies import AWAY, NOT_JSON, refuse_other_than_json
from cloud.api.schemas import answers, reply
from cloud.desk import CadInbox
from cloud.errors import Retryable
from cloud.feeds import CadStreams
from cloud.feeds.feed import CURSOR_DIGITS_MAX
from cloud.fleet.clocks import Moment
from wire import cad
from wire.cad import (
    CAD_BYTES_MAX,
    CadAnswer,
    CadAssignment,
    CadCrew,
    CadMessages,
    CadOrder,
    CadStatus,
    CadTick,
    CadUnit,
    CadUnits,
    Outcome,
)

PAGE_MAX = 500
WAIT_MAX_S = 30.0
TICK_S = 10.0
"""The longest pause between two events of a stream."""
LOOK_S = 2.0
"""How often who waits is asked for its token again."""
BODIES: list[type[msgspec.Struct]] = [
    CadStatus,
    CadAssignment,
    CadCrew,
    CadAnswer,
    CadMessages,
    CadUnits,
    CadUnit,
    CadOrder,
    CadTick,
]
"""What the routes read and answer with."""
_STATUS: dict[Outcome, int] = {"taken": 201, "known": 200, "refused": 409, "again": 503}
_NOT_YOURS = Problem("this token speaks for no command and control system of that organisation")
_NEXT = dict.fromkeys(("not_understood", "unknown_code", "bad_time"), 422) | {"too_large": 413, "no_such_unit": 404}
_NO_CAD = _NOT_YOURS.problem
_ANSWERED = answers(CadAnswer, "It is so already.", s404=_NO_CAD, s415=NOT_JSON)
_ANSWERED |= {
    201: _ANSWERED[200] | {"description": "Taken: stored, and shown."},
    409: _ANSWERED[200] | {"description": "Refused, and why; 404, 413 and 422 for what can't be right as it is."},
    503: _ANSWERED[200] | {"description": "Nothing can be stored now: send it again."},
}
_SAYING = {"oneOf": [{"$ref": f"#/components/schemas/{one.__name__}"} for one in (CadStatus, CadAssignment, CadCrew)]}
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SAYING}}}}
_READ = answers(CadMessages, "", s404=_NO_CAD, s503=AWAY) | {
    200: {
        "description": "Messages, in order. As an event stream: `id` is the number, the event is `unit`, `order` or "
        "`tick`, and the schemas CadUnit, CadOrder and CadTick describe the data.",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/CadMessages"}},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }
}


@dataclass(frozen=True, kw_only=True)
class CadSite:
    """What the routes need."""

    inbox: CadInbox
    streams: CadStreams
    moment: Callable[[], Moment]


def router(site: CadSite, organisation_of: Callable[[Request], str]) -> APIRouter:
    """Make the routes. `organisation_of` tells whose token a request brought."""
    routes = APIRouter(prefix="/v1/cad/{organisation}", tags=["cad"])

    def is_theirs(request: Request, organisation: str) -> bool:
        return organisation_of(request) == organisation and site.streams.speaks_to(organisation)

    _add_saying(routes, site, is_theirs)
    _add_reading(routes, site, is_theirs)
    return routes


def _add_saying(routes: APIRouter, site: CadSite, is_theirs: Callable[[Request, str], bool]) -> None:
    @routes.put("/messages/{message}", status_code=201, responses=_ANSWERED, openapi_extra=_BODY)
    async def put_message(organisation: str, message: str, request: Request) -> Response:
        """Say something of a unit. The same message again is known: send it again until it is answered."""
        if not is_theirs(request, organisation):
            return reply(_NOT_YOURS, 404)
        refusal = refuse_other_than_json(request)
        if refusal is not None:
            return refusal
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > CAD_BYTES_MAX:
                break
        answer = await site.inbox.take(organisation, bytes(body), message)
        return reply(answer, _NEXT.get(answer.why, _STATUS[answer.outcome]))


def _add_reading(routes: APIRouter, site: CadSite, is_theirs: Callable[[Request, str], bool]) -> None:
    @routes.get("/messages", responses=_READ)
    async def list_messages(
        organisation: str,
        request: Request,
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        wait: Annotated[float, Query(ge=0, le=WAIT_MAX_S, description="seconds to wait for the first")] = 0.0,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """What you were told after a number, at most 500 at once; or from there on, as an event stream."""
        if not is_theirs(request, organisation):
            return reply(_NOT_YOURS, 404)
        if "text/event-stream" in request.headers.get("accept", ""):
            given = last_event_id or ""
            seen = int(given) if given.isdecimal() and len(given) <= CURSOR_DIGITS_MAX else after
            stream = _follow(site, organisation, min(seen, 2**53))
            headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
        if not await _wait(site, organisation, after, wait):
            return reply(_NOT_YOURS, 404)
        try:
            return reply(await site.streams.messages(organisation, after, PAGE_MAX, _now(site)))
        except Retryable:
            return reply(Problem(AWAY), 503)

    @routes.get("/units", responses=answers(CadUnits, "Units, by unit.", s404=_NO_CAD))
    async def list_units(
        organisation: str,
        request: Request,
        after: Annotated[str, Query(max_length=40)] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
    ) -> Response:
        """Your own units as they stand: where to begin, and after a gap."""
        if not is_theirs(request, organisation):
            return reply(_NOT_YOURS, 404)
        return reply(site.streams.units(organisation, after, limit, site.moment()))


async def _follow(site: CadSite, organisation: str, after: int) -> AsyncIterator[bytes]:
    """Give what was told after a number, then everything, and a sign of life, for as long as its token holds."""
    token = site.streams.token_of(organisation)
    while token and site.streams.token_of(organisation) == token:
        try:
            page = await site.streams.messages(organisation, after, PAGE_MAX, _now(site))
        except Retryable:
            return
        if page.missed:
            after += page.missed
            yield b": %d messages are kept no more; look all units up\n\n" % page.missed
        for message in page.messages:
            after = message.seq
            kind = str(message.__struct_config__.tag).encode()
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (after, kind, cad.encode(message))
        if not page.messages:
            yield b"event: tick\ndata: %s\n\n" % cad.encode(CadTick(at=_now(site), seq=page.newest))
            await _wait(site, organisation, page.newest if after > page.newest else after, TICK_S)


async def _wait(site: CadSite, organisation: str, after: int, wait_s: float) -> bool:
    """Wait for a message after a number. Tells whether the token still holds: where not, it is not waited on."""
    token = site.streams.token_of(organisation)
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            while site.streams.token_of(organisation) == token:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await site.streams.wait(organisation, after)
                        break
    return site.streams.token_of(organisation) == token


def _now(site: CadSite) -> datetime:
    return site.moment().utc
