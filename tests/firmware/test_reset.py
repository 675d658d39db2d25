"""Factory reset, by the device's own scripts: on real file systems and block devices, with the agent's real outbox.

systemd is stood in for, and so is the agent's answer whether the device is busy.
"""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_agent.outbox import OutboxFile
from tests.edge_agent.outbox.lab import press
from tests.firmware.device_lab import SCRIPTS, Lab, loop_disk, memory_disk, sh
from tests.firmware.units import exposures, lay_root, read_unit, sandbox_problems, verify_problems
from tests.programs import require_program

CONFIG = """
[link]
id = "not-this"
[device]
organisation = "kfrs"
id = "veh-0001"     # its name
[[unit]]
id = "kfrs-14p1"
"""
MINE = ("--device", "veh-0001")
STOP, START = "stop watchroom-agent.service", "start watchroom-agent.service"
SECRET = b"a place that nobody may read afterwards"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A device with an empty outbox, that is not busy. Its boot partition is read-only, as it is on a device."""
    lab = Lab(tmp_path / "lab")
    (lab.root / "etc/watchroom/device.toml").write_text(CONFIG, "utf-8")
    (lab.root / "usr/lib/watchroom").symlink_to(SCRIPTS)
    lab.program(
        "root/opt/watchroom/bin/edge-agent", '#!/bin/sh\n[ ! -e "$LAB/busy" ] || { cat "$LAB/busy"; exit 1; }\n'
    )
    with memory_disk(lab.root / "boot/firmware", "size=256k,ro"):
        keep(lab)
        yield lab


def state(lab: Lab) -> Path:
    """The agent's state folder."""
    return lab.root / "data/watchroom"


def boot(lab: Lab) -> Path:
    """The boot partition."""
    return lab.root / "boot/firmware"


def keep(lab: Lab, *codes: str) -> None:
    """Let the outbox hold these statuses unsettled, and the folder a file of an identity to come."""
    state(lab).mkdir(exist_ok=True)
    (state(lab) / "identity").mkdir(exist_ok=True)
    (state(lab) / "identity/key.pem").write_bytes(SECRET)
    (state(lab) / "lock").touch()
    outbox = OutboxFile(state(lab) / "outbox.db", "E0001")
    if codes:
        outbox.append("status", [press(code) for code in codes])
    outbox.close()


def ask(lab: Lab, text: str) -> None:
    """Write the file that asks for a reset, as a person with the card in a reader does."""
    with writable(lab):
        (boot(lab) / "watchroom-reset").write_text(text, "utf-8")


@contextlib.contextmanager
def writable(lab: Lab) -> Iterator[None]:
    """Let the boot partition be written to for a while."""
    sh("mount", "-o", "remount,rw", boot(lab))
    yield
    sh("mount", "-o", "remount,ro", boot(lab))


def on_boot(lab: Lab) -> list[str]:
    """What stands on the boot partition."""
    return sorted(path.name for path in boot(lab).iterdir())


def left(lab: Lab) -> list[str]:
    """What is left in the state folder."""
    return sorted(path.name for path in state(lab).iterdir())


def reset(lab: Lab, *words: str) -> tuple[int, str]:
    """Run the reset; how it ended, and what it said. The boot partition is read-only again, whatever happened."""
    done = lab.run("reset", *words)
    assert "ro" in sh("findmnt", "-no", "OPTIONS", boot(lab)).split(",")
    return done.returncode, done.stdout + done.stderr


def exported(lab: Lab) -> list[str]:
    """The codes of the statuses that were saved on the boot partition."""
    (path,) = boot(lab).glob("watchroom-unsettled-veh-0001-*.jsonl")
    return [json.loads(line)["event"]["code"] for line in path.read_text("utf-8").splitlines()]


def test_a_settled_device_forgets_everything_and_starts_anew(lab: Lab) -> None:
    """By command: the agent is stopped, all of its folder goes, also an identity, and the agent starts again."""
    status, said = reset(lab, *MINE)
    assert status == 0 and left(lab) == [] and lab.asked == [STOP, START]
    assert "Done." in said and "can be read again" in said, "what was deleted is not called erased"
    assert on_boot(lab) == ["watchroom-reset.txt"]


@pytest.mark.parametrize("text", ["veh-0001", "veh-0001\r\n", "  veh-0001 export\n"])
def test_a_file_on_the_boot_partition_asks_for_it(lab: Lab, text: str) -> None:
    """Written on any system, it is carried out once, at the next start; what came of it is told in its place."""
    ask(lab, text)
    assert reset(lab, "--boot")[0] == 0 and left(lab) == []
    assert on_boot(lab) == ["watchroom-reset.txt"] and lab.asked == []
    keep(lab)
    assert reset(lab, "--boot") == (0, "") and "outbox.db" in left(lab)


@pytest.mark.parametrize("words", [("--device", "veh-0002"), ("--device", "not-this"), ("--device", ""), ()])
def test_a_reset_for_another_device_is_refused(lab: Lab, words: tuple[str, ...]) -> None:
    """A wrong id, the id of something else in the file, or none: nothing is touched, and the agent not even stopped."""
    status, said = reset(lab, *words)
    assert status == 1 and "This device is veh-0001" in said and "Nothing was erased" in said
    assert "outbox.db" in left(lab) and lab.asked == []


def test_a_card_for_another_device_is_refused_once(lab: Lab) -> None:
    """A card in the wrong vehicle: the file is put aside, so that it is not tried at every start, and says why."""
    ask(lab, "veh-0002")
    assert reset(lab, "--boot")[0] == 1
    assert on_boot(lab) == ["watchroom-reset.refused", "watchroom-reset.txt"] and "outbox.db" in left(lab)
    assert "for 'veh-0002'" in (boot(lab) / "watchroom-reset.txt").read_text()


def test_a_busy_device_is_not_reset_unless_forced(lab: Lab) -> None:
    """While it is mobile or on an order it goes on serving; who says --force takes that upon himself."""
    (lab.folder / "busy").write_text("busy: the ignition is on\n")
    status, said = reset(lab, *MINE)
    assert status == 1 and "the ignition is on" in said and "outbox.db" in left(lab) and lab.asked == []
    assert reset(lab, *MINE, "--force")[0] == 0 and left(lab) == []


def test_a_status_that_waits_is_never_lost(lab: Lab) -> None:
    """What a lamp confirmed and control has not settled stops the reset, until it is saved, each with its code."""
    keep(lab, "4", "1")
    status, said = reset(lab, *MINE, "--force")
    assert status == 1 and "(2)" in said and "Let them reach control first, or save them here: export." in said
    assert "outbox.db" in left(lab) and lab.asked == [STOP, START], "the agent serves on"
    assert reset(lab, *MINE, "--export")[0] == 0
    assert exported(lab) == ["4", "1"] and left(lab) == []


def test_a_press_at_the_last_moment_is_counted(lab: Lab) -> None:
    """What is pressed until the agent has stopped is in the count: it is taken after that, not before."""
    keep(lab)
    (lab.folder / "later").mkdir()
    late = OutboxFile(lab.folder / "later/outbox.db", "E0001")
    late.append("status", [press("1")])
    late.close()
    lab.on("stop", 'cp "$LAB/later/outbox.db" "$ROOT/data/watchroom/outbox.db"')
    status, said = reset(lab, *MINE)
    assert status == 1 and "(1)" in said and "outbox.db" in left(lab)


def test_an_agent_that_was_started_by_hand_stops_the_reset(lab: Lab) -> None:
    """Systemd knows nothing of it, but it holds the folder's lock, and would lose what it takes in meanwhile."""
    with subprocess.Popen(
        ["flock", str(state(lab) / "lock"), "sh", "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        holder.stdout.readline()
        status, said = reset(lab, *MINE)
        assert status == 1 and "started by hand" in said and "outbox.db" in left(lab)
        holder.stdin.close()


@pytest.mark.parametrize("name", ["outbox.db", "outbox.damaged-20261122T101112Z.db"])
def test_what_cannot_be_read_is_saved_as_it_is(lab: Lab, name: str) -> None:
    """A damaged outbox, or one that was set aside, may hold presses: it counts as unsettled, and is saved whole."""
    (state(lab) / name).write_bytes(b"not a database" * 100)
    status, said = reset(lab, *MINE)
    assert status == 1 and "unread" in said and name in left(lab)
    assert reset(lab, *MINE, "--export")[0] == 0 and left(lab) == []
    (copy,) = boot(lab).glob(f"watchroom-unsettled-veh-0001-*.{name}")
    assert copy.read_bytes() == b"not a database" * 100


def test_a_boot_partition_without_room_stops_the_reset(lab: Lab) -> None:
    """Where the statuses cannot be saved nothing is erased, and the agent runs again."""
    keep(lab, "4")
    with writable(lab), (boot(lab) / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    status, said = reset(lab, *MINE, "--export")
    assert status == 1 and "could not be saved" in said
    assert "outbox.db" in left(lab) and lab.asked == [STOP, START]


def test_a_full_data_partition_is_read_saved_and_emptied(lab: Lab, tmp_path: Path) -> None:
    """On an ext4 without a byte to spare the outbox, its log not yet folded in, is still read; then all of it goes."""
    with loop_disk(tmp_path / "data.img", lab.root / "data", size_mib=8):
        state(lab).mkdir()
        outbox = OutboxFile(state(lab) / "outbox.db", "E0001")
        outbox.append("status", [press("4"), press("1")])
        for end in ("", "-wal"):  # as a kill leaves them
            (tmp_path / f"killed{end}").write_bytes((state(lab) / f"outbox.db{end}").read_bytes())
        outbox.close()
        for end in ("", "-wal"):
            (state(lab) / f"outbox.db{end}").write_bytes((tmp_path / f"killed{end}").read_bytes())
        with (state(lab) / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        assert reset(lab, *MINE, "--export")[0] == 0
        assert exported(lab) == ["4", "1"] and left(lab) == []


@pytest.mark.parametrize("tool", ["find", "sync", "rm", "mv"])
def test_power_that_goes_at_any_step_loses_no_status_and_the_next_start_ends_it(lab: Lab, tool: str) -> None:
    """Cut at each call of the tools that change anything, it is either not begun or ended at the next start."""
    real = str(require_program(tool))
    for cut in range(1, 12):
        with writable(lab):
            for path in boot(lab).iterdir():
                path.unlink()
        keep(lab, "4")
        (lab.folder / "count").write_text("0")
        count = f'n=$(($(cat "$LAB/count") + 1)); echo $n > "$LAB/count"; [ $n -ne {cut} ] || kill -9 $PPID'
        lab.on(tool, f'{count}\nexec {real} "$@"', folder="bin")
        if lab.run("reset", *MINE, "--export").returncode == 0:
            return
        (lab.folder / "bin" / tool).unlink()
        sh("mount", "-o", "remount,ro", boot(lab))
        begun = (boot(lab) / "watchroom-reset.going").exists()
        assert begun or "outbox.db" in left(lab) or left(lab) == [], "nothing goes before it is written that it goes"
        assert reset(lab, "--boot")[0] == 0
        if begun or left(lab) == []:
            assert left(lab) == [] and set(exported(lab)) == {"4"} and "watchroom-reset.going" not in on_boot(lab)
        else:
            assert "outbox.db" in left(lab)
    raise AssertionError("it never came to its end")


def test_power_that_goes_while_the_reset_is_written_down_leaves_no_device_without_its_agent(lab: Lab) -> None:
    """A file without a word in it, as FAT can leave one, says that nothing was begun: it goes, so the agent starts."""
    keep(lab, "4")
    with writable(lab):
        (boot(lab) / "watchroom-reset.going").touch()
    assert reset(lab, "--boot") == (0, "")
    assert on_boot(lab) == [] and "outbox.db" in left(lab)


def test_what_was_saved_before_is_never_written_over(lab: Lab) -> None:
    """A clock without a battery tells the same time at each start: the statuses of both resets are kept."""
    lab.on("date", "echo 20261122T120000Z", folder="bin")
    for code in ("4", "1"):
        keep(lab, code)
        ask(lab, "veh-0001 export")
        assert reset(lab, "--boot")[0] == 0 and left(lab) == []
    saved = "".join(path.read_text("utf-8") for path in boot(lab).glob("watchroom-unsettled-*.jsonl"))
    assert {json.loads(line)["event"]["code"] for line in saved.splitlines()} == {"4", "1"}


def test_the_whole_partition_is_erased_and_the_device_told_how_far(lab: Lab, tmp_path: Path) -> None:
    """Secure: no byte of what was kept is on the block device, a new file system is; what a card can hide is said."""
    image = tmp_path / "data.img"
    with ExitStack() as disks:
        device = disks.enter_context(loop_disk(image, lab.root / "data", size_mib=16))
        keep(lab)
        sh("sync", "-f", state(lab))
        assert SECRET in image.read_bytes()
        bound = lab.root / "var-lib-watchroom"
        bound.mkdir()
        sh("mount", "--bind", state(lab), bound)
        status, said = reset(lab, *MINE, "--secure")
        assert status == 0 and lab.asked[-1] == "reboot" and START not in lab.asked
        assert "has no command to erase for good" in said and "destroy the card" in said
        assert SECRET not in image.read_bytes()
        assert sh("blkid", "-o", "value", "-s", "LABEL", device) == "watchroom-data"
        sh("mount", device, lab.root / "data")
        assert left(lab) == []


def test_an_erasure_that_power_cut_short_goes_on_without_a_file_system(lab: Lab, tmp_path: Path) -> None:
    """Cut while it overwrites, the partition cannot be mounted: the next start erases it whole all the same."""
    with loop_disk(tmp_path / "data.img", lab.root / "data", size_mib=16) as device:
        keep(lab)
        lab.on("shred", f'dd if=/dev/zero of={device} bs=1M count=2 2>/dev/null; kill -9 "$PPID"', folder="bin")
        ask(lab, "veh-0001 secure")
        assert lab.run("reset", "--boot").returncode == -9
        sh("mount", "-o", "remount,ro", boot(lab))
        assert (boot(lab) / "watchroom-reset.going").read_text() == f"secure {device}\n"
        (lab.folder / "bin/shred").unlink()
        assert reset(lab, "--boot")[0] == 0 and lab.asked[-1] == "reboot"
        assert on_boot(lab) == ["watchroom-reset.txt"]
        assert sh("blkid", "-o", "value", "-s", "LABEL", device) == "watchroom-data"


def test_a_partition_in_use_is_not_erased(lab: Lab, tmp_path: Path) -> None:
    """While a program writes there it is refused whole, rather than erased under that program's hands."""
    with loop_disk(tmp_path / "data.img", lab.root / "data", size_mib=16):
        keep(lab)
        with (lab.root / "data/journal").open("wb"):
            status, said = reset(lab, *MINE, "--secure")
        assert status == 1 and "in use by another program" in said and "outbox.db" in left(lab)
        assert lab.asked[-1] == START and "watchroom-reset.going" not in on_boot(lab)


def test_a_partition_that_another_mount_namespace_holds_is_not_erased(lab: Lab, tmp_path: Path) -> None:
    """A sandboxed service keeps a mount unseen by others: overwritten beneath it, the kernel never came to rest."""
    with loop_disk(tmp_path / "data.img", lab.root / "data", size_mib=16) as device:
        keep(lab)
        apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; read x"]
        with subprocess.Popen(apart, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None and holder.stdin is not None
            holder.stdout.readline()
            status, said = reset(lab, *MINE, "--secure")
            holder.stdin.close()
        sh("mount", device, lab.root / "data")
        assert status == 1 and "in use by another program" in said and "outbox.db" in left(lab)
        assert "watchroom-reset.going" not in on_boot(lab)


def test_what_a_test_mounts_is_seen_by_no_other(lab: Lab) -> None:
    """Tests that run beside this one, and make mount namespaces, take no copy of its disks along."""
    assert str(boot(lab)) in Path("/proc/thread-self/mountinfo").read_text("utf-8")
    assert str(boot(lab)) not in Path(f"/proc/{os.getppid()}/mountinfo").read_text("utf-8")


def test_the_agent_does_not_start_while_a_reset_goes_on(tmp_path: Path) -> None:
    """What it kept then would be erased with the rest: its unit waits for the reset, and starts without one."""
    root = lay_root(tmp_path / "root")
    assert verify_problems(root, ["watchroom-reset.service", "watchroom-agent.service"]) == ()
    unit = read_unit(root, "watchroom-reset.service")
    assert "watchroom-agent.service" in unit.one("Before", "Unit").split()
    assert unit.all("ConditionPathExists", "Unit") == (
        "|/boot/firmware/watchroom-reset",
        "|/boot/firmware/watchroom-reset.going",
    )
    agent = read_unit(root, "watchroom-agent.service")
    assert "!/boot/firmware/watchroom-reset.going" in agent.all("ConditionPathExists", "Unit")
    assert "/boot/firmware" in agent.all("RequiresMountsFor", "Unit"), "unmounted, it would hold no word of a reset"
    opened = frozenset(exposures(root, "watchroom-reset.service"))
    assert sandbox_problems(root, "watchroom-reset.service", most=4.2, accepted=opened) == ()
    assert not {name for name in opened if name.startswith("CapabilityBoundingSet")} - {
        f"CapabilityBoundingSet_CAP_{each}" for each in ("SYS_ADMIN", "DAC_FOWNER_IPC_OWNER", "CHOWN_FSETID_SETFCAP")
    }
