"""The sections of an agent's TOML that a pin map decides: `[panel]`, `[inputs]` and `[[bus]]`. Pure."""

from collections.abc import Iterator, Mapping

from kit.pinmap import BusPart, Pinmap, Signal

CHIP = "/dev/gpiochip0"
"""The header's lines are those of the computer's first chip, by their BCM numbers."""


def sections(pinmap: Pinmap) -> str:
    """Write them for a pin map that `check` has passed. They go into device.toml, beside [device] and [[unit]]."""
    lines = [
        f"# {pinmap.board.title}: the sections of device.toml that its wiring decides.",
        "# Generated from pinmap.toml by `make kit`: edit that. Not tried on hardware.",
        *_panel(pinmap),
        *_inputs(pinmap),
        *(line for bus in pinmap.bus if bus.kind == "rs485" for line in _bus(bus, pinmap)),
    ]
    return "\n".join(lines) + "\n"


def _panel(pinmap: Pinmap) -> Iterator[str]:
    if pinmap.panel is None:
        return
    pushed = [each for each in pinmap.signal if each.use in ("button", "emergency")]
    gpio = any(each.pin is not None for each in pushed)
    yield from ("", "[panel]", f'backend = "{"gpiod" if gpio else "modbus"}"')
    if gpio:
        yield f'path = "{CHIP}"'
    yield from _table("panel.buttons", f"codes of {pinmap.panel.scheme}", pinmap.panel.codes)
    where = "GPIO = button" if gpio else "discrete input = button"
    yield from _table("panel.lines", where, {_line(each): each.button or "" for each in pushed})
    lamps = {each.button or "": _line(each) for each in pinmap.signal if each.use == "lamp"}
    if lamps:
        yield from _table("panel.lamps", where.replace("discrete input", "coil"), lamps)
    for each in pushed:
        if each.use == "emergency":
            yield from ("", "[panel.emergency]", f'button = "{each.button}"')


def _inputs(pinmap: Pinmap) -> Iterator[str]:
    """Contacts and optocouplers pull their line to ground; a divider hands on the level that it is given."""
    wired = [each for each in pinmap.signal if each.use in ("input", "power_fail") and each.pin is not None]
    if not wired:
        return
    yield from ("", "[inputs]", 'backend = "gpiod"', f'path = "{CHIP}"')
    yield from _table("inputs.lines", "GPIO = input", {str(each.pin): each.name for each in wired})
    divided = [each.name for each in wired if each.through == "divider"]
    if divided:
        yield from ("", "[inputs.active_low_of]".ljust(36) + "# through a divider: on is high")
        yield from (f'"{name}" = false' for name in divided)


def _table(name: str, says: str, rows: Mapping[str, str]) -> Iterator[str]:
    yield from ("", f"[{name}]".ljust(36) + f"# {says}")
    for key, value in rows.items():
        yield f'"{key}" = "{value}"'


def _line(signal: Signal) -> str:
    return signal.point or str(signal.pin)


def _bus(bus: BusPart, pinmap: Pinmap) -> Iterator[str]:
    yield from ("", "[[bus]]".ljust(36) + f"# {bus.title}", f'name = "{bus.name}"', 'transport = "rtu"')
    yield from (f'path = "{bus.path}"', f"baud = {bus.baud}", f'parity = "{bus.parity}"', f"poll_ms = {bus.poll_ms}")
    for slave in bus.slave:
        yield from ("", "[[bus.slave]]", f'name = "{slave.name}"', f"id = {slave.id}", f'map = "{slave.map}"')
        for signal in pinmap.signal:
            if signal.point is not None and signal.point.partition(".")[0] == slave.name:
                yield f"# {signal.point:<12}  {signal.title}"
