"""What each device may say: of which units, in which schemes, and which callsigns it may claim. Pure."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import msgspec

from cloud.directory import Directory, InForce, Unit
from wire.scheme import Scheme


class BoundUnit(Protocol):
    """A unit as its device may speak for it."""

    @property
    def id(self) -> str:
        """The unit's id."""
        ...

    @property
    def scheme(self) -> str:
        """The scheme that its statuses are in."""
        ...


class Rights(msgspec.Struct, frozen=True, gc=False):
    """What one device may say, as the directory in force has it."""

    units: Sequence[BoundUnit]
    """Those that it is bound to, and those that it has claimed."""
    schemes: Mapping[str, Scheme]
    called: Callable[[str], str | None]
    """Gives the unit of the device's organisation that has a callsign; None for no unit."""


class Speaking:
    """Gives each device's rights, by the directory in force at that moment."""

    def __init__(self, in_force: InForce) -> None:
        """Nobody has claimed anything."""
        self._in_force = in_force
        self.claimed: Callable[[str], Sequence[Unit]] = _nothing
        """Which units a device has claimed, and control has not refused: what it says of them is history until control
        confirms it."""
        self._indexed: Directory | None = None
        self._callsigns: dict[tuple[str, str], str] = {}

    def of(self, device: str) -> Rights:
        """Give the rights of a device. One that is unknown or revoked may speak for nobody."""
        directory = self._in_force.directory
        known = directory.devices.get(device)
        units = directory.device_units(device)
        if known is None or known.revoked:
            return Rights(units, directory.schemes, _nobody)
        if claimed := self.claimed(device):
            bound = {unit.id for unit in units}
            units = (*units, *(unit for unit in claimed if unit.id not in bound))
        return Rights(units, directory.schemes, partial(self._called, known.organisation))

    def _called(self, organisation: str, callsign: str) -> str | None:
        directory = self._in_force.directory
        if self._indexed is not directory:
            self._indexed = directory
            self._callsigns = {(unit.organisation, _plain(unit.callsign)): unit.id for unit in directory.units.values()}
        return self._callsigns.get((organisation, _plain(callsign)))


def _plain(callsign: str) -> str:
    """A callsign as people mean it, however they typed it."""
    return " ".join(callsign.split()).casefold()


def _nothing(_device: str) -> Sequence[Unit]:
    return ()


def _nobody(_callsign: str) -> str | None:
    return None
