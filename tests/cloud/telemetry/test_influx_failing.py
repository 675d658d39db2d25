"""What the InfluxDB adapter has to stand: an InfluxDB that dies, fills up, hangs or is another than was meant."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloud.config import InfluxAddress
from cloud.doctor.influx import look_at_influx
from cloud.errors import Fatal, Retryable
from cloud.telemetry import influxlink as link
from cloud.telemetry.influx import InfluxTelemetry
from tests.cloud.ledger.small_disk import fill, small_disk
from tests.cloud.telemetry.buckets import address_of, ask, opened
from tests.cloud.telemetry.influxd import Influx, running_influx
from tests.cloud.telemetry.samples import EVER, position, reading
from tests.ports import free_port
from tests.waiting import wait_until

SLACK_S = 2.0
"""What a busy machine may add to a deadline."""


def test_killed_amid_appends_it_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    """It is killed while appends run: every append that returned is there, and the one that raised goes in again."""
    with running_influx(tmp_path / "influx") as influx, opened(influx, tmp_path) as store:
        stored: list[int] = []

        def batch(number: int) -> list[Any]:
            return [position(number * 2_000 + n, number * 300 + n / 10, device=f"d{n % 7}") for n in range(2_000)]

        def write() -> int:
            while True:
                try:
                    store.append(batch(len(stored)), [])
                except Retryable:
                    return len(stored)
                stored.append(len(stored))

        with ThreadPoolExecutor(1) as threads:
            writing = threads.submit(write)
            wait_until(lambda: len(stored) >= 3, what="some appends")
            influx.kill()
            failed = writing.result()
        for asking in (store.latest, lambda: store.append(batch(failed), [])):
            with pytest.raises(Retryable, match="502"):
                asking()
        influx.start()
        expected = [row for number in range(failed) for row in batch(number)]
        assert expected == store.series("p12", *EVER, len(expected) + 10)
        store.append(batch(failed), [])
        assert [*expected, *batch(failed)] == store.series("p12", *EVER, len(expected) + 3_000)


def test_a_full_disk_is_retryable_and_heals(tmp_path: Path) -> None:
    """What does not fit raises and shows nothing; with room again it goes in as it is, and nothing else was lost.

    InfluxDB 1.6 has to be started again for that: its log goes on failing once it could not be written.
    """
    with small_disk(tmp_path / "disk", 24_000) as disk, running_influx(tmp_path / "influx", store=disk) as influx:
        with opened(influx, tmp_path) as store:
            store.append([position(1, 0)], [reading(2, 0)])
            filler = fill(disk, leave_bytes=64 * 1024)
            rows = [position(n, n, stream=f"s-{n * 7919 % 10}", altitude_m=n / 7) for n in range(10, 5_010)]
            for _ in range(2):
                with pytest.raises(Retryable):
                    store.append(rows, [])
            assert [position(1, 0)] == store.series("p12", *EVER, 9_000)
            filler.unlink()
            influx.kill()
            influx.start()
            assert [position(1, 0)] == store.series("p12", *EVER, 9_000)
            store.append(rows, [])
            assert [position(1, 0), *rows] == store.series("p12", *EVER, 9_000)
            assert [reading(2, 0)] == store.inputs_of_unit("p12", "ignition", *EVER, 9)


def test_a_server_that_is_away_at_the_start_is_made_ready_later(tmp_path: Path) -> None:
    """Opening does not fail for it: every call raises until it is there, then its bucket is made and all is well."""
    influx = Influx(tmp_path / "influx")
    try:
        with opened(influx, tmp_path) as store:
            for call in (lambda: store.append([position(1, 0)], []), store.latest, store.days):
                with pytest.raises(Retryable, match="is away"):
                    call()
            influx.start()
            store.append([position(1, 0)], [])
            assert [position(1, 0)] == store.latest()
    finally:
        influx.stop()


def test_a_bucket_that_was_removed_is_made_again(influx: Influx, store: InfluxTelemetry, tmp_path: Path) -> None:
    """The append that finds it gone raises, and goes in when it is tried again."""
    store.append([position(1, 0)], [])
    ask(influx, tmp_path, f'DROP DATABASE "{address_of(influx, tmp_path).bucket}"')
    with pytest.raises(Retryable, match="database not found"):
        store.append([position(2, 0)], [])
    store.append([position(2, 0)], [])
    assert [position(2, 0)] == store.series("p12", *EVER, 9)


# What the doctor says.


def test_the_doctor_looks_and_makes_nothing(influx: Influx, tmp_path: Path) -> None:
    """A bucket that is not there is named and not made; one that is there is told with its days."""
    address = address_of(influx, tmp_path)
    for _ in range(2):
        finding = look_at_influx(address)
        assert "warn" == finding.level and f"bucket {address.bucket}, is not there" in finding.found
    with opened(influx, tmp_path) as store:
        store.append([position(1, 0), position(2, 86_400)], [])
    finding = look_at_influx(address)
    assert ("telemetry", "ok") == (finding.check, finding.level)
    assert finding.found.endswith(f"bucket {address.bucket}: 2 days, 2026-11-01 to 2026-11-02")


def test_the_doctor_says_what_an_influxdb_would_not_do(influx: Influx, tmp_path: Path) -> None:
    """One that is away, one that lets rows go and a token's file that is not there are three different words."""
    address = address_of(influx, tmp_path)
    ask(influx, tmp_path, f'CREATE DATABASE "{address.bucket}" WITH DURATION 24h')
    away = InfluxAddress(url=f"http://127.0.0.1:{free_port()}")
    no_token = msgspec.structs.replace(address, token_file=tmp_path / "none")
    cases = ((address, "drops rows after 24h0m0s"), (away, "is away"), (no_token, "can't be read"))
    for asked, words in cases:
        finding = look_at_influx(asked)
        assert "fail" == finding.level and words in finding.found and finding.do, finding


# What hangs.


@contextmanager
def stuck(say: Callable[[socket.socket], None]) -> Iterator[InfluxAddress]:
    """A server that takes every connection and then does only what `say` does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with connections:
                while True:
                    try:
                        connection, _ = listener.accept()
                    except OSError:
                        return
                    connections.submit(say, connection)

        connections = ThreadPoolExecutor(8)
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield InfluxAddress(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def silence(connection: socket.socket) -> None:
    """Read, and never answer."""
    with connection:
        while connection.recv(65_536):
            pass


def drip(connection: socket.socket) -> None:
    """Answer a byte every now and then, for ever, so that no pause is ever long."""
    with connection:
        connection.settimeout(0.05)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                connection.sendall(b" ")
                try:
                    if not connection.recv(65_536):
                        return
                except TimeoutError:
                    continue
        except OSError:
            return


@pytest.mark.parametrize("say", [silence, drip])
def test_a_server_that_hangs_costs_a_bounded_time(
    say: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it says nothing or goes on for ever, each call is over by its deadline, and so is closing."""
    monkeypatch.setattr(link, "EXCHANGE_S", 0.4)
    with stuck(say) as address:
        store = InfluxTelemetry.open(address)
        for call in (lambda: store.append([position(1, 0)], []), store.latest, store.close):
            began_s = time.monotonic()
            if call != store.close:
                with pytest.raises(Retryable, match="is away"):
                    call()
            else:
                call()
            assert time.monotonic() - began_s < link.EXCHANGE_S + SLACK_S


# What is refused at the start.


def test_a_bucket_that_lets_rows_go_is_refused(influx: Influx, tmp_path: Path) -> None:
    """Rows that it drops by itself, or never takes because they are old, would be lost: a person must mend that."""
    bucket = address_of(influx, tmp_path).bucket
    ask(influx, tmp_path, f'CREATE DATABASE "{bucket}" WITH DURATION 24h')
    with pytest.raises(Fatal, match="drops rows after 24h0m0s: let it keep them for ever"):
        InfluxTelemetry.open(address_of(influx, tmp_path))


def test_a_server_that_lets_nobody_in_is_refused(tmp_path: Path) -> None:
    """A token that it does not take is one line at the start."""
    token = tmp_path / "token"
    token.write_text("nobody:nothing\n", encoding="utf-8")
    with running_influx(tmp_path / "influx", web="auth-enabled = true") as influx:
        address = msgspec.structs.replace(address_of(influx, tmp_path), token_file=token)
        with pytest.raises(Fatal, match=r"refuses \(40[13]\).*see to --telemetry, its token and its bucket"):
            InfluxTelemetry.open(address)


@pytest.mark.parametrize(
    ("content", "advice"), [(None, "put the token there"), (b"", "one line"), (b"a\nb", "one line")]
)
def test_a_token_that_cannot_be_read_is_refused(content: bytes | None, advice: str, tmp_path: Path) -> None:
    """One line that names the file."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Fatal, match=advice) as refusal:
        InfluxTelemetry.open(InfluxAddress(url=f"http://127.0.0.1:{free_port()}", token_file=file))
    assert str(file) in str(refusal.value)


def test_a_server_that_sends_only_so_many_rows_at_once_sends_all(tmp_path: Path) -> None:
    """Where it is told to cut answers short, which it does without a word, nothing is missing all the same."""
    with running_influx(tmp_path / "influx", web="max-row-limit = 5") as influx, opened(influx, tmp_path) as store:
        rows = [position(n, n, device=f"d{n}") for n in range(1, 18)]
        store.append(rows, [])
        assert rows == store.series("p12", *EVER, 100)
        assert sorted(rows, key=lambda row: row.device) == store.latest()
