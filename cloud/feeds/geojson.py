"""A partner's units as GeoJSON (RFC 7946), for any map. Pure.

Each unit is a feature; its `id` is the unit, its properties are the fields that are opened to the partner, under the
names of `wire.partner`. The geometry is where its position says that it is, however old: `position_fresh` and
`position_s` among the properties say how far that can be relied on.
"""

from typing import Literal

import msgspec

from wire.events import Instant
from wire.feed import PositionView
from wire.partner import PartnerRecord, PartnerUnits

MEDIA_TYPE = "application/geo+json"
PLACES = 7
"""Decimal places of degrees: a centimetre. RFC 7946, section 11.2, asks for no more than is meant."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A place. Longitude comes first, WGS 84 degrees (RFC 7946, sections 3.1.1 and 4)."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """A unit."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: Point | None
    """Null where no position is opened, or none is known."""
    properties: PartnerRecord


class FeatureCollection(msgspec.Struct, frozen=True, kw_only=True):
    """A page of units. What is beside `type` and `features` are foreign members (RFC 7946, section 6.1)."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: tuple[Feature, ...]
    at: Instant
    """Ages among the properties are as at this moment."""
    cursor: int
    next_after: str | None = None


def feature_collection(page: PartnerUnits) -> FeatureCollection:
    """Make a page of units a feature collection. Nothing is added to what the records hold."""
    return FeatureCollection(
        features=tuple(map(_feature, page.units)), at=page.at, cursor=page.cursor, next_after=page.next_after
    )


def _feature(record: PartnerRecord) -> Feature:
    return Feature(id=record.unit, geometry=_point(record), properties=record)


def _point(record: PartnerRecord) -> Point | None:
    place = record.position
    if not isinstance(place, PositionView) or place.lat is None or place.lon is None:
        return None
    return Point(coordinates=(round(place.lon, PLACES), round(place.lat, PLACES)))
