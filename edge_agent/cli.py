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
from edge_agent.clock import SystemClock
from edge_agent.config import load
from edge_agent.errors import AgentError

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="The agent on a vehicle's or a station's device.",
)

Config = Annotated[Path, typer.Option("--config", help="The device's TOML file.")]


@cli.command()
def run(config: Config = Path("device.toml")) -> None:
    """Read, keep and report until stopped."""
    _set_up_log()
    try:
        asyncio.run(_run(config))
    except* AgentError as errors:
        _fail(errors)


@cli.command()
def check(config: Config = Path("device.toml")) -> None:
    """Check a device's configuration, and tell everything that is wrong with it at once."""
    try:
        found = load(config, os.environ)
    except AgentError as error:
        _fail(error)
    units = ", ".join(f"{unit.id} ({unit.scheme})" for unit in found.units)
    typer.echo(f"{config}: right. Device {found.device.id} of {found.device.organisation} speaks for {units}.")
    typer.echo(f"Broker {found.link.broker}, {len(found.buttons)} buttons, {'a' if found.gpsd else 'no'} gpsd.")


async def _run(config: Path) -> None:
    agent = Agent(load(config, os.environ), clock=SystemClock())
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
