"""The short form of the kills that `make proof` does a thousand times, and broken copies that it sees through."""

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from tests.chaos.kills import PHASES, Deck, prove, run_kills
from tests.chaos.lab import ROOT
from tests.programs import require_program

KILLS = 32
MUTANT_KILLS = 16
SEEDS = range(1, 9)
"""A broken copy is to be caught with one of these."""


def quiet(_: str) -> None:
    """Say nothing."""


def test_no_press_is_lost_to_kills() -> None:
    """Agent, broker and cloud are killed in every phase of a press: what a lamp confirmed is there, once, in order."""
    require_program("mosquitto")
    figures = prove(KILLS, 1, quiet)
    assert figures.verdict.holds
    assert figures.faults >= KILLS
    assert figures.verdict.confirmed >= KILLS // 2
    assert all(figures.phases[phase] > 0 for phase in PHASES)
    assert all(figures.detail[f"kills of {victim}"] > 0 for victim in ("agent", "broker", "cloud"))
    assert [0, 0, 0] == [figures.detail[key] for key in ("gaps recorded", "events refused", "outboxes set aside")]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        pytest.param(
            "edge_agent/agent.py",
            '            stored = await self._keeper.append("status", [draft]',
            "            self._lamps.press(lamp, 10**9, self._clock.monotonic())\n"
            "            await self._clock.sleep(0.02)\n"
            '            stored = await self._keeper.append("status", [draft]',
            id="the lamp before a commit in groups",
        ),
        pytest.param(
            "edge_agent/outbox/file.py",
            "        return Batch(queue, rows[0][0], ends.base, tuple(events))",
            "        self._forget(queue, rows[len(events) - 1][0], rows[len(events) - 1][2])\n"
            "        return Batch(queue, rows[0][0], ends.base, tuple(events))",
            id="sent is stored",
        ),
    ],
)
def test_a_broken_copy_is_found_out(path: str, old: str, new: str, tmp_path: Path) -> None:
    """Where a defence is taken away, presses that a lamp had confirmed are missing, and the same lab says so."""
    require_program("mosquitto")
    source = copy_source(tmp_path / "source")
    text = (source / path).read_text(encoding="utf-8")
    assert 1 == text.count(old)
    (source / path).write_text(text.replace(old, new), encoding="utf-8")
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        if asyncio.run(run_kills(folder, MUTANT_KILLS, seed, quiet, source=source)).verdict.lost > 0:
            return
    pytest.fail("not found out")


def copy_source(folder: Path) -> Path:
    """A copy of what the two commands run."""
    for package in ("wire", "edge_agent", "cloud"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_blows_are_dealt_until_every_phase_has_its_share() -> None:
    """A run of kills that all miss the phases goes on with blows that aim at them, but not for ever."""
    deck = Deck(100, random.Random(1))
    first = [deck.deal() for _ in range(deck.count)]
    assert {"agent", "broker", "cloud"} == {blow.victim for blow in first if blow}
    deck.hits["agent", "before commit"] = deck.hits["agent", "commit to send"] = deck.hits["cloud", "after settle"] = 2
    assert {"ledger to settle"} == {blow.aim for _ in range(10) if (blow := deck.deal())}
    deck.hits["broker", "ledger to settle"] = 2
    assert deck.deal() is None
