"""The shape of `circuits.toml`: components, nets, where each stands on its sheet, and what its parts are good for.

A net is written at each pin that is on it; wires are only how it is drawn. So what is drawn can be held against it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from kit.pinmap import Label, Through, Use, Words
from wire.strict import Problem, parse_toml

Kind = Literal["opto", "driver", "relay", "contact", "rs485", "hold_up"]
Symbol = Literal["resistor", "capacitor", "polar", "diode", "tvs", "fuse", "npn", "opto", "relay", "block", "none"]
Role = Literal[
    "series", "clamp", "limit", "blocking", "bleed", "opto", "pull_up", "filter", "gpio_series",
    "base", "hold_off", "switch", "relay", "flyback", "load_flyback", "fuse", "holder",
    "transceiver", "termination", "bias_up", "bias_down", "enable_down", "surge", "series_a", "series_b", "decoupling",
    "converter", "reserve", "store_upper", "store_lower", "sense_upper", "sense_lower",
]  # fmt: skip
Reference = Annotated[str, Meta(pattern=r"^[A-Z]{1,2}[0-9]{1,2}\Z", description="a reference, such as R1")]
Point = Annotated[
    str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?,-?[0-9]+(\.[0-9]+)?\Z", description="a place on the sheet, as 3,4.5")
]
ValueText = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 .Ω+/-]{0,29}\Z", description="a value such as 4.7 kΩ, or a part number")
]
Caption = Annotated[str, Meta(min_length=1, max_length=40, description="1 to 40 characters")]
Amount = Annotated[float, Meta(ge=0, le=1e9)]
Fraction = Annotated[float, Meta(ge=0, le=1)]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a part is good for, in numbers, from its data sheet. The worst that it may be, wherever there is a range."""

    ohms: Amount | None = None
    tolerance: Fraction | None = None
    watts: Amount | None = None
    farads: Amount | None = None
    esr_ohms: Amount | None = None
    amps: Amount | None = None
    """Of a fuse: its rating."""
    drop_v: Amount | None = None
    """Of a diode, the most forward; of an output, the most that is left when it pulls down."""
    standoff_v: Amount | None = None
    """Up to here a clamp does nothing."""
    breakdown_v: Amount | None = None
    """Here it conducts at the latest, while little flows."""
    led_a_min: Amount | None = None
    """The current at which the transfer ratio is guaranteed."""
    led_a_max: Amount | None = None
    led_v: Amount | None = None
    led_dark_v: Amount | None = None
    """Below this voltage across the LED, next to nothing flows."""
    ratio: Amount | None = None
    gain: Amount | None = None
    coil_ohms: Amount | None = None
    coil_v_min: Amount | None = None
    coil_v_max: Amount | None = None
    contact_a: Amount | None = None
    """At the direct voltage that it switches here."""
    unit_loads: Amount | None = None
    reference_v_min: Amount | None = None
    reference_v_max: Amount | None = None
    out_v_min: Amount | None = None


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One component of a circuit."""

    ref: Reference
    part: Label
    value: ValueText
    role: Role
    symbol: Symbol
    listed: bool = False
    """The device's own `parts.toml` counts it, and this file does not."""
    at: Point | None = None
    """Where its first pin is (a block: its upper left corner)."""
    to: Point | None = None
    """Where its second pin is, of what has two."""
    pins: dict[str, Label] = {}
    """Pin: the net that it is on."""
    left: tuple[str, ...] = ()
    """Pins of a block on its left, from above; an empty one leaves a gap. The other sides likewise."""
    right: tuple[str, ...] = ()
    top: tuple[str, ...] = ()
    bottom: tuple[str, ...] = ()
    label: Literal["above", "below", "left", "right"] = "above"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A ground, a supply or a port: where it stands, a net has its name, and marks of one net are joined by it."""

    kind: Literal["ground", "supply", "port_left", "port_right"]
    net: Label
    at: Point
    text: Caption | None = None


class For(msgspec.Struct, frozen=True, kw_only=True):
    """What of a pin map it serves: one circuit for each signal or bus that is named here."""

    through: tuple[Through, ...] = ()
    use: tuple[Use, ...] = ()
    """Of signals on a GPIO."""
    bus: tuple[Literal["rs485"], ...] = ()


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """One circuit, drawn on a sheet of its own."""

    name: Label
    title: Words
    kind: Kind
    serves: For = field(name="for")
    instead_of: Label | None = None
    """It is fitted in place of that one where the supply is another; no bill counts it."""
    needs: dict[Label, Amount]
    """What it has to stand and to do, by name, with the unit last."""
    note: tuple[Words, ...] = ()
    component: Annotated[tuple[Component, ...], Meta(min_length=1, description="[[circuit.component]]")]
    mark: tuple[Mark, ...] = ()
    wire: tuple[str, ...] = ()
    """Each a path over places and pins: `R1.2 8,5 U1.a`; `.` keeps one of the two numbers before it, as `.,5`."""

    def of_role(self, role: Role) -> Component | None:
        """The first component of that role."""
        return next((each for each in self.component if each.role == role), None)


class Circuits(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    facts: dict[Label, Facts]
    circuit: Annotated[tuple[Circuit, ...], Meta(min_length=1, description="[[circuit]]")]


def parse_circuits(text: str) -> Circuits | tuple[Problem, ...]:
    """Read the shape of the circuits, or tell every problem that it has. What is wrong with them is for `check`."""
    return parse_toml(text, Circuits, "the circuits")
