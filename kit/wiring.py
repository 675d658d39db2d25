"""The wiring table of a pin map that `check` has passed, in Markdown, for the person who builds it. Pure."""

from collections.abc import Iterator, Sequence

from kit.check_lines import BOARD
from kit.header import HEADER_PINS, RESERVED
from kit.pinmap import BusPart, Cable, Connector, Pinmap, Signal

_MEANS = {
    "direct": "-",
    "opto": "an optocoupler",
    "divider": "a divider",
    "driver": "an open-collector driver",
    "relay": "a relay",
}


def wiring(pinmap: Pinmap) -> str:
    """Write it: the header, each connector, each bus."""
    board = pinmap.board
    parts = [
        f"# {board.title}: wiring",
        "Generated from `pinmap.toml` by `make kit`: edit that. **Nothing of it was built or tested on hardware.**",
        "## The 40-pin header",
        _table(("Header pin", "GPIO", "Used by", "Through", "To"), sorted(_header_rows(pinmap))),
    ]
    for connector in pinmap.connector:
        parts += [f"## {connector.name}: {connector.title}", _connector(connector, pinmap)]
    inside = [each for each in pinmap.signal if each.part is not None]
    if inside:
        rows = [(_source(each), each.title, _MEANS[each.through], each.part or "") for each in inside]
        parts += ["## On the board", _table(("From", "Signal", "Through", "To"), rows)]
    for bus in pinmap.bus:
        parts += [f"## Bus {bus.name}: {bus.title}", *_bus(bus)]
    for cable in pinmap.cable:
        parts += [f"## Cable {cable.name}: {cable.title}", *_cable(cable, pinmap)]
    return "\n\n".join(parts) + "\n"


def _header_rows(pinmap: Pinmap) -> Iterator[tuple[int, str, str, str, str]]:
    for gpio, kept_for in RESERVED.items():
        yield HEADER_PINS[gpio], f"GPIO{gpio}", f"kept for {kept_for}", "-", "-"
    for bus in pinmap.bus:
        through = "a transceiver" if bus.kind == "rs485" else "-"
        for role, gpio in bus.pins.items():
            yield HEADER_PINS[gpio], f"GPIO{gpio}", f"bus {bus.name}, {role}", through, bus.wires.get(role, "the bus")
    for each in pinmap.signal:
        if each.pin is not None:
            to = each.to or each.part or ""
            yield HEADER_PINS[each.pin], f"GPIO{each.pin}", each.title, _MEANS[each.through], to


def _connector(connector: Connector, pinmap: Pinmap) -> str:
    wired: dict[str, tuple[str, str, str]] = {}
    for rail in pinmap.rail:
        wired |= {place: (rail.title, f"{rail.volts:g}", f"rail {rail.name}") for place in rail.to}
    for bus in pinmap.bus:
        volts = "differential" if bus.kind == "rs485" else f"{bus.volts:g}"
        wired |= {place: (f"{bus.title}: {wire}", volts, f"bus {bus.name}") for wire, place in bus.wires.items()}
    wired |= {each.to: (each.title, f"{each.volts:g}", _from(each)) for each in pinmap.signal if each.to}
    rows = []
    for number in range(1, connector.pins + 1):
        place = f"{connector.name}.{number}"
        rows.append((place, *wired.get(place, ("left open", "-", "-"))))
    return _table(("Pin", "Wire", "Volts", "From"), rows)


def _source(signal: Signal) -> str:
    return f"GPIO{signal.pin}" if signal.pin is not None else signal.point or ""


def _from(signal: Signal) -> str:
    through = "" if signal.through == "direct" else f" through {_MEANS[signal.through]}"
    return _source(signal) + through


def _bus(bus: BusPart) -> Iterator[str]:
    if bus.chip:
        yield _table(("Address", "Chip"), [(f"{chip.address:#04x}", chip.title) for chip in bus.chip])
    if bus.path:
        speed = f"{bus.baud} baud, parity {bus.parity}" if bus.kind == "rs485" else "who reads it finds its speed"
        yield f"Linux calls it `{bus.path}`; {speed}."
    if bus.slave:
        rows = [(str(each.id), each.name, each.map) for each in bus.slave]
        yield _table(("Modbus address", "Module", "Register map"), rows)
        cable = " - ".join("this device" if name == BOARD else name for name in bus.along)
        ends = " and ".join("this device" if name == BOARD else name for name in bus.terminated)
        yield f"Along the cable: {cable}. 120 ohm between A and B at {ends}, and nowhere else."


def _cable(cable: Cable, pinmap: Pinmap) -> Iterator[str]:
    titles = pinmap.titles()
    shield = "" if cable.shield is None else f" Shield to: {cable.shield}."
    yield f"To: {cable.to}. {len(cable.core)} cores of {cable.gauge_mm2:g} mm2, {cable.length_m:g} m.{shield}"
    rows = []
    for core in cable.core:
        pair = "-" if core.pair is None else str(core.pair)
        rows.append((core.pin, titles.get(core.pin, "-"), core.colour, pair, core.far))
    yield _table(("Pin", "Wire", "Colour", "Twisted pair", "Other end"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
