"""Loans between organisations: what each says to the other, and how it stands."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.bodies import describe_body, read_body
from cloud.api.schemas import answers, reply
from cloud.api.sharing import WHY_NOT, answer
from cloud.api.source import Site
from wire.lending import Loan, LoanMessage


class LoanList(msgspec.Struct, frozen=True, kw_only=True):
    """Loans at `at`, the last that changed first."""

    at: datetime
    loans: tuple[Loan, ...]


BODIES: list[type[msgspec.Struct]] = [Loan, LoanList, LoanMessage]
"""What the routes read and answer with."""
Organisation = Annotated[str | None, Query(max_length=40)]
SAID = answers(
    Loan,
    "The loan, as it stands now.",
    s404="There is no such loan or organisation.",
    s409="It can't be said as things stand: the problem says why, and at which version the loan is.",
    **WHY_NOT,
)


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/loans", tags=["sharing"])

    @routes.get("", responses=answers(LoanList, "The loans."))
    async def list_loans(organisation: Organisation = None) -> Response:
        """The loans that an organisation is a side of, with all that was said; without one, all of this service."""
        return reply(LoanList(at=site.moment().utc, loans=site.lending.loans(organisation)))

    @routes.get("/{loan}", responses=answers(Loan, "The loan.", s404="There is no such loan."))
    async def show_loan(loan: str, organisation: Organisation = None) -> Response:
        """A loan, with all that was said about it."""
        found = site.lending.find(loan, organisation)
        if found is None:
            return reply(Problem(f"there is no loan {loan!r}; GET /v1/loans lists them"), 404)
        return reply(found)

    @routes.post("", responses=SAID, openapi_extra=describe_body("LoanMessage"))
    async def say_of_loan(request: Request) -> Response:
        """Say something about a loan, for an organisation of this room. The same message again changes nothing."""
        asked = await read_body(request, LoanMessage)
        return asked if isinstance(asked, Response) else answer(await site.lending.say(asked))

    return routes
