"""What is as long as its limits allow fits what carries it: no press, receipt or order is refused for its length."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from edge_agent.outbox import file
from tests.wire import samples
from wire import codec
from wire.events import (
    EVENT_BYTES_MAX,
    SEQ_MAX,
    AcknowledgeEvent,
    AlarmEvent,
    BindingEvent,
    CrewEvent,
    CrewPerson,
    DefectEvent,
    EmergencyEvent,
    Event,
    InputEvent,
    Origin,
    PositionEvent,
    ReceiptEvent,
    StatusEvent,
    TurnoutEvent,
)
from wire.messages import EVENTS_MAX, MESSAGE_BYTES_MAX, CalledUnit, Command, Envelope

AT = datetime(2026, 11, 22, 13, 37, 1, 123456, tzinfo=UTC)
CONTROL = "\x01"
"""Takes six bytes as JSON writes it: more than any other character."""
WIDE = "\U0001f692"
ORDER = "00000000-0000-4000-8000-000000000000"
COMMON: dict[str, Any] = {
    "seq": SEQ_MAX,
    "at": AT,
    "clock": "gnss",
    "boot": SEQ_MAX,
    "mono_ms": SEQ_MAX,
    "mode": "commissioning",
    "origin": Origin("s" * 80, SEQ_MAX),
}
STEP = "s" * 40 + ":" + "p" * 40
NUMBER = -1.2345678901234567e-100
MEASURES: dict[str, Any] = dict.fromkeys(("lat", "lon", "altitude_m"), NUMBER) | dict.fromkeys(
    ("speed_mps", "heading_deg", "accuracy_m"), -NUMBER
)
WORD, TEXT = CONTROL * 64, CONTROL * 500
PERSON = CrewPerson("r" * 32, ["s" * 16] * 8)
LONGEST: tuple[Event, ...] = (
    StatusEvent(**COMMON, unit="u" * 40, scheme="s" * 40, code=WORD, by="panel", remarks=TEXT),
    PositionEvent(**COMMON, fix="dead_reckoning", **MEASURES, satellites=255, gnss_time=AT),
    InputEvent(**COMMON, name=WORD, value=NUMBER),
    ReceiptEvent(
        **COMMON,
        order=ORDER,
        revision=2**31 - 1,
        step=STEP,
        outcome="accepted",
        reason=WORD,
        elapsed_ms=SEQ_MAX,
        nonce=WORD,
        steps=[STEP] * 32,
    ),
    AcknowledgeEvent(**COMMON, order=ORDER, revision=2**31 - 1, by="manual_input", unit="u" * 40),
    TurnoutEvent(**COMMON, order=ORDER, units=["u" * 40] * 20, text=CONTROL * 300),
    CrewEvent(
        **COMMON,
        unit="u" * 40,
        on=False,
        riders=99,
        persons=[PERSON] * 12,
        driver=CONTROL * 32,
        commander=CONTROL * 32,
        until=AT,
    ),
    DefectEvent(**COMMON, unit="u" * 40, what=WORD, off_the_run=False, raised=False, text=TEXT),
    BindingEvent(**COMMON, callsign=CONTROL * 80, vehicle=CONTROL * 40, base=CONTROL * 40, on=False),
    AlarmEvent(**COMMON, name=WORD, raised=False, part=CONTROL * 40, text=TEXT),
    EmergencyEvent(**COMMON, unit="u" * 40),
)
"""Of each kind the event that takes the most bytes."""


def test_every_kind_of_event_is_measured() -> None:
    """The limits below hold for every event that there is: none was forgotten."""
    assert [type(event) for event in LONGEST] == list(samples.EVENTS)
    assert set(samples.EVENTS) == set(get_args(Event))


@pytest.mark.parametrize("event", LONGEST, ids=lambda event: type(event).__name__)
def test_no_event_within_its_limits_is_too_large(event: Event) -> None:
    """The longest event that a device can make is below the limit in bytes: no press is refused for its length."""
    raw = codec.encode(event)
    assert len(raw) <= EVENT_BYTES_MAX
    assert codec.decode_event(raw) == event


def test_the_outbox_leaves_room_for_the_envelope() -> None:
    """A batch filled to its limit, in the longest envelope that there can be, is within the limit of a message."""
    around = len(codec.encode(samples.envelope([b"{}"]))) - len(b"{}")
    assert around + file.BATCH_BYTES_MAX <= MESSAGE_BYTES_MAX


@pytest.mark.parametrize("remarks", ["r" * 500, "ā" * 500, "\U0001f692" * 500, "\x01" * 500])
def test_a_batch_of_the_longest_presses_fits_one_message(tmp_path: Path, remarks: str) -> None:
    """Twenty presses with full remarks are cut to a batch that decodes, in order and with at least one event."""
    press = msgspec.structs.replace(LONGEST[0], code="6", remarks=remarks)
    outbox = file.OutboxFile(tmp_path / "outbox", "e" * 20)
    try:
        drafts = [lambda seq: msgspec.structs.replace(press, seq=seq)] * EVENTS_MAX
        stored = outbox.append("status", drafts)
        batch = outbox.batch("status", EVENTS_MAX)
    finally:
        outbox.close()
    assert batch is not None and 1 < len(batch.events) < EVENTS_MAX
    decoded = codec.decode_up(codec.encode(samples.envelope(list(batch.events))))
    assert isinstance(decoded, Envelope)
    events = [codec.decode_event(bytes(raw)) for raw in decoded.events]
    assert events == [one.event for one in stored[: len(events)]]


@pytest.mark.parametrize("character", ["a", "ā", WIDE])
def test_the_longest_order_fits_one_message(character: str) -> None:
    """Twenty units and every text full, in any characters that people write: a device takes the command."""
    word, text = character * 64, character * 500
    command = Command(
        v=1,
        owner_term=SEQ_MAX,
        order=ORDER,
        revision=2**31 - 1,
        action="standby_move",
        nonce=word,
        expires_ms=86_400_000,
        issued_at=AT,
        mode="commissioning",
        priority="routine",
        units=[CalledUnit(unit="u" * 40, callsign=word, service="ambulance")] * 20,
        incident=word,
        address=text,
        grid_reference=word,
        text=text,
        open_doors=True,
        signature="s" * 200,
    )
    assert codec.decode_down(codec.encode(command)) == command
