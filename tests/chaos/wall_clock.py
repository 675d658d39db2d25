"""The lab's side of `wall_clock.c`: builds it, and sets the wall clock of a process that runs."""

import mmap
import struct
import subprocess
import time
from pathlib import Path

SOURCE = Path(__file__).with_name("wall_clock.c")
_FLAGS = ("-shared", "-fPIC", "-nostdlib", "-ffreestanding", "-O1", "-Wall", "-Wextra", "-Werror")


def build(compiler: Path, folder: Path) -> Path:
    """Compile the library that processes preload. Raises AssertionError with what the compiler says against it."""
    library = folder / "wall_clock.so"
    done = subprocess.run([compiler, *_FLAGS, "-o", library, SOURCE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


class WallClock:
    """The wall clock of the processes that run with its `environment`."""

    def __init__(self, library: Path, path: Path) -> None:
        """Make its file; it runs as the machine's does, and does not pass for disciplined."""
        path.write_bytes(bytes(mmap.PAGESIZE))
        self.environment = {"LD_PRELOAD": str(library), "WATCHROOM_WALL_CLOCK": str(path)}
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def set(self, ahead_s: float = 0.0, *, rate: float = 0.0, disciplined: bool = False) -> None:
        """Put it `ahead_s` seconds ahead of the machine's; from there it runs `rate` faster (0.01: by 1 %)."""
        self._page[:32] = struct.pack("4d", ahead_s, rate, time.monotonic(), disciplined)
