"""Whether the feed speaks: that, and nothing of how the service fares otherwise."""

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.feeds.feed import LOST_AFTER_S


class FeedHealth(msgspec.Struct, frozen=True):
    """Whether your feed speaks in time."""

    ok: bool


BODIES: list[type[msgspec.Struct]] = [FeedHealth]
"""What the route answers with."""
_WELL = answers(FeedHealth, "It does.")
_ANSWERS = _WELL | {503: _WELL[200] | {"description": "It doesn't: show nothing of it as live."}}


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/healthz", responses=_ANSWERS)
    async def healthz() -> Response:
        """Whether your feed speaks in time."""
        ok = site.moment().mono_s - site.partners.ticked.mono_s < LOST_AFTER_S
        return reply(FeedHealth(ok), 200 if ok else 503)

    return routes
