"""A unit in several modes at once: when one runs out the next holds, with no moment of live between the two."""

from datetime import timedelta

from cloud.fleet.modes import Belonging, ModeBook, Setting
from tests.cloud.fleet.samples import NOON, at, fleet, head


def test_a_unit_is_not_live_between_two_modes() -> None:
    """In maintenance for a minute and on drill for two: at the very end of the one the board shows the other."""
    ends, later = NOON + timedelta(seconds=60), NOON + timedelta(seconds=120)
    book = ModeBook(
        [
            Setting(scope="unit", id="kp-12", mode="maintenance", by="op 7", reason="service", at=NOON, until=ends),
            Setting(scope="all", mode="training", by="op 7", reason="drill", at=NOON, until=later),
        ]
    )
    county = fleet()
    county.apply_head(head("2", 0, received=NOON), at(0))
    county.set_mode("kp-12", book.of(Belonging(unit="kp-12", base="stn-14", organisation="kp"), NOON), at(0))
    for moment_s, mode, until, availability in (
        (59.9, "maintenance", ends, "NotAvailable"),
        (60.01, "training", later, "ConditionallyAvailable"),
        (120.01, "live", None, "Available"),
    ):
        county.take_changed(at(moment_s))
        record = county.record("kp-12", 1, NOON, at(moment_s))
        assert (mode, until, availability) == (record.mode, record.mode_until, record.availability)


def test_a_drill_at_the_panel_ends_no_test_of_the_vehicle() -> None:
    """The vehicle's device is tried out, then the panel's crew drills: the unit is in test, and not to be sent."""
    county = fleet()
    county.apply_head(head("2", 0, received=NOON), at(0))
    county.apply_head(head("2", 1, seq=2, mode="test", received=NOON), at(1))
    county.apply_head(head("4", 2, device="panel-1", stream="E3-a", mode="training", received=NOON), at(2))
    record = county.record("kp-12", 1, NOON, at(3))
    assert ("test", "NotAvailable") == (record.mode, record.availability)
