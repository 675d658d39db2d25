"""Time alone changes records: staleness is shown when it begins, whoever else looks, and without piling up plans."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.fleet.link import freshness
from cloud.fleet.position import Whereabouts, age_s, apply_place, fresh_until_s
from tests.cloud.fleet.samples import NOON, at, current, echo, fleet, head, heartbeat, place, vouching
from wire.feed import FeedRecord

POLL_S = 0.2
SHOWN_WITHIN_S = 2.0
"""The promise to a control room, of which the poll takes a tenth."""
RANK = {"never": 0, "fresh": 0, "asleep": 0, "late": 1, "lost": 2}

beats = st.fixed_dictionaries(
    {
        "gap_s": st.floats(0.05, 40),
        "interval_s": st.sampled_from([1, 2, 5, 20]),
        "late_s": st.sampled_from([0.0, 0.3, 9.0]),
        "echoes": st.sampled_from([True, True, True, False]),
        "asleep_s": st.sampled_from([None, None, None, 8, 60]),
        "place": st.booleans(),
        "vouches": st.booleans(),
        "read": st.booleans(),
    }
)


class Board:
    """Keeps what a control room shows: the record of each change that the poll took."""

    def __init__(self) -> None:
        """Begin at noon."""
        self.county = fleet()
        self.polls = 0
        self.now_s = 0.0
        self.shown: dict[str, FeedRecord] = {}
        self.seq = 0
        self.whereabouts = Whereabouts()
        self.poll()

    def poll(self) -> None:
        """Take what changed, and insist that nothing is shown fresher than it was 2 s ago."""
        self.polls += 1
        now = at(self.now_s)
        for unit, as_of in self.county.take_changed(now).items():
            self.shown[unit] = self.county.record(unit, 1, as_of, now)
        record = self.shown["kp-12"]
        link = self.county.link("veh-2")
        if link is not None:
            before = at(self.now_s - SHOWN_WITHIN_S)
            assert RANK[record.link] >= RANK[freshness(link, before.mono_s)]
            age = age_s(self.whereabouts, link, before)
            was_fresh = fresh_until_s(self.whereabouts, link, age, before) is not None
            assert was_fresh or not record.position_fresh

    def hear(self, beat: dict[str, Any]) -> None:
        """Poll up to the moment of a heartbeat, and take it."""
        until_s = self.now_s + beat["gap_s"]
        while self.now_s + POLL_S < until_s:
            self.now_s += POLL_S
            if beat["read"]:
                self.county.record("kp-12", 1, NOON, at(self.now_s - POLL_S / 3))
            self.poll()
        self.seq += 1
        sent_s = max(0.0, until_s - beat["late_s"])
        said = heartbeat(
            int(sent_s * 1000),
            interval_s=beat["interval_s"],
            echo=echo() if beat["echoes"] else None,
            asleep_until=at(sent_s + beat["asleep_s"]).utc if beat["asleep_s"] else None,
            position=vouching(self.seq) if beat["vouches"] else None,
        )
        if beat["place"]:
            sent = place(self.seq, sent_s)
            self.whereabouts = apply_place(self.whereabouts, sent) or self.whereabouts
            self.county.apply_place("veh-2", sent, at(until_s))
        self.county.apply_vitals("veh-2", said, 1, at(sent_s).mono_s, at(until_s))
        self.now_s = until_s


@settings(deadline=None)
@given(story=st.lists(beats, min_size=1, max_size=8))
def test_staleness_is_shown_within_2_s(story: list[dict[str, Any]]) -> None:
    """With only the poll running, every record turns late, lost or out of place within 2 s of when it should.

    Readers that make records in between change nothing of that.
    """
    board = Board()
    for beat in story:
        board.hear(beat)
        board.poll()
    board.hear(story[0] | {"gap_s": 100.0})
    board.poll()


@pytest.mark.parametrize("read_s", [14.9995, 15.0, 15.0000001, 15.0005, 15.001, 15.1])
def test_a_reader_does_not_hide_a_change_from_the_rest(read_s: float) -> None:
    """A record made for one reader between a threshold and the next poll leaves that poll its change."""
    county = fleet()
    county.apply_vitals("veh-2", heartbeat(0, echo=echo()), 1, at(0).mono_s, at(0))
    for unit, as_of in county.take_changed(at(0)).items():
        county.record(unit, 1, as_of, at(0))
    assert ("late" if read_s > 15 else "fresh") == county.record("kp-12", 1, NOON, at(read_s)).link
    assert ["kp-12"] == list(county.take_changed(at(15.2)))


def test_a_panels_word_touches_the_units_that_it_speaks_for() -> None:
    """A panel's heartbeat that names something new changes the unit beside it; the same word again changes nothing."""
    county = fleet()
    county.take_changed(at(0))
    told = []
    for beat, seq in enumerate((1, 1, 2), start=1):
        named = [current(seq, stream="E3-a")]
        said = heartbeat(beat * 1_000, device="panel-1", stream="E3-a", current=named)
        assert county.apply_vitals("panel-1", said, 1, None, at(beat))
        told.append(list(county.take_changed(at(beat))))
    assert [["kp-12"], [], ["kp-12"]] == told
    county.apply_through("panel-1", 1, 2, at(4))
    assert ["kp-12"] == list(county.take_changed(at(4)))


def test_a_change_by_time_is_told_once() -> None:
    """Late and lost are each told once, at their moments, and then nothing more."""
    county = fleet()
    county.apply_vitals("veh-2", heartbeat(0, echo=echo()), 1, at(0).mono_s, at(0))
    told = []
    for poll in range(1_000):
        now = at(poll * POLL_S)
        for unit, as_of in county.take_changed(now).items():
            record = county.record(unit, 1, as_of, now)
            told += [(record.link, round(poll * POLL_S, 1))] if unit == "kp-12" else []
    assert [("fresh", 0.0), ("late", 15.2), ("lost", 30.2)] == told


def test_the_end_of_sleep_is_told() -> None:
    """A device that sleeps on past the time it named turns from asleep to lost at that time, by itself."""
    county = fleet()
    asleep = heartbeat(0, echo=echo(), asleep_until=at(600).utc)
    county.apply_vitals("veh-2", asleep, 1, at(0).mono_s, at(0))
    told = []
    for poll in range(4_000):
        now = at(poll * POLL_S)
        records = [county.record(unit, 1, as_of, now) for unit, as_of in county.take_changed(now).items()]
        told += [(one.link, poll * POLL_S) for one in records if one.unit == "kp-12"]
    assert ("lost", 600.2) == (told[-1][0], round(told[-1][1], 1))
    assert {"asleep"} == {link for link, _ in told[:-1]}


def test_plans_do_not_pile_up() -> None:
    """An hour of heartbeats and readers leaves a handful of plans for a unit, not one for each record made."""
    county = fleet()
    most = 0
    for step in range(7_200):
        moment_s = step / 2
        said = heartbeat(step * 500, echo=echo(), interval_s=1 + step % 20, position=vouching(1))
        county.apply_vitals("veh-2", said, 1, at(moment_s).mono_s, at(moment_s))
        if step == 0:
            county.apply_place("veh-2", place(1, 0), at(0))
        for unit, as_of in county.take_changed(at(moment_s)).items():
            county.record(unit, 1, as_of, at(moment_s))
        for reader in range(5):
            county.record("kp-12", 1, NOON, at(moment_s + reader * 0.0137))
        most = max(most, county.wakes_planned)
    assert most <= 20


def test_envelopes_alone_confirm_nothing() -> None:
    """They prove that the device is alive; what it holds is said by heartbeats, and is old when those stay away."""
    county = fleet()
    county.apply_vitals("veh-2", heartbeat(0, echo=echo(), current=[current(1)]), 1, at(0).mono_s, at(0))
    county.apply_head(head("2", 0, received=NOON), at(0))
    for unit, as_of in county.take_changed(at(0)).items():
        county.record(unit, 1, as_of, at(0))
    for now_s in range(1, 16):
        county.apply_sent("veh-2", 1, now_s * 1_000, at(now_s))
        county.take_changed(at(now_s))
        assert ("fresh", "confirmed") == (
            (found := county.record("kp-12", 1, NOON, at(now_s))).link,
            found.confidence,
        )
    assert ["kp-12"] == list(county.take_changed(at(15.2)))
    found = county.record("kp-12", 1, NOON, at(15.2))
    assert ("fresh", "unconfirmed", "link_late") == (found.link, found.confidence, found.reasons[0].code)


def test_a_declarer_that_has_not_counted_its_head_is_looked_at_again() -> None:
    """An older copy of the panel's card says the same word as before: that it says it later is what matters."""
    county = fleet()
    named = [current(1, stream="E3-a")]
    word = {"device": "panel-1", "stream": "E3-a", "current": named}
    county.apply_vitals("panel-1", heartbeat(0, echo=echo(), **word), 1, at(0).mono_s, at(0))
    county.apply_head(head("2", 1, device="panel-1", stream="E3-a", seq=2, received=at(1).utc), at(1))
    county.take_changed(at(1))
    county.apply_vitals("panel-1", heartbeat(8_000, echo=echo(), **word), 1, at(8).mono_s, at(8))
    assert ["kp-12"] == list(county.take_changed(at(8)))
    assert "other_status" in {one.code for one in county.record("kp-12", 1, NOON, at(8)).reasons}
