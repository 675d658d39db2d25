"""Emergencies and station alarms: those that are active, and who has one in hand."""

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.answers import AlarmList, Problem
from cloud.api.bodies import AWAY, NOT_JSON, Taken, describe_body, read_body
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.desk import AlarmTaken
from wire.feed import AlarmView

BODIES: list[type[msgspec.Struct]] = [Taken, AlarmView]
"""What the routes read and answer with."""
_ANSWERS = answers(
    AlarmView,
    "The alarm, in hand of whoever asks.",
    s404="No such alarm, or it ended too long ago.",
    s409="Somebody else has it in hand: the problem says who.",
    s413="The body is too long.",
    s415=NOT_JSON,
    s422="The body is not understood: the problem names what is wrong.",
    s503=AWAY,
)


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/alarms", tags=["alarms"])

    @routes.get("", responses=answers(AlarmList, "The active alarms."))
    async def list_alarms() -> Response:
        """The alarms that are active, in the order in which they were heard."""
        return reply(AlarmList(at=site.moment().utc, alarms=site.alarms.active()))

    @routes.post("/{alarm}/acknowledge", responses=_ANSWERS, openapi_extra=describe_body("Taken"))
    async def acknowledge_alarm(alarm: str, request: Request) -> Response:
        """Take an alarm in hand: it ends an emergency, and says so by the lamp beside its button."""
        asked = await read_body(request, Taken)
        if isinstance(asked, Response):
            return asked
        match await site.alarms.acknowledge(alarm, asked.by):
            case AlarmTaken(view):
                return reply(Problem(f"{view.acknowledged_by} has it in hand already"), 409)
            case None:
                return reply(Problem(f"there is no alarm {alarm!r}; GET /v1/alarms lists the active ones"), 404)
            case shown:
                return reply(shown)

    return routes
