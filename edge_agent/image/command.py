"""The command `edge-agent image`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_agent.clock import SystemClock
from edge_agent.errors import Fatal
from edge_agent.image.assemble import Wanted, assemble, profile_names
from edge_agent.image.device import Identity
from edge_agent.image.steps import next_steps


def image(
    profile: Annotated[str, typer.Option(help=f"What it is: {', '.join(profile_names())}.")],
    out: Annotated[Path, typer.Option(help="The folder to assemble in: empty, or not there.")],
    device: Annotated[str | None, typer.Option(help="Its id, such as veh-0001; also its host name.")] = None,
    organisation: Annotated[str | None, typer.Option(help="The organisation that owns it, such as kfrs.")] = None,
    enrolment: Annotated[str | None, typer.Option(help="The number given when it was enrolled, such as E0001.")] = None,
    unit: Annotated[str | None, typer.Option(help="The id of its first unit, such as kfrs-14p1.")] = None,
    callsign: Annotated[str | None, typer.Option(help="That unit's callsign, such as 14P1.")] = None,
    vehicle: Annotated[str | None, typer.Option(help="Fleet number or registration.")] = None,
    more: Annotated[
        Path | None,
        typer.Option(
            "--with",
            help="A TOML in the shape of device.toml that is laid over the profile: more units, other settings. The "
            "folders schemes and register_maps beside it go along.",
        ),
    ] = None,
    layout: Annotated[Path | None, typer.Option(help="A station's layout, as docs/station.example.toml.")] = None,
    apn: Annotated[str | None, typer.Option(help="The modem's access point name; else it finds its own.")] = None,
    packages: Annotated[
        Path | None,
        typer.Option(help="A folder of wheels and Debian packages for the device, to be installed without a network."),
    ] = None,
) -> None:
    """Assemble the files that make a fresh system a device.

    Writes a tree of files to be laid over Raspberry Pi OS Lite (64-bit), loads its configuration as the device will,
    and says what to do next. Needs no network, and the program dtc. Exits with 1, and a line for each reason, where the
    device would refuse what was asked for; then nothing is written.
    """
    identity = Identity(
        device=device,
        organisation=organisation,
        enrolment=enrolment,
        unit=unit,
        callsign=callsign,
        vehicle=vehicle,
    )
    wanted = Wanted(profile=profile, out=out, identity=identity, more=more, layout=layout, apn=apn, packages=packages)
    try:
        made = assemble(wanted, SystemClock().now())
    except Fatal as error:
        typer.echo(f"edge-agent: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(next_steps(made))
