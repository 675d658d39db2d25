"""What the rules of sharing go by: agreements, units, and what holds at the moment. Pure values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from wire.partner import GRANTS, Grant

Condition = Literal["always", "joint_incident", "major_incident"]
EMERGENCY = "emergency:"
"""What the id of an emergency access begins with, among the agreements that open a record."""


class Covers(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the owner's units an agreement is about: those that fit each list that is not empty."""

    units: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    """By id: where they belong, lent out or not."""
    capabilities: tuple[str, ...] = ()
    """At least one of these."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner lets one partner see of its units. Nothing is shared without one."""

    id: str
    owner: str
    partner: str
    purpose: str
    covers: Covers = Covers()
    fields: frozenset[Grant] = frozenset()
    precision_m: int = 0
    """The side of the squares that positions are blurred to; 0 for exact ones."""
    delay_s: int = 0
    """How long positions are held back."""
    when: Condition = "always"
    """`joint_incident`: while the unit is assigned to an incident that one of the partner's own units is assigned to.
    `major_incident`: while a major incident is declared under `incident`."""
    incident: str = ""
    """The name of the major incident."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class EmergencyAccess(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's word that it must see an owner's units now, whatever is agreed. Announced to the owner."""

    id: str
    owner: str
    partner: str
    reason: str
    by: str
    since: datetime
    until: datetime
    fields: frozenset[Grant] = frozenset(GRANTS) - {"workings"}


class SharedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """A unit, as agreements speak of it."""

    id: str
    organisation: str
    type: str
    base: str
    """By id: where it belongs."""
    capabilities: tuple[str, ...] = ()
    hidden: bool = False
    """Whether nobody but its owner may know of it: covert, off duty, or at home. The three look alike on purpose."""
    incident: str = ""
    """What it is assigned to; empty for nothing."""


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What holds at a moment, beside the units."""

    now: datetime
    declared: frozenset[str] = frozenset()
    """The names of the major incidents that are declared."""
    withdrawn: frozenset[str] = frozenset()
    """The ids of agreements whose owner has withdrawn them."""
    access: tuple[EmergencyAccess, ...] = ()
    incidents: Mapping[str, frozenset[str]] = {}
    """By organisation: the incidents that units of its own are assigned to."""


class Grants(msgspec.Struct, frozen=True, kw_only=True):
    """What one partner may see of one unit now. Hashable: records are encoded once for each."""

    fields: frozenset[Grant]
    agreements: tuple[str, ...] = ()
    """Sorted."""
    precision_m: int = 0
    delay_s: int = 0
    """Both of the position alone, and both of one and the same agreement."""
    own: bool = False
    """Whether the unit is the partner's own."""


OWN = Grants(fields=frozenset(GRANTS), own=True)
"""What an organisation may see of its own units: everything."""
