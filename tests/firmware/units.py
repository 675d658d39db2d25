"""Checks of a device's systemd units, by systemd itself, in a root made of the tree and of this machine's own units.

What systemd-analyze says is turned into problems, a line each: where, what is wrong, and what would be right.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

import msgspec

from tests.programs import require_program
from wire.strict import Problem, closest

TREE = Path(__file__).parents[2] / "firmware_configs" / "tree"
UNITS = Path("etc/systemd/system")
KINDS = (".service", ".socket", ".timer", ".mount", ".path", ".target")
DEVICE_PROGRAMS = ("opt/watchroom/bin/edge-agent", "usr/sbin/gpsd", "usr/sbin/chronyd", "usr/bin/sh")
"""What a device has, and the tree does not: the agent, and programs of Debian's."""
SYSTEM_UNITS = Path("/usr/lib/systemd/system")
PARSES = Path("/lib/systemd/systemd")
_WHERE = re.compile(r"(?P<file>/\S+?):(?P<line>\d+): (?P<says>.*)")
_UNIT = re.compile(r"(?P<file>[\w@.-]+\.(?:service|socket|timer|mount|path|target)): (?P<says>.*)")
_UNKNOWN = re.compile(r"Unknown key(?: name)? '(?P<key>[^']*)' in section '?\[?(?P<section>\w+)")
_MISSING = re.compile(r"Command (?P<program>\S+) is not executable: (?P<cause>.*)")
_OVERALL = re.compile(r"Overall exposure level for \S+: (?P<level>[\d.]+)")


class UnitFile(msgspec.Struct, frozen=True):
    """A unit with its drop-ins, as systemd reads it: settings by section, in order."""

    name: str
    settings: tuple[tuple[str, str, str], ...]

    def all(self, key: str, section: str = "Service") -> tuple[str, ...]:
        """Every value of a setting that may be there several times. An empty one takes back those before it."""
        values: list[str] = []
        for where, named, value in self.settings:
            if (where, named) == (section, key):
                values = [*values, value] if value else []
        return tuple(values)

    def one(self, key: str, section: str = "Service") -> str:
        """The last value of a setting; empty where it is not there."""
        found = [value for where, named, value in self.settings if (where, named) == (section, key)]
        return found[-1] if found else ""


def lay_root(root: Path, *, board: str = "vehicle-a", programs: Collection[str] = DEVICE_PROGRAMS) -> Path:
    """Make a root of the tree, the system's own units and empty stand-ins for `programs`. Gives `root`."""
    shutil.copytree(SYSTEM_UNITS, root / "usr/lib/systemd/system", symlinks=True)
    for name in ("bin", "sbin", "lib"):
        (root / name).symlink_to(f"usr/{name}")
    for layer in ("common", board):
        if (TREE / layer).is_dir():
            shutil.copytree(TREE / layer, root, dirs_exist_ok=True)
    for script in (path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
        if script.read_bytes()[:2] == b"#!":
            script.chmod(0o755)
    for program in programs:
        (root / program).parent.mkdir(parents=True, exist_ok=True)
        (root / program).write_text("#!/bin/sh\n", encoding="ascii")
        (root / program).chmod(0o755)
    return root


def own_units(root: Path) -> tuple[str, ...]:
    """Name every unit that the tree brings or changes."""
    found = {path.name.removesuffix(".d") for path in (root / UNITS).iterdir()}
    return tuple(sorted(name for name in found if name.endswith(KINDS)))


def read_unit(root: Path, name: str) -> UnitFile:
    """Read a unit and its drop-ins, those of etc in the place of others of the same name."""
    folders = (SYSTEM_UNITS, root / "usr/lib/systemd/system", root / UNITS)
    mains = [folder / name for folder in folders if (folder / name).is_file()]
    more = {path.name: path for folder in folders for path in (folder / f"{name}.d").glob("*.conf")}
    files = [mains[-1], *(more[key] for key in sorted(more))]
    return UnitFile(name, tuple(setting for file in files for setting in parse_unit(file.read_text("utf-8"))))


def parse_unit(text: str) -> Iterable[tuple[str, str, str]]:
    """Give section, key and value of each line of a unit that is known to be in order."""
    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        words = line.strip()
        if words.startswith("["):
            section = words.strip("[]")
        elif words and words[0] not in "#;":
            key, _, value = words.partition("=")
            yield section, key.strip(), value.strip()


def verify_problems(root: Path, names: Collection[str]) -> tuple[Problem, ...]:
    """Tell everything that systemd says of these units as it loads them. It exits with 0 where it ignores a line."""
    done = _analyze("verify", "--man=no", f"--root={root}", *names)
    lines = dict.fromkeys(line for line in done.stderr.splitlines() if line.strip())
    problems = tuple(verify_problem(line, root) for line in lines)
    if done.returncode and not problems:
        return (Problem(", ".join(names), f"systemd-analyze verify ended with {done.returncode}", "0"),)
    return problems


def verify_problem(line: str, root: Path) -> Problem:
    """Make a problem of one line of systemd's."""
    found = _WHERE.match(line) or _UNIT.match(line)
    if found is None:
        return Problem("systemd", line, "nothing to say")
    where, says = found["file"].removeprefix(f"{root}/"), found["says"]
    where = f"{where}:{found['line']}" if "line" in found.groupdict() else where
    if unknown := _UNKNOWN.match(says):
        key, section = unknown["key"], unknown["section"]
        problem = f"{key!r} is no setting of [{section}]{closest(key, known_keys(section))}: systemd passes over it"
        return Problem(where, problem, "a setting of its section, see systemd.directives(7)")
    if missing := _MISSING.match(says):
        problem = f"starts {missing['program']}, which can't be executed: {missing['cause']}"
        return Problem(where, problem, "a program that is on the device, with its bit for execution")
    return Problem(where, says, "a line that systemd takes without a word")


def exposures(root: Path, name: str) -> dict[str, str]:
    """What a service may still do, by setting: what systemd's own review finds open, in its words."""
    done = _analyze("security", "--offline=true", "--json=short", f"--root={root}", name)
    rows = json.loads(done.stdout)
    return {row["json_field"]: row["description"] for row in rows if row["set"] is False and row["exposure"]}


def sandbox_problems(root: Path, name: str, *, most: float, accepted: Collection[str]) -> tuple[Problem, ...]:
    """Tell each opening of a service's sandbox that is not `accepted`, and an exposure of more than `most`, of 10."""
    arguments = ("security", "--offline=true", f"--threshold={round(most * 10)}", f"--root={root}", "--no-pager", name)
    done = _analyze(*arguments)
    level = _OVERALL.search(done.stdout)
    if level is None:
        return (
            Problem(name, f"systemd can't review its sandbox: {done.stderr.strip()}", "a service that it can load"),
        )
    problems = [
        Problem(f"{name} [Service]", f"{field} is left open: {words}", "it closed, or a reason why it is accepted")
        for field, words in exposures(root, name).items()
        if field not in accepted
    ]
    if done.returncode:
        problems.append(Problem(name, f"its sandbox is too weak: exposure {level['level']}", f"at most {most}"))
    return tuple(problems)


def manager_problems(file: Path) -> tuple[Problem, ...]:
    """Tell what systemd says of a file of system.conf.d, as it reads the same settings when it is only tried out.

    A try-out is refused to root, and looks for them in the folder of its user.
    """
    with tempfile.TemporaryDirectory(prefix="watchroom-manager-") as folder:
        conf = Path(folder) / "systemd" / "user.conf"
        conf.parent.mkdir()
        shutil.copyfile(file, conf)
        Path(folder).chmod(0o755)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
        environ = {"XDG_CONFIG_HOME": folder, "HOME": folder, "SYSTEMD_LOG_TARGET": "console", "LC_ALL": "C"}
        done = subprocess.run(
            [str(PARSES), "--test", "--system", "--no-pager", "--unit=shutdown.target"],
            capture_output=True, text=True, check=False, env=environ, **nobody,  # type: ignore[call-overload]
        )  # fmt: skip
        told = [line for line in done.stderr.splitlines() if line.startswith(str(conf))]
        return tuple(verify_problem(line.replace(str(conf), f"/{file.name}"), Path()) for line in told)


@cache
def known_keys(section: str) -> tuple[str, ...]:
    """Name every setting that this machine's systemd knows in a section of a unit."""
    dump = subprocess.run(
        [str(PARSES), "--dump-configuration-items"], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    return tuple(key for where, key, _ in parse_unit(dump) if where == section)


def _analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    program = str(require_program("systemd-analyze"))
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env={"LC_ALL": "C"})
