"""Puts the programs themselves into a tree, wheels and Debian's own, for a device without a network."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from edge_agent.errors import Fatal
from wire.strict import Problem

WHEELS = "usr/share/watchroom/wheels"
DEBIAN = "usr/share/watchroom/debian"
LIST = "requirements.txt"
"""Names each wheel by its hash: pip installs nothing else."""
PYTHON = "cp311"
MACHINES = ("aarch64", "arm64")
"""Raspberry Pi OS 64-bit of Debian 12, which has Python 3.11: as wheels call its processor, and as Debian does."""
AGENT = "watchroom"


class PackagesUnfit(Fatal):
    """The packages cannot make a device. The text has a line for each reason."""


def add_packages(folder: Path, part: Path) -> int:
    """Copy the `*.whl` and `*.deb` of a folder into a tree, with a list of the wheels for pip; give their number.

    Raises PackagesUnfit where one is not for the device, or the agent's own wheel is not there once.
    """
    if not folder.is_dir():
        raise PackagesUnfit(f"{folder}: is no folder; expected one with the wheels of the agent and of what it needs")
    wheels, debian = sorted(folder.glob("*.whl")), sorted(folder.glob("*.deb"))
    problems = (*wheel_problems([path.name for path in wheels]), *debian_problems([path.name for path in debian]))
    if problems:
        raise PackagesUnfit("\n".join(f"{folder}: {problem}" for problem in problems))
    for place, paths in ((WHEELS, wheels), (DEBIAN, debian)):
        for path in paths:
            (part / place).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, part / place / path.name)
    (part / WHEELS / LIST).write_text("".join(map(requirement, wheels)), encoding="utf-8")
    return len(wheels) + len(debian)


def wheel_problems(names: list[str]) -> Iterator[Problem]:
    """Tell what is wrong with a set of wheels, by their file names (PEP 427). Pure."""
    agents = [name for name in names if _parts(name)[0] == AGENT]
    if len(agents) != 1:
        problem = f"has {len(agents)} wheels of {AGENT}" if agents else f"has no wheel of {AGENT}"
        yield Problem("wheels", problem, "one: `pip wheel --no-deps` makes it of this project's folder")
    first: dict[str, str] = {}
    for name in names:
        package, _, *tags = _parts(name)
        if package in first:
            yield Problem(name, f"{package} is there twice, also as {first[package]}", "each package once")
        first.setdefault(package, name)
        if len(tags) < 3:
            yield Problem(name, "is not named as a wheel is", "NAME-VERSION-PYTHON-ABI-PLATFORM.whl")
            continue
        python, abi, platform = tags[-3:]
        if platform != "any" and MACHINES[0] not in platform:
            yield Problem(name, f"is for {platform}", f"one for {MACHINES[0]}, or for any machine")
        if not (any(each.startswith("py3") for each in python.split(".")) or PYTHON in python or abi == "abi3"):
            yield Problem(name, f"is for {python}", f"one for {PYTHON}, or for any Python 3")


def debian_problems(names: list[str]) -> Iterator[Problem]:
    """Tell what is wrong with a set of Debian packages, by their file names (NAME_VERSION_ARCHITECTURE.deb). Pure."""
    for name in names:
        machine = name.removesuffix(".deb").rpartition("_")[2]
        if machine not in (MACHINES[1], "all"):
            yield Problem(name, f"is for {machine}", f"one for {MACHINES[1]}, or for all")


def requirement(path: Path) -> str:
    """Write a wheel's line for pip, with its hash."""
    package, number = _parts(path.name)[:2]
    return f"{package}=={number} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def _parts(name: str) -> list[str]:
    """Package, version and tags of a wheel's name; an empty version where it is no wheel's."""
    first, *rest = name.removesuffix(".whl").split("-")
    return [first.lower().replace("_", "-"), *(rest or [""])]
