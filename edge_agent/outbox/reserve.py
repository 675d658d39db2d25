"""A file that only takes up room, so that a full disk can be given some back when a press must be stored."""

import os
from pathlib import Path


class Reserve:
    """Room set aside on the outbox's disk."""

    def __init__(self, path: Path, size_kib: int) -> None:
        """Name the file; nothing is written yet."""
        self._path = path
        self._size = size_kib * 1024

    def release(self) -> bool:
        """Give the room back. Tells whether there was any."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

    def refill(self) -> bool:
        """Take the room again where it would leave at least three times as much free. Tells whether it is held."""
        if self._path.exists():
            return True
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < 4 * self._size:
            return False
        try:
            with self._path.open("wb") as file:
                file.write(bytes(self._size))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self._path.unlink(missing_ok=True)
            return False
        return True
