"""The control room's own list of units: all of it, or as it is asked for."""

import msgspec
from fastapi import Request
from fastapi.responses import Response

from cloud.api.answers import Problem, UnitList
from cloud.api.filters import Asked, read_filter
from cloud.api.pages import FORMATS, ISSUER, PAGE_MAX, Paging, cut, encode_page, format_of, reply_tagged, tag_of
from cloud.api.schemas import reply
from cloud.api.source import Site
from cloud.sharing.terms import OWN
from cloud.sharing.view import view
from wire.feed import FeedRecord
from wire.partner import PartnerRecord, PartnerUnits

_Pair = tuple[FeedRecord, PartnerRecord]
"""A unit as the board has it, and as its owner's view."""
_encode = msgspec.json.Encoder().encode


def give_units(site: Site, request: Request, asked: Asked, paging: Paging) -> Response:
    """Answer with the units that are asked for: as the board has them, or, in another format, as their owner's."""
    wanted = read_filter(asked, site.ingest.directory)
    if isinstance(wanted, Problem):
        return reply(wanted, 422)
    now = site.moment()
    every = [(record, view(record, OWN, record.as_of)) for record in site.feed.records(now)]
    found = [pair for pair in every if wanted.takes(pair[1])]
    next_after = None
    if paging.limit is not None or paging.after is not None:
        found, next_after = _cut(found, paging)
    shown, kind = [one for _, one in found], format_of(request, paging)
    if kind == "json":
        units = tuple(record for record, _ in found)
        body = _encode(UnitList(at=now.utc, cursor=site.feed.cursor, units=units, next_after=next_after))
    else:
        page = PartnerUnits(at=now.utc, cursor=site.feed.cursor, units=tuple(shown), next_after=next_after)
        body = encode_page(page, kind, ISSUER)
    return reply_tagged(request, tag_of(shown, kind, next_after or ""), body, FORMATS[kind])


def _cut(found: list[_Pair], paging: Paging) -> tuple[list[_Pair], str | None]:
    behind = sorted((pair for pair in found if pair[0].unit > (paging.after or "")), key=lambda pair: pair[0].unit)
    page, more = cut(behind, paging.limit or PAGE_MAX)
    return list(page), page[-1][0].unit if more else None
