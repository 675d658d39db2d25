"""What the directory holds: the rows as the files write them, and the checked whole. Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

from wire.feed import Service
from wire.scheme import Scheme
from wire.topics import TOKEN_PATTERN

Token = Annotated[str, Meta(pattern=rf"^{TOKEN_PATTERN}\Z", description="1 to 40 of a-z, 0-9 and -")]
Name = Annotated[
    str,
    Meta(pattern=r"^[^\s\x00-\x1f](?:[^\x00-\x1f]{0,78}[^\s\x00-\x1f])?\Z", description="1 to 80 printable characters"),
]
Enrolment = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,40}\Z", description="the enrolment number: 1 to 40 of A-Z, a-z, 0-9 and -")
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="degrees north, WGS 84")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="degrees east, WGS 84")]


class Organisation(msgspec.Struct, frozen=True, kw_only=True):
    """Owns units, data and agreements."""

    id: Token
    name: Name
    service: Service


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """Where units belong. Without an organisation it is shared; a unit may belong to another organisation's base."""

    id: Token
    name: Name
    organisation: Token | None = None
    device: Token | None = None
    """The station's own device, which alerts it. It may speak for units of any organisation that are based here."""
    lat: Latitude | None = None
    lon: Longitude | None = None


class UnitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A unit as a file writes it."""

    id: Token
    callsign: Name
    """Unique within its organisation."""
    organisation: Token
    type: Name
    base: Token
    scheme: Token
    carrier: Token
    """The device in the vehicle that is bound to the unit. It carries this unit only."""
    capabilities: tuple[Name, ...] = ()


class Unit(UnitRow, frozen=True, kw_only=True):
    """What is sent, by callsign, with its service resolved from its organisation."""

    service: Service


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """An agent. In a loaded directory its `units` begin with the one that it carries, written there or not."""

    id: Token
    organisation: Token
    enrolment: Enrolment
    units: Annotated[
        tuple[Token, ...], Meta(max_length=19, description="at most 19 units beside the one that it carries")
    ] = ()
    """The units that it may speak for: of its own organisation, or based at the station that it is the device of. A
    `state` message holds 20."""
    revoked: bool = False


class Directory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything, checked: each reference in a row leads to a row. Read it; never change its tables."""

    organisations: dict[str, Organisation]
    bases: dict[str, Base]
    units: dict[str, Unit]
    devices: dict[str, Device]
    schemes: dict[str, Scheme]
    """Packaged and the site's own, by name."""
    version: str
    """12 hex digits of the SHA-256 over the folder's files: the same content, the same version."""

    def device_units(self, device_id: str) -> tuple[Unit, ...]:
        """Tell which units a device may speak for, the one it carries first. None for an unknown or revoked device."""
        device = self.devices.get(device_id)
        if device is None or device.revoked:
            return ()
        return tuple(self.units[unit] for unit in device.units)

    def carried_by(self, device_id: str) -> Unit | None:
        """Tell which unit a device carries. None where it carries none, is unknown or is revoked."""
        first = self.device_units(device_id)[:1]
        return first[0] if first and first[0].carrier == device_id else None
