"""Which status stands for a unit: within a device by sequence, between devices by corrected time, live before all."""

from datetime import datetime, timedelta

import msgspec

from wire.events import By, Mode, Origin
from wire.feed import AvailabilityClass
from wire.scheme import Code

CONFLICT_WITHIN = timedelta(seconds=5)
"""Two heads nearer than this that disagree are a conflict: nobody can say which came last."""

CONTROL = "control"
"""The device that control's own word is kept under. No real device may have this id."""

STRICTNESS: dict[Mode, int] = {"live": 0, "training": 1, "test": 2, "maintenance": 3, "commissioning": 4}
"""How little a unit in a mode may do: of several the strictest counts."""

_RANK: dict[AvailabilityClass, int] = {"Available": 0, "ConditionallyAvailable": 1, "NotAvailable": 2}


class Head(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    meaning: Code | None = None
    """The scheme's row of the code."""
    by: By
    mode: Mode = "live"
    at: datetime
    """Corrected, UTC."""
    proven: bool
    bounded: bool = False
    """Unproven, but pressed after a status of its stream whose proven time is `at`."""
    received: datetime
    """When it came, UTC: it was pressed no later."""

    @property
    def ranks(self) -> bool:
        """Whether `at` may be held against another device's time: it was pressed then, or later."""
        return self.proven or self.bounded

    @property
    def is_live(self) -> bool:
        """Whether it was pressed in earnest."""
        return self.mode == "live"

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


class Standing(msgspec.Struct, frozen=True, gc=False):
    """The head that stands, the class that it comes to, and the heads that contradict it."""

    head: Head
    availability: AvailabilityClass
    conflicts: tuple[Head, ...]


def newer(old: Head | None, new: Head) -> bool:
    """Tell whether `new` replaces `old` as its device's head. By its place: an old press stays old.

    Between streams time counts where it proves something: a press made after `old` had come is later, and one made well
    before it is earlier, whatever order their streams were heard of in.

    | `new` was pressed | it replaces |
    |---|---|
    | after `old`, in the same stream or a later one | yes |
    | in a later stream, but proven to be before `old`: a card that was never heard of | no: it is history |
    | before `old` in their order, but proven to be after `old` had come: on a card that was put back | yes |
    | before `old`, whatever later stream has carried it since | no: it is history |
    | as `old`: the same press, carried to a later stream than `old` | yes: the device names it by that place now |
    | at the place of `old`, but another press: two lines of one stream | no: nobody can say which came last |
    """
    if old is None:
        return True
    if new.order > old.order:
        return new.stream == old.stream or not _is_earlier(new, old)
    if new.proven and new.at > old.received + CONFLICT_WITHIN:
        return True
    if new.order < old.order:
        return False
    return (new.ordinal, new.seq) > (old.ordinal, old.seq) and new.is_press_of(old)


def replace_head(heads: tuple[Head, ...], new: Head) -> tuple[Head, ...] | None:
    """Put a head in the place of its device's older one, live in that of live; None where that one is not older.

    A press in training, or while something is tested, is kept beside the live one: it says nothing of what is so.
    """
    old = next((head for head in heads if head.device == new.device and head.is_live == new.is_live), None)
    if not newer(old, new):
        return None
    return (*[head for head in heads if head is not old], new)


def latest(heads: tuple[Head, ...], device: str) -> Head | None:
    """Give a device's latest head in any mode; None where it has declared nothing."""
    if len(heads) == 1:
        return heads[0] if heads[0].device == device else None
    found = None
    for head in heads:
        if head.device == device and newer(found, head):
            found = head
    return found


def stand(heads: tuple[Head, ...]) -> Standing | None:
    """Decide between devices; None where no device has declared anything.

    The newest proven head stands, unless another within 5 s disagrees: then the less available of them does. An
    unproven head displaces no other that is later than what it is known to have followed, another unproven one
    neither; where it is less available it contradicts. A person's word at control stands over all that was received
    before it. Heads of another mode than live count only where there is no live one.
    """
    if len(heads) > 1:
        heads = _in_question(heads)
    if not heads:
        return None
    if len(heads) == 1:
        return Standing(heads[0], heads[0].availability, ())
    by_time = sorted(heads, key=lambda head: (head.ranks, head.at, head.device), reverse=True)
    newest, others = by_time[0], by_time[1:]
    close = [other for other in others if _contradicts(newest, other)]
    if not close:
        return Standing(newest, newest.availability, ())
    proven = [other for other in close if other.proven or not newest.ranks]
    head = max([newest, *proven], key=lambda each: _RANK[each.availability])
    least = max([newest, *close], key=lambda each: _RANK[each.availability]).availability
    return Standing(head, least, tuple(each for each in [newest, *close] if each is not head))


def mode_head(heads: tuple[Head, ...], standing: Standing | None) -> Head | None:
    """Give the head whose mode a unit is in; None for live: where the newest of its presses is a live one.

    Of devices that are in modes since then the strictest counts: whoever drills ends no other's test.
    """
    if standing is None or len(heads) == 1:
        return None if standing is None or standing.head.is_live else standing.head
    live = standing.head
    later = [head for head in heads if not head.is_live and _is_after(head, live)]
    return max(later, key=lambda head: (STRICTNESS[head.mode], head.at, head.device), default=None)


def _in_question(heads: tuple[Head, ...]) -> tuple[Head, ...]:
    live = tuple([head for head in heads if head.is_live]) or heads
    word = next((head for head in live if head.device == CONTROL), None)
    if word is None:
        return live
    return (word, *[head for head in live if head.device != CONTROL and head.received > word.received])


def _is_after(head: Head, live: Head) -> bool:
    if head is live:
        return True
    if head.device == live.device:
        return newer(live, head)
    return head.at > live.at and (live.device != CONTROL or head.received > live.received)


def _is_earlier(new: Head, old: Head) -> bool:
    """Tell whether `new` was certainly pressed before `old`, each clock being believed up to 5 s off."""
    return new.proven and old.proven and new.at + 2 * CONFLICT_WITHIN < old.at


def _press(head: Head) -> tuple[object, ...]:
    return head.order, head.boot, head.mono_ms, head.scheme, head.code


def _contradicts(newest: Head, other: Head) -> bool:
    if (other.scheme, other.code) == (newest.scheme, newest.code):
        return False
    if not other.proven and (newest.ranks or newest.at - other.at > CONFLICT_WITHIN):
        return _RANK[other.availability] > _RANK[newest.availability]
    return newest.at - other.at <= CONFLICT_WITHIN
