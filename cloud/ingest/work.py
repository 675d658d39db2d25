"""What ingest does next: values that pass from the acceptor to the lanes and on to the broker. Pure."""

from typing import NamedTuple

import msgspec

from cloud.fleet.clocks import Moment
from cloud.ingest.judge import Judged
from cloud.ingest.marks import Gap, Mark
from cloud.ledger import EventRow
from wire.events import CrewEvent, Event, StatusEvent


class Outgoing(NamedTuple):
    """A message to publish, at QoS 0."""

    topic: str
    payload: bytes
    retain: bool = False


class Work(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Judged events of one envelope, and the mark that stands once they are committed."""

    org: str
    device: str
    topic: str
    stream: str
    ordinal: int
    received: Moment
    judged: tuple[Judged, ...] = ()
    mark: Mark | None = None
    """None for live records: they are stored and never move a mark."""
    gap: Gap | None = None


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event of a status queue that was stored just now, for whoever acts on it."""

    device: str
    row: EventRow
    event: Event
    live: bool = False
    """Whether it came ahead of its queue and isn't stored yet: the same event comes once more when it is."""


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person's word at control about a unit, on its way to the ledger."""

    stream: str
    event: StatusEvent | CrewEvent
    raw: bytes
    received: Moment


class Aside(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole message that is kept aside, with the reason."""

    topic: str
    reason: str
    raw: bytes
    """Its first 16 KiB: no message may be longer."""
    received: Moment
    device: str | None = None
    stream: str | None = None
