"""On what a proof ran: the machine, the versions and the commit. No names of hosts, people or folders."""

import os
import platform
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import msgspec

from cloud.broker.nats import find_nats_server

ROOT = Path(__file__).parents[2]
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")


class Machine(msgspec.Struct, frozen=True):
    """What the figures depend on."""

    processor: str
    cores: int
    memory_gib: float
    kernel: str
    versions: dict[str, str]


class Commit(msgspec.Struct, frozen=True):
    """What was proved. `clean` where nothing in the tree differed from it, the page of the last proof aside."""

    id: str
    clean: bool


def read_machine() -> Machine:
    """Ask this machine."""
    cpu = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s*(\d+)", _read("/proc/meminfo"))
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    return Machine(
        processor=cpu.group(1).strip() if cpu else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(int(memory.group(1)) / 2**20, 1) if memory else 0.0,
        kernel=f"{platform.system()} {_version(platform.release())}",
        versions={
            "Python": platform.python_version(),
            "SQLite": sqlite3.sqlite_version,
            "NATS server": _version(_output(str(find_nats_server()), "--version")),
            "Mosquitto": _version(_output(mosquitto, "-h")) if mosquitto else "not installed",
        },
    )


def read_commit(page: str) -> Commit:
    """Ask git. `page` is the file that the proof itself writes."""
    changed = [line for line in _output("git", "status", "--porcelain").splitlines() if line[3:] != page]
    return Commit(id=_output("git", "rev-parse", "HEAD").strip() or "unknown", clean=not changed)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False).stdout


def _version(text: str) -> str:
    found = _VERSION.search(text)
    return found.group(1) if found else "unknown"


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace") if Path(path).exists() else ""
