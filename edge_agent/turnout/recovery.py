"""What must not be done again once the journal was damaged. Pure."""

from collections.abc import Iterable

from edge_agent.station.layout import Layout
from edge_agent.station.words import Call, Journaled
from edge_agent.turnout.lines import FINAL, is_final


def doubtful(rows: Iterable[Journaled], layout: Layout) -> list[Journaled]:
    """Give a row `unknown` for each door of an order that a damaged journal still holds open.

    The row which said that the door was opened may be what was damaged: it must not be opened for that order again.
    """
    known = {(row.order, row.revision, row.step): row for row in rows}
    calls = [row.call for row in known.values() if row.call is not None and not is_final(row)]
    return [
        Journaled(order=call.order, revision=call.revision, step=step, outcome="unknown", reason="journal_damaged")
        for call in calls
        for step in _doors_of(call, layout)
        if (row := known.get((call.order, call.revision, step))) is None or row.outcome not in FINAL
    ]


def _doors_of(call: Call, layout: Layout) -> list[str]:
    called = {each.unit for each in call.units}
    return [step for step, door in layout.doors_by_step.items() if called.intersection(door.units)]
