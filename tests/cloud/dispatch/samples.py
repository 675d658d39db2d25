"""An order for a shared station, and what its devices tell."""

from datetime import timedelta
from typing import Any

from cloud.dispatch import Callee, Facts, Order, OrderRequest, open_order
from cloud.dispatch.words import Ending
from tests.cloud.fleet.samples import NOON, at
from wire.events import AcknowledgeEvent, ReceiptEvent, StatusEvent, TurnoutEvent
from wire.scheme import Code

ORDER = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a0c0de"
STATION, PUMP, CAR = "stn-14-agent", "veh-1", "veh-2"
PLAN = ["cooker:mess", "light:bay", "sounder:dorm-fire", "sounder:police"]
MOBILE = Code(code="1", label="Mobile to incident", mobile=True, availability="NotAvailable")
AVAILABLE = Code(code="4", label="Available at base", availability="Available")
PUMP_CALLEE = Callee(unit="kf-1", callsign="14P1", service="fire", carrier=PUMP)
CAR_CALLEE = Callee(unit="kp-12", callsign="P12", service="police", carrier=CAR)
FACTS = Facts(base_name="Stn 14 shared", device=STATION, callees=(PUMP_CALLEE, CAR_CALLEE))


def request(**changes: Any) -> OrderRequest:
    """A mobilisation of the pump and the car."""
    fields: dict[str, Any] = {"base": "stn-14", "units": ("kf-1", "kp-12"), "incident": "I0417", "by": "op 7"}
    return OrderRequest(**fields | changes)


def order(facts: Facts = FACTS, **changes: Any) -> Order:
    """An order that was given at noon."""
    return open_order(ORDER, request(units=tuple(one.unit for one in facts.callees), **changes), facts, at(0))


def ending(moment_s: float = 0.0) -> Ending:
    """A person's word that it is over."""
    return Ending(by="op 8", reason="false alarm", at=NOON + timedelta(seconds=moment_s))


def receipt(outcome: str, step: str = "", **changes: Any) -> ReceiptEvent:
    """What a device did."""
    return ReceiptEvent(**_event() | {"order": ORDER, "revision": 1, "step": step, "outcome": outcome} | changes)


def acknowledge(unit: str | None = None, **changes: Any) -> AcknowledgeEvent:
    """A person took the order in."""
    return AcknowledgeEvent(**_event() | {"order": ORDER, "revision": 1, "by": "panel", "unit": unit} | changes)


def status(unit: str, code: Code, by: str = "panel", **changes: Any) -> StatusEvent:
    """A unit's status."""
    fields: dict[str, Any] = {"unit": unit, "scheme": "uk-fire-gd92", "code": code.code, "by": by}
    return StatusEvent(**_event() | fields | changes)


def turnout(**changes: Any) -> TurnoutEvent:
    """The station turned its pump out by hand."""
    return TurnoutEvent(**_event() | {"order": ORDER, "units": ["kf-1"], "text": "smell of burning"} | changes)


def _event() -> dict[str, Any]:
    return {"seq": 1, "at": NOON, "clock": "gnss", "boot": 1, "mono_ms": 0, "mode": "live"}
