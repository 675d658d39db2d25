"""Major incidents: declared by control, they switch on the agreements that name them."""

from datetime import datetime

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.bodies import describe_body, read_body
from cloud.api.schemas import answers, reply
from cloud.api.sharing import WHY_NOT, answer
from cloud.api.source import Site
from cloud.desk.bindingwords import DecisionRequest
from cloud.desk.sharingwords import DeclareRequest, MajorIncident


class MajorIncidentList(msgspec.Struct, frozen=True, kw_only=True):
    """The major incidents that are declared at `at`, in the order in which they were."""

    at: datetime
    major_incidents: tuple[MajorIncident, ...]


BODIES: list[type[msgspec.Struct]] = [DeclareRequest, DecisionRequest, MajorIncident, MajorIncidentList]
"""What the routes read and answer with."""


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/major-incidents", tags=["sharing"])

    @routes.get("", responses=answers(MajorIncidentList, "Those that are declared."))
    async def list_major_incidents() -> Response:
        """The major incidents that are declared, and the agreements that each has switched on."""
        found = site.sharing.major_incidents()
        return reply(MajorIncidentList(at=site.moment().utc, major_incidents=found))

    @routes.post(
        "",
        responses=answers(MajorIncident, "The major incident, which is declared.", **WHY_NOT),
        openapi_extra=describe_body("DeclareRequest"),
    )
    async def declare_major_incident(request: Request) -> Response:
        """Declare a major incident. Where `agreements` is empty none waits for it: see that its name is right."""
        asked = await read_body(request, DeclareRequest)
        return asked if isinstance(asked, Response) else answer(await site.sharing.declare(asked))

    @routes.post(
        "/{name:path}/end",  # a name may hold slashes
        responses=answers(MajorIncident, "The major incident, as it was.", s404="It is not declared.", **WHY_NOT),
        openapi_extra=describe_body("DecisionRequest"),
    )
    async def end_major_incident(name: str, request: Request) -> Response:
        """End a major incident: the agreements that name it wait again."""
        asked = await read_body(request, DecisionRequest)
        return asked if isinstance(asked, Response) else answer(await site.sharing.end_incident(name, asked))

    return routes
