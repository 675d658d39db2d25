"""What is sent on a connection speaks of that connection's stream, or is not sent."""

import asyncio
from pathlib import Path

import aiomqtt

from edge_agent.clock import SystemClock
from edge_agent.link import Address
from edge_agent.link.sender import Sender, Spoken
from edge_agent.state.delivery import Send
from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import Bench, playing_cloud
from tests.edge_agent.outbox.lab import place, press
from tests.waiting import eventually

SENDS: tuple[Send, ...] = ("heartbeat", "live", "status", "history")


def test_nothing_of_a_new_stream_goes_under_the_name_of_the_old(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """The outbox may be replaced between reading and sending: then nothing goes, and nothing counts as in flight."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        await bench.keeper.append("track", [place()])
        address = Address(
            host=shared_broker.host, port=shared_broker.port, keepalive_s=5, organisation=bench.org, device="veh-1"
        )
        old, boot = bench.keeper.stream, bench.keeper.boot

        def sender(stream: str) -> Sender:
            spoken = Spoken(stream=stream, boot=boot, conn=1)
            return Sender(address, spoken, keeper=bench.keeper, clock=SystemClock())

        before = sender(old)
        async with (
            playing_cloud(shared_broker, bench.org) as cloud,
            aiomqtt.Client(shared_broker.host, shared_broker.port) as client,
        ):
            assert before.is_current
            await bench.keeper.mint("damaged")
            assert not before.is_current
            assert [await before.publish(client, send, bench.describe, None) for send in SENDS] == [0, 0, 0, 0]
            after = sender(bench.keeper.stream)
            assert [await after.publish(client, send, bench.describe, None) for send in SENDS] == [0, 0, 1, 1]
            await eventually(lambda: len(cloud.heard) >= len(SENDS), what="what is current")
            assert cloud.order() == list(SENDS)
        await bench.keeper.close()

    asyncio.run(scenario())
