"""The board as it was shown at any past moment, and of which moments it is known."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.schemas import answers, reply
from cloud.fleet.clocks import Moment
from cloud.memory import Past, Range, Replayed

BODIES: list[type[msgspec.Struct]] = [Replayed, Range]
"""What the routes answer with."""
_AWAY = "What is stored can't be read now."
_NO_MOMENT = "The moment is not understood, names no offset, or has not come yet."


def router(past: Past, moment: Callable[[], Moment]) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/replay", tags=["replay"])

    @routes.get("", responses=answers(Replayed, "The board then, or why it is not known.", s422=_NO_MOMENT, s503=_AWAY))
    async def replay_board(at: datetime) -> Response:
        """The board as a control room's client showed it at a moment, ages included."""
        asked = moment_of(at, moment().utc)
        if isinstance(asked, Problem):
            return reply(asked, 422)
        body = await past.board(asked)
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    @routes.get("/range", responses=answers(Range, "The time of which the board is known.", s503=_AWAY))
    async def show_range() -> Response:
        """The first and the last moment of which the board is known, and the gaps between."""
        return reply(await past.range())

    return routes


def moment_of(at: datetime, now: datetime) -> datetime | Problem:
    """Give the moment in UTC, or why it is none."""
    if at.tzinfo is None:
        return Problem("at must name its offset from UTC, such as 2026-01-26T15:57:02Z")
    try:
        asked = at.astimezone(UTC)
    except OverflowError:
        return Problem("at must lie in the years 1 to 9999 of UTC")
    if asked > now:
        return Problem("at has not come yet: the board is known up to now")
    return asked
