"""The application that partners' systems read: every route asks for a token first, and answers for its holder alone."""

from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from cloud.api import cad
from cloud.api import statistics as figures
from cloud.api.answers import Problem
from cloud.api.guard import LoopbackGuard
from cloud.api.partner import acts, agreements, feed, health, history, statistics, units
from cloud.api.partner.tokens import TokenGuard, caller_of, withdrawn_tokens
from cloud.api.problems import add_problems
from cloud.api.schemas import add_schemas
from cloud.api.source import Site
from cloud.directory import Directory
from cloud.feeds import PartnerFeeds

_DESCRIPTION = """
What agreements open to an organisation, live. Every request brings the organisation's token, as in `Authorization:
Bearer TOKEN`. A unit that is not there, and one that no agreement opens, are answered alike. A field that no agreement
opens is absent; what is null or empty is known to be so. Times are UTC, RFC 3339.
"""


def make_partner_api(site: Site) -> FastAPI:
    """Make the application. Whoever runs it starts and stops what `site` refers to."""
    api = FastAPI(
        title="Watchroom for partners",
        version=version("watchroom"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    api.add_middleware(TokenGuard, partners=lambda: site.ingest.directory.partners.values())
    api.add_middleware(LoopbackGuard)
    site.ingest.in_force.follow(partial(_end_streams, site.partners))
    api.include_router(units.router(site))
    api.include_router(feed.router(site))
    api.include_router(agreements.router(site))
    api.include_router(history.router(site))
    api.include_router(statistics.router(site))
    api.include_router(acts.router(site))
    api.include_router(health.router(site))
    api.include_router(cad.router(site.cad, lambda request: caller_of(request).partner))
    add_problems(api)
    parts = (units, feed, agreements, history, figures, acts, health, cad)
    add_schemas(api, [Problem, *(body for part in parts for body in part.BODIES)])
    return api


def _end_streams(partners: PartnerFeeds, before: Directory, after: Directory) -> None:
    """End the streams that were begun with a token that holds no more."""
    for partner in withdrawn_tokens(before, after):
        if partners.feed(partner) is not None:
            partners.listeners(partner).close()
