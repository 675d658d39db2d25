"""Orders of command and control systems (CAD): they say which units are on one, and nobody here is sent anything. Pure.

Such an order has no deliveries, so that no command can come of it, and no time runs out on it: the CAD puts units on
it and takes them off, and with the last one it is over.
"""

from datetime import datetime

from msgspec.structs import replace

from cloud.dispatch.standing import settle
from cloud.dispatch.words import ACK_S, Brief, Called, Callee, Ending, Moment, Order, Outside
from wire.feed import PhaseView


def open_outside(order_id: str, outside: Outside, brief: Brief, base_name: str, now: Moment) -> Order:
    """Begin an order that stands for one of a CAD's, without a unit yet."""
    return Order(
        id=order_id,
        kind="cad",
        brief=brief,
        priority="emergency",
        base_name=base_name,
        ack_s=ACK_S,
        created_at=now.utc,
        created_s=now.mono_s,
        units=(),
        deliveries=(),
        outside=outside,
        phases=(PhaseView(phase="created", at=now.utc),),
        changed_at=now.utc,
    )


def put_on(order: Order, callee: Callee, now: datetime) -> Order:
    """Put a unit on an order of a CAD's. One that was on it before begins anew."""
    called = Called(unit=callee.unit, callsign=callee.callsign, service=callee.service)
    others = tuple(one for one in order.units if one.unit != callee.unit)
    return settle(order, replace(order, units=(*others, called)), now, now)


def take_off(order: Order, unit: str, ending: Ending) -> Order:
    """Take a unit off an order of a CAD's. With its last one the order is over, and keeps the name of that one."""
    if not order.active or all(one.unit != unit for one in order.units):
        return order
    others = tuple(one for one in order.units if one.unit != unit)
    changed = replace(order, units=others) if others else replace(order, closed=ending)
    return settle(order, changed, ending.at, ending.at)
