"""The station's own alarms: the mains, and a bay left open. Pure.

An alarm is told when it rises and when its cause has been gone for a while, so that a chattering contact is no flood.
After a start the first reading is told either way: what an earlier run had raised may be gone.
"""

import msgspec

from edge_agent.station.parts import Door
from edge_agent.station.plan import is_test
from edge_agent.station.readings import is_off, is_on
from edge_agent.station.state import Station, Told
from edge_agent.station.words import Plant, TellAlarm

CLEAR_AFTER_S = 5.0
"""An alarm's cause must have been gone for so long before it is cleared."""
MAINS_FAILED = "mains_failed"
BAY_LEFT_OPEN = "bay_left_open"


def watch_alarms(station: Station, now_s: float) -> Told:
    """Tell every alarm that rose or was cleared."""
    plant, point = station.plant, station.layout.inputs.mains_failed
    causes: list[tuple[str, str, bool | None, float]] = [(MAINS_FAILED, "", _known(plant, point), 0.0)]
    for door in station.layout.doors:
        cause = _stands_open(plant, door)
        cause = None if cause and _is_called_for(station, door) else cause
        causes.append((BAY_LEFT_OPEN, door.id, cause, door.left_open_s))
    told, since_s, effects = dict(station.alarms), dict(station.alarm_since_s), []
    for name, part, cause, hold_s in causes:
        key = f"{name}:{part}"
        if cause is None or told.get(key) == cause:
            since_s.pop(key, None)
            continue
        began_s = since_s.setdefault(key, now_s)
        first_clear = not cause and key not in told
        if first_clear or now_s - began_s >= (hold_s if cause else CLEAR_AFTER_S):
            told[key] = cause
            since_s.pop(key, None)
            effects.append(TellAlarm(name=name, raised=cause, part=part))
    return msgspec.structs.replace(station, alarms=told, alarm_since_s=since_s), tuple(effects)


def _known(plant: Plant, point: str) -> bool | None:
    return True if is_on(plant, point) else False if is_off(plant, point) else None


def _stands_open(plant: Plant, door: Door) -> bool | None:
    """Whether a door is not shut; None where that is not known. Half open is open, where a limit switch tells."""
    if door.closed_input:
        closed = _known(plant, door.closed_input)
        return None if closed is None else not closed
    return _known(plant, door.open_input)


def _is_called_for(station: Station, door: Door) -> bool:
    called = {unit.unit for live in station.live if not is_test(live.call) for unit in live.call.units}
    return bool(called & set(door.units))
