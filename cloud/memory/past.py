"""The past as a service asks for it: on a thread of its own, and in pieces small enough not to hold up the loop."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from cloud.ledger import BoardRow
from cloud.memory.recorder import Recorder
from cloud.memory.replay import Range, Replayed, known_range, replay
from cloud.telemetry import Frames

KEPT_WITHIN_S = 5.0
"""How long a question waits for what was shown just now to be kept: that takes a second, or two."""
_encode = msgspec.json.Encoder().encode


def _nobody(_at: datetime) -> tuple[str, ...]:
    """Everything is kept."""
    return ()


class Past:
    """Answers from the stores of one process, and knows how far its recorder has come."""

    def __init__(
        self,
        recorder: Recorder,
        board_at: Callable[[datetime], Sequence[BoardRow]],
        frames: Frames,
        *,
        forgotten: Callable[[datetime], tuple[str, ...]] = _nobody,
    ) -> None:
        """`board_at` is the ledger's; `forgotten` names the organisations that keep nothing of a moment any more."""
        self._recorder, self._board_at, self._frames = recorder, board_at, frames
        self._forgotten = forgotten
        self._turn = asyncio.Lock()
        """One board at a time: however many look back, whoever acknowledges an alarm finds a thread."""

    async def board(self, at: datetime) -> bytes:
        """Give the board as it was shown at an aware moment that has passed, as JSON. Raises what the stores raise."""
        return await self.answer(at, encode)

    async def answer(self, at: datetime, make: Callable[[Replayed], bytes]) -> bytes:
        """Give what `make` makes of that board, on the thread on which it is read. Raises what the stores raise."""
        if not await self._kept(at):
            problem = "what was shown then is not kept yet: ask again in a second; GET /healthz says what is wrong"
            return make(Replayed(at=at, known=False, problem=problem))
        async with self._turn:
            return await asyncio.to_thread(lambda: make(self._replay(at)))

    async def range(self) -> Range:
        """Give the time of which the board is known. Raises what the stores raise."""
        return await asyncio.to_thread(known_range, self._frames)

    def _replay(self, at: datetime) -> Replayed:
        found = replay(self._board_at, self._frames, at)
        gone = self._forgotten(at)
        problem = found.problem
        if problem is not None and gone:
            problem = f"{problem}; or let go of: {', '.join(gone)} keep nothing so old"
        return msgspec.structs.replace(found, forgotten=gone, problem=problem)

    async def _kept(self, at: datetime) -> bool:
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                return await self._recorder.reach(at)
        except TimeoutError:
            return False


def encode(replayed: Replayed) -> bytes:
    """Encode a board, record by record: all at once would hold every other thread up for as long as it takes."""
    empty = b'"units":[]}'
    head = _encode(msgspec.structs.replace(replayed, units=()))
    assert head.endswith(empty)
    return head.removesuffix(b"]}") + b",".join(map(_encode, replayed.units)) + b"]}"
