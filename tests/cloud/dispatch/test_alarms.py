"""Alarms: what devices tell, in whatever order and however often, comes to what is still to be shown."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.dispatch.alarm import Acknowledgement, Alarm, Cancellation, Heard, Whose, view
from cloud.dispatch.alarms import DEVICE_MAX, ENDED_KEPT, Register
from tests.cloud.fleet.samples import NOON
from wire.events import AlarmEvent, EmergencyEvent, Mode, Origin, StatusEvent
from wire.scheme import Code

CAR = Whose(unit="kp-12", callsign="P12", base="stn-14", base_name="Stn 14 shared")
STATION = Whose(base="stn-14", base_name="Stn 14 shared")
HELP = Code(code="0", label="Emergency", event=True, emergency=True)
ROUTINE = Code(code="13", label="Call back", event=True, speech="routine")
URGENT = Code(code="14", label="Urgent call", event=True, speech="urgent")
MODES: list[Mode] = ["live", "test", "training", "maintenance", "commissioning"]


def emergency(seq: int = 1, mode: Mode = "live", **changes: Any) -> Heard:
    """An emergency of the car, heard at once."""
    event = EmergencyEvent(seq=seq, at=NOON, clock="gnss", boot=1, mono_ms=0, mode=mode, unit="kp-12")
    return heard(event, **{"device": "veh-2", "whose": CAR} | changes)


def cause(seq: int, raised: bool, *, part: str = "bay-1", mode: Mode = "live", **changes: Any) -> Heard:
    """The station's word of a bay that was left open."""
    event = AlarmEvent(
        seq=seq, at=NOON, clock="gnss", boot=1, mono_ms=0, mode=mode, name="bay_left_open", raised=raised, part=part
    )
    return heard(event, **{"device": "stn-14-agent", "whose": STATION} | changes)


def asks(seq: int, meaning: Code = ROUTINE, mode: Mode = "live", **changes: Any) -> Heard:
    """The car's crew presses a code that asks for a person."""
    event = StatusEvent(
        seq=seq, at=NOON, clock="gnss", boot=1, mono_ms=0, mode=mode, unit="kp-12", scheme="uk-police-state",
        code=meaning.code, by="panel",
    )  # fmt: skip
    at = NOON + timedelta(seconds=seq)
    return heard(event, **{"device": "veh-2", "whose": CAR, "meaning": meaning, "at": at} | changes)


def heard(event: AlarmEvent | EmergencyEvent | StatusEvent, **changes: Any) -> Heard:
    """An event of the device's first stream."""
    fields: dict[str, Any] = {"name": Origin("E-a", event.seq), "place": (1, event.seq), "event": event}
    return Heard(**fields | {"at": NOON, "proven": True, "heard_at": NOON} | changes)


def taken(alarm: Alarm, by: str = "op 7", at: datetime = NOON) -> Acknowledgement:
    """A person has it in hand."""
    return Acknowledgement(alarm.id, by, at)


def raised(register: Register, what: Heard) -> Alarm:
    """The alarm that an event comes to."""
    (alarm,) = register.take(what)
    return alarm


def cancelled(alarm: Alarm, by: str = "op 9", at: datetime = NOON) -> Cancellation:
    """A person at control has ended it."""
    return Cancellation(alarm.id, by, "crew safe", at)


def ended(register: Register, alarm: Alarm) -> Alarm | None:
    """Take an emergency in hand, and cancel it."""
    register.acknowledge(taken(alarm))
    return register.cancel(cancelled(alarm))


# Emergencies.


@given(st.lists(st.sampled_from(["live", "queue", "carried"]), min_size=1, max_size=8))
def test_an_emergency_is_one_alarm_whichever_way_it_came(ways: list[str]) -> None:
    """Ahead of its queue, by it, or carried to another stream, and however often: one alarm, shown once."""
    register = Register()
    copies = {"live": emergency(), "queue": emergency(), "carried": emergency(3, name=Origin("E-a", 1), place=(1, 1))}
    shown = [alarm for way in ways for alarm in register.take(copies[way])]
    assert 1 == len(shown) == len(list(register.active()))
    assert "veh-2.E-a.1" == shown[0].id


@pytest.mark.parametrize("mode", MODES)
def test_an_emergency_alarms_in_every_mode(mode: Mode) -> None:
    """Nothing that a device is switched to keeps an emergency quiet, and its text says what it was switched to."""
    alarm = raised(Register(), emergency(mode=mode))
    assert (True, mode) == (alarm.active, view(alarm).mode)
    assert ("mode)" in alarm.text) == (mode != "live")
    by_control = raised(Register(), emergency(control_mode=mode))
    assert (True, mode) == (by_control.active, view(by_control).mode)
    assert ("(control has it in" in by_control.text) == (mode != "live")


def test_a_status_that_calls_for_help_is_an_emergency() -> None:
    """Police code 0 raises what the guarded button does, by the place of its event, and ends as that does."""
    register = Register()
    alarm = raised(register, asks(4, HELP))
    assert ("emergency", "emergency", "veh-2.E-a.4", "Emergency: P12", False) == (
        alarm.kind,
        alarm.name,
        alarm.id,
        alarm.text,
        alarm.button,
    )
    assert () == register.take(asks(9, HELP, name=Origin("E-a", 4), place=(1, 4))), "carried to another stream"
    over = ended(register, alarm)
    assert over is not None and not over.active


def test_only_control_ends_an_emergency() -> None:
    """It is active until it is cancelled, once somebody has it in hand; what comes again of it changes nothing."""
    register = Register()
    alarm = raised(register, emergency())
    assert None is register.cancel(cancelled(alarm)), "nobody has it in hand"
    in_hand = register.acknowledge(taken(alarm))
    assert in_hand is not None and (True, False) == (in_hand.active, in_hand.is_open)
    assert ("op 7", NOON) == (view(in_hand).acknowledged_by, view(in_hand).acknowledged_at)
    assert None is register.acknowledge(taken(alarm, "op 8"))
    over = register.cancel(cancelled(alarm))
    assert over is not None and not over.active
    assert ("op 9", NOON, "crew safe") == (
        view(over).cancelled_by,
        view(over).cancelled_at,
        view(over).cancel_reason,
    )
    assert None is register.cancel(cancelled(alarm))
    assert () == register.take(emergency())
    assert [] == list(register.active())
    assert raised(register, emergency(2)).active, "a second push is a second emergency"


def test_what_people_did_is_known_before_its_emergency() -> None:
    """After a start the log may be read before the event has come: it is in that person's hand, or over, at once."""
    what = Acknowledgement("veh-2.E-a.1", "op 7", NOON)
    alarm = raised(Register([what]), emergency())
    assert (True, False, what) == (alarm.active, alarm.is_open, alarm.acknowledged)
    end = Cancellation("veh-2.E-a.1", "op 9", "crew safe", NOON)
    assert not raised(Register([what], [end]), emergency()).active


@pytest.mark.parametrize("mode", MODES)
def test_an_emergency_in_nobodys_hand_is_escalated_twice(mode: Mode) -> None:
    """After 15 s and after 30 s from when control heard of it, in every mode, once each; in hand it is no more."""
    register = Register()
    alarm = raised(register, emergency(mode=mode, heard_s=100.0))
    assert () == register.pass_time(114.9)
    assert [1] == [one.escalation for one in register.pass_time(115.0)]
    assert () == register.pass_time(129.9)
    assert [2] == [one.escalation for one in register.pass_time(130.0)]
    assert () == register.pass_time(1_000.0)
    assert 2 == view(next(register.active())).escalation
    in_hand = register.acknowledge(taken(alarm))
    assert in_hand is not None and 0 == view(in_hand).escalation
    assert () == register.pass_time(2_000.0)


def test_a_late_look_escalates_at_once() -> None:
    """After a restart, or a process that stood still, the time since control heard of it counts, and no other."""
    register = Register()
    raised(register, emergency(heard_s=-40.0, at=NOON - timedelta(hours=13)))
    assert [2] == [one.escalation for one in register.pass_time(0.0)]
    assert () == Register().pass_time(0.0)


def test_nothing_but_an_emergency_is_escalated_or_cancelled() -> None:
    """A station's alarm that nobody sees to, and a unit that nobody answers, wait as they are."""
    register = Register()
    for what in (cause(1, True), asks(1)):
        alarm = raised(register, what)
        assert None is register.cancel(cancelled(alarm))
    assert () == register.pass_time(10_000.0)


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (timedelta(seconds=59), ""),
        (timedelta(minutes=5), "raised 5 min before control heard of it"),
        (timedelta(hours=13, minutes=2), "raised 13 h 2 min before control heard of it"),
        (timedelta(days=3), "raised 3 days before control heard of it"),
    ],
)
def test_a_late_alarm_says_its_age(late: timedelta, said: str) -> None:
    """One that comes hours late is shown, as of when it was raised, and its text says how long ago that was."""
    alarm = raised(Register(), emergency(heard_at=NOON + late))
    assert (True, NOON) == (alarm.active, view(alarm).raised_at)
    assert f"Emergency: P12{'; ' if said else ''}{said}" == alarm.text


def test_an_alarm_without_a_proven_time_says_so() -> None:
    """Where nobody knows when it was raised, the text says what is known: a bound, or what its own clock says."""
    later = NOON + timedelta(hours=13)
    unknown = raised(Register(), emergency(at=later, proven=False, heard_at=later))
    assert "not proven: its own clock says 13 h 0 min before" in unknown.text
    assert raised(Register(), emergency(proven=False)).text.endswith("when it was raised is not proven")
    bounded = raised(Register(), emergency(proven=False, heard_at=later))
    assert "raised up to 13 h 0 min before" in bounded.text


def test_a_time_that_is_proven_later_counts() -> None:
    """What came ahead of its queue before the clocks were known is put right when its queue brings it; once."""
    register = Register()
    later = NOON + timedelta(hours=13)
    first = raised(register, emergency(at=later, proven=False, heard_at=later))
    mended = raised(register, emergency(heard_at=later))
    assert (first.id, NOON, True) == (mended.id, mended.raised_at, mended.proven)
    assert "13 h" in mended.text and "not proven" not in mended.text
    assert () == register.take(emergency(heard_at=later))
    assert 1 == len(list(register.active()))


# Alarms of stations and vehicles.


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_a_cause_stands_as_its_device_told_last(told: list[bool], data: st.DataObject) -> None:
    """In any order and repeated, what stands in the end is the last word by sequence, and nothing older brings back."""
    words = [cause(seq, up) for seq, up in enumerate(told, 1)]
    repeats = data.draw(st.lists(st.sampled_from(words), max_size=6))
    register = Register()
    newest = 0
    for word in data.draw(st.permutations([*words, *repeats])):
        before = [alarm.id for alarm in register.active()]
        register.take(word)
        if word.place[1] <= newest:
            assert before == [alarm.id for alarm in register.active()]
        newest = max(newest, word.place[1])
    assert told[-1] == bool(list(register.active()))
    assert len(list(register.active())) <= 1


def test_a_station_alarm_is_over_when_its_cause_is_gone() -> None:
    """Acknowledged it stays, for the cause is still there; cleared it is over; risen again it is another alarm."""
    register = Register()
    alarm = raised(register, cause(1, True))
    assert "Stn 14 shared: a bay door was left open (bay-1)" == alarm.text
    in_hand = register.acknowledge(taken(alarm))
    assert in_hand is not None and in_hand.active
    assert () == register.take(cause(2, True)), "the station says it again after a start"
    (over,) = register.take(cause(3, False, at=NOON + timedelta(minutes=5)))
    assert (False, NOON + timedelta(minutes=5)) == (over.active, over.cleared_at)
    again = raised(register, cause(4, True))
    assert (True, None) == (again.id != alarm.id, again.acknowledged)


def test_parts_and_devices_have_alarms_of_their_own() -> None:
    """A bay that is shut clears no other bay's alarm, nor another station's."""
    register = Register()
    for what in (cause(1, True), cause(2, True, part="bay-2"), cause(1, True, device="stn-9-agent")):
        raised(register, what)
    raised(register, cause(3, False))
    assert [("stn-14-agent", "bay-2"), ("stn-9-agent", "bay-1")] == [
        (one.device, one.part) for one in register.active()
    ]


@pytest.mark.parametrize("mode", MODES[1:])
def test_a_test_of_a_station_alarms_nobody(mode: Mode) -> None:
    """What rises in any mode but live is not shown; what is gone is gone, whatever the mode."""
    register = Register()
    assert () == register.take(cause(1, True, mode=mode))
    raised(register, cause(2, True))
    assert () == register.take(cause(3, True, mode=mode))
    assert [2] == [alarm.origin and alarm.origin.seq for alarm in register.active()]
    raised(register, cause(4, False, mode=mode))
    assert [] == list(register.active())


def test_a_new_stream_follows_the_old_one() -> None:
    """A clear with a low sequence in a newer stream counts, and what was carried there is no younger for it."""
    register = Register()
    raised(register, cause(40, True))
    raised(register, cause(2, False, name=Origin("E-b", 2), place=(2, 2)))
    assert () == register.take(cause(3, True, name=Origin("E-a", 40), place=(1, 40)))
    assert [] == list(register.active())


# Bounds.


def test_what_one_device_can_raise_is_bounded() -> None:
    """Past a hundred no more is shown of it, other devices go on, and what somebody has in hand makes room."""
    register = Register()
    emergencies = [register.take(emergency(seq)) for seq in range(1, DEVICE_MAX + 2)]
    assert () == emergencies[-1] and () not in emergencies[:-1]
    causes = [register.take(cause(seq, True, part=f"p{seq}")) for seq in range(1, DEVICE_MAX + 2)]
    assert () == causes[-1] and () not in causes[:-1]
    assert raised(register, emergency(1, device="veh-3"))
    assert register.acknowledge(taken(emergencies[0][0]))
    assert raised(register, emergency(DEVICE_MAX + 2))
    raised(register, cause(DEVICE_MAX + 2, False, part="p1"))
    assert raised(register, cause(DEVICE_MAX + 3, True, part="another"))


def test_what_is_over_is_remembered_within_a_bound() -> None:
    """The oldest is forgotten; what is active never is."""
    register = Register()
    standing = raised(register, cause(1, True, part="bay-2"))
    for seq in range(2, 2 * ENDED_KEPT + 4, 2):
        raised(register, cause(seq, True))
        raised(register, cause(seq + 1, False))
    assert None is register.find("stn-14-agent.E-a.2") and register.find("stn-14-agent.E-a.4")
    assert standing == register.find(standing.id)
    assert ENDED_KEPT == sum(not alarm.active for alarm in register._alarms.values())


def test_words_are_plain() -> None:
    """A name that nobody has translated is read out as it is, with what its device says of it."""
    event = AlarmEvent(
        seq=1, at=NOON, clock="gnss", boot=1, mono_ms=0, mode="live", name="fuel_low", raised=True, text="below 20 l"
    )
    alarm = raised(Register(), heard(event, device="veh-2", whose=CAR))
    assert "P12: fuel low: below 20 l" == alarm.text
    assert "station" == alarm.kind and view(alarm).callsign == "P12"


# Units that ask to speak.


def test_a_unit_that_asks_to_speak_waits_until_somebody_has_it() -> None:
    """By its own word for how urgent it is; in hand it is over, and what it declares meanwhile ends nothing."""
    register = Register()
    routine, urgent = raised(register, asks(1)), raised(Register(), asks(1, URGENT))
    assert ("speech", "speech_request", "P12 asks to speak", True) == (
        routine.kind,
        routine.name,
        routine.text,
        routine.active,
    )
    assert ("urgent_speech_request", "P12 asks to speak, urgently") == (urgent.name, urgent.text)
    answered = register.acknowledge(taken(routine))
    assert answered is not None and (False, "op 7") == (answered.active, view(answered).acknowledged_by)
    assert raised(register, asks(2)).active, "it asks again afterwards"


def test_a_newer_request_replaces_the_units_older_one() -> None:
    """One line a unit: who asks again stays where it was in the queue, who asks more urgently comes anew."""
    register = Register()
    first = raised(register, asks(1))
    replaced, second = register.take(asks(2))
    assert (first.id, False, True) == (replaced.id, replaced.active, second.active)
    assert (first.raised_at, "P12 asks to speak, 2 times") == (second.raised_at, second.text)
    _, third = register.take(asks(3, URGENT))
    assert ("urgent_speech_request", NOON + timedelta(seconds=3)) == (third.name, third.raised_at)
    other = raised(register, asks(1, device="veh-3", whose=Whose(unit="kp-13", callsign="P13")))
    assert [third.id, other.id] == [one.id for one in register.active()]


@given(st.permutations([asks(seq) for seq in range(1, 6)]))
def test_the_newest_request_stands_however_late_the_others_come(words: list[Heard]) -> None:
    """Nothing that was pressed before takes the place of what was pressed last, nor comes twice."""
    register = Register()
    for word in [*words, *words]:
        register.take(word)
    assert ["veh-2.E-a.5"] == [one.id for one in register.active()]


@pytest.mark.parametrize("mode", MODES[1:])
def test_a_request_that_is_tested_takes_nobodys_place(mode: Mode) -> None:
    """It is shown in its mode, whoever set that, beside the one that is meant, which it neither replaces nor ends."""
    register = Register()
    raised(register, asks(1))
    assert mode == view(raised(register, asks(2, mode=mode))).mode
    _, by_control = register.take(asks(3, control_mode=mode))
    assert mode == by_control.mode
    assert ["veh-2.E-a.1", "veh-2.E-a.3"] == [one.id for one in register.active()]


# A path that failed.


def test_units_that_fall_silent_together_are_one_alarm() -> None:
    """However often it is told and however many more there are; it is over when they are heard, and then comes anew."""
    register = Register()
    (alarm,) = register.path(12, 0.4, NOON)
    assert ("path", "path_failed", f"path.{NOON:%Y%m%dT%H%M%S}.000000Z") == (alarm.kind, alarm.name, alarm.id)
    assert "12 units fell silent together (40%" in alarm.text
    assert () == register.path(12, 0.4, NOON)
    in_hand = register.acknowledge(taken(alarm))
    assert in_hand is not None and in_hand.active, "its cause is still there"
    (more,) = register.path(14, 0.5, NOON)
    assert (alarm.id, "op 7") == (more.id, view(more).acknowledged_by)
    (over,) = register.path_over(NOON + timedelta(minutes=3))
    assert (alarm.id, False, NOON + timedelta(minutes=3)) == (over.id, over.active, over.cleared_at)
    assert () == register.path_over(NOON)
    (again,) = register.path(9, 0.3, NOON + timedelta(hours=1))
    assert again.id != alarm.id and again.is_open
