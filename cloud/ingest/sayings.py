"""Crews, defects and automatic statuses, as the fleet takes them, out of stored events. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from cloud.fleet.basis import CrewSaid, DefectSaid
from cloud.ledger import EventRow
from wire.events import CrewEvent, DefectEvent, Event, EventCommon, StatusEvent
from wire.feed import Proposal
from wire.scheme import Scheme

NAMES_MAX = 50
"""Names under which one device tells of one unit. Past it defects that are cleared are forgotten first, then those with
which the unit still runs, for one with which it does not. A crew always has room."""
Stream = tuple[str, str]
"""A device and one of its streams."""
OrdinalOf = Callable[[Stream], int | None]


class Saying(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A crew, a defect or an automatic status that one device told of one unit."""

    unit: str
    device: str
    name: str
    """What it is the latest of: `crew`, `defect:WHAT` or `auto`."""
    order: tuple[int, int]
    """Where it stands among its device's events: where it was pressed, wherever it was carried since."""
    what: CrewSaid | DefectSaid | Proposal
    raised: bool = True
    """Of a defect: whether it was raised, and not cleared."""


class Sayings:
    """The latest of each unit, device and name. Units of which nothing was said take no room."""

    def __init__(self) -> None:
        """Nothing was said."""
        self._kept: dict[tuple[str, str], dict[str, Saying]] = {}

    def keep(self, saying: Saying) -> bool:
        """Keep what is the latest of its name. Tells whether it is; what is not is history."""
        known = self._kept.setdefault((saying.unit, saying.device), {})
        old = known.get(saying.name)
        if old is not None and saying.order <= old.order:
            return False
        if old is None and len(known) >= NAMES_MAX and not _make_room(known, saying):
            return False
        known[saying.name] = saying
        return True

    def of(self, unit: str, device: str) -> Iterable[Saying]:
        """What a device has said of a unit."""
        return self._kept.get((unit, device), {}).values()


def make_saying(row: EventRow, event: Event, ordinal_of: OrdinalOf, schemes: Mapping[str, Scheme]) -> Saying | None:
    """Make what a stored event says beside the statuses; None for one that says nothing of the kind.

    What is said in training, or while something is tested, says nothing of what is so.
    """
    if row.unit is None or event.mode != "live":
        return None
    match event:
        case CrewEvent():
            return _saying(row, event, ordinal_of, "crew", _crew(row, event))
        case DefectEvent():
            saying = _saying(row, event, ordinal_of, f"defect:{event.what}", _defect(row, event))
            return msgspec.structs.replace(saying, raised=event.raised)
        case StatusEvent(by="auto"):
            proposal = _proposal(row, event, schemes)
            return None if proposal is None else _saying(row, event, ordinal_of, "auto", proposal)
    return None


def place_of(row: EventRow, event: EventCommon, ordinal_of: OrdinalOf) -> tuple[int, int]:
    """Where an event stands among its device's: in an earlier stream, where it was carried over from one."""
    ordinal = ordinal_of((row.device, row.stream)) or 0
    if event.origin is not None:
        before = ordinal_of((row.device, event.origin.stream)) or ordinal
        if before < ordinal:
            return before, event.origin.seq
    return ordinal, row.seq


def _saying(
    row: EventRow, event: EventCommon, ordinal_of: OrdinalOf, name: str, what: CrewSaid | DefectSaid | Proposal
) -> Saying:
    assert row.unit is not None
    return Saying(unit=row.unit, device=row.device, name=name, order=place_of(row, event, ordinal_of), what=what)


def _crew(row: EventRow, event: CrewEvent) -> CrewSaid:
    skills = Counter(skill for person in event.persons for skill in set(person.skills))
    return CrewSaid(
        device=row.device,
        on=event.on,
        riders=event.riders,
        skills=tuple(sorted(skills.items())),
        until=event.until,
        at=row.corrected_at,
        proven=row.proven,
    )


def _defect(row: EventRow, event: DefectEvent) -> DefectSaid:
    return DefectSaid(
        device=row.device, what=event.what, off_the_run=event.off_the_run, text=event.text, at=row.corrected_at
    )


def _proposal(row: EventRow, event: StatusEvent, schemes: Mapping[str, Scheme]) -> Proposal | None:
    scheme = schemes.get(event.scheme)
    code = scheme.code(event.code) if scheme is not None else None
    if scheme is None or code is None or code.availability is None:
        return None
    return Proposal(
        code="auto",
        text=f"The vehicle suggests {code.label}",
        at=row.corrected_at,
        scheme=scheme.name,
        status=code.code,
        label=code.label,
    )


def _make_room(known: dict[str, Saying], new: Saying) -> bool:
    """Forget a defect that was cleared, or that weighs less. Tells whether there is room."""
    if not isinstance(new.what, DefectSaid):
        return True
    cleared = next((name for name, saying in known.items() if not saying.raised), None)
    if cleared is None and new.raised and new.what.off_the_run:
        cleared = next((name for name, saying in known.items() if _is_minor(saying)), None)
    if cleared is not None:
        del known[cleared]
    return cleared is not None


def _is_minor(saying: Saying) -> bool:
    return isinstance(saying.what, DefectSaid) and not saying.what.off_the_run
