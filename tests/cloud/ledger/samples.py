"""Rows as a device's work would make them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cloud.ledger import Commit, EventRow, Gap, Ledger, Refused, Watermark

NOON = datetime(2026, 11, 1, 12, 0, 0, 123_456, tzinfo=UTC)


def url_of(path: Path) -> str:
    """The URL of a ledger in a file."""
    return f"sqlite:///{path}"


def open_in(folder: Path) -> Ledger:
    """A ledger in a folder of its own."""
    return Ledger.open(url_of(folder / "ledger.db"))


def event(number: int, **changes: Any) -> EventRow:
    """A status press, whose id and sequence are `number`."""
    fields: dict[str, Any] = {
        "id": number,
        "device": "d1",
        "stream": "e1-abc",
        "queue": "status",
        "seq": number,
        "kind": "status",
        "unit": "p12",
        "mode": "live",
        "at": NOON,
        "received_at": NOON,
        "corrected_at": NOON,
        "proven": True,
        "prev": None,
        "body": b'{"kind":"status"}',
    }
    return EventRow(**fields | changes)


def watermark(through: int, **changes: Any) -> Watermark:
    """Where the device's status queue has got to."""
    fields: dict[str, Any] = {
        "device": "d1",
        "stream": "e1-abc",
        "queue": "status",
        "ordinal": 1,
        "through": through,
        "digest": through.to_bytes(32, "big"),
        "corrected_at": NOON,
    }
    return Watermark(**fields | changes)


def refused(**changes: Any) -> Refused:
    """A whole message that made no sense."""
    fields: dict[str, Any] = {"received_at": NOON, "topic": "wr/1/up/o/d1/status", "reason": "not JSON", "body": b"x"}
    return Refused(**fields | changes)


def gap(first_seq: int, last_seq: int) -> Gap:
    """Sequences that the device no longer held."""
    return Gap(
        device="d1",
        stream="e1-abc",
        queue="status",
        first_seq=first_seq,
        last_seq=last_seq,
        recorded_at=NOON,
        reason="below first_held",
    )


def press(number: int, prev: int | None) -> Commit:
    """One press, committed as ingest does: the event, its watermark, the unit's head and tail."""
    return Commit(
        events=[event(number, prev=prev)],
        watermarks=[watermark(number)],
        heads=[("p12", "d1", number)],
        tails=[("p12", number)],
    )
