"""`edge-agent diagnose`: it names what is wrong, says what to do, and touches nothing."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from edge_agent.clock import SystemClock
from edge_agent.config.buses import BusSettings, SlaveEntry
from edge_agent.diagnose import examine
from edge_agent.diagnose.readers import look_at_bus, look_at_clock, look_at_gpsd, look_at_panel
from edge_agent.diagnose.storage import find_agent, look_at_folder
from edge_agent.outbox.room import read_room
from edge_agent.standing import NAME
from edge_agent.state.health import Disk, judge_disk
from tests.brokers import RunningBroker
from tests.edge_agent.link.program import asked, running_program
from tests.edge_agent.outbox.conftest import mounted
from tests.gpsd_lab import gpsd_lab
from tests.ports import free_port
from tests.site import Presser, pressing, running_agent, running_site, write_device, write_directory
from tests.waiting import eventually
from wire.findings import Finding, Report, well

SKY = '{"class":"DEVICES","devices":[{"path":"/dev/ttyACM0"}]}'


@contextlib.asynccontextmanager
async def serving(*lines: str) -> AsyncIterator[int]:
    """A TCP server that says these lines to whoever connects, and then nothing; its port."""
    writers: list[asyncio.StreamWriter] = []

    def say(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.writelines([f"{line}\n".encode() for line in lines])

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def written(folder: Path, broker: str = "mqtt://127.0.0.1:1") -> Path:
    """A device's TOML."""
    write_device(folder, broker=broker)
    return folder / "device.toml"


async def found(path: Path) -> dict[str, Finding]:
    """What is found, by what was looked at."""
    return {one.check: one for one in await examine(path, {}, SystemClock())}


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file with its content."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def pressed(presser: Presser, button: str) -> None:
    """Press, and wait until the lamp says that it is kept."""
    await presser.press(button)
    await eventually(lambda: presser.lamps.get(button, "dark") != "dark", what="kept")


# The whole.


def test_a_device_that_is_well(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Beside a running agent on a running cloud nothing failed, and what control shows is told in words."""

    async def scenario() -> None:
        path = written(tmp_path / "device", shared_mosquitto.url)
        config = write_device(tmp_path / "device", broker=shared_mosquitto.url)
        directory = write_directory(tmp_path / "directory")
        async with running_site(tmp_path / "data", broker_port=shared_mosquitto.port, directory=directory):
            async with running_agent(config, SystemClock()), pressing(config) as presser:
                await presser.press("b2")
                await eventually(lambda: presser.lamps.get("b2") == "steady", what="settled")
                seen = await found(path)
        assert {one.check for one in seen.values() if one.level == "fail"} == set()
        assert {"clock"} >= {one.check for one in seen.values() if one.level == "warn"}
        assert seen["unsettled"].found == "status 0, track 0"
        assert "kfrs-14p1 2 In attendance" in seen["control shows"].found
        assert seen["process"].found.startswith("the agent runs as process ")

    asyncio.run(scenario())


def test_a_device_that_nobody_answers(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """With a broker and an agent and no cloud it is the cloud that failed, and the press that waits is counted."""

    async def scenario() -> None:
        path = written(tmp_path / "d", shared_broker.url)
        config = write_device(tmp_path / "d", broker=shared_broker.url, device=f"lone-{shared_broker.kind}")
        async with running_agent(config, SystemClock()), pressing(config) as presser:
            await pressed(presser, "b2")
            seen = await found(path)
        assert (seen["broker"].level, seen["cloud"].level) == ("ok", "fail")
        assert "voice" in seen["cloud"].do and f"lone-{shared_broker.kind} of kfrs" in seen["cloud"].do
        assert seen["unsettled"].found.startswith("status 1, track 0; the oldest status is ")

    asyncio.run(scenario())


def test_it_only_looks(tmp_path: Path) -> None:
    """A stopped device's folder is byte for byte as before, without a file more; a killed one's log is left alone."""

    async def scenario() -> None:
        path = written(tmp_path)
        config = write_device(tmp_path, broker=f"mqtt://127.0.0.1:{free_port()}")
        state = tmp_path / "state"
        async with running_agent(config, SystemClock()), pressing(config) as presser:
            await pressed(presser, "b2")
        before = files_in(state)
        assert (await found(path))["unsettled"].found.startswith("status 1,")
        assert before == files_in(state)
        async with running_program(tmp_path) as program, pressing(config) as presser:
            await pressed(presser, "b4")
            assert find_agent(state) is not None
            program.kill()
            await program.ended()
        before = files_in(state)
        assert before["outbox.db-wal"]
        assert (await found(path))["unsettled"].found.startswith("status 2,")
        assert before["outbox.db"] == files_in(state)["outbox.db"]
        assert before["outbox.db-wal"] == files_in(state)["outbox.db-wal"]
        assert find_agent(state) is None

    asyncio.run(scenario())


def test_the_command_answers_people_and_machines(tmp_path: Path) -> None:
    """It exits with 1 where something failed, without a traceback; --json is one line that says the same."""
    path = written(tmp_path)
    text, lines = asked("diagnose", "--config", path), asked("diagnose", "--config", path, "--json")
    assert (text.returncode, text.stderr, lines.returncode, lines.stderr) == (1, "", 1, "")
    assert "FAIL  broker: mqtt://127.0.0.1:1 refuses: nothing listens there\n      To do: " in text.stdout
    report = msgspec.json.decode(lines.stdout, type=Report)
    assert not report.ok and len(lines.stdout.splitlines()) == 1
    assert all(one.do for one in report.findings if one.level != "ok")
    assert [one.check for one in report.findings] == [
        line[6:].partition(":")[0] for line in text.stdout.splitlines() if line[:6].strip() in ("ok", "warn", "FAIL")
    ]


def test_a_configuration_that_is_wrong_is_told_whole(tmp_path: Path) -> None:
    """Every mistake stands there, and nothing else is claimed."""
    path = tmp_path / "device.toml"
    path.write_text('[device]\nid = "X Y"\norganisation = "kfrs"\n', encoding="utf-8")
    answer = asked("diagnose", "--config", path)
    assert answer.returncode == 1 and answer.stdout.startswith("FAIL  configuration: ")
    assert all(f"      {key}: " in answer.stdout for key in ("device.id", "device.enrolment", "unit"))
    assert answer.stdout.endswith("1 failed, 0 to look after, 0 ok.\n")


# The state folder.


def test_a_damaged_outbox_and_files_that_were_set_aside(tmp_path: Path) -> None:
    """Damage is a failure with what to do; old files are named with their size and how to handle them."""

    async def scenario() -> None:
        path = written(tmp_path)
        config = write_device(tmp_path, broker=f"mqtt://127.0.0.1:{free_port()}")
        async with running_agent(config, SystemClock()), pressing(config) as presser:
            await pressed(presser, "b2")
        outbox = tmp_path / "state" / "outbox.db"
        shutil.copy(outbox, outbox.with_name("outbox.fork-1.db"))
        outbox.write_bytes(outbox.read_bytes()[:5_000])
        seen = await found(path)
        assert seen["outbox"].level == "fail" and "start the agent again" in seen["outbox"].do
        assert "outbox.fork-1.db" in seen["disk"].found and "copy them off" in seen["disk"].do

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("size_kib", "reserve_kib", "level"), [(4_000, 64, "ok"), (4_000, 1_000, "warn"), (64, 100, "fail")]
)
def test_a_disk_without_room(tmp_path: Path, size_kib: int, reserve_kib: int, level: str) -> None:
    """Room for less than the reserve is a failure, for little more a warning."""
    with mounted(tmp_path / "disk", f"size={size_kib}k") as disk:
        room = judge_disk(Disk(room=read_room(disk, reserve_kib)))
    assert (room.check, room.level, bool(room.do)) == ("disk", level, level != "ok")


def test_a_disk_that_cannot_be_written_to(tmp_path: Path) -> None:
    """A read-only disk is a failure, found without writing."""
    with mounted(tmp_path / "disk", "size=64k,ro") as disk:
        (first,) = look_at_folder(disk)
    assert first.level == "fail" and "read-only" in first.do


# The broker.


def test_what_listens_and_is_no_broker(tmp_path: Path) -> None:
    """A port that takes connections and does not speak MQTT is told apart from one where nothing listens."""

    async def scenario() -> None:
        async with serving("SSH-2.0") as port:
            seen = await found(written(tmp_path, f"mqtt://127.0.0.1:{port}"))
        assert seen["broker"].level == "fail" and "does not take an MQTT connection" in seen["broker"].found
        assert "cloud" not in seen

    asyncio.run(scenario())


# What it reads from.


@pytest.mark.parametrize(
    ("lines", "level", "words"),
    [
        ((), "fail", "is no gpsd"),
        (("SSH-2.0",), "fail", "is no gpsd"),
        (('{"class":"DEVICES","devices":[]}',), "fail", "has no receiver"),
        ((SKY,), "fail", "none reported"),
        ((SKY, '{"class":"TPV","mode":1}'), "warn", "without a fix"),
        (
            (SKY, '{"class":"TPV","mode":3,"lat":51.0,"lon":0.5,"time":"2009-01-01T00:00:00.000Z"}'),
            "warn",
            "not believed",
        ),
        ((SKY, '{"class":"TPV","mode":3,"lat":51.0,"lon":0.5,"time":"NOW"}'), "ok", "a 3d fix, 0."),
        ((SKY, '{"class":"TPV","mode":3,"lat":51.0,"lon":0.5,"time":"AGO"}'), "warn", "a 3d fix, 99"),
    ],
)
def test_what_gpsd_says(tmp_path: Path, lines: tuple[str, ...], level: str, words: str) -> None:
    """No gpsd, no receiver, a silent one, no fix, a wrong time and a good fix are six different words."""

    async def scenario() -> Finding:
        now = SystemClock().now()
        times = {"NOW": now, "AGO": now - timedelta(seconds=990)}
        said = list(lines)
        for name, time in times.items():
            said = [line.replace(name, f"{time:%Y-%m-%dT%H:%M:%S.%f}Z") for line in said]
        async with serving(*said) as port:
            config = write_device(tmp_path, broker="mqtt://127.0.0.1:1", gpsd=(port, 2.0))
            finding = await look_at_gpsd(config.gpsd, SystemClock())
        return finding

    finding = asyncio.run(scenario())
    assert (finding.level, words in finding.found) == (level, True), finding
    assert bool(finding.do) == (level != "ok")


def test_a_real_gpsd_with_a_silent_receiver(tmp_path: Path) -> None:
    """Gpsd itself says that it has a receiver, and it is told that this one does not report."""

    async def scenario() -> Finding:
        async with gpsd_lab() as gpsd:
            config = write_device(tmp_path, broker="mqtt://127.0.0.1:1", gpsd=(gpsd.port, 2.0))
            finding = await look_at_gpsd(config.gpsd, SystemClock())
        return finding

    finding = asyncio.run(scenario())
    assert finding.level == "fail" and "has 1 receivers, and none reported" in finding.found


def test_a_panel_that_is_not_there(tmp_path: Path) -> None:
    """A missing input device, a file in the socket's place and an agent without its socket each fail; none is fine."""
    config = write_device(tmp_path, broker="mqtt://127.0.0.1:1")
    assert config.panel is not None
    assert [look_at_panel(None, is_running=True).level] == ["ok"]
    assert [look_at_panel(config.panel, is_running=on).level for on in (False, True)] == ["ok", "fail"]
    Path(config.panel.path).write_text("in the way", encoding="utf-8")
    assert "is no socket" in look_at_panel(config.panel, is_running=True).found
    evdev = msgspec.structs.replace(config.panel, backend="evdev", path=str(tmp_path / "event7"))
    assert "is not there" in look_at_panel(evdev, is_running=True).found


def test_the_clock_is_what_the_kernel_says() -> None:
    """A clock that is not disciplined is a warning, with what disciplines it; one before the image's build is wrong."""
    now = SystemClock().now()
    assert look_at_clock(True, now, None).level == "ok"
    loose = look_at_clock(False, now, None)
    assert loose.level == "warn" and "chrony" in loose.do
    assert look_at_clock(True, now, now + timedelta(days=1)).level == "fail"


def test_a_bus_is_looked_at_without_a_word_on_it(tmp_path: Path) -> None:
    """A missing adapter and a gateway that is away are told, each with its line; a port that is there is in order."""

    async def scenario() -> None:
        slave = (SlaveEntry(name="io1", map="m"),)
        there = BusSettings(name="hall", transport="rtu", path="/dev/null", slave=slave)
        gone = BusSettings(name="bays", transport="rtu", path=str(tmp_path / "ttyUSB7"), slave=slave)
        away = BusSettings(name="roof", transport="tcp", host="127.0.0.1", port=free_port(), slave=slave)
        assert await look_at_bus(()) == well("bus", "none is fitted")
        assert (await look_at_bus((there,))).level == "ok"
        told = await look_at_bus((there, gone, away))
        assert told.level == "fail" and "ttyUSB7 is not there; 127.0.0.1:" in told.found
        assert "adapter of bays" in told.do and "gateway of roof" in told.do

    asyncio.run(scenario())


# The agent's own words.


def test_an_agent_that_says_nothing_is_looked_at_from_outside(tmp_path: Path) -> None:
    """One that holds its folder and has not said how it stands is named as such; so are words of another process."""

    async def scenario() -> None:
        config = write_device(tmp_path, broker=f"mqtt://127.0.0.1:{free_port()}")
        async with running_program(tmp_path) as program, pressing(config):
            said = tmp_path / "state" / NAME
            await eventually(said.exists, what="the agent has said how it stands")
            well_said = (await found(tmp_path / "device.toml"))["process"]
            program.interrupt(signal.SIGSTOP)
            said.write_bytes(said.read_bytes().replace(b'"pid":', b'"pid":1'))
            silent = (await found(tmp_path / "device.toml"))["process"]
            program.interrupt(signal.SIGCONT)
        assert (well_said.level, silent.level) == ("ok", "warn")
        assert "restart it" in silent.do

    asyncio.run(scenario())


def test_all_but_the_wan_is_a_verdict_of_its_own(tmp_path: Path) -> None:
    """A device whose broker alone is away is ready except WAN, and what that means for the crew stands below."""
    path = written(tmp_path)
    text, line = asked("diagnose", "--config", path), asked("diagnose", "--config", path, "--json")
    assert "\nReady except WAN.\nWhat is pressed is kept on this device" in text.stdout and "voice" in text.stdout
    assert msgspec.json.decode(line.stdout, type=Report).verdict == "Ready except WAN."
    (tmp_path / "panel.sock").write_text("in the way", encoding="utf-8")
    assert "Ready except WAN" not in asked("diagnose", "--config", path).stdout
