"""Which order a unit is on, in its record."""

from tests.cloud.fleet.samples import NOON, at, fleet
from wire.feed import Assignment

ON = Assignment(order="o1", incident="I0417", phase="sent", since=NOON, version=3)


def test_an_assignment_is_shown_with_its_version_until_it_ends() -> None:
    """The record carries it, and the version stays when it has ended: an order quotes it."""
    county = fleet()
    county.take_changed(at(0))
    assert (None, 0) == (
        county.record("kp-12", 0, NOON, at(0)).assignment,
        county.record("kp-12", 0, NOON, at(0)).assignment_version,
    )
    assert county.assign("kp-12", ON, 3, at(1))
    record = county.record("kp-12", 0, NOON, at(1))
    assert (ON, 3) == (record.assignment, record.assignment_version)
    county.assign("kp-12", None, 4, at(2))
    record = county.record("kp-12", 0, NOON, at(2))
    assert (None, 4) == (record.assignment, record.assignment_version)


def test_only_a_change_is_shown_anew() -> None:
    """An assignment changes its unit's record, the same one again changes none, and there may be no such unit."""
    county = fleet()
    county.take_changed(at(0))
    county.assign("kp-12", ON, 3, at(1))
    assert {"kp-12": at(1).utc} == county.take_changed(at(2))
    county.assign("kp-12", ON, 3, at(3))
    assert {} == county.take_changed(at(4))
    assert not county.assign("kp-99", ON, 3, at(5))
