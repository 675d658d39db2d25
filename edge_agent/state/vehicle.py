"""The vehicle's own state: folds each reading in, and says what to declare and what to report."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from edge_agent.decode.readings import Fix, InputValue, Press, Reading, SourceFault
from edge_agent.state import debounce, reporting
from edge_agent.state.debounce import Debounce
from edge_agent.state.reporting import Reported, ReportRules
from wire.events import ClockSource

GNSS_AGREES_S = 2.0
"""The wall clock counts as disciplined by the receiver while it is this near to the receiver's time."""
GNSS_HOLDS_S = 60.0
"""And for this long after the last fix that said so."""
PRESS_FIX_S = 5.0
"""A press reports the position too, where the newest fix is not older than this."""


class Now(msgspec.Struct, frozen=True):
    """The device's two clocks."""

    utc: datetime
    mono_s: float


class Declare(msgspec.Struct, frozen=True):
    """Commit the status of a button that was pressed."""

    button: str


class ReportFix(msgspec.Struct, frozen=True):
    """Commit a position."""

    fix: Fix


class ReportInput(msgspec.Struct, frozen=True):
    """Commit an input's value."""

    value: InputValue


Effect = Declare | ReportFix | ReportInput


class Vehicle(msgspec.Struct, frozen=True, kw_only=True):
    """All that is remembered between readings."""

    rules: ReportRules
    debounce: Debounce
    reported: Reported | None = None
    fix: Fix | None = None
    fix_s: float = 0.0
    fixed_s: float | None = None
    """When the newest report with a position came; None before the first."""
    gnss_s: float | None = None
    """When a fix last agreed with the wall clock; None where none has, or a newer one disagreed."""
    contested_s: float | None = None
    """When the newest fix with a time disagreed with the wall clock; None where it agreed."""
    inputs: Mapping[str, InputValue] = {}
    faults: Mapping[str, str] = {}


def apply(vehicle: Vehicle, reading: Reading, now: Now) -> tuple[Vehicle, tuple[Effect, ...]]:
    """Fold one reading in."""
    match reading:
        case Fix():
            return _apply_fix(vehicle, reading, now)
        case Press():
            return _apply_press(vehicle, reading, now)
        case InputValue():
            return _apply_input(vehicle, reading)
        case SourceFault():
            faults = {source: text for source, text in vehicle.faults.items() if source != reading.source}
            if reading.text:
                faults[reading.source] = reading.text
            return msgspec.structs.replace(vehicle, faults=faults), ()


def note_stuck(vehicle: Vehicle, now: Now) -> tuple[Vehicle, tuple[str, ...]]:
    """Name the buttons that have turned out to be stuck, each once."""
    state, stuck = debounce.find_stuck(vehicle.debounce, now.mono_s)
    return msgspec.structs.replace(vehicle, debounce=state), stuck


def note_position_committed(vehicle: Vehicle, fix: Fix, seq: int) -> Vehicle:
    """Note under which sequence the standing report was committed."""
    if vehicle.reported is None or vehicle.reported.fix is not fix:
        return vehicle
    return msgspec.structs.replace(vehicle, reported=msgspec.structs.replace(vehicle.reported, seq=seq))


def clock_source(vehicle: Vehicle, kernel_synchronised: bool, now_s: float) -> ClockSource:
    """Tell what disciplines the wall clock. Where the receiver lately disagreed with it, nothing does."""
    if vehicle.contested_s is not None and now_s - vehicle.contested_s <= GNSS_HOLDS_S:
        return "none"
    if vehicle.gnss_s is not None and now_s - vehicle.gnss_s <= GNSS_HOLDS_S:
        return "gnss"
    return "ntp" if kernel_synchronised else "none"


def position_age(vehicle: Vehicle, now_s: float) -> tuple[int, int] | None:
    """Give the sequence of the standing report and the age in ms of the newest fix that agrees with it."""
    reported = vehicle.reported
    if reported is None or reported.seq is None or reported.fix.mode == "none":
        return None
    return reported.seq, int((now_s - reported.agreed_s) * 1000) + 1


def _apply_fix(vehicle: Vehicle, fix: Fix, now: Now) -> tuple[Vehicle, tuple[Effect, ...]]:
    fixed_s = vehicle.fixed_s if fix.mode == "none" else now.mono_s
    seen = msgspec.structs.replace(vehicle, fix=fix, fix_s=now.mono_s, fixed_s=fixed_s)
    if fix.gnss_time is not None and fix.mode != "none":
        agrees = abs((fix.gnss_time - now.utc).total_seconds()) <= GNSS_AGREES_S
        seen = msgspec.structs.replace(
            seen, gnss_s=now.mono_s if agrees else None, contested_s=None if agrees else now.mono_s
        )
    if reporting.due(vehicle.reported, fix, now.mono_s, vehicle.rules):
        return _report(seen, fix, now), (ReportFix(fix),)
    if vehicle.reported is not None and reporting.agrees(vehicle.reported, fix, vehicle.rules):
        agreed = msgspec.structs.replace(vehicle.reported, agreed_s=now.mono_s)
        return msgspec.structs.replace(seen, reported=agreed), ()
    return seen, ()


def _apply_press(vehicle: Vehicle, press: Press, now: Now) -> tuple[Vehicle, tuple[Effect, ...]]:
    state, pressed = debounce.apply(vehicle.debounce, press, now.mono_s)
    changed = msgspec.structs.replace(vehicle, debounce=state)
    if not pressed:
        return changed, ()
    declared: tuple[Effect, ...] = tuple(Declare(button) for button in pressed)
    fix = vehicle.fix
    reported = vehicle.reported
    recent = fix is not None and fix.mode != "none" and now.mono_s - vehicle.fix_s <= PRESS_FIX_S
    if fix is None or not recent or (reported is not None and reported.fix is fix):
        return changed, declared
    return _report(changed, fix, now), (*declared, ReportFix(fix))


def _apply_input(vehicle: Vehicle, value: InputValue) -> tuple[Vehicle, tuple[Effect, ...]]:
    if vehicle.inputs.get(value.name) == value:
        return vehicle, ()
    inputs = {**vehicle.inputs, value.name: value}
    return msgspec.structs.replace(vehicle, inputs=inputs), (ReportInput(value),)


def _report(vehicle: Vehicle, fix: Fix, now: Now) -> Vehicle:
    reported = Reported(fix=fix, at_s=now.mono_s, agreed_s=vehicle.fix_s)
    return msgspec.structs.replace(vehicle, reported=reported)
