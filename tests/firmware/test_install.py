"""The script that makes a fresh system the device: run as it is, on a copy of this system that is thrown away."""

import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.image.assemble import Wanted, assemble
from edge_agent.image.packages import LIST, WHEELS, requirement
from tests.programs import require_namespaces, require_program

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AGENT = """
import sys
def main():
    print("agent:", *sys.argv[1:])
    sys.exit(0 if "refused" not in open("/etc/watchroom/device.toml").read() else 1)
"""
ENTER = """
set -eu
mount -t tmpfs tmpfs {scratch}
mkdir {scratch}/upper {scratch}/work {scratch}/system
mount -t overlay overlay -o lowerdir=/,upperdir={scratch}/upper,workdir={scratch}/work {scratch}/system
mount --bind /proc {scratch}/system/proc
mount --bind /dev {scratch}/system/dev
rm -rf {scratch}/system/opt/watchroom*
ln -sf true {scratch}/system/usr/bin/mmcli
cp -r --preserve=mode,timestamps {tree}/. {scratch}/system/
{before}
set +e
chroot {scratch}/system /usr/lib/watchroom/install
echo "exit $?"
{after}
"""
CLOCK = "[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n"
DATA = "mkdir -p {scratch}/system/data; mount -t tmpfs tmpfs {scratch}/system/data"

FRESH = f"""{DATA}
cd {{scratch}}/system/etc
: > machine-id
printf '{CLOCK}' > systemd/system/fake-hwclock.service
ln -s ../fake-hwclock.service systemd/system/multi-user.target.wants/fake-hwclock.service
cd /"""
"""As Raspberry Pi OS comes: without a number of its own, and with a clock of its own kept on the disk."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of an ambulance, with a wheel that stands for the agent: what it is asked, it says."""
    require_namespaces()
    for program in ("chronyd", "gpsd", "nmcli", "nft"):
        require_program(program)
    folder = tmp_path_factory.mktemp("install")
    out = assemble(Wanted(profile="ambulance", out=folder / "tree"), NOW).out
    (out / WHEELS).mkdir(parents=True)
    wheel = out / WHEELS / "watchroom-0.1.0-py3-none-any.whl"
    info = "watchroom-0.1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("standing_in.py", AGENT)
        made.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: watchroom\nVersion: 0.1.0\n")
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/entry_points.txt", "[console_scripts]\nedge-agent = standing_in:main\n")
        made.writestr(f"{info}/RECORD", "")
    (out / WHEELS / LIST).write_text(requirement(wheel))
    return out


def play(tree: Path, scratch: Path, before: str, after: str = "") -> Iterator[str]:
    """Run the script on a copy of this system, and give what it and what comes after it say."""
    scratch.mkdir()
    text = ENTER.format(
        scratch=scratch, tree=tree, before=before.format(scratch=scratch), after=after.format(scratch=scratch)
    )
    ran = subprocess.run(
        ["unshare", "-m", "--propagation", "slave", "sh", "-c", text],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    yield from (ran.stdout + ran.stderr).splitlines()


def test_a_fresh_system_becomes_the_device(tree: Path, tmp_path: Path) -> None:
    """From the tree alone, without a network: the agent is installed and loads its file, and its service is enabled.

    Run again, it does what is left, which is nothing, and ends well.
    """
    after = (
        "readlink {scratch}/system/opt/watchroom; cat {scratch}/system/etc/hostname\n"
        "ls {scratch}/system/etc/systemd/system/multi-user.target.wants\n"
        "grep ^watchroom: {scratch}/system/etc/passwd\n"
        "chroot {scratch}/system /usr/lib/watchroom/install; echo again $?\n"
        "chroot {scratch}/system systemctl is-enabled fake-hwclock.service\n"
        "echo $(wc -c < {scratch}/system/etc/machine-id) letters\n"
        "readlink {scratch}/system/usr/local/bin/edge-agent; stat -c '%a data' {scratch}/system/data/watchroom"
    )
    said = list(play(tree, tmp_path / "scratch", FRESH, after))
    assert "exit 0" in said, "\n".join(said)
    assert "agent: check --config /etc/watchroom/device.toml" in said
    assert "watchroom-a" in said and "unnamed-ambulance" in said and "watchroom-agent.service" in said
    assert any(line.startswith("watchroom:") for line in said) and "again 0" in said
    assert "disabled" in said, "no clock but the floor and chrony's"
    assert "33 letters" in said, "a number of its own: one journal, however often it starts"
    assert "/opt/watchroom/bin/edge-agent" in said and "750 data" in said


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("true", "install: no file system on the card's third partition: make one"),
        (DATA + "; rm {scratch}/system/etc/watchroom/image.toml", "install: no /etc/watchroom/image.toml: lay the"),
        (
            DATA + "; rm -r {scratch}/system/usr/share/watchroom/wheels",
            "install: no wheels in /usr/share/watchroom/wheels",
        ),
        (
            DATA + "; echo refused >> {scratch}/system/etc/watchroom/device.toml",
            "install: the configuration above is refused",
        ),
        (DATA + "; echo x >> {scratch}/system/usr/share/watchroom/wheels/watchroom-0.1.0-py3-none-any.whl", "HASH"),
    ],
)
def test_what_is_missing_stops_it_with_a_line(tree: Path, before: str, said: str, tmp_path: Path) -> None:
    """No data partition, tree or wheels, an altered wheel, or a refused configuration: it stops, and says which."""
    heard = list(play(tree, tmp_path / "scratch", before))
    assert "exit 0" not in heard and any(said in line for line in heard), "\n".join(heard)
