"""Alarms: what devices tell, in whatever order and however often, comes to what is still to be shown."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.dispatch import alarms
from cloud.dispatch.alarms import DEVICE_MAX, ENDED_KEPT, Acknowledgement, Alarm, Heard, Register, Whose, view
from tests.cloud.fleet.samples import NOON
from wire.events import AlarmEvent, EmergencyEvent, Mode, Origin

CAR = Whose(unit="kp-12", callsign="P12", base="stn-14", base_name="Stn 14 shared")
STATION = Whose(base="stn-14", base_name="Stn 14 shared")
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


def heard(event: AlarmEvent | EmergencyEvent, **changes: Any) -> Heard:
    """An event of the device's first stream."""
    fields: dict[str, Any] = {"name": Origin("E-a", event.seq), "place": (1, event.seq), "event": event}
    return Heard(**fields | {"at": NOON, "proven": True, "heard_at": NOON} | changes)


def taken(alarm: Alarm, by: str = "op 7", at: datetime = NOON) -> Acknowledgement:
    """A person has it in hand."""
    return Acknowledgement(alarm.id, by, at)


def raised(register: Register, what: Heard) -> Alarm:
    """The alarm that an event comes to."""
    alarm = register.take(what)
    assert alarm is not None
    return alarm


# Emergencies.


@given(st.lists(st.sampled_from(["live", "queue", "carried"]), min_size=1, max_size=8))
def test_an_emergency_is_one_alarm_whichever_way_it_came(ways: list[str]) -> None:
    """Ahead of its queue, by it, or carried to another stream, and however often: one alarm, shown once."""
    register = Register()
    copies = {"live": emergency(), "queue": emergency(), "carried": emergency(3, name=Origin("E-a", 1), place=(1, 1))}
    shown = [alarm for way in ways if (alarm := register.take(copies[way])) is not None]
    assert 1 == len(shown) == len(list(register.active()))
    assert "veh-2.E-a.1" == shown[0].id


@pytest.mark.parametrize("mode", MODES)
def test_an_emergency_alarms_in_every_mode(mode: Mode) -> None:
    """Nothing that a device is switched to keeps an emergency quiet, and its text says what it was switched to."""
    alarm = raised(Register(), emergency(mode=mode))
    assert (True, mode) == (alarm.active, view(alarm).mode)
    assert ("mode)" in alarm.text) == (mode != "live")


def test_only_a_person_ends_an_emergency() -> None:
    """It is active until it is acknowledged, once, and what comes again of it afterwards changes nothing."""
    register = Register()
    alarm = raised(register, emergency())
    ended = register.acknowledge(taken(alarm))
    assert ended is not None and not ended.active
    assert ("op 7", NOON) == (view(ended).acknowledged_by, view(ended).acknowledged_at)
    assert None is register.acknowledge(taken(alarm, "op 8"))
    assert None is register.take(emergency())
    assert [] == list(register.active())
    assert raised(register, emergency(2)).active, "a second push is a second emergency"


def test_an_acknowledgement_is_known_before_its_emergency() -> None:
    """After a start the log may be read before the event has come: the alarm is in that person's hand at once."""
    what = Acknowledgement("veh-2.E-a.1", "op 7", NOON)
    alarm = raised(Register([what]), emergency())
    assert (False, what) == (alarm.active, alarm.acknowledged)


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
    assert None is register.take(emergency(heard_at=later))
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
    assert None is register.take(cause(2, True)), "the station says it again after a start"
    over = register.take(cause(3, False, at=NOON + timedelta(minutes=5)))
    assert over is not None and (False, NOON + timedelta(minutes=5)) == (over.active, over.cleared_at)
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
    assert None is register.take(cause(1, True, mode=mode))
    raised(register, cause(2, True))
    assert None is register.take(cause(3, True, mode=mode))
    assert [2] == [alarm.origin.seq for alarm in register.active()]
    raised(register, cause(4, False, mode=mode))
    assert [] == list(register.active())


def test_a_new_stream_follows_the_old_one() -> None:
    """A clear with a low sequence in a newer stream counts, and what was carried there is no younger for it."""
    register = Register()
    raised(register, cause(40, True))
    raised(register, cause(2, False, name=Origin("E-b", 2), place=(2, 2)))
    assert None is register.take(cause(3, True, name=Origin("E-a", 40), place=(1, 40)))
    assert [] == list(register.active())


# Bounds.


def test_what_one_device_can_raise_is_bounded() -> None:
    """Past a hundred no more is shown of it, other devices go on, and what is over makes room."""
    register = Register()
    emergencies = [register.take(emergency(seq)) for seq in range(1, DEVICE_MAX + 2)]
    assert None is emergencies[-1] and None not in emergencies[:-1]
    causes = [register.take(cause(seq, True, part=f"p{seq}")) for seq in range(1, DEVICE_MAX + 2)]
    assert None is causes[-1] and None not in causes[:-1]
    assert raised(register, emergency(1, device="veh-3"))
    assert emergencies[0] is not None and register.acknowledge(taken(emergencies[0]))
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
    assert "station" == alarm.kind and alarms.view(alarm).callsign == "P12"
