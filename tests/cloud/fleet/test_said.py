"""Crews and defects: within a device by sequence, between devices by time, in doubt the fewer."""

from typing import Any

import pytest

from cloud.fleet.basis import NO_NEEDS, CrewSaid, DefectSaid, Needs
from cloud.fleet.said import (
    DEFECTS_MAX,
    KeptCrew,
    KeptDefect,
    crew_view,
    keep_crew,
    keep_defect,
    stand_crew,
    standing_defects,
)
from tests.cloud.fleet.samples import at, fleet
from wire.feed import CrewView, DefectView, FeedRecord

NEEDS = Needs(minimum=4, preferred=5, skills=(("ba", 2), ("driver", 1)))


def crew(riders: int, moment_s: float, **changes: Any) -> CrewSaid:
    """A crew of so many that logged on at the vehicle; none means that it logged off."""
    fields: dict[str, Any] = {"device": "veh-2", "on": riders > 0, "riders": riders, "at": at(moment_s).utc}
    return CrewSaid(**fields | changes)


def defect(what: str = "pump", **changes: Any) -> DefectSaid:
    """A defect that the vehicle reported."""
    fields: dict[str, Any] = {"device": "veh-2", "what": what, "off_the_run": True, "at": at(0).utc}
    return DefectSaid(**fields | changes)


def shown(county: Any, now_s: float = 100.0) -> FeedRecord:
    """The unit's record."""
    record: FeedRecord = county.record("kp-12", 1, at(0).utc, at(now_s))
    return record


def test_within_a_device_the_crew_that_logged_on_last_counts() -> None:
    """By its place in the stream, whatever the clock said; an older word that comes late changes nothing."""
    known = keep_crew((), crew(4, 10), (1, 5))
    assert known is not None
    assert keep_crew(known, crew(0, 20), (1, 5)) is None
    assert keep_crew(known, crew(0, 20), (1, 4)) is None
    newer = keep_crew(known, crew(3, 0), (2, 1))
    assert newer == (KeptCrew((2, 1), crew(3, 0)),)


@pytest.mark.parametrize(
    ("why", "panel_s", "proven", "riders"),
    [
        ("the newer", 110, True, 2),
        ("the newer, though it has more", 80, True, 4),
        ("at once: the fewer", 97, True, 2),
        ("of an unknown time, and perhaps later: the fewer", 150, False, 2),
        ("of an unknown time, but received before", 80, False, 4),
    ],
)
def test_between_two_devices_the_newer_crew_counts(why: str, panel_s: float, proven: bool, riders: int) -> None:
    """Corrected time decides; nearer than 5 s, or without proof, it does not, and the fewer count."""
    panel = crew(2, panel_s, device="panel-1", proven=proven)
    for known in ((crew(4, 100), panel), (panel, crew(4, 100))):
        stands = stand_crew(tuple(KeptCrew((1, 1), said) for said in known))
        assert stands is not None and riders == stands.riders, why


def test_a_more_numerous_crew_of_an_unknown_time_displaces_none() -> None:
    """Nobody can say that it logged on last: the fewer count."""
    unsure = crew(5, 150, device="panel-1", proven=False)
    stands = stand_crew((KeptCrew((1, 1), crew(4, 100)), KeptCrew((1, 1), unsure)))
    assert stands is not None and 4 == stands.riders


def test_of_two_crews_of_an_unknown_time_the_fewer_count() -> None:
    """Whichever came last may have been said first: a log-on that was held back undoes no log-off."""
    held_back = crew(5, 150, device="panel-1", proven=False)
    stands = stand_crew((KeptCrew((1, 1), crew(0, 100, proven=False)), KeptCrew((1, 1), held_back)))
    assert stands is not None and 0 == stands.riders


def test_a_crew_is_shown_against_what_the_unit_needs() -> None:
    """How many there are and should be, what is missing, and what is needed though nobody has logged on yet."""
    until = at(9_000).utc
    on = crew(3, 0, skills=(("ba", 1), ("driver", 1)), until=until)
    assert crew_view(None, NO_NEEDS) is None
    assert CrewView(minimum=4, preferred=5) == crew_view(None, NEEDS)
    assert CrewView(
        riders=3, minimum=4, preferred=5, skills=("ba", "driver"), missing=("ba",), until=until
    ) == crew_view(on, NEEDS)
    off = crew(0, 0, skills=(("ba", 1),), until=until)
    assert CrewView(riders=0, minimum=4, preferred=5, missing=("ba", "driver")) == crew_view(off, NEEDS)


def test_a_crew_changes_its_unit_and_only_bound_devices_speak_for_it() -> None:
    """A log-on is in the record at once; one from a device that isn't bound, or of no unit, is nowhere."""
    county = fleet()
    county.take_changed(at(0))
    assert not county.apply_crew("kp-12", crew(4, 0, device="veh-1"), (1, 1), at(0))
    assert not county.apply_crew("kp-99", crew(4, 0), (1, 1), at(0))
    assert {} == county.take_changed(at(0))
    assert county.apply_crew("kp-12", crew(4, 0), (1, 1), at(1))
    assert {"kp-12": at(1).utc} == county.take_changed(at(2))
    found = shown(county).crew
    assert found is not None and 4 == found.riders


def test_a_defect_stands_until_its_device_says_it_is_mended() -> None:
    """By device and by what is broken; an older word than the newest neither raises it again nor mends it."""
    county = fleet()
    assert county.apply_defect("kp-12", defect(), True, (1, 1), at(0))
    assert county.apply_defect("kp-12", defect("radio", off_the_run=False, text="weak"), True, (1, 2), at(0))
    assert [
        DefectView(what="pump", off_the_run=True, since=at(0).utc),
        DefectView(what="radio", off_the_run=False, text="weak", since=at(0).utc),
    ] == list(shown(county).defects)
    assert county.apply_defect("kp-12", defect(), False, (1, 4), at(1))
    assert not county.apply_defect("kp-12", defect(), True, (1, 3), at(2))
    assert ["radio"] == [one.what for one in shown(county).defects]
    assert county.apply_defect("kp-12", defect("radio", device="panel-1"), False, (1, 1), at(3))
    assert ["radio"] == [one.what for one in shown(county).defects]


def test_invented_defects_do_not_pile_up() -> None:
    """What takes a unit off the run is kept before the rest, and the mended go first."""
    known: tuple[KeptDefect, ...] = ()
    for number in range(3 * DEFECTS_MAX):
        serious, raised = number == 0, number % 3 != 1
        word = KeptDefect((1, number), raised, defect(f"part-{number}", off_the_run=serious))
        known = keep_defect(known, word) or known
    assert DEFECTS_MAX == len(known)
    stand = [said.what for said in standing_defects(known)]
    assert "part-0" in stand and f"part-{3 * DEFECTS_MAX - 1}" in stand
