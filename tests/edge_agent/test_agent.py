"""The agent, whole: what a press, a crash, a full disk, an absent receiver and a dead broker do to it."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from edge_agent.agent import FIXES_WAITING_MAX, TRACK_WAITING_MAX, Agent
from edge_agent.clock import SystemClock
from edge_agent.config import Config
from edge_agent.outbox import StorageFailed
from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import Cloud, SkippingClock, lock, own_tasks, playing_cloud, settle_of
from tests.edge_agent.link.program import running_program
from tests.edge_agent.outbox.conftest import mounted
from tests.edge_agent.outbox.lab import press
from tests.gpsd_lab import Talk, peer
from tests.ports import free_port
from tests.site import UNIT, Presser, pressing, running_agent, running_site, write_device, write_directory
from tests.waiting import eventually
from wire import codec
from wire.messages import Birth, Death, Heartbeat

PLACE = ("51.2345", "0.9876")
FIXES = 2_500
AHEAD_MAX = 20
TASKS_MAX = 20
"""A whole agent runs on about a dozen tasks: its own five, its sources' and its connection's."""
TRACK_ROWS_MAX = 1_000


async def shows(panel: Presser, **lit: str) -> None:
    """The panel comes to show these lamps, whatever the others show."""
    await eventually(lambda: lit.items() <= panel.lamps.items(), what=f"{lit}")


def told_codes(cloud: Cloud) -> list[str]:
    """The code of every status that the cloud was sent, each sequence once, in order."""
    codes: dict[tuple[str, int], str] = {}
    for envelope in cloud.envelopes("status"):
        for raw in envelope.events:
            event = codec.decode_event(bytes(raw))
            assert not isinstance(event, codec.Rejected) and event.__class__.__name__ == "StatusEvent"
            codes[envelope.stream, event.seq] = getattr(event, "code", "")
    return list(codes.values())


def on_disk(config: Config, disk: Path) -> Config:
    """The same device, its outbox on that disk with the smallest reserve."""
    return replace(
        config,
        device=replace(config.device, state_dir=str(disk / "state")),
        outbox=replace(config.outbox, reserve_kib=64),
    )


def test_a_killed_agent_sends_its_press_after_the_restart(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Killed between press and settle: its death is told, and the next run shows the press, sends it and is settled."""
    broker = fresh_mosquitto

    async def scenario() -> None:
        config = write_device(tmp_path / "device", broker=broker.url)
        directory = write_directory(tmp_path / "directory")
        async with playing_cloud(broker, "kfrs", config.device.id) as cloud:
            async with running_program(tmp_path / "device") as program, pressing(config) as panel:
                await cloud.first(Birth)
                await panel.press("b4")
                await shows(panel, b4="slow")
                await cloud.envelope("status")
                program.kill()
                death = await cloud.first(Death)
            async with running_program(tmp_path / "device") as program:
                await eventually(lambda: len(cloud.all(Birth)) == 2, what="the second birth")
                async with pressing(config) as panel:
                    await shows(panel, b4="slow")
                    async with running_site(tmp_path / "data", broker_port=broker.port, directory=directory):
                        await shows(panel, b4="steady")
            first, second = cloud.all(Birth)
            assert (death.boot, death.conn, death.stream) == (first.boot, first.conn, first.stream)
            assert second.stream == first.stream and second.boot == first.boot + 1
            assert told_codes(cloud) == ["4"]

    asyncio.run(scenario())


def test_the_death_of_a_killed_agent_is_told_and_kept(fresh_nats: RunningBroker, tmp_path: Path) -> None:
    """The same will on the other broker: whoever comes later finds the death, not the birth."""

    async def scenario() -> None:
        config = write_device(tmp_path / "device", broker=fresh_nats.url)
        async with playing_cloud(fresh_nats, "kfrs", config.device.id) as cloud:
            async with running_program(tmp_path / "device") as program:
                birth = await cloud.first(Birth)
                program.kill()
                death = await cloud.first(Death)
            assert (death.boot, death.conn, death.stream) == (birth.boot, birth.conn, birth.stream)
        async with playing_cloud(fresh_nats, "kfrs", config.device.id) as late:
            assert await late.first(Death) == death

    asyncio.run(scenario())


def test_a_press_that_no_disk_takes_is_fast_and_never_told(shared_nats: RunningBroker, tmp_path: Path) -> None:
    """Disk and reserve full: the lamp is fast, log and heartbeat say why, and with room again the agent goes on."""

    async def scenario(disk: Path) -> None:
        config = on_disk(write_device(tmp_path / "device", broker=shared_nats.url, device="veh-full"), disk)
        async with (
            playing_cloud(shared_nats, "kfrs", "veh-full") as cloud,
            running_agent(config, SystemClock()) as agent,
            pressing(config) as panel,
        ):
            filler = disk / "filler"
            filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 4096))
            with pytest.raises(StorageFailed):
                while True:
                    await agent._keeper.append("status", [press("99", unit=UNIT, remarks="x" * 400) for _ in range(20)])
            stored = (await agent._keeper.held()).last_status
            await panel.press("b1")
            await shows(panel, b1="fast")
            beats = len(cloud.all(Heartbeat))
            await eventually(lambda: len(cloud.all(Heartbeat)) > beats + 1, what="two more heartbeats")
            assert "full" in cloud.all(Heartbeat)[-1].faults[0]
            assert cloud.all(Heartbeat)[-1].last_seq.status == stored
            filler.unlink()
            await panel.press("b2")
            await shows(panel, b1="dark", b2="slow")
            cloud.settling = True
            await cloud.settle(settle_of(cloud.envelopes("status")[-1]))
            await eventually(lambda: agent._keeper.depth.status == 0, what="everything settled")
            assert told_codes(cloud) == ["99"] * stored + ["2"]

    with mounted(tmp_path / "disk", "size=1024k") as disk, capture_logs() as lines:
        asyncio.run(scenario(disk))
    failed = [line for line in lines if line["event"] == "press_not_stored"]
    assert [(line["button"], line["log_level"]) for line in failed] == [("b1", "error")]
    assert sum(line["event"] == "press_stored" for line in lines) == 1


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A gpsd without a receiver: it lets the device in and is silent."""
    while await reader.read(1024):
        pass


@pytest.mark.parametrize(("talk", "fault"), [(None, "no gpsd on"), (say_nothing, "no usable position")])
def test_without_positions_a_press_is_as_quick(
    shared_nats: RunningBroker, tmp_path: Path, talk: Talk | None, fault: str
) -> None:
    """A gpsd that is absent or silent is a fault in the heartbeat, and no press waits for it."""

    async def scenario(port: int) -> None:
        device = f"veh-{'silent' if talk else 'absent'}"
        config = write_device(tmp_path / "device", broker=shared_nats.url, device=device, gpsd=(port, 1.0))
        async with (
            playing_cloud(shared_nats, "kfrs", device) as cloud,
            running_agent(config, SystemClock()),
            pressing(config) as panel,
        ):
            cloud.answering = True
            await eventually(
                lambda: any(fault in one for beat in cloud.all(Heartbeat) for one in beat.faults), what=fault
            )
            pressed_s = asyncio.get_running_loop().time()
            await panel.press("b4")
            await shows(panel, b4="slow")
            await cloud.envelope("status")
            assert asyncio.get_running_loop().time() - pressed_s < 0.5
            assert told_codes(cloud) == ["4"]

    async def listening() -> None:
        async with peer(talk or say_nothing) as port:
            await scenario(port)

    asyncio.run(listening() if talk else scenario(free_port()))


def receiver(clock: SkippingClock, fixes: int, told: list[int], ahead: Callable[[], int] = lambda: 0) -> Talk:
    """A receiver that tells so many fixes a second apart, the clock skipping along, as fast as they are read.

    Where `ahead` counts those that wait to be taken in, it does not get far ahead.
    """

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while told[0] < fixes:
            if ahead() > AHEAD_MAX:
                await asyncio.sleep(0)
                continue
            clock.skip(1.0)
            told[0] += 1
            writer.write(tpv(clock, told[0]))
            await writer.drain()
            await asyncio.sleep(0)

    return talk


def tpv(clock: SkippingClock, number: int) -> bytes:
    """A fix of a vehicle that creeps along."""
    fix = {
        "class": "TPV",
        "device": "/dev/gnss0",
        "mode": 3,
        "time": clock.now().isoformat().replace("+00:00", "Z"),
        "lat": float(PLACE[0]) + number * 1e-7,
        "lon": float(PLACE[1]),
        "epx": 4.0,
        "epy": 4.0,
        "speed": 0.1,
    }
    return json.dumps(fix).encode() + b"\n"


def small(config: Config) -> Config:
    """The same device with as little track as may be configured."""
    return replace(config, outbox=replace(config.outbox, track_max_rows=TRACK_ROWS_MAX))


async def watched(told: list[int], fixes: int, *measures: Callable[[], int]) -> list[int]:
    """The peak of each measure while so many fixes are told and taken in."""
    peaks = [0] * len(measures)

    def look() -> bool:
        peaks[:] = [max(peak, measure()) for peak, measure in zip(peaks, measures, strict=True)]
        return told[0] >= fixes

    await eventually(look, what="every fix", deadline_s=60.0)
    return peaks


def test_an_agent_whose_broker_is_dead_keeps_within_its_bounds(tmp_path: Path) -> None:
    """Forty minutes of fixes with nobody to send to: what waits in memory stays small, and the oldest track goes."""

    async def scenario() -> None:
        clock, told, agents = SkippingClock(), [0], list[Agent]()
        talk = receiver(clock, FIXES, told, lambda: sum(agent._readings.qsize() for agent in agents))
        async with peer(talk) as port:
            config = write_device(
                tmp_path / "device", broker=f"mqtt://127.0.0.1:{free_port()}", gpsd=(port, 1.0), every_fix=True
            )
            async with running_agent(small(config), clock) as agent, pressing(config) as panel:
                agents.append(agent)
                waiting, track, tasks = await watched(
                    told, FIXES, agent._readings.qsize, lambda: len(agent._track), lambda: len(own_tasks())
                )
                assert waiting <= FIXES_WAITING_MAX and track <= TRACK_WAITING_MAX and tasks <= TASKS_MAX
                await eventually(lambda: agent._readings.empty() and not agent._track, what="all taken in")
                await eventually(lambda: agent._keeper.depth.track <= TRACK_ROWS_MAX, what="the oldest track gone")
                assert (await agent._keeper.held()).last_track > 2 * TRACK_ROWS_MAX
                await panel.press("b4")
                await shows(panel, b4="slow")

    asyncio.run(scenario())


def test_an_agent_whose_disk_fails_keeps_the_newest_track_and_no_more(tmp_path: Path) -> None:
    """While nothing can be written, fixes wait within their bounds; once it can, the newest of them are committed."""

    async def scenario() -> None:
        clock, told = SkippingClock(), [0]
        async with peer(receiver(clock, FIXES, told)) as port:
            config = write_device(
                tmp_path / "device", broker=f"mqtt://127.0.0.1:{free_port()}", gpsd=(port, 1.0), every_fix=True
            )
            async with running_agent(config, clock) as agent:
                other = lock(agent._keeper, patience_ms=1)
                waiting, track = await watched(told, FIXES, agent._readings.qsize, lambda: len(agent._track))
                await eventually(lambda: agent._readings.empty(), what="all taken in", deadline_s=30.0)
                assert waiting <= FIXES_WAITING_MAX and 0 < track <= TRACK_WAITING_MAX
                other.close()
                await eventually(lambda: agent._keeper.depth.track > 0 and not agent._track, what="committed")
                assert agent._keeper.depth.track <= TRACK_WAITING_MAX

    asyncio.run(scenario())


def test_no_position_is_in_the_log(shared_nats: RunningBroker, tmp_path: Path) -> None:
    """A run with fixes, presses and a dead receiver says nothing of where the vehicle was, and every line is JSON."""

    async def scenario() -> None:
        clock, told = SkippingClock(), [0]
        async with peer(receiver(clock, 50, told)) as port:
            write_device(
                tmp_path / "device", broker=shared_nats.url, device="veh-log", gpsd=(port, 1.0), every_fix=True
            )
            config = write_device(
                tmp_path / "device", broker=shared_nats.url, device="veh-log", gpsd=(port, 1.0), every_fix=True
            )
            async with (
                playing_cloud(shared_nats, "kfrs", "veh-log") as cloud,
                running_program(tmp_path / "device") as program,
                pressing(config) as panel,
            ):
                live = await cloud.envelope("live")
                assert PLACE[0].encode() in bytes(live.events[0]), "a position is there to be leaked"
                await panel.press("b4")
                await eventually(lambda: program.said("press_stored"), what="the press in the log")
                program.interrupt()
                assert await program.ended() == 0
        assert [line["event"] for line in program.log] == ["link_up", "press_stored"]
        assert not any(number in line for line in program.lines for number in PLACE)

    asyncio.run(scenario())
