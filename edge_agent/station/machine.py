"""The station as a state machine: `apply(station, happening, now_s) -> (station, effects)`. Pure.

Whatever happened, the same things follow in the same order: tests give way, doors that are due open, levels are
asserted or turned off, what was read back is told, alarms are told, and calls that are over end. Send `Passed` at least
ten times a second while `in_hand(station)`, else once a second.
"""

import math

import msgspec

from edge_agent.station.alarms import watch_alarms
from edge_agent.station.buttons import read_buttons
from edge_agent.station.calls import acknowledge, end_calls, give_way, take_in
from edge_agent.station.doors import open_doors
from edge_agent.station.levels import assert_levels, begin_level, fail_write, follow_level, release_cookers
from edge_agent.station.restore import begin
from edge_agent.station.state import Live, Station, Told, with_live
from edge_agent.station.words import (
    Acknowledged,
    Called,
    CookerReset,
    Effect,
    Happening,
    Passed,
    Plant,
    PlantRead,
    StepState,
    WriteFailed,
)

__all__ = ["Live", "Station", "apply", "begin", "in_hand"]


def apply(station: Station, happening: Happening, now_s: float) -> tuple[Station, tuple[Effect, ...]]:
    """Take in what happened, and say what is to be done, in that order."""
    station, effects = _taken_in(station, happening, now_s)
    station = give_way(station)
    for follow in (open_doors, assert_levels, _follow, watch_alarms, end_calls):
        station, more = follow(station, now_s)
        effects += more
    return station, effects


def in_hand(station: Station) -> bool:
    """Whether anything may change within a second, so that time must be told ten times in one."""
    return bool(station.live) or any(last.value is False for last in station.written.values())


def _taken_in(station: Station, happening: Happening, now_s: float) -> Told:
    match happening:
        case Called(call):
            return take_in(station, call, now_s)
        case Acknowledged():
            return acknowledge(station, happening, now_s)
        case PlantRead(plant):
            return _read(station, plant, now_s)
        case WriteFailed():
            return fail_write(station, happening.output, happening.reason, now_s)
        case CookerReset():
            return release_cookers(station, happening.cooker, "manual_input", now_s)
        case Passed():
            return station, ()


def _read(station: Station, plant: Plant, now_s: float) -> Told:
    """Take in the plant as it stands, and what its buttons say."""
    station, said = read_buttons(msgspec.structs.replace(station, plant=plant, blind_until_s=-math.inf))
    effects: tuple[Effect, ...] = ()
    for word in said:
        station, more = _taken_in(station, word, now_s)
        effects += more
    return station, effects


def _follow(station: Station, now_s: float) -> Told:
    """Tell how the steps that are levels have come on: of each call every one that began, before any that is done."""
    effects: tuple[Effect, ...] = ()
    for live in station.live:
        for follow in (begin_level, follow_level):
            steps: list[StepState] = []
            for state in live.steps:
                new, more = follow(station, live, state, now_s) if state.step.nature == "level" else (state, ())
                steps.append(new)
                effects += more
            live = msgspec.structs.replace(live, steps=tuple(steps))
        station = with_live(station, live)
    return station, effects
