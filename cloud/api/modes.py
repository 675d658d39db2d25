"""Modes: which parts of the whole are being tried out, by whom, why and until when; set and ended."""

from datetime import datetime

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.bodies import AWAY, NOT_JSON, describe_body, read_body
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.desk.modes import ModeRequest, NoSuch
from cloud.desk.requests import Invalid
from cloud.fleet.modes import Setting


class ModeList(msgspec.Struct, frozen=True, kw_only=True):
    """The modes that are in force at `at`."""

    at: datetime
    modes: tuple[Setting, ...]


BODIES: list[type[msgspec.Struct]] = [ModeRequest, Setting, ModeList]
"""What the routes read and answer with."""
_SETTING = answers(
    Setting,
    "What is set now.",
    s404="There is no such unit, base or organisation.",
    s413="The body is too long.",
    s415=NOT_JSON,
    s422="The body is not understood, or the mode may not last so long: the problem names what is wrong.",
    s503=AWAY,
)


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/modes", tags=["modes"])

    @routes.get("", responses=answers(ModeList, "The modes in force."))
    async def list_modes() -> Response:
        """The modes that control has set and that are not over, in the order in which they were set."""
        return reply(ModeList(at=site.moment().utc, modes=site.modes.in_force()))

    @routes.post("", responses=_SETTING, openapi_extra=describe_body("ModeRequest"))
    async def set_mode(request: Request) -> Response:
        """Set a mode for a unit, a base, an organisation or all, or end it by `live`. The most restrictive counts."""
        asked = await read_body(request, ModeRequest)
        if isinstance(asked, Response):
            return asked
        match await site.modes.put(asked):
            case NoSuch(problem):
                return reply(Problem(problem), 404)
            case Invalid(problem):
                return reply(Problem(problem), 422)
            case setting:
                return reply(setting)

    return routes
