"""The alarms in hand: what a start knows again, and that nobody is told of an acknowledgement that is not on disk."""

import asyncio
import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from cloud.desk import AlarmTaken, NotInHand
from cloud.desk.alarms import REMEMBERED
from cloud.desk.lamps import TOLD, TOLD_MAX
from cloud.errors import CloudError
from cloud.fleet.clocks import Moment
from cloud.fleet.paths import PathFailure
from cloud.ledger import Commit, opening
from tests.cloud.desk.alarm_lab import EMERGENCY, Lab, emergency, mains, pressed, working
from tests.cloud.desk.lab import HandClock
from tests.cloud.dispatch.samples import CAR, STATION
from tests.cloud.fleet.samples import NOON
from wire import codec
from wire.events import Origin
from wire.feed import AlarmView


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
    """What a person did outlives the process, also with an emergency that was not stored yet; cancelled it is over."""

    async def acknowledge(lab: Lab) -> None:
        assert isinstance(await lab.alarms.acknowledge(EMERGENCY, "op 7"), AlarmView)

    async def cancel(lab: Lab) -> None:
        assert isinstance(await lab.alarms.cancel(EMERGENCY, "op 9", "crew safe"), AlarmView)

    with working(tmp_path) as lab:
        lab.tell_live(CAR, emergency())
        lab.tell(STATION, mains(1, True))
        asyncio.run(acknowledge(lab))
    with working(tmp_path) as lab:
        lab.tell(CAR, emergency())
        assert ["mains_failed"] == lab.open
        assert "op 7" == lab.shown[-1].acknowledged_by and lab.shown[-1].active
    with working(tmp_path) as lab:
        assert ["mains_failed", "emergency"] == lab.active == [one.name for one in lab.shown]
        assert [("E-a", 1, "op 7")] == lab.acknowledged()
        asyncio.run(cancel(lab))
        assert ["mains_failed"] == lab.active
    with working(tmp_path) as lab:
        assert ["mains_failed"] == lab.active == [one.name for one in lab.shown]
        known = lab.alarms._register.find(EMERGENCY)
        assert known is not None and known.cancelled is not None and "crew safe" == known.cancelled.reason


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
        assert [] == lab.open
        assert [None, "op 7"] == [one.acknowledged_by for one in lab.shown]


def test_a_cancellation_is_one_persons_and_takes_somebody_in_hand(tmp_path: Path) -> None:
    """Nobody ends what nobody has seen; the same request again is answered alike, and another is told who was first."""

    async def scenario(lab: Lab) -> None:
        assert isinstance(await lab.alarms.cancel(EMERGENCY, "op 9", "crew safe"), NotInHand)
        assert ["emergency", "mains_failed"] == lab.active
        await lab.alarms.acknowledge(EMERGENCY, "op 7")
        both = await asyncio.gather(*(lab.alarms.cancel(EMERGENCY, by, "crew safe") for by in ("op 9", "op 8")))
        assert isinstance(both[0], AlarmView) and isinstance(both[1], AlarmTaken)
        assert (False, "op 9", "op 9") == (both[0].active, both[0].cancelled_by, both[1].view.cancelled_by)
        assert both[0] == await lab.alarms.cancel(EMERGENCY, "op 9", "crew safe")
        assert None is await lab.alarms.cancel(f"{CAR}.E-a.2", "op 9", "crew safe")
        await lab.alarms.acknowledge(f"{STATION}.E-a.1", "op 7")
        assert isinstance(await lab.alarms.cancel(f"{STATION}.E-a.1", "op 9", "mended"), NotInHand)
        assert 1 == sum(row.kind == "cancelled" for row in lab.ledger.alarm_log(NOON))

    with working(tmp_path) as lab:
        lab.tell(CAR, emergency())
        lab.tell(STATION, mains(1, True))
        asyncio.run(scenario(lab))
        assert ["mains_failed"] == lab.active
        assert [CAR, CAR] == lab.told


def test_an_emergency_is_escalated_by_the_clouds_own_clock(tmp_path: Path) -> None:
    """At 15 s and 30 s after control heard of it, whatever the device's clock says; a restart goes on counting."""
    clock = HandClock()
    with working(tmp_path, clock) as lab:
        lab.tell(CAR, emergency(at=NOON - timedelta(days=9)))
        for waits_s, escalated in ((14.0, 0), (1.0, 1), (10.0, 1)):
            lab.wait(waits_s)
            assert escalated == lab.alarms.active()[0].escalation
        assert [0, 1] == [one.escalation for one in lab.shown], "told once"
    with working(tmp_path, clock) as lab:
        assert [1] == [one.escalation for one in lab.shown], "the first that a board sees after a start"
        lab.wait(5.0)
        assert [1, 2] == [one.escalation for one in lab.shown]
        asyncio.run(lab.alarms.acknowledge(EMERGENCY, "op 7"))
        lab.wait(60.0)
        assert [1, 2, 0] == [one.escalation for one in lab.shown]


def test_codes_that_call_people_are_alarms_after_a_start_too(tmp_path: Path) -> None:
    """Code 0 is an emergency, 13 and 14 ask to speak, in whatever way their bytes are written; no other code is any."""
    escaped = codec.encode(pressed(9, "14", unit="kp-12")).replace(b'"14"', b'"\\u00314"')
    spaced = codec.encode(pressed(3, "13")).replace(b":", b": ")
    with working(tmp_path) as lab:
        lab.tell(CAR, pressed(1, "0"))
        for seq, code in enumerate(("2", "5", "12", "15"), 20):
            lab.tell(CAR, pressed(seq, code), stream="E-0")
        lab.tell(CAR, pressed(3, "13"), body=spaced)
        assert ["emergency", "speech_request"] == lab.active
        lab.tell(CAR, pressed(9, "14"), body=escaped)
        before = lab.alarms.active()
        assert ["emergency", "urgent_speech_request"] == [one.name for one in before]
        assert ["P12 asks to speak, urgently"] == [one.text for one in before[1:]]
    with working(tmp_path) as lab:
        assert before == lab.alarms.active()
        asyncio.run(lab.alarms.acknowledge(before[1].alarm, "op 7"))
        asyncio.run(lab.alarms.acknowledge(before[0].alarm, "op 7"))
        assert (["emergency"], []) == (lab.active, lab.acknowledged()), "no lamp stands beside a code"


def test_controls_mode_marks_and_never_hides(tmp_path: Path) -> None:
    """An emergency of a unit that control tests alarms everybody, and says so; its request to speak is a test."""
    with working(tmp_path) as lab:
        lab.modes["kp-12"] = "test"
        lab.tell(CAR, emergency(1))
        lab.tell(CAR, pressed(2, "13"))
        assert [("emergency", "test", True), ("speech_request", "test", True)] == [
            (one.name, one.mode, one.active) for one in lab.shown
        ]


def test_a_failed_path_is_shown_until_it_is_over(tmp_path: Path) -> None:
    """Told however often it is one alarm, and another when the path fails again."""
    with working(tmp_path) as lab:
        now = Moment(lab.clock.now(), lab.clock.monotonic())
        for failure in (None, PathFailure(12, 0.5, NOON), PathFailure(12, 0.5, NOON), None, None):
            lab.alarms.path(failure, now)
        assert [("path", True), ("path", False)] == [(one.kind, one.active) for one in lab.shown]


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
        assert [] == lab.open and 1 == len(lab.ledger.alarm_log(NOON))


def test_a_device_is_told_of_its_own_emergencies_for_a_while(tmp_path: Path) -> None:
    """By the place where each first stood, until ten minutes after its end, at most as many as a state holds."""

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
        assert TOLD_MAX == len(lab.acknowledged()), "for as long as they are in hand"
        newest = f"{CAR}.E-a.{TOLD_MAX + 2}"
        asyncio.run(lab.alarms.cancel(newest, "op 9", "crew safe"))
        now = Moment(lab.clock.now(), lab.clock.monotonic())
        assert [True] == [one.cancelled for one in lab.alarms.acknowledged(CAR, now) if one.seq == TOLD_MAX + 2]
        assert 1 == sum(one.cancelled for one in lab.alarms.acknowledged(CAR, now))
        lab.clock.moved_s += TOLD.total_seconds()
        assert ("E-a", TOLD_MAX + 1, "op 7") == lab.acknowledged()[-1]


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
    """A station's names its base, a vehicle's its unit too.

    A unit that the directory has lost goes by its id, a vehicle that carries none by its device's.
    """
    with working(tmp_path) as lab:
        lab.tell(STATION, mains(1, True))
        lab.tell(CAR, mains(1, True))
        lab.tell(CAR, emergency(2, unit="kp-99"))
        lab.tell("spare-1", emergency(3, unit="none"), unit=None)
        whose = [(one.unit, one.callsign, one.base, one.text) for one in lab.shown]
        assert [
            (None, "", "stn-14", "Stn 14 shared: the mains have failed"),
            ("kp-12", "P12", "stn-14", "P12: the mains have failed"),
            ("kp-99", "kp-99", None, "Emergency: kp-99"),
            (None, "spare-1", None, "Emergency: spare-1"),
        ] == whose


def test_a_body_that_nobody_can_read_stops_no_start(tmp_path: Path) -> None:
    """What is in the ledger under an alarm's kind and is none is left aside."""
    with working(tmp_path) as lab:
        lab.ledger.commit(Commit(events=[lab.row(CAR, emergency(), body=b"{}")]))
        lab.tell(CAR, emergency(2))
    with working(tmp_path) as lab:
        assert ["emergency"] == lab.active
        assert lab.clock.now() - timedelta(days=1) < lab.shown[0].raised_at
