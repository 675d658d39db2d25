"""Small disks in memory, as a folder each."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests import programs

MakeDisk = Callable[[int], Path]


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory at `folder`. Where mounting is not permitted the test is skipped; in CI it fails."""
    folder.mkdir()
    program = [str(programs.require_program("mount")), "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    if done.returncode:
        programs.give_up(f"a small disk cannot be mounted here (it needs root): {done.stderr.splitlines()[0]}")
    try:
        yield folder
    finally:
        subprocess.run([str(programs.require_program("umount")), "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[MakeDisk]:
    """A function: a disk of so many KiB."""
    with ExitStack() as disks:
        yield lambda kib: disks.enter_context(mounted(tmp_path / f"disk-{kib}", f"size={kib}k"))


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that nothing can be written to."""
    with mounted(tmp_path / "read-only", "size=64k,ro") as disk:
        yield disk
