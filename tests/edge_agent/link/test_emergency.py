"""An emergency is told ahead of everything that waits, and again until its queue has brought it."""

import asyncio
from pathlib import Path

from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import Bench, Cloud, settle_of
from tests.edge_agent.outbox.lab import emergency, press
from tests.waiting import eventually
from wire import codec
from wire.events import EmergencyEvent
from wire.messages import Envelope

BACKLOG = 500


def told(cloud: Cloud) -> list[Envelope]:
    """The emergencies that were told live."""
    return [one for one in cloud.envelopes("live") if one.queue == "status"]


def event_of(envelope: Envelope) -> EmergencyEvent:
    """The one event of an envelope, which is an emergency."""
    (raw,) = envelope.events
    event = codec.decode_event(bytes(raw))
    assert isinstance(event, EmergencyEvent)
    return event


def test_with_500_statuses_waiting_the_emergency_is_told_first(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """It was held down without a connection, behind hours of statuses: right after the birth it is there."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")] * BACKLOG)
        await bench.keeper.append("status", [emergency()])
        async with bench.linked() as cloud:
            cloud.answering = cloud.settling = True
            await cloud.envelope("status")
            assert ["birth", "live"] == cloud.order()[:2]
            assert ("status", BACKLOG + 1) == (told(cloud)[0].queue, event_of(told(cloud)[0]).seq)
            await eventually(lambda: bench.keeper.depth.status == 0, what="all settled", deadline_s=60)
            queued = [codec.decode_event(bytes(raw)) for one in cloud.envelopes("status") for raw in one.events]
            assert event_of(told(cloud)[0]) in queued, "its queue brings it too"

    asyncio.run(scenario())


def test_it_is_told_at_once_and_again_until_it_is_settled(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """An emergency overtakes a backlog that nobody settles, is repeated, and is silent once its queue has ended."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            await cloud.envelope("status")
            assert [] == told(cloud)
            await bench.keeper.append("status", [emergency()])
            bench.link.committed("status")
            await eventually(lambda: len(told(cloud)) >= 3, what="it is repeated")
            assert {2} == {event_of(one).seq for one in told(cloud)}
            await eventually(lambda: len(cloud.envelopes("status")[-1].events) == 2, what="it is in its queue")
            await cloud.settle(settle_of(cloud.envelopes("status")[-1]))
            await eventually(lambda: bench.keeper.emergency == 0, what="it is settled")
            before = len(told(cloud))
            await eventually(lambda: cloud.order()[-2:] == ["heartbeat"] * 2, what="silence but for heartbeats")
            assert before + 1 >= len(told(cloud))

    asyncio.run(scenario())
