"""What is asserted: the union over the calls in hand, so that one call's end never takes another's sounder. Pure.

A cooker's output is never written off here because a call ended: it only stops being asked for. What a person holds by
hand is left alone, and asserted when it is released.
"""

import math
from collections.abc import Callable

import msgspec

from edge_agent.station.parts import Door, Part, Sounder
from edge_agent.station.plan import TEST_S, is_test
from edge_agent.station.readings import is_off, is_on, is_silent, number, part_refusal, read_since
from edge_agent.station.state import Live, Station, Told, Written, all_acknowledged, end_s, is_moving, levels, row, tell
from edge_agent.station.words import Call, Effect, Plant, StepState, Write

REASSERT_S = 2.0
"""A level that dropped, or whose write failed, is written again at most so often."""
ON_TOLERANCE = 0.5
"""A number read back may differ so much, for a register's scale rounds."""


Moved = tuple[StepState, tuple[Effect, ...]]
"""A step as it now is, and what is to be told of it."""


class Want(msgspec.Struct, frozen=True):
    """What an output is to be."""

    value: bool | float
    part: Part
    unexpired: bool
    """Some call that wants it has not expired: if it drops, it is asserted again."""


def wants(station: Station, live: Live, state: StepState, now_s: float) -> bool:
    """Whether a call wants a level now."""
    if live.ended or state.over or state.step.nature != "level":
        return False
    kind, call = state.step.name.partition(":")[0], live.call
    if kind == "sounder":
        last_s = TEST_S if is_test(call) else station.layout.station.sound_s
        return not all_acknowledged(live) and now_s < min(call.received_s + last_s, call.expires_s)
    if kind == "exit":
        return _exit_is_lit(station, live, state, now_s)
    return kind == "cooker" or now_s < end_s(live, station.layout)


def assert_levels(station: Station, now_s: float) -> Told:
    """Write what is wanted and not yet asked for, or dropped; and turn off what is wanted no more."""
    idle = not station.live and not station.written
    if idle or now_s < station.blind_until_s:
        return station, ()
    written: dict[str, Written] = dict(station.written)
    effects: list[Effect] = []
    wanted = _wanted(station, now_s)
    held = _outputs_of(station, lambda part: is_on(station.plant, part.override))
    kept = _outputs_of(station, lambda part: bool(part_refusal(part, station.layout, station.plant)))
    for output in (held | (kept & wanted.keys())) & written.keys():
        written[output] = msgspec.structs.replace(written[output], sure=False, at_s=-math.inf)
    for output, want in wanted.items():
        last = written.get(output)
        if output not in kept and _is_to_write(station, output, want, now_s):
            effects.append(Write(output, want.value))
            since_s = last.since_s if last is not None and last.value == want.value and last.sure else now_s
            written[output] = Written(want.value, now_s, since_s)
    for output in [each for each in written if each not in wanted and each not in held]:
        last, write = _turned_off(station, output, written[output], now_s)
        effects += write
        if last is None:
            del written[output]
        else:
            written[output] = last
    return msgspec.structs.replace(station, written=written), tuple(effects)


def begin_level(station: Station, live: Live, state: StepState, now_s: float) -> Moved:
    """Tell that a level's step has begun, or that a person or the mains keep it from that."""
    blind = now_s < station.blind_until_s
    if blind or state.begun_s is not None or not wants(station, live, state, now_s):
        return state, ()
    refusal = part_refusal(station.layout.parts[state.step.name], station.layout, station.plant)
    if refusal:
        return tell(live.call, state, "refused", refusal, now_s) if state.outcome is None else (state, ())
    state = msgspec.structs.replace(state, begun_s=now_s)
    return tell(live.call, state, "started", "", now_s) if state.outcome is None else (state, ())


def follow_level(station: Station, live: Live, state: StepState, now_s: float) -> Moved:
    """Tell that a level's step was proved, that it failed, or that it ended without either."""
    if now_s < station.blind_until_s:
        return state, ()
    if not wants(station, live, state, now_s):
        return _finished(live, state, now_s)
    return (state, ()) if state.begun_s is None else _read_back(station, live, state, now_s)


def fail_write(station: Station, output: str, reason: str, now_s: float) -> Told:
    """Take in that a write was not taken: its steps have failed, and a level is written again later."""
    effects: list[Effect] = []
    lives: list[Live] = []
    for live in station.live:
        steps: list[StepState] = []
        for state in live.steps:
            if state.step.output == output and _hangs_on_a_write(state):
                state, told = tell(live.call, state, "failed", reason, now_s)
                effects += told
            steps.append(state)
        lives.append(msgspec.structs.replace(live, steps=tuple(steps)))
    written = dict(station.written)
    if output in written:
        written[output] = msgspec.structs.replace(written[output], sure=False, at_s=now_s)
    return msgspec.structs.replace(station, live=tuple(lives), written=written), tuple(effects)


def release_cookers(station: Station, cooker: str, by: str, now_s: float) -> Told:
    """Give cookers back, at the word of a person at the station (an empty `cooker`: every one)."""
    effects: list[Effect] = []
    written, lives = dict(station.written), list(station.live)
    for each in station.layout.cookers:
        if cooker not in ("", each.id) or is_on(station.plant, each.override):
            continue
        for at, live in enumerate(lives):
            lives[at], told = _without_cooker(live, each.id, by, now_s)
            effects += told
        effects.append(Write(each.output, False))
        written[each.output] = Written(False, now_s, now_s)
    return msgspec.structs.replace(station, live=tuple(lives), written=written), tuple(effects)


def _hangs_on_a_write(state: StepState) -> bool:
    if state.step.nature == "once":
        return is_moving(state)
    return state.outcome in ("started", "refused") and state.begun_s is not None and not state.over


def _without_cooker(live: Live, cooker: str, by: str, now_s: float) -> tuple[Live, tuple[Effect, ...]]:
    name = f"cooker:{cooker}"
    if not any(state.step.name == name and not state.over for state in live.steps):
        return live, ()
    steps = tuple(
        msgspec.structs.replace(state, over=True) if state.step.name == name else state for state in live.steps
    )
    record = row(live.call, "done", now_s, step=f"reset:{cooker}", reason=by)
    return msgspec.structs.replace(live, steps=steps), (record,)


def _wanted(station: Station, now_s: float) -> dict[str, Want]:
    """What each output is to be; a sounder's tone and level come before the sounder itself."""
    asking: dict[str, list[Call]] = {}
    for live in station.live:
        for state in levels(live):
            if wants(station, live, state, now_s):
                asking.setdefault(state.step.name, []).append(live.call)
    found: dict[str, Want] = {}
    for name, calls in asking.items():
        part = station.layout.parts[name]
        unexpired = any(now_s < call.expires_s for call in calls)
        if isinstance(part, Sounder):
            for output, value in _voice(station, part, calls, now_s):
                found[output] = Want(value, part, unexpired)
        found[part.output] = Want(True, part, unexpired)
    return found


def _voice(station: Station, sounder: Sounder, calls: list[Call], now_s: float) -> list[tuple[str, float]]:
    """Its tone and level: of the strongest call, and as long as it has been sounding."""
    found: list[tuple[str, float]] = []
    if sounder.tones is not None:
        tones, kinds = sounder.tones, {_kind(call) for call in calls}
        tone = tones.emergency if "emergency" in kinds else tones.routine if "routine" in kinds else tones.test
        found.append((sounder.tone_output, tone))
    if sounder.ramp:
        last = station.written.get(sounder.output)
        sounding_s = now_s - last.since_s if last is not None and last.value is True else 0.0
        level = max((step for step in sounder.ramp if step.after_s <= sounding_s), key=lambda step: step.after_s).level
        found.append((sounder.level_output, level))
    return found


def _kind(call: Call) -> str:
    if is_test(call):
        return "test"
    return "routine" if call.action == "standby_move" else call.priority


def _is_to_write(station: Station, output: str, want: Want, now_s: float) -> bool:
    last = station.written.get(output)
    if last is None or last.value != want.value:
        return True
    held_until_now = not last.sure and last.at_s == -math.inf
    if held_until_now:
        return True
    if now_s - last.at_s < REASSERT_S or is_silent(station.plant, output):
        return False
    return not last.sure or (want.unexpired and _has_dropped(station.plant, output, want, last.at_s))


def _has_dropped(plant: Plant, output: str, want: Want, since_s: float) -> bool:
    if isinstance(want.value, bool):
        points = (want.part.read_back, output)
        return any(is_off(plant, point) and read_since(plant, point, since_s) for point in points)
    shown = number(plant, output)
    return shown is not None and read_since(plant, output, since_s) and abs(shown - want.value) > ON_TOLERANCE


def _turned_off(
    station: Station, output: str, last: Written, now_s: float
) -> tuple[Written | None, tuple[Effect, ...]]:
    """What becomes of an output that nothing wants any more: forgotten, or off until it is seen to be off."""
    plant = station.plant
    if output in station.layout.cooker_outputs:
        return None, ()  # nor is one given back by a repeated write, when the person who asked for it may have left
    if last.value is True:
        return Written(False, now_s, now_s), (Write(output, False),)
    if last.value is not False or (last.sure and is_off(plant, output) and read_since(plant, output, last.at_s)):
        return None, ()
    if now_s - last.at_s < REASSERT_S or is_silent(plant, output) or (last.sure and not is_on(plant, output)):
        return last, ()
    return Written(False, now_s, last.since_s), (Write(output, False),)


def _outputs_of(station: Station, holds_for: Callable[[Part], bool]) -> set[str]:
    """The outputs of the parts for which something holds."""
    found: set[str] = set()
    for part in filter(holds_for, station.layout.parts.values()):
        found |= set(part.outputs) if isinstance(part, Sounder) else {part.output}
    return found


def _exit_is_lit(station: Station, live: Live, state: StepState, now_s: float) -> bool:
    signal = next(each for each in station.layout.exit_signals if f"exit:{each.id}" == state.step.name)
    doors: dict[str, Door] = station.layout.doors_by_step
    due_s = [
        each.due_s
        for each in live.steps
        if each.due_s is not None and each.step.name in doors and doors[each.step.name].id in signal.doors
    ]
    return bool(due_s) and now_s < min(due_s) + signal.hold_s


def _finished(live: Live, state: StepState, now_s: float) -> Moved:
    if state.over or (state.begun_s is None and state.outcome is None):
        return state, ()
    effects: tuple[Effect, ...] = ()
    if state.outcome in (None, "started"):
        state, effects = tell(live.call, state, "unknown", "ended_early", now_s)
    return msgspec.structs.replace(state, over=True), effects


def _read_back(station: Station, live: Live, state: StepState, now_s: float) -> Moved:
    step, plant, written = state.step, station.plant, station.written.get(state.step.output)
    since_s = written.since_s if written is not None else state.begun_s or now_s
    current = read_since(plant, step.proof, since_s)
    if current and is_on(plant, step.proof):
        state = msgspec.structs.replace(state, doubted_s=None)
        return tell(live.call, state, "done", "", now_s) if state.outcome != "done" else (state, ())
    if state.outcome == "failed" or part_refusal(station.layout.parts[step.name], station.layout, plant):
        return state, ()
    if state.outcome == "done":
        return _doubted(live, state, now_s) if current and is_off(plant, step.proof) else (state, ())
    if is_silent(plant, step.output, step.proof):
        return tell(live.call, state, "failed", "no_device_response", now_s)
    if now_s - max(since_s, state.begun_s or now_s) >= step.within_s:
        return tell(live.call, state, "failed", step.fails_as if current else "no_device_response", now_s)
    return state, ()


def _doubted(live: Live, state: StepState, now_s: float) -> Moved:
    since_s = now_s if state.doubted_s is None else state.doubted_s
    if now_s - since_s >= state.step.within_s:
        return tell(live.call, state, "failed", state.step.fails_as, now_s)
    return msgspec.structs.replace(state, doubted_s=since_s), ()
