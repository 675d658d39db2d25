"""What every adapter of the `Telemetry` port must do.

An adapter's tests subclass `TelemetryConformance` and say how to open one; its promises are then these, and no others.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.telemetry import InputRow, Owned, PositionRow, Telemetry
from tests.cloud.telemetry.samples import (
    EVER,
    expected_latest,
    expected_series,
    later,
    no_fix,
    position,
    reading,
)

BIGGEST = 2**63 - 1
YEAR_S = 365 * 86_400
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
moments = st.datetimes(
    min_value=later(-40 * YEAR_S).replace(tzinfo=None),
    max_value=later(70 * YEAR_S).replace(tzinfo=None),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=30))]),
)
reals = st.floats(allow_nan=False, allow_infinity=False) | st.none()
whole_positions = st.builds(
    PositionRow,
    device=texts,
    unit=st.just("p12"),
    stream=texts,
    seq=st.integers(1, BIGGEST),
    boot=st.integers(0, BIGGEST),
    mono_ms=st.integers(0, BIGGEST),
    at=moments,
    received_at=moments,
    corrected_at=moments,
    mode=st.sampled_from(["live", "training"]),
    fix=st.sampled_from(["2d", "3d", "dead_reckoning"]),
    lat=reals,
    lon=reals,
    speed_mps=reals,
    heading_deg=reals,
    altitude_m=reals,
    accuracy_m=reals,
    satellites=st.integers(0, 255) | st.none(),
    gnss_time=moments | st.none(),
)
whole_inputs = st.builds(
    InputRow,
    device=st.just("d1"),
    unit=texts | st.none(),
    stream=texts,
    seq=st.integers(1, BIGGEST),
    boot=st.integers(0, BIGGEST),
    mono_ms=st.integers(0, BIGGEST),
    at=moments,
    received_at=moments,
    corrected_at=moments,
    mode=st.sampled_from(["live", "training"]),
    name=st.just("ignition"),
    value=reals,
    quality=st.sampled_from(["good", "bad", "stale"]),
)


@st.composite
def copies(draw: st.DrawFn) -> PositionRow:
    """One of few records, at one of few moments over three days, so that copies and ties are common."""
    seq = draw(st.integers(1, 8))
    made = draw(st.sampled_from([0, 1, 2, 50_000, 90_000]))
    late = draw(st.sampled_from([0, 1, 86_400]))
    device = draw(st.sampled_from(["d1", "d2"]))
    unit = "p99" if (device, seq) == ("d2", 1) else "p12"
    make = no_fix if seq % 3 == 0 else position
    return make(seq, made, device=device, unit=unit, received_at=later(made + late))


class TelemetryConformance:
    """The suite. A subclass gives `open`."""

    def open(self, folder: Path) -> Telemetry:
        """Open the store of that folder: the same rows for the same folder, and none for an empty one."""
        raise NotImplementedError

    def test_an_empty_store_has_nothing(self, tmp_path: Path) -> None:
        """Before the first append every read is empty, not an error."""
        store = self.open(tmp_path)
        store.append([], [])
        assert [] == store.latest()
        assert [] == store.series("p12", *EVER, 10)
        assert [] == store.inputs_of_unit("p12", "ignition", *EVER, 10)
        store.drop_before(date(2026, 11, 1))
        store.close()

    @settings(max_examples=20, deadline=None)
    @given(row=whole_positions)
    def test_every_field_of_a_position_survives(
        self, tmp_path_factory: pytest.TempPathFactory, row: PositionRow
    ) -> None:
        """Texts, 64-bit numbers, reals to the last bit, microseconds and empty fields come back after a reopen."""
        folder = tmp_path_factory.mktemp("telemetry")
        store = self.open(folder)
        store.append([row], [])
        store.close()
        store = self.open(folder)
        found = store.series("p12", row.corrected_at, row.corrected_at + timedelta(microseconds=1), 10)
        latest = store.latest()
        store.close()
        assert ([row], [row]) == (found, latest)
        assert found[0].corrected_at.tzinfo is UTC

    @settings(max_examples=20, deadline=None)
    @given(row=whole_inputs)
    def test_every_field_of_an_input_survives(self, tmp_path_factory: pytest.TempPathFactory, row: InputRow) -> None:
        """As for positions; a reading without a value keeps its quality."""
        folder = tmp_path_factory.mktemp("telemetry")
        store = self.open(folder)
        store.append([], [row])
        store.close()
        store = self.open(folder)
        end = row.corrected_at + timedelta(microseconds=1)
        found = store.inputs_of_device("d1", "ignition", row.corrected_at, end, 10)
        store.close()
        assert [row] == found

    @settings(max_examples=40, deadline=None)
    @given(
        batches=st.lists(st.lists(copies(), max_size=8), max_size=4),
        ends=st.tuples(st.sampled_from([0, 1, 2, 50_000]), st.sampled_from([1, 2, 90_000, 90_001])),
        limit=st.integers(1, 12),
    )
    def test_a_series_is_each_record_once_in_order(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        batches: list[list[PositionRow]],
        ends: tuple[int, int],
        limit: int,
    ) -> None:
        """Whatever copies arrive, in whatever order and however late, the window holds what the port says."""
        store = self.open(tmp_path_factory.mktemp("telemetry"))
        for batch in batches:
            store.append(batch, [])
        rows = [row for batch in batches for row in batch]
        window = (later(ends[0]), later(ends[1]))
        found = store.series("p12", *window, limit)
        latest = store.latest()
        store.close()
        assert expected_series((row for row in rows if row.unit == "p12"), window, limit) == found
        assert [self._place(row) for row in expected_latest(rows)] == [self._place(row) for row in latest]

    @staticmethod
    def _place(row: PositionRow) -> tuple[str, datetime, int, float | None]:
        return (row.device, row.corrected_at, row.seq, row.lat)

    def test_a_copy_that_came_a_day_later_is_the_same_record(self, tmp_path: Path) -> None:
        """A record sent live, and again from history with another corrected time, is there once: its first copy."""
        live = [position(1, 0), position(2, 10), position(3, 20)]
        history = [position(1, 1, received_at=later(86_400)), position(2, 9, received_at=later(86_400))]
        store = self.open(tmp_path)
        store.append(live, [])
        store.append(history, [])
        found = store.series("p12", *EVER, 10)
        first_two = store.series("p12", *EVER, 2)
        store.close()
        assert [live[0], history[1], live[2]] == found
        assert found[:2] == first_two

    def test_inputs_are_by_unit_or_device_and_by_name(self, tmp_path: Path) -> None:
        """Another unit's, another device's and another name's readings are left out, and copies are dropped."""
        rows = [
            reading(1, 0),
            reading(2, 1, value=0.0),
            reading(3, 2, name="doors"),
            reading(1, 3, device="d2"),
            reading(4, 4, unit="p99"),
            reading(5, 5, value=None, quality="stale"),
        ]
        store = self.open(tmp_path)
        store.append([position(6, 9)], rows)
        store.append([], rows[:2])
        of_unit = store.inputs_of_unit("p12", "ignition", *EVER, 10)
        of_device = store.inputs_of_device("d1", "ignition", *EVER, 10)
        first_two = store.inputs_of_device("d1", "ignition", *EVER, 2)
        store.close()
        assert [rows[0], rows[1], rows[3], rows[5]] == of_unit
        assert [rows[0], rows[1], rows[4], rows[5]] == of_device
        assert rows[:2] == first_two

    def test_latest_gives_the_last_place_of_a_device_without_a_fix(self, tmp_path: Path) -> None:
        """A device that lost its fix has two rows, one that never had any has one, and history moves neither."""
        store = self.open(tmp_path)
        store.append([position(1, 0), position(2, 10), no_fix(3, 20), no_fix(4, 30)], [])
        store.append([no_fix(1, 5, device="d2"), position(1, 7, device="d3")], [])
        store.append([position(0, -100, received_at=later(40))], [])
        latest = store.latest()
        store.close()
        assert [no_fix(4, 30), position(2, 10), no_fix(1, 5, device="d2"), position(1, 7, device="d3")] == latest

    def test_what_was_received_before_a_day_can_be_dropped(self, tmp_path: Path) -> None:
        """The day itself and later ones stay, a record of long ago that arrived late among them."""
        day_s = 86_400
        kept = [position(3, day_s), position(4, 2 * day_s), position(5, 1, received_at=later(2 * day_s))]
        store = self.open(tmp_path)
        for row in [position(1, 0), position(2, 60), *kept]:
            store.append([row], [reading(row.seq + 10, 0, received_at=row.received_at)])
        store.drop_before(date(2026, 11, 2))
        found = store.series("p12", *EVER, 10)
        readings = store.inputs_of_unit("p12", "ignition", *EVER, 10)
        store.append([position(6, 2 * day_s + 1)], [])
        again = store.series("p12", later(2 * day_s + 1), EVER[1], 10)
        store.close()
        assert [kept[2], kept[0], kept[1]] == found
        assert [13, 14, 15] == [row.seq for row in readings]
        assert [position(6, 2 * day_s + 1)] == again

    def test_what_some_sent_on_a_day_can_be_forgotten(self, tmp_path: Path) -> None:
        """Of that day and of these alone: of what has no unit the device tells. It is gone from the disk."""
        day_s, mine = 86_400, {"device": "dev-mine", "unit": None}
        rows = [position(1, 0), position(2, 0, unit="p99", device="d9"), position(3, 0, **mine), position(4, day_s)]
        readings = [reading(11, 0), reading(12, 0, **mine), reading(13, day_s)]
        store = self.open(tmp_path)
        for row in rows:
            store.append([row], [one for one in readings if (one.seq, row.seq) in ((11, 1), (12, 3), (13, 4))])
        assert [date(2026, 11, 1), date(2026, 11, 2)] == store.days()
        mine_alone = Owned(devices=frozenset({"dev-mine", "d9"}))
        assert 1 == store.forget(date(2026, 11, 1), mine_alone, Owned())
        assert 2 == len(store.series("p12", *EVER, 9))
        assert [rows[1]] == store.series("p99", *EVER, 9)
        asked = (Owned(units=frozenset({"p12"})), Owned(units=frozenset({"p12"}), devices=frozenset({"dev-mine"})))
        assert 3 == store.forget(date(2026, 11, 1), *asked)
        assert 0 == store.forget(date(2026, 11, 1), *asked)
        store.close()
        assert not any(b"dev-mine" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        store = self.open(tmp_path)
        assert [rows[3]] == store.series("p12", *EVER, 9)
        assert [13] == [one.seq for one in store.inputs_of_unit("p12", "ignition", *EVER, 9)]
        assert [] == store.inputs_of_device("dev-mine", "ignition", *EVER, 9)
        store.close()

    def test_readers_see_whole_appends_while_one_writes(self, tmp_path: Path) -> None:
        """Two threads read while a third appends across midnight: never part of an append, never an error."""
        store = self.open(tmp_path)
        store.append([position(0, 43_000)], [reading(0, 43_000)])

        def write() -> None:
            for step in range(1, 41):
                made = 43_100 + step * 5
                rows = [position(step * 10 + place, made) for place in range(10)]
                store.append(rows, [reading(step * 10 + place, made) for place in range(10)])

        def read() -> int:
            sizes = [len(store.series("p12", *EVER, 1_000)), len(store.inputs_of_unit("p12", "ignition", *EVER, 1_000))]
            assert [1, 1] == [size % 10 for size in sizes]
            assert store.latest()[0].seq % 10 in (0, 9)
            return sizes[0]

        with ThreadPoolExecutor(3) as threads:
            writing = threads.submit(write)
            while not writing.done():
                for reader in [threads.submit(read), threads.submit(read)]:
                    reader.result()
            writing.result()
        assert 401 == read()
        store.close()
