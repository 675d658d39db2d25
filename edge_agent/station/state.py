"""What is remembered of a station between two happenings, and the small questions asked of it. Pure."""

import math
from collections.abc import Iterator, Mapping

import msgspec

from edge_agent.station.parts import Layout
from edge_agent.station.plan import TEST_S, is_test
from edge_agent.station.words import Call, Effect, Journaled, Plant, Record, StepState
from wire.events import Outcome

TOLD_MAX = 6
"""So often is one step's outcome told, and the last time as failed, `unsteady`: a chattering proof is no flood."""


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """One call in hand, and how far each of its steps has come."""

    call: Call
    steps: tuple[StepState, ...] = ()
    acknowledged: frozenset[str] = frozenset()
    """The units for which a person took it in; an empty text stands for all."""
    ended: str = ""
    """Why it was ended before its time: `cancelled`, `live_call` (a test gave way), `interrupted` (by a restart)."""
    cancel: Call | None = None
    """What cancelled it, which gets its final row together with it."""


class Written(msgspec.Struct, frozen=True):
    """What was last asked of an output."""

    value: bool | float
    at_s: float
    """When it was last written."""
    since_s: float
    """Since when it has had this value."""
    sure: bool = True
    """False where the write failed, where a person holds the part, and for what an earlier run may have written."""


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is remembered between two happenings."""

    layout: Layout
    plant: Plant = Plant()
    live: tuple[Live, ...] = ()
    """In the order in which the calls came in."""
    written: Mapping[str, Written] = {}
    """By output."""
    pulsed_s: Mapping[str, float] = {}
    """When each door's last pulse was given, by the name of its step."""
    seen: Mapping[str, int] = {}
    """The highest revision of each order, so that what comes again does nothing again."""
    pressed: Mapping[str, bool] = {}
    """How each button's input was last read; one that was read in bad quality is not there."""
    alarms: Mapping[str, bool] = {}
    """What control was last told, by the alarm's name and part."""
    alarm_since_s: Mapping[str, float] = {}
    """Since when an alarm's cause has been there, or has been gone again."""
    blind_until_s: float = -math.inf
    """After a restart nothing is written until then, or until the station has been read."""


Told = tuple[Station, tuple[Effect, ...]]


def end_s(live: Live, layout: Layout) -> float:
    """When a call ends by itself."""
    return live.call.received_s + (TEST_S if is_test(live.call) else layout.station.reset_after_s)


def all_acknowledged(live: Live) -> bool:
    """Whether nobody is left who has to acknowledge."""
    units = {unit.unit for unit in live.call.units}
    return "" in live.acknowledged or (bool(units) and units <= live.acknowledged)


def acknowledged_for(live: Live, units: tuple[str, ...]) -> bool:
    """Whether a person took it in for any of `units` that is called."""
    called = {unit.unit for unit in live.call.units} & set(units)
    return bool(called) and ("" in live.acknowledged or bool(called & live.acknowledged))


def row(call: Call, outcome: Outcome, now_s: float, *, step: str = "", reason: str = "") -> Record:
    """A row of the journal for a call; one for the order as a whole carries the call."""
    return Record(
        Journaled(
            order=call.order,
            revision=call.revision,
            step=step,
            outcome=outcome,
            reason=reason,
            elapsed_ms=max(0, round((now_s - call.received_s) * 1000)),
            call=None if step else call,
        )
    )


def tell(
    call: Call, state: StepState, outcome: Outcome, reason: str, now_s: float
) -> tuple[StepState, tuple[Effect, ...]]:
    """Give a step an outcome and record it, unless it has already been told too often."""
    if state.told >= TOLD_MAX:
        return state, ()
    if state.told == TOLD_MAX - 1:
        outcome, reason = "failed", "unsteady"
    record = row(call, outcome, now_s, step=state.step.name, reason=reason)
    new = msgspec.structs.replace(
        state, outcome=outcome, reason=reason, elapsed_ms=record.row.elapsed_ms, told=state.told + 1, doubted_s=None
    )
    return new, (record,)


def with_live(station: Station, live: Live) -> Station:
    """Put a call in the place of the same order's."""
    lives = tuple(live if each.call.order == live.call.order else each for each in station.live)
    return msgspec.structs.replace(station, live=lives)


def levels(live: Live) -> Iterator[StepState]:
    """Its steps that are levels."""
    return (state for state in live.steps if state.step.nature == "level")


def is_moving(state: StepState) -> bool:
    """Whether it is a door's step whose pulse was given and whose end is open."""
    return state.step.nature == "once" and state.outcome == "started"
