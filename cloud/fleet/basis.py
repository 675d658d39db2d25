"""What a unit's availability is decided on: everything that somebody said, as it stands now. Pure values.

The fleet keeps these and hands a `Basis` to `assess`, which gives an `Assessment`. Nothing else is asked.
"""

from datetime import datetime
from typing import Literal

import msgspec

from cloud.fleet.heads import CONTROL as CONTROL
from cloud.fleet.heads import Standing
from wire.events import Mode
from wire.feed import Activity, Assignment, AvailabilityClass, ClaimView, Confidence, Freshness, Reason, SourceView
from wire.scheme import Code

Vouch = Literal["stored", "catching_up", "refused", "other", "not_held", "unsaid", "silent"]
"""What a device's last heartbeat means for its head: it names that very status, or a later one that is still on its
way, or one that was refused or lost, or one that does not stand, or holds none, or it has not spoken since the cloud
started, or only envelopes have come for longer than a device may be silent."""


class Needs(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the directory asks of a unit's crew."""

    minimum: int = 0
    """Fewer riders than these and it is short; 0 where nobody asks."""
    preferred: int = 0
    skills: tuple[tuple[str, int], ...] = ()
    """Skills, and how many on board must have each."""


NO_NEEDS = Needs()


class CrewSaid(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who is on a unit, as the newest log-on or log-off says."""

    device: str
    on: bool
    riders: int
    skills: tuple[tuple[str, int], ...] = ()
    """Each skill, and how many have it."""
    until: datetime | None = None
    at: datetime
    """Corrected, UTC."""
    proven: bool = True


class DefectSaid(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A defect that was raised and not cleared."""

    device: str
    what: str
    off_the_run: bool
    text: str = ""
    at: datetime
    """Corrected, UTC."""


class InputSaid(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the carrier's ignition reads. Only a good quality is kept."""

    device: str
    value: bool
    at: datetime
    """Since when it reads so, corrected, UTC."""


class Spot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the carrier was last seen. It may be old: what was seen since the press stands, though silence follows."""

    device: str
    at: datetime
    """When it was there, UTC."""
    speed_mps: float | None = None
    accuracy_m: float | None = None
    off_base_m: float | None = None
    """How far it is outside the fence of the base that it is at; 0.0 inside; None where the base has no place."""


class ModeSaid(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A mode that control, or the unit's own device, has put it in."""

    mode: Mode
    at: datetime | None = None
    until: datetime | None = None
    """When it runs out; None for a device's own."""
    by: str = ""
    """Who at control; empty for a device's own."""
    then: "ModeSaid | None" = None
    """What control has put it in besides, which holds on once this is over; None for live."""


class Mate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Another unit of the same crew, as it stands by itself, by what people said of it."""

    callsign: str
    availability: AvailabilityClass | None
    activity: Activity | None
    """What its crew is at with it, if any of its devices says so."""
    assigned: bool
    """Whether it is on an order."""
    first: bool
    """Whether it comes before this one where both could be sent: its crew is on the road with it, or the directory has
    it so."""


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """All that class and confidence are decided on."""

    now: datetime
    """UTC."""
    standing: Standing | None
    meaning: Code | None = None
    """The scheme's row of the status that stands."""
    link: Freshness
    ended: bool = False
    link_at: datetime | None = None
    """When the newest proof that the carrier was alive was sent."""
    carrier: str = ""
    vouch: Vouch = "stored"
    """The carrier's."""
    declarer_vouch: Vouch = "stored"
    """That of the device whose status stands, where it is another one, and no person's at control."""
    needs: Needs = NO_NEEDS
    crew: CrewSaid | None = None
    rostered_until: datetime | None = None
    """The end of the turn that the directory's shift pattern says is on now."""
    off_shift: bool = False
    """Whether the directory's shift pattern has nobody on now."""
    roster_begins: datetime | None = None
    """Of a unit that is off shift by it: when the pattern's next turn begins."""
    defects: tuple[DefectSaid, ...] = ()
    ignition: InputSaid | None = None
    spot: Spot | None = None
    assignment: Assignment | None = None
    mode: ModeSaid | None = None
    """None for live."""
    claims: tuple[ClaimView, ...] = ()
    bound_at: datetime | None = None
    """Since when the present binding holds, where control confirmed one; None for the directory's own."""
    mates: tuple[Mate, ...] = ()
    tier_min: int = 0
    """The unit's own figure, which a code may replace."""
    split_into: tuple[str, ...] = ()
    """Callsigns of the parts that it is split into now."""
    part_of: str = ""
    """The callsign of the whole that it is a part of."""
    is_apart: bool = True
    """Of a part: whether the whole is split now."""
    path_failed: bool = False
    """Whether it fell silent together with many others."""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What may be believed of a unit, and why."""

    availability: AvailabilityClass | None
    confidence: Confidence
    reasons: tuple[Reason, ...]
    """The deciding one first."""
    sources: tuple[SourceView, ...]
    """What the reasons name, and what else the record rests on."""
    activity: Activity | None
    tier_min: int
    changes_at: datetime | None
    """When time alone will change any of this: a shift that ends, a mode that runs out. None for never. Freshness of
    the link and of the place is not in it: the fleet watches those."""
