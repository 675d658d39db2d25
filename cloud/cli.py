"""The command `watchroom`."""

import asyncio
import contextlib
import io
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, TextIO, cast

import structlog
import typer
from structlog.typing import Processor

from cloud.app import App
from cloud.clock import SystemClock
from cloud.config import LOOPBACK, Settings, parse_broker, parse_telemetry, partner_port_of
from cloud.directory import DirectoryInvalid, load
from cloud.directory.minting import mint, row_of, write_token
from cloud.directory.telling import as_errors, as_summary
from cloud.doctor import examine
from cloud.errors import CloudError
from wire.findings import as_json, as_text, report_of

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Live availability of police, fire and ambulance units, for the control rooms that share them.\n\n"
    "To see it at work: watchroom demo. To run it with your own units: watchroom up --help.",
)

LOOPBACK_NOTICE = "Listening on this machine only (127.0.0.1) until devices and people have identities."

TelemetryStore = Annotated[
    str,
    typer.Option(
        metavar="STORE",
        help="Where tracks and sensor series go: duckdb, which is files in the data folder, or an InfluxDB as "
        "influx:http://127.0.0.1:8086?bucket=watchroom&org=NAME.",
    ),
]
TelemetryToken = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A file that holds the InfluxDB's token, on one line.")
]


@cli.callback()
def root() -> None:
    """Keep the commands below this one."""


@cli.command()
def up(  # noqa: PLR0913 - a command has as many parameters as options
    data: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where everything that is kept goes. Made if it is not there.")
    ] = Path("watchroom-data"),
    directory: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Your TOML files that name organisations, bases, units and devices. Without it: the folder "
            "directory inside the data folder.",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65_535, help="Where browsers find the board and programs the API.")
    ] = 8470,
    partner_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65_535,
            help="Where partners' systems read what agreements open to them; 0 for nowhere. Without it: the port "
            "after --port.",
        ),
    ] = None,
    mqtt_port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65_535, help="Where devices find the broker that this runs.")
    ] = 1883,
    broker: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A broker of this machine that runs already, such as mqtt://127.0.0.1:1883. Without it this runs one.",
        ),
    ] = None,
    telemetry: TelemetryStore = "duckdb",
    telemetry_token_file: TelemetryToken = None,
) -> None:
    """Run the cloud side, whole, in one process: MQTT broker, ingest, live feed, API and board.

    Everything listens on this machine only (127.0.0.1). Ctrl-C or SIGTERM stops it; nothing that was stored is lost.
    A directory that changes comes into force within seconds, and at once with SIGHUP. Logs go to stderr.
    """
    set_up_log()

    def settings() -> Settings:
        return Settings(
            data=data,
            directory=directory or data / "directory",
            port=port,
            partner_port=partner_port_of(port, partner_port),
            mqtt_port=mqtt_port,
            broker=parse_broker(broker) if broker is not None else None,
            telemetry=parse_telemetry(telemetry, telemetry_token_file),
        )

    run_until_stopped(lambda: _up(settings()))


@cli.command()
def doctor(  # noqa: PLR0913 - a command has as many parameters as options
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="The data folder, as given to `up`.")] = Path(
        "watchroom-data"
    ),
    directory: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The directory, as given to `up`. Without it: inside the data folder."),
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65_535, help="Where the board is, as for `up`.")
    ] = 8470,
    broker: Annotated[
        str | None, typer.Option(metavar="URL", help="The broker, as given to `up`. Without it: the embedded one.")
    ] = None,
    telemetry: TelemetryStore = "duckdb",
    telemetry_token_file: TelemetryToken = None,
    json: Annotated[bool, typer.Option("--json", help="Answer with one line of JSON, for machines.")] = False,
) -> None:
    """Look what is wrong with a Watchroom, running or stopped, and say what to do.

    It only looks. Tells of versions, directory, disk, ledger, gaps and forks of the last week, telemetry, broker and
    the running process, a line each: ok, warn or FAIL. Exits with 1 where anything failed.
    """
    try:
        address = parse_broker(broker) if broker is not None else None
        store = parse_telemetry(telemetry, telemetry_token_file)
    except CloudError as error:
        typer.echo(f"watchroom: {error}", err=True)
        raise typer.Exit(1) from None
    folder = directory or data / "directory"
    settings = Settings(data=data, directory=folder, port=port, broker=address, telemetry=store)
    report = report_of(asyncio.run(examine(settings, SystemClock())))
    typer.echo(as_json(report) if json else as_text(report))
    raise typer.Exit(0 if report.ok else 1)


@cli.command()
def check(
    directory: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The directory: the folder that `up` gets with --directory.")
    ],
) -> None:
    """Check a directory, and say what is in it or everything that is wrong with it.

    Reads *.toml, schemes/*.toml and areas/*.geojson of the folder, as `up` does. Each error is a line: row and key,
    what is there, and what would be right; rows are counted from 0. Exits with 1 where there is any, and changes
    nothing.
    """
    try:
        typer.echo(as_summary(load(directory)))
    except DirectoryInvalid as invalid:
        typer.echo(as_errors(directory, invalid.problems))
        raise typer.Exit(1) from None


@cli.command()
def token(
    organisation: Annotated[
        str, typer.Argument(metavar="ORGANISATION", help="The partner's id, as in the directory's [[organisation]].")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file for the token, readable by you alone. Without it: stderr."),
    ] = None,
) -> None:
    """Make a token for a partner's system, and the row of the directory that lets its holder in.

    The row goes to stdout: put it in a file of the directory in place of the partner's older one. The token is shown
    once and kept nowhere: hand it to the partner. It is let in once the directory is in force, and the older one no
    more.
    """
    made = mint()
    try:
        row = row_of(organisation, made)
        if out is not None:
            write_token(out, made)
    except CloudError as error:
        typer.echo(f"watchroom: {error}", err=True)
        raise typer.Exit(1) from None
    if out is None:
        typer.echo(f"Token, shown this once: {made}", err=True)
    typer.echo(row, nl=False)


@cli.command()
def conformance(  # noqa: PLR0913 - a command has as many parameters as options
    url: Annotated[
        str, typer.Argument(metavar="[URL]", help="The server, such as http://127.0.0.1:8471: /v1/feed is below it.")
    ] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Holds a partner's token, on one line. Without it none is brought."),
    ] = None,
    hidden: Annotated[
        list[str] | None,
        typer.Option(
            metavar="UNIT", help="A unit that there is and that this partner may not know of. Repeat for more."
        ),
    ] = None,
    consumer: Annotated[
        bool, typer.Option("--consumer", help="Check a consumer in place of a server: says where it is to connect.")
    ] = False,
    port: Annotated[
        int,
        typer.Option(metavar="PORT", min=0, max=65_535, help="Where the consumer finds its feed; 0 for any free port."),
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Answer with one line of JSON, for machines.")] = False,
) -> None:
    """Check a server, or a consumer, of the feed against the published schemas and promises.

    A server: its list of units, its feed, and a partner's other formats. It takes some 20 seconds and changes nothing.
    A consumer is led through a script of events, and says after each tick what it holds: docs/sharing-formats.md tells
    how. A line for each check: ok, warn or FAIL. Exits with 1 where anything failed.
    """
    # It loads a library that nothing else needs.
    from cloud.conformance import Subject, check_consumer, check_server

    if consumer is bool(url):
        raise typer.BadParameter("name the URL of a server, or give --consumer")
    try:
        if consumer:
            findings = check_consumer(port, lambda text: typer.echo(text, err=json))
        else:
            token = token_file.read_text(encoding="utf-8").strip() if token_file is not None else ""
            subject = Subject(url=url, token=token, hidden=tuple(hidden or ()))
            findings = check_server(subject, SystemClock().monotonic)
    except (OSError, ValueError) as error:
        typer.echo(f"watchroom: {error}", err=True)
        raise typer.Exit(1) from None
    report = report_of(findings)
    typer.echo(as_json(report) if json else as_text(report))
    raise typer.Exit(0 if report.ok else 1)


async def _up(settings: Settings) -> None:
    app = App(settings, SystemClock())
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.reload)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(app.run())
        await app.ready.wait()
        partners = f"Partners {app.partner_address}\n" if app.partner_address else ""
        devices = f"mqtt://{LOOPBACK}:{app.broker_port}"
        typer.echo(f"Board    {app.address}\nDevices  {devices}\n{partners}{LOOPBACK_NOTICE}\nCtrl-C stops.")
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


class _LogLines(io.TextIOBase):
    """Writes lines of a log, and lets go of what can't be written: a full disk must not end what it is about."""

    def __init__(self, stream: TextIO) -> None:
        """Write to this stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, if that can be done."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what was written, if that can be done."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def log_to(stream: TextIO) -> structlog.PrintLoggerFactory:
    """Give what logs to a stream, as far as that can be done."""
    return structlog.PrintLoggerFactory(cast(TextIO, _LogLines(stream)))


def set_up_log() -> None:
    """Log to stderr: as JSON where that is not a terminal. What libraries warn of looks the same."""
    marked: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tty = sys.stderr.isatty()
    plain: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    shown: list[Processor] = [structlog.dev.ConsoleRenderer()] if tty else plain
    structlog.configure(
        processors=[*marked, *shown],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=log_to(sys.stderr),
    )
    of_libraries = logging.StreamHandler(sys.stderr)
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    of_libraries.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=marked, processors=[strip, *shown]))
    logging.basicConfig(handlers=[of_libraries], level=logging.WARNING)


def main() -> None:
    """Run the command. What other packages add to it is loaded only where it is asked for or listed."""
    asked = sys.argv[1:2]
    for entry in entry_points(group="watchroom.commands"):
        if asked in ([], ["--help"], [entry.name]):
            cli.command(entry.name)(entry.load())
    cli()
