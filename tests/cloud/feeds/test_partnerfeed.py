"""A partner's feed: whoever follows it, comes back to it or begins anew holds the same, and nothing that is closed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.feeds import partnerfeed
from cloud.sharing.terms import EmergencyAccess
from tests.cloud.api.partner.lab import FIRE, POLICE, agreement, partner_row
from tests.cloud.feeds.partner_lab import BOTH, COUNTY_ROWS, SHARED, Client, World
from tests.cloud.fleet.samples import NOON

CAR, PUMP, VAN, COVERT = "kp-12", "kf-1", "kp-13", "kp-99"
DELAYED = agreement("late", fields=["position"], delay_s=60)
JOINT = agreement("joint", fields=["assignment", "alarms"], when="joint_incident")


def ended(name: str, at_s: float, **more: object) -> str:
    """An agreement that ends so many seconds after noon."""
    row = agreement(name, **more)  # type: ignore[arg-type]
    return row + f"valid_until = {(NOON + timedelta(seconds=at_s)).isoformat()}\n"


def test_a_client_begins_with_all_that_is_opened() -> None:
    """A snapshot has each unit that may be seen, its own among them, and none that is covert."""
    world = World()
    assert {CAR, VAN, PUMP} == world.connect().records.keys()
    assert {CAR, VAN, COVERT} == world.connect(POLICE).records.keys()


def test_a_cursor_counts_a_partners_own_events() -> None:
    """What another partner is told moves no cursor, and makes no event: silence looks the same whoever is busy."""
    quiet, busy = World(), World()
    told = [quiet.connect(), busy.connect()]
    for world in (quiet, busy):
        for turn in range(20):
            if world is busy:
                world.press("2" if turn % 2 else "7", unit=COVERT, device="veh-99")
                world.assign(COVERT, f"I{turn}")
            world.tick()
    assert told[0].kinds == told[1].kinds
    assert told[0].last_id.rpartition("-")[2] == told[1].last_id.rpartition("-")[2] == "0"
    assert told[0].shown() == told[1].shown()


def test_a_delay_lets_through_with_nobody_pressing() -> None:
    """A position that waits is told when it has waited, though nothing else happens; never a newer one."""
    world = World(COUNTY_ROWS + BOTH + DELAYED)
    client = world.connect()
    world.place(event=None)
    world.tick()
    assert client.records[CAR].position is None
    seen = list[float]()
    for _ in range(350):
        world.tick()
        place = client.records[CAR].position
        if place:
            assert place.age_s is not None
            seen.append(world.now_s)
            assert place.age_s >= 60
    assert seen
    assert 60 <= seen[0] <= 61


def test_a_joint_incident_opens_and_closes() -> None:
    """As both are assigned the unit opens further, and as either leaves it closes, at the next tick."""
    world = World(COUNTY_ROWS + BOTH + SHARED + JOINT)
    client = world.connect()
    world.assign(CAR, "I1")
    world.tick()
    assert "assignment" not in client.records[CAR].grants
    world.assign(PUMP, "I1")
    world.tick()
    assert ("a1", "joint") == client.records[CAR].agreements
    assert client.records[CAR].assignment
    world.assign(PUMP, "")
    world.tick()
    assert "assignment" not in client.records[CAR].grants
    assert not client.records[CAR].assignment


def test_a_partners_own_word_makes_no_incident_joint() -> None:
    """Its own system may name any incident: only an order that was given here opens the owner's unit by it."""
    world = World(COUNTY_ROWS + BOTH + SHARED + JOINT)
    client = world.connect()
    world.views.given_here = lambda _order: False
    world.assign(CAR, "I1")
    world.assign(PUMP, "I1")
    world.tick()
    assert "assignment" not in client.records[CAR].grants

    world.views.given_here = lambda _order: True
    world.assign(PUMP, "")
    world.tick()
    world.assign(PUMP, "I1")
    world.tick()
    assert client.records[CAR].assignment


def test_time_alone_ends_an_agreement() -> None:
    """`valid_until` passes with nothing else happening: the next tick takes its units away."""
    world = World(COUNTY_ROWS + BOTH + ended("a1", 10, fields=["status"]))
    client = world.connect()
    for _ in range(49):
        world.tick()
    assert CAR in client.records
    world.tick()
    assert {PUMP} == client.records.keys()
    assert "changes" == client.kinds[-1]


def test_an_emergency_is_told_at_once_and_ends() -> None:
    """Raised, it is there before any tick; cancelled, it is gone; of a unit whose alarms are closed it never comes."""
    world = World()
    client, police = world.connect(), world.connect(POLICE)
    world.alarm(CAR)
    assert [CAR] == [one.unit for one in client.alarms.values()]
    assert "veh-2" not in str(client.alarms)
    world.alarm(COVERT, number=2)
    assert [CAR] == [one.unit for one in client.alarms.values()]
    assert {CAR, COVERT} == {one.unit for one in police.alarms.values()}
    assert not client.alarms.keys() & police.alarms.keys(), "an id that both hold would tie them together"
    world.alarm(CAR, active=False)
    assert {} == client.alarms


def test_an_emergency_comes_with_what_opens_it() -> None:
    """One that stands already is told as its unit opens, and let go of as it closes; again as it opens again."""
    world = World(COUNTY_ROWS + BOTH + agreement("a1", fields=["status"]) + JOINT)
    client = world.connect()
    world.alarm(CAR)
    world.assign(PUMP, "I1")
    world.tick()
    assert {} == client.alarms
    for incident, count in (("I1", 1), ("", 0), ("I1", 1)):
        before = client.last_id
        world.assign(CAR, incident)
        world.tick()
        assert count == len(client.alarms)
        back = Client()
        back.last_id, back.records = before, dict(client.records)
        assert count == len(world.connect(FIRE, back).alarms), "also for one that missed just this"


def test_an_emergency_of_a_unit_that_just_closed_waits() -> None:
    """Between its going off duty and the tick an emergency is not told; it is once the unit is seen to be open."""
    world = World()
    client = world.connect()
    world.press("11")
    world.alarm(CAR)
    assert {} == client.alarms
    world.press("2")
    world.tick()
    assert [CAR] == [one.unit for one in client.alarms.values()]
    world.press("11")
    world.alarm(CAR, number=2)
    world.tick()
    assert ({}, False) == (client.alarms, CAR in client.records)


@pytest.mark.parametrize("code", ["11"])
def test_nothing_is_shown_of_a_unit_that_just_closed(code: str) -> None:
    """Between its going off duty and the tick nobody who asks or begins to listen gets its new record."""
    world = World()
    world.press("2")
    world.tick()
    world.press(code)
    assert world.views.record(FIRE, CAR, world.now) is None
    assert CAR not in {one.record.unit for one in world.views.records(FIRE, world.now)}
    assert CAR not in world.connect().records
    assert world.views.record(POLICE, CAR, world.now) is not None


def test_nothing_is_shown_of_an_incident_that_is_not_joint_yet() -> None:
    """Between its going to another incident and the tick nobody who asks gets what only the joint one opened."""
    world = World(COUNTY_ROWS + BOTH + SHARED + JOINT)
    for unit in (CAR, PUMP):
        world.assign(unit, "I1")
    world.tick()
    world.assign(CAR, "I-SECRET")
    shown = world.views.record(FIRE, CAR, world.now)
    assert shown is not None
    assert "assignment" not in shown.grants.fields
    assert "I-SECRET" not in str(shown.record)


def test_who_begins_while_a_unit_is_closed_gets_it_with_the_next_tick() -> None:
    """Closed and opened again between two ticks, it is told to whoever came in between, with its emergencies."""
    world = World()
    world.press("2")
    world.tick()
    world.alarm(CAR)
    world.decide(withdrawn=frozenset({"a1"}))
    client = world.connect()
    assert {PUMP} == client.records.keys()
    world.decide()
    world.alarm(CAR, number=2)
    world.tick()
    assert ({CAR, PUMP, VAN}, 2) == (set(client.records), len(client.alarms))


def test_a_withdrawal_holds_at_once_for_who_asks() -> None:
    """What is decided holds for whoever asks from that moment, and for streams from the next tick."""
    world = World()
    client = world.connect()
    world.decide(withdrawn=frozenset({"a1"}))
    assert world.views.record(FIRE, CAR, world.now) is None
    world.tick()
    assert {PUMP} == client.records.keys()
    access = EmergencyAccess(
        id="e1", owner=POLICE, partner=FIRE, reason="x", by="y", since=NOON, until=NOON + timedelta(seconds=5)
    )
    world.decide(withdrawn=frozenset({"a1"}), access=(access,))
    world.tick()
    assert {CAR, VAN, PUMP} == client.records.keys()
    for _ in range(25):
        world.tick()
    assert {PUMP} == client.records.keys()


def test_kin_that_is_hidden_was_never_there() -> None:
    """A crew mate that goes covert leaves its mate's record as if it had never been."""
    group = 'crew_group = "c1"\n'
    with_mate = COUNTY_ROWS.replace('carrier = "veh-2"\n', f'carrier = "veh-2"\n{group}', 1)
    with_mate = with_mate.replace('carrier = "veh-13"\n', f'carrier = "veh-13"\n{group}', 1)
    world = World(with_mate + BOTH + SHARED)
    client = world.connect()
    assert ("P13",) == client.records[CAR].alternates
    world.press("11", unit=VAN, device="veh-13")
    shown = world.views.record(FIRE, CAR, world.now)
    assert shown is not None
    assert "P13" not in str(shown.record), "not even until the next tick"
    world.press("2", unit=VAN, device="veh-13")
    world.tick()
    assert ("P13",) == client.records[CAR].alternates
    hidden = with_mate.replace('carrier = "veh-13"\n', 'carrier = "veh-13"\ncovert = true\n', 1)
    world.reload(hidden + BOTH + SHARED)
    world.tick()
    assert VAN not in client.records
    assert () == client.records[CAR].alternates
    assert "P13" not in str(client.records[CAR])


def test_a_partner_is_cut_off_and_begins_another_epoch() -> None:
    """One that is none any more is cut off; as it comes back its older ids mean nothing."""
    world = World()
    client = world.connect()
    for code in ("2", "8", "2"):
        world.press(code)
        world.tick()
    older = client.last_id
    world.reload(COUNTY_ROWS + partner_row(POLICE) + SHARED)
    world.tick()
    assert [] == world.clients
    assert world.partners.feed(FIRE) is None
    world.press("8")
    world.reload(COUNTY_ROWS + BOTH + SHARED)
    world.tick()
    for code in ("2", "8", "2", "8"):
        world.press(code)
        world.tick()
    back = Client()
    back.last_id = older
    world.connect(FIRE, back)
    assert ("snapshot", {CAR, VAN, PUMP}) == (back.kinds[0], set(back.records))


def test_a_partner_that_comes_back_within_a_tick_misses_nothing() -> None:
    """Taken away and put back between two ticks, with less open to it: its client is told what is gone."""
    world = World()
    client = world.connect()
    world.reload(COUNTY_ROWS + partner_row(POLICE) + SHARED)
    world.reload(COUNTY_ROWS + BOTH)
    world.tick()
    assert {PUMP} == client.records.keys()


def test_gone_units_are_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many that are gone are remembered; who was away for longer gets the whole view."""
    monkeypatch.setattr(partnerfeed, "GONE_KEPT", 1)
    world = World()
    client = world.connect()
    world.part(client)
    for covers in ([CAR], []):
        rows = agreement("a1", fields=["status"], covers={"units": covers}) if covers else ""
        world.reload(COUNTY_ROWS + BOTH + rows)
        world.tick()
    world.connect(FIRE, client)
    assert ("snapshot", {PUMP}) == (client.kinds[-1], set(client.records))


def test_ids_that_mean_nothing_get_the_whole_view() -> None:
    """Another epoch, a cursor of the future, nonsense: all get a snapshot, and nothing fails."""
    world = World()
    epoch, _, cursor = world.connect().last_id.rpartition("-")
    for last_id in (f"{epoch}-{int(cursor) + 1}", f"{epoch}--1", f"x-{cursor}", "-", "9" * 40, f"{epoch}-{'9' * 30}"):
        client = Client()
        client.last_id = last_id
        assert ["snapshot"] == world.connect(FIRE, client).kinds
    feed = world.partners.feed(POLICE)
    assert feed is not None
    assert epoch not in feed.snapshot(world.now)[0].decode(), "an epoch of its own for each"


DIRECTORIES = (
    COUNTY_ROWS + BOTH + SHARED + JOINT,
    COUNTY_ROWS + BOTH + JOINT,
    COUNTY_ROWS + BOTH + SHARED.replace('"alarms"', '"link"'),
    COUNTY_ROWS + BOTH + DELAYED + ended("a2", 30, fields=["status", "alarms"]),
    COUNTY_ROWS.replace('carrier = "veh-2"\n', 'carrier = "veh-2"\ncovert = true\n', 1) + BOTH + SHARED,
)
UNITS = st.sampled_from([CAR, PUMP, VAN])
Act = Callable[[World], object]
ACTS: st.SearchStrategy[Act] = st.one_of(
    st.sampled_from(["2", "7", "11"]).map(lambda code: lambda world: world.press(code)),
    st.just(lambda world: world.place()),
    st.tuples(UNITS, st.sampled_from(["I1", "I2", ""])).map(lambda given: lambda world: world.assign(*given)),
    st.tuples(UNITS, st.booleans()).map(lambda given: lambda world: world.alarm(given[0], active=given[1])),
    st.sampled_from(range(len(DIRECTORIES))).map(lambda at: lambda world: world.reload(DIRECTORIES[at])),
    st.sampled_from([(), ("a1",)]).map(lambda names: lambda world: world.decide(withdrawn=frozenset(names))),
    st.sampled_from([0.2, 5.0, 31.0]).map(lambda ahead_s: lambda world: world.tick(ahead_s)),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(ACTS, max_size=25), st.sets(st.integers(0, 25), max_size=6))
def test_whoever_follows_holds_what_one_who_begins_gets(acts: list[Act], turns: set[int]) -> None:
    """However a client was cut off and came back meanwhile: after a tick it holds what a new one is given, but ages."""
    world = World(DIRECTORIES[0])
    steady, flaky = world.connect(), world.connect()
    for number, act in enumerate(acts):
        if number in turns:
            world.part(flaky) if flaky in world.clients else world.connect(FIRE, flaky)
        act(world)
    world.tick()
    if flaky not in world.clients:
        world.connect(FIRE, flaky)
    world.tick(10.0)  # by then what was only heard again is told again
    begun = world.connect()
    assert begun.shown() == steady.shown()
    assert begun.shown() == flaky.shown()
