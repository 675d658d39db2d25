"""What is kept of each showing: changes once, frames always, key frames in time, and what is gone."""

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.memory.essence import restore, take_apart
from cloud.memory.keeping import ROUND_US, Keeping, age
from cloud.telemetry import KEY_US, FrameRow
from tests.cloud.memory.samples import NOON, NOON_US, age_by, differences, record, records
from wire.feed import FeedRecord

SECOND_US = 1_000_000
UNITS = [f"u-{number}" for number in range(7)]


def after(shown: FeedRecord, seconds: int) -> FeedRecord:
    """The same unit, shown again as a heartbeat leaves it: younger by the link, its status older."""
    aged = age_by(shown, timedelta(seconds=seconds))
    ages = msgspec.structs.replace(aged.ages, link_s=shown.ages.link_s)
    return msgspec.structs.replace(aged, ages=ages, as_of=NOON + timedelta(seconds=seconds), sources=shown.sources[:1])


def test_the_whole_board_is_kept_at_the_begin() -> None:
    """Every unit's record and frame are there from the first moment on."""
    kept = Keeping().begin(NOON_US, [record(unit) for unit in UNITS])
    assert UNITS == [row.unit for row in kept.rows] == [frame.unit for frame in kept.frames]
    assert {"record"} == {row.kind for row in kept.rows}


def test_what_did_not_change_is_logged_once() -> None:
    """A unit that is only heard again brings frames alone; one whose link goes late brings a row."""
    keeping = Keeping()
    first = msgspec.structs.replace(record(), sources=record().sources[:1])
    keeping.begin(NOON_US, [first])
    again = keeping.keep(NOON_US + 5 * SECOND_US, [after(first, 5)])
    late = keeping.keep(NOON_US + 9 * SECOND_US, [msgspec.structs.replace(after(first, 9), link="late")])
    assert ([], 1) == (again.rows, len(again.frames))
    assert [("kp-12", "record")] == [(row.unit, row.kind) for row in late.rows]
    assert NOON + timedelta(seconds=9) == late.rows[0].shown_at


def test_a_new_span_logs_only_changes_and_frames_everything() -> None:
    """What stood already is not logged again; each unit has a frame; who is not on the board any more is gone."""
    keeping = Keeping()
    keeping.begin(NOON_US, [record(unit) for unit in UNITS])
    kept = keeping.begin(NOON_US + 1, [record(UNITS[0]), record(UNITS[1], link="lost")])
    assert UNITS[:2] == [frame.unit for frame in kept.frames]
    expected = {(UNITS[1], "record"), *((unit, "gone") for unit in UNITS[2:])}
    assert expected == {(row.unit, row.kind) for row in kept.rows}
    back = keeping.begin(NOON_US + 2, [record(unit) for unit in UNITS])
    assert set(UNITS[1:]) == {row.unit for row in back.rows}


@settings(max_examples=40, deadline=None)
@given(
    step_s=st.sampled_from([0.2, 0.5, 1.0, 3.0]),
    shown=st.lists(st.tuples(st.integers(1, 3000), st.sampled_from(UNITS)), max_size=30),
)
def test_every_unit_has_a_frame_within_the_time_of_a_key_frame(step_s: float, shown: list[tuple[int, str]]) -> None:
    """However seldom a unit is shown and however slow the ticks, who looks back finds a frame of it in time."""
    keeping = Keeping()
    newest = {frame.unit: frame.shown_us for frame in keeping.begin(NOON_US, [record(unit) for unit in UNITS]).frames}
    for step in range(1, round(1200 / step_s)):
        at_us = NOON_US + round(step * step_s * SECOND_US)
        kept = keeping.keep(at_us, [record(unit) for unit in {one for when, one in shown if when == step}])
        for frame in kept.frames:
            assert newest[frame.unit] < frame.shown_us <= at_us
            newest[frame.unit] = frame.shown_us
        assert at_us - min(newest.values()) < KEY_US


def test_key_frames_are_spread() -> None:
    """A quiet county's key frames come a few at a time, not all at once."""
    keeping = Keeping()
    keeping.begin(NOON_US, [record(f"u-{number}") for number in range(600)])
    most = max(len(keeping.keep(NOON_US + second * SECOND_US, []).frames) for second in range(1, 900))
    assert most <= 2 * 600 * SECOND_US / ROUND_US


@settings(max_examples=100, deadline=None)
@given(shown=records(), passed_us=st.integers(0, 10**9), more_us=st.integers(1000, 10**9))
def test_a_key_frame_tells_what_the_frame_told(shown: FeedRecord, passed_us: int, more_us: int) -> None:
    """A frame repeated later restores the very same record, however often it is repeated: nothing is rounded twice."""
    essence, frame = take_apart(shown, NOON_US)
    at_us = NOON_US + passed_us + more_us
    repeated = age(age(frame, NOON_US + passed_us // 2), NOON_US + passed_us)
    assert restore(essence, frame, at_us) == restore(essence, repeated, at_us)
    assert 0 <= NOON_US + passed_us - repeated.shown_us < 1000


@settings(max_examples=30, deadline=None)
@given(shown=st.lists(records(), min_size=1, max_size=5), passed_s=st.integers(0, 900))
def test_what_was_kept_gives_back_what_was_shown(shown: list[FeedRecord], passed_s: int) -> None:
    """The last row and the newest frame by any later second are the record that was shown last, its ages counted on."""
    keeping = Keeping()
    frames: dict[str, FrameRow] = {}
    bodies: dict[str, bytes] = {}
    for turn, one in enumerate(shown):
        last_us = NOON_US + turn * SECOND_US
        moved = timedelta(seconds=turn)
        kept = (keeping.keep if turn else keeping.begin)(last_us, [_moved(one, moved)])
        frames |= {frame.unit: frame for frame in kept.frames}
        bodies |= {row.unit: row.body for row in kept.rows}
    for second in range(passed_s):
        frames |= {frame.unit: frame for frame in keeping.keep(last_us + second * SECOND_US + 1, []).frames}
    at_us = last_us + passed_s * SECOND_US
    essence = msgspec.json.decode(bodies["kp-12"], type=type(take_apart(shown[-1], last_us)[0]))
    again = restore(essence, frames["kp-12"], at_us)
    assert [] == differences(age_by(_moved(shown[-1], moved), timedelta(seconds=passed_s)), again)


def _moved(shown: FeedRecord, by: timedelta) -> FeedRecord:
    """The same record as if all of it had happened so much later."""
    place, status = shown.position, shown.status
    if place is not None and place.gnss_time is not None:
        place = msgspec.structs.replace(place, gnss_time=place.gnss_time + by)
    if status is not None:
        status = msgspec.structs.replace(status, since=status.since + by)
    sources = tuple(msgspec.structs.replace(one, at=one.at and one.at + by) for one in shown.sources)
    return msgspec.structs.replace(shown, as_of=shown.as_of + by, position=place, status=status, sources=sources)
