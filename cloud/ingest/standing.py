"""Heads out of stored statuses: which of them stand for a unit, in which order. Pure."""

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec.structs import replace

from cloud.fleet.heads import CONTROL, Head
from cloud.ingest.sayings import OrdinalOf, Stream
from cloud.ledger import EventRow
from wire.events import StatusEvent
from wire.scheme import Scheme

_CONTROL_STREAM = "control-"


class HasOrdinal(Protocol):
    """What is known of a stream."""

    @property
    def ordinal(self) -> int:
        """Which of its device's streams it is."""
        ...


def make_head(row: EventRow, event: StatusEvent, ordinal_of: OrdinalOf, schemes: Mapping[str, Scheme]) -> Head | None:
    """Make the head that a stored status comes to.

    None for an event code, which never stands, and for an automatic status, which only suggests one. An origin counts
    where it is in an earlier stream of the device: it never makes a press newer than its place does.
    """
    scheme = schemes.get(event.scheme)
    code = scheme.code(event.code) if scheme is not None else None
    if scheme is None or code is None or code.availability is None or event.by == "auto":
        return None
    ordinal = ordinal_of((row.device, row.stream)) or 0
    origin = event.origin
    origin_ordinal = ordinal if origin is None else ordinal_of((row.device, origin.stream)) or ordinal
    return Head(
        unit=row.unit or event.unit,
        device=row.device,
        ordinal=ordinal,
        stream=row.stream,
        seq=row.seq,
        origin=origin if origin_ordinal < ordinal else None,
        origin_ordinal=origin_ordinal if origin_ordinal < ordinal else 0,
        boot=event.boot,
        mono_ms=event.mono_ms,
        scheme=scheme.name,  # the scheme's own texts, and not a copy for each head
        code=code.code,
        label=code.label,
        availability=code.availability,
        meaning=code,
        by=event.by,
        mode=event.mode,
        at=row.corrected_at,
        proven=row.proven,
        received=row.received_at,
        bounded=not row.proven and row.corrected_at < row.received_at,
    )


def read_head(schemes: Mapping[str, Scheme], head: Head) -> Head:
    """Read a head's code anew. One that its scheme no longer has, or has as an event, stays what it was."""
    scheme = schemes.get(head.scheme)
    code = scheme.code(head.code) if scheme is not None else None
    if code is None or code.availability is None or code == head.meaning:
        return head
    return replace(head, label=code.label, availability=code.availability, meaning=code)


def control_stream(owner_term: int) -> str:
    """The stream of control's own word under an owner: a later owner's supersedes it."""
    return f"{_CONTROL_STREAM}{owner_term}"


def ordinals_in(streams: Mapping[Stream, HasOrdinal]) -> Callable[[Stream], int | None]:
    """Give the ordinals of known streams. Control's own are their owners' terms, which only grow."""

    def ordinal_of(stream: Stream) -> int | None:
        known = streams.get(stream)
        if known is not None:
            return known.ordinal
        term = stream[1].removeprefix(_CONTROL_STREAM)
        return int(term) if stream[0] == CONTROL and term.isdecimal() else None

    return ordinal_of
