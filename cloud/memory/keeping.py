"""What has to be kept of each showing: the records whose essence changed, and a frame of each. Pure.

Beside them come key frames: a unit that is not shown for minutes has its last frame repeated, aged by whole
milliseconds, so that who looks back finds one within `KEY_US`.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from cloud.ledger import BoardRow
from cloud.memory.essence import take_apart
from cloud.memory.instants import decode_us
from cloud.telemetry import KEY_US, FrameRow
from wire.feed import FeedRecord

ROUND_US = KEY_US * 2 // 5
"""Every unit is looked at once in this time. One whose last frame is as old gets a key frame: none is ever older than
two rounds, and there is a minute to spare."""
DIGEST_BYTES = 16
_FRAME = struct.Struct("<12q")
_NONE = -(2**63)
_AGES = ("link_ms", "position_ms", "as_of_ms")
_encode = msgspec.json.Encoder().encode


class Kept(msgspec.Struct, frozen=True, gc=False):
    """What has to become durable of a showing."""

    rows: list[BoardRow]
    frames: list[FrameRow]


class Keeping:
    """Knows what was kept last of each unit: 16 bytes of its essence's digest, and its frame."""

    def __init__(self, units: Iterable[str] = ()) -> None:
        """Nothing was shown yet. `units` are on the board as far as the log says, whatever it says of them."""
        self._last: dict[str, bytes] = dict.fromkeys(units, b"")
        self._round: list[str] = []
        self._looked = 0
        """How many of the round have been looked at, and since when that counts."""
        self._round_us = 0

    def begin(self, shown_us: int, records: Sequence[FeedRecord]) -> Kept:
        """Keep the whole board as it is shown at the begin of a span. What is not on it any more is gone."""
        there = {record.unit for record in records}
        at = decode_us(shown_us)
        gone = [BoardRow(shown_at=at, unit=unit, kind="gone", body=b"") for unit in self._last if unit not in there]
        for row in gone:
            del self._last[row.unit]
        kept = self._keep(shown_us, records)
        self._start_round(shown_us)
        return Kept([*gone, *kept.rows], kept.frames)

    def forget(self) -> None:
        """Forget what the log says of each unit: the next `begin` writes all of it."""
        self._last = dict.fromkeys(self._last, b"")

    def keep(self, shown_us: int, records: Sequence[FeedRecord]) -> Kept:
        """Keep what was shown at a moment after the one before, and the key frames that are due."""
        kept = self._keep(shown_us, records)
        return Kept(kept.rows, [*kept.frames, *self._key_frames(shown_us)])

    def _keep(self, shown_us: int, records: Sequence[FeedRecord]) -> Kept:
        rows: list[BoardRow] = []
        frames: list[FrameRow] = []
        for record in records:
            essence, frame = take_apart(record, shown_us)
            body = _encode(essence)
            digest = hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest()
            known = self._last.get(record.unit)
            if known is None:
                self._round.append(record.unit)
            if known is None or not known.startswith(digest):
                rows.append(BoardRow(shown_at=decode_us(shown_us), unit=record.unit, kind="record", body=body))
            frames.append(frame)
            self._last[record.unit] = digest + _pack(frame)
        return Kept(rows, frames)

    def _start_round(self, shown_us: int) -> None:
        self._round, self._looked, self._round_us = list(self._last), 0, shown_us

    def _key_frames(self, shown_us: int) -> list[FrameRow]:
        """Go on with the round as far as it should have come by now."""
        passed_us = min(ROUND_US, shown_us - self._round_us)
        due = -(-len(self._round) * passed_us // ROUND_US)
        found = []
        for unit in self._round[self._looked : due]:
            frame = _unpack(unit, self._last[unit][DIGEST_BYTES:])
            if shown_us - frame.shown_us >= ROUND_US:
                frame = age(frame, shown_us)
                self._last[unit] = self._last[unit][:DIGEST_BYTES] + _pack(frame)
                found.append(frame)
        self._looked = max(self._looked, due)
        if passed_us == ROUND_US:
            self._start_round(shown_us)
        return found


def age(frame: FrameRow, to_us: int) -> FrameRow:
    """Give the same frame as it was at a later moment, less than a millisecond before `to_us`: nothing is rounded."""
    passed_ms = (to_us - frame.shown_us) // 1000
    older = {name: kept + passed_ms for name in _AGES if (kept := getattr(frame, name)) is not None}
    if frame.position_ms is None and frame.gnss_ms is not None:
        older["gnss_ms"] = frame.gnss_ms + passed_ms
    return msgspec.structs.replace(frame, shown_us=frame.shown_us + passed_ms * 1000, **older)


def _pack(frame: FrameRow) -> bytes:
    _, *cells = msgspec.structs.astuple(frame)
    return _FRAME.pack(*(_NONE if cell is None else cell for cell in cells))


def _unpack(unit: str, packed: bytes) -> FrameRow:
    cells: list[Any] = [None if cell == _NONE else cell for cell in _FRAME.unpack(packed)]
    return FrameRow(unit, *cells)
