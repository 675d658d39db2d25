"""The short form of the kills in mid-mobilisation, and broken copies that it sees through."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.mobilisations import prove, run_mobilisations
from tests.chaos.test_kills import copy_source, quiet

KILLS = 12
MUTANT_KILLS = 14
SEEDS = range(1, 5)
"""A broken copy is to be caught with one of these."""


def test_kills_double_no_door_and_silence_no_alert() -> None:
    """Killed twelve times: no door opens twice for an order, alerts sound again, and every revision has its end."""
    figures = prove(KILLS, 1, quiet)
    assert figures.verdict.holds, figures
    assert figures.faults >= KILLS
    assert figures.detail["sounded again"] > 0 and figures.detail["doors opened"] > 0
    assert figures.phases["door begun"] > 0 and figures.phases["alerting"] > 0


@pytest.mark.parametrize(
    ("path", "old", "new", "shows"),
    [
        pytest.param(
            "edge_agent/turnout/carrier.py",
            "            if rows:\n",
            "            if isinstance(effect, Pulse):\n"
            "                self._do(effect)\n"
            "                await asyncio.sleep(0.05)\n"
            "                told += await self.commit(rows, particulars)\n"
            "                rows = []\n"
            "                continue\n"
            "            if rows:\n",
            "twice",
            id="the journal after the pulse, in groups",
        ),
        pytest.param(
            "edge_agent/turnout/runner.py",
            "machine.begin(self._layout, self._journal.rows,",
            "machine.begin(self._layout, [],",
            "lost",
            id="a restart that begins with nothing",
        ),
    ],
)
def test_a_broken_copy_is_found_out(path: str, old: str, new: str, shows: str, tmp_path: Path) -> None:
    """Where a defence is taken away, the same lab says so, and says what it cost."""
    source = copy_source(tmp_path / "source")
    text = (source / path).read_text(encoding="utf-8")
    assert 1 == text.count(old)
    (source / path).write_text(text.replace(old, new), encoding="utf-8")
    for seed in SEEDS:
        figures = asyncio.run(run_mobilisations(tmp_path / str(seed), MUTANT_KILLS, seed, quiet, source=source))
        if getattr(figures.verdict, shows) > 0:
            return
    pytest.fail("not found out")
