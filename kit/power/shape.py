"""The shape of a `power.toml`. Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

from kit.parts import Text
from kit.pinmap import Label
from wire.strict import Problem, parse_toml

Share = Annotated[float, Meta(gt=0, le=1, description="a share, above 0 and up to 1")]
Times = Annotated[float, Meta(ge=1, le=10, description="how many times as much, 1 to 10")]
Volts = Annotated[float, Meta(gt=0, le=250, description="volts")]
Ohms = Annotated[float, Meta(gt=0, le=100, description="ohms")]
Milliamps = Annotated[float, Meta(ge=0, le=20_000, description="milliamperes")]
Seconds = Annotated[float, Meta(ge=0, le=3600, description="seconds")]


class Dump(msgspec.Struct, frozen=True, kw_only=True):
    """The alternator's load dump, after its own limiter, and the suppressor that meets it."""

    volts: Volts
    ohm: Ohms
    part: Label
    breakdown_v: Volts
    """The highest at which the suppressor begins to conduct."""
    clamp_v: Volts
    clamp_a: Annotated[float, Meta(gt=0, le=1000, description="amperes")]
    """With so many amperes it is at `clamp_v`."""
    source: Text


class Supply(msgspec.Struct, frozen=True, kw_only=True):
    """What feeds the device."""

    rail: Label
    """Its rail of the pin map."""
    volts: Annotated[tuple[Volts, ...], Meta(min_length=1, description="the usual volts for which currents are told")]
    volts_min: Volts
    """The least at which all works for good."""
    volts_max: Volts
    volts_margin: Times
    """What is on the rail stands so many times the most volts."""
    crank_v: Volts | None = None
    crank_s: Seconds = 0.0
    """While the engine is started, for so long, no more than `crank_v` is there."""
    part: Label | None = None
    """The part that feeds it, where its amperes are limited."""
    share: Share = 0.9
    """How much of them is used at most."""
    dump: Dump | None = None


class Fuse(msgspec.Struct, frozen=True, kw_only=True):
    """The fuse before all of it."""

    part: Label
    share: Share
    """How much of its rating may flow for good."""


class Converter(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the rail of the computer out of the supply."""

    part: Label
    rail: Label
    volts: Volts
    volts_min: Volts
    """Below so many volts of the supply it stops."""
    efficiency: Share
    light_efficiency: Share
    """With the ignition off."""
    surge_v: Volts
    """What it stands for a tenth of a second."""
    share: Share
    """How much of its rating is used at most, at the highest temperature."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What draws current from a rail, in milliamperes each."""

    title: Text
    part: Label | None = None
    """None: it is not of the device, and only draws from its rail."""
    count: Annotated[int, Meta(ge=1, le=99, description="how many of it")] = 1
    rail: Label
    running_ma: Milliamps
    peak_ma: Milliamps
    idle_ma: Milliamps
    """With the ignition off, before the supply is cut."""
    off_ma: Milliamps = 0.0
    """When the supply is cut."""
    duty: Share = 1.0
    """How much of the time it draws `running_ma`."""
    volts_min: Volts | None = None
    """Below so many volts it stops (what is on the supply's own rail)."""


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """The hold-up store: super-capacitors in series, and a step-up converter to the computer's rail."""

    part: Label
    in_series: Annotated[int, Meta(ge=1, le=8, description="how many in series")]
    cell_f: Annotated[float, Meta(gt=0, le=5000, description="farads of each")]
    cell_v: Volts
    cell_mohm: Annotated[float, Meta(gt=0, le=1000, description="milliohms of each")]
    lowest_v: Volts
    """Of the whole store: below that the step-up converter stops."""
    efficiency: Share
    aged: Share
    """The capacity left at the end of its life."""
    cold: Share
    """The capacity left at the lowest temperature."""
    aged_ohm: Times
    cold_ohm: Times
    charge_ma: Milliamps
    """What charging draws from the computer's rail."""
    stop_s: Annotated[float, Meta(gt=0, le=600, description="seconds")]
    """How long a clean stop takes."""
    margin: Times
    source: Text


class Battery(msgspec.Struct, frozen=True, kw_only=True):
    """The battery behind the supply."""

    ah: Annotated[float, Meta(gt=0, le=1000, description="ampere-hours")]
    share: Share
    """How much of it the device may use."""
    delay_h: Annotated[float, Meta(ge=0, le=72, description="hours")] | None = None
    """How long after the ignition the supply is cut; None: it never is."""
    off_ma_max: Milliamps | None = None
    days_min: Annotated[float, Meta(gt=0, le=400, description="days")] | None = None
    """How many days it stands before its share is used."""
    hours_min: Annotated[float, Meta(gt=0, le=200, description="hours")] | None = None
    """How many hours the device runs on it."""


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """A whole `power.toml`."""

    supply: Supply
    fuse: Fuse
    converter: Converter
    load: Annotated[tuple[Load, ...], Meta(min_length=1, description="[[load]]")]
    store: Store
    battery: Battery


def parse_power(text: str) -> Power | tuple[Problem, ...]:
    """Read the shape of a `power.toml`, or tell every problem that it has."""
    return parse_toml(text, Power, "a power budget")
