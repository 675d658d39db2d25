"""What places suggest: at the right moment, once, and never in the place of a status."""

from datetime import timedelta
from typing import Any

import pytest

from cloud.fleet.fleet import Fleet
from cloud.fleet.proposals import UNSEEN, Seen, add, follow
from tests.cloud.fleet.samples import NOON, at, head, place, position
from tests.cloud.fleet.stories import BOUND, KM_DEG, units
from wire.feed import Proposal


class Drive:
    """A unit's fleet, and what its carrier's places come to."""

    def __init__(self) -> None:
        """Nobody has been heard."""
        self.fleet = Fleet(units(), BOUND)
        self.seq = 0

    def at(self, moment_s: float, km: float, speed_mps: float | None = 0.0, **changes: Any) -> bool:
        """Be so far from the base then."""
        self.seq += 1
        fields = {"lat": 51.27 + km * KM_DEG, "speed_mps": speed_mps} | changes
        event = position(self.seq, int(moment_s * 1000), **fields)
        return self.fleet.apply_place("veh-2", place(self.seq, moment_s, event=event), at(moment_s))

    def shown(self) -> list[tuple[str, float]]:
        """What is proposed, and the seconds after noon that each suggests."""
        record = self.fleet.record("kp-12", 1, NOON, at(10_000))
        return [(one.code, (one.at - NOON).total_seconds()) for one in record.proposals]


def test_leaving_and_coming_back_are_proposed_when_they_were_seen() -> None:
    """The first place outside, and the first back inside: each replaces the other, and changes no status."""
    drive = Drive()
    drive.at(0, 0.0)
    drive.at(10, 3.0)
    drive.at(20, 4.0)
    assert [("left_base", 10.0)] == drive.shown()
    drive.at(30, 0.0)
    assert [("at_base", 30.0)] == drive.shown()
    assert drive.fleet.standing("kp-12") is None


def test_noise_at_the_fence_suggests_nothing() -> None:
    """A place just outside, or one whose receiver is as unsure as that, is not taken for leaving; nor is the first."""
    drive = Drive()
    drive.at(0, 3.0)
    drive.at(5, 0.0)
    assert [("at_base", 5.0)] == drive.shown()
    for step, accuracy_m in ((10, 5.0), (15, 5.0), (20, 5.0)):
        drive.at(step, 0.14, accuracy_m=accuracy_m)
        drive.at(step + 2, 0.0)
    drive.at(30, 0.5, accuracy_m=400.0)
    assert [("at_base", 5.0)] == drive.shown()
    drive.at(40, 3.0)
    drive.at(45, 0.0, accuracy_m=400.0)
    assert [("left_base", 40.0)] == drive.shown()


def test_moving_and_stopping_need_their_time() -> None:
    """A lurch and a traffic light suggest nothing; what lasts suggests the moment at which it began."""
    drive = Drive()
    drive.at(0, 0.0)
    drive.at(10, 0.0, 9.0)
    drive.at(12, 0.0)
    assert [] == drive.shown()
    drive.at(20, 0.0, 9.0)
    drive.at(26, 0.0, 9.0)
    assert [("moving", 20.0)] == drive.shown()
    drive.at(40, 0.0)
    drive.at(70, 0.0, 9.0)
    assert [("moving", 20.0)] == drive.shown()
    drive.at(80, 0.0)
    drive.at(380, 0.0)
    assert [("stopped", 80.0)] == drive.shown()


@pytest.mark.parametrize("changes", [{"fix": "dead_reckoning"}, {"fix": "none", "lat": None, "lon": None}])
def test_only_a_real_fix_suggests_anything(changes: dict[str, Any]) -> None:
    """Dead reckoning drifts out of a base by itself."""
    drive = Drive()
    drive.at(0, 0.0)
    drive.at(10, 3.0, 9.0, **changes)
    drive.at(20, 3.0, 9.0, **changes)
    assert [] == drive.shown()


def test_a_place_of_an_unknown_time_suggests_nothing() -> None:
    """A proposal says when: where that is not known, there is none."""
    drive = Drive()
    drive.at(0, 0.0)
    event = position(2, 10_000, lat=51.27 + 3 * KM_DEG)
    assert drive.fleet.apply_place("veh-2", place(2, 10, event=event, proven=False), at(10))
    assert [] == drive.shown()


def test_a_later_status_ends_proposals_and_an_earlier_one_does_not() -> None:
    """They are dropped when somebody declares a status after the moment that they suggest, and never come again."""
    drive = Drive()
    drive.at(0, 0.0)
    drive.at(10, 3.0)
    drive.fleet.apply_head(head("2", 9), at(11))
    assert [("left_base", 10.0)] == drive.shown()
    drive.fleet.apply_head(head("5", 10, seq=2), at(12))
    assert [] == drive.shown()
    late = Proposal(code="auto", text="Mobile", at=NOON + timedelta(seconds=10))
    assert not drive.fleet.propose("kp-12", late, at(13))
    assert not drive.fleet.propose("kp-99", late, at(13))
    assert [] == drive.shown()


@pytest.mark.parametrize(("code", "expected"), [("2", []), ("6", ["moving"]), ("5", []), ("4", ["moving"])])
def test_what_a_status_says_already_is_not_proposed(code: str, expected: list[str]) -> None:
    """On patrol or on its way a unit may move; at the scene, or at a meal, that suggests something."""
    drive = Drive()
    drive.fleet.apply_head(head(code, 0), at(0))
    drive.at(1, 3.0)
    drive.at(20, 3.0, 9.0)
    drive.at(30, 3.0, 9.0)
    assert expected == [one for one, _ in drive.shown()]


def test_an_automatic_status_is_proposed_once() -> None:
    """The newest of its like counts, and an older one that comes late changes nothing."""
    drive = Drive()
    drive.fleet.take_changed(at(0))
    newer = Proposal(code="auto", text="Mobile", at=at(20).utc)
    assert drive.fleet.propose("kp-12", newer, at(20))
    assert ["kp-12"] == list(drive.fleet.take_changed(at(20)))
    for seconds in (20, 19):
        assert not drive.fleet.propose("kp-12", Proposal(code="auto", text="Clear", at=at(seconds).utc), at(21))
    assert {} == drive.fleet.take_changed(at(21))
    assert [("auto", 20.0)] == drive.shown()


def test_a_unit_without_a_fence_has_no_base_to_leave() -> None:
    """What is not known is not guessed."""
    motion = UNSEEN
    for seconds, outside_m in ((0, None), (10, None), (20, 5_000.0), (30, 0.0)):
        motion, suggested = follow(motion, Seen(at(seconds).utc, outside_m, None, 5.0))
        assert [one.code for one in suggested] == (["at_base"] if seconds == 30 else [])


def test_proposals_are_kept_in_the_order_of_their_coming() -> None:
    """One of each, and none beside its opposite."""
    known: tuple[Proposal, ...] = ()
    for seconds, code in enumerate(("left_base", "moving", "auto", "stopped", "at_base")):
        known = add(known, Proposal(code=code, text=code, at=at(seconds).utc), None) or known
    assert ["auto", "stopped", "at_base"] == [one.code for one in known]
