"""What is kept of each unit and of each device."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec

from cloud.fleet.basis import CrewSaid, DefectSaid, InputSaid, ModeSaid
from cloud.fleet.entry import UnitEntry
from cloud.fleet.heads import CONTROL, Head, Standing, stand
from cloud.fleet.link import Link
from cloud.fleet.position import Whereabouts
from cloud.fleet.proposals import UNSEEN, Motion
from cloud.fleet.said import KeptCrew, KeptDefect, Order, stand_crew, standing_defects
from wire.feed import Assignment, ClaimView, Proposal

UNHEARD = Link()
NOWHERE = Whereabouts()
NEVER_S = float("inf")


class Ignition(msgspec.Struct, frozen=True, gc=False):
    """A carrier's newest word on its ignition."""

    order: Order
    said: InputSaid | None
    """None where it can't be read."""


class Device(msgspec.Struct, kw_only=True, gc=False):
    """What is known of a device, whichever units it is bound to."""

    carries: tuple[str, ...] = ()
    speaks_for: tuple[str, ...] = ()
    link: Link = UNHEARD
    places: Whereabouts = NOWHERE
    ordinal: int = 0
    """Of its newest stream."""
    through: int = 0
    """How far the status queue of that stream has ended."""
    ignition: Ignition | None = None
    hidden: Order | None = None
    """Up to which place nothing is kept, for its unit was off duty then, or at home."""


class Turn(msgspec.Struct, frozen=True, gc=False):
    """What a unit's shift pattern says from one moment to another."""

    since: datetime
    until: datetime
    """When to ask the pattern again."""
    ends: datetime | None
    """The end of the turn that is on; None where none is."""
    begins: datetime | None
    """The begin of the next turn, where none is on."""


class Extras(msgspec.Struct, kw_only=True, gc=False):
    """What most units have none of, so that it costs them nothing."""

    crews: tuple[KeptCrew, ...] = ()
    crew: CrewSaid | None = None
    """The one that stands."""
    kept_defects: tuple[KeptDefect, ...] = ()
    defects: tuple[DefectSaid, ...] = ()
    """Those that stand."""
    mode: ModeSaid | None = None
    """Control's."""
    claims: tuple[ClaimView, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    turn: Turn | None = None
    hidden_until: datetime | None = None
    """When it came on duty again: where it was before is nobody's to know."""
    open_from: datetime | None = None
    """When it, or whatever its vehicle carried, was covert no more: where it was before is for its owner alone."""


NONE_EXTRA = Extras()
"""Read it; never change it."""


def _none_extra() -> Extras:
    return NONE_EXTRA


class Unit(msgspec.Struct, kw_only=True, gc=False):
    """What is known of a unit."""

    entry: UnitEntry
    speakers: tuple[str, ...] = ()
    """The devices bound to it."""
    kin: tuple[str, ...] = ()
    """Units whose records change with this one's: those that share its crew, its whole, its parts."""
    mates: tuple[str, ...] = ()
    """Those of them that share its crew."""
    heads: tuple[Head, ...] = ()
    """The latest of each device that has declared something, and the latest live one."""
    standing: Standing | None = None
    assignment: Assignment | None = None
    assignment_version: int = 0
    motion: Motion = UNSEEN
    off_base_m: float | None = None
    """How far outside of its base's fence the newest place is."""
    is_fresh: bool = False
    """Whether its carrier was, when changes were last taken."""
    wake_s: float = NEVER_S
    """When time alone will next change its record."""
    looked_s: float = NEVER_S
    """Its earliest entry in the heap: never later than `wake_s`."""
    extras: Extras = msgspec.field(default_factory=_none_extra)

    @property
    def declared_at(self) -> datetime | None:
        """When the status that stands was declared, corrected."""
        return None if self.standing is None else self.standing.head.at

    @property
    def is_private(self) -> bool:
        """Whether nobody's position may be kept or shown under the status that stands."""
        standing = self.standing
        return standing is not None and standing.head.meaning is not None and standing.head.meaning.private

    def own_extras(self) -> Extras:
        """Give the extras to change."""
        if self.extras is NONE_EXTRA:
            self.extras = Extras()
        return self.extras

    def hears(self, device: str, at: datetime) -> bool:
        """Tell whether what a device declared then counts: it is bound to the unit, and was by then."""
        if device == CONTROL:
            return True
        bound_at = self.entry.bound_at
        return device in self.speakers and (bound_at is None or at >= bound_at)

    def stand_anew(self) -> None:
        """Decide which status stands. Heads from before the binding vouch for their device, and stand no more."""
        bound_at = self.entry.bound_at
        heads = self.heads
        if bound_at is not None:
            heads = tuple([head for head in heads if head.device == CONTROL or head.at >= bound_at])
        self.standing = stand(heads)

    def forget_unbound(self) -> None:
        """Drop what devices declared that are no longer bound to it, or declared before they were."""
        self.heads = tuple([head for head in self.heads if head.device == CONTROL or head.device in self.speakers])
        self.stand_anew()
        if self.extras is NONE_EXTRA:
            return
        extras = self.extras
        extras.crews = tuple([one for one in extras.crews if self.hears(one.said.device, one.said.at)])
        extras.kept_defects = tuple([one for one in extras.kept_defects if self.hears(one.said.device, one.said.at)])
        extras.crew, extras.defects = stand_crew(extras.crews), standing_defects(extras.kept_defects)
        extras.turn = None


class Roll:
    """Every unit and device, and who is bound to whom."""

    def __init__(self) -> None:
        """Begin with none."""
        self.units: dict[str, Unit] = {}
        self.devices: dict[str, Device] = {}

    def device(self, name: str) -> Device:
        """Give what is known of a device, made now where nothing was."""
        known = self.devices.get(name)
        if known is None:
            known = self.devices[name] = Device()
        return known

    def bind(self, entries: Iterable[UnitEntry], speakers: Mapping[str, Collection[str]]) -> set[str]:
        """Put these units in the place of those there were. Gives the new and the changed; what still stands is kept.

        A device keeps its connection and its places, whatever it is bound to now.
        """
        before, self.units = self.units, {}
        changed = set()
        for entry in entries:
            unit, bound = before.get(entry.id), tuple(speakers.get(entry.id, ()))
            if unit is None:
                unit = Unit(entry=entry, speakers=bound)
                changed.add(entry.id)
            elif (unit.entry, unit.speakers) != (entry, bound):
                unit.entry, unit.speakers = entry, bound
                unit.forget_unbound()
                changed.add(entry.id)
            self.units[entry.id] = unit
        self._tie_devices()
        return changed | self._tie_kin()

    def _tie_devices(self) -> None:
        """Note which devices carry a unit and may speak for it. What is not heard of and not bound is forgotten."""
        for device in self.devices.values():
            device.carries = device.speaks_for = ()
        for unit in self.units.values():
            name = unit.entry.id
            self.device(unit.entry.carrier).carries += (name,)
            for speaker in unit.speakers:
                entry = self.device(speaker)
                entry.speaks_for += (name,)
                if entry.speaks_for == entry.carries:
                    entry.speaks_for = entry.carries  # one tuple, not two: this is how it is with nearly every device
        idle = Device()
        for name in [name for name, device in self.devices.items() if device == idle]:
            del self.devices[name]

    def _tie_kin(self) -> set[str]:
        """Note whose records change together. Gives the units whose kin changed."""
        groups: dict[tuple[str, str], tuple[str, ...]] = {}
        parts: dict[str, tuple[str, ...]] = {}
        for name, unit in self.units.items():
            entry = unit.entry
            if entry.crew_group:
                group = entry.organisation, entry.crew_group
                groups[group] = (*groups.get(group, ()), name)
            if entry.part_of in self.units:
                parts[entry.part_of] = (*parts.get(entry.part_of, ()), name)
        changed = set()
        for name, unit in self.units.items():
            entry = unit.entry
            group_of = groups.get((entry.organisation, entry.crew_group), ()) if entry.crew_group else ()
            mates = tuple([mate for mate in group_of if mate != name])
            whole = (entry.part_of,) if entry.part_of in self.units else ()
            kin = mates + whole + parts.get(name, ())
            if kin != unit.kin or mates != unit.mates:
                unit.kin, unit.mates = kin, mates
                changed.add(name)
        return changed
