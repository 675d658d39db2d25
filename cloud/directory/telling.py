"""What a directory holds, or what is wrong with it, for a person at a terminal. Pure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from cloud.directory.rows import Directory
from wire.strict import Problem


def as_errors(folder: Path, problems: Sequence[Problem]) -> str:
    """Tell every problem under the name of its file, and at the end how many there are."""
    files: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        file, _, path = problem.path.partition(": ")
        what = f"{problem.problem}; expected {problem.expected}" if file else f"{problem.problem}. {problem.expected}"
        files[file or str(folder)].append(f"  {path}: {what}" if path else f"  {what}")
    lines = [line for file, told in files.items() for line in (file, *told, "")]
    count = len(problems)
    return "\n".join([*lines, f"{count} {'error' if count == 1 else 'errors'} in {folder}: nothing of it can be used"])


def as_summary(directory: Directory) -> str:
    """Tell what there is: a line a kind of row, with how many and what is worth a look."""
    services = Counter(unit.service for unit in directory.units.values())
    units = list(directory.units.values())
    rows = (
        ("organisations", len(directory.organisations), ", ".join(directory.organisations)),
        (
            "bases",
            len(directory.bases),
            _some("with a station's device", sum(bool(b.device) for b in directory.bases.values())),
        ),
        (
            "vehicles",
            len(directory.vehicles),
            _some("spare", sum(vehicle.spare for vehicle in directory.vehicles.values())),
        ),
        ("units", len(units), ", ".join(f"{count} {service}" for service, count in services.items())),
        ("", None, _some("that ask for a crew", sum(bool(unit.minimum_crew) for unit in units))),
        ("", None, _some("that share a crew", sum(unit.crew_group is not None for unit in units))),
        ("", None, _some("parts of others", sum(unit.part_of is not None for unit in units))),
        ("", None, _some("covert", sum(unit.covert for unit in units))),
        (
            "devices",
            len(directory.devices),
            _some("revoked", sum(device.revoked for device in directory.devices.values())),
        ),
        ("shifts", len(directory.shifts), ""),
        ("areas", len(directory.areas), ""),
        ("control rooms", len(directory.control_rooms), ""),
        ("agreements", len(directory.agreements), _between(directory)),
        ("covers", len(directory.covers), ", ".join(directory.covers)),
        ("partners", len(directory.partners), ", ".join(directory.partners)),
        ("schemes", len(directory.schemes), "in use: " + ", ".join(sorted({unit.scheme for unit in units}))),
    )
    told = (
        f"{kind:<14}{'' if count is None else count:>6}  {note}".rstrip() for kind, count, note in rows if kind or note
    )
    return "\n".join([*told, f"version {directory.version}: no errors"])


def _between(directory: Directory) -> str:
    """Tell who opens anything to whom."""
    pairs = Counter(f"{one.owner} to {one.partner}" for one in directory.agreements.values())
    return ", ".join(f"{count} {pair}" for pair, count in pairs.items())


def _some(what: str, count: int) -> str:
    return f"{count} {what}" if count else ""
