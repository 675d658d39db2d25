"""The agreements that an organisation is a side of, and the schemes of status codes, which are no secret."""

from datetime import datetime
from typing import Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.partner.tokens import caller_of
from cloud.api.schemas import answers, reply
from cloud.api.schemes import CodeView, SchemeView, view_scheme
from cloud.api.source import Site
from cloud.desk.sharingwords import AgreementState, AgreementView
from wire.partner import Grant


class PartnerAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement as both its sides may see it. Which units it is about by name only its owner is told."""

    agreement: str
    role: Literal["owner", "partner"]
    """Which side you are."""
    owner: str
    partner: str
    purpose: str
    types: tuple[str, ...]
    capabilities: tuple[str, ...]
    fields: tuple[Grant, ...]
    precision_m: int
    """0 for exact positions."""
    delay_s: int
    when: Literal["always", "joint_incident", "major_incident"]
    incident: str
    valid_from: datetime | None
    valid_until: datetime | None
    state: AgreementState
    waits_for: str
    """Plain English; empty where it waits for nothing."""


class PartnerAgreementList(msgspec.Struct, frozen=True, kw_only=True):
    """The agreements that you are a side of, by id, as they stand at `at`."""

    at: datetime
    agreements: tuple[PartnerAgreement, ...]


class SchemeNames(msgspec.Struct, frozen=True, kw_only=True):
    """The schemes that there are, by name."""

    schemes: tuple[str, ...]


BODIES: list[type[msgspec.Struct]] = [PartnerAgreement, PartnerAgreementList, SchemeNames, SchemeView, CodeView]
"""What the routes answer with."""


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["sharing"])

    @routes.get("/v1/agreements", responses=answers(PartnerAgreementList, "Your agreements."))
    async def list_agreements(request: Request) -> Response:
        """The agreements that you are a side of, as they stand now."""
        caller = caller_of(request).partner
        found = (one for one in site.sharing.agreements() if caller in (one.owner, one.partner))
        return reply(PartnerAgreementList(at=site.moment().utc, agreements=tuple(_view(one, caller) for one in found)))

    @routes.get("/v1/schemes", responses=answers(SchemeNames, "The schemes."))
    async def list_schemes() -> Response:
        """The schemes of status codes. They are public: which services are here does not follow from them."""
        return reply(SchemeNames(schemes=tuple(sorted(site.ingest.directory.schemes))))

    @routes.get("/v1/schemes/{name}", responses=answers(SchemeView, "The scheme.", s404="No such scheme."))
    async def show_scheme(name: str) -> Response:
        """A scheme's codes and labels, as this service reads them."""
        scheme = site.ingest.directory.schemes.get(name)
        if scheme is None:
            return reply(Problem("there is no such scheme; GET /v1/schemes lists them"), 404)
        return reply(view_scheme(scheme))

    return routes


def _view(one: AgreementView, caller: str) -> PartnerAgreement:
    return PartnerAgreement(
        agreement=one.agreement,
        role="owner" if one.owner == caller else "partner",
        owner=one.owner,
        partner=one.partner,
        purpose=one.purpose,
        types=one.types,
        capabilities=one.capabilities,
        fields=one.fields,
        precision_m=one.precision_m,
        delay_s=one.delay_s,
        when=one.when,
        incident=one.incident,
        valid_from=one.valid_from,
        valid_until=one.valid_until,
        state=one.state,
        waits_for=one.waits_for,
    )
