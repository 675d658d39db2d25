"""Control's word, modes, and what nobody may know of a unit that is off duty."""

from datetime import timedelta

import pytest

from cloud.fleet.basis import CONTROL, ModeSaid
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import Head
from tests.cloud.fleet.samples import NOON, at, current, echo, fleet, head, heartbeat, place, position, vouching
from tests.cloud.fleet.stories import BOUND, units
from wire.feed import ClaimView, FeedRecord

FREE, AWAY, OFF_DUTY = "2", "8", "11"


def word(code: str, moment_s: float, **changes: object) -> Head:
    """What control entered, as it was heard by voice."""
    fields = {"device": CONTROL, "stream": "control-1", "by": "radio", "received": at(moment_s).utc}
    return head(code, moment_s, **fields | changes)


def press(code: str, moment_s: float, **changes: object) -> Head:
    """What was pressed in the vehicle, and came at once."""
    return head(code, moment_s, **{"received": at(moment_s).utc} | changes)


def shown(county: Fleet, now_s: float, unit: str = "kp-12") -> FeedRecord:
    """The unit's record."""
    return county.record(unit, 1, NOON, at(now_s))


def test_a_persons_word_stands_over_what_had_come_before() -> None:
    """Not even a press of the same second contradicts it: a person has seen that and decided."""
    county = fleet()
    county.apply_head(press(AWAY, 10), at(10))
    assert county.apply_head(word(FREE, 11), at(11))
    record = shown(county, 11)
    assert record.status is not None
    assert (FREE, "radio", ()) == (record.status.code, record.status.by, record.conflicts)
    standing = county.standing("kp-12")
    assert standing is not None and CONTROL == standing.device


def test_a_conflict_is_settled_by_a_persons_word() -> None:
    """Two presses that disagree are a conflict until control says which it is."""
    county = fleet()
    county.apply_head(press(AWAY, 10), at(10))
    county.apply_head(press(FREE, 12, device="panel-1", stream="E3-a"), at(12))
    assert "contradicted" == shown(county, 12).confidence
    county.apply_head(word(FREE, 30), at(30))
    assert ("Available", ()) == (shown(county, 30).availability, shown(county, 30).conflicts)


def test_a_word_of_an_earlier_moment_stands_all_the_same() -> None:
    """Control enters at 30 s what it had heard at 5 s; the press of 10 s had come by then, and was seen."""
    county = fleet()
    county.apply_head(press(AWAY, 10), at(10))
    county.apply_head(word(FREE, 5, received=at(30).utc), at(30))
    record = shown(county, 30)
    assert record.status is not None and (FREE, at(5).utc) == (record.status.code, record.status.since)


@pytest.mark.parametrize(("pressed_s", "stands", "conflicts"), [(13, AWAY, 1), (40, AWAY, 0)])
def test_a_press_that_came_later_counts_as_usual(pressed_s: float, stands: str, conflicts: int) -> None:
    """Within 5 s of control's word the less available stands, later the press does."""
    county = fleet()
    county.apply_head(word(FREE, 10), at(10))
    county.apply_head(press(AWAY, pressed_s), at(pressed_s))
    record = shown(county, 50)
    assert record.status is not None
    assert (stands, conflicts) == (record.status.code, len(record.conflicts))


def test_control_needs_no_device_to_vouch_for_its_word() -> None:
    """It is confirmed while the vehicle is heard and holds what it pressed, and is doubted like any when it is not."""
    county = fleet()
    county.apply_head(press(AWAY, 0), at(0))
    county.apply_head(word(FREE, 1), at(1))
    county.apply_vitals("veh-2", heartbeat(2_000, echo=echo(), current=[current(1, AWAY)]), 1, at(2).mono_s, at(2))
    assert "confirmed" == shown(county, 3).confidence
    assert "unconfirmed" == shown(county, 30).confidence


def test_control_may_speak_of_a_unit_whose_devices_are_unknown() -> None:
    """Its word needs no binding; but there must be such a unit."""
    county = Fleet(units(), {})
    assert not county.apply_head(press(FREE, 0), at(0))
    assert county.apply_head(word(FREE, 0), at(0))
    assert not county.apply_head(word(FREE, 0, unit="kp-99"), at(0))


def test_an_automatic_status_is_no_head() -> None:
    """A press wins over the automatic: that is proposed, never declared."""
    county = fleet()
    assert not county.apply_head(press(AWAY, 0, by="auto"), at(0))
    assert county.standing("kp-12") is None


def test_a_press_in_test_does_not_replace_the_live_one() -> None:
    """The live status stands on, the unit is shown as under test, and the next live press ends that."""
    county = fleet()
    county.apply_head(press(AWAY, 0), at(0))
    assert county.apply_head(press(FREE, 10, seq=2, mode="test"), at(10))
    record = shown(county, 10)
    assert record.status is not None
    assert (AWAY, "NotAvailable", "test") == (record.status.code, record.availability, record.mode)
    latest = county.head("kp-12", "veh-2")
    assert latest is not None and 2 == latest.seq
    assert [1, 2] == [one.seq for one in county.heads("kp-12", "veh-2")]
    county.apply_head(press(FREE, 20, seq=3), at(20))
    assert ("Available", "live") == (shown(county, 20).availability, shown(county, 20).mode)


def test_a_live_press_from_before_a_test_does_not_end_it() -> None:
    """It comes late, by its place in the stream: the status is taken, and the test goes on."""
    county = fleet()
    county.apply_head(press(FREE, 10, seq=2, mode="test"), at(10))
    assert county.apply_head(press(AWAY, 0, seq=1), at(11))
    record = shown(county, 11)
    assert record.status is not None and (AWAY, "test") == (record.status.code, record.mode)


def test_a_mode_of_control_is_shown_until_it_runs_out() -> None:
    """With who set it and until when; the board is told when it ends, by itself."""
    county = fleet()
    county.apply_head(press(FREE, 0), at(0))
    said = ModeSaid(mode="maintenance", at=at(5).utc, until=at(60).utc, by="A. Smith")
    county.take_changed(at(4))
    assert county.set_mode("kp-12", said, at(5))
    assert not county.set_mode("kp-99", said, at(5))
    assert {"kp-12": at(5).utc} == county.take_changed(at(5))
    record = shown(county, 59)
    assert ("maintenance", said.until, "A. Smith") == (record.mode, record.mode_until, record.mode_by)
    assert "NotAvailable" == record.availability
    assert {} == county.take_changed(at(59.9))
    assert ["kp-12"] == list(county.take_changed(at(60.2)))
    record = shown(county, 60.2)
    assert ("live", None, "", "Available") == (record.mode, record.mode_until, record.mode_by, record.availability)


@pytest.mark.parametrize(("own", "control", "shown_as"), [
    ("training", "test", "test"), ("test", "training", "test"), ("live", "training", "training"),
    ("training", "live", "training"),
])  # fmt: skip
def test_of_two_modes_the_stricter_counts(own: str, control: str, shown_as: str) -> None:
    """Neither its device nor control takes back what the other has said: that could only make it more available."""
    county = fleet()
    county.apply_head(press(FREE, 0, mode=own), at(0))
    county.set_mode("kp-12", ModeSaid(mode=control, until=at(60).utc, by="A. Smith"), at(0))  # type: ignore[arg-type]
    assert shown_as == shown(county, 1).mode


def test_claims_are_shown_until_they_are_decided() -> None:
    """They change the record, and the same ones again do not."""
    county = fleet()
    county.take_changed(at(0))
    claims = (ClaimView(claim="veh-9.s.1", device="veh-9", vehicle="V9", at=NOON),)
    assert county.set_claims("kp-12", claims, at(1)) and county.set_claims("kp-12", claims, at(2))
    assert {"kp-12": at(1).utc} == county.take_changed(at(3))
    assert claims == shown(county, 3).claims
    assert not county.set_claims("kp-99", claims, at(3))


class Hidden:
    """A unit that went off duty at 20 s, with a place of 10 s, and pressed that it is free at 60 s."""

    def __init__(self) -> None:
        """It has left its base meanwhile, which a proposal would tell."""
        self.county = Fleet(units(), BOUND)
        self.county.apply_head(press(FREE, 0), at(0))
        self.county.apply_place("veh-2", place(1, 5), at(5))
        self.county.apply_place("veh-2", place(2, 10), at(10))
        self.county.apply_vitals("veh-2", heartbeat(10_000, echo=echo(), position=vouching(2)), 1, 1010.0, at(10))

    def go_off(self) -> None:
        """End the duty."""
        self.county.apply_head(press(OFF_DUTY, 20, seq=2), at(20))


def test_the_place_of_a_unit_off_duty_is_neither_kept_nor_shown() -> None:
    """Nor its age, nor whether it is fresh; it was shown before, and no later place is taken."""
    hidden = Hidden()
    assert shown(hidden.county, 12).position_fresh and not hidden.county.private("kp-12")
    hidden.go_off()
    assert hidden.county.private("kp-12") and not hidden.county.private("kp-99")
    assert not hidden.county.apply_place("veh-2", place(3, 21), at(21))
    record = shown(hidden.county, 21)
    assert (None, False, None) == (record.position, record.position_fresh, record.ages.position_s)
    assert () == record.proposals


def test_where_it_was_off_duty_does_not_come_out_when_it_is_on_duty_again() -> None:
    """Neither the place that was known before, nor one of meanwhile that comes late; the first one since is shown."""
    hidden = Hidden()
    hidden.go_off()
    hidden.county.apply_place("veh-2", place(3, 21), at(21))
    hidden.county.apply_head(press(FREE, 60, seq=3), at(60))
    assert shown(hidden.county, 60).position is None
    for seq, sent_s in ((2, 10), (3, 21), (4, 59)):
        assert not hidden.county.apply_place("veh-2", place(seq, sent_s), at(61))
    again = place(3, 21, at=at(61).utc, proven=False)  # by its receipt: nobody knows that it was measured at 21 s
    assert not hidden.county.apply_place("veh-2", again, at(61))
    assert shown(hidden.county, 61).position is None
    assert hidden.county.apply_place("veh-2", place(5, 61), at(61))
    assert shown(hidden.county, 61).position is not None
    assert not hidden.county.apply_place("veh-2", place(4, 30), at(62))
    assert shown(hidden.county, 62).position is not None


def test_the_place_of_before_a_spell_off_duty_is_gone() -> None:
    """Though nothing came meanwhile: it was dropped, and not only left out."""
    hidden = Hidden()
    hidden.go_off()
    hidden.county.apply_head(press(FREE, 60, seq=3), at(60))
    assert shown(hidden.county, 60).position is None


def test_a_spell_off_duty_leaves_no_trace_of_leaving() -> None:
    """A unit that went home from its base, and comes back on duty elsewhere, is not said to have left it."""
    hidden = Hidden()
    hidden.go_off()
    hidden.county.apply_head(press(FREE, 60, seq=3), at(60))
    far = {"lat": 51.5, "at": NOON + timedelta(seconds=70)}
    assert hidden.county.apply_place("veh-2", place(6, 70, event=position(6, 70_000, **far)), at(70))
    assert () == shown(hidden.county, 70).proposals
