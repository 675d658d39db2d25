"""One crew for several units: what bears on one of them never frees the crew for another by itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.cloud.fleet.samples import at
from tests.cloud.fleet.stories import BOUND, CODES, RANK, UNITS, Step, Story, automatic, stories_of, units
from wire.feed import Assignment, FeedRecord

FIRST, SECOND = "kp-13", "kp-14"
AUTOMATIC = ("place", "ignition", "propose")


def pair(first: str = "4", second: str = "4") -> Story:
    """Two units of one crew, of which both pressed."""
    story = Story()
    for unit, code in ((FIRST, first), (SECOND, second)):
        press(story, unit, code)
    return story


def press(story: Story, unit: str, code: str, **changes: object) -> None:
    """A unit's vehicle, or its panel, presses."""
    device = str(changes.pop("device", UNITS[unit]))
    story.fleet.apply_head(story.press(unit, device, code, **{"at": at(story.now_s).utc} | changes), at(story.now_s))
    story.look()


def told(record: FeedRecord) -> tuple[object, ...]:
    """What a board says of a unit: its class, and the first reason but that nobody has heard of its device."""
    return record.availability, codes(record)[0]


def codes(record: FeedRecord) -> list[str]:
    """Every reason but that nobody has heard of its device."""
    return [why.code for why in record.reasons if why.code != "not_heard_yet"]


def test_a_place_that_speaks_against_one_gives_its_crew_to_no_other() -> None:
    """A pump that says at base and drives three kilometres away has its crew on board: its mate is not Available."""
    story = pair()
    assert ("ConditionallyAvailable", "shares_crew") == told(story.shown[SECOND])
    story.play([("place", {"unit": FIRST, "km": 3.0, "speed_mps": 12.0, "fix": "3d"})])
    assert ("Available", "not_at_base") == told(story.shown[FIRST])
    assert ("ConditionallyAvailable", "shares_crew") == told(story.shown[SECOND])


def test_a_shift_that_ends_gives_the_crew_to_no_other() -> None:
    """The crew whose shift is over is the same crew on the other vehicle: time alone makes that one no better."""
    story = pair()
    story.play([("crew", {"unit": FIRST, "panel": False, "riders": 3, "lasts_s": 5.0}), ("wait", {"seconds": 6.0})])
    assert ("ConditionallyAvailable", "shift_ended") == told(story.shown[FIRST])
    assert ("ConditionallyAvailable", "shares_crew") == told(story.shown[SECOND])


def test_in_doubt_whether_one_is_out_its_crew_is_out() -> None:
    """A panel without a clock says mobile of the one, and nobody knows when: the other is not Available meanwhile."""
    story = pair()
    press(story, FIRST, "1", device="panel-1", proven=False)
    assert ("NotAvailable", "conflict") == told(story.shown[FIRST])
    assert ("NotAvailable", "crew_elsewhere") == told(story.shown[SECOND])


def test_the_vehicle_that_the_crew_is_on_the_road_with_goes_first() -> None:
    """A crew that drives about available in the second vehicle is not at base with the first, whatever comes first."""
    story = pair(second="35")
    assert ("Available", "declared") == told(story.shown[SECOND])
    assert ("ConditionallyAvailable", "shares_crew") == told(story.shown[FIRST])


def test_who_tries_out_a_panel_sends_no_crew_away() -> None:
    """Mobile, pressed while one vehicle's panel is tested, takes nothing from the other; in training it does."""
    for mode, expected in (("test", "declared"), ("training", "crew_elsewhere")):
        story = Story()
        press(story, FIRST, "1", mode=mode)
        press(story, SECOND, "4")
        assert expected == codes(story.shown[SECOND])[0], mode


WHOLE, PART = "kp-13", "kp-12"


def joined(*, split: bool) -> Story:
    """A unit and a part of it, split or not, which both pressed at base in the morning."""
    story = Story()
    entries = {unit.id: unit for unit in units()}
    entries[WHOLE] = replace(entries[WHOLE], crew_group="", split_into=(PART,) if split else ())
    entries[PART] = replace(entries[PART], part_of=WHOLE, is_apart=split)
    entries["kp-14"] = replace(entries["kp-14"], crew_group="")
    story.fleet.rebind(entries.values(), BOUND, at(0))
    for unit in (WHOLE, PART):
        press(story, unit, "4")
    return story


@pytest.mark.parametrize(("split", "out", "free"), [(True, WHOLE, PART), (False, PART, WHOLE)])
def test_a_crew_that_is_out_is_out_when_its_unit_is_split_or_joined(split: bool, out: str, free: str) -> None:
    """What was pressed before the crew went out frees no part of it, until that is pressed anew."""
    story = joined(split=split)
    assert ("Available", "declared") == told(story.shown[free])
    story.now_s = 10.0
    press(story, out, "2")
    assert ("NotAvailable", "crew_elsewhere") == told(story.shown[free])
    story.now_s = 20.0
    press(story, free, "4")
    assert ("Available", "declared") == told(story.shown[free])
    story.now_s = 30.0
    press(story, out, "4")
    order = Assignment(order="o1", incident="I0417", phase="sent", since=at(31.0).utc, version=1)
    story.fleet.assign(out, order, 1, at(31.0))
    story.now_s = 31.0
    story.look()
    assert ("NotAvailable", "crew_elsewhere") == told(story.shown[free])


presses = st.tuples(
    st.just("status"),
    st.fixed_dictionaries(
        {
            "unit": st.sampled_from([FIRST, SECOND]),
            "panel": st.booleans(),
            "code": st.sampled_from(CODES),
            "ago_s": st.just(0.0),
            "rehearsed": st.just(False),
            "proven": st.sampled_from([True, True, False]),
        }
    ),
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(stories_of(st.one_of(presses, presses, automatic)))
def test_nobody_is_more_available_for_what_was_automatic(history: list[Step]) -> None:
    """Without any place, ignition and suggestion in a history each unit would be as available as it is, or more."""
    story, without = Story(), Story()
    story.play(history)
    without.play([step for step in history if step[0] not in AUTOMATIC])
    for unit, record in story.records().items():
        assert RANK[record.availability] >= RANK[without.records()[unit].availability]
