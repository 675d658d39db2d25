"""The short form of the cuts, in real time."""

import asyncio

import pytest

from tests.brokers import Kind
from tests.chaos.islands import cut_off
from tests.programs import require_program

CUT_S = 8.0


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_a_station_goes_on_while_the_wan_is_down(kind: Kind) -> None:
    """Seconds without an answer from the broker: people and plant go on, and the ledger then has all that they did."""
    if kind == "mosquitto":
        require_program("mosquitto")
    said: list[str] = []

    figures = asyncio.run(cut_off(kind, CUT_S, "1", said.append))

    assert [] == said
    assert figures.verdict.holds
    assert figures.faults > 5 and figures.detail["turnouts by hand"] > 0
