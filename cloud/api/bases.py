"""Where units belong, and which of these places can be alerted: what an order names by id."""

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from cloud.api.schemas import answers, reply
from cloud.api.source import Site


class BaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One base."""

    base: str
    """Its id."""
    name: str
    """The display name, as in a unit's record."""
    device: str | None
    """The station's device; null where only vehicles can be alerted."""


class BaseList(msgspec.Struct, frozen=True, kw_only=True):
    """Every base, by name."""

    bases: tuple[BaseView, ...]


BODIES: list[type[msgspec.Struct]] = [BaseView, BaseList]
"""What the route answers with."""


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["units"])

    @routes.get("/v1/bases", responses=answers(BaseList, "Every base."))
    async def list_bases() -> Response:
        """Every base of the directory, by name."""
        known = sorted(site.ingest.directory.bases.values(), key=lambda base: (base.name, base.id))
        return reply(BaseList(bases=tuple(BaseView(base=one.id, name=one.name, device=one.device) for one in known)))

    return routes
