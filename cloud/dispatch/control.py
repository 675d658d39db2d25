"""What control does with an order, and how an order begins."""

import hashlib
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cloud.dispatch.standing import settle
from cloud.dispatch.words import ACK_S, Brief, Called, Delivery, Ending, Facts, Moment, Order, OrderRequest, Reach
from wire.events import TurnoutEvent
from wire.feed import PhaseView


def open_order(order_id: str, request: OrderRequest, facts: Facts, now: Moment, ack_s: float = ACK_S) -> Order:
    """Begin an order as control gives it."""
    usual = "emergency" if request.kind == "mobilise" else "routine"
    return Order(
        id=order_id,
        kind=request.kind,
        brief=msgspec.convert(request, Brief, from_attributes=True),
        asked=digest(request),
        priority=request.priority or usual,  # type: ignore[arg-type]
        base_name=facts.base_name,
        ack_s=ack_s,
        created_at=now.utc,
        created_s=now.mono_s,
        units=_called(facts),
        deliveries=_deliveries(facts),
        phases=(PhaseView(phase="created", at=now.utc),),
        changed_at=now.utc,
    )


def open_local(event: TurnoutEvent, base: str, facts: Facts, at: datetime, now: Moment) -> Order:
    """Begin an order that a station gave itself, `at` some moment that may be long past: its device has it already."""
    begun = Order(
        id=event.order,
        kind="local_turnout",
        brief=Brief(base=base, units=tuple(event.units), text=event.text, mode=event.mode, by="station"),
        priority="emergency",
        base_name=facts.base_name,
        ack_s=ACK_S,
        created_at=at,
        created_s=now.mono_s - max(0.0, (now.utc - at).total_seconds()),
        units=_called(facts),
        deliveries=tuple(
            replace(one, alert=Reach(sent_at=at, accepted_at=at)) for one in _deliveries(facts) if one.station
        ),
        phases=(PhaseView(phase="created", at=at),),
        changed_at=now.utc,
    )
    return settle(replace(begun, version=0, phases=()), begun, at, now.utc)


def digest(request: OrderRequest) -> str:
    """Name what was asked for: the same fields and values, however they were written, give the same name."""
    return hashlib.sha256(msgspec.json.encode(request, order="sorted")).hexdigest()


def note_sent(order: Order, device: str, now: datetime) -> Order:
    """Note that a device was sent the order, or the stand-down, for the first time."""
    deliveries = tuple(_sent(order, one, now) if one.device == device else one for one in order.deliveries)
    return settle(order, replace(order, deliveries=deliveries), now, now)


def _sent(order: Order, delivery: Delivery, now: datetime) -> Delivery:
    if order.cancelled is None:
        return replace(delivery, alert=replace(delivery.alert, sent_at=delivery.alert.sent_at or now))
    return replace(delivery, stand_down=replace(delivery.stand_down, sent_at=delivery.stand_down.sent_at or now))


def cancel(order: Order, ending: Ending, now: Moment) -> Order:
    """Take an order back: whoever was told of it is told so, under the next revision. Idempotent."""
    if order.cancelled is not None or not order.active:
        return order
    changed = replace(order, cancelled=ending, cancelled_s=now.mono_s, revision=order.revision + 1)
    return settle(order, changed, now.utc, now.utc)


def close(order: Order, ending: Ending, now: Moment) -> Order:
    """End an order that needs nobody any more. Nobody is told; idempotent."""
    if order.closed is not None or not order.active:
        return order
    return settle(order, replace(order, closed=ending), now.utc, now.utc)


def acknowledge_alarms(order: Order, now: datetime, seen: int | None = None) -> Order:
    """Note that a person has taken the standing alarms in hand: the first `seen` of the order, or all.

    What gets worse raises another.
    """
    taken = order.alarms[:seen]
    alarms = (*(replace(one, cleared=True) for one in taken), *order.alarms[len(taken) :])
    return settle(order, replace(order, alarms=alarms), now, now)


def _called(facts: Facts) -> tuple[Called, ...]:
    return tuple(Called(unit=one.unit, callsign=one.callsign, service=one.service) for one in facts.callees)


def _deliveries(facts: Facts) -> tuple[Delivery, ...]:
    """Name who is to be told: the station for all units, and each vehicle for its own."""
    everybody = tuple(one.unit for one in facts.callees)
    station = () if facts.device is None else (Delivery(device=facts.device, station=True, units=everybody),)
    return station + tuple(
        Delivery(device=one.carrier, station=False, units=(one.unit,))
        for one in facts.callees
        if one.carrier not in (None, facts.device)
    )
