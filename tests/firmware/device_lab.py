"""A device to try the scripts of the tree on: real file systems, and a stand-in for systemd alone."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.firmware.units import TREE
from tests.programs import require_namespaces, require_program

SCRIPTS = TREE / "common/usr/lib/watchroom"
_SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$LAB/systemctl.log"
[ ! -x "$LAB/on-$1" ] || exec "$LAB/on-$1" "$@"
case $1 in show) echo 42 ;; esac
"""


class Lab:
    """A device's root in a folder, and what its scripts asked systemd for."""

    def __init__(self, folder: Path) -> None:
        """Make the root's folders and the stand-in for systemctl: it writes down what it is asked, and says yes."""
        self.folder, self.root, self._bin = folder, folder / "root", folder / "bin"
        for each in ("boot/firmware", "data", "etc/watchroom", "opt", "run/watchroom", "usr/lib"):
            (self.root / each).mkdir(parents=True)
        self._bin.mkdir()
        self.program("bin/systemctl", _SYSTEMCTL)
        self.on("journalctl", "exit 0", folder="bin")

    @property
    def asked(self) -> list[str]:
        """What systemd was asked for, in order."""
        log = self.folder / "systemctl.log"
        return log.read_text("utf-8").splitlines() if log.exists() else []

    def program(self, place: str, text: str) -> Path:
        """Write a program below the lab's folder."""
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(0o755)
        return path

    def on(self, word: str, script: str, *, folder: str = "") -> None:
        """Let a shell script answer a verb of systemctl's."""
        name = f"{folder}/{word}" if folder else f"on-{word}"
        self.program(name, f"#!/bin/sh\n{script}\n")

    def run(self, script: str, *arguments: str, before: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
        """Run one of the tree's scripts on this device, by the shell that a device has."""
        shell = str(require_program("dash"))
        command = [*before, shell, str(SCRIPTS / script), *arguments, "--root", str(self.root)]
        environ = {
            "PATH": f"{self._bin}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LAB": str(self.folder),
            "ROOT": str(self.root),
            "LC_ALL": "C",
            "HOST": str(os.getpid()),
        }
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)


def sh(*words: str | Path) -> str:
    """Run a program that must not fail, and give what it said."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


@contextmanager
def memory_disk(place: Path, options: str) -> Iterator[Path]:
    """A file system in memory at a folder."""
    with _mounted(("-t", "tmpfs", "-o", options, "tmpfs", place), place):
        yield place


@contextmanager
def loop_disk(
    image: Path, place: Path, *, size_mib: int, options: str = "rw", filled: Path | None = None
) -> Iterator[str]:
    """A real ext4 on a block device, mounted at a folder; `filled` with a folder's files. Gives the block device."""
    with image.open("wb") as file:
        file.truncate(size_mib * 1024 * 1024)
    contents = ("-d", filled) if filled else ()
    sh(require_program("mkfs.ext4"), "-q", "-F", "-E", "nodiscard", "-L", "watchroom-data", *contents, image)
    require_namespaces()
    device = sh(require_program("losetup"), "--find", "--show", image)
    try:
        with _mounted(("-o", options, device, place), place):
            yield device
    finally:
        sh("losetup", "--detach", device)


@contextmanager
def _mounted(words: tuple[str | Path, ...], place: Path) -> Iterator[None]:
    require_namespaces()
    sh(require_program("mount"), *words)
    try:
        yield
    finally:
        while subprocess.run(["findmnt", "--mountpoint", str(place)], capture_output=True, check=False).returncode == 0:
            sh("umount", "--lazy", place)
