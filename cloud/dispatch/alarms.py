"""The alarms that call people: what devices tell, folded into what is still to be shown. Pure.

An emergency is one alarm by the place where its event first stood, whichever way that came and however often; a named
person takes it in hand, and control ends it. A unit that asks to speak waits until somebody has it in hand. A
station's alarm rises and clears in the order in which its device told of it, whatever came last. Units that fall
silent together are one alarm until they are heard again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec.structs import replace

from cloud.dispatch.alarm import AccessOpened, Acknowledgement, Alarm, Cancellation, Escalation, Heard, Place, Whose
from cloud.dispatch.alarmtexts import path_text, text_of
from wire.events import AlarmEvent, EmergencyEvent

ESCALATES_S = (15.0, 30.0)
"""How long nobody may have an emergency in hand before it is escalated, and escalated again."""
ENDED_KEPT = 5_000
"""Alarms that are over and are remembered, so that one that comes again is known. Past it the oldest is forgotten."""
DEVICE_MAX = 100
"""Emergencies that nobody has acknowledged, and other alarms, of one device. Past it no more are shown of it: whoever
is called by a hundred knows."""

Changed = tuple[Alarm, ...]
_Cause = tuple[str, str, str]
"""Device, name and part: what rises and clears."""


class _Standing(msgspec.Struct):
    """How far a cause was heard, and the alarm that it raises now; None while it is clear."""

    place: Place
    alarm: str | None


class _Asked(msgspec.Struct, frozen=True):
    """The newest time that a unit asked to speak."""

    device: str
    place: Place
    at: datetime
    alarm: str
    times: int


class Register:
    """Every alarm that is active, and those that ended lately."""

    def __init__(self, acknowledged: Iterable[Acknowledgement] = (), cancelled: Iterable[Cancellation] = ()) -> None:
        """Nothing was heard; these are known of people, each about an alarm that may yet be heard."""
        self._acknowledged = {one.alarm: one for one in acknowledged}
        self._cancelled = {one.alarm: one for one in cancelled}
        self._alarms: dict[str, Alarm] = {}
        self._ended: dict[str, None] = {}
        self._open: dict[str, None] = {}
        """Emergencies that nobody has in hand."""
        self._causes: dict[_Cause, _Standing] = {}
        self._asked: dict[tuple[str, bool], _Asked] = {}
        """By unit, and whether it asked in live mode: what is tested takes nobody's place."""
        self._path: str | None = None
        self._counts: Counter[tuple[str, str]] = Counter()
        """Emergencies that nobody has in hand, and known causes, of each device."""

    def take(self, heard: Heard) -> Changed:
        """Fold an event in. Gives the alarms that changed by it."""
        if isinstance(heard.event, AlarmEvent):
            return self._take_cause(heard, heard.event)
        return self._take_emergency(heard) if heard.kind == "emergency" else self._take_speech(heard)

    def path(self, units: int, share: float, since: datetime) -> Changed:
        """Note that many units fell silent together, and since when. Told again it is the same alarm."""
        known = self._alarms.get(self._path) if self._path is not None else None
        text = path_text(units, share)
        if known is not None:
            return () if known.text == text else self._keep(replace(known, text=text))
        self._path = f"path.{since:%Y%m%dT%H%M%S.%fZ}"
        raised = Alarm(
            id=self._path,
            kind="path",
            device="",
            origin=None,
            name="path_failed",
            text=text,
            mode="live",
            whose=Whose(),
            raised_at=since,
            proven=True,
            acknowledged=self._acknowledged.get(self._path),
        )
        return self._keep(raised)

    def path_over(self, at: datetime) -> Changed:
        """Note that those units are heard again."""
        known = self._alarms.get(self._path) if self._path is not None else None
        self._path = None
        return () if known is None else self._keep(replace(known, cleared_at=max(at, known.raised_at)))

    def access(self, opened: AccessOpened) -> Changed:
        """Announce that a partner opened emergency access, or that it is over. Told again it is the same alarm."""
        alarm_id = f"access.{opened.id}"
        known = self._alarms.get(alarm_id)
        if known is None:
            known = Alarm(
                id=alarm_id,
                kind="access",
                device="",
                origin=None,
                name="emergency_access",
                text=opened.text,
                mode="live",
                whose=Whose(),
                raised_at=opened.since,
                proven=True,
                acknowledged=self._acknowledged.get(alarm_id),
            )
        told = replace(known, text=opened.text, cleared_at=opened.over_at)
        return () if self._alarms.get(alarm_id) == told else self._keep(told)

    def pass_time(self, now_s: float) -> Changed:
        """Escalate what nobody has in hand for too long. Gives what changed by that."""
        changed: list[Alarm] = []
        for alarm_id in tuple(self._open):
            alarm = self._alarms[alarm_id]
            level = _level(now_s - alarm.heard_s)
            if level > alarm.escalation:
                changed += self._keep(replace(alarm, escalation=level))
        return tuple(changed)

    def acknowledge(self, what: Acknowledgement) -> Alarm | None:
        """Note that a person has an alarm in hand. None where there is no such alarm, or somebody has it already."""
        alarm = self._alarms.get(what.alarm)
        if alarm is None or alarm.acknowledged is not None:
            return None
        self._acknowledged[what.alarm] = what
        return self._keep(replace(alarm, acknowledged=what, escalation=0))[0]

    def cancel(self, what: Cancellation) -> Alarm | None:
        """End an emergency that somebody has in hand. None where it is none, nobody has it, or it is over already."""
        alarm = self._alarms.get(what.alarm)
        if alarm is None or alarm.kind != "emergency" or alarm.acknowledged is None or alarm.cancelled is not None:
            return None
        self._cancelled[what.alarm] = what
        return self._keep(replace(alarm, cancelled=what))[0]

    def find(self, alarm_id: str) -> Alarm | None:
        """An alarm that is active, or ended lately."""
        return self._alarms.get(alarm_id)

    def active(self) -> Iterator[Alarm]:
        """Every alarm that is to be shown, in the order in which they were heard."""
        return (alarm for alarm in self._alarms.values() if alarm.active)

    def _take_emergency(self, heard: Heard) -> Changed:
        alarm_id = _id(heard)
        known = self._alarms.get(alarm_id)
        if known is None:
            raised = self._raise(alarm_id, heard, text_of(heard))
            if raised.is_open and self._counts[(heard.device, "emergency")] >= DEVICE_MAX:
                return ()
            return self._keep(raised)
        if heard.proven and not known.proven:  # what came ahead of its queue may have come before the clocks were known
            return self._keep(replace(known, text=text_of(heard), raised_at=heard.at, proven=True))
        return ()

    def _take_speech(self, heard: Heard) -> Changed:
        """Let a unit ask to speak. The newest of its requests stands, where the first that nobody answered stood."""
        key = (heard.whose.unit or "", heard.mode == "live")
        asked = self._asked.get(key)
        if asked is not None and not _is_after(heard, asked):
            return ()
        alarm_id = _id(heard)
        before = self._alarms.get(asked.alarm) if asked is not None else None
        waiting = before if before is not None and before.active else None
        again = asked is not None and waiting is not None and waiting.name == heard.word
        times = asked.times + 1 if asked is not None and again else 1
        self._asked[key] = _Asked(heard.device, heard.place, heard.at, alarm_id, times)
        raised = self._raise(alarm_id, heard, text_of(heard, times))
        if waiting is None:
            return self._keep(raised)
        if again:  # who asks again does not lose the place in the queue
            raised = replace(raised, raised_at=min(waiting.raised_at, heard.at), proven=waiting.proven)
        replaced = replace(waiting, cleared_at=max(heard.at, waiting.raised_at))
        return self._keep(replaced) + self._keep(raised)

    def _take_cause(self, heard: Heard, event: AlarmEvent) -> Changed:
        cause = (heard.device, event.name, event.part)
        standing = self._causes.get(cause)
        if standing is None:
            if not self._make_room(heard.device):
                return ()
            standing = self._causes[cause] = _Standing((0, 0), None)
            self._counts[(heard.device, "cause")] += 1
        if heard.place <= standing.place or (event.raised and event.mode != "live"):
            return ()  # a test of a station alarms nobody
        standing.place = heard.place
        raised = self._alarms.get(standing.alarm) if standing.alarm is not None else None
        if event.raised and raised is None:
            alarm_id = standing.alarm = _id(heard)
            return self._keep(self._raise(alarm_id, heard, text_of(heard)))
        if not event.raised and raised is not None:
            standing.alarm = None
            return self._keep(replace(raised, cleared_at=max(heard.at, raised.raised_at)))
        return ()

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

    def _raise(self, alarm_id: str, heard: Heard, text: str) -> Alarm:
        event = heard.event
        return Alarm(
            id=alarm_id,
            kind=heard.kind,
            device=heard.device,
            origin=heard.name,
            button=isinstance(event, EmergencyEvent),
            name=heard.word,
            part=event.part if isinstance(event, AlarmEvent) else "",
            text=text,
            mode=heard.mode,
            whose=heard.whose,
            raised_at=heard.at,
            proven=heard.proven,
            heard_s=heard.heard_s,
            acknowledged=self._acknowledged.get(alarm_id),
            cancelled=self._cancelled.get(alarm_id),
        )

    def _keep(self, alarm: Alarm) -> Changed:
        if alarm.kind == "emergency":
            self._counts[(alarm.device, "emergency")] += alarm.is_open - (alarm.id in self._open)
            if alarm.is_open:
                self._open[alarm.id] = None
            else:
                self._open.pop(alarm.id, None)
        self._alarms[alarm.id] = alarm
        if not alarm.active:
            self._ended[alarm.id] = None
        while len(self._ended) > ENDED_KEPT:
            oldest = next(iter(self._ended))
            del self._ended[oldest], self._alarms[oldest]
            self._acknowledged.pop(oldest, None)
            self._cancelled.pop(oldest, None)
        return (alarm,)


def _id(heard: Heard) -> str:
    return f"{heard.device}.{heard.name.stream}.{heard.name.seq}"


def _level(waited_s: float) -> Escalation:
    if waited_s < ESCALATES_S[0]:
        return 0
    return 1 if waited_s < ESCALATES_S[1] else 2


def _is_after(heard: Heard, asked: _Asked) -> bool:
    """Tell whether a unit asked later than that: within a device in the order in which it told, else by the time."""
    return heard.place > asked.place if heard.device == asked.device else heard.at > asked.at
