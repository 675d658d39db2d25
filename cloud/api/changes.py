"""When the board changed next: what a replay steps by."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.schemas import answers, reply
from cloud.ledger import Ledger


class BoardChange(msgspec.Struct, frozen=True, kw_only=True):
    """The change beside a moment."""

    at: datetime | None
    """When the board showed it, to the microsecond; null where there is none."""


BODIES: list[type[msgspec.Struct]] = [BoardChange]
"""What the route answers with."""
_AWAY = "What is stored can't be read now."
_NO_MOMENT = "The moment is not understood, or names no offset."
UnitId = Annotated[str, Query(max_length=200)]


def router(ledger: Ledger) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["replay"])

    @routes.get("/v1/replay/change", responses=answers(BoardChange, "The change, if any.", s422=_NO_MOMENT, s503=_AWAY))
    async def find_change(
        at: datetime, towards: Literal["next", "previous"] = "next", unit: UnitId | None = None
    ) -> Response:
        """The first change of the board after a moment, or the last before it: of one unit, or of any.

        Positions and ages aside: they pass all the time.
        """
        if at.tzinfo is None:
            return reply(Problem("at must name its offset from UTC, such as 2026-01-26T15:57:02Z"), 422)
        try:
            asked = at.astimezone(UTC)
        except OverflowError:
            return reply(Problem("at must lie in the years 1 to 9999 of UTC"), 422)
        is_next = towards == "next"
        return reply(BoardChange(at=await asyncio.to_thread(ledger.board_change, asked, unit, is_next=is_next)))

    return routes
