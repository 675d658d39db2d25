"""The demo as a person starts it: a process, its output, and what is left of it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.demo import MARK
from tests.ports import free_port
from tests.waiting import wait_until

WATCHROOM = Path(sys.executable).with_name("watchroom")
UNITS = 8
STEPS_MIN = 6
"""The least that a turnout does, at night: a sounder, a light, the cooker, an indicator, a door and the exit signal."""
RUN_S = 120.0
STOP_S = 20.0


@pytest.fixture
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a short path: a socket's path has at most 107 bytes."""
    yield tmp_path_factory.mktemp("d")


def descendants(pid: int) -> list[int]:
    """Every process below this one."""
    found: list[int] = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue  # it ended while we looked
        if int(fields["PPid"]) == pid:
            found += [int(fields["Pid"]), *descendants(int(fields["Pid"]))]
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and is not a zombie."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_check_confirms_every_unit_and_prints_one_line(short_folder: Path) -> None:
    """`--check` exits 0 with every unit confirmed throughout and a station turned out, and says so in one line."""
    command = [str(WATCHROOM), "demo", "--check", "--seconds", "3", "--units", str(UNITS)]
    command += ["--data", str(short_folder / "demo"), "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["ok"], found["units"], found["confirmed"], found["doubted"]) == (True, UNITS, UNITS, {})
    assert found["presses"] >= UNITS
    assert found["orders"] >= 1 and found["acknowledged"] == found["orders"]
    assert found["steps_done"] >= STEPS_MIN and found["steps_failed"] == 0


def test_a_check_with_a_frozen_agent_fails(short_folder: Path) -> None:
    """`--check` exits 1 where one vehicle goes silent, and names it."""
    command = [str(WATCHROOM), "demo", "--check", "--seconds", "40", "--units", str(UNITS)]
    command += ["--data", str(short_folder / "demo"), "--port", str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        agents = Path(f"/proc/{demo.pid}/task/{demo.pid}/children")
        wait_until(lambda: len(agents.read_text().split()) > 1, what="agents of their own", deadline_s=RUN_S)
        frozen = next(pid for pid in descendants(demo.pid) if "edge-agent" in _command(pid))
        os.kill(frozen, signal.SIGSTOP)
        assert demo.stdout is not None
        found = json.loads(demo.stdout.read())
        assert demo.wait(STOP_S) == 1
    assert found["ok"] is False
    assert found["confirmed"] < UNITS


def test_ctrl_c_leaves_no_process(short_folder: Path) -> None:
    """Ctrl-C stops the demo, its broker and its agents, with exit code 0."""
    command = [str(WATCHROOM), "demo", "--units", str(UNITS)]
    command += ["--data", str(short_folder / "demo"), "--port", str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert any(f"{UNITS} confirmed" in line for line in demo.stdout)
        children = descendants(demo.pid)
        assert len(children) >= 6
        demo.send_signal(signal.SIGINT)
        assert demo.wait(STOP_S) == 0
    assert [pid for pid in children if alive(pid)] == []


def test_a_folder_with_real_records_is_refused(short_folder: Path) -> None:
    """The demo never writes into a folder that is not a demo's: one line, exit code 1, nothing touched."""
    (short_folder / "ledger.db").write_bytes(b"real")
    command = [str(WATCHROOM), "demo", "--data", str(short_folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "--data" in done.stderr
    assert [path.name for path in short_folder.iterdir()] == ["ledger.db"]
    assert not (short_folder / MARK).exists()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
