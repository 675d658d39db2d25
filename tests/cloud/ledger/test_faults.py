"""A full disk and a killed process cost nothing that was committed."""

import subprocess
import sys
from pathlib import Path

import pytest

from cloud.errors import Retryable
from cloud.ledger import Commit, opening
from tests.cloud.ledger.samples import event, open_in, press, watermark
from tests.cloud.ledger.small_disk import fill, small_disk


def test_a_full_disk_is_retryable_and_heals(tmp_path: Path) -> None:
    """The commit that does not fit leaves nothing, reads go on, and the same commit works once there is room."""
    big = Commit(events=[event(n, body=b"x" * 4_000) for n in range(2, 400)], watermarks=[watermark(399)])
    with small_disk(tmp_path / "disk", 4096) as disk:
        ledger = open_in(disk)
        ledger.commit(press(1, None))
        filler = fill(disk, leave_bytes=64 * 1024)
        for _ in range(2):
            with pytest.raises(Retryable, match="full"):
                ledger.commit(big)
        loaded = ledger.load()
        assert (2, [watermark(1)]) == (loaded.next_event_id, loaded.watermarks)
        filler.unlink()
        ledger.commit(big)
        ledger.close()
        ledger = open_in(disk)
        assert (400, [watermark(399)]) == (ledger.load().next_event_id, ledger.load().watermarks)
        ledger.close()


def test_a_first_start_on_a_full_disk_is_retryable(tmp_path: Path) -> None:
    """Nothing half made is left under the ledger's name, and the next start works."""
    with small_disk(tmp_path / "disk", 1024) as disk:
        filler = fill(disk, leave_bytes=16 * 1024)
        with pytest.raises(Retryable):
            open_in(disk)
        assert not (disk / "ledger.db").exists()
        filler.unlink()
        ledger = open_in(disk)
        ledger.commit(press(1, None))
        ledger.close()


def test_a_killed_process_loses_no_commit_it_reported(tmp_path: Path) -> None:
    """After `kill -9` in the middle of its work, every press that was reported is there with its watermark."""
    command = [sys.executable, "-m", "tests.cloud.ledger.presser", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as presser:
        assert presser.stdout is not None
        reported = [int(presser.stdout.readline()) for _ in range(50)]
        presser.kill()
        reported += [int(line) for line in presser.stdout]
    ledger = open_in(tmp_path)
    loaded = ledger.load()
    history = [row.id for row in ledger.events_of("p12", None, 100_000)]
    ledger.close()
    stored = loaded.next_event_id - 1
    assert stored in (reported[-1], reported[-1] + 1)
    assert [watermark(stored)] == loaded.watermarks
    assert list(range(stored, 0, -1)) == history


def test_a_ledger_that_another_writer_holds_is_retryable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that never lets go makes commits fail in time, to be tried again; afterwards they work."""
    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))
    mine = open_in(tmp_path)
    other = open_in(tmp_path)
    with other._writing() as connection:
        connection.exec_driver_sql("UPDATE counter SET value = value")
        with pytest.raises(Retryable, match="locked"):
            mine.commit(press(1, None))
    mine.commit(press(1, None))
    assert 2 == other.load().next_event_id
    mine.close()
    other.close()
