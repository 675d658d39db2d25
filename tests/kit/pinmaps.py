"""The pin maps of `hardware/`, as they are and with a fault put in."""

from edge_agent.config.register_maps import load_maps
from kit.check import check
from kit.pinmap import Pinmap, parse_pinmap
from kit.render import HARDWARE

MAPS, _ = load_maps()
FOLDERS = {path.parts[-3]: path.parent for path in sorted(HARDWARE.glob("*/*/pinmap.toml"))}
"""The folder of each device's pin map."""


def text_of(device: str) -> str:
    """The pin map as it stands."""
    return (FOLDERS[device] / "pinmap.toml").read_text("utf-8")


def pinmap_of(device: str) -> Pinmap:
    """The pin map, of the right shape."""
    found = parse_pinmap(text_of(device))
    assert isinstance(found, Pinmap), found
    return found


def faults(text: str) -> list[str]:
    """Every fault of a pin map, a line each, as `make kit` prints them."""
    found = parse_pinmap(text)
    return [str(problem) for problem in (found if isinstance(found, tuple) else check(found, MAPS))]


def seeded(device: str, old: str, new: str) -> str:
    """The pin map with its first `old` made `new`."""
    text = text_of(device)
    assert old in text, old
    return text.replace(old, new, 1)
