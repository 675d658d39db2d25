"""Heartbeats: as often as promised, at once where the cloud asks, and with what is wrong."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.link.writer import FAULT_CHARACTERS_MAX, FAULTS_MAX
from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import TERM, Bench, Cloud
from tests.edge_agent.outbox.lab import press
from tests.waiting import eventually
from wire.messages import Birth, Heartbeat

HELLO_SPREAD_S = 2.0
"""Within this long a greeting is answered, says the contract."""
SLACK_S = 0.3
"""What two busy cores may add. The promise itself leaves more: the cloud waits for twice the interval and 5 s."""


def moments_s(cloud: Cloud) -> list[float]:
    """When each heartbeat came."""
    return [one.at_s for one in cloud.heard if isinstance(one.message, Heartbeat)]


async def heartbeats(cloud: Cloud, count: int) -> list[Heartbeat]:
    """The first so many heartbeats."""
    await eventually(lambda: len(cloud.all(Heartbeat)) >= count, what=f"{count} heartbeats")
    return cloud.all(Heartbeat)[:count]


def test_heartbeats_keep_the_interval_that_they_declare(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """One a second while presses go out and answers come in, each later than the last by the device's clock."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device", heartbeat_s=1.0)
        async with bench.linked() as cloud:
            cloud.answering = True
            await heartbeats(cloud, 2)
            await bench.keeper.append("status", [press("1")])
            bench.link.committed("status")
            beats = await heartbeats(cloud, 4)
            pauses_s = [after - before for before, after in zip(moments_s(cloud), moments_s(cloud)[1:], strict=False)]
            assert all(1.0 - SLACK_S <= pause_s <= 1.0 + SLACK_S for pause_s in pauses_s[:3]), pauses_s
            sent = [beat.sent_mono_ms for beat in beats]
            assert sent == sorted(set(sent)) and {beat.interval_s for beat in beats} == {1.0}
            assert beats[-1].outbox.status == 1 and beats[-1].last_seq.status == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("jitter", [0.0, 0.6])
def test_a_greeting_is_answered_within_two_seconds_each_device_at_its_own_time(
    shared_broker: RunningBroker, tmp_path: Path, jitter: float
) -> None:
    """A new owner's greeting brings a heartbeat that echoes it, `jitter` of two seconds later, far from its turn."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device", heartbeat_s=20.0, jitter=lambda: jitter)
        async with bench.linked() as cloud:
            await cloud.first(Birth)
            await cloud.settle()
            await heartbeats(cloud, 1)
            greeted_s = asyncio.get_running_loop().time()
            greeting = await cloud.greet(term=TERM + 1)
            echo = (await heartbeats(cloud, 2))[1].echo
            assert echo is not None and echo.id == greeting
            waited_s = moments_s(cloud)[1] - greeted_s
            assert jitter * HELLO_SPREAD_S - 0.01 <= waited_s <= jitter * HELLO_SPREAD_S + SLACK_S
            assert abs(echo.held_ms / 1000 - waited_s) < SLACK_S

    asyncio.run(scenario())


def test_the_greeting_of_the_owner_that_was_answered_already_is_not_answered_again(
    shared_broker: RunningBroker, tmp_path: Path
) -> None:
    """Greetings said twice cost no heartbeat: the next one comes in its turn and echoes the newest."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device", heartbeat_s=1.0)
        async with bench.linked() as cloud:
            await cloud.first(Birth)
            await cloud.settle()
            await heartbeats(cloud, 1)
            greeting = await cloud.greet()
            echo = (await heartbeats(cloud, 2))[1].echo
            assert echo is not None and echo.id == greeting
            assert moments_s(cloud)[1] - moments_s(cloud)[0] >= 1.0 - SLACK_S

    asyncio.run(scenario())


def test_what_is_wrong_with_the_device_is_in_birth_and_heartbeat(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """Faults travel, cut to what the contract takes, however long or many they are."""

    async def scenario() -> None:
        faults = ("no gpsd on 127.0.0.1:2947", "x" * 1_000, *(str(number) for number in range(30)))
        bench = Bench(shared_broker, tmp_path / "device", faults=faults)
        async with bench.linked() as cloud:
            birth = await cloud.first(Birth)
            (beat,) = await heartbeats(cloud, 1)
            for told in (birth.faults, beat.faults):
                assert told[:2] == [faults[0], "x" * FAULT_CHARACTERS_MAX] and len(told) == FAULTS_MAX

    asyncio.run(scenario())
