"""What a starting ingest goes on from, out of what the ledger holds. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from cloud.fleet.heads import Head
from cloud.ingest.marks import Key, Mark
from cloud.ingest.sayings import Saying, make_saying
from cloud.ingest.standing import make_head, ordinals_in
from cloud.ledger import Loaded, Watermark
from wire import codec
from wire.events import StatusEvent
from wire.messages import RefusedSeq
from wire.scheme import Scheme


def load_heads(loaded: Loaded, schemes: Mapping[str, Scheme]) -> Iterable[Head]:
    """Make the heads that stood when the last process stopped, those that were declared in a test last."""
    ordinal_of = ordinals_in(_streams(loaded))
    for row in (*loaded.heads, *loaded.latest):
        event = codec.decode_event(row.body)
        if isinstance(event, StatusEvent):
            head = make_head(row, event, ordinal_of, schemes)
            if head is not None:
                yield head


def load_sayings(loaded: Loaded, schemes: Mapping[str, Scheme]) -> Iterable[Saying]:
    """Make the crews, defects and automatic statuses that were the latest when the last process stopped."""
    ordinal_of = ordinals_in(_streams(loaded))
    for row in loaded.latest:
        event = codec.decode_event(row.body)
        if not isinstance(event, codec.Rejected):
            saying = make_saying(row, event, ordinal_of, schemes)
            if saying is not None:
                yield saying


def load_marks(loaded: Loaded) -> Iterable[Mark]:
    """Make the marks that held when the last process stopped."""
    refused: dict[Key, list[RefusedSeq]] = defaultdict(list)
    for device, stream, queue, seq, reason in loaded.refused:
        refused[(device, stream, queue)].append(RefusedSeq(seq, reason))
    for row in loaded.watermarks:
        yield Mark(
            device=row.device,
            stream=row.stream,
            queue=row.queue,
            ordinal=row.ordinal,
            through=row.through,
            digest=row.digest,
            corrected_at=row.corrected_at,
            refused=tuple(refused[(row.device, row.stream, row.queue)]),
        )


def _streams(loaded: Loaded) -> Mapping[tuple[str, str], Watermark]:
    return {(mark.device, mark.stream): mark for mark in loaded.watermarks}
