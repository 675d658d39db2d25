"""What was lost where a new stream took over: statuses that the old one had named, and that nobody ever sent. Pure."""

from collections.abc import Iterable, Iterator

import msgspec

from cloud.fleet.link import Link
from cloud.ingest.judge import Judged
from cloud.ingest.marks import Gap
from wire import codec
from wire.messages import Birth, Heartbeat

ORIGINS_MAX = 10_000
"""How many carried statuses are told apart; a device that carries more is not waited for any longer."""


class Succession(msgspec.Struct, frozen=True, kw_only=True):
    """One stream's taking over from another, until everything that it carried has come."""

    stream: str
    predecessor: str
    named: int
    """The last status sequence that the predecessor said it had given out."""
    carried: int
    """How many statuses the new stream held at its birth. Those that it carried come first."""
    origins: frozenset[int] = frozenset()
    """The sequences of the predecessor that came in the new stream."""


class Successions:
    """The take-overs that are under way: at most one of each device."""

    def __init__(self) -> None:
        """None is under way."""
        self._by_device: dict[str, Succession] = {}

    def begin(self, known: Link | None, vitals: Heartbeat | Birth, ordinal: int) -> Succession | None:
        """Begin one, if this is the first word of a new stream. Gives it where it is complete at once."""
        begun = begin(known, vitals, ordinal)
        if begun is None:
            return None
        self._by_device[vitals.device] = begun
        return self._end(vitals.device, 0)

    def note(self, device: str, stream: str, judged: Iterable[Judged], through: int) -> Succession | None:
        """Note what came in a stream, now up to `through`. Gives the take-over that this completes."""
        known = self._by_device.get(device)
        if known is None or known.stream != stream:
            return None
        self._by_device[device] = note_carried(known, judged)
        return self._end(device, through)

    def _end(self, device: str, through: int) -> Succession | None:
        return self._by_device.pop(device) if is_complete(self._by_device[device], through) else None


def begin(known: Link | None, vitals: Heartbeat | Birth, ordinal: int) -> Succession | None:
    """Begin at the first word of a new stream; None where nothing was heard of an earlier one since the start.

    It may name another predecessor, or none: a blank card, or several take-overs out of our hearing.
    """
    before = known.vitals if known is not None else None
    if known is None or before is None or ordinal <= known.order[0]:
        return None
    return Succession(
        stream=vitals.stream,
        predecessor=before.stream,
        named=before.last_seq.status,
        carried=vitals.last_seq.status,
    )


def note_carried(succession: Succession, judged: Iterable[Judged]) -> Succession:
    """Note which of the predecessor's statuses came, taken or refused: either way they are not lost."""
    events = (codec.decode_event(one.raw) if one.event is None else one.event for one in judged)
    origins = (None if isinstance(event, codec.Rejected) else event.origin for event in events)
    came = {origin.seq for origin in origins if origin is not None and origin.stream == succession.predecessor}
    return msgspec.structs.replace(succession, origins=succession.origins | came)


def is_complete(succession: Succession, through: int) -> bool:
    """Tell whether a new stream that came up to `through` has brought everything that it carried."""
    return through >= succession.carried or len(succession.origins) >= ORIGINS_MAX


def find_lost(succession: Succession, through: int) -> Iterator[Gap]:
    """Give what the predecessor named beyond its watermark `through` and that was not carried either."""
    first = through + 1
    for seq in sorted(succession.origins):
        if first < seq <= succession.named:
            yield Gap(first, seq - 1, "stream_replaced")
        first = max(first, seq + 1)
    if first <= succession.named:
        yield Gap(first, succession.named, "stream_replaced")
