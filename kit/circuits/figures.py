"""What is calculated of each circuit: figures, each with its unit, its limits and why they are what they are."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from kit.circuits import laws
from kit.circuits.shape import Circuit, Facts, Kind, Role
from kit.header import LOGIC_V

LOW_V = 0.8
"""A GPIO reads low up to here. Raspberry Pi documentation, voltage specifications of the BCM2711."""
HIGH_V = 2.6
"""What a GPIO gives at the least while it is loaded: 3.3 V less 5 %, less 0.5 V in its driver."""
GPIO_A = 0.008
"""What a GPIO drives as it comes out of reset. Raspberry Pi documentation, GPIO pads control."""
PULL_OHMS = 33_000
"""The strongest that the processor's own pull is; 73 kohm is the weakest. As for `LOW_V`."""
SATURATED = 20
"""A transistor is surely saturated with a twentieth of its collector's current in its base."""
AGED = 0.5
"""What is left of an optocoupler's transfer ratio at the end of its life, and when it is hot."""
UNIT_LOAD_OHMS = 12_000
"""One unit load of a line, and `UNIT_LOADS` is how many a driver carries. TIA-485-A."""
UNIT_LOADS = 32
IDLE_V = 0.2
"""An idle line is a one for every receiver from here. TIA-485-A; Modbus over serial line V1.02, 3.4.6."""
HALF = 0.5
"""How much of its rated power a resistor is given."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a circuit. It is right where it is not below `least` and not above `most`."""

    what: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None
    why: str

    @property
    def holds(self) -> bool:
        """Whether it is within its limits."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)


ROLES: Mapping[Kind, Mapping[Role, tuple[str, ...]]] = {
    "opto": {
        "series": ("ohms", "tolerance", "watts"), "clamp": ("standoff_v", "breakdown_v"),
        "limit": ("ohms", "tolerance", "watts"), "blocking": ("drop_v",), "bleed": ("ohms", "tolerance", "watts"),
        "opto": ("led_a_min", "led_a_max", "led_v", "led_dark_v", "ratio", "drop_v"), "pull_up": ("ohms",),
    },
    "driver": {
        "base": ("ohms", "tolerance"), "hold_off": ("ohms",), "switch": ("drop_v", "gain"),
    },
    "relay": {
        "relay": ("coil_ohms", "coil_v_min", "coil_v_max", "contact_a"), "flyback": (), "load_flyback": (),
        "fuse": ("amps",),
    },
    "contact": {"series": ("ohms",), "pull_up": ("ohms",), "clamp": ("standoff_v",)},
    "rs485": {
        "transceiver": ("unit_loads",), "termination": ("ohms", "watts"), "bias_up": ("ohms", "tolerance"),
        "bias_down": ("ohms", "tolerance"), "enable_down": ("ohms",), "surge": (), "series_a": ("ohms",),
        "series_b": ("ohms",),
    },
    "hold_up": {
        "fuse": ("amps",), "clamp": ("standoff_v",), "converter": ("out_v_min",),
        "reserve": ("reference_v_min", "reference_v_max", "drop_v"),
        "store_upper": ("farads", "esr_ohms"), "store_lower": ("farads", "esr_ohms"),
        "sense_upper": ("ohms", "tolerance"), "sense_lower": ("ohms", "tolerance"), "pull_up": ("ohms",),
    },
}  # fmt: skip
"""What each kind of circuit must have, and what must be known of it."""

NEEDS: Mapping[Kind, tuple[str, ...]] = {
    "opto": ("crank_v", "low_v", "nominal_v", "high_v", "most_v", "dump_v", "off_v"),
    "driver": ("lamp_v", "lamp_a"),
    "relay": ("supply_min_v", "supply_max_v", "sink_a", "load_a"),
    "contact": ("contact_ohms",),
    "rs485": ("bias_v", "far_ohms", "drive_v"),
    "hold_up": ("most_v", "full_v", "computer_v"),
}
"""What each kind of circuit must be told."""


class Bench:
    """A circuit with what is known of its parts, for the sums."""

    def __init__(self, circuit: Circuit, facts: Mapping[str, Facts]) -> None:
        """Take a circuit which has all of its `ROLES` and `NEEDS`."""
        self.needs = circuit.needs
        self._facts = {each.role: facts.get(each.part, Facts()) for each in circuit.component}

    def __call__(self, role: Role, fact: str) -> float:
        """A fact of the component of that role."""
        return float(getattr(self._facts[role], fact))

    def least(self, role: Role) -> float:
        """The lowest that a resistor may be."""
        return self(role, "ohms") * (1 - self(role, "tolerance"))

    def greatest(self, role: Role) -> float:
        """The highest that a resistor may be."""
        return self(role, "ohms") * (1 + self(role, "tolerance"))


def figures(circuit: Circuit, facts: Mapping[str, Facts]) -> tuple[Figure, ...]:
    """Calculate a circuit which has all of its `ROLES` and `NEEDS`."""
    return tuple(_SUMS[circuit.kind](Bench(circuit, facts)))


def _opto(bench: Bench) -> Iterator[Figure]:
    needs = bench.needs
    opto: Role = "opto"
    ohms = bench("series", "ohms") + bench("limit", "ohms")
    worst = bench.greatest("series") + bench.greatest("limit")
    drop, led_v = bench("blocking", "drop_v"), bench(opto, "led_v")
    lit = laws.led_a(needs["crank_v"], worst, drop, led_v, bench.least("bleed"))
    why = "at this current its transfer ratio is guaranteed; resistors and drops at their worst"
    what = f"LED current at {needs['crank_v']:g} V (engine starting)"
    yield Figure(what=what, value=lit, unit="A", least=bench(opto, "led_a_min"), why=why)
    for name in ("low_v", "nominal_v", "high_v", "most_v"):
        value = laws.led_a(needs[name], ohms, drop, led_v, bench("bleed", "ohms"))
        what = f"LED current at {needs[name]:g} V"
        most = bench(opto, "led_a_max") * HALF
        yield Figure(what=what, value=value, unit="A", most=most, why="half of what the LED stands")
    pull = laws.parallel(bench("pull_up", "ohms"), PULL_OHMS)
    wanted = (LOGIC_V - bench(opto, "drop_v")) / pull
    why = f"the pull-ups' current, to saturate; {AGED:g} of the transfer ratio is left when it is old"
    value = lit * bench(opto, "ratio") * AGED
    yield Figure(what="collector current while starting", value=value, unit="A", least=wanted, why=why)
    yield Figure(what="level when lit", value=bench(opto, "drop_v"), unit="V", most=LOW_V, why="a GPIO reads low")
    value = laws.unlit_v(needs["off_v"], bench.least("series") + bench.least("limit"), bench.greatest("bleed"))
    what, most = f"LED voltage at {needs['off_v']:g} V (off, leaking)", bench(opto, "led_dark_v")
    yield Figure(what=what, value=value, unit="V", most=most, why="below it the LED is dark")
    yield from _opto_stress(bench, ohms)


def _opto_stress(bench: Bench, ohms: float) -> Iterator[Figure]:
    most_v, dump_v = bench.needs["most_v"], bench.needs["dump_v"]
    why = "the clamp does nothing in use: a 24 V system may be at this for an hour (ISO 16750-2, long-term overvoltage)"
    yield Figure(what="clamp stands off", value=bench("clamp", "standoff_v"), unit="V", least=most_v, why=why)
    dropping: tuple[Role, ...] = ("series", "limit")
    for role in dropping:
        share = most_v * bench(role, "ohms") / ohms
        heat, most = laws.heat_w(share, bench(role, "ohms")), bench(role, "watts") * HALF
        yield Figure(what=f"heat of {role} at {most_v:g} V", value=heat, unit="W", most=most, why="half of its rating")
    across = bench("opto", "led_v")
    heat, most = laws.heat_w(across, bench("bleed", "ohms")), bench("bleed", "watts") * HALF
    yield Figure(what="heat of bleed when lit", value=heat, unit="W", most=most, why="half of its rating")
    node = min(dump_v, bench("clamp", "breakdown_v"))
    peak = laws.led_a(node, bench.least("limit"), 0, bench("opto", "led_v"), bench("bleed", "ohms"))
    what = f"LED current in a load dump of {dump_v:g} V"
    why = "what the LED stands; the clamp holds its node (ISO 16750-2 test B, ISO 7637-2 pulse 5b, clamped)"
    yield Figure(what=what, value=peak, unit="A", most=bench("opto", "led_a_max"), why=why)
    heat = laws.heat_w(max(0.0, dump_v - node), bench.least("series")) if node < dump_v else 0.0
    what = f"heat of series in a load dump of {dump_v:g} V"
    yield Figure(what=what, value=heat, unit="W", most=bench("series", "watts"), why="its rating, for all of the dump")


def _driver(bench: Bench) -> Iterator[Figure]:
    base_v = 0.9  # of a small transistor at a few milliamperes, cold
    base = (HIGH_V - base_v) / bench.greatest("base") - base_v / bench("hold_off", "ohms")
    why = f"a base current of a {SATURATED}th saturates it; {HIGH_V:g} V is what a GPIO gives at the least"
    value = base * SATURATED
    yield Figure(what="lamp current that it carries", value=value, unit="A", least=bench.needs["lamp_a"], why=why)
    why = "twice the saturated ratio: it is in saturation whatever the sample"
    yield Figure(what="gain", value=bench("switch", "gain"), unit="", least=2 * SATURATED, why=why)
    value, why = (LOGIC_V - 0.6) / bench.least("base"), "what the pin drives as it comes out of reset"
    yield Figure(what="current from the GPIO", value=value, unit="A", most=GPIO_A, why=why)
    value, most = bench("switch", "drop_v"), bench.needs["lamp_v"] / 10
    yield Figure(what="left across the switch", value=value, unit="V", most=most, why="a tenth of the lamp's voltage")


def _relay(bench: Bench) -> Iterator[Figure]:
    needs, coil = bench.needs, bench("relay", "coil_ohms")
    what = "lowest supply, as the coil sees it"
    least = bench("relay", "coil_v_min")
    yield Figure(what=what, value=needs["supply_min_v"], unit="V", least=least, why="it pulls in")
    most = bench("relay", "coil_v_max")
    yield Figure(what="highest supply", value=needs["supply_max_v"], unit="V", most=most, why="the coil stands it")
    value, most = needs["supply_max_v"] / coil, needs["sink_a"]
    yield Figure(what="coil current", value=value, unit="A", most=most, why="what the module's output sinks")
    value, most = needs["load_a"] * 1.25, bench("relay", "contact_a")
    yield Figure(what="load current and a quarter", value=value, unit="A", most=most, why="what the contact breaks")
    amps, contact = bench("fuse", "amps"), bench("relay", "contact_a")
    why = "above the load and a quarter, not above the contact"
    yield Figure(what="fuse", value=amps, unit="A", least=needs["load_a"] * 1.25, most=contact, why=why)


def _contact(bench: Bench) -> Iterator[Figure]:
    pull = laws.parallel(bench("pull_up", "ohms"), PULL_OHMS)
    below = bench("series", "ohms") + bench.needs["contact_ohms"]
    value, why = laws.divided(LOGIC_V, pull, below), "a GPIO reads low, the contact at its worst"
    yield Figure(what="level when pressed", value=value, unit="V", most=LOW_V, why=why)
    value, why = (
        LOGIC_V / (bench("pull_up", "ohms") + below),
        "the least that keeps a gold contact clean (Omron A16: 1 mA)",
    )
    yield Figure(what="wetting current", value=value, unit="A", least=0.001, why=why)
    value = bench("clamp", "standoff_v")
    yield Figure(what="clamp stands off", value=value, unit="V", least=LOGIC_V, why="the clamp does nothing in use")


def _rs485(bench: Bench) -> Iterator[Figure]:
    needs = bench.needs
    ends = laws.parallel(bench("termination", "ohms"), needs["far_ohms"])
    value, why = bench("termination", "ohms"), "the cable's impedance (Modbus over serial line V1.02, 3.4.5)"
    yield Figure(what="termination", value=value, unit="ohm", least=114, most=126, why=why)
    bias = max(bench.greatest("bias_up"), bench.greatest("bias_down"))
    loads = bench("transceiver", "unit_loads") + needs.get("modules", 2)
    value = laws.idle_v(needs["bias_v"], bias, ends, UNIT_LOAD_OHMS / loads)
    why = "a one for every receiver (TIA-485-A), both ends terminated, the supply and the resistors at their worst"
    yield Figure(what="idle voltage, A less B", value=value, unit="V", least=IDLE_V, why=why)
    value = loads + UNIT_LOAD_OHMS / min(bench.least("bias_up"), bench.least("bias_down"))
    why = "what a driver carries (TIA-485-A); modules count as one each, the bias for what it takes"
    yield Figure(what="unit loads", value=value, unit="", most=UNIT_LOADS, why=why)
    heat, most = laws.heat_w(needs["drive_v"], bench("termination", "ohms")), bench("termination", "watts") * HALF
    yield Figure(what="heat of the termination", value=heat, unit="W", most=most, why="half of its rating")
    value, why = (
        laws.divided(LOGIC_V, PULL_OHMS, bench("enable_down", "ohms")),
        "the driver stays off while the processor starts: GPIO7 and GPIO8 are pulled up until then",
    )
    yield Figure(what="enable level before the device has started", value=value, unit="V", most=LOW_V, why=why)
    value = needs["drive_v"] * ends / (ends + bench("series_a", "ohms") + bench("series_b", "ohms")) / 2
    why = "1.5 V is what a driver gives by TIA-485-A; half of it is left for the cable"
    yield Figure(what="signal behind the surge resistors, halved", value=value, unit="V", least=0.75, why=why)


def _hold_up(bench: Bench) -> Iterator[Figure]:
    """Not the hold-up time and the current in the fuse: each device's power.toml has them, for its own load."""
    needs = bench.needs
    reserve: Role = "reserve"
    upper: Role = "sense_upper"
    lower: Role = "sense_lower"
    high = bench(reserve, "reference_v_max") * (1 + bench.greatest(upper) / bench.least(lower))
    low = bench(reserve, "reference_v_min") * (1 + bench.least(upper) / bench.greatest(lower))
    why = "below the least that the converter gives: it does not cry wolf"
    most = bench("converter", "out_v_min")
    yield Figure(what="power-fail threshold, highest", value=high, unit="V", most=most, why=why)
    why = "the computer still runs there"
    yield Figure(what="power-fail threshold, lowest", value=low, unit="V", least=needs["computer_v"], why=why)
    value = bench(reserve, "drop_v")
    yield Figure(what="level of the power-fail line", value=value, unit="V", most=LOW_V, why="a GPIO reads low")
    value = bench("clamp", "standoff_v")
    yield Figure(what="clamp stands off", value=value, unit="V", least=needs["most_v"], why="it does nothing in use")


_SUMS: Mapping[Kind, Callable[[Bench], Iterator[Figure]]] = {
    "opto": _opto,
    "driver": _driver,
    "relay": _relay,
    "contact": _contact,
    "rs485": _rs485,
    "hold_up": _hold_up,
}
