"""What is broken on purpose is seen: each defence has a mutation, and the scenarios catch it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.mutants import ROOT, Mutation, Unfit, apply_patch, broken_copy, catch, copy_source, load_mutations

MUTATIONS = load_mutations()
DEMANDED = {
    "trust the PUBACK": "trust-the-puback",
    "acknowledge before commit, by the lamp": "lamp-before-commit",
    "acknowledge before commit, by the settle": "settle-before-commit",
    "order by clock": "order-by-clock",
    "reset the sequence": "reset-the-sequence",
    "drop deduplication": "drop-deduplication",
    "last writer wins": "last-writer-wins",
    "renew freshness on backlog": "renew-on-backlog",
    "receipt is recency": "receipt-is-recency",
    "watermark blocks": "watermark-blocks",
    "fork accepted": "fork-accepted",
}
"""What must be caught at the least, by the patch that makes that mistake."""
QUICK = ("lamp-before-commit", "new-process-believes")
"""Caught within the first few seeds."""
QUICK_SEEDS = range(8)
REPLAY_S = 120.0


def named(name: str) -> Mutation:
    """The mutation of that name."""
    return next(one for one in MUTATIONS if one.name == name)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source as it is."""
    folder = tmp_path_factory.mktemp("sound")
    copy_source(ROOT, folder)
    return folder


@pytest.fixture(autouse=True, scope="module")
def git(require_program: Callable[[str], Path]) -> None:
    """Patches are applied by git."""
    require_program("git")


def test_every_demanded_mistake_is_made() -> None:
    """Each mistake that the scenarios must catch has a patch that makes it."""
    assert set() == set(DEMANDED.values()) - {one.name for one in MUTATIONS}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_patch_says_what_it_breaks_and_fits(mutation: Mutation, sound: Path) -> None:
    """Each patch begins with a sentence that says what it breaks, and applies to the source as it is now."""
    assert mutation.breaks.endswith(".") and len(mutation.breaks) > 30

    apply_patch(mutation, sound, only_check=True)


def test_a_patch_that_does_not_fit_is_refused(sound: Path, tmp_path: Path) -> None:
    """A patch for another source raises, and says which patch it is: it never counts as tried."""
    astray = tmp_path / "astray.patch"
    text = MUTATIONS[0].path.read_text(encoding="utf-8")
    astray.write_text(text.replace("\n-  ", "\n-  never there "), encoding="utf-8")

    with pytest.raises(Unfit, match="astray.patch does not apply"):
        apply_patch(Mutation("astray", "It is of another source.", astray), sound, only_check=True)


def test_the_broken_copy_is_what_runs(sound: Path) -> None:
    """A copy differs from the source where its patch says so, and leaves the source as it was."""
    mutation = named("lamp-before-commit")
    with broken_copy(sound, mutation) as broken:
        assert (sound / "edge_agent/agent.py").read_bytes() != (broken / "edge_agent/agent.py").read_bytes()

    assert (ROOT / "edge_agent/agent.py").read_bytes() == (sound / "edge_agent/agent.py").read_bytes()


def test_a_sound_copy_is_not_accused(sound: Path) -> None:
    """Where nothing is broken nothing is caught."""
    assert catch(sound, sound, range(2), jobs=1) is None


@pytest.mark.parametrize("name", QUICK)
def test_a_mistake_is_caught_and_its_seed_replays(name: str, sound: Path) -> None:
    """The scenarios catch the mistake, and one command plays the seed that did again, to the same verdict."""
    with broken_copy(sound, named(name)) as broken:
        failed = catch(sound, broken, QUICK_SEEDS, jobs=2)
        assert failed is not None, f"{name} survived {len(QUICK_SEEDS)} seeds"
        replayed = subprocess.run(
            [sys.executable, "-m", "simulator.explore", "--replay", str(failed.seed)],
            cwd=broken,
            env={**os.environ, "PYTHONPATH": str(broken)},
            capture_output=True,
            text=True,
            timeout=REPLAY_S,
            check=False,
        )

    rule = failed.what.partition(":")[0]
    assert f"VIOLATION  {rule}: " in replayed.stdout
    assert 1 == replayed.returncode
