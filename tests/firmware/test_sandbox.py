"""The agent's sandbox, put in place on this machine: what it refuses, and that it leaves the agent what it needs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.sandbox import APPLIED, NOT_APPLIED, REPOSITORY, Sandbox, require_sandbox
from tests.firmware.seccomp import allowed_calls
from tests.firmware.units import TREE, UnitFile, read_unit

AGENT = "watchroom-agent.service"
CLOCK_CALLS = {"adjtimex", "clock_adjtime", "clock_adjtime64"}

TRIES = """
import ctypes, json, mmap, os, socket, sys
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)

def tried(deed):
    try:
        found = deed()
    except OSError as error:
        return os.strerror(error.errno)
    return found if isinstance(found, (str, list)) else "done"

print(json.dumps({name: tried(deed) for name, deed in {
    "write the system": lambda: Path("/etc/watchroom/device.toml").write_text("x"),
    "write its own program": lambda: Path("/opt/watchroom/bin/edge-agent").write_text("x"),
    "write kernel settings": lambda: Path("/proc/sys/kernel/hostname").write_text("x"),
    "write its state": lambda: Path("/var/lib/watchroom/outbox").write_text("x"),
    "write its runtime folder": lambda: Path("/run/watchroom/standing.json").write_text("x"),
    "see what others keep for a while": lambda: os.listdir("/tmp") + os.listdir("/var/tmp"),
    "see homes": lambda: os.listdir("/home"),
    "see process 1": lambda: os.listdir("/proc/1"),
    "become root": lambda: os.setuid(0),
    "give a file away": lambda: os.chown("/var/lib/watchroom/outbox", 0, 0),
    "trace a process": lambda: call("ptrace", 16, os.getpid(), 0, 0),
    "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "make a namespace": lambda: call("unshare", 0x10000000),
    "load code into memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "take priority": lambda: os.nice(-1),
    "listen to the network's packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "ask about routes": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "speak to the broker": lambda: socket.socket(socket.AF_INET).bind(("127.0.0.1", 0)),
    "tell systemd": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind("\\0watchroom-tries"),
    "set the clock": lambda: call("clock_settime", 0, (ctypes.c_long * 2)(1, 1)),
    "turn the clock": lambda: call("adjtimex", b"\\x01" + bytes(511)),
    "ask whether the clock is disciplined": lambda: call("adjtimex", bytes(512)),
    "read the number of this boot": lambda: Path("/proc/sys/kernel/random/boot_id").read_text() and None,
}.items()}))
"""
READ_ONLY, REFUSED, NO_FAMILY = (
    "Read-only file system",
    "Operation not permitted",
    "Address family not supported by protocol",
)
READABLE = (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix))
"""What the sandbox of these tests lets the agent read beside the system: its program is no package here."""
OWN = sorted({path.parts[2] for path in READABLE if path.parts[1] == "tmp"})
EXPECTED: dict[str, Any] = {
    "write the system": READ_ONLY,
    "write its own program": READ_ONLY,
    "write kernel settings": READ_ONLY,
    "write its state": "done",
    "write its runtime folder": "done",
    "see what others keep for a while": OWN,
    "see homes": [],
    "see process 1": "No such file or directory",
    "become root": REFUSED,
    "give a file away": REFUSED,
    "trace a process": REFUSED,
    "mount": REFUSED,
    "make a namespace": REFUSED,
    "load code into memory": REFUSED,
    "take priority": REFUSED,
    "listen to the network's packets": NO_FAMILY,
    "ask about routes": NO_FAMILY,
    "speak to the broker": "done",
    "tell systemd": "done",
    "set the clock": REFUSED,
    "turn the clock": REFUSED,
    "ask whether the clock is disciplined": "done",
    "read the number of this boot": "done",
}


def device(folder: Path) -> Path:
    """The tree of a vehicle's device, with the agent that runs these tests."""
    root = folder / "device"
    for layer in ("common", "vehicle-a"):
        shutil.copytree(TREE / layer, root, dirs_exist_ok=True)
    (root / "opt").mkdir(exist_ok=True)
    (root / "opt/watchroom").symlink_to(sys.prefix)
    (root / "etc/watchroom").mkdir()
    (root / "etc/watchroom/device.toml").write_text("", encoding="utf-8")
    return root


def tries(unit: UnitFile, folder: Path) -> dict[str, Any]:
    """What a program in a unit's sandbox may do."""
    sandbox = Sandbox(unit, device=device(folder), folder=folder)
    command = sandbox.command("/opt/watchroom/bin/python", "-c", TRIES)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_the_sandbox_refuses_everything_but_what_the_agent_needs(tmp_path: Path) -> None:
    """Run with its unit a program can write two folders, speak on this machine, and ask for the clock and the boot."""
    require_sandbox()
    assert tries(read_unit(TREE / "common", AGENT), tmp_path) == EXPECTED


@pytest.mark.parametrize(
    ("setting", "opened"),
    [
        (("SystemCallFilter", "adjtimex clock_adjtime clock_adjtime64"), "ask whether the clock is disciplined"),
        (("MemoryDenyWriteExecute", "yes"), "load code into memory"),
        (("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"), "ask about routes"),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_each_of_these_lines_is_what_makes_the_difference(
    setting: tuple[str, str], opened: str, tmp_path: Path
) -> None:
    """Without the line the answer is another: the agent could not ask for its clock, or could do what it must not."""
    require_sandbox()
    unit = read_unit(TREE / "common", AGENT)
    weaker = UnitFile(unit.name, tuple(one for one in unit.settings if one != ("Service", *setting)))
    assert len(weaker.settings) == len(unit.settings) - 1
    found = tries(weaker, tmp_path)
    assert {name for name in EXPECTED if found[name] != EXPECTED[name]} >= {opened}


def test_of_the_privileged_calls_only_the_question_about_the_clock_is_let_through() -> None:
    """No call that changes users, resources, mounts or the clock is among those that the agent may make."""
    require_sandbox()
    calls = set(allowed_calls(read_unit(TREE / "common", AGENT).all("SystemCallFilter")))
    assert {"openat", "fsync", "futex", "epoll_wait", "sendto"} <= calls
    for kinds in ("@privileged", "@resources", "@mount", "@debug", "@module", "@reboot", "@swap", "@raw-io"):
        assert calls & set(allowed_calls([kinds])) <= CLOCK_CALLS, kinds


def test_every_line_of_the_unit_is_either_put_in_place_here_or_listed_as_not() -> None:
    """A setting that is added to the unit has to be rebuilt in these tests, or be said not to be."""
    unit = read_unit(TREE / "common", AGENT)
    keys = {key for section, key, _ in unit.settings if section == "Service"}
    assert keys == APPLIED | NOT_APPLIED.keys()
    assert not APPLIED & NOT_APPLIED.keys()
