"""Whether the service is whole, and its figures."""

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, generate_latest

from cloud.api.answers import Health
from cloud.api.census import take_census
from cloud.api.figures import Figures
from cloud.api.schemas import answers, reply
from cloud.api.source import Site

_WELL = answers(Health, "All is well.")
_ANSWERS = _WELL | {503: _WELL[200] | {"description": "Something is wrong: see `trouble`."}}
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/healthz", responses=_ANSWERS)
    async def healthz() -> Response:
        """200 where ingest hears the broker and both stores take commits; else 503, with what is wrong."""
        trouble = tuple(site.trouble())
        health = Health(
            ok=not trouble,
            trouble=trouble,
            units=len(site.ingest.directory.units),
            listeners=len(site.listeners),
            owner_term=site.ingest.owner_term,
            directory=site.ingest.directory.version,
        )
        return reply(health, 503 if trouble else 200)

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Figures of every hop in Prometheus's text format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Figures(site, await take_census(site)))
        return Response(generate_latest(registry), media_type=_TEXT)

    return routes
