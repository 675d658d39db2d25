"""What the routes serve from, and the application that holds them."""

from importlib.metadata import version

from fastapi import FastAPI

from cloud.api import (
    alarms,
    bases,
    bindings,
    changes,
    control,
    covers,
    directory,
    feed,
    fleethealth,
    health,
    incidents,
    lending,
    modes,
    orders,
    partners,
    recommend,
    replay,
    schemes,
    seen,
    sharing,
    statistics,
    units,
)
from cloud.api import map as maps
from cloud.api.guard import LoopbackGuard
from cloud.api.problems import add_problems
from cloud.api.schemas import BOARD, add_schemas
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
    api.include_router(control.router(site))
    api.include_router(bases.router(site))
    api.include_router(directory.router(site))
    api.include_router(orders.router(site))
    api.include_router(alarms.router(site))
    api.include_router(modes.router(site))
    api.include_router(bindings.router(site))
    api.include_router(recommend.router(site))
    api.include_router(schemes.router(site))
    api.include_router(replay.router(site.past, site.moment))
    api.include_router(changes.router(site.ledger))
    api.include_router(statistics.router(site.counting, site.moment))
    api.include_router(maps.router(site.basemap))
    api.include_router(sharing.router(site))
    api.include_router(partners.router(site))
    api.include_router(incidents.router(site))
    api.include_router(lending.router(site))
    api.include_router(covers.router(site))
    api.include_router(seen.router(site))
    api.include_router(fleethealth.router(site))
    api.include_router(feed.router(site))
    api.include_router(health.router(site))
    add_problems(api)
    add_schemas(
        api,
        [
            *BOARD,
            *bases.BODIES,
            *control.BODIES,
            *directory.BODIES,
            *orders.BODIES,
            *alarms.BODIES,
            *modes.BODIES,
            *bindings.BODIES,
            *recommend.BODIES,
            *schemes.BODIES,
            *replay.BODIES,
            *changes.BODIES,
            *statistics.BODIES,
            *maps.BODIES,
            *sharing.BODIES,
            *partners.BODIES,
            *incidents.BODIES,
            *lending.BODIES,
            *covers.BODIES,
            *seen.BODIES,
            *fleethealth.BODIES,
        ],
    )
    return api
