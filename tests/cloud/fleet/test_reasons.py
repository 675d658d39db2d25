"""Confidence: confirmed only with a fresh carrier whose named status is stored, and never without a reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.basis import Vouch
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import Head
from cloud.fleet.link import Link, note_said
from cloud.fleet.vouch import vouch_for
from tests.cloud.fleet.samples import NOON, STREAM, at, current, death, echo, fleet, head, heartbeat
from wire.events import Origin
from wire.feed import FeedRecord
from wire.messages import CurrentStatus, LastSeq

HEAD = head("2", 0, seq=5)
CARRIED = head("2", 0, ordinal=2, stream="E2-b", seq=1, origin=Origin(STREAM, 5), origin_ordinal=1)


def beat(county: Fleet, sent_s: float, *named: CurrentStatus, ordinal: int = 1, **changes: Any) -> None:
    """A heartbeat that arrives and proves at once."""
    said = heartbeat(int(sent_s * 1000), **{"current": list(named), "echo": echo()} | changes)
    assert county.apply_vitals("veh-2", said, ordinal, at(sent_s).mono_s, at(sent_s))


def shown(county: Fleet, now_s: float) -> FeedRecord:
    """The unit's record."""
    return county.record("kp-12", 1, NOON, at(now_s))


@pytest.mark.parametrize(
    ("why", "own", "named", "through", "expected"),
    [
        ("named and stored", HEAD, [current(5)], 5, "stored"),
        ("stored since the heartbeat", HEAD, [current(4)], 5, "stored"),
        ("still on its way", HEAD, [current(6)], 5, "catching_up"),
        ("the first, on its way", None, [current(1)], 0, "catching_up"),
        ("passed and not stored", HEAD, [current(6)], 6, "refused"),
        ("the first, refused", None, [current(1)], 1, "refused"),
        ("of another stream", HEAD, [current(5, stream="E2-old")], 5, "other"),
        ("an earlier one, though it has counted the head", HEAD, [current(4)], 5, "other"),
        ("by the place that it was carried from", CARRIED, [current(5)], 1, "stored"),
        ("by the place that it was carried to", CARRIED, [current(1, stream="E2-b")], 1, "stored"),
        ("one that was carried from before the head", HEAD, [current(1, stream="E2-b")], 1, "other"),
        ("one that is carried and on its way", HEAD, [current(2, stream="E2-b")], 1, "catching_up"),
        ("one of the stream before, older than the head", HEAD, [current(4, stream=STREAM)], 0, "other"),
        ("the same sequence, another code", HEAD, [current(5, "8")], 5, "refused"),
        ("holds none", HEAD, [], 5, "not_held"),
        ("holds another unit's", HEAD, [current(5, unit="kf-1")], 5, "not_held"),
        ("never pressed", None, [], 0, "stored"),
    ],
)
def test_what_the_carrier_names_is_compared_with_what_is_stored(
    why: str, own: Head | None, named: list[CurrentStatus], through: int, expected: Vouch
) -> None:
    """Only the very status named, or one stored since, vouches for the head shown."""
    counted = 4 if why == "stored since the heartbeat" else 5
    speaks_in = "E2-b" if "carried" in why or "stream before" in why else STREAM
    said = heartbeat(0, current=named, stream=speaks_in, last_seq=LastSeq(counted, 0))
    link = Link(vitals=note_said(said, None))
    assert expected == vouch_for(own, link, "kp-12", through), why
    since = "other" if why == "stored since the heartbeat" else expected
    assert since == vouch_for(own, link, "kp-12", through, spoken_since=True), why


def test_a_silent_carrier_vouches_for_nothing() -> None:
    """Without a heartbeat since the start nothing has been said."""
    assert ["unsaid", "unsaid"] == [vouch_for(HEAD, link, "kp-12", 5) for link in (None, Link())]


def test_confirmed_says_what_was_declared() -> None:
    """A fresh carrier that names the stored status is confirmed, because it was declared, by whom, and how long ago."""
    county = fleet()
    county.apply_head(HEAD, at(0))
    beat(county, 2, current(5))
    record = shown(county, 3)
    assert ("confirmed", "Available", ["declared"]) == (
        record.confidence,
        record.availability,
        [reason.code for reason in record.reasons],
    )
    assert (3.0, 1.0) == (record.reasons[0].age_s, record.ages.link_s)


@pytest.mark.parametrize(
    ("why", "now_s", "deciding", "link"),
    [
        ("late", 20.0, "link_late", "late"),
        ("lost", 40.0, "link_lost", "lost"),
        ("ended", 1.0, "link_ended", "late"),
        ("asleep", 1.0, "asleep", "asleep"),
        ("not_heard", 1.0, "not_heard_yet", "never"),
        ("catching_up", 1.0, "catching_up", "fresh"),
        ("refused", 1.0, "not_stored", "fresh"),
        ("other", 1.0, "other_status", "fresh"),
        ("not_held", 1.0, "not_held", "fresh"),
    ],
)
def test_each_doubt_decides_and_keeps_the_class(why: str, now_s: float, deciding: str, link: str) -> None:
    """Whatever the doubt, the unit keeps its class, is unconfirmed, and the doubt comes before what was declared."""
    county = fleet()
    county.apply_head(HEAD, at(0))
    county.apply_through("veh-2", 1, 6 if why == "refused" else 5, at(0))
    other = [current(3, stream="E2-x")]
    named = {"other": other, "catching_up": [current(6)], "not_held": [], "refused": [current(6)]}.get(
        why, [current(5)]
    )
    if why != "not_heard":
        beat(county, 0, *named, asleep_until=NOON.replace(hour=13) if why == "asleep" else None)
    if why == "ended":
        county.apply_death("veh-2", death(), 1, at(0))
    record = shown(county, now_s)
    assert ("unconfirmed", "Available", link) == (record.confidence, record.availability, record.link)
    assert [deciding, "declared"] == [reason.code for reason in record.reasons]


def test_the_doubts_all_count_and_the_link_comes_first() -> None:
    """A lost carrier that was also catching up says both."""
    county = fleet()
    county.apply_head(HEAD, at(0))
    beat(county, 0, current(6))
    assert ["link_lost", "catching_up", "declared"] == [one.code for one in shown(county, 99).reasons]


def test_a_new_stream_that_catches_up_is_not_called_refused() -> None:
    """The watermark of an earlier stream says nothing of what is on its way in the new one."""
    county = fleet()
    county.apply_head(head("2", 0, seq=57), at(0))
    county.apply_through("veh-2", 1, 57, at(0))
    beat(county, 1, current(1, stream="E2-b"), ordinal=2, stream="E2-b")
    assert "catching_up" == shown(county, 1).reasons[0].code


def test_a_conflict_comes_first_and_names_both() -> None:
    """A contradicted unit says which device says what, then the doubts."""
    county = fleet()
    county.apply_head(head("2", 0), at(0))
    county.apply_head(head("8", 1, device="panel-1"), at(1))
    record = shown(county, 2)
    assert ("contradicted", "NotAvailable", "conflict") == (
        record.confidence,
        record.availability,
        record.reasons[0].code,
    )
    assert "panel-1" in record.reasons[0].text and "veh-2" in record.reasons[0].text
    assert ["veh-2"] == [one.device for one in record.conflicts]


@pytest.mark.parametrize(
    ("why", "named", "through", "expected"),
    [
        ("never heard since the start", None, 3, []),
        ("named and stored", 3, 3, []),
        ("a later one is on its way", 4, 3, ["catching_up"]),
        ("a later one was refused", 4, 4, ["not_stored"]),
    ],
)
def test_a_panels_status_stands_as_long_as_the_panel_is_not_known_to_be_ahead(
    why: str, named: int | None, through: int, expected: list[str]
) -> None:
    """Where a panel's status stands, a fresh carrier confirms it, unless the panel's last word names a later one.

    A panel that has been lost since then changes nothing of either.
    """
    county = fleet()
    county.apply_head(HEAD, at(0))
    county.apply_head(head("8", 10, device="panel-1", stream="E3-a", seq=3), at(10))
    county.apply_through("panel-1", 1, through, at(10))
    if named is not None:
        said = heartbeat(0, device="panel-1", stream="E3-a", current=[current(named, "8", stream="E3-a")], echo=echo())
        assert county.apply_vitals("panel-1", said, 1, at(11).mono_s, at(11))
    for now_s in (12, 900):
        beat(county, now_s, current(5), last_seq=LastSeq(5, 0))
        record = shown(county, now_s)
        assert [*expected, "declared"] == [one.code for one in record.reasons], why
        assert ("unconfirmed" if expected else "confirmed", "NotAvailable") == (record.confidence, record.availability)
        assert not expected or "panel-1" in record.reasons[0].text or "on their way" in record.reasons[0].text


def test_a_unit_never_heard_is_on_the_board_and_says_so() -> None:
    """Every unit has a record from the start; one heard without a status says that instead."""
    county = fleet()
    record = shown(county, 0)
    assert ("never", None, "never", "never_heard") == (
        record.confidence,
        record.availability,
        record.link,
        record.reasons[0].code,
    )
    beat(county, 1)
    assert ("never", "no_status") == (shown(county, 1).confidence, shown(county, 1).reasons[0].code)


def test_an_unproven_time_is_said() -> None:
    """A status of an unknown time says so beside what was declared."""
    county = fleet()
    county.apply_head(head("2", 0, seq=5, proven=False), at(0))
    beat(county, 1, current(5))
    assert ["declared", "time_unproven"] == [one.code for one in shown(county, 1).reasons]


def test_a_status_of_the_future_has_no_age() -> None:
    """A time that the server read off a clock that was ahead is unknown once that is set right, not 0 s ago."""
    county = fleet()
    county.apply_head(head("2", 3_600, seq=5), at(0))
    beat(county, 1, current(5))
    record = shown(county, 1)
    assert (None, ["declared", "time_unproven"]) == (record.ages.status_s, [one.code for one in record.reasons])
    assert record.reasons[0].age_s is None


seqs = st.integers(1, 4)
codes = st.sampled_from(["2", "8"])
named_statuses = st.lists(st.builds(current, seqs, codes, stream=st.sampled_from([STREAM, "E2-b"])), max_size=1)
acts = st.one_of(
    st.tuples(st.just("beat"), named_statuses, st.booleans(), st.sampled_from([0, 3_000, 30_000])),
    st.tuples(st.just("store"), seqs, codes, st.sampled_from(["veh-2", "panel-1"])),
    st.tuples(st.just("settle"), seqs),
    st.tuples(st.just("die")),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 4.0, 11.0, 26.0, 4000.0])),
)


class Truth:
    """What is true of the vehicle and its unit, kept beside the fleet."""

    def __init__(self) -> None:
        """Nothing was said, nothing is stored."""
        self.county = fleet()
        self.now_s = 0.0
        self.sent_s = float("-inf")
        self.ended = False
        self.named: list[CurrentStatus] = []
        self.stored: dict[tuple[str, int], str] = {}
        self.beats = 0

    def act(self, act: tuple[Any, ...]) -> None:
        """Let one thing happen, to the fleet and to what is true."""
        match act:
            case ("beat", list(named), bool(echoes), int(late_ms)):
                self.beats += 1
                said = heartbeat(int(self.now_s * 1000) + self.beats, current=named, echo=echo() if echoes else None)
                self.county.apply_vitals("veh-2", said, 1, at(self.now_s - late_ms / 1000).mono_s, at(self.now_s))
                self.named = named
                if echoes:
                    self.sent_s = max(self.sent_s, self.now_s - late_ms / 1000)
                    self.ended = False
            case ("store", int(seq), str(code), str(device)):
                self.county.apply_head(head(code, self.now_s, seq=seq, device=device), at(self.now_s))
                if device == "veh-2":
                    self.stored.setdefault((STREAM, seq), code)
            case ("settle", int(through)):
                self.county.apply_through("veh-2", 1, through, at(self.now_s))
            case ("die",):
                self.ended = self.county.apply_death("veh-2", death(), 1, at(self.now_s)) or self.ended
            case ("wait", float(wait_s)):
                self.now_s += wait_s

    def may_be_confirmed(self) -> bool:
        """Whether the carrier is fresh, and what it names is stored, or a later one of the same stream."""
        fresh = self.now_s - self.sent_s <= 15 and not self.ended
        return fresh and all(self._is_stored(one) for one in self.named)

    def _is_stored(self, named: CurrentStatus) -> bool:
        later = any(stream == named.stream and seq > named.seq for stream, seq in self.stored)
        return later or self.stored.get((named.stream, named.seq)) == named.code


@given(story=st.lists(acts, max_size=25))
def test_nothing_is_confirmed_beyond_its_basis(story: list[tuple[Any, ...]]) -> None:
    """Whatever happens, a confirmed unit's carrier was alive within 2E + 5 s and what it names is stored.

    And at each step the unit is there, with a reason that names one of its sources, and a conflict is never confirmed.
    """
    truth = Truth()
    for act in story:
        truth.act(act)
        record = shown(truth.county, truth.now_s)
        assert record.reasons
        assert {reason.source for reason in record.reasons} <= {source.source for source in record.sources}
        assert record.confidence != "confirmed" or truth.may_be_confirmed()
        assert record.confidence == "contradicted" or not record.conflicts
        assert (record.confidence == "never") == (record.availability is None)
