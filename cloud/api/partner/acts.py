"""What an organisation may do by its own system: open emergency access, and lend and borrow. Always for itself."""

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.bodies import describe_body, read_body
from cloud.api.lending import SAID, LoanList
from cloud.api.partner.tokens import caller_of
from cloud.api.schemas import answers, reply
from cloud.api.sharing import WHY_NOT, AccessList, answer
from cloud.api.source import Site
from cloud.desk.bindingwords import DecisionRequest
from cloud.desk.sharingwords import AccessEnd, AccessRequest, AccessView
from wire.lending import Loan, LoanMessage

BODIES: list[type[msgspec.Struct]] = [
    AccessList, AccessRequest, AccessView, DecisionRequest, Loan, LoanList, LoanMessage
]  # fmt: skip
"""What the routes read and answer with."""
_NO_ACCESS = Problem("there is no such emergency access of yours; GET /v1/emergency-access lists them")
_NO_LOAN = Problem("there is no such loan of yours; GET /v1/loans lists them")
_OPENED = answers(
    AccessView, "It is open.", s404="There is no such owner.", s409="You have too many open already.", **WHY_NOT
)
_ENDED = answers(AccessView, "The emergency access, as it stands now.", s404=_NO_ACCESS.problem, **WHY_NOT)
_FOREIGN = "`from` names another organisation than your token."


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1", tags=["sharing"])
    _add_access(routes, site)
    _add_loans(routes, site)
    return routes


def _add_access(routes: APIRouter, site: Site) -> None:
    @routes.get("/emergency-access", responses=answers(AccessList, "What is open, and what is over."))
    async def list_emergency_access(request: Request) -> Response:
        """Emergency access that you opened, or that was opened to your units."""
        caller = caller_of(request).partner
        found = tuple(one for one in site.sharing.accesses() if caller in (one.partner, one.owner))
        return reply(AccessList(at=site.moment().utc, accesses=found))

    @routes.post("/emergency-access", responses=_OPENED, openapi_extra=describe_body("AccessRequest"))
    async def open_emergency_access(request: Request) -> Response:
        """See all units of an owner for a while, but for hidden ones. The owner is told, with your reason."""
        asked = await read_body(request, AccessRequest)
        if isinstance(asked, Response):
            return asked
        return answer(await site.sharing.open_access(caller_of(request).partner, asked))

    @routes.post("/emergency-access/{access}/end", responses=_ENDED, openapi_extra=describe_body("DecisionRequest"))
    async def end_emergency_access(access: str, request: Request) -> Response:
        """End an emergency access early, whichever side you are."""
        asked, caller = await read_body(request, DecisionRequest), caller_of(request).partner
        if isinstance(asked, Response):
            return asked
        found = await site.sharing.end_access(access, AccessEnd(by=asked.by, reason=asked.reason, organisation=caller))
        return answer(found) if isinstance(found, AccessView) else reply(_NO_ACCESS, 404)


def _add_loans(routes: APIRouter, site: Site) -> None:
    @routes.get("/loans", responses=answers(LoanList, "Your loans."))
    async def list_loans(request: Request) -> Response:
        """The loans that you are a side of, with all that was said, the last that changed first."""
        found = site.lending.loans(caller_of(request).partner)
        return reply(LoanList(at=site.moment().utc, loans=found))

    @routes.get("/loans/{loan}", responses=answers(Loan, "The loan.", s404=_NO_LOAN.problem))
    async def show_loan(loan: str, request: Request) -> Response:
        """A loan, with all that was said about it."""
        found = site.lending.find(loan, caller_of(request).partner)
        return reply(_NO_LOAN, 404) if found is None else reply(found)

    @routes.post(
        "/loans", responses=SAID | answers(Loan, "The loan, as it stands now.", s403=_FOREIGN),
        openapi_extra=describe_body("LoanMessage"),
    )  # fmt: skip
    async def say_of_loan(request: Request) -> Response:
        """Say something about a loan. The same message again changes nothing."""
        asked = await read_body(request, LoanMessage)
        if isinstance(asked, Response):
            return asked
        if asked.sender != caller_of(request).partner:
            return reply(Problem("from: must be your own organisation"), 403)
        return answer(await site.lending.say(asked))
