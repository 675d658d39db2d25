"""What the routes serve from, and the application that holds them."""

from importlib.metadata import version

from fastapi import FastAPI

from cloud.api import alarms, bases, feed, health, orders, units
from cloud.api.guard import LoopbackGuard
from cloud.api.problems import add_problems
from cloud.api.schemas import add_schemas
from cloud.api.source import Site

__all__ = ["Site", "make_api"]

_DESCRIPTION = """
Live availability of police, fire and ambulance units. Until devices and people have identities this service listens on
the loopback interface only. Times are UTC, RFC 3339; units of measure stand at the end of a field's name.
"""


def make_api(site: Site) -> FastAPI:
    """Make the application. Whoever runs it starts and stops what `site` refers to."""
    # The framework's own pages load scripts from elsewhere; /openapi.json says the same.
    api = FastAPI(
        title="Watchroom", version=version("watchroom"), description=_DESCRIPTION, docs_url=None, redoc_url=None
    )
    api.add_middleware(LoopbackGuard)
    api.include_router(units.router(site))
    api.include_router(bases.router(site))
    api.include_router(orders.router(site))
    api.include_router(alarms.router(site))
    api.include_router(feed.router(site))
    api.include_router(health.router(site))
    add_problems(api)
    add_schemas(api, [*bases.BODIES, *orders.BODIES, *alarms.BODIES])
    return api
