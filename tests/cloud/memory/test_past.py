"""Looking back as a service: whose units are missing is said, and nobody else waits for it."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from cloud.ledger import BoardRow
from cloud.memory import Past, Replayed
from cloud.memory.terms import forgotten
from tests.cloud.directory.shire import shire
from tests.cloud.memory.keep import with_terms
from tests.cloud.memory.lab import Lab
from tests.cloud.memory.samples import NOON, record


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A recorder that has begun nothing."""
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def ask(past: Past, at: datetime) -> Replayed:
    """The answer to one question."""
    return msgspec.json.decode(asyncio.run(past.board(at)), type=Replayed)


def test_whose_units_are_let_go_of_is_told(lab: Lab) -> None:
    """A past board without an organisation's units names it, whether there is still a board or none."""
    directory = with_terms(shire(), kfrs={"board_days": 3}, kp={"board_days": 30})
    today = NOON.date() + timedelta(days=4)
    shown = lab.tick(record("a"))
    lab.keep()
    past = Past(lab.recorder, lab.ledger.board_at, lab.frames, forgotten=lambda at: forgotten(directory, at, today))
    told = ask(past, shown)
    assert (True, ("kfrs",), 1) == (told.known, told.forgotten, len(told.units))
    before = ask(past, shown - timedelta(days=40))
    assert not before.known and "kfrs, kp keep nothing so old" in str(before.problem)
    assert () == forgotten(directory, NOON + timedelta(days=1), today)


def test_many_who_look_back_leave_threads_for_others(lab: Lab) -> None:
    """Boards are made one at a time, so that an acknowledgement finds a thread while a hundred are asked for."""
    shown = lab.tick(record("a"))
    lab.keep()
    at_once: list[int] = []
    working, turn = [0], threading.Lock()

    def board_at(at: datetime) -> Sequence[BoardRow]:
        with turn:
            working[0] += 1
            at_once.append(working[0])
        rows = lab.ledger.board_at(at)
        with turn:
            working[0] -= 1
        return rows

    async def scenario() -> None:
        past = Past(lab.recorder, board_at, lab.frames)
        await asyncio.gather(*(past.board(shown) for _ in range(30)))

    asyncio.run(scenario())
    assert (30, 1) == (len(at_once), max(at_once))
