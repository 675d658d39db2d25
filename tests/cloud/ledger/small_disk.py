"""A disk of a megabyte or two, which fills up for real."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import give_up


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[Path]:
    """Mount a small tmpfs on `folder`. Without the right to mount the test is skipped; under WATCHROOM_CI it fails."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        give_up(f"no small disk can be mounted here (it needs root): {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: a test that failed may still have files open here, and a mount left behind would fail others.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, leave_bytes: int = 0) -> Path:
    """Take the room that is left, except about `leave_bytes`. Remove the file to give it back."""
    filler = folder / "filler"
    free = os.statvfs(folder)
    filler.write_bytes(b"\0" * max(0, free.f_bavail * free.f_frsize - leave_bytes))
    return filler
