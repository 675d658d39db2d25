"""Opens doors: at most once for an order, never one that stands open, and never one that a person may be under. Pure.

A pulse may mean "the other way" to a door's own control. So nothing here repeats one: its row is in the journal before
it is given, and what a restart finds begun is `unknown`, unless the limit switch shows the door open.
"""

import msgspec

from edge_agent.station.parts import Door
from edge_agent.station.plan import is_test
from edge_agent.station.readings import door_is_known, door_refusal, is_on, is_silent, read_since
from edge_agent.station.state import Live, Station, acknowledged_for, end_s, is_moving, tell, with_live
from edge_agent.station.words import Effect, Pulse, StepState

Moved = tuple[StepState, tuple[Effect, ...]]


def open_doors(station: Station, now_s: float) -> tuple[Station, tuple[Effect, ...]]:
    """Open what is due, and follow what was begun."""
    effects: tuple[Effect, ...] = ()
    for live in station.live:
        for at, state in enumerate(live.steps):
            door = station.layout.doors_by_step.get(state.step.name)
            if door is None or state.step.nature != "once":
                continue
            new, told = _moved(station, live, state, now_s)
            if any(isinstance(effect, Pulse) for effect in told):
                station = _pulsed(station, door, state.step.name, now_s)
            live = msgspec.structs.replace(live, steps=(*live.steps[:at], new, *live.steps[at + 1 :]))
            effects += told
        station = with_live(station, live)
    return station, effects


def _pulsed(station: Station, door: Door, step: str, now_s: float) -> Station:
    """Remember a pulse. What was to turn the output off, after a restart, must not cut it short."""
    written = {output: last for output, last in station.written.items() if output != door.output}
    return msgspec.structs.replace(station, pulsed_s={**station.pulsed_s, step: now_s}, written=written)


def _moved(station: Station, live: Live, state: StepState, now_s: float) -> Moved:
    door = station.layout.doors_by_step[state.step.name]
    if is_moving(state) or state.over or state.outcome in ("done", "failed", "unknown"):
        return _followed(station, live, state, now_s)
    if live.ended:
        return state, ()
    if state.due_s is None and not _is_due(station, live, state, now_s):
        refusal = door_refusal(door, station.layout, station.plant)
        return tell(live.call, state, "refused", refusal, now_s) if refusal and state.outcome is None else (state, ())
    if state.due_s is None:
        state = msgspec.structs.replace(state, due_s=now_s)
    return _decided(station, live, state, now_s)


def _is_due(station: Station, live: Live, state: StepState, now_s: float) -> bool:
    door = station.layout.doors_by_step[state.step.name]
    if is_test(live.call) or now_s >= end_s(live, station.layout):
        return False
    acknowledged = door.opens_on_acknowledge and acknowledged_for(live, door.units)
    return state.step.start == "now" or acknowledged or is_on(station.plant, door.presence)


def _decided(station: Station, live: Live, state: StepState, now_s: float) -> Moved:
    """What becomes of a door that is to open: it stands open, must not, is opening for another, waits, or is pulsed."""
    door, plant = station.layout.doors_by_step[state.step.name], station.plant
    decided = msgspec.structs.replace(state, over=True)
    if is_on(plant, door.open_input):
        return tell(live.call, decided, "done", "", now_s)
    refusal = door_refusal(door, station.layout, plant)
    if refusal:
        return tell(live.call, decided, "refused", refusal, now_s)
    pulsed_s = station.pulsed_s.get(state.step.name)
    if pulsed_s is not None and now_s - pulsed_s < door.travel_s:
        return tell(live.call, msgspec.structs.replace(decided, begun_s=pulsed_s), "started", "shared", now_s)
    if not door_is_known(door, plant):
        if now_s - (state.due_s or now_s) < door.travel_s:
            return state, ()
        return tell(live.call, decided, "failed", _failure(station, door, state), now_s)
    begun, record = tell(live.call, msgspec.structs.replace(decided, begun_s=now_s), "started", "", now_s)
    return begun, (*record, Pulse(door.output, door.pulse_s))


def _followed(station: Station, live: Live, state: StepState, now_s: float) -> Moved:
    door = station.layout.doors_by_step[state.step.name]
    since_s = state.begun_s if state.begun_s is not None else state.due_s
    is_open = is_on(station.plant, door.open_input) and read_since(station.plant, door.open_input, since_s or 0.0)
    if is_open and state.outcome != "done":
        return tell(live.call, state, "done", "", now_s)
    late = now_s - (state.begun_s or 0.0) >= door.travel_s and now_s >= station.blind_until_s
    if not (is_moving(state) and late):
        return state, ()
    if state.interrupted:
        return tell(live.call, state, "unknown", "interrupted", now_s)
    return tell(live.call, state, "failed", _failure(station, door, state), now_s)


def _failure(station: Station, door: Door, state: StepState) -> str:
    since_s = state.begun_s if state.begun_s is not None else state.due_s
    silent = is_silent(station.plant, door.output, door.open_input)
    unread = not read_since(station.plant, door.open_input, since_s or 0.0)
    return "no_device_response" if silent or unread else state.step.fails_as
