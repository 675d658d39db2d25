"""Of a row of the board log, what figures and terms look at. To pass over the rest saves most of the work."""

import msgspec

from wire.events import Mode
from wire.feed import AvailabilityClass, Confidence, Freshness


class Status(msgspec.Struct, gc=False):
    """The status that stood."""

    scheme: str
    code: str
    label: str


class Record(msgspec.Struct):
    """A record that was shown."""

    organisation: str
    base: str
    confidence: Confidence
    link: Freshness
    availability: AvailabilityClass | None = msgspec.field(default=None, name="class")
    home: str = ""
    mode: Mode = "live"
    status: Status | None = None


class _Essence(msgspec.Struct):
    record: Record


_decode = msgspec.json.Decoder(_Essence).decode


def decode_record(body: bytes) -> Record:
    """Read the body of a `record` row."""
    return _decode(body).record
