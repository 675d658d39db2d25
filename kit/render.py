"""`python -m kit.render`: checks every pin map of `hardware/` and writes what is generated from it.

What a person reads goes beside the pin map; what a device takes goes to `firmware_configs/boards`.

A pin map with a fault is refused with every fault, a line each, and nothing of it is written.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from edge_agent.config.register_maps import RegisterMap, load_maps
from kit.check import check
from kit.names import names
from kit.overlay import overlay
from kit.pinmap import Pinmap, parse_pinmap
from kit.sections import sections
from kit.wiring import wiring
from wire.strict import Problem, in_file

ROOT = Path(__file__).parents[1]
HARDWARE = ROOT / "hardware"
BOARDS = ROOT / "firmware_configs" / "boards"
"""What a device takes: a folder for each board, such as `vehicle-a`, in which everything is generated."""
GENERATED = "generated"
"""The folder beside a pin map in which everything is generated, and nothing else stands."""


def read_pinmap(path: Path, maps: Mapping[str, RegisterMap]) -> Pinmap | tuple[Problem, ...]:
    """Read and check one pin map, or tell every fault of it, with the file's name."""
    file = "/".join(path.parts[-3:])
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return (Problem(file, f"can't be read: {error}", "a pin map in UTF-8"),)
    found = parse_pinmap(text)
    problems = found if isinstance(found, tuple) else (*check(found, maps), *_place_problems(found, path))
    return tuple(in_file(file, problem) for problem in problems) or found


def documents(pinmap: Pinmap) -> dict[str, str]:
    """What is generated from a pin map for people: the file's name, and its text."""
    return {"wiring.md": wiring(pinmap)}


def board_files(pinmap: Pinmap) -> dict[str, str]:
    """What is generated from a pin map for the device itself: the file's name, and its text."""
    return {"overlay.dts": overlay(pinmap), "agent.toml": sections(pinmap), "names.rules": names(pinmap)}


def render(hardware: Path, boards: Path) -> bool:
    """Write what is generated from each pin map, telling of each; whether all of them could be used."""
    maps, problems = load_maps()
    paths = sorted(hardware.glob("*/*/pinmap.toml"))
    if not paths:
        problems += (Problem(str(hardware), "has no pin map", "DEVICE/REVISION/pinmap.toml"),)
    for number, path in enumerate(paths, 1):
        print(f"[{number}/{len(paths)}] {'/'.join(path.parts[-3:])}", flush=True)
        found = read_pinmap(path, maps)
        if isinstance(found, tuple):
            problems += found
            continue
        _write(path.parent / GENERATED, documents(found))
        _write(boards / found.board.name, board_files(found))
    for problem in problems:
        print(problem, file=sys.stderr)
    return not problems


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    for stale in folder.iterdir():
        if stale.name not in texts:
            stale.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        print(f"      {folder.name}/{name}", flush=True)


def _place_problems(pinmap: Pinmap, path: Path) -> tuple[Problem, ...]:
    device, revision = path.parts[-3:-1]
    found = (("device", pinmap.board.device, device), ("revision", pinmap.board.revision, revision))
    return tuple(
        Problem(f"board.{key}", f"is {says!r}, and the file stands in {device}/{revision}", f"{folder!r}")
        for key, says, folder in found
        if says != folder
    )


if __name__ == "__main__":
    sys.exit(0 if render(HARDWARE, BOARDS) else 1)
