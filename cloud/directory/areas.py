"""Areas: ground that belongs together, such as a force's or a station's, read from GeoJSON. Pure.

Each service draws its own: areas of one service need not meet those of another, and any may overlap.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from cloud.directory.tokens import Name, Token
from wire.feed import Service
from wire.strict import Problem, convert, shown

FILES = "areas"
"""The folder inside the directory's folder that holds them, as `*.geojson`."""
HEIGHT_MAX_M = 1e7
"""Above or below the sea; a place's degrees are held to their own bounds."""
VERTICES_MAX = 100_000
"""Of one area. What is drawn finer helps nobody and makes each check slow."""


class AreaRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature's properties say."""

    id: Token
    name: Name
    organisation: Token | None = None
    service: Service | None = None


class Area(AreaRow, frozen=True, kw_only=True):
    """A stretch of ground."""

    geometry: dict[str, Any]
    """As GeoJSON: a Polygon or MultiPolygon, degrees, WGS 84, longitude first."""
    ground: BaseGeometry
    """The same, to reckon with."""

    def holds(self, lat: float, lon: float) -> bool:
        """Whether a place is on it, its border included."""
        return bool(self.ground.covers(shapely.Point(lon, lat)))


class Feature(msgspec.Struct, frozen=True):
    """A row of an area file, and where it stands."""

    area: Area
    path: str


def read_areas(text: str) -> tuple[list[Feature], list[Problem]]:
    """Read a file's text: the areas that can be used, each with its path, and every problem of the others."""
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return [], [Problem("", f"is not GeoJSON: {error}", "a GeoJSON FeatureCollection")]
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection" or not isinstance(features, list):
        return [], [Problem("", "is no FeatureCollection", "a GeoJSON FeatureCollection with a list of features")]
    areas, problems = [], []
    for index, feature in enumerate(features):
        path = f"features[{index}]"
        made = _area(feature, path)
        if isinstance(made, Area):
            areas.append(Feature(made, f"{path}.properties"))
        else:
            problems += made
    return areas, problems


def ids_of(text: str) -> list[str]:
    """Tell every id of a file, also of features with other faults: a row may refer to them."""
    try:
        features = json.loads(text)["features"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return []
    rows = (feature.get("properties") for feature in features if isinstance(feature, dict))
    ids = (row.get("id") for row in rows if isinstance(row, dict))
    return [name for name in ids if isinstance(name, str)]


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _area(feature: object, path: str) -> Area | list[Problem]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return [Problem(path, "is no Feature", "a GeoJSON Feature")]
    row = convert(feature.get("properties"), AreaRow, f"{path}.properties")
    ground = _ground(feature.get("geometry"), f"{path}.geometry")
    if isinstance(row, AreaRow) and isinstance(ground, BaseGeometry):
        return Area(**msgspec.structs.asdict(row), geometry=feature["geometry"], ground=ground)
    return [*(row if isinstance(row, tuple) else ()), *(ground if isinstance(ground, list) else ())]


def _ground(geometry: object, path: str) -> BaseGeometry | list[Problem]:
    if not isinstance(geometry, dict):
        return [Problem(path, "is missing", "a Polygon or MultiPolygon")]
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return [Problem(f"{path}.type", shown(geometry.get("type")), "one of 'Polygon', 'MultiPolygon'")]
    problems = list(_coordinate_problems(geometry, path))
    if problems:
        return problems
    ground = shape(_flat(geometry))  # heights may be given for some positions only
    if not shapely.is_valid(ground):  # nor is ground without an area
        why = shapely.is_valid_reason(ground)
        return [Problem(path, f"is not valid: {why}", "rings that neither cross nor touch themselves or each other")]
    shapely.prepare(ground)
    return ground


def _flat(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the heights out."""
    polygons = geometry["coordinates"]
    parts = [polygons] if geometry["type"] == "Polygon" else polygons
    flat = [[[position[:2] for position in ring] for ring in part] for part in parts]
    return {"type": geometry["type"], "coordinates": flat[0] if geometry["type"] == "Polygon" else flat}


def _coordinate_problems(geometry: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Tell what is wrong with the rings, at most one problem each. Afterwards they can be made into ground."""
    where = f"{path}.coordinates"
    polygons = geometry.get("coordinates")
    parts = [polygons] if geometry["type"] == "Polygon" else polygons
    if not isinstance(parts, list) or not parts or not all(isinstance(part, list) and part for part in parts):
        yield Problem(where, "holds no rings", "lists of rings, each of positions [longitude, latitude]")
        return
    count = sum(len(ring) for part in parts for ring in part if isinstance(ring, list))
    if count > VERTICES_MAX:
        yield Problem(where, f"has {count} positions", f"at most {VERTICES_MAX}: simplify it")
        return
    for number, part in enumerate(parts):
        for place, ring in enumerate(part):
            ring_path = f"{where}[{place}]" if geometry["type"] == "Polygon" else f"{where}[{number}][{place}]"
            yield from _ring_problems(ring, ring_path)


def _ring_problems(ring: object, path: str) -> Iterator[Problem]:
    if not isinstance(ring, list) or len(ring) < 4:
        yield Problem(path, "is no ring", "a list of 4 or more positions, the last as the first")
        return
    for index, position in enumerate(ring):
        fault = _fault(position)
        if fault:
            yield Problem(f"{path}[{index}]", fault, "[longitude, latitude] in degrees, -180 to 180 and -90 to 90")
            return
    if ring[0][:2] != ring[-1][:2]:
        yield Problem(path, "is not closed", "a list of 4 or more positions, the last as the first")


def _fault(position: object) -> Literal["", "is no position", "is outside the world"]:
    if not isinstance(position, list) or not 2 <= len(position) <= 3:
        return "is no position"
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in position):
        return "is no position"
    if not all(abs(each) <= HEIGHT_MAX_M for each in position):  # nor is infinity, which JSON can be made to hold
        return "is outside the world"
    return "" if abs(position[0]) <= 180 and abs(position[1]) <= 90 else "is outside the world"
