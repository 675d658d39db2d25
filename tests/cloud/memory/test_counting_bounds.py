"""Figures of a whole county's month are counted without holding it."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from cloud.figures import Statistics
from cloud.ledger import BoardLine, Ledger
from cloud.memory.counting import Asked, Counting
from tests.cloud.memory.keep import BEGIN, Keep

AT_ONCE_MAX = 5
"""Units: at 200 lines a day of 1 KB each, a month of them is about 30 MB."""


class Noting(Ledger):
    """A ledger that notes of how many units it was asked at once."""

    asked: list[int]

    def board_lines(self, units: Collection[str], since: datetime, until: datetime) -> list[BoardLine]:
        """Note it, and answer."""
        self.asked.append(len(units))
        return super().board_lines(units, since, until)


def test_a_county_is_read_a_few_units_at_a_time(tmp_path: Path) -> None:
    """Whatever the number of units, the lines of only a few are in memory at a time, and each unit is counted."""
    keep = Keep(tmp_path)
    for number in range(30):
        keep.show(BEGIN, f"of-old-{number}", organisation="kp")
    keep.known(BEGIN, BEGIN + timedelta(hours=1))
    ledger = Noting.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.asked = []
    asked = Asked(scope="organisation", id="kp", since=BEGIN, until=BEGIN + timedelta(hours=1), now=BEGIN)
    found = asyncio.run(Counting(keep.in_force, ledger, keep.frames).count(asked))
    ledger.close()
    keep.close()
    assert isinstance(found, Statistics) and found.units >= 30
    assert max(ledger.asked) <= AT_ONCE_MAX < sum(ledger.asked)
