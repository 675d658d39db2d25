"""The udev rules that give a board's serial lines names of their own. Pure."""

from kit.header import ADDRESSES, NAMES
from kit.pinmap import Pinmap


def names(pinmap: Pinmap) -> str:
    """Write them for a pin map that `check` has passed: by the peripheral's address, whatever the kernel counts."""
    lines = [
        f"# {pinmap.board.title}: the names of its serial lines.",
        "# Generated from pinmap.toml by `make kit`: edit that. Not tried on hardware.",
    ]
    folder = NAMES.removeprefix("/dev/")
    for bus in pinmap.bus:
        if bus.kind == "i2c":
            continue
        group = "dialout" if bus.kind == "uart" else "watchroom"
        lines += [
            f"# {bus.title}",
            f'SUBSYSTEM=="tty", KERNELS=="{ADDRESSES[bus.peripheral]}.serial", '
            f'SYMLINK+="{folder}/{bus.name}", GROUP="{group}", MODE="0660"',
        ]
    return "\n".join(lines) + "\n"
