"""Listeners: each gets every event in order, or is let go; none waits for another."""

import asyncio
from collections.abc import AsyncIterator

from cloud.feeds import Listeners
from cloud.feeds.listeners import BACKLOG_MAX
from tests.waiting import DEADLINE_S


def number(count: int) -> list[bytes]:
    """Events."""
    return [b"%d" % each for each in range(count)]


async def rest(stream: AsyncIterator[bytes]) -> list[bytes]:
    """Everything that a stream still gives, up to its end, which must come."""
    async with asyncio.timeout(DEADLINE_S):
        return [event async for event in stream]


def test_each_gets_everything_in_order() -> None:
    """What a listener begins with comes first, then every event, the same for all."""

    async def listen() -> list[list[bytes]]:
        listeners = Listeners()
        streams = [listeners.listen([b"first"]), listeners.listen([b"a", b"b"])]
        for event in number(5):
            listeners.send(event)
        listeners.close()
        return [await rest(stream) for stream in streams]

    assert [[b"first", *number(5)], [b"a", b"b", *number(5)]] == asyncio.run(listen())


def test_what_is_sent_before_the_first_read_is_not_missed() -> None:
    """From the call on a listener misses nothing: between its snapshot and its first read a tick may come."""

    async def listen() -> list[bytes]:
        listeners = Listeners()
        stream = listeners.listen([b"snapshot"])
        assert 1 == len(listeners)
        listeners.send(b"changes")
        listeners.close()
        return await rest(stream)

    assert [b"snapshot", b"changes"] == asyncio.run(listen())


def test_a_slow_listener_is_let_go_and_the_others_are_not_delayed() -> None:
    """One that doesn't read gets what was kept for it and then its end; the rest have every event at once."""

    async def listen() -> tuple[list[bytes], list[bytes], int, int]:
        listeners = Listeners()
        slow, quick = listeners.listen([]), listeners.listen([])
        got = []
        for event in number(BACKLOG_MAX + 10):
            listeners.send(event)
            async with asyncio.timeout(DEADLINE_S):
                got.append(await anext(quick))
        left, let_go = len(listeners), listeners.let_go
        return got, await rest(slow), left, let_go

    got, kept, left, let_go = asyncio.run(listen())
    assert number(BACKLOG_MAX + 10) == got
    assert (number(BACKLOG_MAX), 1, 1) == (kept, left, let_go)


def test_one_that_leaves_is_forgotten() -> None:
    """A stream that is closed counts no more, and nothing is kept for it; one never read is let go like a slow one."""

    async def listen() -> tuple[int, int]:
        listeners = Listeners()
        stream, never = listeners.listen([b"x"]), listeners.listen([b"x"])
        await anext(stream)
        await stream.aclose()
        after_leaving = len(listeners)
        for event in number(BACKLOG_MAX + 1):
            listeners.send(event)
        assert never is not stream
        return after_leaving, len(listeners)

    assert (1, 0) == asyncio.run(listen())
