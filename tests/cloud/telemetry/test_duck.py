"""DuckDB held to the port, and to what only files can suffer."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from cloud.errors import Fatal, Retryable
from cloud.telemetry import DuckTelemetry, Telemetry, dayfile
from cloud.telemetry.columns import POSITIONS
from cloud.telemetry.days import DayFiles
from tests.cloud.ledger.small_disk import fill, small_disk
from tests.cloud.telemetry.conformance import TelemetryConformance
from tests.cloud.telemetry.samples import EVER, later, no_fix, position, reading
from tests.waiting import wait_until

DAY_S = 86_400
LONG_READ_ROWS = 300_000_000
"""Counting them takes DuckDB a good part of a second."""
BLOCK_BYTES = 262_144
"""DuckDB's; the last of a file of several holds rows only, and is first read when they are."""
FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)


class TestDuck(TelemetryConformance):
    """The port's promises, on DuckDB."""

    def open(self, folder: Path) -> Telemetry:
        """A folder of day files."""
        return DuckTelemetry.open(folder)


def filled(folder: Path, days: int = 2, rows: int = 30_000) -> None:
    """A closed store with so many positions on each of so many days."""
    store = DuckTelemetry.open(folder)
    for day in range(days):
        store.append([position(n, day * DAY_S + n / 1000, stream=f"s{day}-{n * 7919}") for n in range(rows)], [])
    store.close()


def test_an_append_goes_into_the_file_of_its_newest_receipt(tmp_path: Path) -> None:
    """One append is one transaction in one file, though it reaches over midnight, and no row is read twice."""
    store = DuckTelemetry.open(tmp_path)
    rows = [position(1, 43_000), position(2, 43_300)]
    store.append(rows, [reading(3, 42_000)])
    assert [SECOND] == dayfile.days_in(tmp_path)
    assert rows == store.series("p12", *EVER, 10)
    store.close()


def test_a_clock_that_goes_back_over_midnight_finds_its_file_again(tmp_path: Path) -> None:
    """Writing goes to and fro between two days while both are read."""
    store = DuckTelemetry.open(tmp_path)
    for seq, day in enumerate([0, 1, 0, 1, 0], start=1):
        store.append([position(seq, day * DAY_S)], [])
        assert seq == len(store.series("p12", *EVER, 100))
    assert [FIRST, SECOND] == dayfile.days_in(tmp_path)
    store.close()


def test_a_file_is_handed_from_readers_to_the_writer_and_back(tmp_path: Path) -> None:
    """While two threads read both days, writing goes to and fro between them: nobody fails, nobody misses a row."""
    store = DuckTelemetry.open(tmp_path)
    store.append([position(0, 0)], [])

    def write() -> None:
        for seq in range(1, 31):
            store.append([position(seq, (seq % 2) * DAY_S + seq)], [])

    def read() -> None:
        known = 0
        while not writing.done():
            found = len(store.series("p12", *EVER, 100))
            assert found >= known
            known = found

    with ThreadPoolExecutor(3) as threads:
        writing = threads.submit(write)
        for done in [threads.submit(read), threads.submit(read), writing]:
            done.result()
    assert 31 == len(store.series("p12", *EVER, 100))
    assert [] == store.set_aside
    store.close()


def test_a_file_in_use_is_not_closed_under_its_reader(tmp_path: Path) -> None:
    """A writer that wants the file of a long read waits for it, and the read ends as it would have."""
    filled(tmp_path, days=1, rows=1)
    days = DayFiles(tmp_path, open_max=0)
    path = dayfile.path_of(tmp_path, FIRST)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(days.query, FIRST, f"SELECT count(*) FROM range({LONG_READ_ROWS})")
        wait_until(lambda: str(path) in open_files(), what="the file open for reading")
        days.write(FIRST, {"position": POSITIONS.encode([position(2, 1)])})
        assert [(LONG_READ_ROWS,)] == reading.result()
    assert [(2,)] == days.query(FIRST, "SELECT count(*) FROM position")
    days.close()


def open_files() -> set[str]:
    """The paths of this process's open files."""
    return {os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}


def test_yesterdays_log_is_emptied_at_midnight(tmp_path: Path) -> None:
    """The file that is written no more is whole in itself, and closed."""
    store = DuckTelemetry.open(tmp_path)
    store.append([position(1, 0)], [])
    assert dayfile.log_bytes(dayfile.path_of(tmp_path, FIRST)) > 0
    store.append([position(2, DAY_S)], [])
    assert 0 == dayfile.log_bytes(dayfile.path_of(tmp_path, FIRST))
    store.close()


def test_latest_looks_back_a_bounded_number_of_days(tmp_path: Path) -> None:
    """Only the newest files are asked, so that a start is not slower for a year of history."""
    filled(tmp_path, days=5, rows=1)
    store = DuckTelemetry.open(tmp_path, latest_days=2)
    store.append([no_fix(1, 5 * DAY_S, device="d2")], [])
    assert [later(4 * DAY_S), later(5 * DAY_S)] == [row.corrected_at for row in store.latest()]
    store.close()


def test_only_so_many_files_stay_open(tmp_path: Path) -> None:
    """A series over many days opens each in turn and leaves no more than the bound, and the one being written."""
    filled(tmp_path, days=6, rows=2)
    store = DuckTelemetry.open(tmp_path, open_max=2)
    store.append([position(1, 6 * DAY_S)], [])
    assert 13 == len(store.series("p12", *EVER, 100))
    open_days = {Path(path).name[:10] for path in open_files() if path.startswith(f"{tmp_path}/20")}
    assert {"2026-11-05", "2026-11-06", "2026-11-07"} == open_days
    store.close()


def test_a_series_opens_only_the_days_it_spans(tmp_path: Path) -> None:
    """Once a file's span is known it stays closed for windows outside it: its removal is not even noticed."""
    filled(tmp_path, days=3, rows=2)
    store = DuckTelemetry.open(tmp_path, open_max=1)
    assert 6 == len(store.series("p12", *EVER, 100))
    for day in (FIRST, SECOND):
        dayfile.path_of(tmp_path, day).write_bytes(b"would be damage if it were opened")
    assert 2 == len(store.series("p12", later(2 * DAY_S), EVER[1], 100))
    assert [] == store.set_aside
    store.close()


@pytest.mark.parametrize("damage", ["garbage", "empty", "header", "half", "block"])
def test_a_damaged_old_day_is_set_aside_and_the_rest_is_read(tmp_path: Path, damage: str) -> None:
    """Reads go on without that day, the file is kept under a name that says so, and it is reported once."""
    filled(tmp_path)
    path = dayfile.path_of(tmp_path, FIRST)
    spoil(path, damage)
    spoilt = path.read_bytes()
    store = DuckTelemetry.open(tmp_path)
    for _ in range(2):
        assert [SECOND] == sorted({row.corrected_at.date() for row in store.series("p12", *EVER, 100_000)})
        assert [SECOND] == [row.corrected_at.date() for row in store.latest()]
    assert [tmp_path / "2026-11-01.duckdb.damaged"] == [aside.path for aside in store.set_aside]
    assert spoilt == store.set_aside[0].path.read_bytes()
    store.close()


def spoil(path: Path, damage: str) -> None:
    """Damage a file as a disk or a person might."""
    whole = path.read_bytes()
    inside = len(whole) - BLOCK_BYTES + 5_000
    spoilt = {
        "garbage": b"not a database, " * 1000,
        "empty": b"",
        "header": bytes([whole[0] ^ 0xFF]) + whole[1:],
        "half": whole[: len(whole) // 2],
        "block": whole[:inside] + bytes([whole[inside] ^ 0xFF]) + whole[inside + 1 :],
    }
    path.write_bytes(spoilt[damage])


def test_damage_to_todays_file_costs_no_new_row(tmp_path: Path) -> None:
    """The file is set aside, a new one takes its place and its rows, and a second damaged one keeps both names."""
    for number in (1, 2):
        filled(tmp_path, days=1, rows=10)
        dayfile.path_of(tmp_path, FIRST).write_bytes(b"garbage" * 2_000)
        store = DuckTelemetry.open(tmp_path)
        store.append([position(77, 5)], [])
        assert [position(77, 5)] == store.series("p12", *EVER, 100)
        assert [number] == [len(list(tmp_path.glob("*.damaged*"))) for _ in store.set_aside]
        store.close()


def test_damage_found_in_the_file_being_written_is_set_aside(tmp_path: Path) -> None:
    """A reader that meets a bad block in the file being written has it set aside; writing goes on in a new one."""
    filled(tmp_path, days=1)
    spoil(dayfile.path_of(tmp_path, FIRST), "block")
    store = DuckTelemetry.open(tmp_path)
    store.append([position(90_001, 5)], [])
    assert [] == store.set_aside
    assert [] == store.series("p12", *EVER, 100_000)
    store.append([position(90_002, 6)], [])
    assert [90_002] == [row.seq for row in store.series("p12", *EVER, 100)]
    assert 1 == len(store.set_aside)
    store.close()


CRASH = """
import os, sys
from pathlib import Path
from cloud.telemetry import DuckTelemetry
from tests.cloud.telemetry.samples import position
store = DuckTelemetry.open(Path(sys.argv[1]))
for step in range(20):
    store.append([position(step * 100 + n, step) for n in range(100)], [])
    print(step, flush=True)
os.kill(os.getpid(), 9)
"""


def crashed(folder: Path) -> Path:
    """A store whose process was killed right after its 20th append; its log."""
    done = subprocess.run([sys.executable, "-c", CRASH, str(folder)], capture_output=True, text=True, check=False)
    assert (-9, 20) == (done.returncode, len(done.stdout.split())), done.stderr
    return folder / "2026-11-01.duckdb.wal"


def test_a_killed_process_loses_no_append_that_returned(tmp_path: Path) -> None:
    """What only stood in the log is read again, by a reader as by the next writer."""
    assert crashed(tmp_path).exists()
    store = DuckTelemetry.open(tmp_path)
    assert 2_000 == len(store.series("p12", *EVER, 100_000))
    store.append([position(2_000, 20)], [])
    assert 2_001 == len(store.series("p12", *EVER, 100_000))
    store.close()


def test_a_damaged_log_is_set_aside_with_its_file(tmp_path: Path) -> None:
    """Neither part of it gets into the new file."""
    log = crashed(tmp_path)
    whole = log.read_bytes()
    inside_a_row = whole.index(b"e1-abc", len(whole) // 2)
    log.write_bytes(whole[:inside_a_row] + b"E" + whole[inside_a_row + 1 :])
    store = DuckTelemetry.open(tmp_path)
    store.append([position(5_000, 30)], [])
    assert [5_000] == [row.seq for row in store.series("p12", *EVER, 100_000)]
    store.close()
    asides = {path.name for path in tmp_path.glob("*.damaged")}
    assert {"2026-11-01.duckdb.damaged", "2026-11-01.duckdb.wal.damaged"} == asides


def test_an_orphaned_log_is_not_replayed_into_a_new_file(tmp_path: Path) -> None:
    """Where a file went and its log stayed, the log is kept under another name and the day begins empty."""
    crashed(tmp_path)
    dayfile.path_of(tmp_path, FIRST).unlink()
    store = DuckTelemetry.open(tmp_path)
    store.append([position(5_000, 30)], [])
    assert [5_000] == [row.seq for row in store.series("p12", *EVER, 100_000)]
    store.close()
    assert (tmp_path / "2026-11-01.duckdb.wal.damaged").exists()


def test_a_full_disk_is_retryable_and_leaves_no_part(tmp_path: Path) -> None:
    """The append that does not fit leaves neither positions nor inputs; once there is room it works."""
    with small_disk(tmp_path / "disk", 4096) as disk:
        store = DuckTelemetry.open(disk)
        store.append([position(1, 0)], [reading(2, 0)])
        filler = fill(disk, leave_bytes=200 * 1024)
        positions = [position(n, n, stream=f"s-{n * 7919}") for n in range(10, 5_010)]
        inputs = [reading(n, n, stream=f"s-{n * 7919}") for n in range(10_000, 15_000)]
        for _ in range(3):
            with pytest.raises(Retryable):
                store.append(positions, inputs)
            assert 1 == len(store.series("p12", *EVER, 100_000))
            assert 1 == len(store.inputs_of_unit("p12", "ignition", *EVER, 100_000))
        filler.unlink()
        store.append(positions, inputs)
        assert 5_001 == len(store.series("p12", *EVER, 100_000))
        store.close()
        store = DuckTelemetry.open(disk)
        assert 5_001 == len(store.inputs_of_unit("p12", "ignition", *EVER, 100_000))
        assert [] == store.set_aside
        store.close()


def test_a_second_owner_of_the_folder_is_refused(tmp_path: Path) -> None:
    """Two processes never share a folder: the second is told so at its start, and may come once the first is gone."""
    first = DuckTelemetry.open(tmp_path)
    with pytest.raises(Fatal, match="another process has telemetry's folder"):
        DuckTelemetry.open(tmp_path)
    first.close()
    DuckTelemetry.open(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_fatal(tmp_path: Path) -> None:
    """A file in its place is a thing for a person to mend."""
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(Fatal, match="give this user a folder there"):
        DuckTelemetry.open(tmp_path / "taken")


def test_another_programs_file_is_fatal_and_left_alone(tmp_path: Path) -> None:
    """A good database that holds no telemetry is neither written to nor set aside."""
    with dayfile.connect(dayfile.path_of(tmp_path, FIRST), read_only=False) as connection:
        connection.execute("CREATE TABLE other(x INTEGER)")
    store = DuckTelemetry.open(tmp_path)
    with pytest.raises(Fatal, match="does not hold telemetry"):
        store.latest()
    for _ in range(2):
        with pytest.raises(Fatal, match="does not hold telemetry"):
            store.append([position(1, 0)], [])
    assert [] == store.set_aside
    store.close()


def test_dropping_a_day_deletes_what_was_set_aside_of_it(tmp_path: Path) -> None:
    """Retention holds for damaged files and logs too, and for no file that is not ours."""
    filled(tmp_path, days=1, rows=1)
    for name in ("2026-11-01.duckdb.damaged", "2026-11-01.duckdb.wal.damaged", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    store = DuckTelemetry.open(tmp_path)
    store.drop_before(SECOND)
    store.close()
    assert {"notes.txt", "lock"} == {path.name for path in tmp_path.iterdir()}
