"""What the touch page is shown, and what it asks of the agent, which composes the `PanelPort`. Pure.

Times are aware and UTC. Ages and elapsed times are seconds at the page's `at`: the page goes on counting by itself.
Nothing here is a wish: a lamp says what the agent knows, and an answer says what became of a request.
"""

from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from edge_agent.state.lamps import Lamp
from edge_agent.state.swap import Stage
from wire.events import Mode, Outcome, Service, Text, Token, Word
from wire.findings import Finding

Icon = Literal[
    "base", "mobile", "scene", "available", "conditional", "unavailable", "hospital", "patient", "speech", "break",
    "other",
]  # fmt: skip
"""The drawings that the page has for a status button."""
Mains = Literal["ok", "failed", "unknown"]
Standing = Literal["live", "cancelled", "expired"]

OrderId = Annotated[str, Meta(min_length=1, max_length=64)]
ZoneName = Annotated[str, Meta(min_length=1, max_length=40)]


class StatusButton(msgspec.Struct, frozen=True, kw_only=True):
    """One status that a unit's card offers."""

    code: str
    label: str
    """In the service's own words."""
    icon: Icon = "other"
    lamp: Lamp
    """As the contract's "Lamps and panel" has it; the page lights nothing by itself."""


class ShownToCrew(msgspec.Struct, frozen=True, kw_only=True):
    """What control shows for a unit."""

    code: str
    label: str
    since: datetime


class OpenDefect(msgspec.Struct, frozen=True, kw_only=True):
    """A defect that was raised and not cleared."""

    what: str
    off_the_run: bool
    text: str = ""


class UnitCard(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of the station, or the vehicle's own."""

    unit: str
    callsign: str
    service: Service
    vehicle: str = ""
    """Fleet number or registration; empty where it is not known."""
    shown: ShownToCrew | None = None
    """None: control's word is not known here, or ran out."""
    overruled: bool = False
    """Control believes otherwise than the last press of this device that settled."""
    crewed: bool = False
    """Whether a crew is logged on."""
    riders: int | None = None
    minimum: int | None = None
    """The riders that the unit needs; None where that is not known."""
    commander: str = ""
    """The officer in charge."""
    defects: tuple[OpenDefect, ...] = ()
    mode: Mode = "live"
    """The one that control has put the unit in."""
    carried: Stage = "own"
    """Whether the vehicle carries this unit as its own, by a swap, or not at all."""
    by: str = ""
    """Who at control said so."""
    buttons: Annotated[tuple[StatusButton, ...], Meta(max_length=8)]
    """Six fill a card; at most eight are shown. Never the emergency code: that is a guarded hardware button."""


class CalledCard(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that an order calls."""

    unit: str
    callsign: str
    service: Service
    acknowledged: bool = False


class StepTick(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an order, as it was read back."""

    name: str
    """The wire's StepName, such as `sounder:dorm-fire`."""
    label: str
    """In a person's words, such as "Sounder, dormitory fire"."""
    outcome: Outcome | Literal["waiting"]
    reason: str = ""
    """The receipt's short word, such as `door_fail`."""
    elapsed_ms: int | None = None


class OrderCard(msgspec.Struct, frozen=True, kw_only=True):
    """One order that concerns this panel."""

    order: str
    revision: int
    local: bool = False
    """A turnout by hand at this station, not an order of control's."""
    standing: Standing = "live"
    """A cancelled or expired order is shown until the agent drops it from the page."""
    kind: Literal["mobilise", "standby_move"] = "mobilise"
    mode: Mode
    incident: str
    address: str
    grid_reference: str
    text: str = ""
    units: tuple[CalledCard, ...]
    """Of the services that this panel serves, and no others."""
    received_at: datetime
    elapsed_s: float
    """Since it came in, on the monotonic clock."""
    turned_out_s: float | None = None
    """How long the turnout took, once every unit of `units` is mobile: the clock stands then."""
    acknowledged: bool
    steps: tuple[StepTick, ...] = ()


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """Whether control sees this panel."""

    seen: bool
    answer_age_s: float | None
    """Since its newest answer; None before the first."""


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the station that can be tested alone."""

    name: ZoneName
    label: str


class SwapCard(msgspec.Struct, frozen=True, kw_only=True):
    """Which unit the vehicle carries, and what its crew may choose."""

    own: str
    """The callsign of the vehicle's own unit."""
    stage: Stage = "own"
    callsign: str = ""
    """Of the unit that `stage` is about."""
    by: str = ""
    """Who at control said so."""
    leaving: bool = False
    """The crew has asked to end the swap, and control has not answered."""
    choices: tuple[str, ...] = ()
    """Callsigns to choose from; any other can be typed."""


class PanelPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the page shows, whole."""

    version: int
    """Another number whenever anything here has changed, except `at` and what counts on by itself."""
    at: datetime
    zone: str = "Europe/London"
    """The time zone of the clock on the glass."""
    station: str
    """The station's name, or the vehicle's."""
    mode: Mode = "live"
    """The one that control has put every unit here in; else live, and each card says its own."""
    control: Control
    wan_up: bool
    """Whether the connection to the broker stands."""
    mains: Mains
    oldest_unsent_s: float | None = None
    """The age of the oldest status event that control does not have yet; None where there is none."""
    notice: str = ""
    """What must be read now, such as the lamps' notice; empty where nothing is wrong."""
    units: tuple[UnitCard, ...]
    orders: tuple[OrderCard, ...] = ()
    """Newest first. The page opens the newest that nobody has acknowledged."""
    health: tuple[Finding, ...] = ()
    """What the agent found of each of its parts, as its heartbeats say it."""
    night: bool = False
    zones: tuple[Zone, ...] = ()
    """Empty: there is no station here to test or to turn out (a vehicle)."""
    swap: SwapCard | None = None
    """None: this panel is no vehicle's."""


class PressForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A status button was pressed."""

    unit: Token
    code: Word


class CrewForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A crew logs on, changes, or logs off (`on` false; the rest then says nothing)."""

    unit: Token
    on: bool
    riders: Annotated[int, Meta(ge=0, le=99)] = 0
    commander: Annotated[str, Meta(max_length=32)] = ""


class DefectForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A defect is raised, or cleared (`raised` false)."""

    unit: Token
    what: Word
    off_the_run: bool = False
    raised: bool = True
    text: Text = ""


class SwapForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vehicle carries a unit now, or (`on` false) no longer does."""

    callsign: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S")]
    on: bool = True


class AcknowledgeForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person has taken an order in; for one unit, or for all."""

    order: OrderId
    unit: Token | None = None


class ZoneTestForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test of one zone, or of all. It alarms nobody."""

    zone: ZoneName | None = None


class TurnOutForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The station turns units out by hand, with or without the WAN."""

    units: Annotated[tuple[Token, ...], Meta(min_length=1, max_length=20)]
    text: Annotated[str, Meta(max_length=300)] = ""


class Answer(msgspec.Struct, frozen=True):
    """What became of a request: done where `trouble` is empty, else what the person at the glass is told."""

    trouble: str = ""


DONE = Answer()


class PanelPort(Protocol):
    """The agent as the page sees it. Every method runs on the agent's own loop.

    A request answers only once its event is committed here (or could not be). A name that the agent does not know is
    answered with a trouble. An emergency is never raised on glass: there is no request for it.
    """

    def view(self) -> PanelPage:
        """Everything as it stands now."""
        ...

    async def changed(self, seen: int) -> None:
        """Return as soon as the version is another than `seen`, at once where it is already."""
        ...

    async def press(self, form: PressForm) -> Answer:
        """Declare a status."""
        ...

    async def crew(self, form: CrewForm) -> Answer:
        """Log a crew on or off."""
        ...

    async def defect(self, form: DefectForm) -> Answer:
        """Raise or clear a defect."""
        ...

    async def swap(self, form: SwapForm) -> Answer:
        """Ask control to let this vehicle carry another unit, or to end that."""
        ...

    async def acknowledge(self, form: AcknowledgeForm) -> Answer:
        """Take an order in."""
        ...

    async def test(self, form: ZoneTestForm) -> Answer:
        """Test a zone, or all."""
        ...

    async def turn_out(self, form: TurnOutForm) -> Answer:
        """Turn units out by hand."""
        ...
