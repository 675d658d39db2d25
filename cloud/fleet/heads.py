"""Which status stands for a unit: within a device by sequence, between devices by corrected time."""

from datetime import datetime, timedelta

import msgspec

from wire.feed import AvailabilityClass
from wire.messages import By, Mode, Origin

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
    origin: Origin | None = None
    """Where it was pressed, if a new stream carried it over from an earlier one that is known."""
    origin_ordinal: int = 0
    """Of that earlier stream."""
    boot: int = 0
    mono_ms: int = 0
    """With `boot`, the device's own moment of the press: a press that was carried over keeps it."""
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
        """Where it stands among its device's statuses: where it was pressed, wherever it was carried since."""
        return (self.ordinal, self.seq) if self.origin is None else (self.origin_ordinal, self.origin.seq)

    def is_at(self, stream: str, seq: int) -> bool:
        """Tell whether a device may name it so: by its place, or by the one it was carried from."""
        places = [(self.stream, self.seq)] + ([(self.origin.stream, self.origin.seq)] if self.origin else [])
        return (stream, seq) in places

    def is_press_of(self, other: "Head") -> bool:
        """Tell whether both are one press, whose bytes were stored in two places."""
        return _press(self) == _press(other)


class Standing(msgspec.Struct, frozen=True):
    """The head that stands, the class that it comes to, and the heads that contradict it."""

    head: Head
    availability: AvailabilityClass
    conflicts: tuple[Head, ...]


def newer(old: Head | None, new: Head) -> bool:
    """Tell whether `new` replaces `old` as its device's head. Never by clock: an old press stays old.

    | `new` was pressed | it replaces |
    |---|---|
    | after `old`, in the same stream or a later one | yes |
    | before `old`, whatever later stream has carried it since | no: it is history |
    | as `old`: the same press, carried to a later stream than `old` | yes: the device names it by that place now |
    | at the place of `old`, but another press: two lines of one stream | no: nobody can say which came last |
    """
    if old is None or new.order != old.order:
        return old is None or new.order > old.order
    return (new.ordinal, new.seq) > (old.ordinal, old.seq) and new.is_press_of(old)


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


def _press(head: Head) -> tuple[object, ...]:
    return head.order, head.boot, head.mono_ms, head.scheme, head.code


def _contradicts(newest: Head, other: Head) -> bool:
    if (other.scheme, other.code) == (newest.scheme, newest.code):
        return False
    if newest.proven and not other.proven:
        return _RANK[other.availability] > _RANK[newest.availability]
    return newest.at - other.at <= CONFLICT_WITHIN
