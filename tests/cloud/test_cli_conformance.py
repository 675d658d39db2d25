"""`watchroom conformance`: what a supplier reads, and what a build machine goes by."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cloud.cli import cli
from tests.cloud.conformance.small_server import HIDDEN, TOKEN, SmallServer
from tests.ports import free_port


def run(*arguments: str) -> Any:
    """Run the command."""
    return CliRunner().invoke(cli, ["conformance", *arguments], env={"COLUMNS": "160", "TERMINAL_WIDTH": "160"})


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A partner's token in a file."""
    path = tmp_path / "token.txt"
    path.write_text(f"{TOKEN}\n", encoding="utf-8")
    return path


class Untagged(SmallServer):
    """A server without ETags."""

    def tag(self, now_s: float) -> str:
        """None."""
        return ""


def test_a_server_that_conforms_gives_0(token_file: Path) -> None:
    """A line for each check, none of them FAIL, and exit code 0."""
    with SmallServer().serve() as address:
        answer = run(address, "--token-file", str(token_file), "--hidden", HIDDEN)
    assert (0, "") == (answer.exit_code, answer.stderr)
    assert "ok    units: hidden: kf-99" in answer.stdout and "FAIL" not in answer.stdout


def test_a_server_that_does_not_gives_1(token_file: Path) -> None:
    """With --json one line of JSON, in which what failed says what to do, and exit code 1."""
    with Untagged().serve() as address:
        answer = run(address, "--token-file", str(token_file), "--json")
    assert 1 == answer.exit_code
    report = json.loads(answer.stdout)
    (failed,) = [finding for finding in report["findings"] if finding["level"] == "fail"]
    assert report["ok"] is False and "units: ETag" == failed["check"] and failed["do"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name the URL of a server, or give --consumer"),
        (("http://127.0.0.1:1", "--consumer"), 2, "name the URL of a server, or give --consumer"),
        (("8471",), 1, "watchroom: '8471' is no address of a server, such as http://127.0.0.1:8471"),
        (("http://127.0.0.1:1", "--token-file", "nowhere.txt"), 1, "No such file or directory: 'nowhere.txt'"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], code: int, said: str) -> None:
    """A line that says what is wrong, and nothing was asked."""
    answer = run(*arguments)
    assert code == answer.exit_code
    assert said in answer.stderr and "Traceback" not in answer.stderr


def test_nobody_there_is_a_failed_check() -> None:
    """Where nobody listens the verdict is one FAIL line, not an error."""
    answer = run(f"http://127.0.0.1:{free_port()}")
    assert 1 == answer.exit_code
    assert answer.stdout.startswith("FAIL  server: GET /v1/units") and "To do: start the server" in answer.stdout
