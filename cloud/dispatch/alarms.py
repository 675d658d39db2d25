"""Emergencies, and the alarms of stations and vehicles: what devices tell, folded into what is still to be shown. Pure.

An emergency is one alarm by the place where its event first stood, whichever way that came and however often; a named
person ends it. A station's alarm rises and clears in the order in which its device told of it, whatever came last.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from wire.events import AlarmEvent, EmergencyEvent, Mode, Origin
from wire.feed import AlarmKind, AlarmView

LATE = timedelta(seconds=60)
"""An alarm that control hears of later than this after it was raised says so."""
ENDED_KEPT = 5_000
"""Alarms that are over and are remembered, so that one that comes again is known. Past it the oldest is forgotten."""
DEVICE_MAX = 100
"""Emergencies that nobody has acknowledged, and other alarms, of one device. Past it no more are shown of it: whoever
is called by a hundred knows."""

_TEXTS = {
    "mains_failed": "the mains have failed",
    "bay_left_open": "a bay door was left open",
    "input_alarm": "an input raises an alarm",
}

Place = tuple[int, int]
"""Which of its device's streams, and the sequence in it: the order in which the device told."""
_Cause = tuple[str, str, str]
"""Device, name and part: what rises and clears."""


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """What the directory knows of where it comes from."""

    unit: str | None = None
    callsign: str = ""
    base: str | None = None
    base_name: str = ""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """An event that may be an alarm."""

    device: str
    name: Origin
    """Where it first stood: the same in every stream that it was carried to."""
    place: Place
    event: AlarmEvent | EmergencyEvent
    at: datetime
    """When it happened, corrected."""
    proven: bool
    heard_at: datetime
    whose: Whose


class Acknowledgement(msgspec.Struct, frozen=True):
    """A person has an alarm in hand."""

    alarm: str
    by: str
    at: datetime


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one alarm."""

    id: str
    kind: AlarmKind
    device: str
    origin: Origin
    name: str
    part: str
    text: str
    mode: Mode
    whose: Whose
    raised_at: datetime
    proven: bool
    acknowledged: Acknowledgement | None = None
    cleared_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether it is still to be shown."""
        return self.acknowledged is None if self.kind == "emergency" else self.cleared_at is None


class _Standing(msgspec.Struct):
    """How far a cause was heard, and the alarm that it raises now; None while it is clear."""

    place: Place
    alarm: str | None


class Register:
    """Every alarm that is active, and those that ended lately."""

    def __init__(self, acknowledged: Iterable[Acknowledgement] = ()) -> None:
        """Nothing was heard; these acknowledgements are known, each of an alarm that may yet be heard."""
        self._acknowledged = {one.alarm: one for one in acknowledged}
        self._alarms: dict[str, Alarm] = {}
        self._ended: dict[str, None] = {}
        self._causes: dict[_Cause, _Standing] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        """Active emergencies, and known causes, of each device."""

    def take(self, heard: Heard) -> Alarm | None:
        """Fold an event in. Gives the alarm that changed by it, if one did."""
        if isinstance(heard.event, EmergencyEvent):
            return self._take_emergency(heard)
        return self._take_cause(heard, heard.event)

    def acknowledge(self, what: Acknowledgement) -> Alarm | None:
        """Note that a person has an alarm in hand. None where there is no such alarm, or somebody has it already."""
        alarm = self._alarms.get(what.alarm)
        if alarm is None or alarm.acknowledged is not None:
            return None
        self._acknowledged[what.alarm] = what
        return self._keep(replace(alarm, acknowledged=what))

    def find(self, alarm_id: str) -> Alarm | None:
        """An alarm that is active, or ended lately."""
        return self._alarms.get(alarm_id)

    def active(self) -> Iterator[Alarm]:
        """Every alarm that is to be shown, in the order in which they were heard."""
        return (alarm for alarm in self._alarms.values() if alarm.active)

    def _take_emergency(self, heard: Heard) -> Alarm | None:
        alarm_id = _id(heard)
        known = self._alarms.get(alarm_id)
        if known is None:
            acknowledged = self._acknowledged.get(alarm_id)
            if acknowledged is None and self._counts[(heard.device, "emergency")] >= DEVICE_MAX:
                return None
            return self._keep(_raise(alarm_id, heard, acknowledged))
        if heard.proven and not known.proven:  # what came ahead of its queue may have come before the clocks were known
            return self._keep(replace(known, text=_text(heard), raised_at=heard.at, proven=True))
        return None

    def _take_cause(self, heard: Heard, event: AlarmEvent) -> Alarm | None:
        cause = (heard.device, event.name, event.part)
        standing = self._causes.get(cause)
        if standing is None:
            if not self._make_room(heard.device):
                return None
            standing = self._causes[cause] = _Standing((0, 0), None)
            self._counts[(heard.device, "cause")] += 1
        if heard.place <= standing.place or (event.raised and event.mode != "live"):
            return None  # a test of a station alarms nobody
        standing.place = heard.place
        raised = self._alarms.get(standing.alarm) if standing.alarm is not None else None
        if event.raised and raised is None:
            alarm_id = standing.alarm = _id(heard)
            return self._keep(_raise(alarm_id, heard, self._acknowledged.get(alarm_id)))
        if not event.raised and raised is not None:
            standing.alarm = None
            return self._keep(replace(raised, cleared_at=max(heard.at, raised.raised_at)))
        return None

    def _make_room(self, device: str) -> bool:
        """Forget one of a device's causes that is clear, where it has many. Tells whether there is room for another."""
        if self._counts[(device, "cause")] < DEVICE_MAX:
            return True
        clear = next((one for one, known in self._causes.items() if one[0] == device and known.alarm is None), None)
        if clear is None:
            return False
        del self._causes[clear]
        self._counts[(device, "cause")] -= 1
        return True

    def _keep(self, alarm: Alarm) -> Alarm:
        before = self._alarms.get(alarm.id)
        if alarm.kind == "emergency":
            was = before is not None and before.active
            self._counts[(alarm.device, "emergency")] += alarm.active - was
        self._alarms[alarm.id] = alarm
        if not alarm.active:
            self._ended[alarm.id] = None
        while len(self._ended) > ENDED_KEPT:
            oldest = next(iter(self._ended))
            del self._ended[oldest], self._alarms[oldest]
            self._acknowledged.pop(oldest, None)
        return alarm


def view(alarm: Alarm) -> AlarmView:
    """Show an alarm as it stands."""
    taken = alarm.acknowledged
    return AlarmView(
        alarm=alarm.id,
        kind=alarm.kind,
        name=alarm.name,
        unit=alarm.whose.unit,
        callsign=alarm.whose.callsign,
        base=alarm.whose.base,
        base_name=alarm.whose.base_name,
        device=alarm.device,
        part=alarm.part,
        text=alarm.text,
        mode=alarm.mode,
        raised_at=alarm.raised_at,
        proven=alarm.proven,
        acknowledged_by=None if taken is None else taken.by,
        acknowledged_at=None if taken is None else taken.at,
        cleared_at=alarm.cleared_at,
        active=alarm.active,
    )


def _id(heard: Heard) -> str:
    return f"{heard.device}.{heard.name.stream}.{heard.name.seq}"


def _raise(alarm_id: str, heard: Heard, acknowledged: Acknowledgement | None) -> Alarm:
    event = heard.event
    return Alarm(
        id=alarm_id,
        kind="emergency" if isinstance(event, EmergencyEvent) else "station",
        device=heard.device,
        origin=heard.name,
        name="emergency" if isinstance(event, EmergencyEvent) else event.name,
        part="" if isinstance(event, EmergencyEvent) else event.part,
        text=_text(heard),
        mode=event.mode,
        whose=heard.whose,
        raised_at=heard.at,
        proven=heard.proven,
        acknowledged=acknowledged,
    )


def _text(heard: Heard) -> str:
    event, whose = heard.event, heard.whose
    if isinstance(event, EmergencyEvent):
        said = f"Emergency: {whose.callsign or event.unit}"
        said += f" (its device is in {event.mode} mode)" if event.mode != "live" else ""
    else:
        said = f"{whose.callsign or whose.base_name or heard.device}: "
        said += _TEXTS.get(event.name, event.name.replace("_", " "))
        said += f" ({event.part})" if event.part else ""
        said += f": {event.text}" if event.text else ""
    return said + _lateness(heard)


def _lateness(heard: Heard) -> str:
    """Say how long before control heard of it, where that is long ago or not known."""
    late = heard.heard_at - heard.at
    if heard.proven:
        return f"; raised {_duration(late)} before control heard of it" if late >= LATE else ""
    if late >= LATE:
        return f"; raised up to {_duration(late)} before control heard of it"
    told = heard.heard_at - heard.event.at
    if told >= LATE:
        return f"; when it was raised is not proven: its own clock says {_duration(told)} before control heard of it"
    return "; when it was raised is not proven"


def _duration(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"
