"""The command `edge-agent`."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer

from edge_agent.agent import Agent
from edge_agent.around import load_layout
from edge_agent.clock import SystemClock
from edge_agent.config import Config, load
from edge_agent.diagnose import WAN, examine
from edge_agent.errors import AgentError
from edge_agent.image import image
from edge_agent.standing import NAME, OLD_S, RUNTIME, read_standing
from edge_agent.station.layout import Layout
from edge_agent.watchdog import Watchdog
from wire.findings import as_json, as_text, report_of

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The agent on a vehicle's or a station's device: reads GPS and buttons, keeps, and reports over MQTT.",
)

ConfigPath = Annotated[
    Path,
    typer.Option("--config", help="The device's TOML file. A variable EDGE__SECTION__KEY overrides one of its keys."),
]


@cli.command()
def run(config: ConfigPath = Path("device.toml")) -> None:
    """Run until stopped by Ctrl-C or SIGTERM.

    Logs to stderr: as JSON where that is not a terminal. Exits with 1, and one line that says what to do, where it
    cannot start.
    """
    _set_up_log()
    try:
        asyncio.run(_run(config))
    except* AgentError as errors:
        _fail(errors)


@cli.command()
def check(config: ConfigPath = Path("device.toml")) -> None:
    """Check a device's configuration.

    Tells everything that is wrong with it at once, or what the device would do. Starts and connects nothing.
    """
    try:
        found = load(config, os.environ)
        layout = load_layout(found)
    except AgentError as error:
        _fail(error)
    typer.echo(f"{config} is in order.\n{_summary(found, layout)}")


@cli.command()
def diagnose(
    config: ConfigPath = Path("device.toml"),
    json: Annotated[bool, typer.Option("--json", help="Answer with one line of JSON, for machines.")] = False,
) -> None:
    """Look what is wrong with a device, and say what to do.

    May be run beside the agent, or while it is stopped: it only looks. Tells of the configuration; of receiver, bus,
    panel, disk, clock and link, in the running agent's own words, as its Faults tab and its heartbeats have them; of
    the state folder and the outbox in it, the broker, and whether the cloud answers. A line each: ok, warn or FAIL, and
    what to do. Listens for a little longer than a heartbeat. Exits with 1 where anything failed.
    """
    report = report_of(asyncio.run(examine(config, os.environ, SystemClock())), wan=WAN)
    typer.echo(as_json(report) if json else as_text(report))
    raise typer.Exit(0 if report.ok else 1)


cli.command()(image)


@cli.command("may-update")
def may_update(
    folder: Annotated[Path, typer.Option(help="Where the agent says how it stands: its runtime folder.")] = RUNTIME,
    agent_stopped: Annotated[
        bool, typer.Option("--agent-stopped", help="The agent was stopped on purpose: nobody can be asked.")
    ] = False,
) -> None:
    """Tell whether this device may be updated now.

    Or restarted, or reset: never while mobile or on an order. Asks the running agent. Exits with 1, and each reason on
    a line, where it may not; what is not known is a reason.
    """
    standing = read_standing(folder, SystemClock().monotonic())
    unknown = (
        f"how the agent stands is not known: {folder / NAME} is missing, older than {OLD_S:.0f} s or of another boot"
    )
    reasons = standing.busy if standing is not None else () if agent_stopped else (unknown,)
    typer.echo("\n".join(f"busy: {reason}" for reason in reasons) if reasons else "may be updated now")
    raise typer.Exit(1 if reasons else 0)


def _summary(config: Config, layout: Layout) -> str:
    gpsd, page = config.gpsd, config.page
    rows = [
        ("device", f"{config.device.id} of {config.device.organisation}"),
        ("speaks for", ", ".join(f"{unit.id} ({unit.scheme})" for unit in config.units)),
        ("broker", config.link.broker),
        ("gpsd", f"{gpsd.host}:{gpsd.port}" if gpsd else "none: it reports no positions"),
        ("inputs", _inputs(config)),
        ("panel", config.panel.path or "on the bus" if config.panel else "none: nobody presses a status"),
        ("touch page", f"http://127.0.0.1:{page.port}/" if page else "none"),
    ]
    for bus in config.buses:
        slaves = ", ".join(f"{slave.name} ({slave.map}, id {slave.id})" for slave in bus.slave)
        rows.append((f"bus {bus.name}", f"{bus.transport} {bus.place}: {slaves}"))
    if config.station is not None:
        rows.append(("station", f"{layout.station.name}: {_count(layout)}"))
    for name, button in config.buttons.items():
        row = config.schemes[button.scheme].code(button.code)
        label = f" {row.label}" if row else ""
        rows.append((f"  {name}", f"{button.unit} {button.code}{label}{' (event)' if button.event else ''}"))
    rows.append(("keeps in", config.device.state_dir))
    return "\n".join(f"{name:<12}{value}" for name, value in rows)


def _inputs(config: Config) -> str:
    inputs = config.inputs
    return f"{', '.join(inputs.names)}, on {inputs.path}" if inputs else "none of its own"


def _count(layout: Layout) -> str:
    parts = (
        (layout.zones, "zones"),
        (layout.sounders, "sounders"),
        (layout.lights, "lights"),
        (layout.cookers, "cookers"),
        (layout.doors, "doors"),
    )
    return ", ".join(f"{len(some)} {name}" for some, name in parts)


async def _run(config: Path) -> None:
    clock = SystemClock()
    agent = Agent(load(config, os.environ), clock=clock, watchdog=Watchdog(clock, os.environ))
    task = asyncio.ensure_future(agent.run())
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise


def _fail(error: BaseException) -> NoReturn:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    typer.echo(f"edge-agent: {error}", err=True)
    raise typer.Exit(1)


def _set_up_log() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def main() -> None:
    """Run the command."""
    cli()
