"""What control is shown of bindings: what is in force beside the directory, who claims what, and what was decided."""

from datetime import datetime

import msgspec

from cloud.directory import Directory
from cloud.fleet.bindings import OPEN_FOR, Claim, Decision, Held, Kind


class BindingView(msgspec.Struct, frozen=True, kw_only=True):
    """One unit, as control's word and the directory bind it now."""

    unit: str
    callsign: str
    device: str
    """The device that carries it; empty where nobody does."""
    vehicle: str
    """The fleet number of its vehicle; empty where none is known."""
    base: str
    """The base that it is at, by id."""
    home: str
    """The base that it belongs to, by id."""
    split: bool
    directory_device: str
    """The device that the directory names for it."""
    since: datetime | None = None
    """Since when `device` carries it by control's word; null where that is the directory's."""
    by: str = ""
    """Who at control said so last, of any of this."""
    reason: str = ""


class ClaimAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A device's word that waits for control's."""

    claim: str
    unit: str
    callsign: str
    device: str
    vehicle: str
    base: str
    on: bool
    """Whether it says that it carries the unit now, or that it does so no longer."""
    at: datetime
    """When it was said, corrected, UTC."""
    heard_at: datetime
    expires_at: datetime


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """Control's word about something that the directory does not hold any more. It counts again when that is back."""

    unit: str
    why: str


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person at control decided about a unit."""

    at: datetime
    kind: Kind
    by: str
    reason: str
    claim: str = ""
    device: str = ""
    vehicle: str = ""
    base: str = ""


def view_binding(directory: Directory, written: Directory, unit_id: str, held: Held | None) -> BindingView:
    """Show a unit that the directory holds. `written` is the directory as its files have it."""
    unit = directory.units[unit_id]
    said = [] if held is None else [one for one in (held.bound, held.lent, held.parted) if one is not None]
    last = max(said, key=lambda one: one.at, default=None)
    return BindingView(
        unit=unit.id,
        callsign=unit.callsign,
        device=unit.carrier,
        vehicle=unit.vehicle,
        base=unit.base,
        home=unit.home or unit.base,
        split=bool(unit.split_into),
        directory_device=written.units[unit_id].carrier,
        since=unit.bound_at,
        by="" if last is None else last.by,
        reason="" if last is None else last.reason,
    )


def view_asked(directory: Directory, claim: Claim) -> ClaimAsked:
    """Show a claim that waits."""
    unit = directory.units.get(claim.unit)
    return ClaimAsked(
        claim=claim.id,
        unit=claim.unit,
        callsign=claim.unit if unit is None else unit.callsign,
        device=claim.device,
        vehicle=claim.vehicle,
        base=claim.base,
        on=claim.on,
        at=claim.at,
        heard_at=claim.heard,
        expires_at=claim.heard + OPEN_FOR,
    )


def view_decision(decision: Decision) -> Decided:
    """Show what was decided."""
    claim = decision.claim
    return Decided(
        at=decision.at,
        kind=decision.kind,
        by=decision.by,
        reason=decision.reason,
        claim="" if claim is None else claim.id,
        device="" if claim is None else claim.device,
        vehicle="" if claim is None else claim.vehicle,
        base=decision.base or ("" if claim is None else claim.base),
    )
