"""What the processes before this one kept, as far as a recorder has to know of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from cloud.ledger import BoardRow
from cloud.memory.instants import encode_us
from cloud.telemetry import Frames, Span

_EVER = datetime.max.replace(tzinfo=UTC)


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What was kept before."""

    units: tuple[str, ...] = ()
    """Those that the board log says are on the board. Who is not, as the next process begins, went meanwhile."""
    ahead: tuple[Span, ...] = ()
    """Times that are still to come, and were shown already: the clock was ahead."""


NOTHING = Before()
"""As before the first process."""


def find_before(board_at: Callable[[datetime], Sequence[BoardRow]], frames: Frames, now: datetime) -> Before:
    """Look into the stores of a process that starts. Blocks; raises what they raise."""
    now_us = encode_us(now)
    return Before(
        units=tuple(row.unit for row in board_at(_EVER) if row.kind == "record"),
        ahead=tuple(span for span in frames.spans(now.date()) if span.through_us >= now_us),
    )
