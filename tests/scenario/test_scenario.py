"""The real agent, ingest and fleet under a virtual clock, as a person explores them: by the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEEDS = 200
JOBS = 2
EXPLORED_S = 1_200.0
"""Far above what these seeds take on two busy cores."""
SWAPPED_CARDS = 3
CLONES = 22
"""Seeds whose stories depend on the order in which units, devices and streams are gone through."""
COPY_LEFT_ALONE = 779
"""Two copies of a card are asked for a new stream at once; then the one that speaks in the newer is taken away."""


def run_explore(*arguments: str, hash_seed: int = 0) -> subprocess.CompletedProcess[str]:
    """What the command prints, and its exit code. Each `hash_seed` is another order of every set of texts."""
    command = [sys.executable, "-m", "simulator.explore", *arguments]
    return subprocess.run(
        command,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        timeout=EXPLORED_S,
        check=False,
    )


def read_story(seed: int, hash_seed: int = 0) -> list[str]:
    """A seed's story, line by line."""
    return run_explore("--replay", str(seed), hash_seed=hash_seed).stdout.splitlines()


def test_every_seed_holds() -> None:
    """Through two hundred seeds of faults nothing is lost, nothing stale is shown as live, and all comes to agree."""
    done = run_explore("--seeds", str(SEEDS), "--jobs", str(JOBS))
    assert done.stdout, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])

    assert (SEEDS, 0, []) == (figures["seeds"], figures["violations"], figures["failed_seeds"]), done.stdout
    assert 0 == done.returncode
    assert figures["confirmed"] > 10 * SEEDS, "hardly anybody pressed: nothing was proved"


@pytest.mark.parametrize("seed", [SWAPPED_CARDS, CLONES])
def test_a_seed_is_one_story(seed: int) -> None:
    """The same seed tells the same story to the last line, whichever process plays it: a failure can be replayed."""
    first, *others = (read_story(seed, hash_seed) for hash_seed in range(4))

    assert len(first) > 100, "a story with hardly a line proves nothing"
    for other in others:
        assert first == other


def test_a_copy_that_is_left_alone_is_live_within_a_minute() -> None:
    """What an older copy says counts again soon after the newer one is gone: its unit is not shown as lost for long."""
    told = read_story(COPY_LEFT_ALONE)

    assert json.loads(told[-1]) == {"seed": COPY_LEFT_ALONE, "violations": 0}, told[-2]


def test_two_seeds_are_two_stories() -> None:
    """Another seed tells another story."""
    assert read_story(SWAPPED_CARDS) != read_story(CLONES)
