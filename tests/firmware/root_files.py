"""What is wrong with a device's fstab: by mount, by systemd's own generator, by the kernel, and by what we promise."""

import configparser
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.firmware.system_files import room, run
from tests.programs import require_program
from wire.strict import Problem

FSTAB = "etc/fstab"
GENERATOR = "/usr/lib/systemd/system-generators/systemd-fstab-generator"
DATA, STATE = "/data", "/var/lib/watchroom"
CARD = "/dev/mmcblk0p"
"""What no disk on USB is ever called."""
MADE_BY_TREE = (DATA, STATE)
"""Folders to mount on that no package brings: the root is read-only, so they have to be there already."""
_OF_ANOTHER_MACHINE = (
    f"unreachable source: {CARD}",
    "unreachable on boot required",
    "cannot detect on-disk filesystem type",
    "vfat seems unsupported by the current kernel",
)
"""What findmnt says of every partition and folder that this machine has not."""
_KERNEL_ONLY = re.compile(r"^(?:nofail|x-.*|_netdev)$")


class Mount(msgspec.Struct, frozen=True):
    """A mount, as systemd's generator understood it."""

    what: str
    where: str
    kind: str
    options: tuple[str, ...]
    required: bool
    """Without it the device does not start."""


def mount_problems(device: Path, folder: Path) -> tuple[Problem, ...]:
    """Tell everything that is wrong with the fstab. `folder` is empty, and for what is made on the way."""
    verified = tuple(_findmnt_problems(device))
    mounts = mounts_of(device, folder / "units")
    return (*verified, *_unit_problems(folder / "units"), *_promises(mounts, device), *_kernel_problems(mounts, folder))


def mounts_of(device: Path, units: Path) -> dict[str, Mount]:
    """Let systemd's generator write the units, and read them: by the folder that is mounted on."""
    require_program("systemd-analyze")
    units.mkdir()
    said = run("env", f"SYSTEMD_FSTAB={device / FSTAB}", GENERATOR, *[str(units)] * 3)
    assert said.code == 0, said.text
    found = {}
    for path in units.glob("*.mount"):
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str  # type: ignore[assignment, method-assign]  # its documented way to keep capitals
        unit.read_string(path.read_text("utf-8"))
        part = unit["Mount"]
        required = (units / "local-fs.target.requires" / path.name).is_symlink()
        options = tuple(part.get("Options", "").split(","))
        found[part["Where"]] = Mount(part["What"], part["Where"], part.get("Type", ""), options, required)
    return found


def _findmnt_problems(device: Path) -> Iterator[Problem]:
    require_program("findmnt")
    where = ""
    for line in run("findmnt", "--verify", "--tab-file", str(device / FSTAB)).text.splitlines():
        if line.startswith("/"):
            where = line.strip()
        elif (said := line.strip()).startswith(("[E]", "[W]", "findmnt:")):
            if not any(text in said for text in _OF_ANOTHER_MACHINE):
                yield Problem(f"{FSTAB}: {where}", said.partition("] ")[2] or said, "a line that mount reads")


def _unit_problems(units: Path) -> Iterator[Problem]:
    for line in run("systemd-analyze", "verify", *map(str, units.glob("*.mount"))).text.splitlines():
        yield Problem(FSTAB, line.strip(), "mounts that systemd makes units of")


def _promises(mounts: dict[str, Mount], device: Path) -> Iterator[Problem]:
    for where in ("/", "/boot/firmware"):
        if where not in mounts or "ro" not in mounts[where].options:
            yield _at(where, "can be written to", "ro: what is written there is lost half way in a power cut")
    data, state = mounts.get(DATA), mounts.get(STATE)
    if data is None or (data.kind, data.what) != ("ext4", f"{CARD}3"):
        yield _at(DATA, "is not the data partition", f"{CARD}3, ext4")
    else:
        yield from _durable(data)
    if state is None or state.what != f"{DATA}/watchroom" or "bind" not in state.options:
        yield _at(STATE, "is not on the data partition", f"a bind of {DATA}/watchroom: presses would be forgotten")
    for mount in mounts.values():
        yield from _place_problems(mount)
    for where in MADE_BY_TREE:
        if not (device / where.lstrip("/")).is_dir():
            yield _at(where, "is not there to be mounted on", "a folder in the tree: the root is read-only")


def _place_problems(mount: Mount) -> Iterator[Problem]:
    if mount.required and mount.what.startswith(DATA):
        yield _at(mount.where, "keeps the device from starting without the data partition", "nofail")
    if mount.kind == "tmpfs" and not any(each.startswith("size=") for each in mount.options):
        yield _at(mount.where, "may take half of the memory", "size=")
    if mount.kind not in ("tmpfs", "none") and not mount.what.startswith(CARD):
        yield _at(mount.where, "may be on another disk: whoever plugs one in says so by its label", f"{CARD}N")
    if mount.kind not in ("tmpfs", "none") and "rw" in mount.options and mount.where != DATA:
        yield _at(mount.where, "is a second partition that is written to", f"{DATA} alone")


def _durable(data: Mount) -> Iterator[Problem]:
    """Barriers and ordered data are what the power cuts of tests/chaos were tried with."""
    for option in ("nobarrier", "barrier=0", "data=writeback", "noauto", "ro"):
        if option in data.options:
            yield _at(DATA, f"has {option}", "what a power cut was tried with: rw,data=ordered,barrier=1")
    if data.required:
        yield _at(DATA, "keeps the device from starting without the data partition", "nofail")
    for option in ("nosuid", "nodev", "noexec", "errors=remount-ro"):
        if option not in data.options:
            yield _at(DATA, f"lacks {option}", option)


def _kernel_problems(mounts: dict[str, Mount], folder: Path) -> Iterator[Problem]:
    """Mount an ext4 of this machine with the options of the data partition, and small tmpfs with theirs."""
    require_program("mkfs.ext4")
    disk, here = folder / "disk.img", folder / "here"
    here.mkdir()
    with disk.open("wb") as file:
        file.truncate(4 << 20)
    tried = {}
    for mount in mounts.values():
        options = ",".join(each for each in mount.options if not _KERNEL_ONLY.match(each))
        if mount.kind == "tmpfs":
            tried[mount.where] = options, f"-t tmpfs -o '{options}' none"
        elif mount.where == DATA and mount.kind == "ext4":
            tried[mount.where] = options, f"-t ext4 -o 'loop,{options}' '{disk}'"
    lines = (f"mount {words} '{here}' 2>/dev/null || echo '{where}'" for where, (_, words) in tried.items())
    for where in run(*room(script="\n".join([f"mkfs.ext4 -q -F '{disk}'", *lines]))).text.splitlines():
        yield _at(where, f"the kernel refuses {tried[where][0]}", "options that it has")


def _at(where: str, problem: str, expected: str) -> Problem:
    return Problem(f"{FSTAB}: {where}", problem, expected)
