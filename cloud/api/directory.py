"""The directory in force: which version, what is wrong with its files, and what a map or a room needs of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.directory import Area, ControlRoom
from wire.feed import Service


class DirectoryCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of each kind there are."""

    organisations: int
    bases: int
    vehicles: int
    units: int
    devices: int
    areas: int
    shifts: int
    control_rooms: int


class DirectoryView(msgspec.Struct, frozen=True, kw_only=True):
    """The directory in force."""

    version: str
    """12 hex digits of the SHA-256 over its files."""
    since: datetime
    """When it came into force in this process."""
    trouble: tuple[str, ...]
    """What is wrong with the files as they are now, in a line; empty where they are in force."""
    counts: DirectoryCounts


class FileProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong in the files."""

    path: str
    """File and row, such as `units.toml: unit[2].base`."""
    problem: str
    expected: str
    """What would be right."""


class DirectoryRefused(msgspec.Struct, frozen=True, kw_only=True):
    """The files can't be used, so nothing changed."""

    problem: str
    version: str
    """The one that stays in force."""
    problems: tuple[FileProblem, ...]


class AreaProperties(msgspec.Struct, frozen=True, kw_only=True):
    """What an area is called, and whose it is."""

    id: str
    name: str
    organisation: str | None
    service: Service | None


class Geometry(msgspec.Struct, frozen=True, kw_only=True):
    """GeoJSON, degrees, WGS 84, longitude first."""

    type: Literal["Polygon", "MultiPolygon"]
    coordinates: list[Any]


class AreaFeature(msgspec.Struct, frozen=True, kw_only=True):
    """One area."""

    type: Literal["Feature"] = "Feature"
    id: str
    properties: AreaProperties
    geometry: Geometry


class AreaCollection(msgspec.Struct, frozen=True, kw_only=True):
    """Every area, as GeoJSON. Those of one service need not meet those of another, and any may overlap."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: tuple[AreaFeature, ...]


class Covering(msgspec.Struct, frozen=True, kw_only=True):
    """Another room's area that a room has taken over, and with it what that room watches."""

    cover: str
    """The agreement on cover, by id."""
    control_room: str
    """The room whose area it is, by id."""
    name: str
    organisations: tuple[str, ...]
    areas: tuple[str, ...]
    why: str
    since: datetime


class ControlRoomView(msgspec.Struct, frozen=True, kw_only=True):
    """A room that watches."""

    control_room: str
    """Its id."""
    name: str
    organisations: tuple[str, ...]
    """Its own; those that it covers are in `covering`."""
    areas: tuple[str, ...]
    covering: tuple[Covering, ...] = ()
    covered_by: tuple[str, ...] = ()
    """The rooms that have taken its area over, by id."""


class ControlRoomList(msgspec.Struct, frozen=True, kw_only=True):
    """Every control room, by name."""

    control_rooms: tuple[ControlRoomView, ...]


BODIES: list[type[msgspec.Struct]] = [DirectoryView, DirectoryRefused, AreaCollection, ControlRoomList]
"""What the routes answer with."""


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["directory"])
    _add_versions(routes, site)
    _add_places(routes, site)
    return routes


def _add_versions(routes: APIRouter, site: Site) -> None:
    reloading = answers(DirectoryView, "What the files say is in force.")
    reloading[422] = answers(DirectoryRefused, "")[200] | {
        "description": "The files have errors, and nothing changed: `problems` has each of them."
    }

    @routes.get("/v1/directory", responses=answers(DirectoryView, "The directory in force."))
    async def show_directory() -> Response:
        """Which version is in force, since when, and what is wrong with the files as they are now."""
        return reply(_view(site))

    @routes.post("/v1/directory/reload", responses=reloading)
    async def reload_directory() -> Response:
        """Read the directory's files at once. Without it they are read within seconds of a change."""
        problems = await site.reloader.look_now()
        if not problems:
            return reply(_view(site))
        refused = DirectoryRefused(
            problem=site.reloader.trouble[0],
            version=site.ingest.directory.version,
            problems=tuple(FileProblem(path=one.path, problem=one.problem, expected=one.expected) for one in problems),
        )
        return reply(refused, 422)


def _add_places(routes: APIRouter, site: Site) -> None:
    @routes.get("/v1/areas", responses=answers(AreaCollection, "Every area."))
    async def list_areas() -> Response:
        """Every area of the directory, as a GeoJSON FeatureCollection."""
        known: Mapping[str, Area] = site.ingest.directory.areas
        return reply(AreaCollection(features=tuple(map(_feature, known.values()))))

    @routes.get("/v1/control-rooms", responses=answers(ControlRoomList, "Every control room."))
    async def list_control_rooms() -> Response:
        """Every control room of the directory, by name, with whose units and which ground it watches."""
        known = sorted(site.ingest.directory.control_rooms.values(), key=lambda room: (room.name, room.id))
        return reply(ControlRoomList(control_rooms=tuple(_room(site, one) for one in known)))


def _view(site: Site) -> DirectoryView:
    directory = site.ingest.directory
    names = DirectoryCounts.__struct_fields__
    return DirectoryView(
        version=directory.version,
        since=site.reloader.since,
        trouble=tuple(site.reloader.trouble),
        counts=DirectoryCounts(**{name: len(getattr(directory, name)) for name in names}),
    )


def _room(site: Site, room: ControlRoom) -> ControlRoomView:
    rooms = site.ingest.directory.control_rooms
    taken = ((word, rooms[word.room]) for word in site.covering.covering(room.id))
    return ControlRoomView(
        control_room=room.id,
        name=room.name,
        organisations=room.organisations,
        areas=room.areas,
        covering=tuple(
            Covering(
                cover=word.cover,
                control_room=other.id,
                name=other.name,
                organisations=other.organisations,
                areas=other.areas,
                why=word.why or "",
                since=word.at,
            )
            for word, other in taken
        ),
        covered_by=tuple(word.covered_by for word in site.covering.covered(room.id)),
    )


def _feature(area: Area) -> AreaFeature:
    return AreaFeature(
        id=area.id,
        properties=AreaProperties(id=area.id, name=area.name, organisation=area.organisation, service=area.service),
        geometry=Geometry(type=area.geometry["type"], coordinates=area.geometry["coordinates"]),
    )
