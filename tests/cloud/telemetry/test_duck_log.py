"""A day's log: what waits there for a checkpoint is durable, costs nothing when there is no room, and stays short."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from cloud.errors import Retryable
from cloud.telemetry import DuckTelemetry, dayfile
from simulator.scenario.machine import no_room
from tests.cloud.ledger.small_disk import fill, small_disk
from tests.cloud.telemetry.samples import EVER, position

FIRST = date(2026, 11, 1)


def test_a_new_day_on_a_full_disk_leaves_nothing_half_made(tmp_path: Path) -> None:
    """A file that could not be made is not taken for a damaged one later."""
    with small_disk(tmp_path / "disk", 2048) as disk:
        store = DuckTelemetry.open(disk)
        filler = fill(disk, leave_bytes=8 * 1024)
        for _ in range(2):
            with pytest.raises(Retryable):
                store.append([position(1, 0)], [])
        filler.unlink()
        store.append([position(1, 0)], [])
        assert ([position(1, 0)], []) == (store.latest(), store.set_aside)
        store.close()


def test_a_checkpoint_that_does_not_fit_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log at its bound on a disk too full to empty it goes on growing; every append that returned is there."""
    monkeypatch.setattr(dayfile, "LOG_BYTES_MAX", 100 * 1024)
    appended = 0
    with small_disk(tmp_path / "disk", 2048) as disk:
        store = DuckTelemetry.open(disk)
        with pytest.raises(Retryable):
            for step in range(1_000):
                rows = [position(step * 500 + n, step, stream=f"s-{step}-{n * 7919}") for n in range(500)]
                store.append(rows, [])
                appended += 500
        assert appended == len(store.series("p12", *EVER, 1_000_000))
        store.close()
        store = DuckTelemetry.open(disk)
        assert appended == len(store.series("p12", *EVER, 1_000_000))
        store.close()
    assert appended > 500


def test_a_checkpoint_does_not_take_the_last_of_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it might not fit it is not begun: what room there is belongs to the records, the ledger's first."""
    monkeypatch.setattr(dayfile, "LOG_BYTES_MAX", 50 * 1024)
    room = 100 * 1024
    with small_disk(tmp_path / "disk", 2048) as disk:
        store = DuckTelemetry.open(disk)
        store.append([position(0, 0)], [])
        fill(disk, leave_bytes=room)
        store.append([position(n, n, stream=f"s-{n * 7919}") for n in range(1, 500)], [])
        log = dayfile.log_bytes(dayfile.path_of(disk, FIRST))
        assert log > dayfile.LOG_BYTES_MAX
        left = os.statvfs(disk)
        assert left.f_bavail * left.f_frsize > room - log - 16 * 1024
        assert 500 == len(store.series("p12", *EVER, 1_000))
        store.close()


def test_a_long_log_is_moved_into_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log never stays above its bound while there is room."""
    monkeypatch.setattr(dayfile, "LOG_BYTES_MAX", 100 * 1024)
    store = DuckTelemetry.open(tmp_path)
    for step in range(20):
        store.append([position(step * 500 + n, step, stream=f"s-{n * 7919}") for n in range(500)], [])
        assert dayfile.log_bytes(dayfile.path_of(tmp_path, FIRST)) < 100 * 1024
    assert 10_000 == len(store.series("p12", *EVER, 1_000_000))
    store.close()


def test_many_small_writes_are_moved_into_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of a few writes too many is moved into the file however short it is: each costs when it is opened again."""
    monkeypatch.setattr(dayfile, "LOG_WRITES_MAX", 4)
    store = DuckTelemetry.open(tmp_path)
    logs = []
    for step in range(9):
        store.append([position(step, step)], [])
        logs.append(dayfile.log_bytes(dayfile.path_of(tmp_path, FIRST)))
    assert [False, False, False, True] * 2 + [False] == [log == 0 for log in logs]
    assert 9 == len(store.series("p12", *EVER, 1_000))
    store.close()


def test_what_a_crash_left_in_the_log_is_in_the_file_once_it_is_written_to(tmp_path: Path) -> None:
    """Whoever crashes often doesn't read an ever longer log: the first write of a new process empties it."""
    store = DuckTelemetry.open(tmp_path / "old")
    store.append([position(n, n, stream=f"s-{n * 7919}") for n in range(500)], [])
    shutil.copytree(tmp_path / "old", tmp_path / "new")  # as a killed process leaves it
    store.close()
    left = dayfile.log_bytes(dayfile.path_of(tmp_path / "new", FIRST))

    store = DuckTelemetry.open(tmp_path / "new")
    store.append([position(500, 500)], [])
    assert dayfile.log_bytes(dayfile.path_of(tmp_path / "new", FIRST)) < left / 10
    assert 501 == len(store.series("p12", *EVER, 1_000))
    store.close()


def test_a_crashed_log_on_a_full_disk_waits_there(tmp_path: Path) -> None:
    """Where a file takes nothing more, what is in the log can't be moved: it is tried again, and nothing is lost."""
    store = DuckTelemetry.open(tmp_path / "old")
    store.append([position(n, n, stream=f"s-{n * 7919}") for n in range(500)], [])
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    store.close()

    store = DuckTelemetry.open(tmp_path / "new")
    for _ in range(2):
        with no_room(), pytest.raises(Retryable):
            store.append([position(500, 500)], [])
    assert 500 == len(store.series("p12", *EVER, 1_000))
    store.append([position(500, 500)], [])
    assert (501, []) == (len(store.series("p12", *EVER, 1_000)), store.set_aside)
    store.close()
