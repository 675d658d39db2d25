"""Power cuts on a real file system, in short. `tests.chaos.proof` runs the same at length."""

from pathlib import Path

import pytest

from edge_agent.outbox import OutboxFile
from tests.chaos import cuts
from tests.chaos.accounts import LedgerAccount, OutboxAccount, Tally, Wrong
from tests.chaos.filesystems import MountRefused
from tests.chaos.jobs import press
from tests.chaos.verdict import Figures
from tests.cloud.ledger import samples
from tests.programs import give_up

COUNT, SEED = 48, 20261103


@pytest.fixture(scope="module")
def figures() -> Figures:
    """What a short proof finds. Where mounting is not permitted it is skipped; in CI it fails."""
    try:
        return cuts.prove(COUNT, SEED, lambda line: None)
    except MountRefused as error:
        give_up(f"no file system can be mounted here (it needs root): {error}")


def test_a_power_cut_loses_nothing_that_was_confirmed(figures: Figures) -> None:
    """Whenever the power goes, each confirmed event is there afterwards, once and in order, in outbox and ledger."""
    assert figures.verdict.holds
    assert figures.verdict.confirmed > COUNT and COUNT == figures.faults == sum(figures.phases.values())
    assert {"outbox, idle after a commit", "ledger, idle after a commit", "outbox, take-over"} <= figures.phases.keys()


def test_the_lab_sees_a_loss(figures: Figures) -> None:
    """The same cut to plain SQLite loses rows with settings that are not durable, and none with those that are."""
    assert figures.detail["baseline_delete_full_rows_lost"] > 0
    assert figures.detail["baseline_wal_normal_rows_lost"] > 0
    assert figures.detail["baseline_wal_full_rows_lost"] == 0


def confirmed_twice(folder: Path) -> tuple[OutboxAccount, OutboxFile]:
    """An account of two confirmed presses, and the outbox with the first of them alone."""
    account = OutboxAccount(folder, Tally(), first=1)
    for number in (1, 2):
        account.note(["try", "status", str(number)])
        account.note(["stored", "status", str(number)])
    file = OutboxFile(folder / "outbox.db", "e1")
    file.append("status", [press(1)])
    return account, file


def test_the_audit_misses_a_press(tmp_path: Path) -> None:
    """A press that was confirmed and is not in the file is counted as lost, and its status is missed as well."""
    account, file = confirmed_twice(tmp_path)
    with pytest.raises(Wrong, match="current status"):
        account.audit()
    file.append("status", [press(3)])
    file.close()
    account.note(["try", "status", "3"])
    account.audit()
    assert account._tally.lost == 1


def test_the_audit_sees_a_press_that_comes_again(tmp_path: Path) -> None:
    """A press that is in the file twice, the second time after a later one, is counted as doubled and out of order."""
    account, file = confirmed_twice(tmp_path)
    file.append("status", [press(2), press(1)], standing=False)
    file._db.execute("UPDATE current SET code = 'C2'")
    file.close()
    account.audit()
    assert (0, 1, 1) == (account._tally.lost, account._tally.twice, account._tally.out_of_order)


def test_the_audit_sees_what_was_settled_come_back(tmp_path: Path) -> None:
    """A press that was settled and is still in the file counts as doubled."""
    account, file = confirmed_twice(tmp_path)
    file.append("status", [press(2)])
    file.close()
    account.note(["settling", "status", "1"])
    account.note(["settled", "status", "1"])
    account.audit()
    assert account._tally.twice == 1


def test_the_audit_sees_a_watermark_without_its_events(tmp_path: Path) -> None:
    """A ledger whose watermark is ahead of its events, or behind, contradicts itself."""
    ledger = samples.open_in(tmp_path)
    ledger.commit(samples.press(1, None))
    ledger.close()
    account = LedgerAccount(tmp_path, Tally())
    account.note(["try", "event", "1", "1"])
    with pytest.raises(Wrong, match="in step"):
        account.audit()
