"""A read-only root with one partition that is written to, and the journal on it."""

from pathlib import Path

import pytest

from tests.firmware.root_files import DATA, FSTAB, STATE, mount_problems, mounts_of
from tests.firmware.system_files import BOARDS, FIRMWARE, JOURNAL, journal_problems, laid_out, spoil
from tests.programs import require_namespaces

LOG = f"{JOURNAL}/watchroom.conf"
SEEDED = [
    pytest.param("ext4  ro,noatime", "ext4  rw,noatime", "/: can be written to; expected ro", id="a root to write on"),
    pytest.param(",barrier=1,", ",barrier=0,", "/data: has barrier=0; expected", id="no barriers"),
    pytest.param(
        "remount-ro,nofail", "remount-ro", "/data: keeps the device from starting", id="no start without data"
    ),
    pytest.param("remount-ro,", "remountro,", "/data: the kernel refuses rw,", id="an option that ext4 has not"),
    pytest.param(",data=ordered,", ",data=writeback,", "/data: has data=writeback; expected", id="data after names"),
    pytest.param(
        "/data/watchroom  /var/lib/watchroom  none  bind,nofail",
        "tmpfs  /var/lib/watchroom  tmpfs  rw,size=1M",
        "/var/lib/watchroom: is not on the data partition",
        id="presses in memory",
    ),
    pytest.param("noexec,size=32M", "noexec", "/tmp: may take half of the memory; expected size=", id="no size"),
    pytest.param("size=32M", "size=32X", "/tmp: the kernel refuses", id="a size that is none"),
    pytest.param("/tmp                     tmpfs", "/tmp tmpsf", "tmpsf seems unsupported", id="a kind of file system"),
    pytest.param("bind,nofail  0  0\n", "bind  0  0\n", "expected nofail", id="a folder that stops the start"),
    pytest.param("/dev/mmcblk0p3", "LABEL=watchroom-data", "/data: may be on another disk", id="a label on any disk"),
    pytest.param("/dev/mmcblk0p1", "LABEL=bootfs", "/boot/firmware: may be on another disk", id="a boot by label"),
    pytest.param("/dev/mmcblk0p3", "/dev/mmcblk0p4", "/data: is not the data partition", id="another partition"),
]
LOG_SEEDED = [
    pytest.param("SystemMaxUse=", "SystemMaxUsed=", "Unknown key 'SystemMaxUsed' in section", id="an unknown key"),
    pytest.param("RateLimitBurst=1000", "RateLimitBurst=many", "Failed to parse", id="no number"),
    pytest.param("[Journal]", "[Journald]", "Unknown section 'Journald'", id="an unknown section"),
]


@pytest.mark.parametrize("board", BOARDS)
def test_the_root_is_read_only_and_one_partition_is_written_to(board: str, tmp_path: Path) -> None:
    """mount, systemd and the kernel read every line of fstab, and it is what we promise."""
    require_namespaces()
    (work := tmp_path / "work").mkdir()

    assert mount_problems(laid_out(board, tmp_path / "device"), work) == ()


@pytest.mark.parametrize(("old", "new", "line"), SEEDED)
def test_a_fault_in_fstab_is_told(old: str, new: str, line: str, tmp_path: Path) -> None:
    """A fault that would cost presses, or the device's start, is told with the folder that it is about."""
    require_namespaces()
    (work := tmp_path / "work").mkdir()

    found = mount_problems(spoil(laid_out("vehicle-a", tmp_path / "device"), FSTAB, old, new), work)

    assert any(line in str(each) for each in found), found


def test_without_the_data_partition_the_agent_has_nowhere_to_write(tmp_path: Path) -> None:
    """The device starts without it, the agent does not: its folder needs the partition, and is nowhere else."""
    device = laid_out("vehicle-a", tmp_path / "device")
    mounts = mounts_of(device, tmp_path / "units")
    unit = (device / "etc/systemd/system/watchroom-agent.service").read_text("utf-8")

    assert not mounts[DATA].required and not mounts[STATE].required
    assert mounts[STATE].what == f"{DATA}/watchroom"
    assert f"RequiresMountsFor={STATE}\n" in unit
    above = [where for where, mount in mounts.items() if mount.kind == "tmpfs" and f"{STATE}/".startswith(f"{where}/")]
    assert above == []


def test_what_a_service_keeps_is_on_the_data_partition(tmp_path: Path) -> None:
    """The clock's drift and the journal outlive a power cut, and the network comes up without the partition."""
    mounts = mounts_of(laid_out("vehicle-a", tmp_path / "device"), tmp_path / "units")

    assert mounts["/var/lib/chrony"].what == f"{DATA}/chrony"
    assert mounts["/var/log/journal"].what == f"{DATA}/journal"
    assert mounts["/var/lib/NetworkManager"].kind == "tmpfs"


def test_the_folders_to_mount_on_say_when_nothing_is_mounted() -> None:
    """A technician who looks into one of them without its partition reads why it is empty."""
    for where in (DATA, STATE):
        assert "is not mounted" in (FIRMWARE / f"tree/common{where}/NOT-MOUNTED").read_text("utf-8")


def test_journald_reads_every_setting(tmp_path: Path) -> None:
    """Journald itself has no complaint about its settings."""
    require_namespaces()

    assert journal_problems(laid_out("vehicle-a", tmp_path)) == ()


@pytest.mark.parametrize(("old", "new", "line"), LOG_SEEDED)
def test_what_journald_would_ignore_is_told(old: str, new: str, line: str, tmp_path: Path) -> None:
    """What journald would ignore is told with its file and line."""
    require_namespaces()

    found = journal_problems(spoil(laid_out("vehicle-a", tmp_path), LOG, old, new))

    assert any(LOG in str(each) and line in str(each) for each in found), found
