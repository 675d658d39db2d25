"""The update of the agent, by the device's own script: on a real read-only file system, with the real pip.

systemd is stood in for, and so is the agent: the version in the wheel says what a test lets it say.
"""

import base64
import contextlib
import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.device_lab import Lab, loop_disk, memory_disk, sh
from tests.firmware.units import exposures, lay_root, sandbox_problems, verify_problems
from tests.programs import require_program

UNITS = ("watchroom-update.service", "watchroom-update.timer", "watchroom-update-trial.service")
AGENT = """#!/bin/sh
case $1 in
    may-update) [ ! -e "$LAB/busy" ] || { cat "$LAB/busy"; exit 1; } ;;
    ready) [ ! -e "$LAB/broken-%s" ] ;;
esac
"""
"""What runs in a slot that no pip filled."""
MODULE = """
import os, subprocess, sys
from pathlib import Path

def main():
    lab = Path(os.environ["LAB"])
    if sys.argv[1] == "check":
        namespace = f"/proc/{os.environ['HOST']}/ns/mnt"
        touch = ["nsenter", f"--mount={namespace}", "touch", os.environ["ROOT"] + "/opt/from-outside"]
        (lab / "outside").write_text(str(subprocess.run(touch, capture_output=True).returncode))
        sys.exit("no such key" if (lab / "refuses").exists() else 0)
    sys.exit((lab / "broken-new").exists())
"""
"""What comes in the wheel. While it checks the configuration the system is writable: it tries so from outside, too."""


def wheel(folder: Path) -> None:
    """Write a wheel of the next version, and the file that names it with its hash."""
    files = {
        "standin.py": MODULE,
        "watchroom-2.dist-info/METADATA": "Metadata-Version: 2.1\nName: watchroom\nVersion: 2\n",
        "watchroom-2.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "watchroom-2.dist-info/entry_points.txt": "[console_scripts]\nedge-agent = standin:main\n",
    }
    record = "".join(f"{name},sha256={digest(text)},{len(text)}\n" for name, text in files.items())
    path = folder / "watchroom-2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("watchroom-2.dist-info/RECORD", record + "watchroom-2.dist-info/RECORD,,\n")
    line = f"watchroom==2 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
    (folder / "requirements.txt").write_text(line, "utf-8")


def fill(path: Path) -> None:
    """Write to a file until its disk is full."""
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 1024):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


def digest(text: str) -> str:
    """A file's hash, as a wheel's record has it."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A device whose root is read-only and whose first version runs, with the next one brought."""
    require_program("pip3")
    lab = Lab(tmp_path / "lab")
    (lab.root / "etc/watchroom/device.toml").write_text("", "utf-8")
    for slot in ("watchroom-a", "watchroom-b"):
        lab.program(f"root/opt/{slot}/bin/edge-agent", AGENT % slot)
    (lab.root / "opt/watchroom").symlink_to("watchroom-a")
    lab.on("start", '"$ROOT/opt/watchroom/bin/edge-agent" ready')
    lab.on("restart", '"$ROOT/opt/watchroom/bin/edge-agent" ready')
    place = tmp_path / "device"
    place.mkdir()
    with loop_disk(tmp_path / "root.img", place, size_mib=12, options="ro", filled=lab.root):
        lab.root = place
        with memory_disk(place / "data", "size=8m,mode=755"):
            (place / "data/updates/next").mkdir(parents=True)
            wheel(place / "data/updates/next")
            yield lab


def update(lab: Lab, *arguments: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run the update without the pause in which a version proves itself; how it ended, and what it said."""
    done = lab.run("update", "--prove", "0", *arguments, before=before)
    return done.returncode, done.stdout + done.stderr


def prepared(lab: Lab) -> None:
    """Let the next version be in its slot already, as after an update that had to wait."""
    stamp = hashlib.sha256((lab.root / "data/updates/next/requirements.txt").read_bytes()).hexdigest()
    sh("mount", "-o", "remount,rw", lab.root)
    (lab.root / "opt/watchroom-b/ready").write_text(f"{stamp}  -\n", "utf-8")
    sh("mount", "-o", "remount,ro", lab.root)


def runs(lab: Lab) -> str:
    """Which slot is the agent's."""
    return os.readlink(lab.root / "opt/watchroom")


def brought(lab: Lab) -> list[str]:
    """What there is of updates."""
    return sorted(path.name for path in (lab.root / "data/updates").iterdir())


def is_read_only(lab: Lab) -> bool:
    """Whether nobody can write to the system now."""
    return "ro" in sh("findmnt", "-no", "OPTIONS", lab.root).split(",")


def test_the_next_version_is_installed_offline_and_the_system_stays_read_only_for_others(lab: Lab) -> None:
    """In a mount namespace, as its unit has it: pip installs by hash, the link is moved, nobody else could write."""
    own = (str(require_program("unshare")), "--mount", "--net", "--propagation", "slave")
    assert update(lab, before=own) == (0, "update: done: watchroom-b is ready\n")
    assert (runs(lab), brought(lab)) == ("watchroom-b", ["installed"])
    assert "restart watchroom-agent.service" in lab.asked
    assert (lab.folder / "outside").read_text() == "1" and is_read_only(lab)
    assert (lab.root / "opt/watchroom-a/bin/edge-agent").exists(), "the version before is kept, to go back to"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("hash", "it could not be installed"),
        ("unhashed", "it could not be installed"),
        ("refuses", "does not take this device's configuration"),
        ("full", "there is no room for a second version"),
    ],
)
def test_an_update_that_cannot_be_used_is_put_aside_and_changes_nothing(lab: Lab, spoil: str, says: str) -> None:
    """An altered wheel, one without hash, a refused configuration, a full disk: a line, and the agent is left alone."""
    if spoil == "hash":
        with (lab.root / "data/updates/next/watchroom-2-py3-none-any.whl").open("ab") as file:
            file.write(b"\0")
    elif spoil == "unhashed":
        (lab.root / "data/updates/next/requirements.txt").write_text("watchroom==2\n", "utf-8")
    elif spoil == "refuses":
        (lab.folder / "refuses").touch()
    else:
        sh("mount", "-o", "remount,rw", lab.root)
        fill(lab.root / "filler")
        sh("mount", "-o", "remount,ro", lab.root)
    status, said = update(lab)
    assert status == 1 and says in said
    assert (runs(lab), brought(lab), lab.asked) == ("watchroom-a", ["refused"], [])
    assert says in (lab.root / "data/updates/refused/why").read_text() and is_read_only(lab)
    assert not (lab.root / "opt/watchroom-b").exists(), "no half of a version is left"


def test_a_busy_device_is_left_alone_and_asked_again(lab: Lab) -> None:
    """What is installed waits as long as the agent names a reason; then it is switched to, and not installed again."""
    (lab.folder / "busy").write_text("busy: the ignition is on\n")
    status, said = update(lab)
    assert status == 0 and "busy: the ignition is on" in said and "waits until the device is not busy" in said
    assert (runs(lab), lab.asked, brought(lab)) == ("watchroom-a", [], ["next"])
    (lab.folder / "busy").unlink()
    installed = (lab.root / "opt/watchroom-b/pyvenv.cfg").stat().st_mtime_ns
    assert update(lab)[0] == 0 and runs(lab) == "watchroom-b"
    assert (lab.root / "opt/watchroom-b/pyvenv.cfg").stat().st_mtime_ns == installed and is_read_only(lab)


@pytest.mark.parametrize("dies", ["at once", "soon"])
def test_a_version_that_does_not_become_ready_is_taken_back(lab: Lab, dies: str) -> None:
    """Whether it never says that it is ready or ends soon after, the version before runs again, and the why is kept."""
    prepared(lab)
    if dies == "at once":
        (lab.folder / "broken-watchroom-b").touch()
    else:
        lab.on("is-active", '[ "$(readlink "$ROOT/opt/watchroom")" = watchroom-a ]')
    status, said = update(lab)
    assert status == 1 and "did not become ready; watchroom-a runs again" in said
    assert (runs(lab), brought(lab)) == ("watchroom-a", ["refused"]) and is_read_only(lab)
    assert lab.asked[-1] == "restart watchroom-agent.service"


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_trial_that_power_cut_short_is_judged_at_the_next_start(lab: Lab, is_broken: bool) -> None:
    """Killed between the switch and the verdict, the update is ended at the next start: kept, or taken back."""
    prepared(lab)
    lab.on("restart", 'kill -9 "$(cat "$LAB/pid")"')
    cut = ("sh", "-c", 'echo $$ > "$LAB/pid"; exec "$@"', "-")
    assert update(lab, before=cut)[0] == -9
    assert (runs(lab), brought(lab)) == ("watchroom-b", ["next", "trial"]), "the switch was made, the verdict is open"
    sh("mount", "-o", "remount,ro", lab.root)
    lab.on("restart", '"$ROOT/opt/watchroom/bin/edge-agent" ready')
    if is_broken:
        (lab.folder / "broken-watchroom-b").touch()
    (lab.folder / "busy").write_text("busy: nobody can be asked\n")
    status, _ = update(lab, "--resume")
    found = (status, runs(lab), brought(lab))
    assert found == ((1, "watchroom-a", ["refused"]) if is_broken else (0, "watchroom-b", ["installed"]))
    assert update(lab, "--resume") == (0, ""), "it is judged once"


def test_nothing_is_installed_that_another_than_root_may_have_written(lab: Lab) -> None:
    """Hashes say nothing of who wrote them: a folder that the agent's user could write to is not read at all."""
    (lab.root / "data/updates/next/requirements.txt").chmod(0o666)
    status, said = update(lab)
    assert status == 1 and "somebody but root may have written" in said
    (lab.root / "data/updates/next/requirements.txt").chmod(0o644)
    os.chown(lab.root / "data/updates/next", 1000, 1000)
    assert update(lab)[0] == 1
    assert (runs(lab), brought(lab), lab.asked) == ("watchroom-a", ["next"], [])


def test_a_cut_before_the_switch_costs_no_version(lab: Lab) -> None:
    """The version that runs was never on trial: it is not restarted, and the next one is tried again, not refused."""
    prepared(lab)
    lab.on("ln", 'kill -9 "$PPID"', folder="bin")
    assert update(lab)[0] == -9
    assert (runs(lab), brought(lab)) == ("watchroom-a", ["next", "trial"])
    sh("mount", "-o", "remount,ro", lab.root)
    (lab.folder / "bin/ln").unlink()
    assert update(lab, "--resume") == (0, "")
    assert (runs(lab), brought(lab), lab.asked) == ("watchroom-a", ["next"], [])
    assert update(lab)[0] == 0 and (runs(lab), brought(lab)) == ("watchroom-b", ["installed"])


@pytest.mark.parametrize(
    ("owner", "says"), [(1000, "somebody but root may have written"), (0, "names no version: delete it")]
)
def test_the_word_of_a_trial_leads_to_no_other_program(lab: Lab, owner: int, says: str) -> None:
    """Who can write to the folder cannot make root's next question go to a program of his: the link stays as it is."""
    trial = lab.root / "data/updates/trial"
    trial.write_text("../../tmp/mine\n", "utf-8")
    os.chown(lab.root / "data/updates", owner, owner)
    lab.on("is-active", "exit 3")
    status, said = update(lab, "--resume")
    assert status == 1 and says in said
    assert (runs(lab), lab.asked) == ("watchroom-a", [])


def test_the_units_are_taken_by_systemd_and_no_more_open_than_they_must_be(tmp_path: Path) -> None:
    """Every line is known to systemd, and what the services may do is remounting, files, and asking systemd."""
    root = lay_root(tmp_path / "root")
    assert verify_problems(root, UNITS) == ()
    accepted = {
        *("UserOrDynamicUser", "PrivateUsers", "RootDirectoryOrRootImage", "ProtectSystem", "UMask", "ProcSubset"),
        *("CapabilityBoundingSet_CAP_SYS_ADMIN", "CapabilityBoundingSet_CAP_DAC_FOWNER_IPC_OWNER"),
        *("SystemCallFilter_mount", "SystemCallFilter_privileged", "SystemCallFilter_resources"),
        *("RestrictAddressFamilies_AF_UNIX", "DeviceAllow"),
    }
    for name in UNITS[::2]:
        assert sandbox_problems(root, name, most=2.0, accepted=accepted) == ()
        assert accepted == set(exposures(root, name))
