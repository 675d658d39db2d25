"""Every clash of a pin map, each a line that names both users. Pure."""

from collections.abc import Iterator, Mapping

from edge_agent.config.register_maps import RegisterMap
from kit.check_lines import line_problems
from kit.check_wires import wire_problems
from kit.header import HEADER_PINS, LOGIC_V, NAMES, PERIPHERALS, RESERVED, ROLES
from kit.pinmap import OUTPUTS, BusPart, Pinmap, Signal
from wire.strict import Problem, closest

_FOR_INPUTS = ("direct", "opto", "divider")
_FOR_OUTPUTS = ("direct", "driver", "relay")


def check(pinmap: Pinmap, maps: Mapping[str, RegisterMap]) -> tuple[Problem, ...]:
    """Tell everything that clashes, is missing or leads nowhere; `maps` are the register maps that there are."""
    return (
        *_name_problems(pinmap),
        *_pin_problems(pinmap),
        *_bus_problems(pinmap),
        *_voltage_problems(pinmap),
        *wire_problems(pinmap),
        *line_problems(pinmap, maps),
        *_panel_problems(pinmap),
    )


def _name_problems(pinmap: Pinmap) -> Iterator[Problem]:
    tables = {
        "connector": [each.name for each in pinmap.connector],
        "rail": [each.name for each in pinmap.rail],
        "bus": [each.name for each in pinmap.bus],
        "signal": [each.name for each in pinmap.signal],
        "cable": [each.name for each in pinmap.cable],
    }
    for table, names in tables.items():
        for index, name in enumerate(names):
            if (first := names.index(name)) != index:
                problem = f"{name!r} is already the name of {table}[{first}]"
                yield Problem(f"{table}[{index}].name", problem, "a name of its own")


def _pin_problems(pinmap: Pinmap) -> Iterator[Problem]:
    users: dict[int, str] = {}
    for path, user, pin in _pins(pinmap):
        if pin not in HEADER_PINS:
            yield Problem(path, f"{user} is on GPIO{pin}, which the header has not", "GPIO2 to GPIO27")
        elif pin in RESERVED:
            problem = f"{user} is on GPIO{pin}, which is kept for {RESERVED[pin]}"
            yield Problem(path, problem, "a pin that nothing is kept on")
        elif pin in users:
            free = ", ".join(f"GPIO{each}" for each in _free_pins(pinmap)) or "none is left"
            yield Problem(path, f"GPIO{pin} is used by {users[pin]} and by {user}", f"a free pin: {free}")
        users.setdefault(pin, user)


def _pins(pinmap: Pinmap) -> Iterator[tuple[str, str, int]]:
    """Path, user and GPIO of each use of a pin."""
    for index, bus in enumerate(pinmap.bus):
        for role, pin in bus.pins.items():
            yield f"bus[{index}].pins.{role}", f"bus {bus.name!r} ({role})", pin
    for index, signal in enumerate(pinmap.signal):
        if signal.pin is not None:
            yield f"signal[{index}].pin", f"signal {signal.name!r}", signal.pin


def _free_pins(pinmap: Pinmap) -> list[int]:
    used = {pin for _, _, pin in _pins(pinmap)}
    return sorted(pin for pin in HEADER_PINS if pin not in used and pin not in RESERVED)


def _bus_problems(pinmap: Pinmap) -> Iterator[Problem]:
    users: dict[str, str] = {}
    for index, bus in enumerate(pinmap.bus):
        path = f"bus[{index}]"
        if bus.peripheral in users:
            problem = f"{bus.peripheral} is used by bus {users[bus.peripheral]!r} and by bus {bus.name!r}"
            yield Problem(f"{path}.peripheral", problem, "each peripheral once")
        users.setdefault(bus.peripheral, bus.name)
        if bus.path is not None and bus.path != f"{NAMES}/{bus.name}":
            problem = f"bus {bus.name!r} is at {bus.path}, and the device's udev rules name it otherwise"
            yield Problem(f"{path}.path", problem, f"{NAMES}/{bus.name}")
        yield from _role_problems(path, bus)
        yield from _chip_problems(path, bus)


def _role_problems(path: str, bus: BusPart) -> Iterator[Problem]:
    has = PERIPHERALS[bus.peripheral]
    roles = ROLES[bus.kind]
    for role in roles:
        if role not in has:
            expected = "i2c1 for i2c, a uart for uart and rs485"
            yield Problem(f"{path}.peripheral", f"{bus.peripheral} has no {role}, which {bus.kind} needs", expected)
        elif role not in bus.pins:
            problem = f"bus {bus.name!r} has no {role} pin"
            yield Problem(f"{path}.pins.{role}", problem, f"{role} = {has[role]}: there {bus.peripheral} has it")
        elif bus.pins[role] != has[role]:
            problem = f"bus {bus.name!r} has its {role} on GPIO{bus.pins[role]}, where {bus.peripheral} has none"
            yield Problem(f"{path}.pins.{role}", problem, f"{role} = {has[role]}")
    for role in bus.pins:
        if role not in roles:
            yield Problem(f"{path}.pins.{role}", f"bus {bus.name!r} needs no {role} pin", f"{', '.join(roles)} alone")


def _chip_problems(path: str, bus: BusPart) -> Iterator[Problem]:
    users: dict[int, str] = {}
    if bus.chip and bus.kind != "i2c":
        yield Problem(f"{path}.chip", f"bus {bus.name!r} is no i2c bus, and has chips", "no chips here")
    for index, chip in enumerate(bus.chip):
        if chip.address in users:
            problem = f"address {chip.address:#04x} of bus {bus.name!r} is used by {users[chip.address]!r}"
            yield Problem(f"{path}.chip[{index}].address", f"{problem} and by {chip.name!r}", "each chip its own")
        users.setdefault(chip.address, chip.name)


def _voltage_problems(pinmap: Pinmap) -> Iterator[Problem]:
    for index, bus in enumerate(pinmap.bus):
        if bus.kind != "rs485" and bus.volts > LOGIC_V:
            problem = f"the pins of bus {bus.name!r} stand {LOGIC_V:g} V, and its wires carry {bus.volts:g} V"
            yield Problem(f"bus[{index}].volts", problem, "3.3 V: a level shifter between, or another part")
    stands = {slave.name: slave.stands_v for bus in pinmap.bus for slave in bus.slave}
    for index, signal in enumerate(pinmap.signal):
        yield from _through_problems(f"signal[{index}]", signal, stands)


def _through_problems(path: str, signal: Signal, stands: Mapping[str, float]) -> Iterator[Problem]:
    output = signal.use in OUTPUTS
    fitting = _FOR_OUTPUTS if output else _FOR_INPUTS
    if signal.through not in fitting:
        kind = "an output" if output else "an input"
        problem = f"signal {signal.name!r} is {kind}, and {signal.through!r} is for the other way"
        yield Problem(f"{path}.through", problem, f"one of {', '.join(fitting)}")
    if signal.through != "direct":
        return
    if signal.pin is not None and signal.volts > LOGIC_V:
        problem = f"GPIO{signal.pin} stands {LOGIC_V:g} V, and signal {signal.name!r} carries {signal.volts:g} V"
        yield Problem(f"{path}.through", problem, f"{' or '.join(fitting[1:])} between the two")
    limit = stands.get(signal.point.partition(".")[0]) if signal.point else None
    if limit is not None and signal.volts > limit:
        problem = f"{signal.point} stands {limit:g} V, and signal {signal.name!r} carries {signal.volts:g} V"
        yield Problem(f"{path}.through", problem, f"{' or '.join(fitting[1:])} between the two")


def _panel_problems(pinmap: Pinmap) -> Iterator[Problem]:
    buttons = {each.button: each.name for each in pinmap.signal if each.use == "button" and each.button}
    held = {each.button: each.name for each in pinmap.signal if each.use == "emergency" and each.button}
    codes = pinmap.panel.codes if pinmap.panel else {}
    for button in codes:
        if button not in buttons:
            problem = f"no button signal is {button!r}{closest(button, tuple(buttons))}"
            yield Problem(f"panel.codes.{button}", problem, f"one of {', '.join(buttons)}")
    for other in tuple(held.values())[1:]:
        problem = f"signal {next(iter(held.values()))!r} and signal {other!r} are both the emergency button"
        yield Problem("signal", problem, "one emergency button")
    if held and not pinmap.panel:
        problem = f"is missing, and signal {next(iter(held.values()))!r} is an emergency button"
        yield Problem("panel", problem, "[panel], with what the status buttons declare")
    yield from _button_problems(pinmap, (*buttons, *held))
    for button, name in buttons.items():
        if button not in codes:
            problem = f"signal {name!r} is button {button!r}, and panel.codes does not say what it declares"
            yield Problem(f"panel.codes.{button}", problem, "a status code")
    wired = {each.name: each.pin is not None for each in pinmap.signal if each.use in ("button", "emergency", "lamp")}
    if len(set(wired.values())) > 1:
        here, there = (next(name for name, gpio in wired.items() if gpio is wanted) for wanted in (True, False))
        problem = f"signal {here!r} is on a GPIO and signal {there!r} on a Modbus module"
        yield Problem("panel", problem, "all of the panel on one of the two: the agent reads one panel")


def _button_problems(pinmap: Pinmap, known: tuple[str, ...]) -> Iterator[Problem]:
    users: dict[tuple[bool, str], str] = {}
    for index, signal in enumerate(pinmap.signal):
        path, button = f"signal[{index}].button", signal.button
        if signal.use not in ("button", "emergency", "lamp"):
            if button is not None:
                yield Problem(path, f"signal {signal.name!r} is of use {signal.use!r}, and has a button", "no button")
        elif button is None:
            yield Problem(path, f"signal {signal.name!r} goes nowhere: no button is named", "the button that it is of")
        elif signal.use == "lamp" and button not in known:
            problem = f"lamp {signal.name!r} is that of {button!r}, which is no button{closest(button, known)}"
            yield Problem(path, problem, f"one of {', '.join(known)}")
        elif (other := users.setdefault((signal.use == "lamp", button), signal.name)) != signal.name:
            yield Problem(path, f"{button!r} is that of signal {other!r} and of signal {signal.name!r}", "each once")
