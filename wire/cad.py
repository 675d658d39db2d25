"""What Watchroom and an organisation's command and control system (CAD) say to each other of its units and orders.

The directory names, for each of an organisation's statuses, assignments and crews, who has the last word (its
`masters`). What the CAD is the master of it says, in messages of three kinds (`SaidToUs`); each gets one `CadAnswer`.
What stands, whoever said it, it is told in messages of two kinds (`SaidByUs`), numbered without a gap.

| over MQTT | over HTTP, on the partners' port | content |
|---|---|---|
| `wr/1/cad/{organisation}/in`, QoS 1 | `PUT /v1/cad/{organisation}/messages/{id}` | `SaidToUs` |
| `wr/1/cad/{organisation}/answer`, QoS 0 | the answer to that | `CadAnswer` |
| `wr/1/cad/{organisation}/out`, QoS 1 | `GET /v1/cad/{organisation}/messages` | `SaidByUs`, `CadTick` |

Nothing goes round in a circle: a CAD is never told what it said itself, what it repeats of what it was told changes
nothing, and whatever it quotes a `version` for is refused once something else has changed that.
"""

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wire.events import CrewPerson, Instant, Mode, OrderId, Person, Text, Token, Word, keep_utc
from wire.feed import AvailabilityClass, CalledView, Confidence, OrderKind, Phase
from wire.topics import TOKEN_PATTERN

CAD_BYTES_MAX = 16_384
"""The longest message, either way."""
OWN = "watchroom"
"""Who said it first, where no CAD did: a crew, a device, control, or this cloud."""
OWN_IDS = "wr."
"""How the ids of our own messages begin."""
IN_FILTER = "wr/1/cad/+/in"
_IN = re.compile(rf"wr/1/cad/({TOKEN_PATTERN})/in")

Channel = Literal["in", "answer", "out"]
Version = Annotated[int, Meta(ge=0, le=2**53)]
MessageId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{1,80}\Z", description="1 to 80 of A-Z, a-z, 0-9, ._:-")]
Number = Annotated[str, Meta(min_length=1, max_length=64)]
"""An order's number in the CAD."""
Outcome = Literal["taken", "known", "refused", "again"]
Changed = Literal["status", "availability", "assignment", "crew", "mode"]
Why = Literal[
    "", "repeated", "echo", "stands",
    "not_understood", "too_large", "differs", "no_such_unit", "not_master", "unknown_code", "bad_time", "late", "moved",
    "away",
]  # fmt: skip


def is_ours(message: "SaidToUs") -> bool:
    """Tell whether a CAD only repeats what we said."""
    return message.origin == OWN or message.id.startswith(OWN_IDS)


def topic(organisation: str, channel: Channel) -> str:
    """Name the topic of one direction."""
    return f"wr/1/cad/{organisation}/{channel}"


def parse_in(name: str) -> str | None:
    """Tell whose CAD a message on this topic is from; None for any other topic."""
    match = _IN.fullmatch(name)
    return None if match is None else match.group(1)


class CadCommon(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What every message of a CAD carries. A field that there is not is refused: whoever wrote it meant something."""

    id: MessageId
    """Of its own for each message, and not beginning with `wr.`, as ours do. The same message again is known."""
    origin: Token
    """Which system said it first: a name of the CAD's own choice; `watchroom` marks what it only repeats."""
    at: Instant
    """When it was so, UTC."""
    unit: Token
    by: Person | None = None
    """Who at the CAD says so."""

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        keep_utc(self, "at")


class CadStatus(CadCommon, frozen=True, kw_only=True, tag="status"):
    """A unit's status."""

    code: Word
    """Of the unit's scheme, and none that is only an event."""
    remarks: Text = ""
    mode: Mode = "live"
    version: Version | None = None
    """The unit's `versions.status` that it was decided on: refused where that has changed. Null: whatever stands."""


class CadAssignment(CadCommon, frozen=True, kw_only=True, tag="assignment"):
    """A unit is on an order of the CAD's, or on none."""

    order: Number | None
    """The CAD's own number of the order; null for off whatever it is on. Another's order is only repeated."""
    incident: Annotated[str, Meta(max_length=64)] = ""
    address: Text = ""
    text: Text = ""
    version: Version
    """The unit's `versions.assignment` that it was decided on: refused where that has changed. 0 before the first."""


class CadCrew(CadCommon, frozen=True, kw_only=True, tag="crew"):
    """A unit's crew logged on or off."""

    on: bool
    riders: Annotated[int, Meta(ge=0, le=99)] = 0
    persons: Annotated[list[CrewPerson], Meta(max_length=12)] = []
    until: Instant | None = None
    """The end of the shift."""
    version: Version | None = None
    """The unit's `versions.crew` that it was decided on: refused where that has changed."""

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        keep_utc(self, "at", "until")


SaidToUs = CadStatus | CadAssignment | CadCrew


class CadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message.

    `taken`: it is stored, and shown. `known`: it changes nothing, for it is so already. `refused`: it changed nothing,
    and why. `again`: nothing can be stored now; send it again. Without an answer, send it again too.
    """

    id: str
    """The message's; empty where it has none that can be read."""
    unit: str = ""
    outcome: Outcome
    why: Why = ""
    """`known`: `repeated` (the id was answered before), `echo` (we said it), `stands` (it is so already). `refused`:
    what is wrong. Empty where it was taken."""
    text: str = ""
    """Plain English that says what would be right."""
    version: Version | None = None
    """Of what the message is about, as it stands after it; null where nothing is known of that."""
    at: Instant


class CadStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The status that stands."""

    scheme: str
    code: str
    label: str
    since: Instant
    proven: bool
    """Whether `since` rests on a clock that was checked."""
    by: str
    """`panel`, `order` or `radio`: how it was said."""
    device: str = ""
    """Whose word it is; `control` where a person's, or a CAD's."""
    origin: str


class CadHolding(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a unit is on."""

    order: str
    """The number of its own CAD's order, `ORGANISATION/NUMBER` of another's, or the id of one of Watchroom's."""
    incident: str
    since: Instant
    origin: str
    """Whose order it is."""


class CadAboard(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on a unit, as logged on."""

    riders: int
    skills: tuple[str, ...] = ()
    until: Instant | None = None
    origin: str


class CadVersions(msgspec.Struct, frozen=True, kw_only=True):
    """How often each has changed."""

    status: Version = 0
    assignment: Version = 0
    crew: Version = 0


class CadUnit(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="unit"):
    """One of its own units, as it stands, with who said so."""

    seq: Annotated[int, Meta(ge=0)]
    """Of the message among all to this organisation; of a unit that is looked up, of the last one about it."""
    id: str
    origin: str
    """Which system first said what changed."""
    at: Instant
    """When Watchroom knew."""
    changed: tuple[Changed, ...]
    """What is news in it: everything else stands as it did."""
    unit: str
    callsign: str
    availability: AvailabilityClass | None = msgspec.field(name="class")
    confidence: Confidence
    """`unconfirmed` and `contradicted`: confirm by radio."""
    status: CadStanding | None
    assignment: CadHolding | None
    crew: CadAboard | None
    mode: Mode
    versions: CadVersions


class CadOrder(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="order"):
    """An order of Watchroom's that calls its units, as it stands. Only its own units are named."""

    seq: Annotated[int, Meta(ge=1)]
    id: str
    origin: str
    at: Instant
    version: Version
    """Grows with every change of the order."""
    order: OrderId
    order_kind: OrderKind
    phase: Phase
    reason: str
    base: str
    base_name: str
    incident: str
    address: str
    text: str
    mode: Mode
    units: tuple[CalledView, ...]
    by: str
    created_at: Instant
    active: bool


class CadTick(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="tick"):
    """Nothing is new: a sign of life, and what there is."""

    at: Instant
    seq: int
    """Of the newest message: whoever has not got it looks it up over HTTP."""


SaidByUs = CadUnit | CadOrder


class CadMessages(msgspec.Struct, frozen=True, kw_only=True):
    """What was said to a CAD after a number, in order."""

    at: Instant
    newest: int
    """The number of the newest message. Below the one that was asked after: a backup was restored; look all units
    up."""
    missed: int
    """Messages after the one asked after that are kept no more: where there are any, look all units up."""
    messages: tuple[CadUnit | CadOrder, ...]


class CadUnits(msgspec.Struct, frozen=True, kw_only=True):
    """A page of its own units, as they stand, by unit."""

    at: Instant
    newest: int
    """Read the messages after this one: what changed since is there."""
    units: tuple[CadUnit, ...]
    next_after: str | None = None
    """Ask for the next page with `after` set to this; null at the end."""


class Unread(msgspec.Struct, frozen=True):
    """Bytes that are no message of a CAD."""

    why: Literal["not_understood", "too_large"]
    text: str
    id: str = ""


class _Named(msgspec.Struct):
    id: MessageId


_read = msgspec.json.Decoder(CadStatus | CadAssignment | CadCrew | CadUnit | CadOrder | CadTick)
_read_id = msgspec.json.Decoder(_Named)
_encoder = msgspec.json.Encoder()


def decode(raw: bytes) -> "SaidToUs | CadUnit | CadOrder | CadTick | Unread":
    """Read what a CAD sends: a message of its own, or one of ours that it repeats. Raises nothing."""
    if len(raw) > CAD_BYTES_MAX:
        return Unread("too_large", f"{len(raw)} bytes; send at most {CAD_BYTES_MAX}")
    try:
        message: SaidToUs | CadUnit | CadOrder | CadTick = _read.decode(raw)
        return message
    except (ValueError, RecursionError) as error:
        return Unread("not_understood", str(error) or "nested too deeply", _id_of(raw))


def encode(message: "SaidToUs | CadUnit | CadOrder | CadTick | CadAnswer") -> bytes:
    """Write a message, either way, or an answer."""
    return _encoder.encode(message)


def time_of(message: SaidToUs, now: datetime) -> datetime:
    """Give when a message says that it was so: never later than now."""
    return min(message.at, now)


def _id_of(raw: bytes) -> str:
    try:
        return _read_id.decode(raw).id
    except (ValueError, RecursionError):
        return ""
