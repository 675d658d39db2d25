"""What control's request comes to: an order's facts from the directory, and the answers it may get."""

from collections.abc import Iterable

import msgspec

from cloud.directory import Directory, Unit
from cloud.dispatch import Callee, Facts
from cloud.dispatch.words import Brief
from wire.feed import OrderView


class Placed(msgspec.Struct, frozen=True):
    """The order stands. `new`: since this request."""

    view: OrderView
    new: bool


class Differs(msgspec.Struct, frozen=True):
    """There is another order under this id."""

    view: OrderView


class Clash(msgspec.Struct, frozen=True):
    """Units were moved by another order meanwhile: each one's `assignment_version` as it is now."""

    versions: dict[str, int]
    orders: dict[str, str | None]
    """The order that each of them is on."""


class Invalid(msgspec.Struct, frozen=True):
    """It can't be an order, and why."""

    problem: str


def find_facts(directory: Directory, brief: Brief) -> Facts | Invalid:
    """Look up an order's place and units, or say what there is not."""
    base = directory.bases.get(brief.base)
    if base is None:
        return Invalid(f"base: there is no base {brief.base!r}; the directory lists them")
    unknown = [unit for unit in brief.units if unit not in directory.units]
    if unknown:
        return Invalid(f"units: there is no unit {unknown[0]!r}; GET /v1/units lists them")
    if len(set(brief.units)) < len(brief.units):
        return Invalid("units: names a unit twice; name each once")
    units = tuple(directory.units[unit] for unit in brief.units)
    return make_facts(directory, brief.base, units)


def find_other_master(directory: Directory, units: Iterable[str]) -> Invalid | None:
    """Object to an order that would assign units whose assignments are the word of another system."""
    for unit in units:
        organisation = directory.organisations[directory.units[unit].organisation]
        if organisation.masters.assignment == "cad":
            whose = f"the assignments of {organisation.id!r} are the word of its command and control system"
            return Invalid(f"units: {unit}: {whose}: enter it there, or change masters.assignment")
    return None


def make_facts(directory: Directory, base: str, units: tuple[Unit, ...]) -> Facts:
    """Give what the directory knows of a base and units that it holds."""
    place = directory.bases[base]
    return Facts(
        base_name=place.name,
        device=_speaking(directory, place.device),
        callees=tuple(_callee(directory, unit) for unit in units),
    )


def station_of(directory: Directory, device: str) -> str | None:
    """Tell which base a device is the station of; None for any other device."""
    return next((base.id for base in directory.bases.values() if base.device == device), None)


def _callee(directory: Directory, unit: Unit) -> Callee:
    carrier = _speaking(directory, unit.carrier)
    return Callee(unit=unit.id, callsign=unit.callsign, service=unit.service, carrier=carrier)


def _speaking(directory: Directory, device: str | None) -> str | None:
    known = directory.devices.get(device) if device is not None else None
    return None if known is None or known.revoked else known.id
