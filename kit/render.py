"""`python -m kit.render`: checks everything in `hardware/` and writes what is generated from it.

What a person reads goes beside its source; what a device takes goes to `firmware_configs/boards`. While anything has a
fault, each is told, a line each, and nothing is written.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from kit.bill import bill, parts_page
from kit.circuits import circuit_parts, report
from kit.drawing import CannotDraw, drawings
from kit.harness import harness
from kit.names import names
from kit.overlay import overlay
from kit.panel import panels
from kit.pinmap import Pinmap
from kit.power import power_page
from kit.schematics import schematics
from kit.sections import sections
from kit.source import Device, Source, read_source
from kit.wiring import wiring

ROOT = Path(__file__).parents[1]
HARDWARE = ROOT / "hardware"
BOARDS = ROOT / "firmware_configs" / "boards"
"""What a device takes: a folder for each board, such as `vehicle-a`, in which everything is generated."""
GENERATED = "generated"
"""The folder beside a source in which everything is generated, and nothing else stands."""


def board_files(pinmap: Pinmap) -> dict[str, str]:
    """What is generated from a pin map for the device itself: the file's name, and its text."""
    return {"overlay.dts": overlay(pinmap), "agent.toml": sections(pinmap), "names.rules": names(pinmap)}


def documents(device: Device, source: Source) -> dict[str, str]:
    """What is generated of a device for people: the file's name, and its text. Raises CannotDraw."""
    pinmap, catalogue = device.pinmap, source.catalogue
    title, inside = pinmap.board.title, circuit_parts(source.circuits, pinmap)
    return {
        "wiring.md": wiring(pinmap),
        "bom.csv": bill(device.parts, catalogue=catalogue, circuit_parts=inside),
        "parts.md": parts_page(device.parts, title=title, catalogue=catalogue),
        "power.md": power_page(device.power, title=title, catalogue=catalogue),
        **panels(device.panel, pinmap, device.profiles),
        **harness(pinmap),
        **drawings(pinmap),
    }


def circuit_documents(source: Source) -> dict[str, str]:
    """What is generated of the circuits: the file's name, and its text."""
    return {**schematics(source.circuits), "circuits.md": report(source.circuits, source.pinmaps)}


def render(root: Path) -> bool:
    """Write everything that is generated under `root`, telling of each file; whether all of it could be."""
    print("reading and checking hardware/ and the profiles", flush=True)
    found = read_source(root)
    if isinstance(found, tuple):
        for problem in found:
            print(problem, file=sys.stderr)
        print(f"{len(found)} faults: nothing was written", file=sys.stderr)
        return False
    steps = len(found.devices) + 1
    try:
        for number, device in enumerate(found.devices, 1):
            print(f"[{number}/{steps}] {device.pinmap.board.title}", flush=True)
            _write(root, device.folder / GENERATED, documents(device, found))
            _write(root, root / "firmware_configs" / "boards" / device.pinmap.board.name, board_files(device.pinmap))
        print(f"[{steps}/{steps}] Circuits", flush=True)
        _write(root, root / "hardware" / "circuits" / GENERATED, circuit_documents(found))
    except CannotDraw as error:
        print(f"can't draw the cables: {error}", file=sys.stderr)
        return False
    return True


def _write(root: Path, folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    for stale in folder.iterdir():
        if stale.name not in texts:
            stale.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"      {len(texts):>3} files in {folder.relative_to(root).as_posix()}", flush=True)


if __name__ == "__main__":
    sys.exit(0 if render(ROOT) else 1)
