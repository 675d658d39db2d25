"""Covers: which control room may take over another's area, which has, and every hand-over."""

from datetime import datetime

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.bodies import describe_body, read_body
from cloud.api.schemas import answers, reply
from cloud.api.sharing import WHY_NOT, answer
from cloud.api.source import Site
from cloud.desk.bindingwords import DecisionRequest
from cloud.desk.covering import CoverView, TakeOverRequest


class CoverList(msgspec.Struct, frozen=True, kw_only=True):
    """Every agreement on cover, as it stands at `at`, by id."""

    at: datetime
    covers: tuple[CoverView, ...]


BODIES: list[type[msgspec.Struct]] = [CoverList, CoverView, DecisionRequest, TakeOverRequest]
"""What the routes read and answer with."""
_COVER = answers(
    CoverView,
    "The agreement, as it stands now.",
    s404="There is no such agreement: nobody takes an area over without one.",
    s409="The agreement is not in its time.",
    **WHY_NOT,
)


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/covers", tags=["sharing"])

    @routes.get("", responses=answers(CoverList, "Every agreement on cover."))
    async def list_covers() -> Response:
        """Every agreement on cover, whether it is taken up, and what was decided, newest first."""
        return reply(CoverList(at=site.moment().utc, covers=site.covering.covers()))

    @routes.post("/{cover}/take-over", responses=_COVER, openapi_extra=describe_body("TakeOverRequest"))
    async def take_over(cover: str, request: Request) -> Response:
        """Take a room's area over, on grounds that the agreement allows. Taken over already, nothing changes."""
        asked = await read_body(request, TakeOverRequest)
        return asked if isinstance(asked, Response) else answer(await site.covering.take_over(cover, asked))

    @routes.post("/{cover}/hand-back", responses=_COVER, openapi_extra=describe_body("DecisionRequest"))
    async def hand_back(cover: str, request: Request) -> Response:
        """Hand a room's area back."""
        asked = await read_body(request, DecisionRequest)
        return asked if isinstance(asked, Response) else answer(await site.covering.hand_back(cover, asked))

    return routes
