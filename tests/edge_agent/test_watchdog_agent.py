"""The agent and its watchdog: what hangs stops the petting, and what fails does not."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.agent import Agent
from edge_agent.clock import SystemClock
from edge_agent.config import Config
from edge_agent.watchdog import Watchdog
from tests.chaos.filesystems import MountRefused, powered_disk
from tests.edge_agent.notify_lab import Notified, notified
from tests.edge_agent.outbox.conftest import mounted
from tests.gpsd_lab import running
from tests.ports import free_port
from tests.programs import give_up
from tests.site import Presser, pressing, write_device
from tests.waiting import eventually

WATCHED_S = 1.5
PATIENCE_S = 1.0
DISK_KIB = 8 * 1024
FREEZE, THAW = 0xC0045877, 0xC0045878
"""FIFREEZE and FITHAW of linux/fs.h: from the one to the other, who writes to the file system hangs."""


@contextmanager
def frozen(disk: Path) -> Iterator[None]:
    """Let whoever writes to the disk hang within the block, as with a card that answers no more."""
    folder = os.open(disk, os.O_RDONLY)
    fcntl.ioctl(folder, FREEZE, 0)
    try:
        yield
    finally:
        fcntl.ioctl(folder, THAW, 0)
        os.close(folder)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, that can be frozen. Where mounting is not permitted the test is skipped; in CI it fails."""
    with contextlib.ExitStack() as disks:
        try:
            disk = disks.enter_context(powered_disk(tmp_path, DISK_KIB))
        except MountRefused as error:
            give_up(str(error))
        yield disk.path


def device_on(disk: Path, folder: Path) -> Config:
    """A device that keeps its state on that disk, and has nobody to send to."""
    config = write_device(folder / "device", broker=f"mqtt://127.0.0.1:{free_port()}")
    return replace(
        config,
        device=replace(config.device, state_dir=str(disk / "state")),
        outbox=replace(config.outbox, reserve_kib=256),
    )


@contextlib.asynccontextmanager
async def watched(config: Config) -> AsyncIterator[tuple[Notified, Presser]]:
    """The agent under a watchdog that is petted, and a finger on its panel."""
    async with notified(WATCHED_S) as systemd:
        clock = SystemClock()
        dog = Watchdog(clock, systemd.environ, patience_s=PATIENCE_S)
        agent = Agent(config, clock=clock, watchdog=dog)
        async with running(agent.run()), pressing(config) as panel:
            await systemd.petted(2)
            yield systemd, panel


def test_a_disk_that_hangs_stops_the_petting(card: Path, tmp_path: Path) -> None:
    """A press that hangs on the disk stops the petting in time, says why, and lights no lamp; it is kept in the end."""

    async def scenario() -> None:
        async with watched(device_on(card, tmp_path)) as (systemd, panel):
            with frozen(card):
                await panel.press("b4")
                await systemd.ran_out()
                assert "disk has not answered for " in systemd.status
                assert panel.lamps["b4"] == "dark"
            await systemd.petted(1)
            await eventually(lambda: panel.lamps["b4"] == "slow", what="the press, kept after all")

    asyncio.run(scenario())


def test_a_full_disk_is_petted_on(tmp_path: Path) -> None:
    """A press that a full disk does not take is told by its lamp, and never by a restart: the petting goes on."""

    async def scenario(disk: Path) -> None:
        async with watched(device_on(disk, tmp_path)) as (systemd, panel):
            free = os.statvfs(disk)
            (disk / "filler").write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - 4096)))
            # By hand, and more often than the reserve has room for.
            while panel.lamps.get("b1") != "fast":
                await panel.press("b1")
                await eventually(lambda: panel.lamps.get("b1") != "dark", what="a lamp")
            await systemd.petted(4)
            assert not systemd.expired
            assert "disk" in systemd.status and "has not answered" not in systemd.status

    with mounted(tmp_path / "disk", "size=700k") as disk:
        asyncio.run(scenario(disk))


def test_readings_that_nobody_takes_stop_the_petting(tmp_path: Path) -> None:
    """Where the loop that takes readings is stuck the petting stops, though the disk answers and heartbeats go out."""

    async def scenario() -> None:
        config = device_on(tmp_path, tmp_path)
        async with notified(WATCHED_S) as systemd:
            clock = SystemClock()
            agent = Agent(config, clock=clock, watchdog=Watchdog(clock, systemd.environ, patience_s=PATIENCE_S))
            async with running(agent.run()):
                await systemd.petted(2)
                fold = next(task for task in asyncio.all_tasks() if "Agent._fold" in repr(task.get_coro()))
                fold.cancel()
                await systemd.ran_out()
                assert systemd.status.startswith("fold has not answered for ")

    asyncio.run(scenario())
