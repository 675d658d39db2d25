"""What a plant is made of and how it is wired. Pure.

A point is named `SLAVE.POINT`, as in a station's layout: the slave by its own name, the point as the map
`generic-io-32x32` names it (`do0` to `do31` coils, `di0` to `di31` discrete inputs, `level0` to `level7` holding and
`ai0` to `ai7` input registers). An empty name is a wire that was not laid.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

MAP = "generic-io-32x32"
BLOCKS = {"do": 32, "di": 32, "level": 8, "ai": 8}
"""How many points of each block such a module has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounder:
    """Sounds while its coil is on; a current sensor proves it."""

    id: str
    zone: str
    output: str
    proof: str
    level: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Shines while its coil is on and there is mains; a light sensor proves it."""

    id: str
    zone: str
    output: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooker:
    """A contactor. Its coil on cuts the cooker off; it latches until somebody resets it at the cooker."""

    id: str
    zone: str
    output: str
    proof: str
    """Shows that the contactor has dropped out: the cooker is off."""
    reset: str = ""
    """The reset button at the cooker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """The lamp above one appliance."""

    unit: str
    output: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A bay door whose opener starts on a pulse. It needs mains."""

    id: str
    units: tuple[str, ...]
    output: str
    open_input: str
    closed_input: str
    obstruction: str = ""
    maintenance: str = ""
    travel_s: float = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitSignal:
    """A light that stops traffic before the bays."""

    id: str
    doors: tuple[str, ...]
    output: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Single inputs of the whole station."""

    mains_failed: str = ""
    on_generator: str = ""
    acknowledge: str = ""
    presence: str = ""


Part = Sounder | Light | Cooker | Indicator | Door | ExitSignal | Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A whole plant."""

    slaves: tuple[tuple[str, int], ...]
    """Each Modbus module's name and its address on the line, 1 to 247."""
    sounders: tuple[Sounder, ...] = ()
    lights: tuple[Light, ...] = ()
    cookers: tuple[Cooker, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    doors: tuple[Door, ...] = ()
    exit_signals: tuple[ExitSignal, ...] = ()
    inputs: Inputs = Inputs()

    def __post_init__(self) -> None:
        """Refuse a wire to nowhere and two wires on one point: both are mistakes in the plan of a plant."""
        known = {
            f"{slave}.{block}{i}" for slave, _ in self.slaves for block, size in BLOCKS.items() for i in range(size)
        }
        seen: set[str] = set()
        for point in self.points():
            if point not in known or point in seen:
                raise ValueError(f"{point} is {'wired twice' if point in seen else 'on no module'}")
            seen.add(point)

    def points(self) -> Iterator[str]:
        """Every point that has a wire."""
        parts: list[Part] = [*self.sounders, *self.lights, *self.cookers, *self.indicators]
        parts += [*self.doors, *self.exit_signals, self.inputs]
        for part in parts:
            values = (getattr(part, each.name) for each in fields(part) if each.name not in ("id", "zone", "unit"))
            yield from (value for value in values if isinstance(value, str) and value)
