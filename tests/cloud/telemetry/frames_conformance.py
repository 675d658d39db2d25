"""What every adapter of the `Frames` port must do.

An adapter's tests subclass `FramesConformance` and say how to open one; its promises are then these, and no others.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.telemetry import FIXES, KEY_US, FrameRow, Frames, Span

DAY = date(2026, 11, 1)
DAY_US = 86_400_000_000
START_US = 1_793_491_200_000_000
"""The begin of that day."""
SECOND_US = 1_000_000
EARTH = 1_800_000_000
whole = st.none() | st.integers(-(2**31), 2**31 - 1)
whole_frames = st.builds(
    FrameRow,
    unit=st.text("abc-1", min_size=1, max_size=6),
    shown_us=st.integers(START_US, START_US + DAY_US + DAY_US // 2),
    link_ms=st.none() | st.integers(0, 2**62),
    position_ms=st.none() | st.integers(0, 2**62),
    as_of_ms=st.integers(-(2**40), 2**62),
    fix=st.none() | st.integers(0, len(FIXES) - 1),
    lat_e7=st.none() | st.integers(-EARTH // 2, EARTH // 2),
    lon_e7=st.none() | st.integers(-EARTH, EARTH),
    heading_dd=st.none() | st.integers(0, 3599),
    speed_cmps=whole,
    altitude_m=whole,
    accuracy_dm=whole,
    gnss_ms=st.none() | st.integers(-(2**62), 2**62),
)


def frame(unit: str, after_s: float, **changes: int | None) -> FrameRow:
    """A unit shown so many seconds after the begin of the day."""
    fields: dict[str, int | None] = {"link_ms": 1500, "position_ms": 20, "as_of_ms": 3, "fix": 2}
    return FrameRow(unit, START_US + round(after_s * SECOND_US), **fields | changes)  # type: ignore[arg-type]


def span(since_s: float, through_s: float, board_s: float = 0) -> Span:
    """A span, by seconds after the begin of the day."""
    return Span(*(START_US + round(second * SECOND_US) for second in (since_s, through_s, board_s or since_s)))


class FramesConformance:
    """The suite. A subclass gives `open`."""

    def open(self, folder: Path) -> Frames:
        """Open the store of that folder: the same frames for the same folder, and none for an empty one."""
        raise NotImplementedError

    def test_an_empty_store_knows_nothing(self, tmp_path: Path) -> None:
        """Before the first append nothing is known of any moment, and nothing has to be tidied."""
        store = self.open(tmp_path)
        assert store.span_at(START_US) is None
        assert [] == store.shown_at(START_US, span(0, 1))
        assert [] == store.of_unit("a", 0, 2 * START_US)
        assert [] == store.spans()
        assert not store.tidy(DAY)
        store.close()

    @settings(max_examples=5, deadline=None)
    @given(
        rows=st.lists(whole_frames, max_size=12, unique_by=lambda row: (row.unit, row.shown_us)), tidied=st.booleans()
    )
    def test_every_field_survives(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[FrameRow], tidied: bool
    ) -> None:
        """Whole numbers and empty fields come back as they were, after a reopen and after tidying."""
        folder = tmp_path_factory.mktemp("frames")
        store = self.open(folder)
        store.append(rows, Span(START_US, START_US + 2 * DAY_US))
        store.close()
        store = self.open(folder)
        while tidied and store.tidy(DAY + timedelta(days=9)):
            pass
        found = [row for unit in {row.unit for row in rows} for row in store.of_unit(unit, 0, 2 * START_US)]
        store.close()
        assert sorted(rows, key=_place) == sorted(found, key=_place)

    def test_the_newest_of_each_unit_by_a_moment(self, tmp_path: Path) -> None:
        """At a moment each unit is as it was last shown by then: later frames, and those of an older span, are not."""
        store = self.open(tmp_path)
        store.append([frame("a", 1), frame("b", 1)], span(1, 2))
        first, second = frame("a", 10), frame("a", 12)
        store.append([first, frame("c", 10)], span(10, 11))
        store.append([second], span(10, 14))
        for tidied in (False, True):
            now = span(10, 14)
            assert [first, frame("c", 10)] == sorted(store.shown_at(START_US + 11_999_999, now), key=_place)
            assert [frame("c", 10), second] == sorted(store.shown_at(START_US + 12_000_000, now), key=_place)
            assert ["a", "b"] == sorted(row.unit for row in store.shown_at(START_US + 2_000_000, span(1, 2)))
            assert tidied or store.tidy(DAY + timedelta(days=1))
        store.close()

    def test_looking_back_ends_after_the_time_of_a_key_frame(self, tmp_path: Path) -> None:
        """A frame that is as old as a key frame may be is found, and nothing older."""
        store = self.open(tmp_path)
        store.append([frame("a", 0)], span(0, 1000))
        assert [frame("a", 0)] == store.shown_at(START_US + KEY_US, span(0, 1000))
        assert [] == store.shown_at(START_US + KEY_US + 1, span(0, 1000))
        store.close()

    def test_a_moment_is_known_within_a_span_alone(self, tmp_path: Path) -> None:
        """A span holds both its ends and all between, however many appends it took; beside it nothing is known."""
        store = self.open(tmp_path)
        for through_s in (20, 21, 22):
            store.append([], span(20, through_s))
        store.append([], span(30, 31))
        known = [store.span_at(START_US + moment_s * SECOND_US) is not None for moment_s in (19, 20, 22, 23, 30, 32)]
        assert [False, True, True, False, True, False] == known
        ends = [(one.since_us - START_US, one.through_us - START_US) for one in store.spans()]
        assert [(20 * SECOND_US, 22 * SECOND_US), (30 * SECOND_US, 31 * SECOND_US)] == ends
        store.close()

    def test_a_span_tells_the_newest_row_of_the_board_by_then(self, tmp_path: Path) -> None:
        """It names the newest row up to the moment asked for, in order or not, so that an older ledger is found out."""
        store = self.open(tmp_path)
        store.append([], span(20, 21, board_s=20.5))
        store.append([], span(20, 25, board_s=24))
        for _ in range(2):
            named = [store.span_at(START_US + round(s * SECOND_US)) for s in (20.1, 21, 23.9, 24)]
            assert [0, 20.5, 20.5, 24] == [one and max(0, one.board_us - START_US) / SECOND_US for one in named]
            store.tidy(DAY + timedelta(days=1))
        store.close()

    def test_midnight_divides_nothing(self, tmp_path: Path) -> None:
        """One append over midnight is known on both sides of it, and what was shown before is found after."""
        store = self.open(tmp_path)
        rows = [frame("a", 86_399), frame("b", 86_399.5), frame("b", 86_401)]
        store.append(rows, span(86_390, 86_402))
        for after_s, expected in ((86_399.9, rows[:2]), (86_400.5, rows[:2]), (86_401.5, [rows[0], rows[2]])):
            moment_us = START_US + round(after_s * SECOND_US)
            held = store.span_at(moment_us)
            assert held is not None and held.since_us == START_US + 86_390 * SECOND_US
            assert expected == sorted(store.shown_at(moment_us, held), key=_place)
        assert rows[1:] == store.of_unit("b", START_US, START_US + 2 * DAY_US)
        assert 1 == len(store.spans())
        store.close()

    def test_a_span_goes_on_to_midnight(self, tmp_path: Path) -> None:
        """Where one append ends just before it and the next has frames of the new day alone, nothing is unknown."""
        store = self.open(tmp_path)
        store.append([frame("a", 86_399)], span(86_390, 86_399.2))
        store.append([frame("a", 86_400.1)], span(86_390, 86_400.2))
        held = store.span_at(START_US + round(86_399.9 * SECOND_US))
        assert held is not None and [frame("a", 86_399)] == store.shown_at(DAY_US + START_US - 1, held)
        store.close()

    def test_a_copy_is_read_once(self, tmp_path: Path) -> None:
        """What was appended again after a failure that was none is there once, tidied or not."""
        store = self.open(tmp_path)
        for _ in range(2):
            store.append([frame("a", 1), frame("b", 2)], span(0, 3))
        for _ in range(2):
            assert [frame("a", 1)] == store.of_unit("a", START_US, START_US + DAY_US)
            assert 2 == len(store.shown_at(START_US + 3 * SECOND_US, span(0, 3)))
            store.tidy(DAY + timedelta(days=1))
        store.close()

    def test_only_finished_days_are_tidied_once_each(self, tmp_path: Path) -> None:
        """The day itself is left alone; earlier ones are put in order one a call, and once, also after a reopen."""
        store = self.open(tmp_path)
        for day in range(3):
            store.append([frame("a", day * 86_400 + 5)], span(day * 86_400, day * 86_400 + 9))
        assert [True, True, False] == [store.tidy(DAY + timedelta(days=2)) for _ in range(3)]
        store.close()
        store = self.open(tmp_path)
        assert not store.tidy(DAY + timedelta(days=2))
        assert 3 == len(store.of_unit("a", START_US, START_US + 3 * DAY_US))
        store.close()

    def test_what_is_appended_to_a_tidied_day_is_found(self, tmp_path: Path) -> None:
        """A store that failed over midnight is caught up with: late frames count like the others."""
        store = self.open(tmp_path)
        store.append([frame("a", 1), frame("b", 2)], span(0, 3))
        assert store.tidy(DAY + timedelta(days=1))
        store.append([frame("a", 4), frame("c", 4)], span(0, 5))
        rows = store.shown_at(START_US + 5 * SECOND_US, span(0, 5))
        assert [frame("b", 2), frame("a", 4), frame("c", 4)] == sorted(rows, key=_place)
        store.close()

    def test_earlier_days_can_be_dropped(self, tmp_path: Path) -> None:
        """The day itself and later ones stay."""
        store = self.open(tmp_path)
        for day in range(3):
            store.append([frame("a", day * 86_400 + 5)], span(day * 86_400, day * 86_400 + 9))
        store.drop_before(DAY + timedelta(days=1))
        assert 2 == len(store.of_unit("a", START_US, START_US + 3 * DAY_US))
        assert 2 == len(store.spans())
        store.close()

    def test_some_frames_of_a_day_can_be_forgotten(self, tmp_path: Path) -> None:
        """Those of some units go, those of others lose where they were and keep how old it was; the rest stays."""
        store = self.open(tmp_path)
        places = {"lat_e7": 510_000_000, "lon_e7": 5, "heading_dd": 6, "speed_cmps": 7, "altitude_m": 8, "gnss_ms": 9}
        for day in range(2):
            rows = [frame(unit, day * 86_400 + second, **places) for second in (5, 6) for unit in ("a", "b", "c")]
            store.append(rows, span(day * 86_400, day * 86_400 + 9))
        assert [DAY, DAY + timedelta(days=1)] == store.days()
        for tidied in (False, True):
            assert (0 if tidied else 4) == store.forget(DAY, ["a", "elsewhere"], ["b", "a"])
            assert tidied or store.tidy(DAY + timedelta(days=1))
        until_us = START_US + 2 * DAY_US
        assert [86_405, 86_406] == [(one.shown_us - START_US) // SECOND_US for one in store.of_unit("a", 0, until_us)]
        assert [frame("b", 5, fix=None), frame("b", 6, fix=None)] == store.of_unit("b", 0, START_US + DAY_US)
        assert [frame("b", 86_405, **places)] == store.of_unit("b", START_US + DAY_US, until_us)[:1]
        assert [frame("c", 5, **places), frame("c", 6, **places)] == store.of_unit("c", 0, START_US + DAY_US)
        assert ["b", "c"] == sorted(one.unit for one in store.shown_at(START_US + 7 * SECOND_US, span(0, 9)))
        assert 2 == len(store.spans())
        store.close()

    def test_readers_see_whole_appends_while_days_are_tidied(self, tmp_path: Path) -> None:
        """While one thread appends and another tidies, a reader never sees part of an append, nor an error."""
        store = self.open(tmp_path)
        for step in range(10):
            rows = [frame(f"u{number}", step + number / 100) for number in range(50)]
            store.append(rows, span(0, step + 0.9))

        def write() -> None:
            for step in range(1, 30):
                store.append([frame(f"u{number}", 86_400 + step) for number in range(50)], span(86_400, 86_400 + step))

        with ThreadPoolExecutor(2) as threads:
            writing, tidying = threads.submit(write), threads.submit(store.tidy, DAY + timedelta(days=1))
            while not (writing.done() and tidying.done()):
                assert 50 == len(store.shown_at(START_US + 10 * SECOND_US, span(0, 9.9)))
                assert len(store.shown_at(START_US + DAY_US + 30 * SECOND_US, span(86_400, 86_430))) in (0, 50)
            writing.result()
            assert tidying.result()
        assert 10 == len(store.of_unit("u7", START_US, START_US + DAY_US))
        store.close()


def _place(row: FrameRow) -> tuple[int, str]:
    return row.shown_us, row.unit
