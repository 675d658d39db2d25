"""The outbox always knows whether an emergency is unsettled: it goes ahead of everything until it is."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from edge_agent.outbox import OutboxKeeper
from tests.edge_agent.outbox.lab import chain, emergency, keeper, press


def in_outbox(folder: Path, story: Callable[[OutboxKeeper], Awaitable[None]]) -> None:
    """Tell a story of one outbox, and close it."""

    async def told() -> None:
        outbox = keeper(folder)
        try:
            await story(outbox)
        finally:
            await outbox.close()

    asyncio.run(told())


async def settle(outbox: OutboxKeeper, events: int) -> None:
    """Settle the first events of the status queue, as the cloud does."""
    batch = await outbox.batch("status", 20)
    assert batch is not None
    digest = chain(batch.base_digest, batch.events[:events])
    assert "deleted" == await outbox.settle("status", outbox.stream, batch.first_held + events - 1, digest)


def test_the_newest_unsettled_emergency_is_known_until_it_is_settled(tmp_path: Path) -> None:
    """From its commit to its settle, by its sequence; a settle of what came before it changes nothing."""

    async def story(outbox: OutboxKeeper) -> None:
        await outbox.append("status", [press()])
        assert 0 == outbox.emergency
        await outbox.append("status", [emergency(), press(), emergency("engine-2"), press()])
        assert 4 == outbox.emergency
        assert [2, 4] == [one.seq for one in await outbox.emergencies(5)]
        assert [4] == [one.seq for one in await outbox.emergencies(1)]
        await settle(outbox, 3)
        assert 4 == outbox.emergency
        await settle(outbox, 1)
        assert 0 == outbox.emergency and [] == await outbox.emergencies(5)

    in_outbox(tmp_path, story)


def test_a_restart_and_a_new_stream_keep_it(tmp_path: Path) -> None:
    """Switched off and on, and carried to a new stream, it is still the first to go, with the name that it had."""

    async def before(outbox: OutboxKeeper) -> None:
        await outbox.append("status", [press(), emergency(), press()])
        await settle(outbox, 1)

    async def after(outbox: OutboxKeeper) -> None:
        old = outbox.stream
        assert 2 == outbox.emergency
        await outbox.mint("fork")
        (carried,) = await outbox.emergencies(5)
        assert (1, 1) == (outbox.emergency, carried.seq)
        assert carried.event.origin is not None and (old, 2) == (carried.event.origin.stream, carried.event.origin.seq)

    in_outbox(tmp_path, before)
    in_outbox(tmp_path, after)
