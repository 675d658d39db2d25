"""InfluxDB held to the port: a real 1.6.7 behind a real nginx, and, where INFLUX_URL names one, any other."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from math import inf, nan
from pathlib import Path

import pytest

from cloud.config import InfluxAddress
from cloud.errors import Retryable
from cloud.telemetry import Owned, Telemetry
from cloud.telemetry import influxlines as lines
from cloud.telemetry.influx import InfluxTelemetry
from tests.cloud.telemetry.buckets import address_of, opened, points
from tests.cloud.telemetry.conformance import TelemetryConformance
from tests.cloud.telemetry.influxd import Influx, running_influx
from tests.cloud.telemetry.samples import EVER, NOON, later, no_fix, position, reading

FIRST = date(2026, 11, 1)


class TestInflux(TelemetryConformance):
    """The port's promises, on InfluxDB 1.6.7."""

    @pytest.fixture(autouse=True)
    def _take(self, influx: Influx) -> None:
        self.influx = influx

    def open(self, folder: Path) -> Telemetry:
        """A bucket of that folder's own."""
        return InfluxTelemetry.open(address_of(self.influx, folder))


@pytest.mark.skipif("INFLUX_URL" not in os.environ, reason="INFLUX_URL is unset: no other InfluxDB to test with")
class TestNamedInflux(TelemetryConformance):
    """The same on the server that INFLUX_URL names, in the bucket INFLUX_BUCKET, which it empties."""

    @pytest.fixture(autouse=True)
    def _begin(self) -> None:
        self.known: set[Path] = set()

    def open(self, folder: Path) -> Telemetry:
        """The one bucket, empty where the folder is another."""
        token = os.environ.get("INFLUX_TOKEN_FILE")
        store = InfluxTelemetry.open(
            InfluxAddress(
                url=os.environ["INFLUX_URL"].rstrip("/"),
                bucket=os.environ.get("INFLUX_BUCKET", "watchroom-test"),
                org=os.environ.get("INFLUX_ORG", ""),
                token_file=Path(token) if token else None,
            )
        )
        if folder not in self.known:
            store.drop_before(date.max)
        self.known.add(folder)
        return store


# How rows become points.


def test_rows_of_one_moment_stay_apart(store: InfluxTelemetry) -> None:
    """Where the corrected time stood still for hours, no row overwrites another, and a page may end amid them."""
    rows = [position(seq, 0, received_at=later(seq // 20)) for seq in range(1, 12_001)]
    store.append(rows, [])
    assert rows == store.series("p12", *EVER, 20_000)
    assert rows[:10_001] == store.series("p12", *EVER, 10_001)
    assert [rows[-1]] == store.latest()


def test_of_two_copies_the_first_is_read_whichever_was_written_last(store: InfluxTelemetry) -> None:
    """A record that came live, and again from history with the same time, does not overwrite itself."""
    history, live = position(1, 0, received_at=later(60.7)), position(1, 0, received_at=later(0.2))
    store.append([live], [])
    store.append([history], [])
    assert [live] == store.series("p12", *EVER, 9) == store.latest()


def test_what_lies_outside_the_years_of_influxdb_is_kept(store: InfluxTelemetry) -> None:
    """Rows of a time that it can't name are found by that time, and hold nothing up."""
    early, late = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)
    rows = [position(1, 0, corrected_at=early, at=early), position(2, 0), position(3, 0, corrected_at=late, at=late)]
    store.append(rows, [])
    assert rows == store.series("p12", early, late + timedelta(minutes=1), 9)
    assert [rows[0]] == store.series("p12", early, early + timedelta(seconds=1), 9)
    assert [rows[2]] == store.series("p12", late, late + timedelta(seconds=1), 9)
    assert [rows[2]] == store.latest()


def test_a_number_that_is_none_is_left_out(store: InfluxTelemetry) -> None:
    """NaN and the infinities, which it refuses, come back as nothing; the rest of the row stands."""
    store.append([position(1, 0, speed_mps=nan, altitude_m=inf, accuracy_m=-inf)], [reading(2, 0, value=nan)])
    assert [position(1, 0, speed_mps=None)] == store.series("p12", *EVER, 9)
    assert [reading(2, 0, value=None)] == store.inputs_of_unit("p12", "ignition", *EVER, 9)


def test_the_newest_is_found_among_many_of_its_moment(store: InfluxTelemetry) -> None:
    """Of rows within a tenth of a second the last by time is the newest, though its sequence's low bits are small."""
    low = 1 << lines.SEQ_BITS
    rows = [position(low - 6 + n, n / 1000, received_at=later(5)) for n in range(12)]
    store.append(rows, [])
    store.append([no_fix(low + 50, 1.0, device="d2"), position(low - 1, 0.95, device="d2")], [])
    assert [rows[-1], no_fix(low + 50, 1.0, device="d2"), position(low - 1, 0.95, device="d2")] == store.latest()


# What an append that is not over shows.


def test_readers_see_whole_appends_though_they_go_in_parts(
    store: InfluxTelemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append of several requests and many series is shown whole or not at all."""
    monkeypatch.setattr(lines, "BODY_BYTES_MAX", 1_000)

    def write() -> None:
        for step in range(15):
            store.append([position(step * 10 + n, step * 60, device=f"d{n}") for n in range(10)], [])

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        while not writing.done():
            assert 0 == len(store.series("p12", *EVER, 1_000)) % 10
            assert 1 >= len({row.corrected_at for row in store.latest()})
        writing.result()
    assert 150 == len(store.series("p12", *EVER, 1_000))


def test_part_of_an_append_is_not_shown_until_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a server stored some of an append and refused the rest, readers have none of it until it succeeds."""
    monkeypatch.setattr(lines, "BODY_BYTES_MAX", 100)
    with running_influx(tmp_path / "influx", web="max-body-size = 2000") as influx, opened(influx, tmp_path) as store:
        store.append([position(1, 0)], [])
        part = [position(2, 10), no_fix(3, 20)]
        for _ in range(2):
            with pytest.raises(Retryable, match="413"):
                store.append([*part, position(4, 30, stream="s" * 2_000)], [reading(5, 0)])
            assert 3 == points(influx, tmp_path)
            assert [position(1, 0)] == store.series("p12", *EVER, 9) == store.latest()
            assert 0 == store.forget(FIRST, Owned(units=frozenset({"p12"})), Owned())
        store.append(part, [])
        assert [position(1, 0), *part] == store.series("p12", *EVER, 9)
        assert part[::-1] == store.latest()


# What goes.


@pytest.mark.parametrize("index", ["inmem", "tsi1"])
def test_either_index_forgets(index: str, tmp_path: Path) -> None:
    """With either of InfluxDB's indexes what was dropped or forgotten is gone from reads and from the list of days."""
    with running_influx(tmp_path / "influx", data=f'index-version = "{index}"') as influx:
        suite = TestInflux()
        suite.influx = influx
        suite.test_what_was_received_before_a_day_can_be_dropped(tmp_path / "dropped")
        suite.test_what_some_sent_on_a_day_can_be_forgotten(tmp_path / "forgotten")
        with opened(influx, tmp_path / "gone") as store:
            store.append([position(1, 0), position(2, 86_400)], [reading(3, 0)])
            store.drop_before(date(2026, 11, 2))
            assert [date(2026, 11, 2)] == store.days()


def test_many_can_be_forgotten_at_once(store: InfluxTelemetry) -> None:
    """More units and devices than fit into one statement."""
    rows = [position(n, n, unit=f"u{n}", device=f"d{n}") for n in range(250)]
    loose = [position(n, n, unit=None, device=f"d{n}") for n in range(250)]
    store.append([*rows, *loose, position(1, 0, device="d900")], [])
    everybody = Owned(frozenset(f"u{n}" for n in range(250)), frozenset(f"d{n}" for n in range(250)))
    assert 500 == store.forget(FIRST, everybody, everybody)
    assert [position(1, 0, device="d900")] == store.latest()
    assert NOON.date() == FIRST and [FIRST] == store.days()
