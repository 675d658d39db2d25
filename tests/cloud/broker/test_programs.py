"""What the embedded broker is told, and which program is chosen."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from cloud.broker.mosquitto import loopback_configuration
from cloud.broker.nats import NatsProgram, configuration, find_nats_server
from cloud.errors import Fatal


def test_the_program_beside_the_interpreter_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older nats-server on PATH is not chosen while one is installed beside the interpreter."""
    impostor = tmp_path / "nats-server"
    impostor.write_text("#!/bin/sh\n", encoding="utf-8")
    impostor.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert shutil.which("nats-server") == str(impostor)
    assert find_nats_server().parent == Path(sys.executable).parent


def test_a_missing_program_is_fatal_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no nats-server anywhere the failure names the command that installs it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(Fatal, match="make setup"):
        find_nats_server()


def test_a_store_with_odd_characters_is_quoted(tmp_path: Path) -> None:
    """A path with a quote and a space stays one string of the configuration."""
    assert r'store_dir: "/data/a \"b\" c"' in configuration(store=Path('/data/a "b" c'), port=1883)


def test_every_listener_is_on_loopback() -> None:
    """Neither configuration listens anywhere but on 127.0.0.1."""
    nats = configuration(store=Path("/data"), port=1883).splitlines()
    assert [line.strip() for line in nats if "host" in line or "listen" in line] == [
        'listen: "127.0.0.1:-1"',
        'host: "127.0.0.1"',
    ]
    mosquitto = loopback_configuration(port=1883).splitlines()
    assert [line for line in mosquitto if "listener" in line] == ["listener 1883 127.0.0.1"]


def test_the_complaint_is_the_newest_error(tmp_path: Path) -> None:
    """Of a log with several errors the last one is told, without its stamp; other lines are not."""
    (tmp_path / "nats-server.log").write_text(
        "[7] 2026/11/22 01:11:01.08 [ERR] first\n[7] 2026/11/22 01:11:01.09 [FTL] no space\n[7] x y [INF] bye\n",
        encoding="utf-8",
    )
    assert NatsProgram(tmp_path).complaint(tmp_path) == "no space"
