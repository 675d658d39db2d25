"""An order as the feed shows it."""

from collections.abc import Iterator

from cloud.dispatch.standing import PHASES, ending_reason, is_stood_down
from cloud.dispatch.words import Delivery, Order, Reach
from wire.events import Outcome
from wire.feed import CalledView, DeliveryView, OrderView, Phase, StepView

_ENDED: dict[Outcome, Phase] = {
    "done": "closed", "failed": "failed", "refused": "failed", "expired": "expired", "unknown": "unknown",
}  # fmt: skip


def view(order: Order) -> OrderView:
    """Show an order as it stands."""
    return OrderView(
        order=order.id,
        revision=order.revision,
        kind=order.kind,
        phase=PHASES[order.rung],
        reason=ending_reason(order) or _pending_reason(order),
        base=order.brief.base,
        base_name=order.base_name,
        mode=order.brief.mode,
        priority=order.priority,
        incident=order.brief.incident,
        address=order.brief.address,
        grid_reference=order.brief.grid_reference,
        text=order.brief.text,
        units=tuple(
            CalledView(
                unit=one.unit,
                callsign=one.callsign,
                service=one.service,
                acknowledged_at=one.acknowledged_at,
                mobile_at=one.mobile_at,
            )
            for one in order.units
        ),
        deliveries=tuple(_delivery(one) for one in order.deliveries),
        steps=tuple(_steps(order)),
        phases=order.phases,
        alarms=order.alarms,
        by=order.brief.by,
        created_at=order.created_at,
        active=order.active,
        version=order.version,
    )


def _pending_reason(order: Order) -> str:
    if order.cancelled is None:
        return ""
    unheard = ", ".join(one.device for one in order.deliveries if not is_stood_down(one))
    return f"cancelled by {order.cancelled.by}: {order.cancelled.reason}; not yet confirmed by {unheard}"


def _delivery(delivery: Delivery) -> DeliveryView:
    alert = delivery.alert
    if delivery.stand_down.answered:
        return DeliveryView(device=delivery.device, phase="closed", reason=delivery.stand_down.reason)
    return DeliveryView(device=delivery.device, phase=_phase(alert), reason=alert.reason)


def _phase(reach: Reach) -> Phase:
    if reach.ended is not None and reach.ended in _ENDED:
        return _ENDED[reach.ended]
    if reach.accepted_at is not None:
        return "delivered"
    return "created" if reach.sent_at is None else "sent"


def _steps(order: Order) -> Iterator[StepView]:
    """Show what was told of each step, and those that were planned and not yet told of."""
    for step in order.steps:
        yield StepView(
            device=step.device,
            step=step.step,
            outcome="started" if step.outcome == "accepted" else step.outcome,
            reason=step.reason,
            elapsed_ms=step.elapsed_ms,
            at=step.at,
        )
    told = {(step.device, step.step) for step in order.steps}
    for delivery in order.deliveries:
        for planned in delivery.alert.planned:
            if (delivery.device, planned) not in told:
                yield StepView(device=delivery.device, step=planned, outcome="waiting")
