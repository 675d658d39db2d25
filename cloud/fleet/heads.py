"""Which status stands for a unit: within a device by sequence, between devices by corrected time."""

from datetime import datetime, timedelta

import msgspec

from wire.feed import AvailabilityClass
from wire.messages import By, Mode

CONFLICT_WITHIN = timedelta(seconds=5)
"""Two heads nearer than this that disagree are a conflict: nobody can say which came last."""

_RANK: dict[AvailabilityClass, int] = {"Available": 0, "ConditionallyAvailable": 1, "NotAvailable": 2}


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A device's latest standing status for a unit."""

    unit: str
    device: str
    ordinal: int
    """Of its stream among the device's: a later stream supersedes an earlier one, whatever its sequence."""
    stream: str
    seq: int
    scheme: str
    code: str
    label: str
    availability: AvailabilityClass
    by: By
    mode: Mode = "live"
    at: datetime
    """Corrected, UTC."""
    proven: bool

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands among its device's statuses."""
        return self.ordinal, self.seq


class Standing(msgspec.Struct, frozen=True):
    """The head that stands, the class that it comes to, and the heads that contradict it."""

    head: Head
    availability: AvailabilityClass
    conflicts: tuple[Head, ...]


def newer(old: Head | None, new: Head) -> bool:
    """Tell whether `new` replaces `old` as its device's head. Never by clock: an old press stays old."""
    return old is None or new.order > old.order


def stand(heads: tuple[Head, ...]) -> Standing | None:
    """Decide between devices; None where no device has declared anything.

    The newest proven head stands, unless another within 5 s disagrees: then the less available of them does. An
    unproven head displaces no other; where it is less available it contradicts.
    """
    if not heads:
        return None
    by_time = sorted(heads, key=lambda head: (head.proven, head.at, head.device), reverse=True)
    newest, others = by_time[0], by_time[1:]
    close = [other for other in others if _contradicts(newest, other)]
    if not close:
        return Standing(newest, newest.availability, ())
    proven = [other for other in close if other.proven or not newest.proven]
    head = max([newest, *proven], key=lambda each: _RANK[each.availability])
    least = max([newest, *close], key=lambda each: _RANK[each.availability]).availability
    return Standing(head, least, tuple(each for each in [newest, *close] if each is not head))


def _contradicts(newest: Head, other: Head) -> bool:
    if (other.scheme, other.code) == (newest.scheme, newest.code):
        return False
    if newest.proven and not other.proven:
        return _RANK[other.availability] > _RANK[newest.availability]
    return newest.at - other.at <= CONFLICT_WITHIN
