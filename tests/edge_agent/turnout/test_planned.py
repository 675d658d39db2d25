"""Control is told, with the acceptance, what it waits for."""

from edge_agent.state.events import Stamp
from edge_agent.station.words import Record
from edge_agent.turnout.events import STEPS_MAX, receipt_event
from tests.edge_agent.station.lab import FIRE
from tests.edge_agent.station.lab import Lab as Station
from tests.edge_agent.turnout.lab import AT, call, row

STAMP = Stamp(at=AT, clock="ntp", boot=1, mono_ms=5)


def test_the_acceptance_names_every_level_that_starts_at_once() -> None:
    """Sounders, lights, cooker and indicators of the call; no door or exit signal, which wait for people."""
    first = Station().call(FIRE)[0]
    assert isinstance(first, Record)
    receipt = receipt_event(STAMP, first.row, seq=1)
    assert {"sounder:fire", "sounder:mess", "light:fire", "cooker:mess", "indicator:fire-1"} <= set(receipt.steps)
    assert not any(step.startswith(("door:", "exit:")) for step in receipt.steps)


def test_only_the_acceptance_names_them_and_within_bounds() -> None:
    """The order's last word carries no plan, and a plan is cut at what the wire takes."""
    long = call(planned=tuple(f"light:l{number}" for number in range(STEPS_MAX + 5)))
    assert [] == receipt_event(STAMP, row(outcome="done", call=long), seq=1).steps
    assert STEPS_MAX == len(receipt_event(STAMP, row(call=long), seq=1).steps)
