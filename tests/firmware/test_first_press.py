"""A device from its files: the assembled tree, its gpsd and its agent as their units say, to a first settled press.

The agent is run by its unit's own ExecStart, Environment and sandbox, as far as `tests.firmware.sandbox` puts that in
place (`APPLIED`, `NOT_APPLIED`). Not the device's own are: its panel and inputs, for want of GPIO (`[panel]` is written
anew, with the scripted backend, and `[inputs]` left out); its receiver, a recorded one; its ports; its watchdog's time.
"""

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from msgspec.structs import replace

from edge_agent.config import load
from edge_agent.image.assemble import Wanted, assemble
from edge_agent.image.device import Identity
from tests.brokers import RunningBroker
from tests.edge_agent.notify_lab import Notified, notified
from tests.firmware.sandbox import Sandbox, require_sandbox
from tests.firmware.units import UnitFile, read_unit
from tests.gpsd_lab import GpsdLab, running
from tests.gpsd_logs import packets
from tests.ports import free_port
from tests.programs import require_program
from tests.site import DEVICE, UNIT, following, pressing, running_site, status_code, write_directory
from tests.waiting import eventually

BUILT_AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LOG = "ublox-neo-m9n-nmea.log"
WATCHED_S = 2.0
"""In place of the unit's 30 s, so that nobody waits for those."""
START_S = 30.0
PANEL = {"backend": "scripted", "path": "/run/watchroom/panel.sock"}
"""In place of GPIO lines."""


def assembled(folder: Path) -> Path:
    """An appliance's tree, as `edge-agent image` assembles it, with the agent that runs these tests."""
    require_program("dtc")
    identity = Identity(device=DEVICE, organisation="kfrs", enrolment=f"E-{DEVICE}", unit=UNIT)
    out = assemble(Wanted(profile="appliance", out=folder / "device", identity=identity), BUILT_AT).out
    (out / "opt").mkdir(exist_ok=True)
    (out / "opt/watchroom").symlink_to(sys.prefix)
    told = out / "etc/watchroom/device.toml"
    document: dict[str, Any] = tomllib.loads(told.read_text("utf-8"))
    document["panel"] = {**PANEL, "buttons": document["panel"]["buttons"], "emergency": document["panel"]["emergency"]}
    document.pop("inputs", None)
    told.write_text(tomli_w.dumps(document), encoding="utf-8")
    return out


@contextlib.asynccontextmanager
async def started(
    command: list[str], *, log: Path, keep: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command beside the block, its words in `log`, and kill it at the end."""
    with log.open("wb") as words:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=words, stderr=words, pass_fds=() if keep is None else (keep,), start_new_session=True
        )
    try:
        yield process
    except BaseException:
        sys.stderr.write(log.read_text("utf-8", "replace"))
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def settings_of(path: Path) -> dict[str, str]:
    """The variables of an environment file."""
    rows = (line.split("=", 1) for line in path.read_text("utf-8").splitlines() if "=" in line and line[0] != "#")
    return {name: value.strip('"') for name, value in rows}


def gpsd_command(unit: UnitFile, device: Path) -> list[str]:
    """What the unit starts, with the variables of /etc/default/gpsd put in as systemd does: as words of their own."""
    known = {"OPTIONS": "", **settings_of(device / "etc/default/gpsd")}
    words = (known[word[1:]].split() if word.startswith("$") else [word] for word in unit.one("ExecStart").split())
    return [part for word in words for part in word]


@contextlib.asynccontextmanager
async def receiving(device: Path, folder: Path, log: Path) -> AsyncIterator[int]:
    """The device's gpsd, given its socket as systemd does, on a recorded receiver that talks without end. Its port."""
    unit = read_unit(device, "gpsd.service")
    port = free_port()
    place = folder / "gpsd"
    place.mkdir()
    lab = GpsdLab(place, port, wait_for_client=False)
    terminal = os.readlink(place / "receiver")
    sandbox = Sandbox(unit, device=device, folder=place, devices={"watchroom/receiver": terminal})
    with socket.create_server(("127.0.0.1", port)) as listening:
        command = sandbox.command(*gpsd_command(unit, device), listening=listening.fileno())
        try:
            async with started(command, log=folder / "gpsd.log", keep=listening.fileno()), running(_talk(lab, log)):
                yield port
        finally:
            lab.disconnect()


async def _talk(lab: GpsdLab, log: Path) -> None:
    while True:
        await lab.feed(packets(log), cycle_s=0.01)


class Device:
    """The running agent of an assembled device."""

    def __init__(self, process: asyncio.subprocess.Process, sandbox: Sandbox, *, device: Path) -> None:
        """Take a started agent."""
        self.process, self.sandbox = process, sandbox
        config = load(device / "etc/watchroom/device.toml", {})
        assert config.panel is not None
        panel = replace(config.panel, path=str(sandbox.runtime / "panel.sock"))
        self.config = replace(config, panel=panel)


@contextlib.asynccontextmanager
async def running_device(
    device: Path, folder: Path, *, broker: str, gpsd: int, listener: Notified
) -> AsyncIterator[Device]:
    """The agent as its unit starts it."""
    unit = read_unit(device, "watchroom-agent.service")
    sandbox = Sandbox(unit, device=device, folder=folder)
    assert unit.one("Type") == "notify" and unit.one("WatchdogSec") == "30s"
    environ: Mapping[str, str] = {
        **listener.environ,
        "EDGE__LINK__BROKER": broker,
        "EDGE__LINK__HEARTBEAT_S": "1",
        "EDGE__GPSD__PORT": str(gpsd),
        "EDGE__PAGE__PORT": str(free_port()),
    }
    command = sandbox.command(*shlex.split(unit.one("ExecStart")), environ=environ)
    async with started(command, log=folder / "agent.log") as process:
        yield Device(process, sandbox, device=device)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name is short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="wr-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_device_made_of_its_files_settles_its_first_press(
    shared_nats: RunningBroker, real_data: Path, tmp_path: Path, short_folder: Path
) -> None:
    """From the assembled tree: gpsd gives a fix, systemd hears that the agent is ready, and a press is settled.

    Frozen afterwards, as a hung agent is, it pets the watchdog no more.
    """
    require_sandbox()
    require_program("gpsd")

    async def scenario() -> None:
        device = assembled(tmp_path)
        directory = write_directory(tmp_path / "directory")
        async with (
            running_site(tmp_path / "data", broker_port=shared_nats.port, directory=directory) as app,
            following(app) as feed,
            receiving(device, tmp_path, real_data / "gpsd" / LOG) as gpsd,
            notified(WATCHED_S) as systemd,
            running_device(device, short_folder, broker=shared_nats.url, gpsd=gpsd, listener=systemd) as running_one,
        ):
            await systemd.hears("READY=1", deadline_s=START_S)
            async with pressing(running_one.config) as panel:
                await panel.press("b4")
                await eventually(lambda: panel.lamps.get("b4") == "steady", what="a steady lamp", deadline_s=START_S)
                await eventually(lambda: status_code(feed)() == "4", what="the press on the feed")
                await eventually(lambda: feed.records[UNIT].position is not None, what="a position on the feed")
            await systemd.petted(1)
            assert not systemd.expired
            assert systemd.senders == {running_one.process.pid}, "the service's main process"
            assert (running_one.sandbox.state / "outbox.db").stat().st_mode & 0o777 == 0o600
            running_one.process.send_signal(signal.SIGSTOP)
            await systemd.ran_out()
            running_one.process.send_signal(signal.SIGCONT)
            await systemd.petted(1)
            running_one.process.terminate()
            await systemd.hears("STOPPING=1")
            async with asyncio.timeout(START_S):
                assert await running_one.process.wait() == 0

    asyncio.run(scenario())
