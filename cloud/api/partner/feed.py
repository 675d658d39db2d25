"""What an organisation may see, live, as server-sent events."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse

from cloud.api.answers import Problem
from cloud.api.partner.tokens import caller_of
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from wire.feed import Tick
from wire.partner import PartnerAlarms, PartnerChanges, PartnerSnapshot

BODIES: list[type[msgspec.Struct]] = [PartnerSnapshot, PartnerChanges, PartnerAlarms, Tick]
"""What the events hold."""
NOT_YET = Problem("your feed begins within a second: ask again")
ANSWERS: dict[int | str, dict[str, Any]] = answers(PartnerSnapshot, "", s503=NOT_YET.problem) | {
    200: {
        "description": "Events of four kinds: `snapshot`, `changes`, `alarms` and `tick`, with `id: EPOCH-CURSOR`. The "
        "schemas PartnerSnapshot, PartnerChanges, PartnerAlarms and Tick describe their data.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["feed"])

    @routes.get("/v1/feed", responses=ANSWERS, response_class=StreamingResponse)
    async def feed(request: Request, last_event_id: Annotated[str | None, Header()] = None) -> Response:
        """What you may see, or what of it changed since `Last-Event-ID`, and then every change, on the feed's tick."""
        caller = caller_of(request)
        first = _first(site, caller.partner, last_event_id or "")
        if isinstance(first, Response):
            return first
        listening = site.partners.listeners(caller.partner).listen(first)  # what is told from now on comes after it
        return _stream(_log(site, caller.partner, listening))

    return routes


def show_feed(site: Site, partner: str, last_event_id: str) -> Response:
    """Answer with a partner's stream to its owners, who look on."""
    first = _first(site, partner, last_event_id)
    return first if isinstance(first, Response) else _stream(site.partners.onlookers(partner).listen(first))


def _first(site: Site, partner: str, last_event_id: str) -> list[bytes] | Response:
    now, feed = site.moment(), site.partners.feed(partner)
    if feed is not None:
        return feed.since(last_event_id, now) if last_event_id else feed.snapshot(now)
    answer = reply(NOT_YET, 503)
    answer.headers["Retry-After"] = "1"
    return answer


async def _log(site: Site, partner: str, events: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Give a stream, and log for as long as it lasts what the partner sees by it."""
    site.reads.arrive(partner, site.partners.views.seen_by(partner), way="feed", now=site.moment().utc)
    try:
        async with contextlib.aclosing(events):
            async for event in events:
                yield event
    finally:
        site.reads.depart(partner, way="feed", now=site.moment().utc)


def _stream(events: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)
