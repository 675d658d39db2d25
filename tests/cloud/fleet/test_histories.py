"""What holds of every record, whatever happened: over generated histories of the real fleet."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cloud.fleet.samples import at
from tests.cloud.fleet.stories import (
    CODES,
    FAR_S,
    RANK,
    SURE,
    UNITS,
    Step,
    Story,
    automatic,
    lasting,
    meaning_of,
    quarrels,
    statuses,
    steps,
    stories_of,
)
from wire.feed import FeedRecord

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
histories = stories_of(steps)
SILENCE_S = (0.3, 4.0, 9.0, 15.1, 22.0, 31.0, 47.0, 90.0, 400.0, 4_000.0, FAR_S / 2)
PAIR = ("kp-13", "kp-14")


def told(*history: Step) -> Story:
    """Play a history on a new fleet."""
    story = Story()
    story.play(history)
    return story


@QUICK
@given(stories_of(lasting))
def test_silence_only_lowers_confidence(history: list[Step]) -> None:
    """When nothing more is heard no unit becomes more available or better believed, however long it lasts."""
    story = told(*history)
    before = story.records()
    begun_s = story.now_s
    for silence_s in SILENCE_S:
        story.now_s = begun_s + silence_s
        story.look()
        for unit, record in story.records().items():
            was = before[unit]
            assert RANK[record.availability] >= RANK[was.availability], (silence_s, was.reasons, record.reasons)
            assert SURE[record.confidence] <= SURE[was.confidence], (silence_s, was.reasons, record.reasons)
            before[unit] = record


@QUICK
@given(histories)
def test_an_older_basis_changes_nothing(history: list[Step]) -> None:
    """Whatever was said before the newest of its kind and source, and comes once more, changes no record."""
    story = told(*history)
    newest = {one.source: number for number, one in enumerate(story.told)}
    before = story.records()
    for number, one in enumerate(list(story.told)):
        if number != newest[one.source]:
            story.again(one)
            assert before == story.records(), one


@QUICK
@given(histories, st.lists(automatic, min_size=1, max_size=4))
def test_what_is_automatic_never_raises_a_class(history: list[Step], more: list[Step]) -> None:
    """No status sent by itself changes a class or confidence, and no place or input raises a class."""
    story = told(*history)
    for unit in UNITS:
        before = story.records()
        for code in CODES:
            assert not story.fleet.apply_head(story.press(unit, UNITS[unit], code, by="auto"), at(story.now_s))
        story.take(("propose", {"unit": unit, "ago_s": 0.0}))
        assert judged(before) == judged(story.records())
    for step in more:
        before = story.records()
        story.take(step)
        for unit, record in story.records().items():
            assert RANK[record.availability] >= RANK[before[unit].availability]


@QUICK
@given(histories, statuses)
def test_a_rehearsal_never_raises_a_class(history: list[Step], press: Step) -> None:
    """A press in training leaves the live status standing, and makes nobody more available."""
    story = told(*history)
    unit, before = press[1]["unit"], story.records()
    stands = story.fleet.standing(unit)
    if stands is None or not stands.is_live:
        return
    story.take(("status", press[1] | {"rehearsed": True}))
    assert stands == story.fleet.standing(unit)
    assert RANK[story.records()[unit].availability] >= RANK[before[unit].availability]


@QUICK
@given(stories_of(quarrels))
def test_a_conflict_never_leaves_the_more_available_standing(history: list[Step]) -> None:
    """A unit of which two say otherwise is no more available than the least of them, and is contradicted."""
    story = Story()
    for step in history:
        story.play([step])
        for record in story.shown.values():
            if record.conflicts and record.status is not None:
                codes = [record.status.code, *(one.code for one in record.conflicts)]
                assert RANK[record.availability] >= max(map(rank_of, codes))
                assert "contradicted" == record.confidence


@QUICK
@given(stories_of(steps.filter(lambda step: step[1].get("unit") != "kp-12")))
def test_a_crew_is_never_counted_twice(history: list[Step]) -> None:
    """Of the units that share a crew at most one is Available: now, and on the board as it was last shown."""
    story = Story()
    for step in history:
        story.play([step])
        for records in (story.shown, story.records()):
            assert 1 >= sum(records[unit].availability == "Available" for unit in PAIR), records


@QUICK
@given(histories)
def test_every_reason_names_a_source_of_the_record(history: list[Step]) -> None:
    """Whoever asks why is led to who said so: each source is in the record once, and each reason is by one of them."""
    story = Story()
    for step in history:
        story.play([step])
        for record in story.shown.values():
            named = [source.source for source in record.sources]
            assert len(named) == len(set(named))
            assert record.reasons and {reason.source for reason in record.reasons} <= set(named)


@QUICK
@given(histories)
def test_the_board_shows_what_is_so(history: list[Step]) -> None:
    """What changes a record is always taken as a change: what was last shown is what would be made now, ages aside."""
    story = Story()
    for step in history:
        story.play([step])
    assert {unit: essence(one) for unit, one in story.records().items()} == {
        unit: essence(one) for unit, one in story.shown.items()
    }


def judged(records: dict[str, FeedRecord]) -> list[tuple[object, ...]]:
    """What was decided of each unit."""
    return [
        (one.availability, one.confidence, one.status, [why.code for why in one.reasons]) for one in records.values()
    ]


def essence(record: FeedRecord) -> tuple[object, ...]:
    """What of a record does not change with every moment."""
    reasons = [(why.code, why.text, why.source) for why in record.reasons]
    return (
        *(record.availability, record.confidence, reasons, record.activity, record.crew, record.defects),
        *(record.proposals, record.claims, record.link, record.conflicts, record.mode, record.position_fresh),
    )


def rank_of(code: str) -> int:
    """How little available a code is."""
    return RANK[meaning_of(code).availability]
