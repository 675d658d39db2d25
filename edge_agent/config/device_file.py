"""A device's TOML as a whole: its sections."""

from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.config.buses import BusSettings
from edge_agent.config.inputs import Inputs
from edge_agent.config.settings import Device, Gpsd, Link, Outbox, Page, Panel, Report, Station, UnitEntry


class DeviceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A device's TOML as it is written."""

    device: Device
    link: Link = Link()
    unit: Annotated[
        tuple[UnitEntry, ...], Meta(min_length=1, max_length=20, description="[[unit]], the vehicle's own unit first")
    ]
    gpsd: Gpsd | None = None
    panel: Panel | None = None
    inputs: Inputs | None = None
    station: Station | None = None
    page: Page | None = None
    bus: tuple[BusSettings, ...] = ()
    report: Report = Report()
    outbox: Outbox = Outbox()
