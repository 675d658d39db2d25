"""The units that an organisation may see, as they stand."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.filters import Asked, Filter, read_filter
from cloud.api.pages import (
    FORMATS,
    ISSUER,
    PAGE_MAX,
    Paging,
    cut,
    describe_formats,
    encode_page,
    format_of,
    reply_tagged,
    tag_of,
)
from cloud.api.partner.tokens import caller_of
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.feeds.views import Shown
from cloud.sharing.terms import Grants
from wire.partner import PartnerRecord, PartnerUnits

BODIES: list[type[msgspec.Struct]] = [PartnerUnits, PartnerRecord]
"""What the routes answer with."""
BAD_QUERY = "The query is not understood."
NO_SUCH_UNIT = Problem("there is no such unit, or none that you may see; GET /v1/units lists those that you may")


PAGES = answers(PartnerUnits, "", s422=BAD_QUERY) | describe_formats("PartnerUnits", "Units, by unit.")


class Given(NamedTuple):
    """An answer, and the units that it shows, with what opens each."""

    answer: Response
    shown: Mapping[str, Grants]


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/units", tags=["units"])

    @routes.get("", responses=PAGES)
    async def list_units(
        request: Request, asked: Annotated[Asked, Depends()], paging: Annotated[Paging, Depends()]
    ) -> Response:
        """Every unit that you may see, in pages of at most 1,000, with what may be seen of it."""
        caller = caller_of(request)
        given = give_page(site, caller.partner, request, (asked, paging))
        site.reads.note(caller.partner, given.shown, way="query", now=site.moment().utc)
        return given.answer

    @routes.get("/{unit}", responses=answers(PartnerRecord, "The unit.", s404=NO_SUCH_UNIT.problem))
    async def show_unit(request: Request, unit: str) -> Response:
        """One unit, with what may be seen of it."""
        caller = caller_of(request)
        given = give_unit(site, caller.partner, request, unit)
        site.reads.note(caller.partner, given.shown, way="query", now=site.moment().utc)
        return given.answer

    return routes


def give_page(site: Site, partner: str, request: Request, query: tuple[Asked, Paging]) -> Given:
    """Answer with a page of what a partner may see, to whoever asks for it."""
    asked, paging = query
    wanted = read_filter(asked, site.ingest.directory)
    if isinstance(wanted, Problem):
        return Given(reply(wanted, 422), {})
    shown, page = _page(site, partner, wanted, paging)
    kind = format_of(request, paging)
    tag = tag_of((one.record for one in shown), kind, page.next_after or "")
    answer = reply_tagged(request, tag, encode_page(page, kind, ISSUER), FORMATS[kind])
    return Given(answer, {one.record.unit: one.grants for one in shown})


def give_unit(site: Site, partner: str, request: Request, unit: str) -> Given:
    """Answer with what a partner may see of a unit. One that is hidden, and one that is not there, are alike."""
    now = site.moment()
    shown = site.partners.views.record(partner, unit, now)
    encoded = () if shown is None else site.partners.encode([shown], now)
    if shown is None or not encoded:
        return Given(reply(NO_SUCH_UNIT, 404), {})
    answer = reply_tagged(request, tag_of([shown.record]), bytes(encoded[0]), FORMATS["json"])
    return Given(answer, {unit: shown.grants})


def _page(site: Site, partner: str, wanted: Filter, paging: Paging) -> tuple[tuple[Shown, ...], PartnerUnits]:
    now = site.moment()
    views, feed = site.partners.views, site.partners.feed(partner)
    found = site.partners.checked(views.records(partner, now, after=paging.after or ""))
    page, more = cut((one for one in found if wanted.takes(one.record)), paging.limit or PAGE_MAX)
    records = tuple(one.record for one in page)
    return page, PartnerUnits(
        at=now.utc,
        cursor=feed.cursor if feed is not None else 0,
        units=records,
        next_after=records[-1].unit if more else None,
    )
