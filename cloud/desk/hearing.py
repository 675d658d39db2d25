"""Hears alarms in what ingest has stored: which events are any, whose they are, and how late control heard of them."""

from collections.abc import Callable

from msgspec.structs import replace

from cloud.desk.requests import station_of
from cloud.directory import InForce
from cloud.dispatch.alarm import Heard, Whose, asks_for_a_person
from cloud.fleet.clocks import Moment
from cloud.ledger import EventRow
from wire.events import AlarmEvent, EmergencyEvent, Event, Mode, Origin, StatusEvent
from wire.scheme import Code

Alarming = AlarmEvent | EmergencyEvent | StatusEvent


class Hearing:
    """Takes stored events, and gives those that are alarms, by the directory in force."""

    def __init__(
        self, in_force: InForce, ordinal: Callable[[str, str], int | None], mode_of: Callable[[str], Mode]
    ) -> None:
        """Take what numbers a device's streams, and what knows the mode that control has put a unit in."""
        self._in_force, self._ordinal, self._mode_of = in_force, ordinal, mode_of

    def codes(self) -> set[str]:
        """Every code of a known scheme that calls for help or asks to speak."""
        schemes = self._in_force.directory.schemes.values()
        return {code.code for scheme in schemes for code in scheme.codes if asks_for_a_person(code)}

    def hear(self, row: EventRow, event: Event, now: Moment) -> Heard | None:
        """Give what an event asks for; None where it is no alarm."""
        if not isinstance(event, Alarming):
            return None
        meaning = self._meaning(event)
        if isinstance(event, StatusEvent) and not asks_for_a_person(meaning):
            return None
        own = (self._ordinal(row.device, row.stream) or 0, row.seq)
        origin = event.origin
        before = self._ordinal(row.device, origin.stream) if origin is not None else None
        place = own if origin is None or before is None else min(own, (before, origin.seq))
        whose = self._whose(row, event)
        waited_s = max(0.0, (now.utc - row.received_at).total_seconds())
        return Heard(
            device=row.device,
            name=origin or Origin(row.stream, row.seq),
            place=place,
            event=event,
            meaning=meaning,
            control_mode="live" if whose.unit is None else self._mode_of(whose.unit),
            at=row.corrected_at,
            proven=row.proven,
            heard_at=row.received_at,
            heard_s=now.mono_s - waited_s,
            whose=whose,
        )

    def _meaning(self, event: Alarming) -> Code | None:
        if not isinstance(event, StatusEvent):
            return None
        scheme = self._in_force.directory.schemes.get(event.scheme)
        return scheme.code(event.code) if scheme is not None else None

    def _whose(self, row: EventRow, event: Alarming) -> Whose:
        """Say whose it is. An emergency of a vehicle that carries no unit is its device's: nobody's name is taken."""
        directory = self._in_force.directory
        station = station_of(directory, row.device)
        carried = directory.carried_by(row.device) if station is None else None
        named = row.unit if not isinstance(event, AlarmEvent) else None
        unit = carried if named is None else directory.units.get(named)
        base = station if unit is None else unit.base
        place = directory.bases.get(base) if base is not None else None
        whose = Whose(base=base, base_name="" if place is None else place.name)
        if unit is not None:
            return replace(whose, unit=unit.id, callsign=unit.callsign)
        return whose if isinstance(event, AlarmEvent) else replace(whose, unit=named, callsign=named or row.device)
