"""Who shares what with whom: agreements as they stand, withdrawn and restored, and emergency access.

This is the control room's own side: an owner withdraws here, for any organisation of this room. A partner's system
never gets here; it opens emergency access on its own port.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.bodies import AWAY, NOT_JSON, describe_body, read_body
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.desk.bindingwords import DecisionRequest, Refusal
from cloud.desk.sharing import Sharing
from cloud.desk.sharingwords import AccessEnd, AccessFor, AccessView, AgreementView


class AgreementList(msgspec.Struct, frozen=True, kw_only=True):
    """Every agreement as it stands at `at`, by id."""

    at: datetime
    agreements: tuple[AgreementView, ...]
    """Those of the directory, and `loan:ID` for what each loan opens."""


class AccessList(msgspec.Struct, frozen=True, kw_only=True):
    """Emergency access at `at`: what is open, then what is over, the newest first."""

    at: datetime
    accesses: tuple[AccessView, ...]


BODIES: list[type[msgspec.Struct]] = [
    AccessEnd, AccessFor, AccessList, AccessView, AgreementList, AgreementView, DecisionRequest
]  # fmt: skip
"""What the routes read and answer with."""
WHY_NOT = {
    "s413": "The body is too long.",
    "s415": NOT_JSON,
    "s422": "The body is not understood, or asks for what can't be: the problem says which.",
    "s503": AWAY,
}
"""What any request that decides something may be answered with."""
_AGREEMENT = answers(AgreementView, "The agreement, as it stands now.", s404="There is no such agreement.", **WHY_NOT)
_ACCESS = answers(
    AccessView,
    "The emergency access, as it stands now.",
    s404="There is no such organisation, or no such access of it.",
    s409="The partner has too many open already.",
    **WHY_NOT,
)
_Act = Callable[[Sharing, str, DecisionRequest], Awaitable[AgreementView | Refusal]]


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1", tags=["sharing"])
    _add_agreements(routes, site)
    _add_access(routes, site)
    return routes


def _add_agreements(routes: APIRouter, site: Site) -> None:
    @routes.get("/agreements", responses=answers(AgreementList, "Every agreement, as it stands now."))
    async def list_agreements() -> Response:
        """Every agreement: what it opens to whom, whether it is in force, and what it waits for."""
        return reply(AgreementList(at=site.moment().utc, agreements=site.sharing.agreements()))

    @routes.post(
        "/agreements/{agreement}/withdraw", responses=_AGREEMENT, openapi_extra=describe_body("DecisionRequest")
    )
    async def withdraw_agreement(agreement: str, request: Request) -> Response:
        """End an agreement now: its partner sees nothing more by it within seconds. It only ends sooner by this."""
        return await _decide(site, agreement, request, Sharing.withdraw)

    @routes.post(
        "/agreements/{agreement}/restore", responses=_AGREEMENT, openapi_extra=describe_body("DecisionRequest")
    )
    async def restore_agreement(agreement: str, request: Request) -> Response:
        """Let an agreement that was withdrawn hold again, as far as the directory lets it."""
        return await _decide(site, agreement, request, Sharing.restore)


def _add_access(routes: APIRouter, site: Site) -> None:
    @routes.get("/emergency-access", responses=answers(AccessList, "What is open, and what is over."))
    async def list_emergency_access() -> Response:
        """Every emergency access that is open, then the newest of those that are over."""
        return reply(AccessList(at=site.moment().utc, accesses=site.sharing.accesses()))

    @routes.post("/emergency-access", responses=_ACCESS, openapi_extra=describe_body("AccessFor"))
    async def open_emergency_access(request: Request) -> Response:
        """Open all units of an owner to a partner for a while, but for hidden ones. The owner's boards announce it."""
        asked = await read_body(request, AccessFor)
        return asked if isinstance(asked, Response) else answer(await site.sharing.open_access(asked.partner, asked))

    @routes.post("/emergency-access/{access}/end", responses=_ACCESS, openapi_extra=describe_body("AccessEnd"))
    async def end_emergency_access(access: str, request: Request) -> Response:
        """End an emergency access early, for the owner or for the partner."""
        asked = await read_body(request, AccessEnd)
        return asked if isinstance(asked, Response) else answer(await site.sharing.end_access(access, asked))


async def _decide(site: Site, agreement: str, request: Request, act: _Act) -> Response:
    asked = await read_body(request, DecisionRequest)
    return asked if isinstance(asked, Response) else answer(await act(site.sharing, agreement, asked))


def answer(found: msgspec.Struct) -> Response:
    """Answer with what was decided, or with why it could not be."""
    return reply(Problem(found.problem), found.status) if isinstance(found, Refusal) else reply(found)
