"""What devices are told of their emergencies, for the lamp beside the button that raised each."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cloud.dispatch.alarm import Alarm
from wire.messages import AcknowledgedEmergency

TOLD = timedelta(minutes=10)
"""How long a device is told that its emergency was cancelled: it may be out of reach for a while."""
TOLD_MAX = 20
"""How many emergencies of a device are told, the newest: a state holds no more."""


class Lamps:
    """The emergencies of each device that somebody has in hand, and those that were cancelled lately."""

    def __init__(self, find: Callable[[str], Alarm | None]) -> None:
        """Nothing is to be told. `find` gives an alarm as it stands."""
        self._find = find
        self._told: dict[str, dict[str, None]] = {}

    def note(self, alarm: Alarm) -> bool:
        """Note that a person has done something with an alarm. Tells whether its device is to be told of it."""
        if not alarm.button or alarm.acknowledged is None:
            return False
        self._told.setdefault(alarm.device, {})[alarm.id] = None
        return True

    def of(self, device: str, now: datetime) -> Sequence[AcknowledgedEmergency]:
        """Give what a device is told now, oldest first: each emergency in hand until `TOLD` after its cancellation."""
        alarms = [self._find(alarm_id) for alarm_id in self._told.get(device, ())]
        known = [alarm for alarm in alarms if alarm is not None and _is_told(alarm, now)]
        if not known:
            self._told.pop(device, None)
            return ()
        self._told[device] = dict.fromkeys(alarm.id for alarm in known)
        return [told for alarm in known[-TOLD_MAX:] if (told := _word(alarm)) is not None]


def _is_told(alarm: Alarm, now: datetime) -> bool:
    return alarm.cancelled is None or now - alarm.cancelled.at < TOLD


def _word(alarm: Alarm) -> AcknowledgedEmergency | None:
    if alarm.acknowledged is None or alarm.origin is None:
        return None
    return AcknowledgedEmergency(
        unit=alarm.whose.unit or alarm.device,  # of a vehicle that carries none
        stream=alarm.origin.stream,
        seq=alarm.origin.seq,
        by=alarm.acknowledged.by,
        cancelled=alarm.cancelled is not None,
    )
