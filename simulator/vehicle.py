"""How a vehicle moves along a route, and what its receiver makes of it. Pure: time is an argument.

`plan_path` turns roads into a path whose every corner has a speed that can be held there, worked back from the end so
that a vehicle never has to brake harder than it can. `apply` moves a vehicle by some seconds; `observe` adds the error
of a GPS receiver.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise, zip_longest
from math import cos, exp, hypot, radians, sqrt
from random import Random

from simulator.earth import Point, bearing_deg, between, distance_m, offset, turn_deg
from simulator.roads import LIMIT_MPS, Road

ACCELERATION_MPS2 = 2.2
BRAKING_MPS2 = 3.0
"""What a path is planned with."""
HARD_BRAKING_MPS2 = 8.0
"""The most that a vehicle brakes, when it is sent elsewhere just before a corner."""
STEP_S = 0.25
TURN_RATE_DEG_S = 75.0
URGENT_FACTOR = 1.3
"""How far above the limit a vehicle goes on an emergency run."""
SPEED_MAX_MPS = URGENT_FACTOR * max(LIMIT_MPS.values())
STOP_SHARE = 0.2
"""How often an ordinary vehicle has to stop at a junction."""


@dataclass(frozen=True, slots=True)
class Path:
    """A way to drive: its corners, metres from the start, the limit after each, and the speed and wait at each."""

    points: tuple[Point, ...]
    junctions: tuple[int | None, ...]
    """The network's number of each corner that is a junction."""
    limit_mps: tuple[float, ...]
    wait_s: tuple[float, ...]
    at_m: tuple[float, ...]
    corner_mps: tuple[float, ...]

    @property
    def length_m(self) -> float:
        """Metres from end to end."""
        return self.at_m[-1]


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Where a vehicle is and how it moves; parked when it has no path."""

    point: Point
    heading_deg: float = 0.0
    speed_mps: float = 0.0
    path: Path | None = None
    driven_m: float = 0.0
    """Metres along `path`."""
    wait_s: float = 0.0
    """Seconds it still stands at the junction it has come to."""

    @property
    def parked(self) -> bool:
        """Whether it has arrived, or never left."""
        return self.path is None


def plan_path(roads: Sequence[Road], random: Random, *, urgent: bool = False) -> Path | None:
    """The way along `roads`, or None when there are none. `urgent` is faster, and stops at no junction."""
    if not roads:
        return None
    factor = URGENT_FACTOR if urgent else 1.0
    corners = [Corner(roads[0].points[0], roads[0].start, roads[0].limit_mps * factor)]
    for road, after in zip_longest(roads, roads[1:]):
        corners += [Corner(point, None, road.limit_mps * factor) for point in road.points[1:-1]]
        stops = after is not None and not urgent and random.random() < STOP_SHARE
        limit_mps = (after or road).limit_mps * factor
        wait_s = random.uniform(2.0, 14.0) if stops else 0.0
        corners.append(Corner(road.points[-1], road.end, limit_mps, wait_s))
    return _shape(corners)


@dataclass(frozen=True, slots=True)
class Corner:
    """One point of a path, before it is known how fast it can be passed."""

    point: Point
    junction: int | None
    limit_mps: float
    wait_s: float = 0.0


def _shape(corners: Sequence[Corner]) -> Path:
    """The path through `corners`, with speeds at each that braking at `BRAKING_MPS2` can keep to."""
    points = [corner.point for corner in corners]
    gaps = [distance_m(a, b) for a, b in pairwise(points)]
    speeds = [_corner_mps(corners, i) for i in range(len(corners))]
    for i in range(len(gaps) - 1, -1, -1):
        speeds[i] = min(speeds[i], sqrt(speeds[i + 1] ** 2 + 2 * BRAKING_MPS2 * gaps[i]))
    return Path(
        points=tuple(points),
        junctions=tuple(corner.junction for corner in corners),
        limit_mps=tuple(corner.limit_mps for corner in corners),
        wait_s=tuple(corner.wait_s for corner in corners),
        at_m=tuple(accumulate(gaps, initial=0.0)),
        corner_mps=tuple(speeds),
    )


def _corner_mps(corners: Sequence[Corner], i: int) -> float:
    """The speed at which a corner can be taken: the limit when straight on, walking pace for a hairpin."""
    if i in (0, len(corners) - 1) or corners[i].wait_s:
        return 0.0
    before, here, after = (corner.point for corner in corners[i - 1 : i + 2])
    turn = abs(turn_deg(bearing_deg(before, here), bearing_deg(here, after)))
    taken_mps = max(2.5, 24.0 * exp(-turn / 45.0)) if turn >= 8.0 else SPEED_MAX_MPS
    return min(taken_mps, corners[i].limit_mps)


def depart(vehicle: Vehicle, path: Path | None) -> Vehicle:
    """The vehicle on `path` or, without one, on its way to its next junction and no further; a parked one stays.

    A vehicle on its way finishes its old path as far as the start of the new one: plan from `next_junction`. A parked
    one drives straight to the start.
    """
    junction = next_junction(vehicle)
    if path is None and junction is None:
        return vehicle
    goal = path.points[0] if path is not None else None
    corners = [Corner(vehicle.point, None, _limit_mps(vehicle, path)), *_lead(vehicle, goal)]
    if path is not None:
        if distance_m(corners[-1].point, path.points[0]) < 0.5:
            corners.pop()
        corners += map(Corner, path.points, path.junctions, path.limit_mps, path.wait_s)
    return replace(vehicle, path=_shape(corners), driven_m=0.0, wait_s=0.0)


def _limit_mps(vehicle: Vehicle, path: Path | None) -> float:
    """The limit where the vehicle is; for a parked one, that of where it goes."""
    if vehicle.path is not None:
        return vehicle.path.limit_mps[_ahead(vehicle.path, vehicle.driven_m) - 1]
    return path.limit_mps[0] if path is not None else 0.0


def _lead(vehicle: Vehicle, goal: Point | None) -> list[Corner]:
    """What is left of the vehicle's path up to `goal`, or to its next junction; nothing when it doesn't come there."""
    old = vehicle.path
    if old is None:
        return []
    here = _ahead(old, vehicle.driven_m)
    ahead = range(here, len(old.points))
    last = next((i for i in ahead if old.points[i] == goal or (goal is None and old.junctions[i] is not None)), None)
    if last is None:
        return []
    end = last + 1
    return list(map(Corner, old.points[here:end], old.junctions[here:end], old.limit_mps[here:end]))


def next_junction(vehicle: Vehicle) -> int | None:
    """The junction that a vehicle on its way comes to next: plan from there to send it elsewhere. None if parked."""
    if vehicle.path is None:
        return None
    here = _ahead(vehicle.path, vehicle.driven_m)
    return next((junction for junction in vehicle.path.junctions[here:] if junction is not None), None)


def _ahead(path: Path, driven_m: float) -> int:
    """The first corner beyond `driven_m`, at most the last."""
    return bisect_right(path.at_m, driven_m, hi=len(path.at_m) - 1)


def apply(vehicle: Vehicle, dt_s: float) -> Vehicle:
    """The vehicle `dt_s` seconds later: it speeds up, slows for corners, waits, and parks at the end."""
    while dt_s > 1e-9 and vehicle.path is not None:
        step_s = min(STEP_S, dt_s)
        vehicle = _step(vehicle, vehicle.path, step_s)
        dt_s -= step_s
    return vehicle


def _step(vehicle: Vehicle, path: Path, dt_s: float) -> Vehicle:
    if vehicle.wait_s > 0.0:
        return replace(vehicle, speed_mps=0.0, wait_s=max(0.0, vehicle.wait_s - dt_s))
    ahead = _ahead(path, vehicle.driven_m)
    least_mps = vehicle.speed_mps - HARD_BRAKING_MPS2 * dt_s
    room_m = path.at_m[ahead] - vehicle.driven_m
    allowed_mps = sqrt(path.corner_mps[ahead] ** 2 + 2 * BRAKING_MPS2 * room_m)
    speed_mps = min(vehicle.speed_mps + ACCELERATION_MPS2 * dt_s, path.limit_mps[ahead - 1], allowed_mps)
    speed_mps = max(speed_mps, least_mps)
    if speed_mps * dt_s < room_m:
        return _place(vehicle, path, vehicle.driven_m + speed_mps * dt_s, speed_mps, dt_s)
    if ahead == len(path.points) - 1:
        return replace(vehicle, point=path.points[-1], speed_mps=0.0, path=None, driven_m=0.0)
    corner_mps = max(min(speed_mps, path.corner_mps[ahead]), least_mps)
    return replace(_place(vehicle, path, path.at_m[ahead], corner_mps, dt_s), wait_s=path.wait_s[ahead])


def _place(vehicle: Vehicle, path: Path, driven_m: float, speed_mps: float, dt_s: float) -> Vehicle:
    """The vehicle at `driven_m` along its path, its nose turning towards the road at no more than a car can."""
    i = _ahead(path, driven_m) - 1
    a, b = path.points[i], path.points[i + 1]
    point = between(a, b, (driven_m - path.at_m[i]) / max(path.at_m[i + 1] - path.at_m[i], 1e-6))
    most = TURN_RATE_DEG_S * dt_s
    turn = max(-most, min(most, turn_deg(vehicle.heading_deg, bearing_deg(a, b))))
    heading_deg = (vehicle.heading_deg + turn) % 360.0
    return replace(vehicle, point=point, heading_deg=heading_deg, speed_mps=speed_mps, driven_m=driven_m)


@dataclass(frozen=True, slots=True)
class Fix:
    """What a receiver says: WGS 84 degrees, metres a second, degrees true, metres."""

    lat: float
    lon: float
    speed_mps: float
    heading_deg: float
    altitude_m: float = 42.0
    accuracy_m: float = 3.5


@dataclass(frozen=True, slots=True)
class Antenna:
    """The error of one receiver now. It wanders over a minute or so, rather than jumping each second."""

    error_m: tuple[float, float] = field(default=(0.0, 0.0))
    """East and north."""


DRIVING_ERROR_M, PARKED_ERROR_M, ERROR_TIME_S = 2.5, 0.8, 40.0
ERROR_MAX_M = 12.0


def observe(antenna: Antenna, vehicle: Vehicle, dt_s: float, random: Random) -> tuple[Antenna, Fix]:
    """What the receiver says `dt_s` seconds after `antenna` was, and how far off it then is (at most 12 m)."""
    sigma_m = PARKED_ERROR_M if vehicle.parked else DRIVING_ERROR_M
    keep = exp(-dt_s / ERROR_TIME_S)
    spread = sigma_m * sqrt(1.0 - keep * keep)
    east_m, north_m = (error * keep + random.gauss(0.0, spread) for error in antenna.error_m)
    scale = min(1.0, ERROR_MAX_M / max(hypot(east_m, north_m), 1e-9))
    east_m, north_m = east_m * scale, north_m * scale
    point = offset(vehicle.point, east_m=east_m, north_m=north_m)
    moving = vehicle.speed_mps > 0.5
    speed_mps = max(0.0, vehicle.speed_mps + random.gauss(0.0, 0.15)) if moving else abs(random.gauss(0.0, 0.04))
    heading_deg = (vehicle.heading_deg + (random.gauss(0.0, 1.5) if moving else 0.0)) % 360.0
    altitude_m = 42.0 + 12.0 * cos(radians(vehicle.point.lat * 9_000.0)) + north_m * 0.4
    return Antenna((east_m, north_m)), Fix(point.lat, point.lon, speed_mps, heading_deg, altitude_m, 2.0 + sigma_m)
