"""The events of a turnout as the device drafts them: everything but the sequence, which the outbox gives out."""

from collections.abc import Sequence

from edge_agent.state.events import Stamp
from edge_agent.station.words import Journaled, TellAcknowledged, TellAlarm
from wire.events import AcknowledgeEvent, AlarmEvent, ReceiptEvent, TurnoutEvent

REASON_MAX = 64
STEPS_MAX = 32
"""Steps that a receipt names: what the wire allows."""


def receipt_event(stamp: Stamp, row: Journaled, nonce: str = "", *, seq: int) -> ReceiptEvent:
    """Make the receipt of a row of the journal; `nonce` is for a refusal as stale alone."""
    return ReceiptEvent(
        **stamp.at_seq(seq),
        order=row.order,
        revision=row.revision,
        step=row.step,
        outcome=row.outcome,
        reason=row.reason[:REASON_MAX],
        elapsed_ms=row.elapsed_ms,
        nonce=nonce,
        steps=list(row.call.planned[:STEPS_MAX]) if row.outcome == "accepted" and row.call is not None else [],
    )


def acknowledge_event(stamp: Stamp, told: TellAcknowledged, *, seq: int) -> AcknowledgeEvent:
    """Make the event of a person's acknowledgement."""
    return AcknowledgeEvent(
        **stamp.at_seq(seq),
        order=told.order,
        revision=told.revision,
        by=told.by,
        unit=told.unit,
    )


def alarm_event(stamp: Stamp, alarm: TellAlarm, *, seq: int) -> AlarmEvent:
    """Make the event of an alarm that rose or was cleared."""
    return AlarmEvent(
        **stamp.at_seq(seq),
        name=alarm.name,
        raised=alarm.raised,
        part=alarm.part,
        text=alarm.text,
    )


def turnout_event(stamp: Stamp, order: str, units: Sequence[str], text: str, *, seq: int) -> TurnoutEvent:
    """Make the event of a turnout by hand."""
    return TurnoutEvent(
        **stamp.at_seq(seq),
        order=order,
        units=list(units),
        text=text,
    )
