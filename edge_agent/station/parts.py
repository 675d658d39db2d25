"""The parts of a shared station, as its layout describes them: zones and their owners, sounders, doors. Pure.

`docs/station.example.toml` explains every table. Points are named `SLAVE.POINT`: the slave by the device's
configuration, the point by the slave's register map, which also says which level is active.
"""

from functools import cached_property
from typing import Annotated

import msgspec
from msgspec import Meta

from wire.events import Service
from wire.topics import TOKEN_PATTERN

PartId = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}\Z", description="1 to 40 of a-z, 0-9, _ and -")]
UnitId = Annotated[str, Meta(pattern=rf"^{TOKEN_PATTERN}\Z", description="1 to 40 of a-z, 0-9 and -")]
Point = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\Z",
        description="SLAVE.POINT: a slave of the device's file and a point of its register map",
    ),
]
AnyInput = Annotated[
    str,
    Meta(
        pattern=r"^(?:[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40})?\Z",
        description="SLAVE.POINT: a slave of the device's file and a point of its register map",
    ),
]
"""A point that may be left out: empty for none."""
TimeOfDay = Annotated[str, Meta(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z", description="HH:MM, 24 hours")]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Services = Annotated[tuple[Service, ...], Meta(min_length=1, description="the services that own it: at least one")]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The station as a whole."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    reset_after_s: Seconds = 600.0
    """Lights and indicators go off so long after the call, and the call ends."""
    sound_s: Seconds = 180.0
    """Sounders stop after this, acknowledged or not."""
    without_door: tuple[UnitId, ...] = ()
    """Units that leave through no door of this station, so that nobody is told that theirs is missing."""


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """When it is night, by the station's own clock on the wall."""

    start: TimeOfDay = msgspec.field(name="from")
    until: TimeOfDay
    zone: Annotated[str, Meta(min_length=1, max_length=64, description="a time zone such as Europe/London")]


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """Part of the building, and whose it is."""

    id: PartId
    services: Services
    quiet_at_night: bool = True
    """At night, silent and dark for a call that does not call every one of its services."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is turned on, and read back."""

    output: Point
    proof: AnyInput = ""
    """What shows that it is on. Left out: the output's own read-back, which proves the write and no more."""
    within_s: Seconds = 1.0
    """How long the proof may take."""
    override: AnyInput = ""
    """A person has the part under manual control while this is active: it is then left alone."""
    needs_mains: bool = False
    """It does not work on the battery."""

    @property
    def read_back(self) -> str:
        """The point that proves it."""
        return self.proof or self.output


class Tones(msgspec.Struct, frozen=True, kw_only=True):
    """The number that the sounder plays for each kind of call."""

    emergency: Annotated[int, Meta(ge=0, le=65_535)]
    routine: Annotated[int, Meta(ge=0, le=65_535)]
    test: Annotated[int, Meta(ge=0, le=65_535)]


class RampStep(msgspec.Struct, frozen=True, kw_only=True):
    """From `after_s` on, this loud."""

    level: Annotated[float, Meta(ge=0, le=65_535)]
    after_s: Annotated[float, Meta(ge=0, le=600)]


class Sounder(Part, frozen=True, kw_only=True):
    """Sounds in a zone, and may take a tone and a level that rises."""

    id: PartId
    zone: PartId
    tone_output: AnyInput = ""
    tones: Tones | None = None
    level_output: AnyInput = ""
    ramp: tuple[RampStep, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """Everything that it writes."""
        return tuple(filter(None, (self.output, self.tone_output, self.level_output)))


class Light(Part, frozen=True, kw_only=True):
    """Lights in a zone."""

    id: PartId
    zone: PartId


class Cooker(Part, frozen=True, kw_only=True):
    """A cooker's contactor: the output asserted is the cooker cut off, and the proof is that it has no power."""

    id: PartId
    zone: PartId
    reset: Point
    """The button beside the cooker that gives it back: nothing else does."""


class Indicator(Part, frozen=True, kw_only=True):
    """A unit's own light: this one goes."""

    unit: UnitId


class ExitSignal(Part, frozen=True, kw_only=True):
    """Warns the traffic outside while a unit leaves."""

    id: PartId
    doors: Annotated[tuple[PartId, ...], Meta(min_length=1)]
    hold_s: Seconds = 60.0
    """How long after a door was to open."""


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """A bay's door. Opened by one pulse, never closed from here."""

    id: PartId
    units: Annotated[tuple[UnitId, ...], Meta(min_length=1)]
    output: Point
    open_input: Point
    """The limit switch that shows it wholly open."""
    closed_input: AnyInput = ""
    obstruction: AnyInput = ""
    maintenance: AnyInput = ""
    override: AnyInput = ""
    presence: AnyInput = ""
    """Crew is in the bay: opens for a call without waiting for an acknowledgement."""
    opens_on_acknowledge: bool = True
    opens_from_control: bool = False
    pulse_s: Annotated[float, Meta(gt=0, le=10)] = 0.5
    travel_s: Seconds = 15.0
    left_open_s: Seconds = 300.0
    needs_mains: bool = False


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """An acknowledge button of some of the services."""

    input: Point
    services: Services


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to the whole station."""

    mains_failed: AnyInput = ""
    on_generator: AnyInput = ""
    acknowledge: AnyInput = ""
    """A button that acknowledges for everybody."""


class Layout(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A station as its TOML describes it, checked."""

    station: About
    night: Night | None = None
    zones: Annotated[tuple[Zone, ...], Meta(min_length=1)] = msgspec.field(name="zone")
    sounders: tuple[Sounder, ...] = msgspec.field(name="sounder", default=())
    lights: tuple[Light, ...] = msgspec.field(name="light", default=())
    cookers: tuple[Cooker, ...] = msgspec.field(name="cooker", default=())
    indicators: tuple[Indicator, ...] = msgspec.field(name="indicator", default=())
    doors: tuple[Door, ...] = msgspec.field(name="door", default=())
    exit_signals: tuple[ExitSignal, ...] = msgspec.field(name="exit_signal", default=())
    buttons: tuple[Button, ...] = msgspec.field(name="button", default=())
    inputs: Inputs = Inputs()

    @cached_property
    def parts(self) -> dict[str, Part]:
        """Every part that is a level, by the name of its step."""
        return {
            **{f"sounder:{each.id}": each for each in self.sounders},
            **{f"light:{each.id}": each for each in self.lights},
            **{f"cooker:{each.id}": each for each in self.cookers},
            **{f"indicator:{each.unit}": each for each in self.indicators},
            **{f"exit:{each.id}": each for each in self.exit_signals},
        }

    @cached_property
    def doors_by_step(self) -> dict[str, Door]:
        """Every door, by the name of its step."""
        return {f"door:{each.id}": each for each in self.doors}

    @cached_property
    def cooker_outputs(self) -> frozenset[str]:
        """What only a person at the station may turn off."""
        return frozenset(each.output for each in self.cookers)
