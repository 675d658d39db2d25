"""An order and its steps, as the feed shows them."""

from typing import Literal

import msgspec

from wire.events import Instant, Mode, Service

OrderKind = Literal["mobilise", "standby_move", "local_turnout", "cad"]
"""`cad`: an order of a command and control system, which alerts its units itself: nothing is sent for it."""
Phase = Literal[
    "created", "sent", "delivered", "alerting", "confirmed", "acknowledged", "mobile",
    "closed", "failed", "expired", "unknown",
]  # fmt: skip
StepOutcome = Literal["waiting", "started", "done", "failed", "refused", "expired", "unknown"]


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step at one device, such as a sounder: what was read back, and how long after the command came in."""

    device: str
    step: str
    outcome: StepOutcome
    reason: str = ""
    elapsed_ms: int | None = None
    at: Instant | None = None
    """When it was reported, corrected, UTC."""


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """How far one device has come with the order."""

    device: str
    phase: Phase
    reason: str = ""


class CalledView(msgspec.Struct, frozen=True, kw_only=True):
    """One unit that the order calls."""

    unit: str
    callsign: str
    service: Service
    acknowledged_at: Instant | None = None
    mobile_at: Instant | None = None


class PhaseView(msgspec.Struct, frozen=True, kw_only=True):
    """When the order came to a phase."""

    phase: Phase
    at: Instant


class OrderAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """What asks for a person: `undelivered`, `unacknowledged`, `step_failed`, `telephone`."""

    code: str
    text: str
    """Plain English that says what to do."""
    at: Instant
    cleared: bool = False


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it stands."""

    order: str
    revision: int
    kind: OrderKind
    phase: Phase
    reason: str = ""
    """Why it failed, expired, is unknown, or was closed."""
    base: str
    """The station's base, by id."""
    base_name: str
    mode: Mode
    priority: Literal["emergency", "routine"]
    incident: str
    address: str
    grid_reference: str
    text: str
    units: tuple[CalledView, ...]
    deliveries: tuple[DeliveryView, ...]
    steps: tuple[StepView, ...]
    phases: tuple[PhaseView, ...]
    """In the order in which they came."""
    alarms: tuple[OrderAlarm, ...]
    by: str
    """Who gave it."""
    created_at: Instant
    active: bool
    """Whether anything may still change without a person."""
    version: int
    """Grows with every change of the order."""
