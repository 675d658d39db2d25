"""What holds after any story: repeated and reordered commands, faults, a process that dies between two effects."""

from hypothesis import given, settings

from edge_agent.station.machine import in_hand
from edge_agent.station.words import Called, Write
from tests.edge_agent.station.lab import COOKER, ENDS_WITHIN_S, FIRE, TRAVEL_S, Lab
from tests.edge_agent.station.stories import Deed, Story, must_sound, stories

STORIES = settings(max_examples=120, deadline=None)
FIRES_OWN = {"io.s-fire", "io.tone", "io.level", "io.s-bays", "io.l-fire", "io.i-fire", "io.exit", COOKER}
FIRES_DOOR = "io.d-fire"


def after(deeds: list[Deed]) -> Lab:
    """The lab after a story."""
    story = Story()
    for deed in deeds:
        story.do(deed)
    return story.lab


@STORIES
@given(stories())
def test_no_door_is_pulsed_twice(deeds: list[Deed]) -> None:
    """Once for a revision, not within the travel of another pulse, and only after its row and a look at the door."""
    lab = after(deeds)
    named = [(output, order, revision) for output, order, revision, _ in lab.pulses]
    assert len(named) == len(set(named))
    assert all(order for _, order, _ in named) and lab.rash == []
    for door in {output for output, *_ in lab.pulses}:
        at_s = [when for output, _, _, when in lab.pulses if output == door]
        assert all(later - sooner >= TRAVEL_S for sooner, later in zip(at_s, at_s[1:], strict=False))


@STORIES
@given(stories(faults=False))
def test_an_alert_is_never_silenced_by_another(deeds: list[Deed]) -> None:
    """At every moment, each sounder of each call that waits for a person is on, whatever became of the other calls."""
    story = Story()
    for deed in deeds:
        story.do(deed)
        assert must_sound(story.lab) <= story.lab.on()


@STORIES
@given(stories())
def test_a_cooker_is_never_given_back_but_by_a_person(deeds: list[Deed]) -> None:
    """No command, cancel, expiry, fault or restart writes it off."""
    lab = after(deeds)
    lab.wait(ENDS_WITHIN_S + 1, step_s=1.0)
    assert Write(COOKER, False) not in [effect for _, effect in lab.log]


@STORIES
@given(stories(FIRE))
def test_one_services_night_call_wakes_nobody_else(deeds: list[Deed]) -> None:
    """By night fire's calls, and tests, write only what is fire's own, bays where nobody sleeps, and the cooker.

    Its door's output is only ever written off, and pulsed.
    """
    story = Story()
    story.lab.night = True
    story.lab.read()
    for deed in deeds:
        story.do(deed)
    writes = {effect for _, effect in story.lab.log if isinstance(effect, Write)} - {Write(FIRES_DOOR, False)}
    assert {effect.output for effect in writes} <= FIRES_OWN


@STORIES
@given(stories())
def test_every_revision_ends(deeds: list[Deed]) -> None:
    """By the reset and what a door or exit signal may take, each has its last row, no step is open, all is off."""
    lab = after(deeds)
    lab.broken, lab.bad = set(), set()
    lab.wait(ENDS_WITHIN_S + 1, step_s=0.5)
    whole = [row for row in lab.journal.values() if row.step == ""]
    assert {row.outcome for row in whole} <= {"done", "expired", "failed", "unknown", "refused"}
    assert {(row.order, row.revision) for row in whole} == {key[:2] for key in lab.journal}
    assert not [row for row in lab.journal.values() if row.outcome in ("accepted", "started")]
    assert lab.on() <= {COOKER} and not lab.station.live and not in_hand(lab.station)


@STORIES
@given(stories())
def test_what_comes_twice_does_nothing_twice(deeds: list[Deed]) -> None:
    """Every command of the story that the journal knows comes once more, and has no effect at all."""
    story = Story()
    for deed in deeds:
        story.do(deed)
    story.lab.read()
    known = {key[:2] for key in story.lab.journal}
    for happening in story.past:
        if isinstance(happening, Called) and (happening.call.order, happening.call.revision) in known:
            assert story.lab.happen(happening) == []
