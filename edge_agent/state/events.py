"""Events as the device drafts them: everything but the sequence, which the outbox gives out."""

from datetime import datetime
from typing import Any

import msgspec

from edge_agent.decode.readings import Fix, InputValue
from wire.events import (
    BindingEvent,
    ClockSource,
    CrewEvent,
    CrewPerson,
    DefectEvent,
    EmergencyEvent,
    InputEvent,
    Mode,
    PositionEvent,
    StatusEvent,
)


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """When something happened, by the device's clocks."""

    at: datetime
    clock: ClockSource
    boot: int
    mono_ms: int
    mode: Mode = "live"

    def at_seq(self, seq: int) -> dict[str, Any]:
        """Give the fields that every event carries, for the one at `seq`."""
        return {**msgspec.structs.asdict(self), "seq": seq}


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's crew as it logs on, or, with `on` false, that it logged off. Who rides is told by reference only."""

    unit: str
    on: bool
    riders: int = 0
    persons: tuple[CrewPerson, ...] = ()
    driver: str = ""
    commander: str = ""
    until: datetime | None = None


class Defect(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a unit that is broken (`raised`) or mended."""

    unit: str
    what: str
    off_the_run: bool
    raised: bool
    text: str = ""


def status_event(stamp: Stamp, unit: str, scheme: str, code: str, *, seq: int) -> StatusEvent:
    """Make the event of a press on the panel."""
    return StatusEvent(
        **stamp.at_seq(seq),
        unit=unit,
        scheme=scheme,
        code=code,
        by="panel",
    )


def position_event(stamp: Stamp, fix: Fix, *, seq: int) -> PositionEvent:
    """Make the event of a fix, or of having none."""
    return PositionEvent(
        **stamp.at_seq(seq),
        fix=fix.mode,
        lat=fix.lat,
        lon=fix.lon,
        speed_mps=fix.speed_mps,
        heading_deg=fix.heading_deg,
        altitude_m=fix.altitude_m,
        accuracy_m=fix.accuracy_m,
        satellites=fix.satellites,
        gnss_time=fix.gnss_time,
    )


def input_event(stamp: Stamp, read: InputValue, *, seq: int) -> InputEvent:
    """Make the event of an input's value."""
    return InputEvent(
        **stamp.at_seq(seq),
        name=read.name,
        value=read.value,
        quality=read.quality,
    )


def crew_event(stamp: Stamp, crew: Crew, *, seq: int) -> CrewEvent:
    """Make the event of a crew's logging on or off. Raises ValueError where `until` has no offset."""
    return CrewEvent(
        **stamp.at_seq(seq),
        unit=crew.unit,
        on=crew.on,
        riders=crew.riders,
        persons=list(crew.persons),
        driver=crew.driver,
        commander=crew.commander,
        until=crew.until,
    )


def defect_event(stamp: Stamp, defect: Defect, *, seq: int) -> DefectEvent:
    """Make the event of a defect that was found, or mended."""
    return DefectEvent(
        **stamp.at_seq(seq),
        unit=defect.unit,
        what=defect.what,
        off_the_run=defect.off_the_run,
        raised=defect.raised,
        text=defect.text,
    )


def binding_event(stamp: Stamp, callsign: str, vehicle: str, *, on: bool, seq: int) -> BindingEvent:
    """Make the event of a vehicle that carries a unit now, or (`on` false) does so no longer."""
    return BindingEvent(**stamp.at_seq(seq), callsign=callsign, vehicle=vehicle, on=on)


def emergency_event(stamp: Stamp, unit: str, *, seq: int) -> EmergencyEvent:
    """Make the event of the emergency button."""
    return EmergencyEvent(**stamp.at_seq(seq), unit=unit)
