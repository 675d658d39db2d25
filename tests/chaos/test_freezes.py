"""Processes that stand still for a while and go on: nothing is lost, and nothing that aged meanwhile is fresh."""

import asyncio

from tests.chaos.freezes import freeze

SEED = 16


def test_freezes_lose_no_press_and_show_nothing_stale_as_fresh() -> None:
    """While agents, broker and cloud are frozen in turn, each confirmed press gets to the ledger once and in order.

    A unit whose device is frozen for longer than its threshold is shown as late within 2 s, and what a thawed cloud
    says first calls nothing fresh that aged meanwhile.
    """
    figures = asyncio.run(freeze(6, SEED, "mosquitto", agents=4))
    assert figures.verdict.holds, figures
    assert figures.verdict.confirmed >= 6, figures
    assert figures.detail["late_shown"] >= 1, figures
