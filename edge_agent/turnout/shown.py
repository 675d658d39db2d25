"""The orders in hand as a panel shows them. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from edge_agent.state.vehicle import Now
from edge_agent.station.machine import Live
from edge_agent.station.words import Journaled
from edge_agent.turnout.lines import Particulars
from wire.events import Mode, Outcome
from wire.messages import Action, CalledUnit, Priority


class StepShown(msgspec.Struct, frozen=True, kw_only=True):
    """How far one step has come."""

    name: str
    """The wire's StepName."""
    outcome: Outcome | None
    """None: nothing is known of it yet."""
    reason: str = ""
    elapsed_ms: int = 0


class OrderShown(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the station has in hand."""

    order: str
    revision: int
    action: Action
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
    call = live.call
    taken_in_ms = [row.elapsed_ms for row in rows if row.revision == call.revision and _is_acknowledgement(row)]
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
        acknowledged=live.acknowledged,
        acknowledged_s=call.received_s + min(taken_in_ms) / 1000 if taken_in_ms else None,
        steps=tuple(
            StepShown(name=each.step.name, outcome=each.outcome, reason=each.reason, elapsed_ms=each.elapsed_ms)
            for each in live.steps
        ),
    )


def _is_acknowledgement(row: Journaled) -> bool:
    return row.step.partition(":")[0] == "acknowledge"
