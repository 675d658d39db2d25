"""The command `watchroom`."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import structlog
import typer

from cloud.app import App
from cloud.clock import SystemClock
from cloud.config import Settings, parse_broker
from cloud.errors import CloudError

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Live availability of police, fire and ambulance units, for the control rooms that share them.",
)

LOOPBACK_NOTICE = "Listening on this machine only (127.0.0.1) until devices and people have identities."


@cli.callback()
def root() -> None:
    """Keep the commands below this one."""


@cli.command()
def up(
    data: Annotated[Path, typer.Option(help="The folder that holds everything that is kept.")] = Path("watchroom-data"),
    directory: Annotated[
        Path | None, typer.Option(help="The folder of TOML files naming units and devices. [default: DATA/directory]")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The board's and the API's port.")] = 8470,
    mqtt_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="The port of the broker that this command runs.")
    ] = 1883,
    broker: Annotated[
        str | None, typer.Option(help="Use a running broker, such as mqtt://127.0.0.1:1883, and run none.")
    ] = None,
) -> None:
    """Run ingest, feed, API and board in one process, with a broker of their own."""
    set_up_log()
    settings_directory = directory or data / "directory"
    run_until_stopped(lambda: _up(data, settings_directory, port, mqtt_port, broker))


async def _up(data: Path, directory: Path, port: int, mqtt_port: int, broker: str | None) -> None:
    address = parse_broker(broker) if broker else None
    settings = Settings(data=data, directory=directory, port=port, mqtt_port=mqtt_port, broker=address)
    app = App(settings, SystemClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(app.run())
        await app.ready.wait()
        typer.echo(
            f"Board   {app.address}\nDevices mqtt://127.0.0.1:{app.broker_port}\n{LOOPBACK_NOTICE}\nCtrl-C stops."
        )
        await running


def run_until_stopped(work: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run `work` until it ends, or until Ctrl-C or SIGTERM. What it names as wrong is one line and exit code 1."""
    try:
        asyncio.run(_until_signal(work))
    except* CloudError as errors:
        typer.echo(f"watchroom: {first_leaf(errors)}", err=True)
        raise typer.Exit(1) from None


def first_leaf(error: BaseException) -> BaseException:
    """Give the first error in a group of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _until_signal(work: Callable[[], Coroutine[object, object, None]]) -> None:
    task = asyncio.ensure_future(work())
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


def set_up_log() -> None:
    """Log to stderr: as JSON where that is not a terminal."""
    tty = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if tty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def main() -> None:
    """Run the command. What other packages add to it is loaded only where it is asked for or listed."""
    asked = sys.argv[1:2]
    for entry in entry_points(group="watchroom.commands"):
        if asked in ([], ["--help"], [entry.name]):
            cli.command(entry.name)(entry.load())
    cli()
