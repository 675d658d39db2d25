"""Who saw a unit: the log of what partners could see of it."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.api.units import no_such_unit, window_of
from cloud.memory.reads import Seen

LONG = timedelta(days=7)
"""How far back it is looked without `since`."""


class SeenList(msgspec.Struct, frozen=True, kw_only=True):
    """Who could see a unit in a window, newest first. `next_before` asks for the page after this one; null at the end.

    Its own organisation's reads are not in it.
    """

    unit: str
    since: datetime
    until: datetime
    seen: tuple[Seen, ...]
    next_before: int | None


BODIES: list[type[msgspec.Struct]] = [Seen, SeenList]
"""What the route answers with."""
Limit = Annotated[int, Query(ge=1, le=1_000)]
Before = Annotated[int, Query(ge=1, le=2**53)]


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(prefix="/v1/units", tags=["sharing"])

    @routes.get(
        "/{unit}/seen",
        responses=answers(
            SeenList,
            "Who could see it.",
            s404="No such unit, and none was ever seen.",
            s422="A parameter is out of range, or a time names no offset.",
            s503="What is stored can't be read now.",
        ),
    )
    async def show_seen(
        unit: str,
        since: datetime | None = None,
        until: datetime | None = None,
        before: Before | None = None,
        limit: Limit = 100,
    ) -> Response:
        """Which partners could see a unit, by which way, what of it and by which agreements: the last week by default.

        An interval without an end goes on. A read of once is one while it comes again within a minute.
        """
        window = window_of(since, until or site.moment().utc + timedelta(seconds=1), LONG)
        if isinstance(window, Problem):
            return reply(window, 422)
        start, end = window
        rows = await site.reads.of(unit, start, end, before=before, limit=limit + 1)
        if not rows and unit not in site.ingest.directory.units:
            return no_such_unit(unit)
        shown = tuple(rows[:limit])
        more = shown[-1].number if len(rows) > limit else None
        return reply(SeenList(unit=unit, since=start, until=end, seen=shown, next_before=more))

    return routes
