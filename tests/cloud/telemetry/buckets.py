"""Buckets of a real InfluxDB: one for each folder of a test, through the store and past it."""

import hashlib
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from cloud.config import InfluxAddress
from cloud.telemetry.influx import InfluxTelemetry
from tests.cloud.telemetry.influxd import Influx


def address_of(influx: Influx, folder: Path) -> InfluxAddress:
    """A bucket of that folder's own."""
    bucket = "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:20]
    return InfluxAddress(url=influx.url, bucket=bucket)


@contextmanager
def opened(influx: Influx, folder: Path) -> Iterator[InfluxTelemetry]:
    """That folder's store."""
    one = InfluxTelemetry.open(address_of(influx, folder))
    try:
        yield one
    finally:
        one.close()


def ask(influx: Influx, folder: Path, statement: str) -> Any:
    """Ask the database itself, past the store."""
    asked = {"q": statement, "db": address_of(influx, folder).bucket, "epoch": "ns"}
    body = urllib.parse.urlencode(asked).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{influx.http_port}/query", body, timeout=10) as answer:
        return msgspec.json.decode(answer.read())["results"][0].get("series", [])


def points(influx: Influx, folder: Path) -> int:
    """How many positions the database itself has."""
    found = ask(influx, folder, 'SELECT count("seq") FROM "position"')
    return int(found[0]["values"][0][1]) if found else 0
