"""The whole fleet in memory: what each message changes, and each unit's record as the feed shows it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from cloud.fleet.basis import CrewSaid, DefectSaid, InputSaid, ModeSaid
from cloud.fleet.clocks import Corrected, Moment, correct
from cloud.fleet.entry import UnitEntry
from cloud.fleet.heads import CONTROL, Head, latest, replace_head
from cloud.fleet.link import Link, apply_death, apply_sent, apply_vitals, freshness
from cloud.fleet.paths import PathFailure, Paths
from cloud.fleet.position import Place, apply_place
from cloud.fleet.proposals import add
from cloud.fleet.record import Judge, Seen
from cloud.fleet.said import KeptDefect, Order, keep_crew, keep_defect, stand_crew, standing_defects
from cloud.fleet.track import come_open, drop_outdated, follow_place, forget_place, hide, may_be_kept, move_base
from cloud.fleet.unit import UNHEARD, Device, Ignition, Roll, Unit
from cloud.fleet.wakes import Wakes
from wire.events import Event
from wire.feed import Assignment, ClaimView, FeedRecord, Proposal
from wire.messages import Birth, Death, Heartbeat

IGNITION = "ignition"
"""The one input that is held against a status."""

_NOBODY = Device()


class Fleet:
    """Live state. One owner, one thread; time comes in with every call, so that it runs the same under any clock."""

    def __init__(self, units: Iterable[UnitEntry], speakers: Mapping[str, Collection[str]]) -> None:
        """Begin with every unit never heard. `speakers` are the devices bound to each unit."""
        self._roll, self._paths, self._wakes = Roll(), Paths(), Wakes()
        self._judge = Judge(self._roll, self._paths)
        self._roll.bind(units, speakers)
        self._changed: dict[str, datetime | None] = dict.fromkeys(self._roll.units)
        """Units to show anew, and when the first unshown change came; None for one that time alone made."""
        self._gone: dict[str, None] = {}

    def rebind(self, units: Iterable[UnitEntry], speakers: Mapping[str, Collection[str]], now: Moment) -> None:
        """Take another directory, or another binding, into force: what still stands is kept.

        What devices declared that are no longer bound, or before they were, stands no more; control's word does.
        Units that there are no more are gone, new ones never heard. A device's connection and places stay its own.
        """
        before = self._roll.units
        known = {name: (unit.entry, unit.is_private) for name, unit in before.items()}
        secret = {unit.entry.carrier for unit in before.values() if unit.entry.covert}
        changed = self._roll.bind(units, speakers)
        for name in before.keys() - self._roll.units.keys():
            self._leave(before[name], now)
        for name in changed:
            unit = self._roll.units[name]
            self._gone.pop(name, None)
            self._arrive(unit, known.get(name), now)
            if unit.entry.carrier in secret and not unit.entry.covert:
                come_open(unit, now.utc)
            self._touch((name,), now)

    def read_anew(self, reading: Callable[[Head], Head], now: Moment) -> None:
        """Read every status anew, because what its code means has changed."""
        for name, unit in self._roll.units.items():
            heads = tuple(map(reading, unit.heads))
            if heads != unit.heads:
                unit.heads = heads
                self._stand_anew(unit, now)
                self._touch((name,), now)

    def take_gone(self, _now: Moment) -> tuple[str, ...]:
        """Give the units that there are no more, each once."""
        gone = tuple(self._gone)
        self._gone.clear()
        return gone

    @property
    def units(self) -> Iterable[str]:
        """Every unit, by id."""
        return self._roll.units.keys()

    @property
    def wakes_planned(self) -> int:
        """How many looks ahead are entered: a few a unit, however often it speaks or is read."""
        return len(self._wakes)

    @property
    def path_failure(self) -> PathFailure | None:
        """Whether many units fell silent together, as of the last `take_changed`."""
        return self._paths.failure

    def name(self, unit: str) -> str:
        """Give a unit's id as it is kept: one text, whoever brings a copy of it."""
        known = self._roll.units.get(unit)
        return unit if known is None else known.entry.id

    def speakers(self, unit: str) -> tuple[str, ...]:
        """Which devices are bound to a unit; none where there is no such unit."""
        known = self._roll.units.get(unit)
        return () if known is None else known.speakers

    def link(self, device: str) -> Link | None:
        """What is known of a device's connection; None for one never heard since the start."""
        link = self._roll.devices.get(device, _NOBODY).link
        return None if link is UNHEARD else link

    def apply_vitals(
        self, device: str, vitals: Heartbeat | Birth, ordinal: int, echoed_s: float | None, now: Moment
    ) -> bool:
        """Fold a heartbeat or birth in. Tells whether it was news: a replayed one is not."""
        entry = self._roll.device(device)
        known = entry.link
        link = apply_vitals(known, vitals, ordinal, echoed_s, now)
        if link is not None:
            entry.link = link
            self._touch(entry.carries, now)
            if _names_others(known, link) or self._is_behind(device, entry, link):
                self._touch(entry.speaks_for, now)
        return link is not None

    def apply_sent(self, device: str, boot: int, sent_mono_ms: int, now: Moment, ordinal: int | None = None) -> None:
        """Fold in that a device sent some other message; one in another stream than it speaks in proves nothing."""
        entry = self._roll.devices.get(device, _NOBODY)
        if ordinal not in (None, entry.link.ordinal):
            return
        link = apply_sent(entry.link, boot, sent_mono_ms, now.mono_s)
        if link is not entry.link:
            entry.link = link
            self._touch(entry.carries, now)

    def apply_death(self, device: str, death: Death, ordinal: int, now: Moment) -> bool:
        """Fold the end of a connection in. Tells whether it was the newest connection's."""
        entry = self._roll.device(device)
        link = apply_death(entry.link, death, ordinal)
        if link is not None:
            entry.link = link
            self._touch(entry.carries, now)
        return link is not None

    def apply_through(self, device: str, ordinal: int, through: int, now: Moment) -> None:
        """Fold in how far a device's newest status queue has ended."""
        entry = self._roll.device(device)
        if (ordinal, through) > (entry.ordinal, entry.through):
            entry.ordinal, entry.through = ordinal, through
            self._touch(entry.speaks_for, now)

    def apply_head(self, head: Head, now: Moment) -> bool:
        """Fold a committed status in. Tells whether it is now its device's head, live or not.

        Devices not bound hold none, and an automatic status is none: `propose` is for those. Control's word may be of
        any unit; it stands over what was received before it.
        """
        unit = self._roll.units.get(head.unit)
        if unit is None or head.by == "auto" or not (head.device == CONTROL or head.device in unit.speakers):
            return False
        heads = replace_head(unit.heads, head)
        if heads is None:
            return False
        unit.heads = heads
        self._stand_anew(unit, now)
        self._touch((head.unit,), now)
        self._changed[head.unit] = now.utc
        return True

    def apply_crew(self, unit_id: str, crew: CrewSaid, order: Order, now: Moment) -> bool:
        """Fold a crew's log-on or log-off in. Tells whether it is its device's newest for the unit."""
        unit = self._roll.units.get(unit_id)
        if unit is None or not unit.hears(crew.device, crew.at):
            return False
        crews = keep_crew(unit.extras.crews, crew, order)
        if crews is None:
            return False
        extras = unit.own_extras()
        extras.crews, extras.crew = crews, stand_crew(crews)
        self._touch((unit_id,), now)
        return True

    def apply_defect(self, unit_id: str, defect: DefectSaid, raised: bool, order: Order, now: Moment) -> bool:
        """Fold a defect in, raised or mended. Tells whether it is its device's newest word on that."""
        unit = self._roll.units.get(unit_id)
        if unit is None or not unit.hears(defect.device, defect.at):
            return False
        kept = keep_defect(unit.extras.kept_defects, KeptDefect(order, raised, defect))
        if kept is None:
            return False
        extras = unit.own_extras()
        extras.kept_defects, extras.defects = kept, standing_defects(kept)
        self._touch((unit_id,), now)
        return True

    def apply_input(  # noqa: PLR0913 - a reading is this wide
        self, device: str, name: str, value: bool | float | None, at: datetime, order: Order, now: Moment
    ) -> bool:
        """Fold an input's value in; None where it can't be read. Tells whether it is the newest of one that is kept."""
        entry = self._roll.device(device)
        known = entry.ignition
        if name != IGNITION or (known is not None and order <= known.order):
            return False
        before = known.said if known is not None else None
        said = None if value is None else InputSaid(device=device, value=bool(value), at=at)
        if before is not None and said is not None and before.value == said.value:
            said = before  # it has read so since then
        entry.ignition = Ignition(order, said)
        if said is not before:
            self._touch(entry.carries, now)
        return True

    def apply_place(self, device: str, place: Place, now: Moment) -> bool:
        """Fold a position in. Tells whether it is the newest of its device, and may be kept at all."""
        entry = self._roll.device(device)
        units = [self._roll.units[name] for name in entry.carries]
        if any([unit.is_private for unit in units]):
            hide(entry, place)
            return False
        whereabouts = apply_place(entry.places, place)
        if whereabouts is None or not may_be_kept(entry, units, place):
            return False
        entry.places = whereabouts
        for unit in units:
            follow_place(unit, place)
        self._touch(entry.carries, now)
        return True

    def assign(self, unit_id: str, assignment: Assignment | None, version: int, now: Moment) -> bool:
        """Show which order a unit is on, or None; `version` counts its changes. Tells whether there is such a unit."""
        unit = self._roll.units.get(unit_id)
        if unit is None:
            return False
        if (unit.assignment, unit.assignment_version) != (assignment, version):
            unit.assignment, unit.assignment_version = assignment, version
            self._touch((unit_id,), now)
        return True

    def set_mode(self, unit_id: str, mode: ModeSaid | None, now: Moment) -> bool:
        """Take in the mode that control has put a unit in; None for live. Tells whether there is such a unit."""
        unit = self._roll.units.get(unit_id)
        if unit is not None and unit.extras.mode != mode:
            unit.own_extras().mode = mode
            self._touch((unit_id,), now)
        return unit is not None

    def set_claims(self, unit_id: str, claims: tuple[ClaimView, ...], now: Moment) -> bool:
        """Take in the devices that say they carry a unit. Tells whether there is such a unit."""
        unit = self._roll.units.get(unit_id)
        if unit is not None and unit.extras.claims != claims:
            unit.own_extras().claims = claims
            self._touch((unit_id,), now)
        return unit is not None

    def propose(self, unit_id: str, proposal: Proposal, now: Moment) -> bool:
        """Show an automatic status beside the one that stands, until a later one is declared. It changes nothing else.

        Tells whether it is news: an older one than its like, or than the status that stands, is not.
        """
        unit = self._roll.units.get(unit_id)
        proposals = None if unit is None else add(unit.extras.proposals, proposal, unit.declared_at)
        if unit is None or proposals is None:
            return False
        unit.own_extras().proposals = proposals
        self._touch((unit_id,), now)
        return True

    def correct(self, device: str, event: Event, received: Moment, ordinal: int | None = None) -> Corrected:
        """Place an event in time by what is known of its device's clocks now.

        Those are the clocks of whoever speaks in the newest stream: an event of another `ordinal` is unproven.
        """
        link = self._roll.devices.get(device, _NOBODY).link
        if ordinal not in (None, link.ordinal):
            link = UNHEARD
        return correct((event.at, event.clock, event.boot, event.mono_ms), link.clock_map, link.skew_s, received)

    def head(self, unit: str, device: str) -> Head | None:
        """The latest status of one device for a unit, in whichever mode."""
        known = self._roll.units.get(unit)
        return None if known is None else latest(known.heads, device)

    def heads(self, unit: str, device: str) -> tuple[Head, ...]:
        """What is kept of one device for a unit: its latest live status, and its latest of any other mode."""
        known = self._roll.units.get(unit)
        return () if known is None else tuple([head for head in known.heads if head.device == device])

    def standing(self, unit: str) -> Head | None:
        """The status that stands for a unit."""
        known = self._roll.units.get(unit)
        return known.standing.head if known is not None and known.standing else None

    def private(self, unit: str) -> bool:
        """Whether nobody's position may be kept or shown now: the unit is off duty, or at home."""
        known = self._roll.units.get(unit)
        return known is not None and known.is_private

    def assignment(self, unit: str) -> Assignment | None:
        """What a unit is assigned to; None for nothing, and where there is no such unit."""
        known = self._roll.units.get(unit)
        return known.assignment if known is not None else None

    def take_changed(self, now: Moment) -> dict[str, datetime]:
        """Give the units that changed since the last call, by a message or because time has passed, and when."""
        units = self._roll.units
        for unit in self._wakes.due(units, now.mono_s):
            for name in (unit.entry.id, *unit.kin):
                self._changed.setdefault(name, None)
        for name in self._changed:
            self._note_freshness(units[name], now)
        for name in self._paths.take(now):
            self._changed.setdefault(name, None)
        changed = {unit: at or now.utc for unit, at in self._changed.items()}
        self._changed.clear()
        return changed

    def record(self, unit_id: str, cursor: int, as_of: datetime, now: Moment) -> FeedRecord:
        """Make a unit's record, its ages as at `now`, and plan to look again when time alone will change it."""
        unit = self._roll.units[unit_id]
        judged = self._judge.judge(unit, cursor, as_of, now)
        self._wakes.plan(unit, judged.wakes, now.mono_s)
        return judged.record

    def record_among(self, unit_id: str, as_of: datetime, now: Moment, seen: Seen) -> FeedRecord:
        """Make a unit's record as if of its kin there were only those that are seen; unless it is all, for others."""
        return self._judge.judge(self._roll.units[unit_id], 0, as_of, now, seen).record

    def come_open(self, units: Mapping[str, datetime]) -> None:
        """Tell others than their owners of no place of these units from before then, when they ceased to be covert."""
        for name, at in units.items():
            come_open(self._roll.units[name], at)

    def was_covert(self, unit_id: str) -> bool:
        """Whether others than its owner may not know of all places of a unit, or of one of its kin."""
        units = self._roll.units
        return any(units[name].extras.open_from is not None for name in (unit_id, *units[unit_id].kin))

    def kin(self, unit_id: str) -> tuple[str, ...]:
        """Give the units whose records change with this one's: those that share its crew, its whole, its parts."""
        return self._roll.units[unit_id].kin

    def _note_freshness(self, unit: Unit, now: Moment) -> None:
        found = freshness(self._roll.devices[unit.entry.carrier].link, now.mono_s)
        if (found == "fresh") is not unit.is_fresh:
            unit.is_fresh = found == "fresh"
            self._paths.turn(unit.entry.id, found, now)
        elif found == "asleep":
            self._paths.heard(unit.entry.id)

    def _touch(self, units: tuple[str, ...], now: Moment) -> None:
        for name in units:
            self._changed.setdefault(name, now.utc)
            for other in self._roll.units[name].kin:
                self._changed.setdefault(other, now.utc)

    def _stand_anew(self, unit: Unit, now: Moment) -> None:
        """Decide which status stands, and let go of what it leaves no room for."""
        was_private = unit.is_private
        unit.stand_anew()
        self._settle(unit, was_private, now)

    def _settle(self, unit: Unit, was_private: bool, now: Moment) -> None:
        drop_outdated(unit)
        if unit.is_private:
            carrier = self._roll.device(unit.entry.carrier)
            hide(carrier, carrier.places.newest)
            forget_place(unit)
        elif was_private:
            unit.own_extras().hidden_until = unit.declared_at or now.utc

    def _arrive(self, unit: Unit, before: tuple[UnitEntry, bool] | None, now: Moment) -> None:
        """Begin anew with a unit whose entry is another one than `before`."""
        entry = unit.entry
        old, was_private = before or (None, False)
        if old is not None and old.carrier != entry.carrier:
            if unit.is_fresh:
                unit.is_fresh = False  # the old carrier's silence says nothing of the network
                self._paths.turn(entry.id, "never", now)
            self._paths.heard(entry.id)
        if old is None or (old.carrier, old.fence) != (entry.carrier, entry.fence):
            move_base(unit, self._roll.device(entry.carrier).places.placed)
        self._settle(unit, was_private, now)

    def _leave(self, unit: Unit, now: Moment) -> None:
        """Let go of a unit that there is no more."""
        name = unit.entry.id
        if unit.is_fresh:
            self._paths.turn(name, "never", now)
        self._paths.heard(name)
        self._changed.pop(name, None)
        self._gone[name] = None

    def _is_behind(self, device: str, entry: Device, link: Link) -> bool:
        """Tell whether a head of this device is beyond all that it counts: then it matters when it spoke."""
        heads = [latest(self._roll.units[unit].heads, device) for unit in entry.speaks_for]
        said = link.vitals
        return said is not None and any(
            head is not None and head.stream == said.stream and head.seq > said.last_seq.status for head in heads
        )


def _names_others(old: Link, new: Link) -> bool:
    """Tell whether a device now names other statuses, which may concern units beside the one that it carries."""
    if old.vitals is None or new.vitals is None or old.ordinal != new.ordinal:
        return True
    return old.vitals.current != new.vitals.current or old.vitals.last_seq.status != new.vitals.last_seq.status
