"""The alarms that call people: those that are active, who has one in hand, and who ends an emergency."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Meta

from cloud.api.answers import AlarmList, Problem
from cloud.api.bodies import AWAY, NOT_JSON, Taken, describe_body, read_body
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.desk import AlarmTaken, NotInHand
from wire.events import Person
from wire.feed import AlarmView


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who at control ends an emergency, and why."""

    by: Person
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


BODIES: list[type[msgspec.Struct]] = [Taken, Cancelled, AlarmView]
"""What the routes read and answer with."""
_NO_ALARM = "No such alarm, or it ended too long ago."
_ANSWERS = answers(
    AlarmView,
    "The alarm, in hand of whoever asks.",
    s404=_NO_ALARM,
    s409="Somebody else has it in hand: the problem says who.",
    s413="The body is too long.",
    s415=NOT_JSON,
    s422="The body is not understood: the problem names what is wrong.",
    s503=AWAY,
)
_CANCELLING = answers(
    AlarmView,
    "The emergency, which is over.",
    s404=_NO_ALARM,
    s409="Nobody has it in hand, it is no emergency, or somebody has cancelled it already: the problem says which.",
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

    _add_acting(routes, site)
    return routes


def _add_acting(routes: APIRouter, site: Site) -> None:
    @routes.post("/{alarm}/acknowledge", responses=_ANSWERS, openapi_extra=describe_body("Taken"))
    async def acknowledge_alarm(alarm: str, request: Request) -> Response:
        """Take an alarm in hand. It silences an emergency, whose lamp is then steady, and ends a speech request."""
        asked = await read_body(request, Taken)
        if isinstance(asked, Response):
            return asked
        match await site.alarms.acknowledge(alarm, asked.by):
            case AlarmTaken(view):
                return reply(Problem(f"{view.acknowledged_by} has it in hand already"), 409)
            case None:
                return _no_such_alarm(alarm)
            case shown:
                return reply(shown)

    @routes.post("/{alarm}/cancel", responses=_CANCELLING, openapi_extra=describe_body("Cancelled"))
    async def cancel_alarm(alarm: str, request: Request) -> Response:
        """End an emergency that somebody has in hand: it leaves the boards, and its lamp is dark."""
        asked = await read_body(request, Cancelled)
        if isinstance(asked, Response):
            return asked
        match await site.alarms.cancel(alarm, asked.by, asked.reason):
            case AlarmTaken(view):
                return reply(Problem(f"{view.cancelled_by} has cancelled it already"), 409)
            case NotInHand(view):
                return reply(Problem(_why_not(view)), 409)
            case None:
                return _no_such_alarm(alarm)
            case shown:
                return reply(shown)


def _no_such_alarm(alarm: str) -> Response:
    return reply(Problem(f"there is no alarm {alarm!r}; GET /v1/alarms lists the active ones"), 404)


def _why_not(view: AlarmView) -> str:
    if view.kind != "emergency":
        return "it is no emergency: it ends when its cause is gone, or when somebody has it in hand"
    return "nobody has it in hand yet: acknowledge it first"
