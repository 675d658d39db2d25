"""Says where a document leaves RFC 7946: written from its text, apart from what writes ours."""

from collections.abc import Iterator
from typing import Any

PLACES_MAX = 7
"""Decimal places that a position may have. The RFC (section 11.2) asks for no more than is meant."""
_RESERVED = {"coordinates", "geometries", "geometry", "properties"}
"""Members that a feature collection may not have (section 7.1)."""


def complaints(document: Any) -> Iterator[str]:
    """Tell what is wrong with a feature collection of points."""
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        yield "it is no FeatureCollection (section 3.3)"
        return
    if "crs" in document:
        yield "it has a crs member: only WGS 84 is left (section 4)"
    for name in _RESERVED & document.keys():
        yield f"it has a member {name} that is another type's (section 7.1)"
    features = document.get("features")
    if not isinstance(features, list):
        yield "its features are no array (section 3.3)"
        return
    for number, feature in enumerate(features):
        yield from (f"feature {number}: {complaint}" for complaint in _of_feature(feature))


def _of_feature(feature: Any) -> Iterator[str]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        yield "it is no Feature (section 3.2)"
        return
    if not isinstance(feature.get("id"), str | int | float) or isinstance(feature["id"], bool):
        yield "its id is no text and no number (section 3.2)"
    if not isinstance(feature.get("properties", 0), dict | None):
        yield "its properties are no object and not null (section 3.2)"
    for name in {"coordinates", "geometries", "features"} & feature.keys():
        yield f"it has a member {name} that is another type's (section 7.1)"
    geometry = feature.get("geometry", 0)
    if geometry is not None:
        yield from _of_point(geometry)


def _of_point(geometry: Any) -> Iterator[str]:
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        yield "its geometry is neither a Point nor null (sections 3.1.2 and 3.2)"
        return
    if "crs" in geometry:
        yield "its geometry has a crs member (section 4)"
    place = geometry.get("coordinates")
    if not isinstance(place, list) or len(place) not in (2, 3) or not all(map(_is_number, place)):
        yield "its coordinates are not two or three numbers (section 3.1.1)"
        return
    lon, lat = place[:2]
    if not -180 <= lon <= 180 or not -90 <= lat <= 90:
        yield f"{place} is no longitude and latitude, in this order (sections 3.1.1 and 4)"
    if any(round(number, PLACES_MAX) != number for number in (lon, lat)):
        yield f"{place} has more than {PLACES_MAX} decimal places (section 11.2)"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
