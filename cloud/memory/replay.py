"""The board as it was shown at a moment: the last row of each unit and its last frame by then, ages counted on."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from cloud.ledger import BoardRow
from cloud.memory.essence import Essence, restore
from cloud.memory.instants import decode_us, encode_us
from cloud.memory.rows import Began
from cloud.telemetry import Frames, Span
from wire.feed import FeedRecord

_decode = msgspec.json.Decoder(Essence).decode
_decode_began = msgspec.json.Decoder(Began).decode


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The board as a control room's client showed it at `at`, or why that is not known."""

    at: datetime
    known: bool
    problem: str | None = None
    """Why it is not known."""
    process: datetime | None = None
    """When the process started that showed it."""
    directory_version: str = ""
    """Of the directory that was in force."""
    forgotten: tuple[str, ...] = ()
    """Organisations that keep nothing so old: what was shown of their units is let go of, and is not among `units`."""
    units: tuple[FeedRecord, ...] = ()
    """By unit. Ages are as at `at`; the cursor, which belongs to a connection, is 0."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A time of which no board is known."""

    since: datetime
    until: datetime


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The time of which the board is known."""

    first: datetime | None
    """Null where nothing was kept yet."""
    last: datetime | None
    gaps: tuple[Gap, ...]


def replay(board_at: Callable[[datetime], Sequence[BoardRow]], frames: Frames, at: datetime) -> Replayed:
    """Give the board as it was shown at an aware moment. Blocks; raises what the stores raise."""
    at_us = encode_us(at)
    span = frames.span_at(at_us)
    if span is None:
        return Replayed(at=at, known=False, problem=_tell_gap(frames.spans(), at_us))
    rows = {row.unit: row for row in board_at(at)}
    newest = max((row.shown_at for row in rows.values()), default=None)
    began = rows.get("")
    if began is None or newest is None or encode_us(newest) < span.board_us:
        return Replayed(at=at, known=False, problem="the ledger does not hold what was shown then: it is an older copy")
    units = []
    for frame in frames.shown_at(at_us, span):
        row = rows.get(frame.unit)
        if row is not None and row.kind == "record":
            units.append(restore(_decode(row.body), frame, at_us))
    process = _decode_began(began.body)
    return Replayed(
        at=at,
        known=True,
        process=process.process,
        directory_version=process.directory_version,
        units=tuple(sorted(units, key=lambda record: record.unit)),
    )


def known_range(frames: Frames) -> Range:
    """Give the first and the last moment of which the board is known, and the gaps between. Blocks."""
    spans = _merged(frames.spans())
    if not spans:
        return Range(first=None, last=None, gaps=())
    gaps = (
        Gap(since=decode_us(before.through_us), until=decode_us(after.since_us))
        for before, after in zip(spans, spans[1:], strict=False)
    )
    return Range(first=decode_us(spans[0].since_us), last=decode_us(spans[-1].through_us), gaps=tuple(gaps))


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Put spans together that overlap or follow one another within a microsecond: a whole board between two ticks."""
    merged: list[Span] = []
    for span in spans:
        if merged and span.since_us <= merged[-1].through_us + 1:
            before = merged.pop()
            span = Span(before.since_us, max(before.through_us, span.through_us))
        merged.append(span)
    return merged


def _tell_gap(spans: Sequence[Span], at_us: int) -> str:
    before = max((span.through_us for span in spans if span.through_us < at_us), default=None)
    after = min((span.since_us for span in spans if span.since_us > at_us), default=None)
    since = "" if before is None else f" from {_tell(before)}"
    until = "" if after is None else f" to {_tell(after)}"
    return f"no board is known{since}{until}: none was shown, or it could not be kept"


def _tell(moment_us: int) -> str:
    return decode_us(moment_us).isoformat().replace("+00:00", "Z")
