"""The orders in hand, and those that ended otherwise than by being done, as a panel shows them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from edge_agent.state.vehicle import Now
from edge_agent.station.machine import Live
from edge_agent.station.words import Call, Journaled
from edge_agent.turnout.lines import Particulars, is_final
from wire.events import Mode, Outcome
from wire.messages import Action, CalledUnit, Priority

Standing = Literal["live", "cancelled", "expired"]
ENDED_SHOWN_S = 300.0
"""So long a crew can read that an order was cancelled, or expired."""


class StepShown(msgspec.Struct, frozen=True, kw_only=True):
    """How far one step has come."""

    name: str
    """The wire's StepName."""
    outcome: Outcome | None
    """None: nothing is known of it yet."""
    reason: str = ""
    elapsed_ms: int = 0


class OrderShown(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the station has in hand, or had until lately."""

    order: str
    revision: int
    action: Action
    standing: Standing = "live"
    mode: Mode
    priority: Priority
    units: tuple[CalledUnit, ...]
    particulars: Particulars
    received_s: float
    """When it came in, by the monotonic clock."""
    received_at: datetime
    """The same by the wall clock as it now goes."""
    expires_s: float
    acknowledged: frozenset[str]
    """The units for which a person took it in; an empty text stands for all."""
    acknowledged_s: float | None
    """When somebody first did, by the monotonic clock; None for nobody yet."""
    steps: tuple[StepShown, ...]


def show(live: Live, particulars: Particulars, *, rows: Iterable[Journaled], now: Now) -> OrderShown:
    """Show an order in hand. `rows` are the journal's of that order."""
    standing: Standing = "live"
    if live.ended == "cancelled":
        standing = "cancelled"
    elif live.ended == "interrupted" and not live.acknowledged:
        standing = "expired"
    steps = tuple(
        StepShown(name=each.step.name, outcome=each.outcome, reason=each.reason, elapsed_ms=each.elapsed_ms)
        for each in live.steps
    )
    order = _shown(live.call, particulars, rows=rows, now=now)
    return msgspec.structs.replace(order, standing=standing, acknowledged=live.acknowledged, steps=steps)


def show_ended(rows: Sequence[Journaled], particulars: Particulars, now: Now) -> OrderShown | None:
    """Show an order that is no more in hand, by the journal's rows of it; None where there is nothing to say.

    Something is said for `ENDED_SHOWN_S`, of an order that was cancelled after it had come in, or that expired.
    `particulars` are those of the call that `called` names.
    """
    wholes = {row.revision: row for row in rows if not row.step}
    last, first = wholes.get(max(wholes, default=0)), called(rows)
    if last is None or last.call is None or first is None or first.call is None or not is_final(last):
        return None
    if now.mono_s - (last.call.received_s + last.elapsed_ms / 1000) >= ENDED_SHOWN_S or first.outcome == "refused":
        return None
    if last.call.action != "cancel" and last.outcome != "expired":
        return None
    standing: Standing = "cancelled" if last.call.action == "cancel" else "expired"
    order = _shown(first.call, particulars, rows=rows, now=now)
    return msgspec.structs.replace(order, standing=standing)


def called(rows: Iterable[Journaled]) -> Journaled | None:
    """Give the row of an order's newest revision that called somebody; None where all that came was its cancel."""
    calls = [row for row in rows if not row.step and row.call is not None and row.call.action != "cancel"]
    return max(calls, key=lambda row: row.revision, default=None)


def _shown(call: Call, particulars: Particulars, *, rows: Iterable[Journaled], now: Now) -> OrderShown:
    """An order as its call and the journal's rows of it have it."""
    own = [row for row in rows if row.revision == call.revision and row.step]
    taken_in = [row for row in own if _is_acknowledgement(row)]
    return OrderShown(
        order=call.order,
        revision=call.revision,
        action=call.action,
        mode=call.mode,
        priority=call.priority,
        units=call.units,
        particulars=particulars,
        received_s=call.received_s,
        received_at=now.utc - timedelta(seconds=now.mono_s - call.received_s),
        expires_s=call.expires_s,
        acknowledged=frozenset(row.step.partition(":")[2] for row in taken_in),
        acknowledged_s=call.received_s + min(row.elapsed_ms for row in taken_in) / 1000 if taken_in else None,
        steps=tuple(
            StepShown(name=row.step, outcome=row.outcome, reason=row.reason, elapsed_ms=row.elapsed_ms)
            for row in own
            if not _is_acknowledgement(row)
        ),
    )


def _is_acknowledgement(row: Journaled) -> bool:
    return row.step.partition(":")[0] == "acknowledge"
