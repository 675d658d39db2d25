"""The systemd units of a device, loaded and reviewed by systemd: as they are, and with one fault at a time."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.firmware.units import (
    TREE,
    UNITS,
    exposures,
    lay_root,
    manager_problems,
    own_units,
    parse_unit,
    read_unit,
    sandbox_problems,
    verify_problems,
)
from tests.programs import require_program

AGENT = "watchroom-agent.service"

LOCAL = "RestrictAddressFamilies_AF_UNIX", "RestrictAddressFamilies_AF_INET_INET6", "PrivateNetwork", "IPAddressDeny"
"""They speak to each other over this machine's own addresses and sockets."""
DEVICES = "PrivateDevices", "DeviceAllow"
"""They are there to read hardware: the list of devices is in the unit."""
WHOLE = "RootDirectoryOrRootImage", "PrivateUsers"
"""No root of its own: it is read-only already. Groups of devices must mean the same inside as outside."""
CLOCK = "SystemCallFilter_clock", "SystemCallFilter_privileged", "ProtectClock"
"""The question whether the clock is disciplined is one of the calls that set it."""
BECOMES = "CapabilityBoundingSet_CAP_SET_UID_GID_PCAP", "CapabilityBoundingSet_CAP_SYS_TIME"
"""It starts as root and becomes a user of its own; it sets the clock, or the pulse that does."""

SANDBOXES = {
    # Of /proc it reads the number of this boot; the group is that of the GPIO lines.
    AGENT: (1.8, frozenset({*LOCAL, *DEVICES, *WHOLE, *CLOCK, "ProcSubset", "SupplementaryGroups"})),
    "gpsd.service": (2.5, frozenset({*LOCAL, *DEVICES, *WHOLE, *CLOCK[1:], *BECOMES, "UserOrDynamicUser"})),
    # The package's own, which makes its folders before it becomes _chrony, and speaks to the network.
    "chrony.service": (
        2.8,
        frozenset(
            {
                *(*LOCAL, *DEVICES, *WHOLE, *CLOCK, *BECOMES),
                "CapabilityBoundingSet_CAP_CHOWN_FSETID_SETFCAP",
                "CapabilityBoundingSet_CAP_DAC_FOWNER_IPC_OWNER",
                "CapabilityBoundingSet_CAP_NET_BIND_SERVICE_BROADCAST_RAW)",
            }
        ),
    ),
}
"""How exposed each service may be at most, of 10, and by what. systemd calls the agent's and gpsd's OK; as packaged
chrony's is 3.7 and gpsd's 9.6."""

FAULTS = [
    ("WatchdogSec=", "WatchdogSecs=", "'WatchdogSecs' is no setting of [Service] (did you mean 'WatchdogSec'?)"),
    ("WatchdogSec=30s", "WatchdogSec=30 secondes", ":29: Failed to parse sec value, ignoring: 30 secondes"),
    ("Type=notify", "Type=notfy", "Failed to parse service type, ignoring: notfy"),
    ("Restart=always", "Restart=allways", "Failed to parse service restart specifier, ignoring: allways"),
    ("bin/edge-agent", "bin/edge-agnt", "starts /opt/watchroom/bin/edge-agnt, which can't be executed"),
    ("ProtectSystem=strict", "ProtectSystem=strickt", "Failed to parse protect system value, ignoring: strickt"),
    ("@system-service", "@system-servce", "Unknown system call group, ignoring: @system-servce"),
    ("=char-gpiochip", "=gpiochip", "Invalid device node path 'gpiochip', ignoring."),
    ("MemoryMax=192M", "MemoryMax=192 Mb", "Invalid memory limit '192 Mb'"),
    ("After=gpsd.socket", "After=gpsd", "Failed to add dependency on gpsd, ignoring"),
    ("[Service]", "[Servcie]", "Unknown section 'Servcie'. Ignoring."),
]
OPENINGS = [
    ("ProtectSystem=strict\n", "", "ProtectSystem is left open"),
    ("NoNewPrivileges=yes\n", "", "NoNewPrivileges is left open"),
    ("CapabilityBoundingSet=\n", "", "CapabilityBoundingSet_CAP_SYS_ADMIN is left open"),
    ("MemoryDenyWriteExecute=yes\n", "", "MemoryDenyWriteExecute is left open"),
    ("SystemCallFilter=~@privileged @resources\n", "", "SystemCallFilter_resources is left open"),
    ("IPAddressDeny=any\n", "IPAddressDeny=\n", "exposure 1.9; expected at most 1.8"),
    ("User=watchroom\n", "", "UserOrDynamicUser is left open: Service runs as root user"),
    ("DevicePolicy=closed\n", "DevicePolicy=auto\n", "exposure 1.9; expected at most 1.8"),
]

Edit = Callable[[str, str], None]


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a vehicle's device. Do not change it."""
    require_program("systemd-analyze")
    return lay_root(tmp_path_factory.mktemp("units") / "root")


@pytest.fixture
def edit(laid: Path) -> Iterator[Edit]:
    """A function: change the agent's unit for this test."""
    unit = laid / UNITS / AGENT
    text = unit.read_text("utf-8")

    def change(old: str, new: str) -> None:
        assert old in text
        unit.write_text(text.replace(old, new), encoding="utf-8")

    yield change
    unit.write_text(text, encoding="utf-8")


def test_systemd_takes_every_unit_of_a_device_without_a_word(laid: Path) -> None:
    """Each unit that the tree brings or changes is loaded without complaint, and what it starts is there."""
    assert {AGENT, "gpsd.service", "gpsd.socket", "chrony.service"} <= set(own_units(laid))
    assert verify_problems(laid, own_units(laid)) == ()


@pytest.mark.parametrize(("old", "new", "told"), FAULTS)
def test_a_fault_in_a_unit_is_one_line_that_says_where(laid: Path, edit: Edit, old: str, new: str, told: str) -> None:
    """Systemd would pass over the line and go on; here it is a problem that names the place and the word."""
    edit(old, new)
    problems = [str(problem) for problem in verify_problems(laid, [AGENT])]
    assert any(told in problem and problem.startswith((str(UNITS / AGENT), AGENT)) for problem in problems), problems
    assert not any(str(laid) in problem or "\n" in problem for problem in problems)


@pytest.mark.parametrize("name", SANDBOXES)
def test_each_sandbox_leaves_open_only_what_has_a_reason(laid: Path, name: str) -> None:
    """Reviewed by systemd, a service can do no more than its list of reasons says, and each reason is still needed."""
    most, accepted = SANDBOXES[name]
    assert sandbox_problems(laid, name, most=most, accepted=accepted) == ()
    assert accepted == set(exposures(laid, name))


@pytest.mark.parametrize(("old", "new", "told"), OPENINGS)
def test_a_weaker_sandbox_is_told_by_what_it_opens(laid: Path, edit: Edit, old: str, new: str, told: str) -> None:
    """One line less of the sandbox is a problem that names the setting and what the service could do then."""
    edit(old, new)
    most, accepted = SANDBOXES[AGENT]
    problems = [str(problem) for problem in sandbox_problems(laid, AGENT, most=most, accepted=accepted)]
    assert any(told in problem for problem in problems), problems


def test_the_agent_is_started_again_for_ever_and_waits_for_nothing(laid: Path) -> None:
    """Nothing limits how often it is started, and nothing that needs a WAN, the time or a receiver holds it up."""
    agent = read_unit(laid, AGENT)
    assert ("always", "0") == (agent.one("Restart"), agent.one("StartLimitIntervalSec", "Unit"))
    for name in ("gpsd.service", "chrony.service"):
        unit = read_unit(laid, name)
        assert ("always", "0") == (unit.one("Restart"), unit.one("StartLimitIntervalSec", "Unit"))
    assert agent.all("After", "Unit") == agent.all("Wants", "Unit") == ("gpsd.socket",)
    assert not agent.all("Requires", "Unit") and not agent.all("ExecStartPre")
    assert read_unit(laid, "gpsd.service").all("ExecStart") == (
        "/usr/sbin/gpsd -N $GPSD_OPTIONS $OPTIONS $DEVICES",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["keypad", "network-modules"])
def test_the_example_drop_ins_open_what_they_say_and_no_more(laid: Path, tmp_path: Path, name: str) -> None:
    """Copied to where its head says, an example is taken by systemd and opens no other part of the sandbox."""
    root = tmp_path / "root"
    shutil.copytree(laid, root, symlinks=True)
    folder = root / UNITS / f"{AGENT}.d"
    folder.mkdir()
    example = TREE / "common/usr/share/watchroom/drop-ins" / f"{name}.conf"
    shutil.copyfile(example, folder / example.name)
    assert f"{UNITS / AGENT}.d/" in example.read_text("utf-8")
    assert verify_problems(root, [AGENT]) == ()
    assert set(exposures(root, AGENT)) == SANDBOXES[AGENT][1]


def test_the_presets_switch_the_agent_on_and_what_waits_off(laid: Path, tmp_path: Path) -> None:
    """By the presets systemctl enables the agent with its receiver and clock, and nothing that waits for a network."""
    root = tmp_path / "root"
    shutil.copytree(laid, root, symlinks=True)
    names = [AGENT, "gpsd.service", "chrony.service", "systemd-time-wait-sync.service"]
    done = subprocess.run(
        [str(require_program("systemctl")), f"--root={root}", "preset", *names], capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wanted = {path.name for path in (root / UNITS / "multi-user.target.wants").iterdir()}
    assert {AGENT, "gpsd.service", "chrony.service"} <= wanted
    assert not (root / UNITS / "sysinit.target.wants/systemd-time-wait-sync.service").exists()
    assert (root / UNITS / "sockets.target.wants/gpsd.socket").is_symlink()


def test_user_and_folders_are_made_as_the_unit_needs_them(tmp_path: Path) -> None:
    """The user and every group that the unit names are made, and the data folder is the user's alone."""
    root = lay_root(tmp_path / "root")
    for name in ("passwd", "group"):
        shutil.copyfile(Path("/etc") / name, root / "etc" / name)
    _run("systemd-sysusers", f"--root={root}", str(root / "usr/lib/sysusers.d/watchroom.conf"))
    users = dict(line.split(":", 3)[::2] for line in (root / "etc/passwd").read_text().splitlines())
    groups = {line.split(":", 1)[0] for line in (root / "etc/group").read_text().splitlines()}
    agent = read_unit(root, AGENT)
    assert agent.one("User") in users
    assert {agent.one("Group"), *agent.all("SupplementaryGroups"), "dialout"} <= groups
    _run("systemd-tmpfiles", "--create", f"--root={root}", str(root / "usr/lib/tmpfiles.d/watchroom.conf"))
    folder = (root / "data/watchroom").stat()
    assert (str(folder.st_uid), folder.st_mode & 0o777) == (users["watchroom"], 0o750)


def test_the_hardware_watchdog_counts_no_longer_than_the_pis_can(laid: Path) -> None:
    """Systemd takes its own settings without a word, and pets the hardware within the 15 s that a Pi counts at most."""
    file = laid / "etc/systemd/system.conf.d/watchroom.conf"
    assert manager_problems(file) == ()
    settings = {(section, key): value for section, key, value in parse_unit(file.read_text("utf-8"))}
    for key in ("RuntimeWatchdogSec", "RebootWatchdogSec"):
        assert settings["Manager", key] == "15s"


def test_a_fault_in_systemds_own_settings_is_told(tmp_path: Path) -> None:
    """A misspelt setting or time, which systemd passes over, is a problem with the line that it stands in."""
    file = tmp_path / "watchroom.conf"
    file.write_text("[Manager]\nRuntimeWatchdogSecs=15s\nRebootWatchdogSec=15 secondes\n", encoding="utf-8")
    told = [str(problem).partition(";")[0] for problem in manager_problems(file)]
    assert told == [
        "/watchroom.conf:2: 'RuntimeWatchdogSecs' is no setting of [Manager]: systemd passes over it",
        "/watchroom.conf:3: Failed to parse sec value, ignoring: 15 secondes",
    ]


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([str(require_program(program)), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
