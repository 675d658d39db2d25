"""What the cloud's word does: deletes on a match, keeps on a doubt, starts a new stream where the old cannot go on."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from edge_agent.link import NewStream
from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import NOTHING, TERM, Bench, Cloud, settle_of
from tests.edge_agent.outbox.lab import AT, place, press
from tests.waiting import eventually
from wire import codec
from wire.messages import Birth, Heartbeat, QueueSettle, Settle, State


async def two_more_heartbeats(cloud: Cloud) -> Heartbeat:
    """A heartbeat that was surely written after everything that was said before this call had been taken in."""
    told = len(cloud.all(Heartbeat))
    await eventually(lambda: len(cloud.all(Heartbeat)) > told + 1, what="two more heartbeats")
    return cloud.all(Heartbeat)[-1]


def test_a_match_deletes_and_is_handed_on(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """What the cloud settled with the right digest is gone from the outbox; what was refused is handed on with it."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1"), press("2")])
        async with bench.linked() as cloud:
            settle = settle_of(await cloud.envelope("status"), refused={2: "not_bound"})
            await cloud.settle(settle)
            await eventually(lambda: bench.words, what="the settle")
            assert bench.words == [settle]
            assert bench.keeper.depth.status == 0

    asyncio.run(scenario())


def test_a_mismatch_keeps_everything_and_is_a_fault_said_once(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """A settle of other bytes deletes nothing, is a fault until a true one of its queue comes, and is logged once."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        await bench.keeper.append("track", [place()])
        track = await bench.keeper.batch("track", 20)
        assert track is not None
        async with bench.linked() as cloud:
            envelope = await cloud.envelope("status")
            true = settle_of(envelope)
            false = msgspec.structs.replace(true, digest=NOTHING)
            await cloud.settle(false)
            await cloud.settle(false)
            assert (await two_more_heartbeats(cloud)).faults == [
                "the cloud's settle of status 1 does not match what is kept here"
            ]
            assert bench.keeper.depth.status == 1 and bench.words == []
            await cloud.settle(settle_of(track, bench.keeper.stream))
            await eventually(lambda: bench.keeper.depth.track == 0, what="the track settled")
            await cloud.settle(false)
            assert (await two_more_heartbeats(cloud)).faults
            await cloud.settle(true)
            assert not (await two_more_heartbeats(cloud)).faults
            assert bench.keeper.depth.status == 0

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert [line["event"] for line in lines].count("settle_does_not_match") == 1


@pytest.mark.parametrize("mint", ["fork", "superseded"])
def test_a_stream_that_cannot_go_on_is_followed_by_one_that_names_it(
    shared_broker: RunningBroker, tmp_path: Path, mint: str
) -> None:
    """Told to, the device begins a new stream with a birth that names the old one, and sends all that was unsettled."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1"), press("2")])
        async with bench.linked() as cloud:
            cloud.answering = True
            await cloud.settle(settle_of(await cloud.envelope("status"), events=1))
            await eventually(lambda: bench.keeper.depth.status == 1, what="the first press settled")
            await cloud.settle(mint=mint)
            await eventually(lambda: len(cloud.all(Birth)) == 2, what="another birth")
            await cloud.settle(mint=mint)
            old, new = cloud.all(Birth)
            assert (new.predecessor, new.conn) == (old.stream, 2)
            assert new.stream != old.stream and new.boot > old.boot
            await eventually(lambda: cloud.envelopes("status")[-1].stream == new.stream, what="the kept press")
            envelope = cloud.envelopes("status")[-1]
            kept = codec.decode_event(bytes(envelope.events[0]))
            assert not isinstance(kept, codec.Rejected) and kept.origin is not None
            assert (kept.seq, kept.origin.stream, kept.origin.seq) == (1, old.stream, 2)
            told = [word for word in bench.words if isinstance(word, NewStream)]
            assert [(word.stream, [each.seq for each in word.unsettled]) for word in told] == [(new.stream, [1])]
            await cloud.settle(settle_of(envelope))
            await eventually(lambda: bench.keeper.depth.status == 0, what="it settles there")
            assert len(bench.keeper.set_aside) == 1, "the same word, said twice, sets one file aside"

    asyncio.run(scenario())


def test_a_cloud_that_is_ahead_makes_a_new_stream(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """Where the cloud has more of a stream than the device, a card was put back: the device goes on in a new one."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            first = await cloud.first(Birth)
            await cloud.settle(QueueSettle(stream=first.stream, queue="status", through=2, digest=NOTHING))
            await eventually(lambda: len(cloud.all(Birth)) == 2, what="another birth")
            assert cloud.all(Birth)[1].predecessor == first.stream
            assert bench.keeper.depth.status == 1

    asyncio.run(scenario())


def test_an_outbox_that_was_replaced_on_the_device_is_told_by_a_birth(
    shared_broker: RunningBroker, tmp_path: Path
) -> None:
    """A damaged outbox is replaced under the link, which then speaks, and would be told dead, in the new stream."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        async with bench.linked() as cloud:
            first = await cloud.first(Birth)
            await bench.keeper.mint("damaged")
            await bench.keeper.append("status", [press("1")])
            bench.link.committed("status")
            await eventually(lambda: len(cloud.all(Birth)) == 2, what="another birth")
            envelope = await cloud.envelope("status")
            assert {envelope.stream} == {one.stream for one in cloud.envelopes("status")} == {bench.keeper.stream}
            assert cloud.all(Birth)[1].predecessor == first.stream

    asyncio.run(scenario())


def test_a_mismatch_of_a_stream_that_ended_is_no_fault_any_more(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """A new stream begins without the old one's faults."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            false = msgspec.structs.replace(settle_of(await cloud.envelope("status")), digest=NOTHING)
            await cloud.settle(false)
            await eventually(lambda: bench.link.fault, what="the fault")
            await cloud.settle(mint="fork")
            await eventually(lambda: len(cloud.all(Birth)) == 2, what="another birth")
            assert cloud.all(Birth)[1].faults == []

    asyncio.run(scenario())


def test_an_owner_that_was_replaced_is_not_heard(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """Once a newer owner has spoken, an older one neither settles, nor mints, nor shows, nor is echoed."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            envelope = await cloud.envelope("status")
            newest = await cloud.settle(term=TERM + 1)
            stale = State(v=1, owner_term=TERM, version=9, valid_until=AT)
            await cloud.settle(settle_of(envelope), term=TERM, mint="fork")
            await cloud.say("state", codec.encode(stale))
            await cloud.greet(term=TERM)
            heartbeat = await two_more_heartbeats(cloud)
            assert heartbeat.echo is not None and heartbeat.echo.id == newest
            assert (bench.keeper.depth.status, heartbeat.stream, bench.words) == (1, envelope.stream, [])
            current = msgspec.structs.replace(stale, owner_term=TERM + 1)
            await cloud.say("state", codec.encode(current))
            await eventually(lambda: bench.words == [current], what="the new owner's state")

    asyncio.run(scenario())


JUNK = (
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 15_000,
    b'{"type":"settle","v":2,"id":"x","owner_term":1}',
    b'{"type":"settle","v":1,"id":"x","owner_term":-1}',
    b'{"type":"settle","v":1,"id":"x","owner_term":1,"queues":[{"stream":"s","queue":"status","through":1,"digest":""}]}',
    b'{"type":"state","v":1,"owner_term":1,"version":1,"valid_until":"2026-11-03T12:00:00"}',
    b'{"type":"hello","v":1,"id":""}',
    b'{"type":"birth"}',
)


def test_junk_is_passed_over_and_said_once_a_kind(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """Junk on the cloud's topics deletes nothing and stops nothing, and a flood of it is not logged line by line."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            envelope = await cloud.envelope("status")
            for junk in JUNK * 3:
                await cloud.say("settle", junk)
                await cloud.say("state", junk)
                await cloud.say_to_all(junk)
            assert (await two_more_heartbeats(cloud)).conn == 1
            assert bench.keeper.depth.status == 1 and bench.words == []
            await cloud.settle(settle_of(envelope))
            await eventually(lambda: bench.keeper.depth.status == 0, what="a true settle is still taken")

    with capture_logs() as lines:
        asyncio.run(scenario())
    told = [(line["topic"], line["reason"]) for line in lines if line["event"] == "message_rejected"]
    assert len(told) == len(set(told)) == 6


def test_every_junk_is_junk() -> None:
    """The decoder takes none of it: the test above says nothing by accident."""
    assert all(isinstance(codec.decode_down(junk), codec.Rejected) for junk in JUNK)
    good = Settle(v=1, id="x", owner_term=1)
    assert codec.decode_down(codec.encode(good)) == good


def test_a_settle_of_another_stream_or_of_what_is_gone_is_no_fault(
    shared_broker: RunningBroker, tmp_path: Path
) -> None:
    """Old settles that arrive late change nothing and worry nobody."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            settle = settle_of(await cloud.envelope("status"))
            await cloud.settle(msgspec.structs.replace(settle, stream="e1-other", digest=NOTHING))
            await cloud.settle(settle)
            await eventually(lambda: bench.words == [settle], what="the settle")
            await cloud.settle(msgspec.structs.replace(settle, digest=NOTHING))
            assert (await two_more_heartbeats(cloud)).faults == []
            assert bench.words == [settle]

    asyncio.run(scenario())
