"""`watchroom demo`: a simulated county on a live board. Composes the application, real agents and lives around them."""

import asyncio
import contextlib
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import structlog
import typer

from cloud.app import App
from cloud.broker.child import Child
from cloud.cli import LOOPBACK_NOTICE, log_to, run_until_stopped
from cloud.config import Settings, parse_broker
from cloud.errors import Fatal
from edge_agent.agent import Agent
from edge_agent.clock import Clock, SystemClock
from edge_agent.config import load
from simulator.county import Device, generate
from simulator.folder import DEVICE_FILE, PANEL_SOCKET, DeviceSettings, write_device, write_directory, write_tables
from simulator.life import Life
from simulator.partners import curl_line, make_tokens
from simulator.sharing import sharing_rows
from simulator.station_life import StationLife
from simulator.stations import StationSettings, write_station
from simulator.turnouts import Turnouts
from simulator.watch import Watch

OWN_PROCESSES = 5
"""Agents that run as processes of their own; the others share this one."""
CONFIRM_S = 30.0
"""A check waits this long for every unit to be confirmed; nobody is mobilised earlier."""
LOOK_S = 0.1
FINISH_S = 20.0
"""A check waits this much longer for the crew that was called last."""
PAGES_AFTER = 10
"""The stations' touch pages are on ports from so many above the board's: 8480 and on."""
STOP_GRACE_S = 5.0
MARK = "this-is-a-demo"
"""A file that tells a demo's folder from one that holds real records."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asked for."""

    data: Path
    port: int
    broker: str | None
    units: int
    seed: int
    pace: float
    pages: bool
    """Whether the stations serve their touch pages."""
    partner_port: int
    """0 serves no partner."""


class Demo:
    """A running county."""

    def __init__(self, asked: Asked, clock: Clock) -> None:
        """Nothing runs yet."""
        self._asked, self._clock = asked, clock
        self._county = generate(asked.seed, asked.units)
        self._lives = {
            unit.id: Life(self._county, unit, clock=clock, seed=asked.seed, pace=asked.pace)
            for unit in self._county.units
        }
        self._stations = tuple(
            StationLife(station, self._lives, clock=clock, seed=asked.seed) for station in self._county.stations
        )
        self.watch = Watch(clock)
        self.turnouts = Turnouts(self._stations, watch=self.watch, port=asked.port, clock=clock)
        self.address = ""
        self.passed = False
        """What a check found."""
        self.pages: list[str] = []
        """Where each station's touch page is, with its name."""
        self.try_out = ""
        """A line for a terminal that shows what a partner gets."""

    @property
    def presses(self) -> int:
        """How many presses the crews have made."""
        return sum(life.presses for life in self._lives.values())

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run everything beside the block. What fails in there ends the block."""
        asked = self._asked
        self._write_cloud(asked.data / "directory")
        settings = Settings(
            data=asked.data,
            directory=asked.data / "directory",
            port=asked.port,
            partner_port=asked.partner_port,
            mqtt_port=0,
            broker=parse_broker(asked.broker) if asked.broker else None,
        )
        app = App(settings, self._clock)
        self.address = app.address
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(app.run())
            try:
                await app.ready.wait()
                async with self._populated(app.broker_port):
                    yield
            finally:
                serving.cancel()

    def _write_cloud(self, folder: Path) -> None:
        """Write who there is and who shares what, and a token for each organisation."""
        county, data = self._county, self._asked.data
        digests = make_tokens((organisation.id for organisation in county.organisations), data)
        write_directory(county, folder)
        write_tables(sharing_rows(county, digests), folder)
        self.try_out = curl_line(county.organisations[0].id, data, self._asked.partner_port)

    @contextlib.asynccontextmanager
    async def _populated(self, broker_port: int) -> AsyncIterator[None]:
        """Run the agents and the lives around them beside the block, and stop them before their broker goes."""
        asked = self._asked
        async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self.watch.follow(asked.port))]
            try:
                for place, device in enumerate(self._county.devices):
                    life = self._lives[device.unit.id]
                    await stack.enter_async_context(life.receiver)
                    path = self._write_device(device, broker_port, life.receiver.port)
                    if place < OWN_PROCESSES:
                        stack.push_async_callback((await self._spawn(path)).stop, grace_s=STOP_GRACE_S)
                    else:
                        running.append(tasks.create_task(self._run_agent(path)))
                    running.append(tasks.create_task(life.run(str(path.parent / PANEL_SOCKET))))
                for place, station in enumerate(self._stations):
                    await stack.enter_async_context(station.served())
                    running.append(tasks.create_task(self._run_agent(self._write_station(station, broker_port, place))))
                running.append(tasks.create_task(self._mobilise()))
                yield
            finally:
                for task in running:
                    task.cancel()

    async def _run_agent(self, config: Path) -> None:
        await Agent(load(config, {}), clock=self._clock).run()

    async def _mobilise(self) -> None:
        """Turn stations out, once the county has settled."""
        begun_s = self._clock.monotonic()
        while self.watch.count("confirmed") < self._asked.units and self._clock.monotonic() - begun_s < CONFIRM_S:
            await self._clock.sleep(LOOK_S)
        await self.turnouts.run()

    def _write_device(self, device: Device, broker_port: int, gpsd_port: int) -> Path:
        folder = self._asked.data / "devices" / device.id
        return write_device(device, folder, DeviceSettings(broker_port=broker_port, gpsd_port=gpsd_port))

    def _write_station(self, station: StationLife, broker_port: int, place: int) -> Path:
        page_port = self._asked.port + PAGES_AFTER + place if self._asked.pages else None
        if page_port is not None:
            self.pages.append(f"http://127.0.0.1:{page_port}  {station.station.base.name}")
        settings = StationSettings(broker_port=broker_port, plant_port=station.plant_port, page_port=page_port)
        return write_station(station.station, self._asked.data / "devices" / station.station.device, settings)

    async def _spawn(self, config: Path) -> Child:
        program = Path(sys.executable).with_name("edge-agent")
        if not program.exists():
            raise Fatal(f"{program} is missing: run `make setup`")
        argv = [str(program), "run", "--config", str(config.parent / DEVICE_FILE)]
        return await Child.spawn(argv, stderr=config.parent / "agent.log")


def main(
    data: Annotated[
        Path | None, typer.Option(help="Keep everything in this folder. Without it: one that goes with the demo.")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The board's and the API's port.")] = 8470,
    partner_port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="The partners' port. Without it: the one above --port.")
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="Use a running broker, such as mqtt://127.0.0.1:1883, and run none.")
    ] = None,
    units: Annotated[int, typer.Option(min=OWN_PROCESSES, max=500, help="How many vehicles.")] = 60,
    seed: Annotated[int, typer.Option(help="Another seed is another county.")] = 14,
    pace: Annotated[float, typer.Option(min=1.0, max=60.0, help="How much faster than life crews live.")] = 8.0,
    check: Annotated[bool, typer.Option("--check", help="Watch without a browser, and exit 0 if all held.")] = False,
    seconds: Annotated[float, typer.Option(min=1.0, help="How long --check watches.")] = 20.0,
) -> None:
    """Run a simulated county of police, fire and ambulance units on a live board."""
    with _folder(data) as folder:
        _log_to(folder / "demo.log")
        asked = Asked(
            data=folder,
            port=port,
            broker=broker,
            units=units,
            seed=seed,
            pace=pace,
            pages=not check,
            partner_port=0 if check else partner_port or port + 1,
        )
        demo = Demo(asked, SystemClock())
        run_until_stopped(lambda: _check(demo, units, seconds) if check else _show(demo, units))
    if check and not demo.passed:
        raise typer.Exit(1)


async def _show(demo: Demo, units: int) -> None:
    """Say where the board is, and how the county stands, until stopped."""
    clock = SystemClock()
    typer.echo(f"Starting a county of {units} vehicles ...")
    async with demo.running():
        typer.echo(f"Board   {demo.address}")
        typer.echo(f"Rooms   {demo.address}rooms")
        typer.echo(f"Sharing {demo.address}agreements")
        for page in demo.pages:
            typer.echo(f"Panel   {page}")
        typer.echo(f"Partner {demo.try_out}")
        typer.echo(f"{LOOPBACK_NOTICE}\nCtrl-C stops.\n")
        live = sys.stdout.isatty()
        while True:
            watch = demo.watch
            line = (
                f"{clock.now().astimezone():%H:%M:%S}  {units} units: {watch.count('confirmed')} confirmed, "
                f"{watch.count('unconfirmed')} unconfirmed, {watch.available()} available, "
                f"{demo.presses} presses, {len(demo.turnouts.orders)} orders, feed {watch.feed_age_s:.1f} s"
            )
            typer.echo(f"\r{line} " if live else line, nl=not live)
            await clock.sleep(1.0 if live else 5.0)


async def _check(demo: Demo, units: int, seconds: float) -> None:
    """Wait until every unit is confirmed, then watch, and print what was seen as one line of JSON."""
    clock = SystemClock()
    started_s = clock.monotonic()
    async with demo.running():
        while demo.watch.count("confirmed") < units and clock.monotonic() - started_s < CONFIRM_S:
            await clock.sleep(LOOK_S)
        confirmed_after_s = round(clock.monotonic() - started_s, 1)
        demo.watch.forget_doubts()
        if _held(demo, units):
            await clock.sleep(seconds)
            await _finish(demo, clock)
        demo.passed = _held(demo, units) and demo.turnouts.held
        found = {
            "ok": demo.passed,
            "units": units,
            "confirmed": demo.watch.count("confirmed"),
            "confirmed_after_s": confirmed_after_s,
            "watched_s": seconds,
            "presses": demo.presses,
            "orders": len(demo.turnouts.orders),
            "orders_refused": demo.turnouts.refused,
            "steps_done": demo.turnouts.steps_done,
            "steps_failed": demo.turnouts.steps_failed,
            "acknowledged": demo.turnouts.acknowledged,
            "feed_age_s": round(demo.watch.feed_age_s, 2),
            "doubted": demo.watch.doubted,
        }
        typer.echo(json.dumps(found))


async def _finish(demo: Demo, clock: Clock) -> None:
    """Wait for the crew that was called last, as long as that may take."""
    begun_s = clock.monotonic()
    while not demo.turnouts.held and clock.monotonic() - begun_s < FINISH_S:
        await clock.sleep(LOOK_S)


def _held(demo: Demo, units: int) -> bool:
    """Tell whether every unit is there, is confirmed, and was so throughout."""
    return len(demo.watch.records) == units and not demo.watch.doubted and demo.watch.count("confirmed") == units


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """Give the demo's folder. Raises a one-line error for one that holds something else."""
    if data is None:
        made = Path(tempfile.mkdtemp(prefix="watchroom-demo-"))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return
    if data.exists() and any(data.iterdir()) and not (data / MARK).exists():
        typer.echo(f"watchroom: {data} holds something that is no demo's. Name another folder with --data", err=True)
        raise typer.Exit(1)
    data.mkdir(parents=True, exist_ok=True)
    (data / MARK).touch()
    yield data


def _log_to(path: Path) -> None:
    """Log warnings to a file: a screen of sixty agents' lines tells nobody anything."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=log_to(path.open("a", encoding="utf-8")),
    )
