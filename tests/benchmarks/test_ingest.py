"""The load of `benchmarks.ingest` speaks as a device does, and what it counts is in the ledger."""

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.ingest_load import Sender, _Ended
from cloud.ingest.packets import Splitter
from tests.programs import require_program
from wire import codec
from wire.digest import extend, genesis
from wire.events import Queue
from wire.messages import Birth, Envelope, Heartbeat
from wire.topics import parse_up

AT = b"2026-11-01T12:00:00.123456Z"


def decoded(packet: bytes) -> Any:
    """The message in a packet, which must be of the contract, and its topic too."""
    splitter = Splitter()
    splitter.feed(packet)
    (published,) = splitter.take(2).published
    assert parse_up(published.topic.decode()) is not None
    message = codec.decode_up(published.payload)
    assert codec.encode(message) == published.payload  # type: ignore[arg-type]
    return message


@pytest.mark.parametrize(("queue", "events"), [("status", 1), ("status", 20), ("track", 20)])
def test_envelopes_are_a_devices_own(queue: Queue, events: int) -> None:
    """Each envelope is byte for byte what the codec writes, begins where the last one ended, and chains its digest."""
    sender = Sender(7, queue, events, "bench")
    chain = genesis(sender.stream, queue)
    for round_number in range(3):
        envelope = decoded(sender.next(AT))
        assert isinstance(envelope, Envelope)
        assert (envelope.first_held, len(envelope.events)) == (1 + round_number * events, events)
        assert envelope.base_digest == chain.hex()
        for raw in envelope.events:
            event = codec.decode_event(bytes(raw))
            assert codec.encode(event) == bytes(raw)  # type: ignore[arg-type]
            chain = extend(chain, bytes(raw))


def test_a_device_is_born_and_echoes() -> None:
    """The first two messages are a birth, and a heartbeat that echoes the answer to it."""
    sender = Sender(7, "status", 1, "bench")
    at = codec.decode_event(sender._event(1, AT, 5)).at  # type: ignore[union-attr]
    assert isinstance(decoded(sender.birth(at)), Birth)
    heartbeat = decoded(sender.heartbeat(at, "77-1"))
    assert isinstance(heartbeat, Heartbeat) and heartbeat.echo is not None and heartbeat.echo.id == "77-1"


def test_a_settle_counts_only_with_the_devices_digest() -> None:
    """An older settle is not counted, and one whose digest is another's ends the benchmark."""
    sender = Sender(7, "status", 1, "bench")
    envelope = decoded(sender.next(AT))
    digest = extend(genesis(sender.stream, "status"), bytes(envelope.events[0])).hex()
    assert not sender.is_settled(_Ended(0, "0" * 64))
    assert sender.is_settled(_Ended(1, digest))
    with pytest.raises(SystemExit):
        sender.is_settled(_Ended(1, "0" * 64))


def test_the_benchmark_runs() -> None:
    """On a small ledger it settles statuses, finds them in the ledger, and says what it used."""
    require_program("mosquitto")
    command = [sys.executable, "-m", "benchmarks.ingest", "--seconds", "0.5", "--devices", "20", "--events", "200"]
    done = subprocess.run([*command, "--broker", "mosquitto", "--only", "single"], capture_output=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["single_per_s"] > 0 and found["us_per_single"] > 0
    assert set(found["single_cores"]) == {"ingest", "broker", "load"}
