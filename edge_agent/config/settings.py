"""The shape and the limits of a device's TOML. Each description is what a person reads who got it wrong."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wire.events import Service
from wire.scheme import CodeText
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
Name = Annotated[
    str,
    Meta(pattern=r"^[^\s\x00-\x1f](?:[^\x00-\x1f]{0,38}[^\s\x00-\x1f])?\Z", description="1 to 40 printable characters"),
]
ZoneName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,60}\Z", description="a time zone's name, such as Europe/London")
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
LineName = Annotated[
    str,
    Meta(
        pattern=r"^[\x21-\x7e](?:[\x20-\x7e]{0,78}[\x21-\x7e])?\Z",
        description="a GPIO line's name or offset, or a point of the bus as slave.point, in quotes",
    ),
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
    """A unit that this device speaks for. What only a person reads may be left out."""

    id: Token
    scheme: Token
    """The status scheme in whose codes it speaks."""
    callsign: Name | None = None
    """As the touch page shows it; without it, the id."""
    service: Service | None = None
    """Without it, what the scheme's name says, as `uk-police-state` does."""
    vehicle: Name | None = None
    """Fleet number or registration."""
    minimum: Annotated[int, Meta(ge=1, le=20, description="the riders that the unit needs")] | None = None
    statuses: Annotated[tuple[CodeText, ...], Meta(max_length=8, description="the codes on its card")] = ()
    """The status buttons of its card on the touch page; without them those of the panel, or the scheme's first six."""


class Gpsd(msgspec.Struct, frozen=True, kw_only=True):
    """Where its positions come from."""

    host: Host = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 2947
    silent_after_s: Annotated[float, Meta(ge=1, le=60, description="seconds without a word that mean silence")] = 5.0
    poll: bool = False
    """Ask with gpsd-py3 instead of watching."""


class Emergency(msgspec.Struct, frozen=True, kw_only=True):
    """The guarded emergency button: a long press, and nothing else, raises an emergency."""

    button: ButtonName
    """Not one of `buttons`, but mapped from a key or line as they are; its lamp likewise."""
    unit: Token | None = None
    """For whom it is raised; without it for the first unit."""
    hold_s: Annotated[float, Meta(ge=0.5, le=3, description="seconds that it must be held")] = 1.0


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """Where its crew presses."""

    backend: Literal["scripted", "evdev", "gpiod", "modbus"]
    path: PathText = ""
    """The socket to listen on (scripted), the input device (evdev) or the GPIO chip (gpiod); empty for modbus.

    Absolute once loaded, as `state_dir`.
    """
    debounce_ms: Annotated[int, Meta(ge=1, le=250, description="milliseconds in which a contact may bounce")] = 30
    buttons: Annotated[dict[ButtonName, ButtonCode], Meta(min_length=1)]
    """What each button declares."""
    keys: dict[KeyName, ButtonName] = {}
    """evdev only: which key is which button."""
    leds: dict[ButtonName, LedCode] = {}
    """evdev only: which LED is a button's lamp."""
    lines: dict[LineName, ButtonName] = {}
    """gpiod: which line is which button. modbus: which discrete input."""
    lamps: dict[ButtonName, LineName] = {}
    """gpiod: which line is a button's lamp. modbus: which coil."""
    active_low: bool = True
    """gpiod only: a pushed button pulls its line low."""
    lamps_active_low: bool = False
    """gpiod only: a low line lights the lamp."""
    emergency: Emergency | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every button, the emergency button too."""
        return (*self.buttons, self.emergency.button) if self.emergency else tuple(self.buttons)


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """What this device moves at its station."""

    layout: PathText
    """The station's TOML: zones, sounders, lights, doors. Absolute once loaded, as `state_dir`."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The touch page that the device itself serves, on this machine only."""

    port: Annotated[int, Meta(ge=1, le=65535)] = 8480
    title: Name | None = None
    """The station's or the vehicle's name on the glass; without it, the layout's, or the first unit's callsign."""
    zone: ZoneName = "Europe/London"
    """The time zone of its clock."""
    callsigns: Annotated[tuple[Name, ...], Meta(max_length=40, description="callsigns to choose from")] = ()
    """What its Swap vehicle tab offers beside typing."""


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
