"""Figures over a window: of a unit, a base or an organisation, as JSON or as a table for other programs."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.schemas import answers, reply
from cloud.directory.turns import find_zone
from cloud.figures import Scope, Statistics, tabulate
from cloud.fleet.clocks import Moment
from cloud.memory.counting import Asked, Counting, NoSuch

WINDOW_DEFAULT = timedelta(days=1)
WINDOW_MAX = timedelta(days=31)
YEAR_FIRST = 1970
"""Nobody kept anything before; the hours of some zone's clocks begin where the calendar does."""
BODIES: list[type[msgspec.Struct]] = [Statistics]
"""What the route answers with."""
_AWAY = "What is stored can't be read now."
BAD_QUESTION = "The query is not understood, its window is none or too long, or there is no such zone."
_NAMED = 'attachment; filename="statistics.csv"'

Id = Annotated[str, Query(min_length=1, max_length=200)]
ZoneName = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True)
class Question:
    """Whose figures, from when to when."""

    scope: Scope
    id: Id
    since: datetime | None = None
    until: datetime | None = None


def router(counting: Counting, moment: Callable[[], Moment]) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["statistics"])

    @routes.get(
        "/v1/statistics",
        responses=answers(Statistics, "The figures.", s404="There is no such thing.", s422=BAD_QUESTION, s503=_AWAY),
    )
    async def show_statistics(request: Request, query: Annotated[Question, Depends()], zone: ZoneName = "") -> Response:
        """Figures over a window, by default the last day. With `Accept: text/csv` a table, whose hours are of UTC."""
        asked = read_question(query, zone, moment().utc)
        return await give_figures(counting, asked, is_table=wants_table(request.headers.get("accept", "")))

    @routes.get("/v1/statistics.csv", include_in_schema=False)
    async def give_table(query: Annotated[Question, Depends()]) -> Response:
        return await give_figures(counting, read_question(query, "", moment().utc), is_table=True)

    return routes


async def give_figures(counting: Counting, asked: Asked | Problem, *, is_table: bool) -> Response:
    """Answer with figures, or with why there are none. Raises what the stores raise."""
    if isinstance(asked, Problem):
        return reply(asked, 422)
    if is_table:
        asked = msgspec.structs.replace(asked, zone="UTC")
    found = await counting.count(asked)
    if isinstance(found, NoSuch):
        return reply(Problem(found.problem), 404)
    if not is_table:
        return reply(found)
    headers = {"Cache-Control": "no-store", "Content-Disposition": _NAMED}
    return Response(write_table(found), media_type="text/csv; charset=utf-8; header=present", headers=headers)


def write_table(figures: Statistics) -> str:
    """Write figures as RFC 4180 has it: a head, and lines that end in CRLF."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(tabulate(figures))
    return text.getvalue()


def wants_table(accept: str) -> bool:
    """Whether CSV is asked for, and JSON is not."""
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "text/csv" in kinds and "application/json" not in kinds


def read_question(query: Question, zone: str, now: datetime) -> Asked | Problem:
    """Give what is asked for, or why it is nothing."""
    since, until = query.since, query.until
    if zone and find_zone(zone) is None:
        return Problem(f"zone: there is no time zone {zone!r}; write one such as Europe/London")
    ends = until or now
    if ends.tzinfo is None or (since is not None and since.tzinfo is None):
        return Problem("since and until must name their offset from UTC, such as 2026-01-26T15:57:02Z")
    try:
        ends = ends.astimezone(UTC)
        begins = ends - WINDOW_DEFAULT if since is None else since.astimezone(UTC)
    except OverflowError:
        return Problem("since and until must lie in the years 1 to 9999 of UTC")
    if begins.year < YEAR_FIRST:
        return Problem(f"since must lie in the year {YEAR_FIRST} or later: nothing was kept before")
    ends = min(ends, now)
    if not begins < ends:
        return Problem("since must be before until, and must have come")
    if ends - begins > WINDOW_MAX:
        return Problem(f"the window must not be longer than {WINDOW_MAX.days} days: ask for each part")
    return Asked(scope=query.scope, id=query.id, since=begins, until=ends, now=now, zone=zone)
