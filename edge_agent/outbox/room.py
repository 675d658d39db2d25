"""How much room the state folder's disk has, and which old outbox files stand on it. Takes no lock, writes nothing."""

import os
from pathlib import Path

from edge_agent.state.health import Room

_KIB = 1024


def read_room(folder: Path, reserve_kib: int) -> Room | None:
    """Look at the disk of `folder`; None where that can't be done."""
    try:
        disk = os.statvfs(folder)
        aside = sorted(path for path in folder.glob("outbox.*-*.db") if path.is_file())
        is_held = (folder / "reserve").exists() or not (folder / "outbox.db").exists()
    except OSError:
        return None
    return Room(
        free_kib=disk.f_bavail * disk.f_frsize // _KIB,
        reserve_kib=reserve_kib,
        is_reserve_held=is_held,
        aside=tuple(path.name for path in aside),
        aside_kib=sum(size_of(path.with_name(path.name + end)) for path in aside for end in ("", "-wal", "-shm"))
        // _KIB,
    )


def size_of(path: Path) -> int:
    """Give a file's size in bytes; 0 for one that is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
