"""Orders reach the device, and each birth and heartbeat says a nonce that they may quote."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from edge_agent.link import Description
from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import TERM, Bench, Word
from tests.edge_agent.outbox.lab import place, press
from tests.waiting import eventually
from wire import codec
from wire.messages import Birth, CalledUnit, Command, Heartbeat

COMMAND = Command(
    v=1,
    owner_term=TERM,
    order="0b9f2c4e-7a11-4c55-9d0e-2f6a8c3b1d70",
    revision=1,
    action="mobilise",
    nonce="n-1",
    expires_ms=120_000,
    issued_at=datetime(2026, 11, 3, 12, tzinfo=UTC),
    units=[CalledUnit(unit="engine-1", callsign="Engine 1", service="fire")],
)


def commands(words: list[Word]) -> list[Command]:
    """The orders among what the link handed on."""
    return [word for word in words if isinstance(word, Command)]


def test_an_order_is_handed_on_each_time_that_it_comes(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """As it was said, and again with each repeat: who journals it tells which are news."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        async with bench.linked() as cloud:
            await cloud.first(Birth)
            for _ in range(3):
                await cloud.say("command", codec.encode(COMMAND))
            await eventually(lambda: len(commands(bench.words)) == 3, what="the order, three times")
            assert [COMMAND] * 3 == commands(bench.words)

    asyncio.run(scenario())


def test_an_older_owner_mobilises_nobody(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """A paused old cloud that wakes up and speaks is not heard; the newer one's order is."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        async with bench.linked() as cloud:
            await cloud.first(Birth)
            await cloud.settle(term=TERM)
            await cloud.first(Heartbeat)
            await cloud.say("command", codec.encode(msgspec.structs.replace(COMMAND, owner_term=TERM - 1)))
            await cloud.say("command", codec.encode(msgspec.structs.replace(COMMAND, revision=2)))
            await eventually(lambda: commands(bench.words), what="an order")
            assert [2] == [command.revision for command in commands(bench.words)]

    asyncio.run(scenario())


class Minting(Bench):
    """A device that mints a nonce whenever it describes itself, as an agent with a turnout does."""

    minted = 0

    def describe(self) -> Description:
        """Mint one more."""
        self.minted += 1
        return msgspec.structs.replace(super().describe(), nonce=f"n-{self.minted}")


def test_each_birth_and_heartbeat_says_a_fresh_nonce_and_nothing_else_mints_one(
    shared_broker: RunningBroker, tmp_path: Path
) -> None:
    """Statuses and positions that go out between two heartbeats leave the nonces alone: none is minted and not told."""

    async def scenario() -> None:
        bench = Minting(shared_broker, tmp_path / "device", heartbeat_s=0.3)
        await bench.keeper.append("status", [press("1")] * 50)
        await bench.keeper.append("track", [place()])
        async with bench.linked() as cloud:
            cloud.answering = cloud.settling = True
            await eventually(lambda: len(cloud.all(Heartbeat)) >= 5, what="some heartbeats")
            await eventually(lambda: len(cloud.envelopes("status")) >= 3, what="the statuses")
            said = [one.nonce for one in (*cloud.all(Birth), *cloud.all(Heartbeat))]
            assert [f"n-{number}" for number in range(1, len(said) + 1)] == said
            assert bench.minted <= len(said) + 1, "one may be on its way"

    asyncio.run(scenario())
