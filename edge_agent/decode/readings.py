"""What the device read: the values that every source hands to the vehicle's state."""

from datetime import datetime
from typing import Literal

import msgspec

FixMode = Literal["none", "2d", "3d", "dead_reckoning"]
Quality = Literal["good", "bad", "stale"]


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One epoch of a satellite receiver. `lat` and `lon` are None exactly where `mode` is `none`."""

    mode: FixMode
    lat: float | None = None
    """Degrees, WGS 84, -90 to 90."""
    lon: float | None = None
    """Degrees, WGS 84, -180 to 180."""
    speed_mps: float | None = None
    heading_deg: float | None = None
    """Degrees clockwise from true north, 0 to below 360."""
    altitude_m: float | None = None
    accuracy_m: float | None = None
    """Horizontal, as the receiver estimates it."""
    satellites: int | None = None
    gnss_time: datetime | None = None
    """The receiver's time, aware, UTC; None where it gave none or an implausible one."""


class Press(msgspec.Struct, frozen=True):
    """A button went down or up. Raw: bounce is taken out later, by `edge_agent.state`."""

    button: str
    down: bool


class InputValue(msgspec.Struct, frozen=True):
    """A named input's value, such as ignition. A bad value is never a number: it is None with its quality."""

    name: str
    value: float | bool | None
    quality: Quality = "good"


class SourceFault(msgspec.Struct, frozen=True):
    """A source broke (`text` says how, for the log and the heartbeat) or healed (`text` is empty)."""

    source: str
    text: str


class Rejected(msgspec.Struct, frozen=True):
    """Outside data that cannot be believed. Counted and kept aside; never raised."""

    reason: str
    raw: bytes


Reading = Fix | Press | InputValue | SourceFault
