"""What an owner is shown of sharing: who is a partner, what each sees of what, and why. Never for a partner."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response, StreamingResponse

from cloud.api import partner as application
from cloud.api.answers import Problem
from cloud.api.filters import Asked
from cloud.api.pages import Paging
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.api.units import no_such_unit
from cloud.sharing.explain import Explained, ExplainedAgreement, ExplainedGrant, explain
from wire.events import Service
from wire.partner import PartnerRecord, PartnerUnits


class PartnerView(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation whose systems read what agreements open to it."""

    partner: str
    """The organisation's id."""
    name: str
    service: Service
    streams: int
    """How many of its systems listen to its feed now."""
    units: int
    """How many units it sees now, its own among them."""
    others: int
    """How many of them are not its own."""
    mqtt: bool
    cad: bool


class PartnerList(msgspec.Struct, frozen=True, kw_only=True):
    """Every partner, by id, as at `at`."""

    at: datetime
    partners: tuple[PartnerView, ...]


class UnitSharing(msgspec.Struct, frozen=True, kw_only=True):
    """What each other organisation sees of a unit at `at`, and why: every partner, seeing it or not, by id."""

    at: datetime
    unit: str
    organisation: str
    """Whose it is."""
    partners: tuple[Explained, ...]


BODIES: list[type[msgspec.Struct]] = [
    PartnerList,
    PartnerView,
    UnitSharing,
    Explained,
    ExplainedAgreement,
    ExplainedGrant,
    PartnerUnits,
    PartnerRecord,
]
"""What the routes answer with."""
_NOBODY = Problem("there is no such partner; GET /v1/partners lists them")


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["sharing"])
    _add_views(routes, site)

    @routes.get("/v1/partners", responses=answers(PartnerList, "Every partner."))
    async def list_partners() -> Response:
        """The organisations whose systems read what agreements open to them, and how much each sees now."""
        partners = tuple(_view(site, name) for name in sorted(site.ingest.directory.partners))
        return reply(PartnerList(at=site.moment().utc, partners=partners))

    @routes.get("/v1/units/{unit}/sharing", responses=answers(UnitSharing, "Who sees what.", s404="No such unit."))
    async def explain_unit(unit: str) -> Response:
        """What each other organisation sees of a unit, and why not more."""
        found = _explain(site, unit)
        return no_such_unit(unit) if found is None else reply(found)

    return routes


def _add_views(routes: APIRouter, site: Site) -> None:
    described = application.units.PAGES | answers(PartnerUnits, "", s404=_NOBODY.problem)
    described[200] = application.units.PAGES[200]

    @routes.get("/v1/partners/{partner}/units", responses=described)
    async def list_units_of_partner(
        partner: str, request: Request, asked: Annotated[Asked, Depends()], paging: Annotated[Paging, Depends()]
    ) -> Response:
        """Exactly what a partner's own system is answered now, byte for byte. It does not count as its read."""
        if partner not in site.ingest.directory.partners:
            return reply(_NOBODY, 404)
        return application.units.give_page(site, partner, request, (asked, paging)).answer

    @routes.get(
        "/v1/partners/{partner}/feed",
        responses=application.feed.ANSWERS | {404: answers(PartnerList, "", s404=_NOBODY.problem)[404]},
        response_class=StreamingResponse,
    )
    async def follow_partner(partner: str, last_event_id: Annotated[str | None, Header()] = None) -> Response:
        """Exactly what a partner's own system is told. It does not count as its read."""
        if partner not in site.ingest.directory.partners:
            return reply(_NOBODY, 404)
        return application.feed.show_feed(site, partner, last_event_id or "")


def _view(site: Site, name: str) -> PartnerView:
    directory, partners = site.ingest.directory, site.partners
    row, organisation, seen = directory.partners[name], directory.organisations[name], partners.views.seen_by(name)
    own = sum(1 for unit in seen if unit in directory.units and directory.units[unit].organisation == name)
    return PartnerView(
        partner=name,
        name=organisation.name,
        service=organisation.service,
        streams=len(partners.listeners(name)) if partners.feed(name) is not None else 0,
        units=len(seen),
        others=len(seen) - own,
        mqtt=row.mqtt,
        cad=row.cad,
    )


def _explain(site: Site, unit: str) -> UnitSharing | None:
    now, views = site.moment(), site.partners.views
    shared = views.shared(unit)
    if shared is None:
        return None
    agreements, situation = views.agreements(), views.situation(now)
    others = {one.partner for one in agreements if one.owner == shared.organisation}
    others |= site.ingest.directory.partners.keys() - {shared.organisation}
    return UnitSharing(
        at=now.utc,
        unit=unit,
        organisation=shared.organisation,
        partners=tuple(explain(shared, partner, agreements, situation) for partner in sorted(others)),
    )
