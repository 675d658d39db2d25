"""What the directory holds: the rows as the files write them, and the checked whole. Pure."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cloud.directory.areas import Area
from cloud.directory.shifts import Shift
from cloud.directory.tokens import Enrolment, FleetNumber, Latitude, Longitude, Name, Token
from wire.events import Instant, Skill
from wire.feed import Service
from wire.partner import Grant
from wire.scheme import Scheme

Master = Literal["watchroom", "cad"]
Spoken = Literal[
    "mobilise", "stand_down", "off_the_run", "rest_break", "operator", "officer_in_charge", "unit", "crew", "base"
]
"""The words that an organisation may have its own for."""
Condition = Literal["always", "joint_incident", "major_incident"]
Days = Annotated[int, Meta(ge=1, le=36_500, description="days")]
Riders = Annotated[int, Meta(ge=0, le=99, description="how many ride")]
Minutes = Annotated[int, Meta(ge=0, le=120, description="minutes")]
Skills = dict[
    Annotated[Skill, Meta(description="a skill as crews log on with it: 1 to 16 of a-z, 0-9 and -")],
    Annotated[int, Meta(ge=1, le=99, description="how many on board must have it")],
]


class Masters(msgspec.Struct, frozen=True, kw_only=True):
    """Who has the last word on each field of an organisation's units: what another says of it changes nothing."""

    status: Master = "watchroom"
    assignment: Master = "watchroom"
    crew: Master = "watchroom"


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """For how long an organisation keeps what; None for as long as there is room. Events are the record: all stay."""

    positions_days: Days | None = None
    inputs_days: Days | None = None
    board_days: Days | None = None


class Organisation(msgspec.Struct, frozen=True, kw_only=True):
    """Owns units, data and agreements."""

    id: Token
    name: Name
    service: Service
    masters: Masters = Masters()
    retention: Retention = Retention()
    words: dict[Spoken, Name] = {}
    """Its own words on screens, where they are others than ours: `mobilise = "allocate"`."""
    skills: tuple[Annotated[Skill, Meta(description="1 to 16 of a-z, 0-9 and -")], ...] = ()
    """The skills that its crews log on with. Where any are listed, a unit asks for these only."""


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a station, such as a dormitory or a bay, named as the station's own layout names it."""

    id: Token
    name: Name | None = None
    services: tuple[Service, ...] = ()
    """Whose it is; none where it is everybody's."""


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """Where units belong. Without an organisation it is shared; a unit may belong to another organisation's base."""

    id: Token
    name: Name
    organisation: Token | None = None
    device: Token | None = None
    """The station's own device, which alerts it. It may speak for units of any organisation that are based here."""
    lat: Latitude | None = None
    lon: Longitude | None = None
    zones: tuple[Zone, ...] = ()
    fence_m: Annotated[float, Meta(ge=20, le=20_000, description="metres")] | None = None
    """How far around `lat` and `lon` its ground reaches; None for `FENCE_M`."""
    area: Token | None = None
    """The area that is its ground, where no circle fits."""


FENCE_M = 150.0
"""How far around its place the ground of a base reaches that says nothing else."""


class Vehicle(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit rides in. Which unit that is comes from its device: the one that the device carries."""

    id: FleetNumber
    organisation: Token
    type: Name
    registration: Name | None = None
    device: Token | None = None
    """The agent in it; None for a vehicle without one."""
    spare: bool = False
    """Whether it carries no unit of its own, and is there to take one over."""
    base: Token | None = None
    """Where it is kept."""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A pod, trailer or boat that a unit takes along, and what it can do with it."""

    name: Name
    capabilities: tuple[Name, ...] = ()


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
    attachments: tuple[Attachment, ...] = ()
    minimum_crew: Riders = 0
    """Fewer than these and it is short; 0 where nobody asks."""
    preferred_crew: Riders = 0
    skills: Skills = {}
    """How many on board must have each skill."""
    tier_min: Minutes = 0
    """How long its crew takes to turn out: 0 for at once, 5, 10, 30 for on-call crews."""
    covert: bool = False
    """Whether nobody but its own organisation may know of it."""
    crew_group: Token | None = None
    """Units of one group share one crew: they are of one organisation and base."""
    crew_order: Annotated[int, Meta(ge=1, le=99, description="1 for the one that is sent first")] | None = None
    """Which of its group is sent first. Those without one come last, in the order in which they are written."""
    shift: Token | None = None
    """When it has a crew on; None where only log-ons tell."""
    part_of: Token | None = None
    """The unit that it is a part of, once that is split. It carries a device of its own."""


class Unit(UnitRow, frozen=True, kw_only=True):
    """What is sent, by callsign, with what follows from other rows, and as control's word has it now.

    Its capabilities are those of its attachments too. Where control's word took its vehicle away its `carrier` is
    empty: nobody carries it.
    """

    service: Service
    vehicle: str = ""
    """The fleet number of the vehicle that carries it; empty where none is known."""
    group_place: int = 0
    """Which of its crew group is sent first, from 0."""
    home: Token | None = None
    """The base that it belongs to, where control has lent it to another; None at home."""
    bound_at: datetime | None = None
    """Since when control's word binds it to its carrier; None for the directory's own binding."""
    bound_by: str = ""
    """Who at control said so."""
    is_apart: bool = False
    """Of a part: whether its whole is split now."""
    split_into: tuple[str, ...] = ()
    """Of a whole that is split now: its parts."""


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


Metres = Annotated[int, Meta(ge=10, le=50_000, description="metres")]
Seconds = Annotated[int, Meta(ge=1, le=86_400, description="seconds, a day at most")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="64 hex digits, as `watchroom token` prints them")]


class UnitsCovered(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the owner's units an agreement is about: those that fit each list that is given; all without any."""

    units: tuple[Token, ...] = ()
    types: tuple[Name, ...] = ()
    bases: tuple[Token, ...] = ()
    capabilities: tuple[Name, ...] = ()


class AgreementRow(msgspec.Struct, frozen=True, kw_only=True):
    """What an organisation lets one partner see of its units. Nothing is shared without one."""

    id: Token
    owner: Token
    partner: Token
    purpose: Name
    covers: UnitsCovered = UnitsCovered()
    fields: Annotated[tuple[Grant, ...], Meta(min_length=1)]
    precision_m: Metres | None = None
    """Positions are blurred to squares of this side; None for exact ones."""
    delay_s: Seconds | None = None
    """Positions are held back so long."""
    when: Condition = "always"
    incident: Name | None = None
    """The major incident that it waits for."""
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class CoverRow(msgspec.Struct, frozen=True, kw_only=True):
    """That a room may take another's area over: nobody does without one."""

    id: Token
    room: Token
    """Whose areas."""
    covered_by: Token
    """The room that takes them over."""
    why: Annotated[tuple[Literal["planned", "overflow", "failure"], ...], Meta(min_length=1)]
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation whose systems read what agreements open to it."""

    organisation: Token
    token_sha256: Digest
    """Of its token, which is kept nowhere here."""
    mqtt: bool = False
    """Whether its view is published over MQTT too."""
    cad: bool = False
    """Whether its command and control system may speak for its own units, under the organisation's masters."""


class ControlRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A room that watches: whose units, and which ground."""

    id: Token
    name: Name
    organisations: tuple[Token, ...] = ()
    areas: tuple[Token, ...] = ()


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
    vehicles: dict[str, Vehicle] = {}
    """By fleet number."""
    shifts: dict[str, Shift] = {}
    areas: dict[str, Area] = {}
    control_rooms: dict[str, ControlRoom] = {}
    agreements: dict[str, AgreementRow] = {}
    covers: dict[str, CoverRow] = {}
    partners: dict[str, Partner] = {}
    """By organisation."""
    texts: dict[str, str] = {}
    """The files that it was made of, by name."""

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

    def vehicle_of(self, device_id: str) -> Vehicle | None:
        """Tell which vehicle a device is in. None where the directory names none."""
        return next((vehicle for vehicle in self.vehicles.values() if vehicle.device == device_id), None)
