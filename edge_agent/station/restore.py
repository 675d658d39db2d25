"""Goes on after a restart with what the journal holds. Pure.

A call that has not expired sounds again; one that has ends here. A door that was begun is never begun again. What an
earlier run may have left on is turned off unless it is wanted.
"""

import math
from collections.abc import Iterator, Sequence

import msgspec

from edge_agent.station.calls import final_rows
from edge_agent.station.parts import Layout
from edge_agent.station.plan import plan
from edge_agent.station.state import Live, Station, Written, row
from edge_agent.station.words import Call, Effect, Journaled, Plant, Record, Step, StepState

BLIND_S = 0.5
"""So long the outputs are left alone after a start, unless the station is read sooner: a person may hold some."""

Rows = dict[str, Journaled]
"""One revision's rows, by step."""


def begin(layout: Layout, rows: Sequence[Journaled], now_s: float) -> tuple[Station, tuple[Effect, ...]]:
    """Begin with what the journal holds: every row of each order that is not over, and of the others what there is.

    `received_s` and `expires_s` of the calls count on the present monotonic clock, whatever boot they came in.
    """
    orders: dict[str, dict[int, Rows]] = {}
    for each in rows:
        orders.setdefault(each.order, {}).setdefault(each.revision, {})[each.step] = each
    seen = {order: max(revisions) for order, revisions in orders.items()}
    station = Station(layout=layout, seen=seen, blind_until_s=now_s + BLIND_S)
    effects: tuple[Effect, ...] = ()
    for revisions in orders.values():
        station, more = _restored(station, revisions, now_s)
        effects += more
    lives = tuple(sorted(station.live, key=lambda live: live.call.received_s))
    return msgspec.structs.replace(station, live=lives), effects


def _restored(station: Station, revisions: dict[int, Rows], now_s: float) -> tuple[Station, tuple[Effect, ...]]:
    """Go on with one order: with its last open revision, or with what that cancels. Earlier ones are superseded."""
    effects: tuple[Effect, ...] = tuple(_lost(rows, each) for each, rows in revisions.items() if _is_lost(rows))
    calls = [call for each in sorted(revisions) if (call := _open_call(revisions[each])) is not None]
    cancel = calls.pop() if calls and calls[-1].action == "cancel" else None
    current = next((call for call in reversed(calls) if call.action != "cancel"), None)
    if current is not None and any(each > current.revision and _is_cancel(revisions[each]) for each in revisions):
        current = current if cancel is not None else None
    for whole in (rows.get("") for rows in revisions.values()):
        if whole is not None and whole.call is not None:
            station = _distrusted(station, whole.call)  # of an ended one too: its end may have come before its writes
    station = _with_doors(station, revisions)
    for call in calls:
        if call is not current:
            past = Live(call=call, ended="superseded", steps=_steps(station.layout, call, [revisions[call.revision]]))
            effects += final_rows(past, now_s)
    if current is None:
        return station, effects if cancel is None else (*effects, row(cancel, "done", now_s, reason="not_live"))
    live = _live(station.layout, current, revisions, now_s)
    if cancel is not None:
        live = msgspec.structs.replace(live, ended="cancelled", cancel=cancel)
    return msgspec.structs.replace(station, live=(*station.live, live)), effects


def _open_call(rows: Rows) -> Call | None:
    """The call of a revision that has no final row yet."""
    whole = rows.get("")
    return whole.call if whole is not None and whole.outcome in ("accepted", "started") else None


def _is_lost(rows: Rows) -> bool:
    """Whether a revision is open, and its call is not in its row."""
    return ("" not in rows or rows[""].outcome in ("accepted", "started")) and _open_call(rows) is None


def _lost(rows: Rows, revision: int) -> Record:
    order = next(iter(rows.values())).order
    return Record(Journaled(order=order, revision=revision, outcome="unknown", reason="journal_damaged"))


def _distrusted(station: Station, call: Call) -> Station:
    """Take every output of a call for one that may be on; a door's too, for a pulse may have been cut short."""
    maybe = Written(True, -math.inf, -math.inf, sure=False)
    outputs = [step.output for step in plan(call, station.layout, Plant()) if step.output]
    return msgspec.structs.replace(station, written={**station.written, **dict.fromkeys(outputs, maybe)})


def _live(layout: Layout, call: Call, revisions: dict[int, Rows], now_s: float) -> Live:
    cancels = [each for each, rows in revisions.items() if each < call.revision and _is_cancel(rows)]
    since = max(cancels, default=0)
    earlier = [revisions[each] for each in sorted(revisions) if since < each < call.revision]
    own = revisions[call.revision]
    acknowledged = frozenset(step.partition(":")[2] for step in own if step.partition(":")[0] == "acknowledge")
    ended = "interrupted" if now_s >= call.expires_s else ""
    steps = _steps(layout, call, [*earlier, own], acknowledged=bool(acknowledged))
    return Live(call=call, steps=steps, acknowledged=acknowledged, ended=ended)


def _is_cancel(rows: Rows) -> bool:
    call = rows[""].call if "" in rows else None
    return call is not None and call.action == "cancel"


def _steps(layout: Layout, call: Call, history: list[Rows], *, acknowledged: bool = False) -> tuple[StepState, ...]:
    """How far each step had come, by this revision's rows; a door's, by those of the earlier ones too."""
    own = history[-1]
    states: list[StepState] = []
    for step in plan(call, layout, Plant()):
        found = own.get(step.name)
        if step.nature == "once":
            found = next(_tried(history, step), found)
        kind, _, part = step.name.partition(":")
        given_back = kind == "cooker" and f"reset:{part}" in own
        state = StepState(step=step, over=given_back or step.refused == "no_door")
        states.append(_as_told(state, found, call, acknowledged=acknowledged) if found is not None else state)
    return tuple(states)


def _tried(history: list[Rows], step: Step) -> Iterator[Journaled]:
    """The rows, newest first, that say that a door was tried."""
    for rows in reversed(history):
        if step.name in rows and rows[step.name].outcome != "refused":
            yield rows[step.name]


def _as_told(state: StepState, found: Journaled, call: Call, *, acknowledged: bool) -> StepState:
    told = msgspec.structs.replace(
        state, outcome=found.outcome, reason=found.reason, elapsed_ms=found.elapsed_ms, told=1
    )
    if state.step.nature == "level":
        return told
    at_s = call.received_s + found.elapsed_ms / 1000
    if found.outcome == "refused":
        return msgspec.structs.replace(told, over=told.over or acknowledged)
    return msgspec.structs.replace(told, over=True, due_s=at_s, begun_s=at_s, interrupted=True)


def _with_doors(station: Station, revisions: dict[int, Rows]) -> Station:
    """Remember the pulses that may just have been given, so that another call shares them.

    Of every revision: a cancelled one's door may still be moving, and so may one whose pulse was not answered.
    """
    pulsed_s = dict(station.pulsed_s)
    for rows in revisions.values():
        call = rows[""].call if "" in rows else None
        if call is None:
            continue
        for step in station.layout.doors_by_step.keys() & rows.keys():
            # One that failed as `door_fail` had all its time to move.
            if rows[step].outcome in ("started", "failed", "unknown") and rows[step].reason != "door_fail":
                at_s = call.received_s + rows[step].elapsed_ms / 1000
                pulsed_s[step] = max(at_s, pulsed_s.get(step, at_s))
    return msgspec.structs.replace(station, pulsed_s=pulsed_s)
