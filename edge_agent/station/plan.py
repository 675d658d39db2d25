"""Which steps a call has at a station. Pure.

Every service's call drives its own zones, and what it shares. **By night one service's call wakes only zones that are
its own**: a shared zone keeps quiet unless all its services are called, or it is said not to mind. A cooker is cut off
in either case, for that wakes nobody and may save the building.
"""

from collections.abc import Iterator

import msgspec

from edge_agent.station.parts import Door, Layout, Part, Zone
from edge_agent.station.readings import door_refusal, part_refusal
from edge_agent.station.words import Call, Plant, Start, Step

TEST_S = 5.0
"""How long a test sounds."""


def is_test(call: Call) -> bool:
    """Whether a call only tries the station out: short, and without doors and cookers. A training is no such test."""
    return call.mode not in ("live", "training")


def plan(call: Call, layout: Layout, plant: Plant) -> tuple[Step, ...]:
    """Say what is to be done for a call, in order. What cannot be done now says so in `refused`.

    Whether it is night is the call's own word where it has one, for a call keeps the steps that it began with.
    """
    if call.action == "cancel":
        return ()
    night = plant.night if call.night is None else call.night
    woken = frozenset(zone.id for zone in layout.zones if _wakes(call, zone, night=night))
    steps = [*_zone_steps(call, layout, woken), *_unit_steps(call, layout)]
    refusals = _refusals(layout, plant)
    return tuple(step if step.refused else _with_refusal(step, refusals) for step in steps)


def _wakes(call: Call, zone: Zone, *, night: bool) -> bool:
    if call.zones:
        return is_test(call) and zone.id in call.zones
    called, owners = {unit.service for unit in call.units}, set(zone.services)
    if is_test(call) or (night and zone.quiet_at_night):
        return owners <= called
    return bool(owners & called)


def _zone_steps(call: Call, layout: Layout, woken: frozenset[str]) -> Iterator[Step]:
    for sounder in layout.sounders:
        if sounder.zone in woken:
            yield _level(f"sounder:{sounder.id}", sounder, "sounder_fail")
    for light in layout.lights:
        if light.zone in woken:
            yield _level(f"light:{light.id}", light, "lights_fail")
    if is_test(call):
        return
    called = {unit.service for unit in call.units}
    owned = {zone.id for zone in layout.zones if called & set(zone.services)}
    for cooker in layout.cookers:
        if cooker.zone in owned:
            yield _level(f"cooker:{cooker.id}", cooker, "cooker_fail")


def _unit_steps(call: Call, layout: Layout) -> Iterator[Step]:
    units = [unit.unit for unit in call.units]
    for indicator in layout.indicators:
        if indicator.unit in units:
            yield _level(f"indicator:{indicator.unit}", indicator, "indicator_fail")
    if is_test(call):
        return
    opened = [door for door in layout.doors if set(door.units) & set(units)]
    for door in opened:
        if door.opens_on_acknowledge or door.presence or (door.opens_from_control and call.open_doors):
            yield _door(door, call)
    for signal in layout.exit_signals:
        if any(door.id in signal.doors for door in opened):
            yield _level(f"exit:{signal.id}", signal, "exit_fail", start="acknowledged")
    leaving = {unit for door in layout.doors for unit in door.units} | set(layout.station.without_door)
    for unit in units if layout.doors else ():
        if unit not in leaving:
            yield Step(name=f"door:{unit}", nature="once", refused="no_door")


def _level(name: str, part: Part, fails_as: str, start: Start = "now") -> Step:
    return Step(
        name=name,
        nature="level",
        start=start,
        output=part.output,
        proof=part.read_back,
        within_s=part.within_s,
        fails_as=fails_as,
    )


def _door(door: Door, call: Call) -> Step:
    return Step(
        name=f"door:{door.id}",
        nature="once",
        start="now" if door.opens_from_control and call.open_doors else "acknowledged",
        output=door.output,
        proof=door.open_input,
        within_s=door.travel_s,
        fails_as="door_fail",
    )


def _refusals(layout: Layout, plant: Plant) -> dict[str, str]:
    """Why a part or a door is left alone now, by the name of its step; those that aren't are left out."""
    parts = {name: part_refusal(part, layout, plant) for name, part in layout.parts.items()}
    doors = {name: door_refusal(door, layout, plant) for name, door in layout.doors_by_step.items()}
    return {name: reason for name, reason in (parts | doors).items() if reason}


def _with_refusal(step: Step, refusals: dict[str, str]) -> Step:
    reason = refusals.get(step.name, "")
    return msgspec.structs.replace(step, refused=reason) if reason else step
