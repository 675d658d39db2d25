"""What the agent touches beside its disk, made from its configuration: receiver, panel, broker, Modbus lines."""

import os
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from edge_agent.bus import Bus
from edge_agent.clock import Clock, kernel_synchronised
from edge_agent.config import Config, ConfigInvalid, Inputs, Panel
from edge_agent.decode.keys import decode_key
from edge_agent.decode.readings import Reading
from edge_agent.link import Connect, connected
from edge_agent.panel import PanelServer
from edge_agent.panel.port import PanelPort
from edge_agent.sources.gpsd import GpsdSource
from edge_agent.sources.gpsd_poll import GpsdPollSource
from edge_agent.sources.inputs_gpiod import GpiodInputs
from edge_agent.sources.inputs_scripted import ScriptedInputs
from edge_agent.sources.panel import PanelBackend
from edge_agent.sources.panel_evdev import EvdevPanel
from edge_agent.sources.panel_gpiod import GpiodPanel, Wiring
from edge_agent.sources.panel_modbus import ModbusPanel
from edge_agent.sources.panel_scripted import ScriptedPanel
from edge_agent.station.layout import PointKind, check_points, parse_layout
from edge_agent.station.parts import About, Layout
from edge_agent.station.words import Value
from edge_agent.turnout.journal import read_boot_id

CLOCK_EPOCH = Path("/usr/lib/clock-epoch")
"""Changed when the image was built: systemd sets no clock to before that (systemd(1))."""


class Source(Protocol):
    """What readings come from."""

    async def run(self, emit: Callable[[Reading], None], /) -> None:
        """Emit readings until cancelled. It never ends for outside reasons."""
        ...


class Lines(Protocol):
    """The device's Modbus lines, as `edge_agent.bus.Bus` has them."""

    @property
    def silent(self) -> frozenset[str]:
        """The slaves that don't answer."""
        ...

    @property
    def faults(self) -> Mapping[str, str]:
        """What is wrong, by slave, for a person."""
        ...

    async def run(self, on_values: Callable[[Mapping[str, Value]], None], /) -> None:
        """Read until cancelled. It never ends for outside reasons."""
        ...

    async def write(self, output: str, value: bool | float, /) -> str:
        """Write an output once: `done`, or why not."""
        ...

    async def pulse(self, output: str, pulse_s: float, /) -> str:
        """Turn an output on once, and off again: `done`, or why not."""
        ...


class Page(Protocol):
    """The touch page, as it is served to people."""

    @property
    def fault(self) -> str:
        """Why it is not served now; empty where it is."""
        ...

    async def run(self) -> None:
        """Serve until cancelled. It never ends for outside reasons."""
        ...


Serve = Callable[[PanelPort, int, Clock], Page]
"""Makes the touch page of a port of the agent's, to be served on a TCP port."""


def serve_page(port: PanelPort, number: int, clock: Clock) -> Page:
    """Make the page that people touch. Nothing is served before it runs."""
    return PanelServer(port, number=number, clock=clock)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent touches beside its disk."""

    receiver: Source | None
    panel: PanelBackend | None
    inputs: Source | None = None
    lines: Lines | None = None
    serve: Serve = serve_page
    connect: Connect = connected
    synchronised: Callable[[], bool] = kernel_synchronised
    """Whether the wall clock is disciplined by something other than the receiver."""
    boot_id: str = msgspec.field(default_factory=read_boot_id)
    runtime: Path | None = None
    """Where the agent says how it stands, for others on this device; None: nowhere."""
    built_at: datetime | None = None
    """When the device's image was built, where it has one."""


def look_around(config: Config, clock: Clock, jitter: Callable[[], float] = random.random) -> Surroundings:
    """Make what the configuration names on this machine. Nothing is opened yet."""
    lines = Bus(config.buses, config.maps, clock=clock, jitter=jitter) if config.buses else None
    panel = _make_panel(config.panel, lines, clock, jitter) if config.panel else None
    inputs = _make_inputs(config.inputs, clock, jitter) if config.inputs else None
    return Surroundings(
        receiver=_make_gpsd(config, clock, jitter),
        panel=panel,
        inputs=inputs,
        lines=lines,
        runtime=runtime_folder(os.environ, Path(config.device.state_dir)),
        built_at=read_built_at(),
    )


def runtime_folder(environ: Mapping[str, str], state: Path) -> Path:
    """Give the folder for what is of this boot alone: systemd's $RUNTIME_DIRECTORY, else the state folder."""
    return Path(environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or state)


def read_built_at() -> datetime | None:
    """Read when the device's image was built; None on a machine that has none."""
    try:
        return datetime.fromtimestamp(CLOCK_EPOCH.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return None


def load_layout(config: Config) -> Layout:
    """Read the station's layout; without one there is a station with nothing in it.

    Raises `ConfigInvalid` with every error at once: of its own, and points that the register maps don't have.
    """
    if config.station is None:
        return Layout(station=About(name=config.units[0].callsign or config.units[0].id), zones=())
    path = Path(config.station.layout)
    try:
        found = parse_layout(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path}: can't be read: {error}. Name the station's TOML in station.layout") from error
    problems = found if isinstance(found, tuple) else check_points(found, _points(config))
    if problems or isinstance(found, tuple):
        raise ConfigInvalid("\n".join([f"{path}:", *(f"  {problem}" for problem in problems)]))
    return found


def alarm_points(config: Config) -> frozenset[str]:
    """Name the points whose register maps say that they raise an alarm."""
    slaves = [slave for bus in config.buses for slave in bus.slave]
    return frozenset(
        f"{slave.name}.{point.name}" for slave in slaves for point in config.maps[slave.map].points if point.alarm
    )


def _points(config: Config) -> dict[str, PointKind]:
    slaves = [slave for bus in config.buses for slave in bus.slave]
    return {
        f"{slave.name}.{point.name}": PointKind(
            kind="bool" if point.kind == "bool" else "number", writable=point.writable
        )
        for slave in slaves
        for point in config.maps[slave.map].points
    }


def _make_gpsd(config: Config, clock: Clock, jitter: Callable[[], float]) -> GpsdSource | GpsdPollSource | None:
    if config.gpsd is None:
        return None
    gpsd = config.gpsd
    if gpsd.poll:
        return GpsdPollSource(gpsd.host, gpsd.port, clock=clock, silent_after_s=gpsd.silent_after_s)
    return GpsdSource(gpsd.host, gpsd.port, clock=clock, silent_after_s=gpsd.silent_after_s, jitter=jitter)


def _make_inputs(inputs: Inputs, clock: Clock, jitter: Callable[[], float]) -> Source:
    make = GpiodInputs if inputs.backend == "gpiod" else ScriptedInputs
    return make(inputs, clock=clock, jitter=jitter)


def _make_panel(panel: Panel, lines: Lines | None, clock: Clock, jitter: Callable[[], float]) -> PanelBackend:
    match panel.backend:
        case "scripted":
            return ScriptedPanel(panel.path, buttons=panel.names, clock=clock, jitter=jitter)
        case "evdev":
            keys = {code: button for name, button in panel.keys.items() if (code := decode_key(name)) is not None}
            return EvdevPanel(panel.path, keys=keys, leds=panel.leds, clock=clock, jitter=jitter)
        case "gpiod":
            wiring = Wiring(
                chip=panel.path,
                lines=panel.lines,
                lamps=panel.lamps,
                active_low=panel.active_low,
                lamps_active_low=panel.lamps_active_low,
            )
            return GpiodPanel(wiring, clock=clock, jitter=jitter)
        case "modbus":

            async def write(coil: str, on: bool) -> bool:
                return lines is not None and await lines.write(coil, on) == "done"

            return ModbusPanel(panel.lines, panel.lamps, write=write, clock=clock)
