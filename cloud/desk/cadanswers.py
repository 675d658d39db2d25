"""Remembers what each message of a command and control system was answered, durably: the same one again is known."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog

from cloud.errors import Retryable
from cloud.ledger import CadCommit, CadSaid, Ledger
from wire.cad import CadAnswer

RECENT_MAX = 10_000
"""Answers that are found without asking the ledger."""

_log = structlog.get_logger("cad")


class Answers:
    """Every answer, by organisation and id. What gathered while the last commit ran goes in the next."""

    def __init__(self, ledger: Ledger, *, now: Callable[[], datetime]) -> None:
        """Go on from what the ledger holds."""
        self._ledger, self._now = ledger, now
        self._recent: dict[tuple[str, str], CadSaid] = {}
        self._waiting: list[CadSaid] = []
        self._commit: asyncio.Task[None] | None = None

    async def find(self, organisation: str, name: str) -> CadSaid | None:
        """Find what a message was answered; None for one that was not. Raises what the ledger does."""
        known = self._recent.get((organisation, name))
        if known is not None:
            return known
        return next(iter(await asyncio.to_thread(self._ledger.cad_said, organisation, [name])), None)

    def note(self, organisation: str, digest: bytes, answer: CadAnswer) -> None:
        """Remember an answer; `keep` makes it durable."""
        row = CadSaid(
            organisation=organisation, id=answer.id, at=self._now(), digest=digest, answer=msgspec.json.encode(answer)
        )
        self._recent[(organisation, answer.id)] = row
        self._waiting.append(row)
        while len(self._recent) > RECENT_MAX:
            del self._recent[next(iter(self._recent))]

    async def keep(self) -> None:
        """Come back once every answer noted so far is durable.

        Where the ledger does not take them they are forgotten with this process: a message that comes again is judged
        anew then, and what it says stands already.
        """
        while self._waiting:
            if self._commit is None or self._commit.done():
                self._commit = asyncio.ensure_future(self._write())
            await asyncio.shield(self._commit)
        if self._commit is not None:
            await asyncio.shield(self._commit)

    async def _write(self) -> None:
        rows, self._waiting = self._waiting, []
        try:
            await asyncio.to_thread(self._ledger.commit_cad, CadCommit(said=rows))
        except Retryable as error:
            _log.error("cad_answers_not_kept", cause=str(error), answers=len(rows))
