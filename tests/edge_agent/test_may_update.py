"""The command that an update asks before it does anything."""

from pathlib import Path

import msgspec
from typer.testing import CliRunner

from edge_agent.cli import cli
from edge_agent.clock import SystemClock
from edge_agent.standing import NAME, Standing
from edge_agent.turnout.journal import read_boot_id


def says(folder: Path, *, age_s: float = 0.0, boot_id: str = "", busy: tuple[str, ...] = ()) -> None:
    """Let an agent have said how it stands, so long ago."""
    standing = Standing(
        boot_id=boot_id or read_boot_id(),
        written_s=SystemClock().monotonic() - age_s,
        pid=1,
        findings=(),
        busy=busy,
    )
    (folder / NAME).write_bytes(msgspec.json.encode(standing))


def may_update(folder: Path, *more: str) -> tuple[int, list[str]]:
    """What the command answers: its exit status, and its lines."""
    done = CliRunner().invoke(cli, ["may-update", "--folder", str(folder), *more])
    return done.exit_code, done.stdout.splitlines()


def test_a_device_at_rest_may_be_updated_and_a_busy_one_says_why(tmp_path: Path) -> None:
    """Exit status 0, or 1 with each reason on a line: what systemd takes for "not now"."""
    says(tmp_path)
    assert may_update(tmp_path) == (0, ["may be updated now"])
    says(tmp_path, busy=("the ignition is on", "an order stands here"))
    assert may_update(tmp_path) == (1, ["busy: the ignition is on", "busy: an order stands here"])
    assert may_update(tmp_path, "--agent-stopped")[0] == 1, "an agent that runs is believed, whatever was said of it"


def test_what_is_not_known_is_busy(tmp_path: Path) -> None:
    """No file, one that is old, of another boot, or no such thing: busy, unless the agent was stopped on purpose."""
    unknown = (
        f"busy: how the agent stands is not known: {tmp_path / NAME} is missing, older than 30 s or of another boot"
    )
    assert may_update(tmp_path) == (1, [unknown])
    says(tmp_path, age_s=31.0)
    assert may_update(tmp_path) == (1, [unknown])
    says(tmp_path, boot_id="another")
    assert may_update(tmp_path) == (1, [unknown])
    (tmp_path / NAME).write_bytes(b"{")
    assert may_update(tmp_path) == (1, [unknown])
    assert may_update(tmp_path, "--agent-stopped") == (0, ["may be updated now"])
