"""Full and damaged disks, in short. `tests.chaos.proof` runs the same at length."""

import pytest

from tests.chaos import disks
from tests.chaos.filesystems import MountRefused
from tests.chaos.verdict import Figures
from tests.programs import give_up

COUNT, SEED = 15, 20261103


@pytest.fixture(scope="module")
def figures() -> Figures:
    """What a short proof finds. Where mounting is not permitted it is skipped; in CI it fails."""
    try:
        return disks.prove(COUNT, SEED, lambda line: None)
    except MountRefused as error:
        give_up(f"no file system can be mounted here (it needs root): {error}")


def test_full_and_damaged_disks_lose_nothing_that_was_confirmed(figures: Figures) -> None:
    """What was confirmed is delivered once and in order, but for presses whose own bytes were spoilt."""
    assert figures.verdict.holds
    assert figures.verdict.confirmed > COUNT and COUNT == figures.faults == sum(figures.phases.values())
    assert {name for name, _ in disks.ROUNDS} == figures.phases.keys()


def test_the_disks_were_really_full(figures: Figures) -> None:
    """With no byte free presses went on being confirmed for a while, and then were told to be not stored."""
    assert figures.detail["outbox_presses_confirmed_while_full"] > 0
    assert figures.detail["outbox_presses_refused_while_full"] > 0


def test_the_files_were_really_damaged(figures: Figures) -> None:
    """Some damage made a file be set aside by name, and destroyed presses; others survived it."""
    assert figures.detail["damaged_files_set_aside"] > 0
    assert 0 < figures.detail["damaged_presses_destroyed"] < figures.detail["damaged_presses_due"]
