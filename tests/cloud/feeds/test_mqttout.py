"""What is published over MQTT: the view and nothing beside it, in time, and gone when the view ends."""

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.feeds.mqttout import GAP_S, LOOK_AFTER_S, LOOK_GAP_S, MADE_MAX, RENEW_S, VALID_S, WAITING_MAX
from cloud.feeds.views import Shown
from tests.cloud.feeds.mqtt_lab import HIDDEN, TICK_S, County, Held, directory, lasting, left_behind
from tests.cloud.fleet.samples import COUNTY
from wire.partner import PartnerRecord

P12, P13, F1 = "wr/1/feed/ka/kp/kp-12", "wr/1/feed/ka/kp/kp-13", "wr/1/feed/ka/kf/kf-1"
FOREIGN = ("wr/1/feed/gone/kp/kp-12", "wr/1/feed/ka/kf/kp-12", "wr/1/feed/ka/kp/kp-99", "wr/1/feed/odd")


def published(county: County) -> tuple[County, Held]:
    """A county and a broker that holds all of it."""
    county.out.begin(county.now.mono_s)
    broker = Held(county)
    county.tick()
    broker.take()
    broker.look()
    return county, broker


def test_exactly_the_views_are_published_until_a_time() -> None:
    """Each unit of a named partner's view is there with what is opened of it, valid for `VALID_S`; nothing else is."""
    county, broker = published(County())
    assert {P12, P13, F1} == set(broker.kept) == set(county.wanted())
    assert county.wanted() == {topic: lasting(record) for topic, record in broker.kept.items()}
    until = county.now.utc + timedelta(seconds=VALID_S)
    assert {until} == {record.valid_until for record in broker.kept.values()}
    assert HIDDEN not in str(broker.kept)
    assert "canary-dog" not in str(broker.kept)
    assert (3, 0) == (county.out.published, county.out.cleared)


def test_nothing_is_made_before_a_connection_stands() -> None:
    """Without a connection changes cost nothing and wait for nobody; with one, all of the view is told."""
    county = County()
    broker = Held(county)
    for _ in range(5):
        county.turn_out("kp-12")
        county.tick()
    assert 0 == county.out.due
    assert [] == county.out.take(10)
    county.out.begin(county.now.mono_s)
    county.tick()
    broker.take()
    assert county.wanted() == {topic: lasting(record) for topic, record in broker.kept.items()}


def test_what_changes_often_is_told_once_a_second_with_the_newest() -> None:
    """Of many changes within a second the newest is told, a second after the one before."""
    county, broker = published(County())
    for _ in range(4):
        county.turn_out("kp-12")
        county.tick()
        broker.take()
        assert 3 == len(broker.told)
    county.tick(GAP_S - 4 * TICK_S)
    broker.take()
    assert 4 == len(broker.told)
    assert county.wanted()[P12] == lasting(broker.kept[P12])


def test_a_view_that_ends_waits_for_nothing() -> None:
    """What a withdrawal ends is taken away at that tick, before anything is told, whatever was told just now."""
    county, broker = published(County())
    county.turn_out("kp-12")
    county.turn_out("kf-1")
    county.tick(GAP_S)
    county.withdraw("police")
    county.tick()
    first = county.out.take(2)
    assert [(P12, b""), (P13, b"")] == sorted((one.topic, one.payload) for one in first)
    broker.take()
    assert {F1} == {topic for _, topic in broker.told[3:]}


def test_a_view_that_ends_and_comes_back_is_there() -> None:
    """A view that ends and comes back is told again, a second after it was told before, and not oftener."""
    county, broker = published(County())
    county.withdraw("police")
    county.tick()
    county.withdraw()
    county.tick()
    broker.take()
    assert {F1} == set(broker.kept)
    county.tick(GAP_S)
    broker.take()
    assert county.wanted().keys() == broker.kept.keys()


def test_a_view_that_is_back_is_not_taken_away() -> None:
    """What comes back before a slow broker was told of its end is told, and not taken away any more."""
    county, broker = published(County())
    county.withdraw("police")
    county.tick()
    county.withdraw()
    county.tick(GAP_S)
    broker.take()
    assert county.wanted().keys() == broker.kept.keys()
    assert 0 == county.out.cleared


def test_what_does_not_change_is_renewed_in_time() -> None:
    """For ten minutes in which nothing happens every message is valid, and each was made half as often as that asks."""
    county, broker = published(County())
    for _ in range(3_000):
        county.tick()
        broker.take()
        assert all(_valid_s(record, county) > VALID_S - RENEW_S - 2 * TICK_S for record in broker.kept.values())
    assert len(broker.told) <= 3 * (1 + 600 / RENEW_S)


def test_there_is_a_bound_on_what_waits() -> None:
    """However slow the broker, no more than the bound is made and waits; the rest is told later, as it is then."""
    units = "".join(
        f'[[unit]]\nid = "u{n}"\ncallsign = "U{n}"\norganisation = "ka"\ntype = "car"\nbase = "stn-14"\n'
        f'scheme = "uk-police-state"\ncarrier = "d{n}"\n'
        f'[[device]]\nid = "d{n}"\norganisation = "ka"\nenrolment = "D{n}"\n'
        for n in range(2 * WAITING_MAX)
    )
    ambulance = '[[organisation]]\nid = "ka"\nname = "A"\nservice = "ambulance"\n'
    county = County(directory({"ka": True}, text=COUNTY + ambulance + units))
    county.out.begin(county.now.mono_s)
    county.tick()
    assert MADE_MAX == len(county.out._waiting)
    for _ in range(20):
        county.tick()
    assert WAITING_MAX == len(county.out._waiting)
    assert 2 * WAITING_MAX == county.out.due
    broker = Held(county)
    for _ in range(60):
        broker.take(20)
        county.tick(1.0)
    assert 2 * WAITING_MAX == len(broker.kept)


def test_a_slow_broker_is_said_to_be() -> None:
    """What is due longer than half of what messages are valid for is trouble; once it is told it is none."""
    county, broker = published(County())
    assert [] == county.out.trouble(county.now.mono_s)
    county.out._waiting.update({f"wr/1/feed/x/y/{n}": b"x" for n in range(WAITING_MAX)})
    county.turn_out("kp-12")
    for _ in range(int((VALID_S - RENEW_S + GAP_S) / TICK_S) + 2):
        county.tick()
    (said,) = county.out.trouble(county.now.mono_s)
    assert "late over MQTT" in said
    county.out._waiting.clear()
    county.tick()
    assert [] == county.out.trouble(county.now.mono_s)


def test_no_connection_is_trouble_where_somebody_waits_for_it() -> None:
    """Without a connection it is said that nothing is published, if there is a partner to publish for."""
    county = County()
    (said,) = county.out.trouble(county.now.mono_s)
    assert "no connection" in said
    county.follow(directory({"ka": False}))
    assert [] == county.out.trouble(county.now.mono_s)


def test_what_the_broker_should_not_hold_is_taken_away() -> None:
    """Found at a start: what an earlier process left of units, partners and topics that are none now."""
    county = County()
    county.out.begin(county.now.mono_s)
    broker = Held(county)
    broker.kept = dict.fromkeys((*FOREIGN, P12), left_behind())
    broker.look()
    county.tick()
    broker.take()
    assert county.wanted() == {topic: lasting(record) for topic, record in broker.kept.items()}
    assert len(FOREIGN) == county.out.cleared
    assert 0 == county.out.still_held


def test_what_a_broker_holds_on_to_is_taken_away_again_and_said() -> None:
    """A broker that acknowledges and keeps is found out at the next look, said to be wrong, and told again."""
    county, broker = published(County())
    county.tick(LOOK_GAP_S)
    broker.take()
    county.withdraw("police")
    county.tick()
    county.out.settle(county.out.take(10))  # acknowledged, and not done
    assert county.out.look_s <= county.now.mono_s + LOOK_AFTER_S
    county.tick(LOOK_AFTER_S)
    broker.look()
    (said,) = county.out.trouble(county.now.mono_s)
    assert "still held 2" in said
    broker.take()
    assert {F1} == set(broker.kept)
    county.tick(LOOK_GAP_S)
    broker.look()
    assert [] == county.out.trouble(county.now.mono_s)


def test_a_view_that_ends_during_a_look_is_nobodys_fault() -> None:
    """What a look meets that ended after it began is not said to be held on to: it is being taken away."""
    county, broker = published(County())
    county.tick(LOOK_GAP_S)
    broker.take()
    county.out.begin_look(county.now.mono_s)
    county.withdraw("police")
    county.tick()
    county.out.find(P12)
    assert 0 == county.out.end_look()
    county.out.begin_look(county.now.mono_s)  # a broker so slow that it was told of none yet
    county.out.find(P12)
    assert 0 == county.out.end_look()


def test_a_partner_that_is_not_named_any_more_has_nothing_there() -> None:
    """A partner whose row no longer asks for MQTT, or which is no partner any more, loses all; a new one gets all."""
    county, broker = published(County())
    county.follow(directory({"ka": False, "kf": True}))
    county.tick()
    broker.take()
    assert {"wr/1/feed/kf/kf/kf-1"} == set(broker.kept) == set(county.wanted())
    county.follow(directory({"ka": True}))
    county.tick(GAP_S)
    broker.take()
    assert {P12, P13, F1} == set(broker.kept) == set(county.wanted())


def test_a_unit_that_goes_over_to_another_owner_is_nowhere_else() -> None:
    """A unit of another organisation now is on the topic of that one alone."""
    county, broker = published(County())
    text = COUNTY.replace('callsign = "14P1"\norganisation = "kf"', 'callsign = "14P1"\norganisation = "ka"')
    text = text.replace('id = "veh-1"\norganisation = "kf"', 'id = "veh-1"\norganisation = "ka"')
    ambulance = '[[organisation]]\nid = "ka"\nname = "A"\nservice = "ambulance"\n'
    county.follow(directory({"ka": True}, text=text + ambulance))
    county.tick(GAP_S)
    broker.take()
    assert {"wr/1/feed/ka/ka/kf-1"} == set(broker.kept) == set(county.wanted())


def test_what_must_not_leave_is_not_published() -> None:
    """The last question is asked here too: a record that tells more than its grants is held back, and its topic empty.

    So is the message that was there: it may have been the fault.
    """
    county, broker = published(County())
    key, grants = ("ka", "kp-12"), county.views.grants("ka", "kp-12")
    assert grants is not None
    shown = county.views.record(*key, county.now)
    assert shown is not None
    leaking = Shown(msgspec.structs.replace(shown.record, crew=None), grants)
    assert county.out._payload(key, shown, county.now) is not None
    assert county.out._payload(key, leaking, county.now) is None
    assert 1 == county.feeds.held_back
    county.tick(GAP_S)
    county.out._due[key] = county.now.mono_s
    county.out._make(county.now, {key: leaking})
    broker.take()
    assert P12 not in broker.kept


def test_what_no_broker_takes_is_not_published_and_said() -> None:
    """A record above the contract's 16 KiB would end the connection again and again: it is left out, and said."""
    county, broker = published(County())
    key = ("ka", "kp-12")
    shown = county.views.record(*key, county.now)
    assert shown is not None
    long = Shown(msgspec.structs.replace(shown.record, callsign="x" * 17_000), shown.grants)
    assert county.out._payload(key, long, county.now) is None
    (said,) = county.out.trouble(county.now.mono_s)
    assert "too large" in said
    assert county.out._payload(key, shown, county.now) is not None
    assert [] == county.out.trouble(county.now.mono_s)


actions = st.one_of(
    st.tuples(st.just("turn_out"), st.sampled_from(["kp-12", "kp-13", "kp-99", "kf-1"])),
    st.tuples(st.just("withdraw"), st.sampled_from([(), ("police",), ("fire",), ("police", "fire")])),
    st.tuples(st.just("name"), st.sampled_from([{"ka": True, "kf": True}, {"ka": True}, {"kf": True}, {}])),
    st.tuples(st.just("lose"), st.sampled_from(["keeps", "forgets"])),
    st.tuples(st.just("wait"), st.sampled_from([TICK_S, 1.0, 14.9, 40.0])),
    st.tuples(st.just("left"), st.sampled_from(FOREIGN)),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(actions, max_size=25))
def test_whatever_happens_the_broker_ends_equal_to_the_views(script: list[tuple[str, Any]]) -> None:
    """Changes, withdrawals, partners that come and go, brokers that lose or keep: soon it holds the views and no more.

    At every tick with a connection nothing is there, beyond what others left, that is not in the view just then; and no
    unit is told twice within a second.
    """
    county, broker = published(County())
    left: set[str] = set()
    for action, value in script:
        match action:
            case "turn_out":
                county.turn_out(value)
            case "withdraw":
                county.withdraw(*value)
            case "name":
                county.follow(directory(value))
            case "lose":
                _lose(county, broker, keeps=value == "keeps")
            case "left":
                broker.kept[value] = left_behind()
                left.add(value)
        county.tick(value if action == "wait" else TICK_S)
        broker.take()
        assert broker.kept.keys() - left <= county.wanted().keys()
    _lose(county, broker, keeps=True)
    for _ in range(10):
        county.tick()
        broker.take()
    assert county.wanted() == {topic: lasting(record) for topic, record in broker.kept.items()}
    assert all(_valid_s(record, county) > 0 for record in broker.kept.values())


def _lose(county: County, broker: Held, *, keeps: bool) -> None:
    """The connection breaks for a while, and the broker forgets what it held, or not."""
    county.out.lost()
    if not keeps:
        broker.kept.clear()
    county.tick(GAP_S)
    county.out.begin(county.now.mono_s)
    broker.look()


def _valid_s(record: PartnerRecord, county: County) -> float:
    assert not isinstance(record.valid_until, msgspec.UnsetType)
    return (record.valid_until - county.now.utc).total_seconds()
