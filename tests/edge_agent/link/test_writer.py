"""What the device writes is within the contract, whatever there is to say."""

from datetime import UTC, datetime

import msgspec
import pytest

from edge_agent.link.writer import (
    Description,
    Sending,
    write_birth,
    write_heartbeat,
)
from edge_agent.outbox import Depth, Held
from edge_agent.state.health import PARTS, look
from tests.edge_agent.state.unwell import BROKEN, CUT_OFF, NOW
from wire import codec
from wire.events import SEQ_MAX
from wire.findings import FINDINGS_MAX, TEXT_MAX, Finding, fail, well
from wire.messages import MESSAGE_BYTES_MAX, Birth, CurrentStatus, Heartbeat

SENDING = Sending(
    device="d" * 40,
    boot=SEQ_MAX,
    conn=SEQ_MAX,
    mono_s=9e15,
    utc=datetime(2026, 11, 3, 12, tzinfo=UTC),
    stream="s" * 80,
)


def held(*, oldest: tuple[int, int] | None = None, units: int = 25) -> Held:
    """An outbox of which everything is as long as it can be."""
    current = [CurrentStatus(f"{number:040}", "s" * 80, SEQ_MAX, "x" * 40, '"' * 64) for number in range(units)]
    return Held(
        stream="s" * 80,
        predecessor="p" * 80,
        boot=SEQ_MAX,
        last_status=SEQ_MAX,
        last_track=SEQ_MAX,
        depth=Depth(SEQ_MAX, SEQ_MAX, oldest),
        current=current,
        disk_free_mib=SEQ_MAX,
    )


@pytest.mark.parametrize("character", ["x", "ü", "\U0001f692", "\x00"])
def test_a_birth_and_a_heartbeat_with_everything_full_are_within_16_kib(character: str) -> None:
    """More units and faults than fit are left out, so that the cloud takes the message; the first fault stays.

    Of the findings every part's verdict stays, however long the words are.
    """
    about = Description(
        interval_s=20.0,
        clock="none",
        faults=(character * 1_000,) * 40,
        health=(fail("p" * 12, character * 500, character * 500),) * 15,
        position=(SEQ_MAX, SEQ_MAX),
        software="w" * 64,
        config_hash="c" * 64,
    )
    for write, kind in ((write_birth, Birth), (write_heartbeat, Heartbeat)):
        payload = write(SENDING, held(), about, ("i" * 64, SEQ_MAX))
        assert len(payload) <= MESSAGE_BYTES_MAX
        message = codec.decode_up(payload)
        assert isinstance(message, kind) and isinstance(message, Birth | Heartbeat)
        assert len(message.current) == 20 and message.faults[0].startswith(character)
        assert [one.level for one in message.health or ()] == ["fail"] * FINDINGS_MAX
        assert all(one.found.startswith(character) and one.do.startswith(character) for one in message.health or ())


def health_of(*findings: Finding) -> list[Finding]:
    """The findings that a heartbeat carries."""
    about = Description(
        interval_s=1.0, clock="none", faults=(), health=findings, position=None, software="w", config_hash="c"
    )
    message = codec.decode_up(write_heartbeat(SENDING, held(units=0), about, None))
    assert isinstance(message, Heartbeat)
    return message.health or []


def test_what_is_in_order_costs_a_few_bytes_and_what_is_not_keeps_its_words() -> None:
    """Of a part in order the verdict alone is sent; a vehicle that is well takes no more than 200 bytes for all."""
    amiss = fail("link", "x" * TEXT_MAX, "y" * TEXT_MAX)
    assert health_of(well("disk", "has room"), amiss) == [
        Finding(check="disk", level="ok"),
        amiss,
    ]
    told = health_of(*(well(part, "is in order") for part in PARTS))
    assert len(b'"health":,' + msgspec.json.encode(told)) <= 200


@pytest.mark.parametrize(("oldest", "age_ms"), [(None, 0), ((7, 4_000), 6_000), ((6, 4_000), 10_000), ((7, 11_000), 0)])
def test_the_oldest_status_is_as_old_as_can_be_proven(oldest: tuple[int, int] | None, age_ms: int) -> None:
    """Of this boot, by its clock; of an earlier one, as old as this boot at least; never from the future."""
    about = Description(interval_s=1.0, clock="none", faults=(), position=None, software="w", config_hash="c")
    sending = Sending(device="d", boot=7, conn=1, mono_s=10.0, utc=SENDING.utc, stream="s")
    message = codec.decode_up(write_heartbeat(sending, held(oldest=oldest, units=0), about, None))
    assert isinstance(message, Heartbeat) and message.outbox.oldest_status_ms == age_ms


def test_with_everything_broken_the_words_arrive_whole_and_what_is_cut_says_so() -> None:
    """Every part's words are those of the Faults tab; where they are more than a message takes, an ellipsis tells."""
    broken = look(BROKEN, CUT_OFF, NOW)
    assert list(broken) == health_of(*broken)
    told = health_of(*(fail(f"p{number}", "x" * TEXT_MAX, "y" * TEXT_MAX) for number in range(FINDINGS_MAX)))
    assert all(one.found.endswith("x…") and one.do.endswith("y…") for one in told)
