"""A made-up county's roads, grown from a seed: towns of jittered streets, joined by arterials and lanes.

Towns are laid out in plan metres about the centre (x east, y north) and turned into WGS 84 at the end. One seed gives
one network, always. Some streets are one-way; what can't be both reached from the county town and left for it is
dropped, so the network is strongly connected.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from heapq import heappop, heappush
from itertools import combinations
from math import cos, dist, hypot, radians, sin
from random import Random

from simulator.earth import Point, bearing_deg, distance_m, offset

CENTRE = Point(51.27, 0.52)
HALF_WIDTH_M, HALF_HEIGHT_M = 6_000.0, 5_000.0
ARTERIAL_STEP_M = 350.0
LANE_LENGTH_MAX_M = 1_500.0
ONE_WAY_SHARE, MISSING_SHARE = 0.06, 0.10

Plan = tuple[float, float]


class RoadClass(Enum):
    """What kind of road it is."""

    STREET = "street"
    AVENUE = "avenue"
    LANE = "lane"
    ARTERIAL = "arterial"


LIMIT_MPS = {  # 30, 40, 40 and 60 mph
    RoadClass.STREET: 13.4,
    RoadClass.AVENUE: 17.9,
    RoadClass.LANE: 17.9,
    RoadClass.ARTERIAL: 26.8,
}


@dataclass(frozen=True, slots=True)
class Town:
    """A place with streets: where it is and how far it reaches."""

    name: str
    centre: Point
    radius_m: float


@dataclass(frozen=True, slots=True)
class Road:
    """One direction of one road between two junctions; `points` runs from the start's to the end's."""

    start: int
    end: int
    road_class: RoadClass
    points: tuple[Point, ...]
    length_m: float

    @property
    def limit_mps(self) -> float:
        """The speed limit, metres a second."""
        return LIMIT_MPS[self.road_class]

    @property
    def time_s(self) -> float:
        """How long it takes at the limit."""
        return self.length_m / self.limit_mps


@dataclass(frozen=True, slots=True)
class Network:
    """Junctions, the roads that leave each of them, and the towns, largest first."""

    nodes: tuple[Point, ...]
    leaving: tuple[tuple[Road, ...], ...]
    towns: tuple[Town, ...]

    def nearest(self, point: Point) -> int:
        """The junction nearest to `point` as the crow flies."""
        return min(range(len(self.nodes)), key=lambda node: distance_m(self.nodes[node], point))

    def within(self, centre: Point, radius_m: float) -> tuple[int, ...]:
        """The junctions no further than `radius_m` from `centre`, in order."""
        return tuple(n for n, point in enumerate(self.nodes) if distance_m(point, centre) <= radius_m)

    def route(self, start: int, end: int) -> tuple[Road, ...]:
        """The quickest way at the speed limits (A*); empty when `start` is `end`."""
        target, top_mps = self.nodes[end], max(LIMIT_MPS.values())
        best: dict[int, float] = {start: 0.0}
        came: dict[int, Road] = {}
        queue: list[tuple[float, int]] = [(0.0, start)]
        done: set[int] = set()
        while queue:
            node = heappop(queue)[1]
            if node == end:
                return _walk_back(came, start, end)
            if node in done:
                continue
            done.add(node)
            for road in self.leaving[node]:
                time_s = best[node] + road.time_s
                if time_s < best.get(road.end, float("inf")):
                    best[road.end], came[road.end] = time_s, road
                    heappush(queue, (time_s + distance_m(self.nodes[road.end], target) / top_mps, road.end))
        raise ValueError(f"no way from junction {start} to {end}")


def _walk_back(came: Mapping[int, Road], start: int, end: int) -> tuple[Road, ...]:
    roads: list[Road] = []
    while end != start:
        roads.append(came[end])
        end = came[end].start
    return tuple(reversed(roads))


@dataclass(frozen=True, slots=True)
class _TownPlan:
    name: str
    at: Plan
    radius_m: float
    spacing_m: float


@dataclass(slots=True)
class _Draft:
    """The network while it grows: plan positions, and links by node pair with a bend and whether one-way."""

    random: Random
    at: list[Plan] = field(default_factory=list)
    links: dict[tuple[int, int], tuple[RoadClass, bool]] = field(default_factory=dict)

    def add(self, x: float, y: float) -> int:
        self.at.append((x, y))
        return len(self.at) - 1

    def link(self, a: int, b: int, road_class: RoadClass, *, one_way: bool = False) -> None:
        if a != b and (a, b) not in self.links and (b, a) not in self.links:
            self.links[(a, b)] = (road_class, one_way)


def generate(seed: int, centre: Point = CENTRE) -> Network:
    """A county of about 12 by 10 km round `centre`, the same for the same seed."""
    draft = _Draft(Random(f"roads {seed}"))
    towns = _towns(draft.random)
    streets = [_town_streets(draft, town) for town in towns]
    arterial = _arterials(draft, towns, streets)
    _lanes(draft, towns, edges=[*arterial, *_rim(draft, towns, streets)])
    return _finish(draft, towns, centre)


def _towns(random: Random) -> list[_TownPlan]:
    """Fixed sites, moved a little: the county town in the middle, towns round it, villages between."""
    sites = [
        ("Wealdham", 0.0, 0.0, 1_500.0, 145.0),
        ("Hartsbourne", -4_100.0, 2_700.0, 850.0, 150.0),
        ("Eastry Cross", 4_200.0, 2_500.0, 900.0, 155.0),
        ("Marlingfold", 3_300.0, -3_200.0, 800.0, 150.0),
        ("Thornden", -3_600.0, -3_000.0, 750.0, 160.0),
        ("Copse Green", 200.0, 3_800.0, 420.0, 150.0),
        ("Nether Isling", -5_200.0, -100.0, 380.0, 150.0),
        ("Oakhanger Bridge", 5_100.0, -400.0, 400.0, 150.0),
        ("Lower Pell", -300.0, -4_100.0, 420.0, 155.0),
    ]

    def near(value: float) -> float:
        return value + random.uniform(-350.0, 350.0)

    return [_TownPlan(name, (near(x), near(y)), radius_m, gap) for name, x, y, radius_m, gap in sites]


def _town_streets(draft: _Draft, town: _TownPlan) -> list[int]:
    """A turned, jittered grid inside a ragged circle; every fourth line is an avenue. Returns what hangs together."""
    random, turn = draft.random, radians(draft.random.uniform(0.0, 90.0))
    reach = int(town.radius_m / town.spacing_m) + 1
    grid: dict[tuple[int, int], int] = {}
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            u, v = (k * town.spacing_m + random.gauss(0.0, 0.12 * town.spacing_m) for k in (i, j))
            if hypot(u, v) <= town.radius_m * random.uniform(0.86, 1.06):
                x, y = u * cos(turn) - v * sin(turn), u * sin(turn) + v * cos(turn)
                grid[(i, j)] = draft.add(town.at[0] + x, town.at[1] + y)
    for (i, j), node in grid.items():
        for other, line in ((grid.get((i + 1, j)), j), (grid.get((i, j + 1)), i)):
            if other is not None:
                _link_street(draft, node, other, avenue=line % 4 == 0)
    return sorted(_reach(_ways(draft, both=True), min(grid.values(), key=lambda n: dist(draft.at[n], town.at))))


def _link_street(draft: _Draft, a: int, b: int, *, avenue: bool) -> None:
    chance = draft.random.random()
    if avenue:
        draft.link(a, b, RoadClass.AVENUE)
    elif chance >= MISSING_SHARE:
        one_way = chance >= 1.0 - ONE_WAY_SHARE
        draft.link(*((b, a) if chance >= 1.0 - ONE_WAY_SHARE / 2 else (a, b)), RoadClass.STREET, one_way=one_way)


def _arterials(draft: _Draft, towns: list[_TownPlan], streets: list[list[int]]) -> list[int]:
    """A winding arterial between neighbouring towns, from edge to edge. Returns the junctions along them."""
    laid: list[int] = []
    for a, b in _neighbours([town.at for town in towns], reach_m=float("inf")):
        first = min(streets[a], key=lambda n: dist(draft.at[n], towns[b].at))
        last = min(streets[b], key=lambda n: dist(draft.at[n], towns[a].at))
        laid += _arterial(draft, first, last)
    return laid


def _arterial(draft: _Draft, first: int, last: int) -> list[int]:
    (x, y), (to_x, to_y) = draft.at[first], draft.at[last]
    length_m = hypot(to_x - x, to_y - y)
    steps = max(1, round(length_m / ARTERIAL_STEP_M))
    bow, wave = draft.random.uniform(-0.07, 0.07) * length_m, draft.random.uniform(-60.0, 60.0)
    side_x, side_y = -(to_y - y) / length_m, (to_x - x) / length_m
    line = [first]
    for step in range(1, steps):
        t = step / steps
        aside = bow * 4 * t * (1 - t) + wave * sin(9.0 * t) * min(1.0, 6 * t, 6 * (1 - t))
        line.append(draft.add(x + (to_x - x) * t + side_x * aside, y + (to_y - y) * t + side_y * aside))
    line.append(last)
    for here, there in zip(line, line[1:], strict=False):
        draft.link(here, there, RoadClass.ARTERIAL)
    return line


def _rim(draft: _Draft, towns: list[_TownPlan], streets: list[list[int]]) -> list[int]:
    """The outermost junctions of each town, where lanes may come in."""
    town_streets = zip(towns, streets, strict=True)
    return [n for town, nodes in town_streets for n in nodes if dist(draft.at[n], town.at) > 0.8 * town.radius_m]


def _lanes(draft: _Draft, towns: list[_TownPlan], edges: list[int]) -> None:
    """Junctions scattered over the fields, joined by lanes to their neighbours and to the `edges` of what is built."""
    fields: list[int] = []
    for gx in range(-7, 8):
        for gy in range(-6, 7):
            at = (gx * 780.0 + draft.random.uniform(-270, 270), gy * 780.0 + draft.random.uniform(-270, 270))
            inside = abs(at[0]) < HALF_WIDTH_M and abs(at[1]) < HALF_HEIGHT_M
            open_country = all(dist(at, town.at) > town.radius_m * 1.06 + 150.0 for town in towns)
            if inside and open_country and all(dist(at, draft.at[n]) > 260.0 for n in edges):
                fields.append(draft.add(*at))
    joined = sorted({*fields, *edges})
    for a, b in _neighbours([draft.at[n] for n in joined], reach_m=LANE_LENGTH_MAX_M):
        if draft.random.random() < 0.85 and not {joined[a], joined[b]}.isdisjoint(fields):
            draft.link(joined[a], joined[b], RoadClass.LANE)


def _neighbours(at: list[Plan], *, reach_m: float) -> list[tuple[int, int]]:
    """The Gabriel graph: pairs with no third place in the circle between them. Planar, and connected in reach."""
    close = [[j for j, there in enumerate(at) if dist(here, there) <= reach_m and there != here] for here in at]
    pairs: list[tuple[int, int]] = []
    for a, b in combinations(range(len(at)), 2):
        gap_m = dist(at[a], at[b])
        if gap_m <= reach_m:
            middle = ((at[a][0] + at[b][0]) / 2, (at[a][1] + at[b][1]) / 2)
            if all(dist(at[c], middle) >= gap_m / 2 for c in close[a] if c != b):
                pairs.append((a, b))
    return pairs


def _finish(draft: _Draft, towns: list[_TownPlan], centre: Point) -> Network:
    """Keep what is strongly connected with the county town, number it afresh, and turn metres into degrees."""
    kept = sorted(_strong(draft))
    number = {old: new for new, old in enumerate(kept)}
    nodes = tuple(offset(centre, east_m=draft.at[n][0], north_m=draft.at[n][1]) for n in kept)
    leaving: list[list[Road]] = [[] for _ in kept]
    for (a, b), (road_class, one_way) in draft.links.items():
        if a in number and b in number:
            points = _bend(nodes[number[a]], nodes[number[b]], road_class, draft.random)
            length_m = sum(distance_m(p, q) for p, q in zip(points, points[1:], strict=False))
            leaving[number[a]].append(Road(number[a], number[b], road_class, points, length_m))
            if not one_way:
                leaving[number[b]].append(Road(number[b], number[a], road_class, points[::-1], length_m))
    places = (Town(t.name, offset(centre, east_m=t.at[0], north_m=t.at[1]), t.radius_m) for t in towns)
    return Network(nodes, tuple(map(tuple, leaving)), tuple(places))


def _bend(a: Point, b: Point, road_class: RoadClass, random: Random) -> tuple[Point, ...]:
    """The line from `a` to `b`: lanes wind, other roads run straight between their junctions."""
    if road_class is not RoadClass.LANE:
        return (a, b)
    length_m, along = distance_m(a, b), radians(bearing_deg(a, b))
    bow_m = random.uniform(-0.09, 0.09) * length_m
    steps = max(2, round(length_m / 130.0))
    line = [a]
    for step in range(1, steps):
        t = step / steps
        ahead_m, aside_m = length_m * t, bow_m * sin(3.1416 * t) + 0.3 * bow_m * sin(9.4248 * t)
        east_m = ahead_m * sin(along) + aside_m * cos(along)
        line.append(offset(a, east_m=east_m, north_m=ahead_m * cos(along) - aside_m * sin(along)))
    return (*line, b)


def _strong(draft: _Draft) -> set[int]:
    """The junctions that the county town's centre can reach and be reached from."""
    middle = min(range(len(draft.at)), key=lambda n: hypot(*draft.at[n]))
    return _reach(_ways(draft), middle) & _reach(_ways(draft, backward=True), middle)


def _ways(draft: _Draft, *, backward: bool = False, both: bool = False) -> dict[int, list[int]]:
    """From each junction, the junctions one may drive to; `backward` from; `both` ignores one-way signs."""
    ways: dict[int, list[int]] = {}
    for (a, b), (_, one_way) in draft.links.items():
        if both or not one_way or not backward:
            ways.setdefault(a, []).append(b)
        if both or not one_way or backward:
            ways.setdefault(b, []).append(a)
    return ways


def _reach(links: Mapping[int, Iterable[int]], start: int) -> set[int]:
    seen, waiting = {start}, [start]
    while waiting:
        for node in links.get(waiting.pop(), ()):
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return seen
