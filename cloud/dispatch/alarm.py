"""What an alarm is: what was heard, who has it in hand, who ended it, and how the feed shows it. Pure values."""

from datetime import datetime
from typing import Literal

import msgspec

from wire.events import AlarmEvent, EmergencyEvent, Mode, Origin, StatusEvent
from wire.feed import AlarmKind, AlarmView
from wire.scheme import Code

Place = tuple[int, int]
"""Which of its device's streams, and the sequence in it: the order in which the device told."""
Escalation = Literal[0, 1, 2]


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
    event: AlarmEvent | EmergencyEvent | StatusEvent
    meaning: Code | None = None
    """Of a status: the scheme's row, which calls for help or asks to speak."""
    control_mode: Mode = "live"
    """The mode that control has put its unit in."""
    at: datetime
    """When it happened, corrected."""
    proven: bool
    heard_at: datetime
    heard_s: float = 0.0
    """When control heard of it, on the monotonic clock of this process; before its start for what is read again."""
    whose: Whose

    @property
    def kind(self) -> AlarmKind:
        """What it asks for."""
        if isinstance(self.event, AlarmEvent):
            return "station"
        return "speech" if self.meaning is not None and self.meaning.speech is not None else "emergency"

    @property
    def word(self) -> str:
        """The alarm's name."""
        if isinstance(self.event, AlarmEvent):
            return self.event.name
        if self.kind == "emergency":
            return "emergency"
        urgent = self.meaning is not None and self.meaning.speech == "urgent"
        return "urgent_speech_request" if urgent else "speech_request"

    @property
    def mode(self) -> Mode:
        """The mode that it counts in: its device's own, and where that is live what control has put its unit in."""
        return self.event.mode if self.event.mode != "live" else self.control_mode


def asks_for_a_person(code: Code | None) -> bool:
    """Tell whether a status is an alarm: it calls for help, or asks to speak."""
    return code is not None and (code.emergency or code.speech is not None)


class Acknowledgement(msgspec.Struct, frozen=True):
    """A person has an alarm in hand."""

    alarm: str
    by: str
    at: datetime


class Cancellation(msgspec.Struct, frozen=True):
    """A person at control has ended an emergency."""

    alarm: str
    by: str
    reason: str
    at: datetime


class AccessOpened(msgspec.Struct, frozen=True, kw_only=True):
    """A partner has opened emergency access to an organisation's units."""

    id: str
    text: str
    since: datetime
    over_at: datetime | None = None
    """When it ran out or was ended; None while it holds."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one alarm."""

    id: str
    kind: AlarmKind
    device: str
    origin: Origin | None
    """Where the event that raised it first stood; None where no event did."""
    button: bool = False
    """Whether the guarded button raised it, which has a lamp of its own."""
    name: str
    part: str = ""
    text: str
    mode: Mode
    whose: Whose
    raised_at: datetime
    proven: bool
    heard_s: float = 0.0
    escalation: Escalation = 0
    acknowledged: Acknowledgement | None = None
    cancelled: Cancellation | None = None
    cleared_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether it is still to be shown."""
        match self.kind:
            case "emergency":
                return self.cancelled is None
            case "speech":
                return self.acknowledged is None and self.cleared_at is None
            case "access":  # whose units they are is to know of it, however soon it was over
                return self.acknowledged is None or self.cleared_at is None
            case _:
                return self.cleared_at is None

    @property
    def is_open(self) -> bool:
        """Whether it waits for a person."""
        return self.active and self.acknowledged is None


def view(alarm: Alarm) -> AlarmView:
    """Show an alarm as it stands."""
    taken, ended = alarm.acknowledged, alarm.cancelled
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
        escalation=alarm.escalation,
        cancelled_by=None if ended is None else ended.by,
        cancelled_at=None if ended is None else ended.at,
        cancel_reason="" if ended is None else ended.reason,
        active=alarm.active,
    )
