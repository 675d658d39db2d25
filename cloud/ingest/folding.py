"""Folds what was committed into the fleet, and keeps what doesn't count yet: of a device that isn't bound. Pure.

What a device declares of a unit that it has claimed, or that another directory bound it to, is history until it is
bound: then the newest of it is folded in, as a start from the ledger would.
"""

from collections.abc import Iterable
from functools import partial

from cloud.directory import Directory
from cloud.fleet.basis import CrewSaid, DefectSaid
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import CONTROL, Head
from cloud.ingest.entries import entries, speakers
from cloud.ingest.privacy import Privacy
from cloud.ingest.sayings import Saying, Sayings
from cloud.ingest.standing import read_head
from wire.feed import Proposal

_Key = tuple[str, str, bool]


class Folding:
    """The way of committed events into the fleet. One owner, one thread."""

    def __init__(self, fleet: Fleet, privacy: Privacy) -> None:
        """Nothing is kept yet."""
        self._fleet, self._privacy = fleet, privacy
        self._unbound: dict[_Key, Head] = {}
        """Heads of devices that are not bound to their unit."""
        self._sayings = Sayings()

    def apply_head(self, head: Head, now: Moment) -> bool:
        """Fold a status in. Tells whether it is now its device's head."""
        if not self._is_bound(head.unit, head.device):
            self._unbound[(head.unit, head.device, head.is_live)] = head
            return False
        moved = self._fleet.apply_head(head, now)
        if moved:
            self._privacy.note(head.unit, self._fleet.standing(head.unit))
        return moved

    def apply_saying(self, saying: Saying, now: Moment) -> None:
        """Fold a crew, a defect or an automatic status in."""
        if self._sayings.keep(saying) and self._is_bound(saying.unit, saying.device):
            self._fold(saying, now)

    def read_anew(self, directory: Directory, now: Moment) -> None:
        """Take what the codes of statuses mean from a directory whose schemes are others."""
        self._fleet.read_anew(partial(read_head, directory.schemes), now)
        self._unbound = {key: read_head(directory.schemes, head) for key, head in self._unbound.items()}

    def adopt(self, unit: str, device: str, now: Moment) -> None:
        """Let what a device declared of a unit count that it is bound to by now. What counts already stays as it is."""
        if self._is_bound(unit, device):
            self._take_up(unit, [device], now)
            self._privacy.note(unit, self._fleet.standing(unit))

    def rebind(self, directory: Directory, now: Moment) -> None:
        """Take another directory: what devices that are bound now have declared counts, and what others did doesn't."""
        before = {unit: self._fleet.speakers(unit) for unit in self._fleet.units}
        bound = speakers(directory)
        for unit, devices in before.items():
            lost = [device for device in devices if device not in bound.get(unit, ())]
            self._set_aside(unit, lost if unit in directory.units else [*lost, CONTROL])
        self._fleet.rebind(entries(directory), bound, now)
        for unit in directory.units:
            gained = [device for device in bound.get(unit, ()) if device not in before.get(unit, ())]
            self._take_up(unit, gained if unit in before else [*gained, CONTROL], now)
            self._privacy.note(unit, self._fleet.standing(unit))

    def _is_bound(self, unit: str, device: str) -> bool:
        return unit in self._fleet.units and (device == CONTROL or device in self._fleet.speakers(unit))

    def _set_aside(self, unit: str, devices: Iterable[str]) -> None:
        for device in devices:
            for head in self._fleet.heads(unit, device):
                self._unbound[(unit, device, head.is_live)] = head

    def _take_up(self, unit: str, devices: Iterable[str], now: Moment) -> None:
        for device in devices:
            for is_live in (True, False):
                head = self._unbound.pop((unit, device, is_live), None)
                if head is not None:
                    self._fleet.apply_head(head, now)
            for saying in self._sayings.of(unit, device):
                self._fold(saying, now)

    def _fold(self, saying: Saying, now: Moment) -> None:
        match saying.what:
            case CrewSaid() as crew:
                self._fleet.apply_crew(saying.unit, crew, saying.order, now)
            case DefectSaid() as defect:
                self._fleet.apply_defect(saying.unit, defect, saying.raised, saying.order, now)
            case Proposal() as proposal:
                self._fleet.propose(saying.unit, proposal, now)
