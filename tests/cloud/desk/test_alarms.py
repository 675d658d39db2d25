"""The alarms in hand: what a start knows again, and that nobody is told of an acknowledgement that is not on disk."""

import asyncio
import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud.desk import AlarmPorts, Alarms, AlarmTaken
from cloud.desk.alarms import REMEMBERED, TOLD, TOLD_MAX
from cloud.errors import CloudError
from cloud.fleet.clocks import Moment
from cloud.ledger import Commit, EventRow, opening
from tests.cloud.desk.lab import HandClock, Said, station_county
from tests.cloud.dispatch.samples import CAR, STATION
from tests.cloud.fleet.samples import NOON
from tests.cloud.ledger.samples import open_in
from wire import codec
from wire.events import AlarmEvent, EmergencyEvent, Event, Origin
from wire.feed import AlarmView

EMERGENCY = f"{CAR}.E-a.1"


def emergency(seq: int = 1, **changes: Any) -> EmergencyEvent:
    """The car's emergency button was held."""
    return EmergencyEvent(**_event(seq) | {"unit": "kp-12"} | changes)


def mains(seq: int, raised: bool, **changes: Any) -> AlarmEvent:
    """The station's mains failed, or came back."""
    return AlarmEvent(**_event(seq) | {"name": "mains_failed", "raised": raised} | changes)


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
        self._ids = itertools.count(self.ledger.load().next_event_id)
        ports = AlarmPorts(
            show=self.shown.extend, tell_state=self.told.append, ordinal=lambda _, stream: self.ordinals.get(stream)
        )
        self.alarms = Alarms(station_county(), self.ledger, ports, clock=clock)

    def row(self, device: str, event: Event, *, stored: bool = True, **changes: Any) -> EventRow:
        """An event as ingest has it."""
        fields: dict[str, Any] = {
            "id": next(self._ids) if stored else 0,
            "device": device,
            "stream": "E-a",
            "queue": "status" if stored else None,
            "seq": event.seq,
            "kind": str(event.__struct_config__.tag),
            "unit": None,
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


def test_an_emergency_is_shown_as_it_comes_and_once(tmp_path: Path) -> None:
    """Ahead of its queue, before it is stored; when its queue brings it, nothing more is shown."""
    with working(tmp_path) as lab:
        lab.tell_live(CAR, emergency())
        (shown,) = lab.shown
        assert (EMERGENCY, "P12", "stn-14", "Stn 14 shared", True) == (
            shown.alarm,
            shown.callsign,
            shown.base,
            shown.base_name,
            shown.active,
        )
        lab.tell(CAR, emergency())
        lab.tell(CAR, emergency(7, origin=Origin("E-a", 1)), stream="E-b")
        assert 1 == len(lab.shown) == len(lab.active)


def test_a_start_knows_what_was_active(tmp_path: Path) -> None:
    """An emergency that nobody acknowledged, and a cause that is not gone, are active again and shown at once."""
    with working(tmp_path) as lab:
        lab.tell(CAR, emergency())
        lab.tell(STATION, mains(1, True))
        lab.tell(STATION, mains(2, True, name="bay_left_open", part="bay-1"))
        lab.tell(STATION, mains(3, False))
        before = lab.alarms.active()
    with working(tmp_path) as lab:
        assert before == lab.alarms.active() == tuple(lab.shown)
        assert ["emergency", "bay_left_open"] == lab.active


def test_a_start_knows_who_had_what_in_hand(tmp_path: Path) -> None:
    """An acknowledgement outlives the process, also one of an emergency that was not stored yet."""

    async def acknowledge(lab: Lab) -> None:
        assert isinstance(await lab.alarms.acknowledge(EMERGENCY, "op 7"), AlarmView)

    with working(tmp_path) as lab:
        lab.tell_live(CAR, emergency())
        lab.tell(STATION, mains(1, True))
        asyncio.run(acknowledge(lab))
    with working(tmp_path) as lab:
        lab.tell(CAR, emergency())
        assert ["mains_failed"] == lab.active
        assert "op 7" == lab.shown[-1].acknowledged_by and not lab.shown[-1].active
    with working(tmp_path) as lab:
        assert ["mains_failed"] == lab.active == [one.name for one in lab.shown]
        assert [("E-a", 1, "op 7")] == lab.acknowledged()


def test_a_start_looks_back_a_week(tmp_path: Path) -> None:
    """What came within the last seven days is known again, and what is older is in the ledger alone."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        lab.tell(STATION, mains(1, True))
        clock.moved_s += 1
        lab.tell(CAR, emergency())
    clock.moved_s += REMEMBERED.total_seconds() - 1
    with working(tmp_path, clock) as lab:
        assert ["mains_failed", "emergency"] == lab.active
    clock.moved_s += 1
    with working(tmp_path, clock) as lab:
        assert ["emergency"] == lab.active


def test_an_acknowledgement_is_one_persons(tmp_path: Path) -> None:
    """The first counts; the same person may ask again, anybody else is told who has it; of nothing there is none."""

    async def scenario(lab: Lab) -> None:
        both = await asyncio.gather(*(lab.alarms.acknowledge(EMERGENCY, by) for by in ("op 7", "op 8")))
        assert isinstance(both[0], AlarmView) and isinstance(both[1], AlarmTaken)
        assert ("op 7", "op 7") == (both[0].acknowledged_by, both[1].view.acknowledged_by)
        assert both[0] == await lab.alarms.acknowledge(EMERGENCY, "op 7")
        assert None is await lab.alarms.acknowledge(f"{CAR}.E-a.2", "op 7")
        assert 1 == len(lab.ledger.alarm_log(NOON))

    with working(tmp_path) as lab:
        lab.tell(CAR, emergency())
        asyncio.run(scenario(lab))
        assert [] == lab.active
        assert [True, False] == [one.active for one in lab.shown]


def test_nobody_is_told_of_what_is_not_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger takes nothing, an acknowledgement fails, the alarm stands, and the device's lamp goes on."""
    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))

    async def scenario(lab: Lab) -> None:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CloudError):
            await lab.alarms.acknowledge(EMERGENCY, "op 7")
        assert (["emergency"], [], []) == (lab.active, lab.told, lab.acknowledged())
        other.execute("ROLLBACK")
        other.close()
        assert isinstance(await lab.alarms.acknowledge(EMERGENCY, "op 8"), AlarmView)

    with working(tmp_path) as lab:
        lab.tell(CAR, emergency())
        asyncio.run(scenario(lab))
        assert [CAR] == lab.told


def test_it_is_done_although_whoever_asked_has_gone(tmp_path: Path) -> None:
    """A client that hangs up in the middle leaves an acknowledgement that everybody sees, not one on disk alone."""

    async def scenario(lab: Lab) -> None:
        asked = asyncio.ensure_future(lab.alarms.acknowledge(EMERGENCY, "op 7"))
        await asyncio.sleep(0)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asked
        await asyncio.gather(*lab.alarms._working)

    with working(tmp_path) as lab:
        lab.tell(CAR, emergency())
        asyncio.run(scenario(lab))
        assert [] == lab.active and 1 == len(lab.ledger.alarm_log(NOON))


def test_a_device_is_told_of_its_own_emergencies_for_a_while(tmp_path: Path) -> None:
    """By the place where each first stood, for ten minutes, at most as many as a state holds; a station's never."""

    async def scenario(lab: Lab) -> None:
        for seq in range(2, TOLD_MAX + 3):
            lab.tell(CAR, emergency(seq))
            await lab.alarms.acknowledge(f"{CAR}.E-a.{seq}", "op 7")
        lab.tell(STATION, mains(1, True))
        await lab.alarms.acknowledge(f"{STATION}.E-a.1", "op 7")

    with working(tmp_path) as lab:
        lab.tell(CAR, emergency(9, origin=Origin("E-0", 1)), stream="E-b")
        asyncio.run(lab.alarms.acknowledge(f"{CAR}.E-0.1", "op 7"))
        assert ([("E-0", 1, "op 7")], [CAR]) == (lab.acknowledged(), lab.told)
        lab.clock.moved_s += TOLD.total_seconds() / 2
        asyncio.run(scenario(lab))
        assert ("E-a", TOLD_MAX + 2, "op 7") == lab.acknowledged()[-1]
        assert (TOLD_MAX, []) == (len(lab.acknowledged()), lab.acknowledged(STATION))
        assert {CAR} == set(lab.told)
        lab.clock.moved_s += TOLD.total_seconds()
        assert [] == lab.acknowledged()


def test_a_carried_clear_is_no_younger_for_it(tmp_path: Path) -> None:
    """What was carried to a new stream takes the place that it had: it neither clears nor raises what came since."""
    with working(tmp_path) as lab:
        lab.tell(STATION, mains(5, False))
        lab.tell(STATION, mains(6, True))
        lab.tell(STATION, mains(1, False, origin=Origin("E-a", 5)), stream="E-b")
        assert ["mains_failed"] == lab.active
        lab.tell(STATION, mains(2, True, origin=Origin("E-a", 6)), stream="E-b")
        lab.tell(STATION, mains(3, False), stream="E-b")
        assert [] == lab.active
        lab.tell(STATION, mains(4, True, origin=Origin("E-lost", 9)), stream="E-b")
        assert ["mains_failed"] == lab.active, "of a stream that nobody knows, it stands where it came"


def test_an_alarm_says_whose_it_is(tmp_path: Path) -> None:
    """A station's names its base, a vehicle's its unit too; a unit that the directory has lost goes by its id."""
    with working(tmp_path) as lab:
        lab.tell(STATION, mains(1, True))
        lab.tell(CAR, mains(1, True))
        lab.tell(CAR, emergency(2, unit="kp-99"))
        whose = [(one.unit, one.callsign, one.base, one.text) for one in lab.shown]
        assert [
            (None, "", "stn-14", "Stn 14 shared: the mains have failed"),
            ("kp-12", "P12", "stn-14", "P12: the mains have failed"),
            ("kp-99", "kp-99", None, "Emergency: kp-99"),
        ] == whose


def test_a_body_that_nobody_can_read_stops_no_start(tmp_path: Path) -> None:
    """What is in the ledger under an alarm's kind and is none is left aside."""
    with working(tmp_path) as lab:
        lab.ledger.commit(Commit(events=[lab.row(CAR, emergency(), body=b"{}")]))
        lab.tell(CAR, emergency(2))
    with working(tmp_path) as lab:
        assert ["emergency"] == lab.active
        assert lab.clock.now() - timedelta(days=1) < lab.shown[0].raised_at
