"""The data folder: who holds it, its disk, and the files of days. Takes no lock and writes nothing."""

import os
import shutil
from pathlib import Path

from cloud.telemetry import dayfile
from wire.findings import Finding, fail, warn, well

_MIB = 1024 * 1024
FULL_MIB = 250
SCARCE_MIB = 2_000
SCARCE_SHARE = 0.1


def find_watchroom(data: Path) -> int | None:
    """Give the process that holds the folder's lock, as the kernel lists it; None where nobody does."""
    try:
        inode = (data / "lock").stat().st_ino
        rows = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
    except OSError:
        return None
    holders = [int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode)]
    return next((process for process in holders if _may_have_open(process, data / "lock")), None)


def look_at_disk(data: Path) -> Finding:
    """Look at the folder and the room on its disk."""
    disk = shutil.disk_usage(data)
    free_mib = disk.free // _MIB
    found = f"{data}, {free_mib} MiB free of {disk.total // _MIB}"
    if not os.access(data, os.W_OK | os.X_OK):
        do = "run this as Watchroom's user; if that may not write there either, mend the folder's owner or its disk"
        return fail("data folder", f"{data} cannot be written to by this user", do)
    do = "make room: old days in the folder telemetry first. Never delete ledger.db or what begins with its name"
    if free_mib < FULL_MIB:
        return fail("data folder", f"{found}: commits are about to fail", do)
    scarce = free_mib < SCARCE_MIB or disk.free < SCARCE_SHARE * disk.total
    return warn("data folder", found, do) if scarce else well("data folder", found)


def look_at_days(folder: Path) -> Finding:
    """Name a store's days, and files that were set aside. Opens none: a day's file has one user at a time."""
    store = folder.name
    if not folder.is_dir():
        do = "nothing, if this Watchroom never ran in this version; else ask who removed it"
        if store == "telemetry":
            do = f"give --telemetry here too, if `up` was given it; {do}"
        return warn(store, f"{folder} is not there", do)
    days = dayfile.days_in(folder)
    size_mib = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) // _MIB
    span = f", {days[0]} to {days[-1]}" if days else ""
    found = f"{len(days)} days{span}, {size_mib} MiB"
    damaged = sorted(path.name for path in folder.iterdir() if ".damaged" in path.name)
    if damaged:
        do = "restore those days from a backup, or copy the files elsewhere and delete them; later days are whole"
        return warn(store, f"{found}; damaged and set aside: {', '.join(damaged)}", do)
    return well(store, found)


def _may_have_open(process: int, path: Path) -> bool:
    """Tell whether a process has a file open; True where we may not look."""
    try:
        return any(entry.readlink() == path.resolve() for entry in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return True
