"""The device-tree overlay's source of a pin map that `check` has passed. Pure."""

from collections.abc import Iterator

from kit.pinmap import OUTPUTS, BusPart, Pinmap, Signal

_IN, _OUT = 0, 1
_NO_PULL, _PULL_DOWN, _PULL_UP = 0, 1, 2


def overlay(pinmap: Pinmap) -> str:
    """Write it for the Raspberry Pi's kernel: buses, chips, the pulse per second, and the state of every other pin."""
    board = pinmap.board
    blocks = [
        "/dts-v1/;\n/plugin/;",
        f"/* {board.title}. Generated from pinmap.toml by `make kit`: edit that. Not tried on hardware. */",
        '/ {\n\tcompatible = "brcm,bcm2711";\n};',
        *(block for bus in pinmap.bus for block in _bus(bus)),
        *_pins(pinmap),
        *(_pulse(each) for each in pinmap.signal if each.use == "pps" and each.pin is not None),
    ]
    return "\n\n".join(blocks) + "\n"


def _bus(bus: BusPart) -> Iterator[str]:
    if bus.kind == "i2c":
        chips = "".join(
            f'\n\t/* {chip.title} */\n\t{chip.name}@{chip.address:x} {{\n\t\tcompatible = "{chip.compatible}";\n'
            f"\t\treg = <{chip.address:#x}>;\n\t}};"
            for chip in bus.chip
        )
        cells = "#address-cells = <1>;\n\t#size-cells = <0>;"
        yield f'/* {bus.title} */\n&{bus.peripheral} {{\n\tstatus = "okay";\n\t{cells}{chips}\n}};'
        return
    order = [bus.pins[role] for role in ("tx", "rx", "de") if role in bus.pins]
    pulls = [_PULL_UP if role == "rx" else _NO_PULL for role in ("tx", "rx", "de") if role in bus.pins]
    label = f"{bus.peripheral}_pins"
    yield f"&{label} {{\n\tbrcm,pins = <{_cells(order)}>;\n\tbrcm,pull = <{_cells(pulls)}>;\n}};"
    turned = "\tlinux,rs485-enabled-at-boot-time;\n\trs485-rts-delay = <0 0>;\n" if bus.kind == "rs485" else ""
    states = f'\tpinctrl-names = "default";\n\tpinctrl-0 = <&{label}>;\n'
    yield f'/* {bus.title} */\n&{bus.peripheral} {{\n{states}{turned}\tstatus = "okay";\n}};'


def _pins(pinmap: Pinmap) -> Iterator[str]:
    own = sorted((each for each in pinmap.signal if each.pin is not None), key=lambda each: each.pin or 0)
    if not own:
        return
    names = "".join(f"\n\t\t/* GPIO{each.pin} {each.name} */" for each in own)
    label = "watchroom_pins"
    yield (
        f"&gpio {{\n"
        f'\tpinctrl-names = "default";\n\tpinctrl-0 = <&{label}>;\n\n\t{label}: {label} {{{names}\n'
        f"\t\tbrcm,pins = <{_cells([each.pin or 0 for each in own])}>;\n"
        f"\t\tbrcm,function = <{_cells([_OUT if each.use in OUTPUTS else _IN for each in own])}>;\n"
        f"\t\tbrcm,pull = <{_cells([_pull(each) for each in own])}>;\n\t}};\n}};"
    )


def _pull(signal: Signal) -> int:
    """Outputs are held off until they are driven; contacts and optocouplers pull to ground; a pulse is driven."""
    if signal.use in OUTPUTS:
        return _PULL_DOWN
    return _NO_PULL if signal.use == "pps" or signal.through == "divider" else _PULL_UP


def _pulse(signal: Signal) -> str:
    node = f'\tpps {{\n\t\tcompatible = "pps-gpio";\n\t\tgpios = <&gpio {signal.pin} 0>;\n'
    return f'/* {signal.title} */\n&{{/}} {{\n{node}\t\tstatus = "okay";\n\t}};\n}};'


def _cells(numbers: list[int]) -> str:
    return " ".join(map(str, numbers))
