"""What `watchroom up --telemetry` takes, and what it refuses in one line."""

from pathlib import Path

import pytest

from cloud.config import InfluxAddress, parse_telemetry
from cloud.errors import Fatal
from tests.cloud.process import COMMAND, python
from tests.ports import free_port
from tests.site import write_directory


def test_duckdb_needs_nothing() -> None:
    """It is what runs without the option; a token with it is a mistake."""
    assert parse_telemetry("duckdb") is None
    with pytest.raises(Fatal, match="is for --telemetry influx:URL"):
        parse_telemetry("duckdb", Path("token"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("influx:http://127.0.0.1:8086", InfluxAddress(url="http://127.0.0.1:8086", bucket="watchroom")),
        ("influx:http://localhost:8086/", InfluxAddress(url="http://localhost:8086")),
        (
            "influx:https://db.example.org/influx/?bucket=weald-1&org=Weald%20Fire",
            InfluxAddress(url="https://db.example.org/influx", bucket="weald-1", org="Weald Fire"),
        ),
    ],
)
def test_an_influxdb_is_named_by_its_address(text: str, address: InfluxAddress) -> None:
    """With its bucket and its organisation, if it has any."""
    assert address == parse_telemetry(text)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("influx:http://10.0.0.5:8086", "use https to reach another"),
        ("influx:http://127.0.0.1.example.org", "use https to reach another"),
        ("influx:http://me:secret@127.0.0.1:8086", "expected duckdb, or influx:"),
        ("influx:127.0.0.1:8086", "expected duckdb, or influx:"),
        ("influx:http://", "expected duckdb, or influx:"),
        ("influx:http://127.0.0.1:99999", "expected duckdb, or influx:"),
        ("influx:http://127.0.0.1:8086?token=abc", "expected duckdb, or influx:"),
        ("influx:http://127.0.0.1:8086?bucket", "expected duckdb, or influx:"),
        ('influx:http://127.0.0.1:8086?bucket=a"b', "letters, digits, dot, dash and underscore"),
        ("postgres", "expected duckdb, or influx:"),
        ("", "expected duckdb, or influx:"),
    ],
)
def test_what_cannot_be_is_refused(text: str, advice: str) -> None:
    """With what would be right, and never with a way to send positions in the clear to another machine."""
    with pytest.raises(Fatal) as refusal:
        parse_telemetry(text)
    assert advice in str(refusal.value) and "\n" not in str(refusal.value)


def test_the_doctor_looks_where_the_tracks_are(tmp_path: Path) -> None:
    """With the option it asks that InfluxDB, and misses no folder; what can't be is refused as `up` refuses it."""
    asked = ["--data", str(tmp_path / "data"), "--port", str(free_port()), "--telemetry"]
    answer = python(COMMAND, "doctor", *asked, f"influx:http://127.0.0.1:{free_port()}")
    assert 1 == answer.returncode and "FAIL  telemetry: http://127.0.0.1:" in answer.stdout, answer.stderr
    assert f"{tmp_path / 'data' / 'telemetry'} is not there" not in answer.stdout
    refusal = python(COMMAND, "doctor", *asked, "influx:http://db.example.org:8086")
    assert (1, "") == (refusal.returncode, refusal.stdout)
    assert refusal.stderr.startswith("watchroom: --telemetry ")


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    """`watchroom up` with what can't be ends with 1 and says the option, and starts nothing."""
    folder = write_directory(tmp_path / "directory")
    asked = ["--data", str(tmp_path / "data"), "--directory", str(folder), "--port", str(free_port())]
    answer = python(COMMAND, "up", *asked, "--telemetry", "influx:http://db.example.org:8086")
    assert (1, "") == (answer.returncode, answer.stdout)
    assert answer.stderr.startswith("watchroom: --telemetry influx:http://db.example.org:8086: ")
    assert 1 == answer.stderr.count("\n")
