"""Makes the outline of the land that the map shows where nothing better is set up.

Natural Earth's land, in the public domain, by way of the npm package `world-atlas`: the British Isles at 1:10 million,
the rest at 1:50 million, both thinned to what a control room's map can show.
"""

import json
from collections.abc import Callable, Iterator
from math import hypot
from typing import Any

Point = tuple[float, float]
Ring = list[Point]
Polygon = list[Ring]

ISLES = (-11.0, 49.1, 2.2, 61.0)
"""West, south, east, north of the British Isles. What lies in it whole is taken from the finer outline."""
ISLES_OFF_DEG = 0.0008
REST_OFF_DEG = 0.012
"""How far, in degrees of latitude, a line may lie off the one that it came from."""
SCALE = 1000
"""Coordinates are told in thousandths of a degree: 110 m."""


def arcs_of(topology: dict[str, Any]) -> list[Ring]:
    """A topology's arcs in degrees."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for packed in topology["arcs"]:
        x = y = 0
        arc = []
        for step_x, step_y in packed:
            x, y = x + step_x, y + step_y
            arc.append((x * kx + dx, y * ky + dy))
        arcs.append(arc)
    return arcs


def polygons_of(topology: dict[str, Any]) -> Iterator[Polygon]:
    """The polygons of a topology's land."""
    arcs = arcs_of(topology)

    def ring(indexes: list[int]) -> Ring:
        points: Ring = []
        for index in indexes:
            arc = arcs[index] if index >= 0 else arcs[~index][::-1]
            points += arc[1:] if points else arc
        return points

    for geometry in topology["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"]:
            yield [ring(indexes) for indexes in polygon]


def is_of_the_isles(polygon: Polygon) -> bool:
    """Whether it lies in the British Isles whole."""
    west, south, east, north = ISLES
    return all(west <= x <= east and south <= y <= north for x, y in polygon[0])


def thinned(points: Ring, off_deg: float) -> Ring:
    """A line with fewer points, nowhere further than `off_deg` off the one given: Douglas and Peucker's."""
    kept = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        length = hypot(x1 - x0, y1 - y0)
        worst, at = off_deg, None
        for index in range(first + 1, last):
            x, y = points[index]
            off = abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length if length else hypot(x - x0, y - y0)
            if off > worst:
                worst, at = off, index
        if at is not None:
            kept.add(at)
            spans += [(first, at), (at, last)]
    return [points[index] for index in sorted(kept)]


def packed(polygon: Polygon, off_deg: float) -> list[list[int]]:
    """A polygon's rings as steps in thousandths of a degree. Empty where it is too small to be seen."""
    rings = []
    for ring in polygon:
        steps, x, y = [], 0, 0
        for point in thinned(ring, off_deg):
            to_x, to_y = round(point[0] * SCALE), round(point[1] * SCALE)
            if not steps or (to_x, to_y) != (x, y):
                steps += [to_x - x, to_y - y]
                x, y = to_x, to_y
        if len(steps) >= 8:
            rings.append(steps)
        elif not rings:
            return []
    return rings


def make_land(read: Callable[[str], bytes]) -> bytes:
    """Make the outline: JSON with `scale` and `polygons`. `read` gives a file of the package."""
    fine, coarse = (json.loads(read(f"land-{size}.json")) for size in ("10m", "50m"))
    polygons = [packed(one, ISLES_OFF_DEG) for one in polygons_of(fine) if is_of_the_isles(one)]
    polygons += [packed(one, REST_OFF_DEG) for one in polygons_of(coarse) if not is_of_the_isles(one)]
    told = {"scale": SCALE, "polygons": [polygon for polygon in polygons if polygon]}
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"
