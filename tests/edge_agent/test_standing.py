"""How the agent stands: one list of findings, letter by letter the same wherever it is told."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import json
from msgspec.structs import replace
from structlog.testing import capture_logs

from edge_agent.around import runtime_folder
from edge_agent.clock import SystemClock
from edge_agent.config import Config, load
from edge_agent.diagnose import examine
from edge_agent.link.writer import tell_health
from edge_agent.standing import EVERY_S, NAME, OLD_S, Standing, StandingFile, find_standing, read_standing
from edge_agent.state.health import JOINING_S, PARTS
from edge_agent.turnout.journal import read_boot_id
from simulator.plant import Plant
from simulator.stations import StationSettings, wire_plant, write_station
from tests.brokers import RunningBroker
from tests.edge_agent.glass_lab import Shown, showing
from tests.edge_agent.link.lab import Cloud, SkippingClock, beside, playing_cloud
from tests.edge_agent.outbox.conftest import mounted
from tests.edge_agent.test_building import SMALL
from tests.ports import free_port
from tests.waiting import eventually
from wire.findings import Finding, fail, well
from wire.messages import Birth, Heartbeat

WELL = (well("disk", "has room"),)
BROKEN = (fail("disk", "full", "make room"),)
DOWN = "the WAN is down: no connection to the broker"


def standing(**changed: object) -> Standing:
    """What an agent says now."""
    now_s = SystemClock().monotonic()
    first = Standing(boot_id=read_boot_id(), written_s=now_s, pid=os.getpid(), findings=BROKEN, busy=("mobile",))
    return replace(first, **changed)


def test_what_is_written_is_read_and_what_is_no_word_of_now_is_not(tmp_path: Path) -> None:
    """A fresh word of this boot is read whole; an old one, one of another boot, and what is no word at all are none."""
    now_s = SystemClock().monotonic()
    fresh, file = standing(), tmp_path / NAME
    assert read_standing(tmp_path, now_s) is None
    for said, expected in (
        (json.encode(fresh), fresh),
        (json.encode(replace(fresh, written_s=now_s - OLD_S - 1)), None),
        (json.encode(replace(fresh, written_s=now_s + 60)), None),
        (json.encode(replace(fresh, boot_id="another")), None),
        (json.encode(fresh)[:-9], None),
        (b"\xff\xfe", None),
        (b"[" * 70_000, None),
    ):
        file.write_bytes(said)
        assert expected == read_standing(tmp_path, now_s)


def test_only_the_words_of_the_agent_that_runs_are_taken(tmp_path: Path) -> None:
    """Of several places the first counts in which this very process has spoken."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, pid in ((one, 1), (two, 2)):
        folder.mkdir()
        (folder / NAME).write_bytes(json.encode(standing(pid=pid)))
    now_s = SystemClock().monotonic()
    mine, nobody = (find_standing((one, two), now_s, pid=pid) for pid in (2, 3))
    assert mine is not None and mine.pid == 2 and nobody is None


def test_it_is_said_where_systemd_says(tmp_path: Path) -> None:
    """In the first runtime folder of the service; without one in the state folder."""
    assert runtime_folder({"RUNTIME_DIRECTORY": "/run/watchroom:/run/other"}, tmp_path) == Path("/run/watchroom")
    assert runtime_folder({}, tmp_path) == tmp_path


class HurriedClock(SkippingClock):
    """One by which nobody waits for long."""

    async def sleep(self, duration_s: float) -> None:
        """Wait a moment."""
        await super().sleep(min(duration_s, 0.01))


class Told:
    """What an agent has to say, and how often it was asked."""

    def __init__(self) -> None:
        """All is well."""
        self.findings, self.asked = WELL, 0

    def look(self) -> tuple[Finding, ...]:
        """Say it."""
        self.asked += 1
        return self.findings

    async def ask_again(self) -> None:
        """Return once it was asked twice more: what was said before has been written, or could not be."""
        before = self.asked
        await eventually(lambda: self.asked >= before + 2, what="asked again")


@contextlib.asynccontextmanager
async def saying(folder: Path, clock: SkippingClock) -> AsyncIterator[Told]:
    """The file is kept."""
    told = Told()
    file = StandingFile(folder, boot_id=read_boot_id(), clock=clock)
    async with beside(file.run(told.look, lambda: ("mobile",))):
        yield told


def test_a_change_is_said_at_once_and_no_change_is_said_again(tmp_path: Path) -> None:
    """The file says what is so, goes on being fresh while nothing changes, and is gone when the agent ends."""

    async def scenario() -> None:
        clock = HurriedClock()

        def now() -> Standing | None:
            return read_standing(tmp_path, clock.monotonic())

        async with saying(tmp_path, clock) as agent:
            await eventually(now, what="the first word")
            assert (one := now()) and (one.findings, one.busy) == (WELL, ("mobile",))
            agent.findings = BROKEN
            await agent.ask_again()
            assert (one := now()) and one.findings == BROKEN
            clock.skip(EVERY_S)
            await agent.ask_again()
            assert (again := now()) and again.written_s >= one.written_s + EVERY_S
        assert not list(tmp_path.iterdir())

    asyncio.run(scenario())


def test_whoever_is_on_the_device_may_read_it(tmp_path: Path) -> None:
    """Also under the umask of the unit, by which nothing else that the agent writes is for others."""

    async def scenario() -> None:
        async with saying(tmp_path, HurriedClock()) as agent:
            await agent.ask_again()
            assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o644

    before = os.umask(0o077)
    try:
        asyncio.run(scenario())
    finally:
        os.umask(before)


def test_a_disk_that_takes_nothing_hurts_nothing(tmp_path: Path) -> None:
    """On a full disk it goes on, says so once, and leaves nothing half written; with room it says how it stands."""

    async def scenario(disk: Path) -> None:
        clock = HurriedClock()
        (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        async with saying(disk, clock) as agent:
            for number in range(3):
                agent.findings = (well("disk", str(number)),)
                await agent.ask_again()
            assert [one.name for one in disk.iterdir()] == ["filler"]
            (disk / "filler").unlink()
            clock.skip(EVERY_S)
            await eventually(lambda: read_standing(disk, clock.monotonic()), what="room again")

    with mounted(tmp_path / "disk", "size=64k") as disk, capture_logs() as lines:
        asyncio.run(scenario(disk))
    assert [line["event"] for line in lines] == ["standing_not_written"]


# One list, four places.


def write_shared(folder: Path, broker: RunningBroker, plant_port: int) -> Path:
    """A station with a bus, a receiver that nobody has plugged in, and a touch page."""
    settings = StationSettings(
        broker_port=broker.port, plant_port=plant_port, page_port=free_port(), poll_ms=100, heartbeat_s=1.0
    )
    path = write_station(SMALL, folder, settings)
    path.write_text(f"{path.read_text()}\n[gpsd]\nport = {free_port()}\nsilent_after_s = 1.0\n")
    return path


async def places(path: Path, shown: Shown, clock: SkippingClock) -> dict[str, list[Finding]]:
    """What the page and `edge-agent diagnose` say of the device's parts."""
    looked = await examine(path, {}, clock)
    page = list(shown.page.health)
    parts = {one.check for one in page}
    return {"page": page, "diagnose": [one for one in looked if one.check in parts]}


async def agree(path: Path, shown: Shown, clock: SkippingClock) -> list[Finding]:
    """Wait until both have heard of what has just changed, and give what they say."""

    def is_said() -> bool:
        one = read_standing(path.parent / "state", clock.monotonic())
        return one is not None and one.findings == shown.page.health

    for _ in range(3):
        await eventually(is_said, what="it is said to others on the device")
        said = await places(path, shown, clock)
        if said["page"] == said["diagnose"]:
            return said["page"]
    raise AssertionError(f"they do not come to agree: {said}")


async def heard(cloud: Cloud, said: list[Finding]) -> None:
    """The device's messages come to say it too."""

    def says() -> bool:
        return any(one.health == tell_health(tuple(said)) for one in cloud.all(Heartbeat)[-1:])

    await eventually(says, what=f"the heartbeat says the same: {said}")


def find(said: list[Finding], part: str) -> Finding:
    """The finding of a part."""
    return next(one for one in said if one.check == part)


def test_the_page_the_heartbeat_and_diagnose_say_the_same(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A receiver that is away, a module that falls silent, a broker that goes: letter by letter in each place."""

    async def scenario() -> None:
        plant, clock = Plant(wire_plant(SMALL), clock=SystemClock()), SkippingClock()
        async with plant.serve_tcp() as port:
            path = write_shared(tmp_path, fresh_mosquitto, port)
            config = load(path, {})
            async with cloud_of(config, fresh_mosquitto) as cloud, showing(config, clock) as shown:
                await eventually(lambda: shown.page.mains == "ok" and shown.page.control.seen, what="all is up")
                plant.go_silent("bays")
                await eventually(lambda: find_level(shown, "bus") == "fail", what="bays is silent")
                await eventually(lambda: find_level(shown, "receiver") == "fail", what="gpsd is away")
                said = await agree(path, shown, clock)
                assert (
                    "bays does not answer" in find(said, "bus").found and "no gpsd on" in find(said, "receiver").found
                )
                assert [one.check for one in said] == [*PARTS, "station"]
                await heard(cloud, said)
                beat = cloud.all(Heartbeat)[-1]
                assert all(any(fault in one.found for one in beat.health or ()) for fault in beat.faults)
            fresh_mosquitto.stop()
            async with showing(config, clock) as shown:
                await eventually((tmp_path / "state" / NAME).exists, what="it has started")
                clock.skip(JOINING_S)
                await eventually(lambda: find_level(shown, "link") == "fail", what="the broker is away")
                said = await agree(path, shown, clock)
                assert find(said, "link").found.startswith(DOWN)

    asyncio.run(scenario())


def find_level(shown: Shown, part: str) -> str:
    """A part's verdict on the page."""
    return find(list(shown.page.health), part).level


@contextlib.asynccontextmanager
async def cloud_of(config: Config, broker: RunningBroker) -> AsyncIterator[Cloud]:
    """A cloud that answers this device."""
    async with playing_cloud(broker, config.device.organisation, config.device.id) as cloud:
        cloud.answering = True
        yield cloud


def test_a_birth_does_not_say_that_there_is_no_connection(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """What is being sent proves its connection: a birth after a long outage does not claim that the broker is away."""

    async def scenario() -> None:
        clock = SkippingClock()
        config = load(write_shared(tmp_path, fresh_mosquitto, free_port()), {})
        fresh_mosquitto.stop()
        async with showing(config, clock) as shown:
            clock.skip(600.0)
            await eventually(lambda: find_level(shown, "link") == "fail", what="the broker is away")
            fresh_mosquitto.start()
            async with cloud_of(config, fresh_mosquitto) as cloud:
                link = find((await cloud.first(Birth)).health or [], "link")
        assert (link.level, link.found) == ("ok", "")

    asyncio.run(scenario())


def test_a_birth_that_did_not_go_out_ends_no_outage(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """For how long the WAN is down counts on through attempts: what they would have said is none of the device's."""

    async def scenario() -> None:
        clock = SkippingClock()
        config = load(write_shared(tmp_path, fresh_mosquitto, free_port()), {})
        fresh_mosquitto.stop()
        async with showing(config, clock) as shown:
            clock.skip(700.0)
            account = shown.agent._account
            for _ in range(2):
                assert find(list(account.look()), "link").found == f"{DOWN} for over 10 min"
                assert find(list(account.describe().health), "link").level == "ok"

    asyncio.run(scenario())


@pytest.mark.parametrize("busy", [(), ("an order stands here",)])
def test_why_it_must_not_be_updated_is_said_too(tmp_path: Path, busy: tuple[str, ...]) -> None:
    """The reasons go with the findings, for whoever wants to update the device."""
    (tmp_path / NAME).write_bytes(json.encode(standing(busy=busy)))
    found = read_standing(tmp_path, SystemClock().monotonic())
    assert found is not None and found.busy == busy
