"""The DuckDB adapter for frames: the port's suite, and what is its own: size, damage, a full disk, a crash."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from cloud.errors import Retryable
from cloud.telemetry import DuckFrames, FrameRow, Frames, Span, dayfile, duckframes
from cloud.telemetry.days import DayFiles
from tests.cloud.ledger.small_disk import fill, small_disk
from tests.cloud.telemetry.frames_conformance import DAY, DAY_US, START_US, FramesConformance, frame, span

BYTES_A_ROW = 25
"""What a frame may take once its day is over."""
BLOCKS = 2 * 256 * 1024
"""What DuckDB takes however little there is."""


class TestDuckFrames(FramesConformance):
    """The suite on DuckDB."""

    def open(self, folder: Path) -> Frames:
        """Open DuckDB files."""
        return DuckFrames.open(folder)


def moving(units: int, shown: int) -> list[FrameRow]:
    """A county that drives about for a while, each unit shown every five seconds."""
    return [
        FrameRow(
            f"unit-{unit:05}",
            START_US + turn * 5_000_000 + unit * 317,
            (turn * 7919 + unit * 104_729) % 5000,
            (turn * 104_729 + unit * 7919) % 6000,
            (unit * 31) % 200,
            2,
            510_000_000 + unit * 3_001 % 9_999_991 + turn * 9_001,
            -5_000_000 + unit * 7_919 % 9_999_991 - turn * 8_009,
            (turn * 37 + unit) % 3600,
            (turn * 1_013 + unit * 7) % 3000,
            (turn * 13 + unit) % 2000,
            (turn + unit) % 60,
            (turn * 977 + unit * 31) % 6000,
        )
        for turn in range(shown)
        for unit in range(units)
    ]


def test_a_frame_takes_few_bytes(tmp_path: Path) -> None:
    """A finished day takes at most 25 bytes a frame, all of them moving and none like another."""
    store = DuckFrames.open(tmp_path)
    rows = moving(500, 300)
    for start in range(0, len(rows), 10_000):
        store.append(rows[start : start + 10_000], Span(START_US, rows[start].shown_us))
    assert store.tidy(DAY + timedelta(days=1))
    assert 300 == len(store.of_unit("unit-00007", START_US, START_US + DAY_US))
    store.close()
    assert dayfile.path_of(tmp_path, DAY).stat().st_size - BLOCKS < BYTES_A_ROW * len(rows)


def test_a_damaged_day_is_set_aside(tmp_path: Path) -> None:
    """Of a day whose file is damaged nothing is known any more; the other days are, and it goes on."""
    store = DuckFrames.open(tmp_path)
    for day in range(2):
        store.append([frame("a", day * 86_400 + 5)], span(day * 86_400, day * 86_400 + 9))
    store.close()
    dayfile.path_of(tmp_path, DAY).write_bytes(b"not a database" * 1000)
    store = DuckFrames.open(tmp_path)
    assert store.span_at(START_US + 6_000_000) is None
    assert store.span_at(START_US + DAY_US + 6_000_000) is not None
    assert 1 == len(store.set_aside)
    store.append([frame("a", 20)], span(20, 21))
    assert [frame("a", 20)] == store.of_unit("a", START_US, START_US + DAY_US)
    store.close()


def test_a_full_disk_refuses_and_heals(tmp_path: Path) -> None:
    """While the disk is full an append raises and nothing of it is there; once there is room it goes in as it is."""
    with small_disk(tmp_path / "disk", 4096) as disk:
        store = DuckFrames.open(disk)
        store.append([frame("a", 1)], span(0, 2))
        filler = fill(disk, leave_bytes=8 * 1024)
        many = [frame(f"u{number}", 3 + number / 5000) for number in range(5000)]
        for _ in range(2):
            with pytest.raises(Retryable):
                store.append(many, span(0, 5))
            assert store.span_at(START_US + 4_000_000) is None
        filler.unlink()
        store.append(many, span(0, 5))
        assert 5001 == len(store.shown_at(START_US + 5_000_000, span(0, 5)))
        store.close()


def test_a_day_that_cannot_be_tidied_stays_as_it_is(tmp_path: Path) -> None:
    """Where the disk has no room for the copy the day is read as before, and tidied once there is."""
    with small_disk(tmp_path / "disk", 4096) as disk:
        store = DuckFrames.open(disk)
        store.append(moving(200, 100), Span(START_US, START_US + DAY_US - 1))
        store.append([], span(86_400, 86_401))
        filler = fill(disk, leave_bytes=64 * 1024)
        with pytest.raises(Retryable):
            store.tidy(DAY + timedelta(days=1))
        assert 100 == len(store.of_unit("unit-00003", START_US, START_US + DAY_US))
        filler.unlink()
        assert store.tidy(DAY + timedelta(days=1))
        assert 100 == len(store.of_unit("unit-00003", START_US, START_US + DAY_US))
        store.close()


def test_what_a_crash_left_in_a_log_is_tidied_too(tmp_path: Path) -> None:
    """A day whose last rows are still in its log, as a crash leaves them, loses none of them."""
    store = DuckFrames.open(tmp_path / "before")
    store.append([frame("a", 1)], span(0, 2))
    after = tmp_path / "after"
    after.mkdir()
    for path in (tmp_path / "before").glob("2026*"):
        (after / path.name).write_bytes(path.read_bytes())
    store.close()
    assert dayfile.log_bytes(dayfile.path_of(after, DAY)) > 0
    store = DuckFrames.open(after)
    assert store.tidy(date(2026, 11, 2))
    assert [frame("a", 1)] == store.of_unit("a", START_US, START_US + DAY_US)
    assert 0 == dayfile.log_bytes(dayfile.path_of(after, DAY))
    store.close()


def test_what_is_shown_while_a_day_is_written_anew_is_not_lost(tmp_path: Path) -> None:
    """Where an append comes between the copy and its taking the place, the copy is dropped, and a later one has all."""
    days = DayFiles(tmp_path, 3, duckframes._CREATIONS)
    store = DuckFrames(days)
    store.append([frame("a", 1)], span(0, 2))

    def copy_and_append(cursor: duckdb.DuckDBPyConnection) -> None:
        duckframes._put_in_order(cursor)
        store.append([frame("b", 3)], span(0, 4))

    days.query(DAY, "CHECKPOINT")  # with an empty log the file stays open for writing
    assert not days.rewrite(DAY, copy_and_append)
    assert [frame("b", 3)] == store.of_unit("b", START_US, START_US + DAY_US)
    assert store.tidy(DAY + timedelta(days=1))
    assert 2 == len(store.shown_at(START_US + 5_000_000, span(0, 5)))
    store.close()
