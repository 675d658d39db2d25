"""Which units are asked for. A filter on what is not opened finds nothing, so that no answer tells of it."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import Query
from msgspec import UNSET

from cloud.api.answers import Problem
from cloud.directory import Directory
from cloud.directory.areas import Area
from wire.events import Service
from wire.feed import AvailabilityClass, Confidence, PositionView
from wire.partner import PartnerRecord

Words = Annotated[str | None, Query(min_length=1, max_length=200)]
_BOX_NUMBERS = 4


@dataclass(frozen=True)
class Asked:
    """What a query asks for; None for whatever it is."""

    area: Annotated[
        str | None,
        Query(max_length=200, description="The id of an area, or a box as `west,south,east,north` in degrees."),
    ] = None
    service: Annotated[Service | None, Query()] = None
    type: Words = None
    capability: Words = None
    availability: Annotated[AvailabilityClass | None, Query(alias="class")] = None
    confidence: Annotated[Confidence | None, Query()] = None


class Box(msgspec.Struct, frozen=True):
    """Ground between two meridians and two parallels, its border included; over longitude 180 where east is west."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lat: float, lon: float) -> bool:
        """Whether a place is on it."""
        across = self.west <= lon <= self.east if self.west <= self.east else lon >= self.west or lon <= self.east
        return across and self.south <= lat <= self.north


@dataclass(frozen=True)
class Filter:
    """What is asked for, and the ground that it names."""

    asked: Asked
    ground: Area | Box | None

    def takes(self, record: PartnerRecord) -> bool:
        """Whether a unit is asked for, by what is shown of it alone."""
        asked = self.asked
        return (
            (asked.service is None or record.service == asked.service)
            and (asked.type is None or record.type == asked.type)
            and (
                asked.capability is None
                or (record.capabilities is not UNSET and asked.capability in record.capabilities)
            )
            and (asked.availability is None or record.availability == asked.availability)
            and (asked.confidence is None or record.confidence == asked.confidence)
            and (self.ground is None or _is_on(self.ground, record))
        )


def read_filter(asked: Asked, directory: Directory) -> Filter | Problem:
    """Find the ground that a query names, or say why there is none."""
    if asked.area is None:
        return Filter(asked, None)
    ground = directory.areas.get(asked.area) or _box(asked.area)
    return ground if isinstance(ground, Problem) else Filter(asked, ground)


def _is_on(ground: Area | Box, record: PartnerRecord) -> bool:
    place = record.position
    if not isinstance(place, PositionView) or place.lat is None or place.lon is None:
        return False
    return ground.holds(place.lat, place.lon)


def _box(text: str) -> Box | Problem:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != _BOX_NUMBERS or not all(abs(number) <= 180 for number in numbers):
        return Problem("area: give the id of an area, or west,south,east,north in degrees, such as 0.4,51.1,0.9,51.4")
    box = Box(*numbers)
    if not -90 <= box.south <= box.north <= 90:
        return Problem("area: south must not be north of north, and both must lie from -90 to 90")
    return box
