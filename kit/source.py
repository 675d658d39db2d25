"""Reads and checks all that is written by hand: pin maps, parts, power, panels, circuits and profiles."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_agent.config.profiles import Profile, parse_profile
from edge_agent.config.register_maps import RegisterMap, load_maps
from kit.bill import PartsList, bill_problems, counts, drawing, parse_parts_list, unused
from kit.check import check
from kit.circuits import Circuits, alternative_parts, check_circuits, circuit_parts, parse_circuits
from kit.panel import Panel, panel_problems, parse_panel
from kit.parts import Part, join_parts, parse_parts
from kit.pinmap import Pinmap, parse_pinmap
from kit.power import Power, carried, parse_power, power_problems
from kit.schematics import drawing_problems
from kit.twice import fact_problems, fuse_problems, supply_problems
from wire.strict import Problem, in_file

CATALOGUES = ("parts.csv", "circuits/parts.csv")
CIRCUITS = "circuits/circuits.toml"
T = TypeVar("T")


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of one device, as it is written."""

    folder: Path
    pinmap: Pinmap
    parts: PartsList
    power: Power
    panel: Panel
    profiles: tuple[Profile, ...]
    """Those that are built on it."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is written by hand, checked."""

    catalogue: dict[str, Part]
    circuits: Circuits
    devices: tuple[Device, ...]

    @property
    def pinmaps(self) -> tuple[Pinmap, ...]:
        """Every board's."""
        return tuple(device.pinmap for device in self.devices)


class Reader:
    """Reads files, and gathers what is wrong with them: each fault with its file's name."""

    def __init__(self, root: Path) -> None:
        """Begin with no fault. Files are named as they stand under `root`."""
        self._root = root
        self.problems: list[Problem] = []

    def read(self, path: Path, parse: Callable[[str], T | tuple[Problem, ...]]) -> T | None:
        """Read one file; None where it has faults."""
        try:
            found = parse(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            what = error.strerror if isinstance(error, OSError) else "is no text in UTF-8"
            found = (Problem("", f"can't be read: {what}", "the file, in UTF-8"),)
        if isinstance(found, tuple) and (not found or isinstance(found[0], Problem)):
            self.tell(path, found)
            return None
        return found  # type: ignore[return-value]  # a tuple of problems has been dealt with

    def tell(self, path: Path, problems: Sequence[Problem] | Iterator[Problem]) -> None:
        """Note what is wrong with a file."""
        name = path.relative_to(self._root).as_posix()
        self.problems += (in_file(name, problem) for problem in problems)


def read_source(root: Path) -> Source | tuple[Problem, ...]:
    """Read and check `hardware/` and the profiles under `root`; or tell every fault, a line each."""
    reader, hardware = Reader(root), root / "hardware"
    maps, map_problems = load_maps()
    reader.problems += map_problems
    tables = {file: reader.read(hardware / file, parse_parts) for file in CATALOGUES}
    circuits = reader.read(hardware / CIRCUITS, parse_circuits)
    profiles = [
        (path, found)
        for path in sorted((root / "firmware_configs" / "profiles").glob("*.toml"))
        if (found := reader.read(path, parse_profile)) is not None
    ]
    paths = sorted(hardware.glob("*/*/pinmap.toml"))
    if not paths:
        reader.tell(hardware, (Problem("", "has no pin map", "DEVICE/REVISION/pinmap.toml"),))
    devices = [
        device
        for path in paths
        if (device := _read_device(reader, path.parent, maps, [found for _, found in profiles])) is not None
    ]
    boards = {device.pinmap.board.name for device in devices}
    for path, profile in profiles:
        if len(devices) == len(paths) and profile.profile.board not in boards:
            problem = Problem(
                "profile.board", f"there is no board {profile.profile.board!r}", f"one of {sorted(boards)}"
            )
            reader.tell(path, (problem,))
    catalogue = join_parts({file: table for file, table in tables.items() if table is not None})
    if isinstance(catalogue, tuple):
        reader.tell(hardware, catalogue)
    elif circuits is not None and len(devices) == len(paths) and None not in tables.values():
        source = Source(catalogue=catalogue, circuits=circuits, devices=tuple(devices))
        _check(reader, hardware, source)
        return tuple(reader.problems) or source
    return tuple(reader.problems)


def _read_device(
    reader: Reader, folder: Path, maps: Mapping[str, RegisterMap], profiles: Sequence[Profile]
) -> Device | None:
    pinmap = reader.read(folder / "pinmap.toml", parse_pinmap)
    parts = reader.read(folder / "parts.toml", parse_parts_list)
    power = reader.read(folder / "power.toml", parse_power)
    panel = reader.read(folder / "panel.toml", parse_panel)
    if pinmap is not None:
        reader.tell(folder / "pinmap.toml", (*check(pinmap, maps), *_place_problems(pinmap, folder)))
    if pinmap is None or parts is None or power is None or panel is None:
        return None
    own = tuple(each for each in profiles if each.profile.board == pinmap.board.name)
    return Device(folder=folder, pinmap=pinmap, parts=parts, power=power, panel=panel, profiles=own)


def _check(reader: Reader, hardware: Path, source: Source) -> None:
    """Hold everything against everything else."""
    reader.tell(hardware / CIRCUITS, check_circuits(source.circuits, source.catalogue, source.pinmaps))
    reader.tell(hardware / CIRCUITS, drawing_problems(source.circuits))
    used: list[dict[str, int]] = [alternative_parts(source.circuits)]
    for device in source.devices:
        inside = circuit_parts(source.circuits, device.pinmap)
        used.append(counts(device.parts, inside))
        flows = carried(device.power, source.catalogue)
        reader.tell(
            device.folder / "parts.toml",
            bill_problems(device.pinmap, device.parts, catalogue=source.catalogue, circuit_parts=inside, carried=flows),
        )
        reader.tell(
            device.folder / "power.toml",
            power_problems(
                device.power,
                device.pinmap,
                catalogue=source.catalogue,
                counts=used[-1],
                drawing=drawing(device.parts),
            ),
        )
        reader.tell(device.folder / "power.toml", supply_problems(device.power, device.pinmap))
        reader.tell(device.folder / "power.toml", fact_problems(device.power, source.circuits))
        fuses = fuse_problems(device.pinmap, device.parts, source.catalogue)
        reader.tell(device.folder / "pinmap.toml", fuses)
        reader.tell(device.folder / "panel.toml", panel_problems(device.panel, device.pinmap, device.profiles))
    reader.tell(hardware / CATALOGUES[0], unused(source.catalogue, *used))


def _place_problems(pinmap: Pinmap, folder: Path) -> Iterator[Problem]:
    device, revision = folder.parts[-2:]
    for key, says, stands in (("device", pinmap.board.device, device), ("revision", pinmap.board.revision, revision)):
        if says != stands:
            yield Problem(f"board.{key}", f"is {says!r}, and the file stands in {device}/{revision}", f"{stands!r}")
