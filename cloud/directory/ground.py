"""What must hold of places: bases and the ground around them, areas, and the rooms that watch them. Pure."""

from collections.abc import Iterator, Mapping

from cloud.directory.areas import Area
from cloud.directory.rows import Base, ControlRoom
from cloud.directory.tables import Placed, Tables
from wire.feed import Service
from wire.strict import Problem


def ground_problems(tables: Tables) -> Iterator[Problem]:
    """Tell what is wrong between bases, areas and control rooms."""
    areas = {each.row.id: each.row for each in tables.areas}
    services = {each.row.id: each.row.service for each in tables.organisations}
    for base in tables.bases:
        yield from _base_problems(base)
        yield from _area_problems(base, areas)
    for area in tables.areas:
        yield from _service_problems(area, services)
    for room in tables.control_rooms:
        yield from _room_problems(room)


def _base_problems(base: Placed[Base]) -> Iterator[Problem]:
    row = base.row
    if (row.lat is None) != (row.lon is None):
        yield base.problem("lat" if row.lat is None else "lon", "is missing", "lat and lon, or neither")
    if row.fence_m is not None and row.area is not None:
        yield base.problem("fence_m", "is given beside area", "fence_m or area, not both")
    elif row.fence_m is not None and row.lat is None and row.lon is None:
        yield base.problem("fence_m", "is given without a place", "lat and lon, or no fence_m")
    ids = [zone.id for zone in row.zones]
    for index, name in enumerate(ids):
        if ids.index(name) != index:
            yield base.problem(f"zones[{index}].id", f"{name!r} is there twice", "an id of its own in the base")


def _area_problems(base: Placed[Base], areas: Mapping[str, Area]) -> Iterator[Problem]:
    area = areas.get(base.row.area) if base.row.area is not None else None
    if area is None or base.row.lat is None or base.row.lon is None:
        return
    if not area.holds(base.row.lat, base.row.lon):
        problem = f"{area.id!r} does not hold the base's place"
        yield base.problem("area", problem, "an area around lat and lon (in GeoJSON the longitude comes first)")


def _service_problems(area: Placed[Area], services: Mapping[str, Service]) -> Iterator[Problem]:
    owner, service = area.row.organisation, area.row.service
    if owner is not None and service is not None and services.get(owner, service) != service:
        problem = f"is {service!r}, and {owner!r} is {services[owner]!r}"
        yield area.problem("service", problem, "its organisation's service, or none")


def _room_problems(room: Placed[ControlRoom]) -> Iterator[Problem]:
    for key, names in (("organisations", room.row.organisations), ("areas", room.row.areas)):
        for index, name in enumerate(names):
            if names.index(name) != index:
                yield room.problem(f"{key}[{index}]", f"{name!r} is there twice", "each once")
