"""Where units belong, and which of these places can be alerted: what an order names by id."""

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.directory import Base
from wire.feed import Service


class ZoneView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a station."""

    zone: str
    """Its id, as the station's own layout has it."""
    name: str
    services: tuple[Service, ...]
    """Whose it is; none where it is everybody's."""


class BaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One base."""

    base: str
    """Its id."""
    name: str
    """The display name, as in a unit's record."""
    device: str | None
    """The station's device; null where only vehicles can be alerted."""
    organisation: str | None = None
    """Whose it is, by id; null where it is shared."""
    shared: bool = True
    """Whether units of more than one service are at home here, or it belongs to no organisation."""
    lat: float | None = None
    """Degrees, WGS 84; null where the directory names no place."""
    lon: float | None = None
    zones: tuple[ZoneView, ...] = ()


class BaseList(msgspec.Struct, frozen=True, kw_only=True):
    """Every base, by name."""

    bases: tuple[BaseView, ...]


BODIES: list[type[msgspec.Struct]] = [ZoneView, BaseView, BaseList]
"""What the route answers with."""


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["units"])

    @routes.get("/v1/bases", responses=answers(BaseList, "Every base."))
    async def list_bases() -> Response:
        """Every base of the directory, by name."""
        directory = site.ingest.directory
        services: dict[str, set[Service]] = {}
        for unit in directory.units.values():
            services.setdefault(unit.home or unit.base, set()).add(unit.service)
        known = sorted(directory.bases.values(), key=lambda base: (base.name, base.id))
        views = tuple(_view(base, len(services.get(base.id, ())) > 1) for base in known)
        return reply(BaseList(bases=views))

    return routes


def _view(base: Base, several: bool) -> BaseView:
    return BaseView(
        base=base.id,
        name=base.name,
        device=base.device,
        organisation=base.organisation,
        shared=several or base.organisation is None,
        lat=base.lat,
        lon=base.lon,
        zones=tuple(ZoneView(zone=one.id, name=one.name or one.id, services=one.services) for one in base.zones),
    )
