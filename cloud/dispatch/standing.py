"""Which phase the facts of an order come to, and what follows from that at once."""

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec.structs import replace

from cloud.dispatch.words import Called, Delivery, Order, Rung, StepFact
from wire.events import Outcome
from wire.feed import OrderAlarm, Phase, PhaseView

PHASES: dict[Rung, Phase] = {
    Rung.CREATED: "created",
    Rung.SENT: "sent",
    Rung.LAPSED_EXPIRED: "expired",
    Rung.LAPSED_UNKNOWN: "unknown",
    Rung.DELIVERED: "delivered",
    Rung.ALERTING: "alerting",
    Rung.CONFIRMED: "confirmed",
    Rung.EXPIRED: "expired",
    Rung.UNKNOWN: "unknown",
    Rung.FAILED: "failed",
    Rung.ACKNOWLEDGED: "acknowledged",
    Rung.MOBILE: "mobile",
    Rung.CLOSED: "closed",
}
_BAD: dict[Rung, tuple[Outcome, ...]] = {
    Rung.FAILED: ("failed", "refused"),
    Rung.UNKNOWN: ("unknown",),
    Rung.EXPIRED: ("expired",),
}
"""Which last words of a device bring an order to which rung."""
ONCE = frozenset({"door", "exit", "acknowledge"})
"""Steps that come with an acknowledgement, or are not asserted: they confirm no alert."""
ALARMS_MAX = 100
"""Alarms that one order raises. A part that fails and is mended over and over is one that somebody knows of."""
HARMLESS = frozenset({"no_door", "not_acknowledged"})
"""Why a step may come to nothing without anybody having to look at its part: the unit has no door at this station, or
nobody acknowledged, which has an alarm of its own."""


def kind_of(step: str) -> str:
    """Give what a step does: `sounder` of `sounder:dorm-fire`."""
    return step.partition(":")[0]


def is_stood_down(delivery: Delivery) -> bool:
    """Tell whether a device knows that the order was cancelled, or never was told of the order."""
    return delivery.stand_down.answered or not delivery.alert.may_be_known


def rung_of(order: Order) -> Rung:
    """Give the highest rung that the facts support. More facts never give a lower one."""
    return next(rung for rung, holds in _LADDER if holds(order))


def settle(before: Order, after: Order, at: datetime, now: datetime) -> Order:
    """Draw the conclusions of a change that came about `at` and is known `now`: phase, alarms and version.

    Gives `before` itself where nothing changed.
    """
    if after == before:
        return before
    rung = rung_of(after)
    if rung > after.rung:
        after = replace(after, rung=rung, phases=(*after.phases, PhaseView(phase=PHASES[rung], at=at)))
    return replace(after, alarms=_alarms(before, after, now), version=before.version + 1, changed_at=now)


def add_alarm(alarms: tuple[OrderAlarm, ...], code: str, text: str, at: datetime) -> tuple[OrderAlarm, ...]:
    """Raise an alarm, once: the same one is not raised again, cleared or not."""
    return alarms if any((one.code, one.text) == (code, text) for one in alarms) else _raise(alarms, code, text, at)


def _raise(alarms: tuple[OrderAlarm, ...], code: str, text: str, at: datetime) -> tuple[OrderAlarm, ...]:
    """Raise an alarm, again where it was cleared; not while it stands, nor past all measure."""
    standing = any((one.code, one.text, one.cleared) == (code, text, False) for one in alarms)
    return alarms if standing or len(alarms) >= ALARMS_MAX else (*alarms, OrderAlarm(code=code, text=text, at=at))


def _alarms(before: Order, order: Order, now: datetime) -> tuple[OrderAlarm, ...]:
    """Raise what the facts alone call for, and clear what they have settled."""
    alarms = order.alarms
    if not order.ends_with_station and order.cancelled is None and order.rung < Rung.CLOSED:
        mended_before = {(step.device, step.step) for step in before.steps if step.outcome == "done"}
        for step in filter(is_broken, order.steps):  # one that had been proved, and is no more, alarms once again
            add = _raise if (step.device, step.step) in mended_before else add_alarm
            alarms = add(alarms, "step_failed", step_text(order, step), now)
        if order.rung in (Rung.LAPSED_EXPIRED, Rung.LAPSED_UNKNOWN, Rung.EXPIRED, Rung.UNKNOWN, Rung.FAILED):
            alarms = add_alarm(alarms, "telephone", f"{ending_reason(order)}: telephone {order.base_name} now", now)
    settled = frozenset(_settled(order))
    mended = {step_text(order, step) for step in order.steps if step.done_at is not None and not is_broken(step)}
    return tuple(
        replace(one, cleared=True) if not one.cleared and (one.code in settled or one.text in mended) else one
        for one in alarms
    )


def _settled(order: Order) -> Iterator[str]:
    """Tell which alarms the facts have answered. What came late still answers them."""
    over = not order.active
    taken = order.rung >= Rung.ACKNOWLEDGED
    if over or order.cancelled is None and (taken or _is_delivered(order)):
        yield "undelivered"
    if over or order.cancelled is not None or taken:
        yield from ("unacknowledged", "telephone")
    if over:  # nobody has it in hand: who comes to the board later would not see it either
        yield "step_failed"


def is_broken(step: StepFact) -> bool:
    """Tell whether a step's last word asks for somebody to look."""
    return step.outcome in ("failed", "refused", "unknown", "expired") and step.reason not in HARMLESS


def step_text(order: Order, step: StepFact) -> str:
    """Name the part that failed, for a person."""
    what, _, part = step.step.partition(":")
    return f"{what.replace('_', ' ').capitalize()} {part} at {order.base_name} is not confirmed".replace("  ", " ")


def ending_reason(order: Order) -> str:
    """Say why an order failed, expired, is unknown or was closed; empty for any other."""
    match order.rung:
        case Rung.LAPSED_EXPIRED:
            return "Nobody could be sent the order in time"
        case Rung.LAPSED_UNKNOWN:
            return "Nobody confirmed the order in time"
        case Rung.FAILED | Rung.EXPIRED | Rung.UNKNOWN:
            device, outcome, reason = next(_endings(order, *_BAD[order.rung]))
            return f"{device} says {outcome}" + (f" ({reason})" if reason else "")
        case Rung.CLOSED:
            return _closing_reason(order)
        case _:
            return ""


def _closing_reason(order: Order) -> str:
    if order.cancelled is not None:
        unheard = "; the stand-down was not confirmed" if order.forgone else ""
        return f"cancelled by {order.cancelled.by}: {order.cancelled.reason}{unheard}"
    if order.closed is not None:
        return f"closed by {order.closed.by}: {order.closed.reason}"
    return "every unit is available again" if _is_over(order) else "the station has ended it"


def _is_delivered(order: Order) -> bool:
    return bool(order.deliveries) and all(one.alert.accepted_at is not None for one in order.watched)


def _is_alerting(order: Order) -> bool:
    devices = {one.device for one in order.watched}
    return any(
        step.device in devices and kind_of(step.step) == "sounder" and step.done_at is not None for step in order.steps
    )


def _is_confirmed(order: Order) -> bool:
    """Every step that the station said it would assert at once was proved."""
    station = next((one for one in order.deliveries if one.station), None)
    if station is None:
        return False
    done = {step.step for step in order.steps if step.device == station.device and step.done_at is not None}
    wanted = {step for step in station.alert.planned if kind_of(step) not in ONCE}
    return done >= wanted if wanted else order.quiet


def _is_over(order: Order) -> bool:
    return bool(order.units) and all(
        one.mobile_at is not None and one.available_at is not None and one.available_at > one.mobile_at
        for one in order.units
    )


def _is_closed(order: Order) -> bool:
    stood_down = order.cancelled is not None and (order.forgone or all(map(is_stood_down, order.deliveries)))
    ended = order.ends_with_station and any(one.station and one.alert.ended is not None for one in order.deliveries)
    return order.closed is not None or stood_down or ended or order.outside is None and _is_over(order)


def _endings(order: Order, *outcomes: Outcome) -> Iterator[tuple[str, Outcome, str]]:
    """Give the device, outcome and reason of each such ending among those whose word counts."""
    for delivery in order.watched:
        for outcome, reason in delivery.alert.endings:
            if outcome in outcomes:
                yield delivery.device, outcome, reason


def _ended(rung: Rung) -> Callable[[Order], bool]:
    return lambda order: any(_endings(order, *_BAD[rung]))


def _everybody(when: Callable[[Called], datetime | None]) -> Callable[[Order], bool]:
    return lambda order: bool(order.units) and all(when(one) is not None for one in order.units)


def _is_sent(order: Order) -> bool:
    return any(one.alert.sent_at is not None for one in order.deliveries)


_LADDER: tuple[tuple[Rung, Callable[[Order], bool]], ...] = (
    (Rung.CLOSED, _is_closed),
    (Rung.MOBILE, _everybody(lambda one: one.mobile_at)),
    (Rung.ACKNOWLEDGED, _everybody(lambda one: one.acknowledged_at)),
    (Rung.FAILED, _ended(Rung.FAILED)),
    (Rung.UNKNOWN, _ended(Rung.UNKNOWN)),
    (Rung.EXPIRED, _ended(Rung.EXPIRED)),
    (Rung.CONFIRMED, _is_confirmed),
    (Rung.ALERTING, _is_alerting),
    (Rung.DELIVERED, _is_delivered),
    (Rung.LAPSED_UNKNOWN, lambda order: order.lapsed and _is_sent(order)),
    (Rung.LAPSED_EXPIRED, lambda order: order.lapsed),
    (Rung.SENT, _is_sent),
    (Rung.CREATED, lambda order: True),
)
