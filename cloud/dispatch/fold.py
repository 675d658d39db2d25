"""Folds what devices tell into an order. What is known twice, late or out of order changes nothing that stands."""

from datetime import datetime

from msgspec.structs import replace

from cloud.dispatch.standing import settle
from cloud.dispatch.words import Called, Delivery, Order, Reach, StepFact
from wire.events import AcknowledgeEvent, Event, Outcome, ReceiptEvent, StatusEvent
from wire.scheme import Code

STALE_NONCE = "stale_nonce"
"""The device asks for the command again with another nonce: that is no word on the order."""
_NOT_TAKEN: tuple[Outcome, ...] = ("refused", "expired")
_RANK: dict[Outcome, int] = {
    "accepted": 0, "started": 1, "expired": 2, "refused": 3, "unknown": 4, "failed": 5, "done": 6,
}  # fmt: skip
"""Of two last words that came with the same time, which one counts."""
STEPS_MAX = 64
"""Steps of one device that an order holds, planned and told of. A receipt plans at most 32."""
ENDINGS_MAX = 8
"""Last words of one device that are kept: those that count most. It should have one."""
_PEOPLE = ("panel", "radio")
"""An automatic status closes nothing: only a person says that a unit is available again."""


def apply_event(order: Order, device: str, event: Event, at: datetime, now: datetime | None = None) -> Order:
    """Fold in what a device told: `at` is when, corrected; `now` when it is known, by default the same.

    A device that the order was not given to has no say in it.
    """
    delivery = next((one for one in order.deliveries if one.device == device), None)
    if delivery is None:
        return order
    match event:
        case ReceiptEvent() if event.order == order.id and event.reason != STALE_NONCE:
            after = _apply_receipt(order, delivery, event, at)
        case AcknowledgeEvent() if event.order == order.id:
            after = _apply_acknowledge(order, delivery, event, at)
        case _:
            return order
    return settle(order, after, at, now or at)


def apply_status(order: Order, event: StatusEvent, code: Code, at: datetime, now: datetime | None = None) -> Order:
    """Fold in a status of one of the units called: `code` is what its scheme says of it, `at` is proven.

    One from before the order says nothing of it.
    """
    if at < order.created_at or event.mode != order.brief.mode:
        return order
    called = next((one for one in order.units if one.unit == event.unit), None)
    if called is None:
        return order
    if code.mobile:
        changed = replace(called, mobile_at=_first(called.mobile_at, at))
    elif code.availability == "Available" and event.by in _PEOPLE:
        changed = replace(called, available_at=max(called.available_at or at, at))
    else:
        return order
    return settle(order, _with_unit(order, changed), at, now or at)


def _apply_receipt(order: Order, delivery: Delivery, event: ReceiptEvent, at: datetime) -> Order:
    if event.revision > order.revision:
        return order
    if event.revision > 1:
        reach = _apply_word(delivery.stand_down, event, at)
        return _with_delivery(order, replace(delivery, stand_down=reach))
    changed = _with_delivery(order, replace(delivery, alert=_apply_word(delivery.alert, event, at)))
    return _with_step(changed, delivery.device, event, at) if event.step else changed


def _apply_word(reach: Reach, event: ReceiptEvent, at: datetime) -> Reach:
    """Take in what a receipt says of the revision as a whole; one of a step says that it was accepted."""
    if event.step or event.outcome not in _NOT_TAKEN:
        reach = replace(reach, accepted_at=_first(reach.accepted_at, at))
    if event.step or event.outcome == "started":
        return reach
    if event.outcome == "accepted":
        return replace(reach, planned=tuple(sorted({*reach.planned, *event.steps}))[:STEPS_MAX])
    endings = sorted({*reach.endings, (event.outcome, event.reason)}, key=_order_of)
    return replace(reach, endings=tuple(endings[-ENDINGS_MAX:]))


def _order_of(ending: tuple[Outcome, str]) -> tuple[int, str]:
    return _RANK[ending[0]], ending[1]


def _apply_acknowledge(order: Order, delivery: Delivery, event: AcknowledgeEvent, at: datetime) -> Order:
    for unit in delivery.units if event.unit is None else (event.unit,):
        called = next((one for one in order.units if one.unit == unit), None)
        if called is not None and unit in delivery.units:
            order = _with_unit(order, replace(called, acknowledged_at=_first(called.acknowledged_at, at)))
    return order


def _with_step(order: Order, device: str, event: ReceiptEvent, at: datetime) -> Order:
    new = StepFact(
        device=device,
        step=event.step,
        outcome=event.outcome,
        reason=event.reason,
        elapsed_ms=event.elapsed_ms,
        at=at,
        done_at=at if event.outcome == "done" else None,
    )
    for index, known in enumerate(order.steps):
        if (known.device, known.step) == (device, event.step):
            return replace(order, steps=(*order.steps[:index], _join(known, new), *order.steps[index + 1 :]))
    if sum(known.device == device for known in order.steps) >= STEPS_MAX:
        return order
    return replace(order, steps=(*order.steps, new))


def _join(one: StepFact, other: StepFact) -> StepFact:
    """Join what is known of a step: the later word by the device's own clock, and the first proof."""
    later = max(one, other, key=lambda step: (step.elapsed_ms, _RANK[step.outcome], step.reason, step.at))
    proofs = [step.done_at for step in (one, other) if step.done_at is not None]
    return replace(later, done_at=min(proofs, default=None))


def _first(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)


def _with_unit(order: Order, changed: Called) -> Order:
    return replace(order, units=tuple(changed if one.unit == changed.unit else one for one in order.units))


def _with_delivery(order: Order, changed: Delivery) -> Order:
    return replace(
        order, deliveries=tuple(changed if one.device == changed.device else one for one in order.deliveries)
    )
