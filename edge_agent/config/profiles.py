"""The shape of a profile: what every device of one kind has in common, before anybody says which one it is. Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.config.settings import ButtonName, Gpsd, Link, Name, Outbox, Page, Report, Token
from wire.events import Service
from wire.scheme import CodeText
from wire.strict import Problem, parse_toml

LegendLine = Annotated[
    str, Meta(pattern=r"^[A-Z0-9][A-Z0-9 /&.-]{0,10}\Z", description="1 to 11 capitals, digits, spaces and /&.-")
]
"""What fits on a line of a button's cap."""


class Schemes(msgspec.Struct, frozen=True, kw_only=True):
    """In which status scheme the units of each service speak; a service that is left out is not carried."""

    fire: Token | None = None
    police: Token | None = None
    ambulance: Token | None = None


class AgentSections(msgspec.Struct, frozen=True, kw_only=True):
    """The sections of device.toml that a profile may set, as they are written there."""

    link: Link | None = None
    gpsd: Gpsd | None = None
    report: Report | None = None
    outbox: Outbox | None = None
    page: Page | None = None


class ProfileHead(msgspec.Struct, frozen=True, kw_only=True):
    """What it is the profile of."""

    name: Token
    title: Name
    board: Token
    """The board that it is built on: a folder of `firmware_configs/boards`, such as `vehicle-a`."""
    schemes: Schemes
    buses: tuple[str, ...] = ()
    """Those of the board's Modbus lines that are fitted."""
    inputs: tuple[str, ...] = ()
    """Those of the board's GPIO inputs that are wired."""


class ProfileButton(msgspec.Struct, frozen=True, kw_only=True):
    """What one of the panel's buttons declares, and what is written on it."""

    name: ButtonName
    code: CodeText
    legend: Annotated[tuple[LegendLine, ...], Meta(min_length=1, max_length=2, description="1 or 2 lines")]
    service: Service | None = None
    """Where the profile has several services: of whose first unit it is."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole profile."""

    profile: ProfileHead
    button: tuple[ProfileButton, ...] = ()
    agent: AgentSections = AgentSections()


def parse_profile(text: str) -> Profile | tuple[Problem, ...]:
    """Read a profile's shape, or tell every problem that it has."""
    return parse_toml(text, Profile, "a profile")
