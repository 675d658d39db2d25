"""Health: every part has one verdict, nothing that is wrong gets lost, and the words stand still while it stays so."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from edge_agent.decode.readings import Fix
from edge_agent.state import health
from edge_agent.state.debounce import Contact, Debounce
from edge_agent.state.health import JOINING_S, NO_FIX_S, PARTS, UNSETTLED_S, Bus, Disk, Known, Link, Mains, Room
from edge_agent.state.vehicle import Now, Vehicle, apply
from tests.edge_agent.state.unwell import AT, BEGAN_S, BROKEN, CUT_OFF, FAULTS, FIX, NOW, WATCHED, WELL, findings
from wire.findings import Finding


def vehicle(**changed: object) -> Known:
    """A device that is well, but for this of its vehicle."""
    return replace(WELL, vehicle=replace(WELL.vehicle, **changed))


def test_a_device_that_is_well() -> None:
    """Each part is told once, in its order, and is in order; only a station has its own."""
    assert [(one.check, one.level, one.do) for one in findings().values()] == [
        (part, "ok", "") for part in (*PARTS, "station")
    ]
    assert tuple(findings(replace(WELL, mains=None))) == PARTS


def test_no_fault_gets_lost() -> None:
    """Everything that the agent knows to be wrong stands in one of the parts, in the agent's words."""
    told = [one.found for one in findings(BROKEN, CUT_OFF).values()]
    for name, fault in FAULTS.items():
        assert 1 == sum(fault in text for text in told), name


def test_whatever_is_wrong_says_what_to_do_within_the_contract() -> None:
    """Even with all broken there is one finding a part, each with its cure, and each is one that a message takes."""
    found = findings(BROKEN, CUT_OFF)
    assert tuple(found) == (*PARTS, "station", "agent")
    assert all(one.level != "ok" and one.do for one in found.values())
    assert msgspec.json.decode(msgspec.json.encode(list(found.values())), type=list[Finding])


def test_the_worst_of_a_part_is_its_verdict_and_comes_first() -> None:
    """A module that refuses something is to be looked after; beside one that is silent it is no longer the point."""
    refusing, silent = {"hall": FAULTS["hall"]}, {"bays": FAULTS["bays"]}
    one = health.judge_bus(Bus(faults=refusing, silent=()))
    both = health.judge_bus(Bus(faults={**refusing, **silent}, silent=("bays",)))
    assert (one.level, both.level) == ("warn", "fail")
    assert both.found == f"{FAULTS['bays']}; {FAULTS['hall']}" and both.do.startswith("look at the power")


def test_what_is_not_fitted_is_in_order() -> None:
    """A part that the device does not have is no fault, and the words say so."""
    bare = findings(replace(WELL, has_receiver=False, has_panel=False, bus=None))
    assert {(bare[part].level, bare[part].found) for part in ("receiver", "panel", "bus")} == {("ok", "none is fitted")}


@pytest.mark.parametrize(
    ("fix", "fixed_s", "level", "words"),
    [
        (None, None, "warn", "no fix for over 1 h"),
        (Fix(mode="none"), NOW.mono_s - NO_FIX_S + 1, "ok", "no fix for now"),
        (Fix(mode="none"), NOW.mono_s - NO_FIX_S, "warn", "no fix for over 10 min"),
        (replace(FIX, gnss_time=None), NOW.mono_s, "warn", "not believed"),
        (replace(FIX, mode="2d"), NOW.mono_s, "ok", "a 2d fix"),
    ],
)
def test_a_receiver_without_a_fix_is_told_once_it_should_have_one(
    fix: Fix | None, fixed_s: float | None, level: str, words: str
) -> None:
    """A quarter of an hour without a fix is worth a look, counted from the last one, or from the start."""
    told = findings(vehicle(fix=fix, fixed_s=fixed_s))["receiver"]
    assert (told.level, words in told.found) == (level, True), told


def test_a_receiver_that_has_just_started_is_no_fault() -> None:
    """Before the receiver had time to find anything nothing is said of it."""
    young = replace(WATCHED, began_s=NOW.mono_s - 2)
    assert findings(vehicle(fix=None, fixed_s=None), young)["receiver"].level == "ok"


def test_a_stuck_button_is_told_until_it_is_let_go() -> None:
    """It is named while it is down; one that came up again is in order."""
    for up_since_s, level in ((None, "warn"), (9_999.0, "ok")):
        stuck = Debounce(0.03, {"b4": Contact(9_000.0, up_since_s, True)})
        assert findings(vehicle(debounce=stuck))["panel"].level == level


@pytest.mark.parametrize(
    ("room", "level", "words"),
    [
        (Room(free_kib=8_192, reserve_kib=1_024, is_reserve_held=True), "ok", "has room"),
        (Room(free_kib=8_191, reserve_kib=1_024, is_reserve_held=True), "warn", "less than 8 MiB free"),
        (Room(free_kib=9_999, reserve_kib=1_024, is_reserve_held=False), "warn", "given up already"),
        (Room(free_kib=1_023, reserve_kib=1_024, is_reserve_held=False), "fail", "hardly a press"),
    ],
)
def test_the_room_on_the_disk(room: Room, level: str, words: str) -> None:
    """It is measured by what is kept free for presses."""
    told = health.judge_disk(Disk(room=room))
    assert (told.level, words in told.found) == (level, True), told


def test_a_clock_that_nothing_keeps_right() -> None:
    """Undisciplined or contested it is to be looked after; before the image was built it is wrong."""
    for changed, level in (({"source": "none"}, "warn"), ({"contested": True}, "warn"), ({}, "ok")):
        assert findings(replace(WELL, clock=replace(WELL.clock, **changed)))["clock"].level == level
    built = replace(WELL.clock, built_at=AT)
    assert health.judge_clock(built, AT).level == "ok"
    assert health.judge_clock(built, AT - timedelta(seconds=1)).level == "fail"


def link_after(link: Link, turned_s: float, *, connected: bool) -> Finding:
    """What is said of the link so long after it came or went."""
    now_s = NOW.mono_s
    watched = health.Watch(began_s=BEGAN_S, connected=connected, turned_s=now_s - turned_s)
    return health.judge_link(link, watched, now_s)


def test_a_link_that_has_just_gone_or_come_is_nothing_yet() -> None:
    """A modem that joins again within 5 s is no fault, nor is control that has had no time to answer."""
    gone = Link(connected=False, seen=True, answer_age_s=2.0)
    come = Link(connected=True, seen=False, answer_age_s=700.0)
    for link in (gone, come):
        told = [link_after(link, turned_s, connected=link.connected).level for turned_s in (JOINING_S - 0.1, JOINING_S)]
        assert told == ["ok", "fail"]
    assert "not answered for over 10 min" in link_after(come, 60.0, connected=True).found


def test_what_waits_for_control_is_told_after_a_minute() -> None:
    """By itself it is to be looked after; where the link is down the link's own words say enough."""
    waits = replace(WELL.link, unsettled_s=UNSETTLED_S)
    assert link_after(waits, 60.0, connected=True).level == "warn"
    assert link_after(replace(waits, unsettled_s=UNSETTLED_S - 1), 60.0, connected=True).level == "ok"
    down = link_after(replace(waits, connected=False), 60.0, connected=False)
    assert down.level == "fail" and "everything that was pressed" not in down.found


@pytest.mark.parametrize(("mains", "level"), [("ok", "ok"), ("unwired", "ok"), ("failed", "warn"), ("unknown", "warn")])
def test_the_mains_of_a_station(mains: Mains, level: str) -> None:
    """Failed or unknown they are to be looked after."""
    assert health.judge_station(mains).level == level


def test_the_watch_notes_only_what_turns() -> None:
    """The moment stands while the link stays as it is, and moves when it turns."""
    first = health.begin(1.0)
    again = health.watch(first, connected=False, now_s=2.0)
    joined = health.watch(again, connected=True, now_s=3.0)
    assert (again, joined.turned_s, joined.began_s) == (first, 3.0, 1.0)


def test_a_fix_that_is_lost_is_counted_from_the_last_one() -> None:
    """Reports without a position are no fix: the receiver is told a quarter of an hour after it last had one."""
    state = WELL.vehicle
    for minute, fix in ((0, FIX), (10, Fix(mode="none")), (14, Fix(mode="none"))):
        state, _ = apply(state, fix, Now(AT, NOW.mono_s + 60.0 * minute))
    told = [health.judge_receiver(state, WATCHED, NOW.mono_s + 60.0 * minute).level for minute in (14, 15)]
    assert told == ["ok", "warn"]


def test_the_words_stand_still() -> None:
    """Of one fault that lasts for a day there are at most half a dozen wordings: nothing counts seconds."""
    silent, waits = set(), set()
    for minutes in range(1, 24 * 60):
        now = Now(AT, CUT_OFF.turned_s + 60.0 * minutes)
        silent.add(health.look(replace(BROKEN, vehicle=_calm(BROKEN.vehicle)), CUT_OFF, now))
        waits.add(health.judge_link(replace(WELL.link, unsettled_s=60.0 * minutes), WATCHED, now.mono_s))
    assert len(silent) <= 6 and len(waits) <= 6


def _calm(broken: Vehicle) -> Vehicle:
    """The same vehicle without a fault of its receiver, which then says for how long there was no fix."""
    return replace(broken, faults={name: text for name, text in broken.faults.items() if name != "gpsd"})
