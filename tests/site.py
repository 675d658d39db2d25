"""A whole Watchroom for tests: the real application in this process, real agents, and a real client of the feed."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import msgspec

from cloud.app import App
from cloud.clock import SystemClock
from cloud.config import BrokerAddress, Settings
from edge_agent.agent import Agent
from edge_agent.clock import Clock
from edge_agent.config import Config, load
from tests.ports import free_port
from tests.waiting import eventually
from wire.feed import Alarms, AlarmView, Changes, FeedRecord, Orders, OrderView, Snapshot

START_S = 20.0
DEVICE = "veh-0001"
UNIT = "kfrs-14p1"

_DIRECTORY = """
[[organisation]]
id = "kfrs"
name = "Weald Fire and Rescue"
service = "fire"

[[base]]
id = "stn14"
name = "Stn 14"
"""
_UNIT = """
[[unit]]
id = "{unit}"
callsign = "{callsign}"
organisation = "kfrs"
type = "pump"
base = "stn14"
scheme = "uk-fire-gd92"
carrier = "{device}"

[[device]]
id = "{device}"
organisation = "kfrs"
enrolment = "E-{device}"
"""


def write_directory(folder: Path, devices: Iterable[str] = (DEVICE,)) -> Path:
    """Write a directory of one fire service: `UNIT` on the first device, and a unit on each other one."""
    folder.mkdir(parents=True, exist_ok=True)
    units = [
        _UNIT.format(unit=unit_of(place), callsign=f"14P{place + 1}", device=device)
        for place, device in enumerate(devices)
    ]
    (folder / "all.toml").write_text(_DIRECTORY + "".join(units), encoding="utf-8")
    return folder


def unit_of(place: int) -> str:
    """The unit that the device at this place of the directory carries."""
    return UNIT if place == 0 else f"{UNIT}-{place}"


def write_device(
    folder: Path,
    *,
    broker: str,
    gpsd: tuple[int, float] | None = None,
    device: str = DEVICE,
    unit: str = UNIT,
    **report: object,
) -> Config:
    """Write a device's TOML with a scripted panel, and load it.

    `gpsd` is its port and `silent_after_s`; `report` goes into its section of that name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f'[device]\nid = "{device}"\norganisation = "kfrs"\nenrolment = "E-{device}"\nstate_dir = "state"',
        f'[link]\nbroker = "{broker}"\nheartbeat_s = 1.0\nsettle_timeout_s = 0.5',
        f'[[unit]]\nid = "{unit}"\nscheme = "uk-fire-gd92"',
        '[panel]\nbackend = "scripted"\npath = "panel.sock"',
        '[panel.buttons]\nb1 = "1"\nb2 = "2"\nb4 = "4"\nb12 = "12"',
        f"[gpsd]\nport = {gpsd[0]}\nsilent_after_s = {gpsd[1]}" if gpsd else "",
        "[report]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in report.items()),
    ]
    path = folder / "device.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return load(path, {})


@contextlib.asynccontextmanager
async def running_site(
    data: Path, *, broker_port: int, directory: Path, for_partners: bool = False
) -> AsyncIterator[App]:
    """The application, on a broker that runs already; with a port for partners where one is asked for."""
    settings = Settings(
        data=data,
        directory=directory,
        port=free_port(),
        partner_port=free_port() if for_partners else 0,
        broker=BrokerAddress("127.0.0.1", broker_port),
    )
    app = App(settings, SystemClock())
    async with _background(app.run()):
        await asyncio.wait_for(app.ready.wait(), START_S)
        yield app


@contextlib.asynccontextmanager
async def running_agent(config: Config, clock: Clock) -> AsyncIterator[Agent]:
    """The real agent, whole."""
    agent = Agent(config, clock=clock)
    async with _background(agent.run()):
        yield agent


class FeedClient:
    """A client of the feed, over HTTP: what it holds is what a control room would show."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.records: dict[str, FeedRecord] = {}
        self.seen: list[FeedRecord] = []
        """Every record that ever came, in order."""
        self.orders: dict[str, OrderView] = {}
        self.seen_orders: list[OrderView] = []
        """Every order that ever came, in order."""
        self.alarms: dict[str, AlarmView] = {}
        self.seen_alarms: list[AlarmView] = []
        """Every alarm that ever came, in order."""
        self.last_id = ""
        self.kinds: list[str] = []

    async def follow(self, address: str, last_id: str = "") -> None:
        """Read the feed until it ends."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        async with httpx.AsyncClient(timeout=None) as client:
            async with client.stream("GET", f"{address}v1/feed", headers=headers) as response:
                event: dict[str, str] = {}
                async for line in response.aiter_lines():
                    if line:
                        name, _, value = line.partition(": ")
                        event[name] = value
                    else:
                        self._take(event)
                        event = {}

    def _take(self, event: dict[str, str]) -> None:
        self.last_id = event.get("id", self.last_id)
        self.kinds.append(event["event"])
        if event["event"] == "tick":
            return
        if event["event"] == "orders":
            for order in msgspec.json.decode(event["data"], type=Orders).orders:
                self.orders[order.order] = order
                self.seen_orders.append(order)
            return
        if event["event"] == "alarms":
            for alarm in msgspec.json.decode(event["data"], type=Alarms).alarms:
                self.alarms[alarm.alarm] = alarm
                self.seen_alarms.append(alarm)
            return
        kind: type[Snapshot] | type[Changes] = Snapshot if event["event"] == "snapshot" else Changes
        for record in msgspec.json.decode(event["data"], type=kind).records:
            self.records[record.unit] = record
            self.seen.append(record)


@contextlib.asynccontextmanager
async def following(app: App) -> AsyncIterator[FeedClient]:
    """A client that follows the feed in the background."""
    client = FeedClient()
    async with _background(client.follow(app.address)):
        await eventually(lambda: client.records, what="a snapshot")
        yield client


class Presser:
    """Presses buttons on a scripted panel, and sees its lamps."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take an open connection."""
        self._reader, self._writer = reader, writer
        self.lamps: dict[str, str] = {}
        self.notice = ""

    async def press(self, button: str) -> None:
        """Push a button and let it go."""
        await self.edge(button, True)
        await self.edge(button, False)

    async def edge(self, button: str, down: bool) -> None:
        """Push a button, or let it go."""
        self._writer.write(json.dumps({"button": button, "down": down}).encode() + b"\n")
        await self._writer.drain()

    async def watch(self) -> None:
        """Keep `lamps` up to date."""
        while line := await self._reader.readline():
            view: dict[str, Any] = json.loads(line)
            self.lamps, self.notice = view["lamps"], view["notice"]


@contextlib.asynccontextmanager
async def pressing(config: Config) -> AsyncIterator[Presser]:
    """A crew's finger on the panel of `config`."""
    assert config.panel is not None
    path = config.panel.path
    await eventually(lambda: Path(path).exists(), what="the panel's socket")
    reader, writer = await asyncio.open_unix_connection(path)
    presser = Presser(reader, writer)
    try:
        async with _background(presser.watch()):
            yield presser
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def _background(work: Any) -> AsyncIterator[None]:
    """Run `work` beside the block; a failure of it ends the block with that failure."""
    task = asyncio.ensure_future(work)
    block = asyncio.current_task()
    assert block is not None
    task.add_done_callback(lambda done: None if done.cancelled() or done.exception() is None else block.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            block.uncancel()
            raise error from None
        raise
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def status_code(client: FeedClient, unit: str = UNIT) -> Callable[[], str | None]:
    """A function that gives the code that the feed shows for a unit."""
    return lambda: record.status.code if (record := client.records.get(unit)) and record.status else None
