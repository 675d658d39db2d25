"""What the journal keeps: a line for each step of an order's revision, with its times in both clocks. Pure."""

from collections.abc import Collection, Iterable

import msgspec

from edge_agent.station.words import Journaled
from edge_agent.turnout.nonces import NONCE_HOLDS_S
from wire.events import Outcome

FINAL: frozenset[Outcome] = frozenset({"done", "failed", "refused", "expired", "unknown"})
"""What a revision as a whole can end in."""
FORGET_AFTER_S = 7 * 86_400.0
LINES_MAX = 10_000

Key = tuple[str, int, str]


class Particulars(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a crew is told of an order, beside what the station does."""

    incident: str = ""
    address: str = ""
    grid_reference: str = ""
    text: str = ""
    by_hand: bool = False
    """Whether the station turned its units out itself."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of the journal, and when it was written: the two moments tie that boot's clock to the wall clock."""

    row: Journaled
    particulars: Particulars | None = None
    """Beside the call, on the line of the order as a whole."""
    told: bool = False
    """Whether its receipt is in the outbox."""
    boot: str
    """The id that the machine's kernel gave this boot."""
    written_s: float
    """By the monotonic clock of that boot."""
    written_at: float
    """By the wall clock, in Unix seconds."""

    @property
    def key(self) -> Key:
        """What there is one line of."""
        return key_of(self.row)


def key_of(row: Journaled) -> Key:
    """The order, the revision and the step of a row."""
    return row.order, row.revision, row.step


def is_final(row: Journaled) -> bool:
    """Tell whether a row ends its revision."""
    return not row.step and row.outcome in FINAL


def in_this_boot(lines: Iterable[Line], boot: str, now_s: float, now_at: float) -> list[Line]:
    """Bring the calls' moments into the count of this boot's clock.

    What another boot left of a call's time is what was left at its last line, less the wall time since: never more,
    for a wall clock that went back counts as no time gone by.
    """
    lines = list(lines)
    ends: dict[str, Line] = {}
    for line in lines:
        if line.boot != boot and line.written_s >= ends.get(line.boot, line).written_s:
            ends[line.boot] = line
    shifts = {other: now_s - max(0.0, now_at - last.written_at) - last.written_s for other, last in ends.items()}
    return [_shifted(line, shifts[line.boot]) if line.boot in shifts else line for line in lines]


def _shifted(line: Line, shift_s: float) -> Line:
    call = line.row.call
    if call is None:
        return line
    moved = msgspec.structs.replace(call, received_s=call.received_s + shift_s, expires_s=call.expires_s + shift_s)
    return msgspec.structs.replace(line, row=msgspec.structs.replace(line.row, call=moved))


def merged(old: Line | None, new: Line) -> Line:
    """Give the line that takes the place of another: what an order's later rows do not repeat is kept."""
    if old is None:
        return new
    row = new.row if new.row.call is not None else msgspec.structs.replace(new.row, call=old.row.call)
    return msgspec.structs.replace(new, row=row, particulars=new.particulars or old.particulars)


def forgettable(orders: Iterable[tuple[str, Collection[Line]]], *, boot: str, now_s: float, now_at: float) -> list[str]:
    """Name the ended orders that go: those of a week ago, and the oldest where there are too many lines.

    Never one that a command with a nonce that still holds could name again.
    """
    found = sorted((_newest_at(lines), order, len(lines)) for order, lines in orders if _is_over(lines, boot, now_s))
    excess = sum(len(lines) for _, lines in orders) - LINES_MAX
    gone = []
    for written_at, order, count in found:
        if excess > 0 or now_at - written_at > FORGET_AFTER_S:
            gone.append(order)
            excess -= count
    return gone


def _newest_at(lines: Collection[Line]) -> float:
    return max(line.written_at for line in lines)


def _is_over(lines: Collection[Line], boot: str, now_s: float) -> bool:
    revisions = {line.row.revision for line in lines}
    ended = {line.row.revision for line in lines if is_final(line.row)}
    newest_s = max((line.written_s for line in lines if line.boot == boot), default=None)
    return revisions == ended and (newest_s is None or now_s - newest_s > NONCE_HOLDS_S)
