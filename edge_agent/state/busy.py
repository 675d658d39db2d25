"""Why a device must not be updated, restarted or reset now: never while mobile or on an order. Pure.

What is not known counts as busy; what the device has no sensor for does not. All times are seconds of the monotonic
clock.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from edge_agent.decode.readings import Fix, InputValue
from wire.scheme import Code

FIX_HOLDS_S = 30.0
"""A fix that is older says nothing of whether the vehicle moves."""
_AT_BASE = (None, "free", "rest", "out_of_service")
"""What a crew that is at its base may be at, and still not be out, or on its way out."""


class Sensors(msgspec.Struct, frozen=True, kw_only=True):
    """What the device has."""

    receiver: bool
    inputs: Collection[str] = ()
    """The names of its own inputs: of them `ignition` and `power_fail` count."""
    parked_speed_mps: float = 1.0
    """Slower is parked, as for its reports."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the device knows now."""

    fix: Fix | None = None
    """The newest reading of the receiver."""
    fix_age_s: float = 0.0
    inputs: Mapping[str, InputValue] = {}
    statuses: Mapping[str, Collection[Code | None]] = {}
    """Of each unit that it speaks for: the rows of what was declared here last and of what control shows.

    None is a status in a code that this device does not know; a unit without any is one whose status is not known.
    """
    orders: int = 0
    """How many stand here."""
    emergency: bool = False
    """One was raised here, and is not over."""
    unsettled: int = 0
    """The events of the status queue that control has not settled."""


def why_busy(sensors: Sensors, seen: Seen) -> tuple[str, ...]:
    """Give each reason, in words; none where the device may be updated, restarted or reset now."""
    return tuple(_reasons(sensors, seen))


def _reasons(sensors: Sensors, seen: Seen) -> Iterator[str]:
    if seen.emergency:
        yield "an emergency was raised here and is not over"
    if seen.orders:
        yield "an order stands here" if seen.orders == 1 else f"{seen.orders} orders stand here"
    for unit, rows in seen.statuses.items():
        yield from _of_unit(unit, rows)
    if "ignition" in sensors.inputs:
        yield from _of_input(seen.inputs.get("ignition"), "the ignition is on", "whether the ignition is on")
    if sensors.receiver:
        yield from _of_moving(sensors, seen)
    if "power_fail" in sensors.inputs:
        on = "the supply has failed and the hold-up store is in use"
        yield from _of_input(seen.inputs.get("power_fail"), on, "whether the supply holds")
    if seen.unsettled:
        some = "1 event has" if seen.unsettled == 1 else f"{seen.unsettled} events have"
        yield f"{some} not reached control yet"


def _of_unit(unit: str, rows: Collection[Code | None]) -> Iterator[str]:
    if not rows or None in rows:
        yield f"what {unit} is at is not known"
        return
    away = next((row for row in rows if row is not None and not _is_at_rest(row)), None)
    if away is not None:
        yield f"{unit} is not at its base: its status is {away.code} {away.label}"


def _is_at_rest(row: Code) -> bool:
    """Whether a status says that its unit is not out: at its base and on no order, or its crew off duty or at home."""
    return row.private or (row.place == "base" and not row.mobile and row.activity in _AT_BASE)


def _of_input(value: InputValue | None, on: str, unknown: str) -> Iterator[str]:
    if value is None or value.quality != "good":
        yield f"{unknown} is not known"
    elif value.value:
        yield on


def _of_moving(sensors: Sensors, seen: Seen) -> Iterator[str]:
    fix = seen.fix
    known = fix is not None and fix.mode != "none" and fix.speed_mps is not None and seen.fix_age_s <= FIX_HOLDS_S
    if known and fix is not None and fix.speed_mps is not None:
        if fix.speed_mps >= sensors.parked_speed_mps:
            yield f"the vehicle moves, at {fix.speed_mps * 3.6:.0f} km/h"
        return
    ignition = seen.inputs.get("ignition")
    off = ignition is not None and ignition.quality == "good" and not ignition.value
    if not off:
        yield "whether the vehicle moves is not known: there is no newer fix with a speed"
