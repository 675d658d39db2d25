"""The set-up scripts say clearly what is missing, and do nothing where nothing is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT


def script(path: Path, text: str) -> None:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def run(tool: str, *arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of `tools/` with nothing but `path` to find programs in."""
    return subprocess.run(
        ["/bin/sh", ROOT / "tools" / tool, *arguments],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_without_a_recent_python_is_told_so(tmp_path: Path) -> None:
    """Where the only Python is too old, the message names it and the version that is needed."""
    script(tmp_path / "python3", "exit 1")
    found = run("find-python", path=tmp_path)
    assert found.returncode == 1
    assert "Python 3.11 or later" in found.stderr and "python3" in found.stderr


def test_a_python_without_venv_is_told_so(tmp_path: Path) -> None:
    """Where the Python is recent but can't make environments, the message names the package that mends it."""
    script(tmp_path / "python3", 'case "$2" in *venv*) exit 1;; esac')
    found = run("find-python", path=tmp_path)
    assert found.returncode == 1
    assert "python3-venv" in found.stderr


def test_a_later_name_is_found(tmp_path: Path) -> None:
    """An old `python3` does not hide a newer Python under its own name."""
    script(tmp_path / "python3", "exit 1")
    os.symlink(sys.executable, tmp_path / "python3.12")
    found = run("find-python", path=tmp_path)
    assert found.stdout.strip() == str(tmp_path / "python3.12")


def test_present_programs_install_nothing(tmp_path: Path) -> None:
    """Where every program is there, the script ends at once, with neither apt nor a word."""
    script(tmp_path / "gpsd-of-ours", "")
    done = run("install-debian-packages", "gpsd:gpsd-of-ours", path=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("has_apt", "said"), [(False, "no apt-get"), (True, "as root")])
def test_missing_packages_are_named(tmp_path: Path, has_apt: bool, said: str) -> None:
    """Without apt, or with neither root nor sudo, the script fails and names what is missing, and only that."""
    script(tmp_path / "here-already", "")
    script(tmp_path / "id", "echo 1000")
    if has_apt:
        script(tmp_path / "apt-get", "exit 1")
    done = run("install-debian-packages", "one:here-already", "two:not-here-at-all", path=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr and " two" in done.stderr and " one" not in done.stderr


def test_packages_are_installed_through_sudo_after_an_update(tmp_path: Path) -> None:
    """A user with sudo gets the lists renewed first, then only what is missing, and sudo's failure is passed on."""
    script(tmp_path / "id", "echo 1000")
    script(tmp_path / "apt-get", "exit 1")
    script(tmp_path / "sudo", f'echo "$*" >> {tmp_path}/asked; case "$*" in *install*) exit 7;; esac')
    script(tmp_path / "here-already", "")
    done = run("install-debian-packages", "one:here-already", "two:not-here-at-all", path=tmp_path)
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    update, install = (next(n for n, line in enumerate(asked) if word in line) for word in ("update", "install"))
    assert update < install
    assert asked[install].endswith(" two")
    assert done.returncode == 7
    assert " two" in done.stderr
