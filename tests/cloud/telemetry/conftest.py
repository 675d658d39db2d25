"""An InfluxDB for the tests of a file, and a store on it for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.telemetry.influx import InfluxTelemetry
from tests.cloud.telemetry.buckets import opened
from tests.cloud.telemetry.influxd import Influx, running_influx


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """One for all tests that do not break it."""
    with running_influx(tmp_path_factory.mktemp("influx")) as running:
        yield running


@pytest.fixture
def store(influx: Influx, tmp_path: Path) -> Iterator[InfluxTelemetry]:
    """A store of the test's own on it."""
    with opened(influx, tmp_path) as one:
        yield one
