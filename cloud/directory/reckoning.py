"""Shift patterns, grounds and crews as the fleet reckons with them. Asks the machine for time zones only."""

from collections.abc import Iterable
from datetime import date, time

from cloud.directory.areas import Area
from cloud.directory.rows import FENCE_M, Base, Directory, Unit
from cloud.directory.shifts import DAYS, CycleTurn, Shift
from cloud.directory.shifts import Turn as TurnRow
from cloud.directory.turns import find_zone
from cloud.fleet.basis import Needs
from cloud.fleet.entry import Fence, Roster
from cloud.fleet.fences import Circle, make_ground
from cloud.fleet.roster import CycleRoster, Turn, WeeklyRoster


def needs(unit: Unit) -> Needs:
    """What a unit asks of its crew."""
    return Needs(minimum=unit.minimum_crew, preferred=unit.preferred_crew, skills=tuple(sorted(unit.skills.items())))


def rosters(directory: Directory) -> dict[str, Roster]:
    """Every shift pattern, by its id."""
    return {shift.id: make_roster(shift) for shift in directory.shifts.values()}


def fences(directory: Directory) -> dict[str, Fence]:
    """The ground of every base that has a place or an area, by the base's id."""
    made = ((base.id, make_fence(base, directory.areas)) for base in directory.bases.values())
    return {base: fence for base, fence in made if fence is not None}


def make_roster(shift: Shift) -> Roster:
    """Make the roster of a shift that was checked."""
    zone = find_zone(shift.zone)
    if zone is None:
        raise ValueError(f"{shift.zone!r} is no known time zone: the shift {shift.id!r} was never checked")
    if shift.cycle is None:
        week = tuple(_turns_on(day, shift.turns) for day in DAYS)
        return WeeklyRoster(zone, week)
    days = tuple(_turns_on(day, shift.cycle.turns) for day in range(1, shift.cycle.days + 1))
    return CycleRoster(zone, date.fromisoformat(shift.cycle.anchor), days)


def make_fence(base: Base, areas: dict[str, Area]) -> Fence | None:
    """Make the fence of a base: its area, else a circle around its place; None where it has neither."""
    if base.area is not None:
        ground = areas[base.area].geometry
        parts = [ground["coordinates"]] if ground["type"] == "Polygon" else ground["coordinates"]
        return make_ground([(lat, lon) for lon, lat, *_ in part[0]] for part in parts)
    if base.lat is None or base.lon is None:
        return None
    return Circle(base.lat, base.lon, FENCE_M if base.fence_m is None else base.fence_m)


def _turns_on(day: str | int, turns: Iterable[TurnRow | CycleTurn]) -> tuple[Turn, ...]:
    return tuple(
        Turn(time.fromisoformat(turn.start), time.fromisoformat(turn.until)) for turn in turns if day in turn.days
    )
