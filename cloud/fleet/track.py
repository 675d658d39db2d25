"""What a unit's places come to: how far it is from its base, and what they suggest."""

from collections.abc import Iterable
from datetime import datetime

from cloud.fleet import position
from cloud.fleet.position import Place
from cloud.fleet.proposals import PLACED, UNSEEN, Seen, add, follow
from cloud.fleet.unit import NONE_EXTRA, NOWHERE, Device, Unit

FIXED = ("2d", "3d")
"""A position that a receiver works out from what it hears now. Another one, or one of an unknown time, suggests
nothing."""


def may_be_kept(device: Device, units: Iterable[Unit], place: Place) -> bool:
    """Tell whether a place may be known: not one of the time in which a unit that it carries was off duty."""
    if device.hidden is not None and place.order <= device.hidden:
        return False
    known_from = [unit.extras.hidden_until for unit in units]
    return all(moment is None or place.at >= moment for moment in known_from)


def hide(device: Device, place: Place | None) -> None:
    """Keep nothing of a device's places up to this one, and let none of them come again."""
    device.places = NOWHERE
    if place is not None and (device.hidden is None or place.order > device.hidden):
        device.hidden = place.order


def follow_place(unit: Unit, place: Place) -> None:
    """Take the newest place of a unit's carrier in."""
    if place.fix == "none":
        return
    found, fence = position.measured(place), unit.entry.fence
    unit.off_base_m = None if fence is None else fence.outside_m(found.lat, found.lon)
    if place.fix not in FIXED or not place.proven:
        return
    unit.motion, suggested = follow(unit.motion, Seen(place.at, unit.off_base_m, found.speed_mps, found.accuracy_m))
    for proposal in suggested:
        proposals = add(unit.extras.proposals, proposal, unit.declared_at)
        if proposals is not None:
            unit.own_extras().proposals = proposals


def move_base(unit: Unit, placed: Place | None) -> None:
    """Measure a unit's place anew, for it has another base or carrier. Whether it has left there is not known."""
    forget_place(unit)
    fence = unit.entry.fence
    if placed is not None and fence is not None:
        found = position.measured(placed)
        unit.off_base_m = fence.outside_m(found.lat, found.lon)


def forget_place(unit: Unit) -> None:
    """Keep nothing that tells where a unit is or was."""
    unit.motion, unit.off_base_m = UNSEEN, None
    if unit.extras.proposals:
        kept = tuple([one for one in unit.extras.proposals if one.code not in PLACED])
        unit.own_extras().proposals = kept


def come_open(unit: Unit, now: datetime) -> None:
    """Note that others than its owner may know of a unit from now on, and not where its vehicle was before."""
    unit.own_extras().open_from = now
    unit.motion = UNSEEN  # what a later place suggests must not come of an earlier one


def drop_outdated(unit: Unit) -> None:
    """Drop proposals that a later status has made pointless."""
    declared = unit.declared_at
    if declared is not None and unit.extras is not NONE_EXTRA and unit.extras.proposals:
        unit.extras.proposals = tuple([one for one in unit.extras.proposals if one.at > declared])
