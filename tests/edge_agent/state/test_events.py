"""Events as the device drafts them: what was read goes in whole, and the wire takes every one of them."""

from datetime import UTC, datetime

import msgspec
import pytest

from edge_agent.decode.readings import Fix, InputValue
from edge_agent.state.events import (
    Crew,
    Defect,
    Stamp,
    crew_event,
    defect_event,
    emergency_event,
    input_event,
    position_event,
    status_event,
)
from wire import codec
from wire.events import CrewEvent, CrewPerson, DefectEvent, Event, InputEvent, PositionEvent, StatusEvent

AT = datetime(2026, 11, 3, 12, 0, 0, 250_000, tzinfo=UTC)
STAMP = Stamp(at=AT, clock="gnss", boot=3, mono_ms=4_500)
FIX = Fix(
    mode="3d",
    lat=51.0,
    lon=-0.5,
    speed_mps=9.0,
    heading_deg=270.0,
    altitude_m=80.0,
    accuracy_m=4.0,
    satellites=11,
    gnss_time=AT,
)
CREW = Crew(
    unit="engine-1",
    on=True,
    riders=5,
    persons=(CrewPerson("WN-1042", ["ba"]),),
    driver="WN-1042",
    commander="WN-1107",
    until=AT,
)
DEFECT = Defect(unit="engine-1", what="pump primer", off_the_run=True, raised=True, text="Loses its prime")
EVENTS = (
    status_event(STAMP, "engine-1", "county", "4", seq=7),
    position_event(STAMP, FIX, seq=7),
    position_event(STAMP, Fix(mode="none"), seq=7),
    position_event(STAMP, Fix(mode="dead_reckoning", lat=0.0, lon=0.0), seq=7),
    input_event(STAMP, InputValue("ignition", True), seq=7),
    input_event(STAMP, InputValue("tank_litres", 0.0), seq=7),
    input_event(STAMP, InputValue("tank_litres", None, "stale"), seq=7),
    crew_event(STAMP, CREW, seq=7),
    crew_event(STAMP, Crew(unit="engine-1", on=False), seq=7),
    defect_event(STAMP, DEFECT, seq=7),
    emergency_event(STAMP, "engine-1", seq=7),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_what_is_drafted_is_what_is_read_back(event: Event) -> None:
    """Through its bytes and back every event is the same, with its sequence, time, clock, boot and mode."""
    assert codec.decode_event(codec.encode(event)) == event
    assert (event.seq, event.at, event.clock, event.boot, event.mono_ms, event.mode) == (
        7,
        AT,
        "gnss",
        3,
        4_500,
        "live",
    )


def test_a_press_is_the_panels_word() -> None:
    """A press says unit, scheme and code, and that a person pressed."""
    event = status_event(STAMP, "engine-1", "county", "4", seq=1)
    assert isinstance(event, StatusEvent)
    assert (event.unit, event.scheme, event.code, event.by, event.remarks) == ("engine-1", "county", "4", "panel", "")


def test_a_fix_loses_nothing() -> None:
    """Every field of the fix is in the event, under its own name."""
    event = position_event(STAMP, FIX, seq=1)
    assert isinstance(event, PositionEvent)
    named = {name: getattr(event, name) for name in FIX.__struct_fields__ if name != "mode"}
    assert (event.fix, named) == (FIX.mode, {name: getattr(FIX, name) for name in named})


def test_an_input_that_nobody_measured_has_no_value() -> None:
    """Its quality says why, and a zero that was measured stays a zero."""
    stale = input_event(STAMP, InputValue("tank_litres", None, "stale"), seq=1)
    empty = input_event(STAMP, InputValue("tank_litres", 0.0), seq=1)
    assert isinstance(stale, InputEvent) and (stale.name, stale.value, stale.quality) == ("tank_litres", None, "stale")
    assert isinstance(empty, InputEvent) and (empty.value, empty.quality) == (0.0, "good")


def test_a_crew_and_a_defect_lose_nothing() -> None:
    """Every field of what was entered is in the event, under its own name."""
    crew, defect = crew_event(STAMP, CREW, seq=1), defect_event(STAMP, DEFECT, seq=1)
    assert isinstance(crew, CrewEvent) and isinstance(defect, DefectEvent)
    assert msgspec.structs.asdict(CREW) | {"persons": list(CREW.persons)} == {
        name: getattr(crew, name) for name in Crew.__struct_fields__
    }
    assert msgspec.structs.asdict(DEFECT) == {name: getattr(defect, name) for name in Defect.__struct_fields__}


def test_an_emergency_says_whose() -> None:
    """The emergency button's event names its unit, in whatever mode the device is."""
    event = emergency_event(msgspec.structs.replace(STAMP, mode="training"), "engine-1", seq=1)
    assert (event.unit, event.mode) == ("engine-1", "training")
