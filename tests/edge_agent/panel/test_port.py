"""What the page's requests may say."""

from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from edge_agent.panel.port import CrewForm, DefectForm, TurnOutForm
from edge_agent.state.events import Crew, Defect, Stamp, crew_event, defect_event
from edge_agent.turnout.events import turnout_event
from wire import codec
from wire.events import Event

STAMP = Stamp(at=datetime(2026, 11, 3, tzinfo=UTC), clock="none", boot=1, mono_ms=1)
LENGTHS = range(600)
FormT = TypeVar("FormT", bound=msgspec.Struct)


def longest(kind: type[FormT], field: str, **rest: object) -> FormT:
    """The form with as long a word in `field` as it takes."""
    taken: list[FormT] = []
    for length in LENGTHS:
        try:
            taken.append(msgspec.convert({**rest, field: "x" * length}, kind))
        except msgspec.ValidationError:
            continue
    return taken[-1]


def events() -> list[Event]:
    """The events of the longest requests."""
    crew = longest(CrewForm, "commander", unit="a1", on=True)
    text = longest(DefectForm, "text", unit="a1", what="pump")
    what = longest(DefectForm, "what", unit="a1")
    out = longest(TurnOutForm, "text", units=["a1"])
    said = Crew(unit=crew.unit, on=crew.on, riders=crew.riders, commander=crew.commander)
    defects = [
        Defect(unit=one.unit, what=one.what, off_the_run=one.off_the_run, raised=one.raised, text=one.text)
        for one in (text, what)
    ]
    order = "00000000-0000-4000-8000-000000000001"
    return [
        crew_event(STAMP, said, seq=1),
        *(defect_event(STAMP, one, seq=1) for one in defects),
        turnout_event(STAMP, order, out.units, out.text, seq=1),
    ]


def test_what_a_request_may_say_its_event_may_carry() -> None:
    """The longest request that the page's server takes makes an event that control does not refuse."""
    found = [codec.decode_event(codec.encode(event)) for event in events()]
    assert [] == [one.detail for one in found if isinstance(one, codec.Rejected)]
