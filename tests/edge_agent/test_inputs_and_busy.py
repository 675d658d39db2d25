"""The agent, whole: its own inputs become events at once, and what it knows says whether it may be updated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from edge_agent import agent as agents
from edge_agent.clock import SystemClock
from edge_agent.config import Config, Inputs
from edge_agent.decode.inputs import SUPPLY_FAILED
from edge_agent.decode.readings import Fix
from edge_agent.standing import read_standing
from edge_agent.state import vehicle as vehicles
from edge_agent.state.vehicle import Now
from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import TERM, Cloud, playing_cloud, settle_of
from tests.edge_agent.sources.panel_lab import HandClock
from tests.site import pressing, running_agent, write_device
from tests.waiting import eventually
from wire import codec
from wire.events import InputEvent
from wire.messages import Heartbeat, ShownStatus, State


def device(folder: Path, broker: RunningBroker, name: str) -> Config:
    """A vehicle without a receiver, whose inputs are a socket."""
    config = write_device(folder, broker=broker.url, device=name)
    lines = {"20": "ignition", "21": "power_fail"}
    return replace(config, inputs=Inputs(backend="scripted", path=str(folder / "inputs.sock"), lines=lines))


@asynccontextmanager
async def contacts(config: Config) -> AsyncIterator[asyncio.StreamWriter]:
    """A hand on the contacts of a device."""
    assert config.inputs is not None
    path = Path(config.inputs.path)
    await eventually(path.exists, what="the inputs' socket")
    _, writer = await asyncio.open_unix_connection(str(path))
    try:
        yield writer
    finally:
        writer.close()


def turn(hand: asyncio.StreamWriter, name: str, on: bool) -> None:
    """Turn one contact on or off."""
    hand.write(msgspec.json.encode({"button": name, "down": on}) + b"\n")


def told(cloud: Cloud) -> list[tuple[str, object]]:
    """Name and value of each input that the cloud was sent, in order."""
    events = (codec.decode_event(bytes(raw)) for envelope in cloud.envelopes("live") for raw in envelope.events)
    found = {one.seq: (one.name, one.value) for one in events if isinstance(one, InputEvent)}
    return [found[seq] for seq in sorted(found)]


def faults(cloud: Cloud) -> list[str]:
    """What the newest heartbeat says is wrong."""
    beats = cloud.all(Heartbeat)
    return list(beats[-1].faults) if beats else []


def busy(config: Config) -> tuple[str, ...] | None:
    """What an update is told now."""
    standing = read_standing(Path(config.device.state_dir), SystemClock().monotonic())
    return standing.busy if standing is not None else None


def test_a_failed_supply_is_on_disk_at_once_and_a_fault_in_words(
    shared_nats: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ignition and supply reach control as input events; a failed supply does not wait for the group of the track."""
    for name in ("TRACK_GROUP_S", "TICK_S"):  # else time alone would commit it soon after
        monkeypatch.setattr(agents, name, 60.0)

    async def scenario() -> None:
        config = device(tmp_path / "device", shared_nats, "veh-inputs")
        async with (
            playing_cloud(shared_nats, "kfrs", "veh-inputs") as cloud,
            running_agent(config, SystemClock()) as agent,
            contacts(config) as hand,
        ):
            off = [("ignition", False), ("power_fail", False)]
            await eventually(lambda: told(cloud) == off, what="how they stand at first")
            turn(hand, "ignition", True)
            turn(hand, "power_fail", True)
            await eventually(lambda: agent._keeper.depth.track == 4 and not agent._track, what="the disk")
            await eventually(lambda: told(cloud)[2:] == [("ignition", True), ("power_fail", True)], what="the change")
            await eventually(lambda: SUPPLY_FAILED in faults(cloud), what="the fault")
            turn(hand, "power_fail", False)
            await eventually(lambda: len(cloud.all(Heartbeat)) > 1 and not faults(cloud), what="its end")

    asyncio.run(scenario())


def test_the_agent_says_why_it_is_busy(shared_nats: RunningBroker, tmp_path: Path) -> None:
    """A status that nobody declared, then one away from base that waits, then base and settled: only then it may.

    Where control then shows the unit elsewhere, by voice perhaps, the device is busy again.
    """

    async def scenario() -> None:
        config = device(tmp_path / "device", shared_nats, "veh-busy")
        async with (
            playing_cloud(shared_nats, "kfrs", "veh-busy") as cloud,
            running_agent(config, SystemClock()),
            pressing(config) as panel,
            contacts(config) as hand,
        ):
            await eventually(lambda: busy(config) == ("what kfrs-14p1 is at is not known",), what="nothing declared")
            turn(hand, "ignition", True)
            await panel.press("b1")
            away = "kfrs-14p1 is not at its base: its status is 1 Mobile to incident"
            wanted = (away, "the ignition is on", "1 event has not reached control yet")
            await eventually(lambda: busy(config) == wanted, what="mobile and unsettled")
            turn(hand, "ignition", False)
            await panel.press("b4")
            await eventually(lambda: busy(config) == ("2 events have not reached control yet",), what="back at base")
            await eventually(lambda: len(cloud.envelopes("status")[-1].events) == 2, what="both, sent again")
            await cloud.settle(settle_of(cloud.envelopes("status")[-1]))
            await eventually(lambda: busy(config) == (), what="settled")
            now = SystemClock().now()
            row = ShownStatus(
                unit="kfrs-14p1",
                scheme="uk-fire-gd92",
                code="2",
                label="In attendance",
                since=now,
                by="radio",
                device="control",
                stream="0" * 32,
                seq=1,
            )
            word = State(v=1, owner_term=TERM, version=1, valid_until=now + timedelta(minutes=1), units=[row])
            await cloud.say("state", codec.encode(word))
            elsewhere = ("kfrs-14p1 is not at its base: its status is 2 In attendance",)
            await eventually(lambda: busy(config) == elsewhere, what="control knows better")

    asyncio.run(scenario())


def test_a_vehicle_that_moves_or_may_move_is_busy(tmp_path: Path) -> None:
    """By its receiver's newest fix, while that is no older than 30 s, and by the speed that its file calls parked."""

    async def scenario() -> None:
        clock = HandClock()
        config = write_device(tmp_path, broker="mqtt://127.0.0.1:1883", gpsd=(2947, 10.0), parked_speed_mps=2.0)
        agent = agents.Agent(config, clock=clock)

        def moves(speed_mps: float) -> list[str]:
            fix = Fix(mode="3d", lat=51.0, lon=0.5, speed_mps=speed_mps)
            now = Now(clock.now(), clock.monotonic())
            agent._vehicle, _ = vehicles.apply(agent._vehicle, fix, now)
            return about_moving()

        def about_moving() -> list[str]:
            return [reason for reason in agent._why_busy() if "moves" in reason]

        try:
            unknown = ["whether the vehicle moves is not known: there is no newer fix with a speed"]
            assert about_moving() == unknown
            assert moves(2.1) == ["the vehicle moves, at 8 km/h"] and moves(1.9) == []
            later = asyncio.ensure_future(clock.sleep(30.1))
            await clock.wake_next()
            await later
            assert about_moving() == unknown
        finally:
            await agent._keeper.close()

    asyncio.run(scenario())
