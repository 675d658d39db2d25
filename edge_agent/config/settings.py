"""The shape and the limits of a device's TOML. Each description is what a person reads who got it wrong."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wire.topics import TOKEN_PATTERN

PORT_PATTERN = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"  # 1 to 65535
OCTET_PATTERN = "(?:[0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
LOOPBACK_PATTERN = rf"(?:localhost|127(?:\.{OCTET_PATTERN}){{3}}|\[::1\])"

Token = Annotated[str, Meta(pattern=rf"^{TOKEN_PATTERN}\Z", description="1 to 40 of a-z, 0-9 and -")]
Enrolment = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,40}\Z", description="the enrolment number: 1 to 40 of A-Z, a-z, 0-9 and -")
]
PathText = Annotated[
    str, Meta(pattern=r"^[^\x00\n\r]{1,255}\Z", description="a path of 1 to 255 characters, on one line")
]
Broker = Annotated[
    str,
    Meta(
        pattern=rf"^mqtt://{LOOPBACK_PATTERN}:{PORT_PATTERN}\Z",
        description="mqtt://HOST:PORT on this machine, as mqtt://127.0.0.1:1883, until devices have identities",
    ),
]
Host = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9.:-]{1,253}\Z", description="a host's name or address, such as 127.0.0.1")
]
ButtonName = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}\Z", description="1 to 40 of a-z, 0-9, _ and -")]
ButtonCode = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{TOKEN_PATTERN}:)?[A-Za-z0-9_-]{{1,40}}\Z",
        description="a status code in quotes, or 'unit:code' where the device has several units",
    ),
]
KeyName = Annotated[
    str, Meta(pattern=r"^(?:KEY_[A-Z0-9_]{1,36}|[0-9]{1,3})\Z", description="a key's number or name, such as KEY_1")
]
LedCode = Annotated[int, Meta(ge=0, le=15, description="the lamp's LED code in linux/input-event-codes.h")]


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Who this device is."""

    id: Token
    organisation: Token
    enrolment: Enrolment
    state_dir: PathText
    """Where the outbox lives. Absolute once loaded: a relative one counts from the TOML's folder."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """How it reaches the cloud."""

    broker: Broker = "mqtt://127.0.0.1:1883"
    heartbeat_s: Annotated[float, Meta(ge=1, le=20, description="seconds between heartbeats")] = 10.0
    """The cloud's freshness rule holds for 1 to 20 s."""
    keepalive_s: Annotated[int, Meta(ge=5, le=120, description="MQTT's keepalive in seconds")] = 15
    settle_timeout_s: Annotated[
        float, Meta(ge=0.2, le=60, description="seconds without a settle before an envelope is sent again")
    ] = 2.0

    @property
    def host(self) -> str:
        """The broker's host, without brackets."""
        return self.broker.removeprefix("mqtt://").rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The broker's port."""
        return int(self.broker.rpartition(":")[2])


class UnitEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that this device speaks for."""

    id: Token
    scheme: Token
    """The status scheme in whose codes it speaks."""


class Gpsd(msgspec.Struct, frozen=True, kw_only=True):
    """Where its positions come from."""

    host: Host = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 2947
    silent_after_s: Annotated[float, Meta(ge=1, le=60, description="seconds without a word that mean silence")] = 5.0
    poll: bool = False
    """Ask with gpsd-py3 instead of watching."""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """Where its crew presses."""

    backend: Literal["scripted", "evdev"]
    path: PathText
    """The socket to listen on (scripted), or the input device (evdev). Absolute once loaded, as `state_dir`."""
    debounce_ms: Annotated[int, Meta(ge=1, le=250, description="milliseconds in which a contact may bounce")] = 30
    buttons: Annotated[dict[ButtonName, ButtonCode], Meta(min_length=1)]
    """What each button declares."""
    keys: dict[KeyName, ButtonName] = {}
    """evdev only: which key is which button."""
    leds: dict[ButtonName, LedCode] = {}
    """evdev only: which LED is a button's lamp."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """When a position is due."""

    moving_s: Annotated[float, Meta(ge=0.2, le=300, description="seconds between reports while moving")] = 5.0
    parked_s: Annotated[float, Meta(ge=1, le=3600, description="seconds between reports while parked")] = 60.0
    turn_deg: Annotated[float, Meta(ge=1, le=180, description="a change of heading that is worth a report")] = 25.0
    distance_m: Annotated[float, Meta(ge=1, le=10_000, description="metres that are worth a report")] = 150.0
    parked_speed_mps: Annotated[float, Meta(ge=0, le=10, description="metres a second; slower is parked")] = 1.0
    parked_hold_m: Annotated[float, Meta(ge=0, le=1000, description="metres of drift that still are parked")] = 30.0
    every_fix: bool = False
    """Report each fix, whatever the rest says."""


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """How much it keeps until it is settled."""

    track_max_rows: Annotated[int, Meta(ge=1000, le=10_000_000, description="positions and sensor values kept")] = (
        500_000
    )
    reserve_kib: Annotated[int, Meta(ge=256, le=1_048_576, description="disk kept free for presses, in KiB")] = 1024


class DeviceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A device's TOML as it is written."""

    device: Device
    link: Link = Link()
    unit: Annotated[
        tuple[UnitEntry, ...], Meta(min_length=1, max_length=20, description="[[unit]], the vehicle's own unit first")
    ]
    gpsd: Gpsd | None = None
    panel: Panel | None = None
    report: Report = Report()
    outbox: Outbox = Outbox()
