"""The shape of a `pinmap.toml`: every pin, bus, address, connector and signal of one revision of one device. Pure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_agent.config.buses import Parity
from edge_agent.config.register_maps import PointName
from edge_agent.config.settings import ButtonName, Token
from wire.scheme import CodeText
from wire.strict import Problem, parse_toml

Label = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z", description="a name: 1 to 40 of a-z, 0-9 and _, a letter first")
]
Place = Annotated[str, Meta(pattern=r"^[A-Z]{1,2}[0-9]{1,2}\.[1-9][0-9]?\Z", description="a connector's pin, as J2.3")]
Words = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ,.;:'()+&/-]{0,79}\Z",
        description="up to 80 letters, digits, spaces and ,.;:'()+&/-",
    ),
]
"""What stands in comments and tables alike."""
SerialPath = Annotated[str, Meta(pattern=r"^/dev/[A-Za-z0-9/_.-]{1,80}\Z", description="a path such as /dev/ttyAMA3")]
Reference = Annotated[str, Meta(pattern=r"^[A-Z]{1,2}[0-9]{1,2}\Z", description="a connector's reference, as J2")]
PointText = Annotated[
    str, Meta(pattern=r"^[a-z0-9_-]{1,40}\.[a-z0-9_-]{1,40}\Z", description="SLAVE.POINT, such as io.di0")
]
Gpio = Annotated[int, Meta(ge=0, le=99, description="a GPIO by its BCM number")]
Volts = Annotated[float, Meta(ge=0, le=60, description="the highest that it carries in normal use, in volts")]
Amps = Annotated[float, Meta(gt=0, le=40, description="amperes")]
Colour = Annotated[
    str,
    Meta(
        pattern=r"^(BK|BN|RD|OG|YE|GN|BU|VT|GY|WH|PK|TQ){1,2}\Z",
        description="a colour as IEC 60757 has it, such as RD, or two of them, such as WHBU",
    ),
]
Use = Literal["button", "emergency", "lamp", "input", "output", "pps", "power_fail"]
Through = Literal["direct", "opto", "divider", "driver", "relay"]

OUTPUTS: tuple[Use, ...] = ("lamp", "output")
"""What the device drives; it reads the others."""


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """What it is the pin map of."""

    device: Token
    revision: Token
    title: Words

    @property
    def name(self) -> str:
        """What it is called everywhere else, such as `vehicle-a`."""
        return f"{self.device}-{self.revision}"


class PanelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the panel's buttons declare, until a profile says otherwise."""

    scheme: Token
    codes: Annotated[dict[ButtonName, CodeText], Meta(min_length=1, description="button = status code")]


class Connector(msgspec.Struct, frozen=True, kw_only=True):
    """A connector of the enclosure."""

    name: Reference
    title: Words
    pins: Annotated[int, Meta(ge=1, le=50, description="how many pins it has")]
    left_open: tuple[int, ...] = ()
    """Pins that nothing is wired to, on purpose."""


class Rail(msgspec.Struct, frozen=True, kw_only=True):
    """A supply or a return: the only thing that may stand on several pins."""

    name: Label
    title: Words
    volts: Volts
    amps: Amps | None = None
    """What the fuse or limiter before it lets through for good: each core on it must stand that."""
    to: Annotated[tuple[Place, ...], Meta(min_length=1, description="connector pins")]


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """A chip of an I2C bus, on the board."""

    name: Label
    title: Words
    compatible: Annotated[
        str, Meta(pattern=r"^[a-z0-9]+,[a-z0-9-]+\Z", description="its name in device trees, as maxim,ds3231")
    ]
    address: Annotated[int, Meta(ge=0x08, le=0x77, description="its address of 7 bits, such as 0x68")]


class SlavePart(msgspec.Struct, frozen=True, kw_only=True):
    """A Modbus module of an RS-485 line."""

    name: PointName
    id: Annotated[int, Meta(ge=1, le=247, description="the address set on the module")]
    map: Token
    stands_v: Volts = 30.0
    """The most that its inputs and outputs stand."""


class BusPart(msgspec.Struct, frozen=True, kw_only=True):
    """A bus: which pins it takes, which wires leave the board, and what is on it."""

    name: Label
    title: Words
    kind: Literal["i2c", "uart", "rs485"]
    peripheral: Literal["i2c1", "uart2", "uart3", "uart4", "uart5"]
    pins: dict[str, Gpio] = {}
    wires: dict[str, Place] = {}
    volts: Volts = 3.3
    """What its wires carry (i2c, uart)."""
    path: SerialPath | None = None
    """uart, rs485: what Linux calls it."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Parity = "N"
    poll_ms: Annotated[int, Meta(ge=20, le=60_000, description="milliseconds between polls of each slave")] = 250
    chip: tuple[Chip, ...] = ()
    slave: tuple[SlavePart, ...] = ()
    along: tuple[str, ...] = ()
    """rs485: what stands along the cable from one end to the other; `board` is this device."""
    terminated: tuple[str, ...] = ()
    """rs485: where a 120 ohm resistor is fitted."""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal, from a GPIO or a point of a Modbus module to a connector's pin or a part of the board."""

    name: Label
    title: Words
    use: Use
    pin: Gpio | None = None
    point: PointText | None = None
    through: Through = "direct"
    volts: Volts = 3.3
    """What it carries beyond what it goes through."""
    to: Place | None = None
    part: Words | None = None
    """What it goes to on the board, where it does not leave it."""
    button: ButtonName | None = None
    """Of a button, the emergency button, or the lamp of one."""


class Core(msgspec.Struct, frozen=True, kw_only=True):
    """One core of a cable, from a connector's pin to the cable's other end."""

    pin: Place
    colour: Colour
    far: Words
    """What it ends on there: a terminal by its marking, or a pin such as J5.2 where the other end is a connector."""
    pair: Annotated[int, Meta(ge=1, le=25, description="the number of a twisted pair")] | None = None
    """Of which twisted pair it is."""


class Cable(msgspec.Struct, frozen=True, kw_only=True):
    """A cable, from the connectors of its cores' pins to one other end."""

    name: Label
    title: Words
    to: Words
    """What is at its other end: words, or the reference of another connector."""
    length_m: Annotated[float, Meta(gt=0, le=1200, description="metres")]
    gauge_mm2: Annotated[float, Meta(ge=0.14, le=6, description="square millimetres of copper of each core")]
    shield: Words | None = None
    """Where its shield ends, at one of its ends alone; none has no shield."""
    core: Annotated[tuple[Core, ...], Meta(min_length=1, max_length=50, description="its cores")]

    @property
    def on(self) -> tuple[str, ...]:
        """The connectors that it plugs on, as its cores name them."""
        return tuple(dict.fromkeys(each.pin.partition(".")[0] for each in self.core))


class Pinmap(msgspec.Struct, frozen=True, kw_only=True):
    """A whole pin map."""

    board: Board
    panel: PanelEntry | None = None
    connector: Annotated[tuple[Connector, ...], Meta(min_length=1, description="[[connector]]")]
    rail: tuple[Rail, ...] = ()
    bus: tuple[BusPart, ...] = ()
    signal: Annotated[tuple[Signal, ...], Meta(min_length=1, description="[[signal]]")]
    cable: tuple[Cable, ...] = ()

    def titles(self) -> dict[str, str]:
        """What is on each connector's pin that is wired, in words."""
        found = {place: rail.title for rail in self.rail for place in rail.to}
        found |= {place: f"{bus.title}: {wire}" for bus in self.bus for wire, place in bus.wires.items()}
        return found | {each.to: each.title for each in self.signal if each.to}


def parse_pinmap(text: str) -> Pinmap | tuple[Problem, ...]:
    """Read a pin map's shape, or tell every problem that it has. What clashes is for `check` to tell."""
    return parse_toml(text, Pinmap, "a pin map")
