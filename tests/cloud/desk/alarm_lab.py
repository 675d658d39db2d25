"""The alarms in hand on a real ledger, with a clock that the test moves, and everybody who watches them."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloud.desk import AlarmPorts, Alarms
from cloud.directory import InForce
from cloud.fleet.clocks import Moment
from cloud.ledger import Commit, EventRow
from tests.cloud.desk.lab import HandClock, Said, station_county
from tests.cloud.dispatch.samples import CAR
from tests.cloud.fleet.samples import NOON
from tests.cloud.ledger.samples import open_in
from wire import codec
from wire.events import AlarmEvent, EmergencyEvent, Event, Mode, StatusEvent
from wire.feed import AlarmView

EMERGENCY = f"{CAR}.E-a.1"


def emergency(seq: int = 1, **changes: Any) -> EmergencyEvent:
    """The car's emergency button was held."""
    return EmergencyEvent(**_event(seq) | {"unit": "kp-12"} | changes)


def mains(seq: int, raised: bool, **changes: Any) -> AlarmEvent:
    """The station's mains failed, or came back."""
    return AlarmEvent(**_event(seq) | {"name": "mains_failed", "raised": raised} | changes)


def pressed(seq: int, code: str, **changes: Any) -> StatusEvent:
    """The car's crew pressed a code."""
    return StatusEvent(
        **_event(seq) | {"unit": "kp-12", "scheme": "uk-police-state", "code": code, "by": "panel"} | changes
    )


def _event(seq: int) -> dict[str, Any]:
    return {"seq": seq, "at": NOON, "clock": "gnss", "boot": 1, "mono_ms": 0, "mode": "live"}


class Lab:
    """The alarms on a real ledger, and everybody who watches them."""

    def __init__(self, folder: Path, clock: HandClock) -> None:
        """Begin, or go on with what is in the folder."""
        self.clock = clock
        self.ledger = open_in(folder)
        self.shown: list[AlarmView] = []
        self.told: list[str] = []
        self.ordinals = {"E-a": 1, "E-b": 2}
        self.modes: dict[str, Mode] = {}
        self._ids = itertools.count(self.ledger.load().next_event_id)
        ports = AlarmPorts(
            show=self.shown.extend,
            tell_state=self.told.append,
            ordinal=lambda _, stream: self.ordinals.get(stream),
            mode_of=lambda unit: self.modes.get(unit, "live"),
        )
        self.alarms = Alarms(InForce(station_county()), self.ledger, ports, clock=clock)

    def row(self, device: str, event: Event, *, stored: bool = True, **changes: Any) -> EventRow:
        """An event as ingest has it."""
        fields: dict[str, Any] = {
            "id": next(self._ids) if stored else 0,
            "device": device,
            "stream": "E-a",
            "queue": "status" if stored else None,
            "seq": event.seq,
            "kind": str(event.__struct_config__.tag),
            "unit": getattr(event, "unit", None),
            "mode": event.mode,
            "at": event.at,
            "received_at": self.clock.now(),
            "corrected_at": self.clock.now(),
            "proven": True,
            "prev": None,
            "body": codec.encode(event),
        }
        return EventRow(**fields | changes)

    def tell(self, device: str, event: Event, **changes: Any) -> None:
        """Have ingest commit an event and hand it on."""
        row = self.row(device, event, **changes)
        self.ledger.commit(Commit(events=[row]))
        self.alarms.on_events([Said(device, row, event)])

    def tell_live(self, device: str, event: Event) -> None:
        """Have ingest hand an event on ahead of its queue."""
        self.alarms.on_events([Said(device, self.row(device, event, stored=False), event, live=True)])

    @property
    def active(self) -> list[str]:
        """The active alarms by name."""
        return [one.name for one in self.alarms.active()]

    @property
    def open(self) -> list[str]:
        """The active alarms that nobody has in hand, by name."""
        return [one.name for one in self.alarms.active() if one.acknowledged_by is None]

    def wait(self, duration_s: float) -> None:
        """Let time pass at once."""
        self.clock.moved_s += duration_s
        self.alarms.step()

    def acknowledged(self, device: str = CAR) -> list[tuple[str, int, str]]:
        """What a device is told of its emergencies."""
        now = Moment(self.clock.now(), self.clock.monotonic())
        return [(one.stream, one.seq, one.by) for one in self.alarms.acknowledged(device, now)]


@contextlib.contextmanager
def working(folder: Path, clock: HandClock | None = None) -> Iterator[Lab]:
    """The alarms at work: do it again in one folder, and they go on."""
    lab = Lab(folder, clock or HandClock())
    try:
        yield lab
    finally:
        lab.ledger.close()
