"""What asks for a person because nobody answered. Time comes in; durations are the monotonic clock's."""

from datetime import timedelta

from msgspec.structs import replace

from cloud.dispatch.standing import ONCE, add_alarm, is_stood_down, kind_of, settle
from cloud.dispatch.words import Moment, Order, Rung
from wire.feed import OrderAlarm

UNDELIVERED_S = 5.0
GRACE_S = 10.0
"""How long after an order expired an answer that was given in time may still be on its way."""
STAND_DOWN_S = 600.0
"""How long a device is told again that an order was cancelled."""
QUIET = timedelta(seconds=3)
"""A station that did not say what it plans, and proved all that it told of, is taken to have told all after this: a
step has one second to be read back."""
RESTS = timedelta(hours=12)
"""An order in which nothing happened for so long is put away: it is in the ledger."""


def pass_time(order: Order, now: Moment) -> tuple[Order, tuple[OrderAlarm, ...]]:
    """Let time pass: gives the order, and the alarms that this raised."""
    if not order.active or order.outside is not None:  # who gave it elsewhere ends it
        return order, ()
    age_s = now.mono_s - order.created_s
    after = replace(
        order,
        lapsed=order.lapsed or order.cancelled is None and age_s >= order.brief.expires_s + GRACE_S,
        quiet=order.quiet or _is_quiet(order, now),
        forgone=order.forgone or order.cancelled is not None and now.mono_s - order.cancelled_s >= STAND_DOWN_S,
        rested=age_s >= RESTS.total_seconds() and now.utc - order.changed_at >= RESTS,
        alarms=order.alarms if order.ends_with_station else _overdue(order, age_s, now),
    )
    after = settle(order, after, now.utc, now.utc)
    return after, after.alarms[len(order.alarms) :]


def resume(order: Order, now: Moment) -> Order:
    """Take up an order that was kept by an earlier process, whose monotonic clock is not this one's."""
    since_s = now.mono_s - max(0.0, (now.utc - order.created_at).total_seconds())
    cancelled = order.cancelled
    gone_s = 0.0 if cancelled is None else now.mono_s - max(0.0, (now.utc - cancelled.at).total_seconds())
    deliveries = tuple(replace(one, alert=replace(one.alert, doubtful=True)) for one in order.deliveries)
    return replace(order, created_s=since_s, cancelled_s=gone_s, deliveries=deliveries)


def is_waiting(order: Order) -> bool:
    """Tell whether time alone may soon raise an alarm or end something."""
    return order.active and order.outside is None and (order.rung < Rung.ACKNOWLEDGED or order.cancelled is not None)


def _overdue(order: Order, age_s: float, now: Moment) -> tuple[OrderAlarm, ...]:
    alarms, name = order.alarms, order.base_name
    if order.cancelled is not None:
        unheard = not all(map(is_stood_down, order.deliveries))
        if unheard and now.mono_s - order.cancelled_s >= UNDELIVERED_S:
            text = f"The stand-down has not reached {name}: telephone the station"
            alarms = add_alarm(alarms, "undelivered", text, now.utc)
        return alarms
    if order.rung >= Rung.ACKNOWLEDGED:
        return alarms
    reached = order.rung >= Rung.DELIVERED
    if not reached and age_s >= UNDELIVERED_S:
        alarms = add_alarm(alarms, "undelivered", f"The order has not reached {name}: telephone the station", now.utc)
    if reached and age_s >= order.ack_s:
        missing = ", ".join(one.callsign for one in order.units if one.acknowledged_at is None)
        text = f"{missing}: no acknowledgement within {order.ack_s:.0f} s"
        if not any(one.code == "unacknowledged" for one in alarms):
            alarms = add_alarm(alarms, "unacknowledged", text, now.utc)
    if age_s >= 2 * order.ack_s:
        text = f"Nobody has acknowledged for {2 * order.ack_s:.0f} s: telephone {name} now"
        alarms = add_alarm(alarms, "telephone", text, now.utc)
    return alarms


def _is_quiet(order: Order, now: Moment) -> bool:
    station = next((one for one in order.deliveries if one.station), None)
    if station is None or station.alert.planned:
        return False
    steps = [step for step in order.steps if step.device == station.device and kind_of(step.step) not in ONCE]
    return bool(steps) and all(step.done_at is not None and now.utc - step.at >= QUIET for step in steps)
