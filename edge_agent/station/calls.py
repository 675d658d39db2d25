"""How a call comes in, is acknowledged, and ends: every revision in a row for the order as a whole. Pure."""

import msgspec

from edge_agent.station.levels import wants
from edge_agent.station.plan import is_test, plan
from edge_agent.station.state import Live, Station, Told, end_s, is_moving, levels, row, tell, with_live
from edge_agent.station.words import Acknowledged, Call, Effect, StepState, TellAcknowledged
from wire.events import Outcome

LIVE_MAX = 50
"""Calls in hand at once; a bound, and far more than any station has."""
SEEN_MAX = 1_000
"""Orders whose highest revision is remembered. The journal knows the others."""


def take_in(station: Station, call: Call, now_s: float) -> Told:
    """Take in a call. A revision that is not above the highest of its order does nothing."""
    if call.revision <= station.seen.get(call.order, 0):
        return station, ()
    seen = {order: revision for order, revision in station.seen.items() if order != call.order}
    kept = dict(list({**seen, call.order: call.revision}.items())[-SEEN_MAX:])
    station = msgspec.structs.replace(station, seen=kept)
    before = next((live for live in station.live if live.call.order == call.order), None)
    if call.action == "cancel":
        return _cancelled(station, before, call, now_s)
    refusal = _refusal(station, call, now_s)
    if refusal is not None:
        return station, (row(call, refusal[0], now_s, reason=refusal[1]),)
    return _begun(station, before, call, now_s)


def acknowledge(station: Station, word: Acknowledged, now_s: float) -> Told:
    """Take in that a person acknowledged. What was acknowledged before, or does not wait for it, stays as it is."""
    effects: tuple[Effect, ...] = ()
    for live in station.live:
        if word.order in ("", live.call.order) and _waits_for(station, live, word.unit, now_s):
            unit = word.unit or ""
            new = msgspec.structs.replace(live, acknowledged=live.acknowledged | {unit})
            station = with_live(station, new)
            step = f"acknowledge:{unit}" if unit else "acknowledge"
            call = live.call
            tells = TellAcknowledged(order=call.order, revision=call.revision, by=word.by, unit=word.unit)
            effects += (row(call, "done", now_s, step=step, reason=word.by), tells)
    return station, effects


def give_way(station: Station) -> Station:
    """End every test while another call is in hand."""
    if all(is_test(live.call) for live in station.live):
        return station
    lives = tuple(
        msgspec.structs.replace(live, ended="live_call") if is_test(live.call) and not live.ended else live
        for live in station.live
    )
    return msgspec.structs.replace(station, live=lives)


def end_calls(station: Station, now_s: float) -> Told:
    """End what is over: its last steps' outcomes, and the row of the order. Its levels have been turned off before."""
    if now_s < station.blind_until_s:
        return station, ()
    effects: tuple[Effect, ...] = ()
    kept = []
    for live in station.live:
        if _is_over(station, live, now_s):
            effects += final_rows(live, now_s)
        else:
            kept.append(live)
    return msgspec.structs.replace(station, live=tuple(kept)), effects


def final_rows(live: Live, now_s: float) -> tuple[Effect, ...]:
    """The last rows of a call: of each step that is still open, of the order, and of what cancelled it."""
    effects: tuple[Effect, ...] = ()
    for state in live.steps:
        outcome, reason = _last_word(live, state)
        effects += (row(live.call, outcome, now_s, step=state.step.name, reason=reason),) if outcome else ()
    outcome, reason = _end(live)
    effects += (row(live.call, outcome, now_s, reason=reason),)
    return effects if live.cancel is None else (*effects, row(live.cancel, "done", now_s))


def _cancelled(station: Station, before: Live | None, call: Call, now_s: float) -> Told:
    if before is None:
        return station, (row(call, "done", now_s, reason="not_live"),)
    effects: tuple[Effect, ...] = (row(call, "accepted", now_s),)
    if before.cancel is not None:
        effects += (row(before.cancel, "done", now_s, reason="superseded"),)
    return with_live(station, msgspec.structs.replace(before, ended="cancelled", cancel=call)), effects


def _refusal(station: Station, call: Call, now_s: float) -> tuple[Outcome, str] | None:
    """Why a call does not begin, if it does not."""
    if now_s >= call.expires_s:
        return "expired", ""
    if is_test(call) and any(not is_test(live.call) for live in station.live):
        return "refused", "live_call"
    return ("refused", "too_many_calls") if len(station.live) >= LIVE_MAX else None


def _begun(station: Station, before: Live | None, call: Call, now_s: float) -> Told:
    night = station.plant.night if call.night is None else call.night
    call = msgspec.structs.replace(call, night=night)
    planned = plan(call, station.layout, station.plant)
    at_once = tuple(step.name for step in planned if step.nature == "level" and step.start == "now")
    call = msgspec.structs.replace(call, planned=at_once)
    effects: tuple[Effect, ...] = (row(call, "accepted", now_s),)
    others = tuple(live for live in station.live if live is not before)
    if before is not None:
        effects += final_rows(msgspec.structs.replace(before, ended=before.ended or "superseded"), now_s)
    steps = []
    for step in planned:
        state = StepState(step=step)
        if step.refused == "no_door":
            state, told = tell(call, msgspec.structs.replace(state, over=True), "refused", step.refused, now_s)
            effects += told
        if step.nature == "once" and before is not None and not before.ended:
            state, told = _carried(before, state, call, now_s)
            effects += told
        steps.append(state)
    live = Live(call=call, steps=tuple(steps))
    return msgspec.structs.replace(station, live=(*others, live)), effects


def _carried(before: Live, state: StepState, call: Call, now_s: float) -> tuple[StepState, tuple[Effect, ...]]:
    """A door that an earlier revision of the same order has tried is not tried again by this one."""
    old = next((each for each in before.steps if each.step.name == state.step.name), None)
    if old is None or old.outcome in (None, "refused"):
        return state, ()
    new = msgspec.structs.replace(old, step=state.step, told=0, over=True)
    return tell(call, new, old.outcome, "shared" if old.outcome == "started" else old.reason, now_s)


def _waits_for(station: Station, live: Live, unit: str | None, now_s: float) -> bool:
    if live.ended or "" in live.acknowledged or now_s >= end_s(live, station.layout):
        return False
    if unit is None:
        return True
    return unit not in live.acknowledged and any(unit == each.unit for each in live.call.units)


def _is_over(station: Station, live: Live, now_s: float) -> bool:
    """Whether nothing moves any more: no door whose end is open, and no exit signal."""
    if any(map(is_moving, live.steps)) or not (live.ended or now_s >= end_s(live, station.layout)):
        return False
    if live.ended:
        return True
    deciding = any(state.due_s is not None and not state.over for state in live.steps if state.step.nature == "once")
    signals = (state for state in levels(live) if state.step.name.startswith("exit:"))
    return not deciding and not any(wants(station, live, state, now_s) for state in signals)


def _last_word(live: Live, state: StepState) -> tuple[Outcome | None, str]:
    if state.outcome == "started":
        return "unknown", live.ended or "ended_early"
    if state.outcome is None and state.step.nature == "once" and not live.ended:
        return "expired", "not_acknowledged"
    return None, ""


def _end(live: Live) -> tuple[Outcome, str]:
    """How the order as a whole ended. Steps that failed told so themselves: it failed only if nothing came of it."""
    if live.ended == "interrupted":
        return ("done" if live.acknowledged else "expired"), live.ended
    if live.ended:
        return "done", live.ended
    begun = [state for state in levels(live) if state.begun_s is not None]
    if begun and not any(state.outcome == "done" for state in begun):
        return "failed", "nothing_proved"
    return "done", "" if live.acknowledged or is_test(live.call) else "not_acknowledged"
