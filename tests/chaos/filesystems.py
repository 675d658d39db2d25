"""Real file systems to break: a small ext4 whose power can be cut, and disks in memory that fill up.

The power cut is ext4's own shutdown, on a file behind a loop device: what was not forced to the disk by then is gone,
and the next mount replays the journal as after any power cut.
"""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_until

_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN."""
_LOG_FLUSH = 1
_NO_LOG_FLUSH = 2
_FILL_BYTES = 4096


class MountRefused(Exception):
    """No file system may be mounted on this machine. The message says what it answered."""


class PoweredDisk:
    """An ext4 of its own, mounted at `path`."""

    def __init__(self, image: Path, path: Path) -> None:
        """Name the image's file and where it is to be mounted."""
        self._image = image
        self.path = path

    def format(self, size_kib: int) -> None:
        """Make an empty file system, no part of which is left to be initialised later."""
        with self._image.open("wb") as file:
            file.truncate(size_kib * 1024)
        _run(
            "mkfs.ext4",
            "-q",
            "-F",
            "-m",
            "0",
            "-b",
            "4096",
            "-E",
            "lazy_itable_init=0,lazy_journal_init=0",
            str(self._image),
        )

    def mount(self) -> None:
        """Mount it, replaying the journal. Raises `MountRefused`."""
        _run("mount", "-o", "loop,commit=5", str(self._image), str(self.path))

    def unmount(self) -> None:
        """Unmount it and wait until it is gone: mounted again too early, it would come back as it is, without power."""
        _run("umount", str(self.path))
        wait_until(lambda: not _run("losetup", "-j", str(self._image)), what="the loop device is given back")

    def cut(self, *, journalled: bool = False) -> None:
        """Cut the power, as `cut_power` does."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            cut_power(folder, journalled=journalled)
        finally:
            os.close(folder)

    def restore(self) -> None:
        """Bring the power back."""
        self.unmount()
        self.mount()


def cut_power(folder: int, *, journalled: bool = False) -> None:
    """Cut the power of the ext4 that an open folder lies on: from now on nothing reaches it, and what had not is lost.

    `journalled`: the file system happened to write its journal just before, as it does every few seconds. Then names
    and lengths are as they were, and only content is lost.
    """
    fcntl.ioctl(folder, _SHUTDOWN, struct.pack("I", _LOG_FLUSH if journalled else _NO_LOG_FLUSH))


@contextmanager
def powered_disk(folder: Path, size_kib: int = 24 * 1024) -> Iterator[PoweredDisk]:
    """A fresh, mounted ext4, whose image and mount point lie in `folder`. Raises `MountRefused`.

    It is mounted on a shared mount, so that it is unmounted everywhere at once, in a namespace too that somebody made
    meanwhile with copies of all mounts.
    """
    ground = folder / "ground"
    ground.mkdir()
    _run("mount", "-t", "tmpfs", "--make-shared", "-o", "size=64k", "tmpfs", str(ground))
    try:
        path = ground / "ext4"
        path.mkdir()
        disk = PoweredDisk(folder / "ext4.img", path)
        disk.format(size_kib)
        disk.mount()
        yield disk
    finally:
        _run("umount", "--lazy", "--recursive", str(ground))  # lazily: after a failure files may still be open here


@contextmanager
def memory_disk(folder: Path, size_kib: int) -> Iterator[Path]:
    """A fresh disk in memory. Raises `MountRefused`."""
    path = folder / "memory"
    path.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(path))
    try:
        yield path
    finally:
        _run("umount", "--lazy", str(path))


class Filler:
    """Somebody else's file, which takes whatever room there is."""

    def __init__(self, disk: Path) -> None:
        """Nothing is taken yet."""
        self._path = disk / "somebody-elses"

    def fill(self) -> None:
        """Take all that is free now."""
        with self._path.open("ab", buffering=0) as file:
            try:
                while file.write(bytes(_FILL_BYTES)):
                    pass
                os.fsync(file.fileno())
            except OSError:
                pass

    def leave(self) -> None:
        """Give it all back."""
        self._path.unlink(missing_ok=True)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise MountRefused(f"{command[0]} is not installed") from error
    if done.returncode:
        said = done.stderr.strip().partition("\n")[0]
        raise MountRefused(f"{' '.join(command)}: {said or done.returncode}")
    return done.stdout
