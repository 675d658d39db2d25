"""What a vehicle declared of a unit between its claim and control's word, read again for the order it is on."""

from datetime import datetime
from typing import NamedTuple

from cloud.ledger import EventRow, Ledger
from wire import codec
from wire.events import StatusEvent

ROWS_MAX = 50
"""How far back in a unit's events it is looked for: a claim that waited for long is not worth more."""


class Recalled(NamedTuple):
    """A status that counts now, and was history when it was stored."""

    device: str
    row: EventRow
    event: StatusEvent
    live: bool = False


def recall(ledger: Ledger, unit: str, device: str, since: datetime) -> list[Recalled]:
    """Read what a device has declared of a unit since a moment, oldest first. Blocks; raises what the ledger does."""
    found = [
        Recalled(device, row, event)
        for row in ledger.events_of(unit, None, ROWS_MAX)
        if row.device == device and row.corrected_at >= since
        if isinstance(event := codec.decode_event(row.body), StatusEvent)
    ]
    return found[::-1]
