"""`watchroom doctor`: it names what is wrong, says what to do, and touches nothing."""

import asyncio
import os
import shutil
import signal
import socket
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from cloud.clock import SystemClock
from cloud.config import Settings
from cloud.doctor import _look_at_files, examine
from cloud.doctor.folder import find_watchroom, look_at_days
from cloud.doctor.ledger import look_at_ledger
from cloud.doctor.service import look_at_health
from cloud.ledger import BoardRow, Commit, DecisionRow, DirectoryRow
from tests.cloud.ledger.samples import NOON, gap, open_in, press, refused
from tests.cloud.process import COMMAND, STOP_S, python, running_in, running_watchroom
from tests.ports import free_port
from tests.site import write_directory
from wire.findings import Finding, Report

SOON = NOON + timedelta(hours=1)


def seen(settings: Settings) -> dict[str, Finding]:
    """What is found, by what was looked at."""
    return {one.check: one for one in asyncio.run(examine(settings, SystemClock()))}


def settings(folder: Path, **changes: object) -> Settings:
    """Settings of a Watchroom in a folder, which has a directory."""
    known = {"data": folder / "data", "directory": write_directory(folder / "directory"), "port": free_port()}
    return Settings(**known | {"mqtt_port": free_port()} | changes)  # type: ignore[arg-type]


def content(folder: Path) -> dict[Path, bytes]:
    """Every file with its content."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def looked(folder: Path, *commits: Commit) -> dict[str, Finding]:
    """What is found in a ledger that took these commits."""
    ledger = open_in(folder)
    for commit in commits:
        ledger.commit(commit)
    ledger.close()
    return {one.check: one for one in look_at_ledger(folder / "ledger.db", SOON, is_running=False)}


# The whole.


def test_a_watchroom_that_is_well_and_one_that_is_stopped(tmp_path: Path) -> None:
    """Running, all is well without a port of the broker given; stopped, nothing failed and nothing was touched."""
    with running_watchroom(tmp_path) as running:
        options = ("--data", str(tmp_path / "data"), "--directory", str(tmp_path / "directory"))
        answer = python(COMMAND, "doctor", *options, "--port", str(running.port))
        assert (answer.returncode, answer.stderr) == (0, ""), answer.stdout
        assert answer.stdout.endswith("All is well.\n")
        assert f"runs as process {running.process.pid}" in answer.stdout
        wrong = python(COMMAND, "doctor", *options, "--port", str(free_port()))
        assert wrong.returncode == 1 and "FAIL  health: " in wrong.stdout
        running.stop(signal.SIGTERM, STOP_S)
    before = content(tmp_path / "data")
    answer = python(COMMAND, "doctor", *options, "--port", str(running.port), "--json")
    report = msgspec.json.decode(answer.stdout, type=Report)
    assert (answer.returncode, report.ok) == (0, True)
    warned = {one.check for one in report.findings if one.level == "warn"}
    assert warned == {"watchroom", "broker", "health"}
    assert before == content(tmp_path / "data")
    assert find_watchroom(tmp_path / "data") is None and not running_in(tmp_path)


def test_a_process_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Watchroom that holds its port and does not answer fails in words."""
    monkeypatch.setattr("cloud.doctor.service.ANSWER_S", 0.5)
    with running_watchroom(tmp_path) as running:
        os.kill(running.process.pid, signal.SIGSTOP)
        (finding,) = look_at_health(running.port, is_running=True)
        os.kill(running.process.pid, signal.SIGCONT)
    assert finding.level == "fail" and "does not answer" in finding.found


def test_a_broker_that_is_away_is_told_by_the_doctor_and_by_watchroom(tmp_path: Path) -> None:
    """Where the broker that it was told to use is not there, the doctor says so, and passes on what Watchroom says."""
    port = free_port()
    with running_watchroom(tmp_path) as running:
        answer = python(
            *(COMMAND, "doctor", "--data", str(tmp_path / "data"), "--directory", str(tmp_path / "directory")),
            *("--port", str(running.port), "--broker", f"mqtt://127.0.0.1:{port}"),
        )
    assert answer.returncode == 1
    assert f"FAIL  broker: mqtt://127.0.0.1:{port} cannot be reached: Connection refused" in answer.stdout


def test_nothing_at_all(tmp_path: Path) -> None:
    """A newcomer who runs it in an empty folder reads what to name, and sees no traceback."""
    answer = python(COMMAND, "doctor", "--data", str(tmp_path / "none"), "--port", str(free_port()))
    assert (answer.returncode, answer.stderr) == (1, "")
    assert "FAIL  directory: " in answer.stdout and "--data" in answer.stdout
    refusal = python(COMMAND, "doctor", "--broker", "mqtt://10.0.0.1:1883")
    assert refusal.returncode == 1 and refusal.stderr.startswith("watchroom: --broker ") and not refusal.stdout


def test_a_directory_with_mistakes(tmp_path: Path) -> None:
    """Each mistake stands there with its file, though a Watchroom that runs goes on."""
    wrong = settings(tmp_path)
    (wrong.directory / "b.toml").write_text('[[unit]]\nid = "u"\n', encoding="utf-8")
    finding = seen(wrong)["directory"]
    assert finding.level == "fail" and "b.toml: unit[0].callsign" in finding.found


# The ledger.


def test_a_ledger_in_order(tmp_path: Path) -> None:
    """It says how much it holds and when it was last written to, and that nothing is missing."""
    found = looked(tmp_path, press(1, None), press(2, 1))
    assert "2 events, the newest received 2026-11-01 12:00:00 UTC" in found["ledger"].found
    assert {one.level for one in found.values()} == {"ok"}


def test_the_memory_is_told_and_looked_at(tmp_path: Path) -> None:
    """When the board last changed, what control decided and under which directory; a ledger of before it is whole."""
    ledger = open_in(tmp_path)
    ledger.commit_board([BoardRow(shown_at=NOON, unit="p12", kind="gone", body=b"")])
    ledger.commit_decision(DecisionRow(at=NOON, kind="mode", subject="p12", by="ann", reason="drill", body=b"{}"))
    ledger.record_directory(DirectoryRow(at=NOON, version="4f1d", body=b"{}"))
    told = looked(tmp_path)["memory"]
    assert "ok" == told.level
    assert "changed 2026-11-01 12:00:00 UTC; 1 decisions by control; directory 4f1d in force since 2026" in told.found
    with ledger._writing() as connection:
        for table in ("board_log", "decision", "directory", "latest"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    ledger.close()
    assert {"ledger", "gaps"} == {one.check for one in look_at_ledger(tmp_path / "ledger.db", SOON, is_running=True)}


def test_what_went_missing_is_named(tmp_path: Path) -> None:
    """Gaps and forks of the last week name the device and the sequences; what is a month old does not come up."""
    fork = refused(reason="fork", device="d9", stream="e9-x")
    many = [refused(reason="foreign_unit", device="d2", stream="e2-x", queue="status", seq=n + 1) for n in range(3)]
    found = looked(tmp_path, Commit(gaps=[gap(4, 9)], refused=[fork, *many]))
    assert "d1: 4 to 9 of e1-abc, 2026-11-01 12:00:00 UTC, below first_held" in found["gaps"].found
    assert "d9: 1 times" in found["forks"].found
    assert "foreign_unit: 3, of 1 known devices, d2 among them" in found["refused"].found
    assert all(found[one].level == "warn" and found[one].do for one in ("gaps", "forks", "refused"))
    later = look_at_ledger(tmp_path / "ledger.db", NOON + timedelta(days=30), is_running=False)
    assert {one.level for one in later} == {"ok"}


def test_a_ledger_that_is_being_written_is_read_beside_it(tmp_path: Path) -> None:
    """Beside a writer with a transaction open the last commit is read, and the writer is not held up."""
    ledger = open_in(tmp_path)
    ledger.commit(press(1, None))
    with ledger._writing() as connection:
        connection.exec_driver_sql("UPDATE counter SET value = value")
        found = list(look_at_ledger(tmp_path / "ledger.db", SOON, is_running=True))
    ledger.commit(press(2, 1))
    ledger.close()
    assert "1 events" in found[0].found


def test_a_ledger_that_was_killed_is_read_with_its_log(tmp_path: Path) -> None:
    """What stands in the log only is found too."""
    ledger = open_in(tmp_path)
    ledger.commit(press(1, None))
    other = tmp_path / "copy"
    other.mkdir()
    for path in tmp_path.glob("ledger.db*"):
        shutil.copy(path, other / path.name)
    ledger.close()
    assert (other / "ledger.db-wal").stat().st_size
    assert "1 events" in next(iter(look_at_ledger(other / "ledger.db", SOON, is_running=False))).found


@pytest.mark.parametrize(
    ("spoil", "words"), [("cut", "is damaged"), ("empty", "is not a ledger"), ("gone", "is not there")]
)
def test_a_ledger_that_is_not_whole(tmp_path: Path, spoil: str, words: str) -> None:
    """Damaged, empty and missing are three different words, each with what to do."""
    looked(tmp_path, press(1, None))
    path = tmp_path / "ledger.db"
    match spoil:
        case "cut":
            path.write_bytes(path.read_bytes()[:9_000])
        case "empty":
            path.write_bytes(b"")
        case _:
            path.unlink()
    (finding,) = look_at_ledger(path, SOON, is_running=False)
    assert words in finding.found and "backup" in finding.do
    assert finding.level == ("warn" if spoil == "gone" else "fail")


# The rest.


def test_telemetry_days_are_named_and_not_opened(tmp_path: Path) -> None:
    """It counts the days, names those that were set aside, and opens none: rubbish is only counted."""
    for name in ("2026-11-01.duckdb", "2026-11-03.duckdb"):
        (tmp_path / name).write_bytes(b"rubbish")
    assert "2 days, 2026-11-01 to 2026-11-03" in look_at_days(tmp_path).found
    (tmp_path / "2026-11-02.duckdb.damaged").write_bytes(b"rubbish")
    finding = look_at_days(tmp_path)
    assert finding.level == "warn" and "2026-11-02.duckdb.damaged" in finding.found


def test_frames_are_looked_at_too(tmp_path: Path) -> None:
    """A damaged day of what the board showed is named, as one of the tracks is."""
    wrong = settings(tmp_path)
    (wrong.data / "frames").mkdir(parents=True)
    (wrong.data / "frames" / "2026-11-02.duckdb.damaged").write_bytes(b"rubbish")
    finding = next(one for one in _look_at_files(wrong, SystemClock(), False) if one.check == "frames")
    assert finding.level == "warn" and "2026-11-02.duckdb.damaged" in finding.found


def test_something_else_on_the_port(tmp_path: Path) -> None:
    """Where another program answers, it says so and names the option."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        async def look() -> list[Finding]:
            looking = asyncio.create_task(asyncio.to_thread(look_at_health, port, is_running=True))
            connection, _ = await asyncio.to_thread(other.accept)
            with connection:
                connection.sendall(b"SSH-2.0\r\n")
            return await looking

        (finding,) = asyncio.run(look())
    assert finding.level == "fail" and "--port" in finding.do
