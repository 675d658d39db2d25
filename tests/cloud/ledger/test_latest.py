"""The latest crews, defects and the like of each unit and device: what a start reads instead of every event."""

from pathlib import Path

from cloud.ledger import Commit
from tests.cloud.ledger.samples import event, open_in


def test_the_latest_of_each_name_is_loaded(tmp_path: Path) -> None:
    """Of each unit, device and name the last that was committed, also within one commit, in the order of the events."""
    ledger = open_in(tmp_path)
    ledger.commit(
        Commit(
            events=[event(number) for number in range(1, 6)],
            latest=[
                ("p12", "d1", "crew", 1),
                ("p12", "d1", "crew", 2),
                ("p12", "d2", "crew", 3),
                ("p12", "d1", "x", 4),
            ],
        )
    )
    ledger.commit(Commit(latest=[("p12", "d1", "x", 5)]))
    ledger.close()
    ledger = open_in(tmp_path)
    assert [2, 3, 5] == [row.id for row in ledger.load().latest]
    ledger.close()
