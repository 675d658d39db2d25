"""An order as one device gets it, and whether it is still to be sent."""

from cloud.dispatch.escalation import STAND_DOWN_S
from cloud.dispatch.words import Delivery, Order
from wire.messages import Action, CalledUnit, Command


def until_s(order: Order) -> float:
    """The moment, on this process's monotonic clock, after which no device may act on the order's last revision."""
    if order.cancelled is not None:
        return order.cancelled_s + STAND_DOWN_S
    return order.created_s + order.brief.expires_s


def is_pending(order: Order, delivery: Delivery, now_s: float) -> bool:
    """Tell whether a device is still to be sent the order, or the stand-down of one that it may know."""
    if not order.active or now_s >= until_s(order):
        return False
    if order.cancelled is not None:
        return not delivery.stand_down.answered and delivery.alert.may_be_known
    return not delivery.alert.answered


def make_command(order: Order, delivery: Delivery, nonce: str, expires_ms: int, owner_term: int) -> Command:
    """Write the order for one device. A vehicle is told of the units of its own service only."""
    action: Action = "cancel" if order.cancelled is not None else _action(order)
    own = {one.service for one in order.units if one.unit in delivery.units}
    return Command(
        v=1,
        owner_term=owner_term,
        order=order.id,
        revision=order.revision,
        action=action,
        nonce=nonce,
        expires_ms=expires_ms,
        issued_at=order.created_at if order.cancelled is None else order.cancelled.at,
        mode=order.brief.mode,
        priority=order.priority,
        units=[
            CalledUnit(unit=one.unit, callsign=one.callsign, service=one.service)
            for one in order.units
            if delivery.station or one.service in own
        ],
        incident=order.brief.incident,
        address=order.brief.address,
        grid_reference=order.brief.grid_reference,
        text=order.brief.text,
        open_doors=order.brief.open_doors,
    )


def _action(order: Order) -> Action:
    return "standby_move" if order.kind == "standby_move" else "mobilise"
