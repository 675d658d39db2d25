"""Emergencies that come ahead of their queue: which are news, and how they are handed on. Pure; time comes in."""

from cloud.fleet.clocks import Corrected
from cloud.ingest.judge import Judged
from cloud.ingest.marks import Key, Mark
from cloud.ingest.work import Recorded, Work
from cloud.ledger import EventRow
from wire.events import EmergencyEvent, Origin

SEEN_MAX = 10_000
"""Emergencies that are remembered, of all devices. Past it the oldest is forgotten, and handed on if it is repeated."""


class Emergencies:
    """Remembers which emergencies were handed on, by stream and sequence: a device repeats one until it is settled."""

    def __init__(self) -> None:
        """None has come yet."""
        self._seen: dict[tuple[str, str, int], None] = {}

    def is_news(self, device: str, stream: str, event: EmergencyEvent, committed: dict[Key, Mark]) -> bool:
        """Tell whether an emergency was neither handed on before nor brought by its queue, and remember it.

        One that was carried to a new stream is the one that it was in the old.
        """
        names = {Origin(stream, event.seq), event.origin or Origin(stream, event.seq)}
        known = any(self._is_known(device, name, committed) for name in names)
        for name in names:
            self._seen[(device, name.stream, name.seq)] = None
        while len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        return not known

    def _is_known(self, device: str, name: Origin, committed: dict[Key, Mark]) -> bool:
        mark = committed.get((device, name.stream, "status"))
        through = mark.through if mark is not None else 0
        return name.seq <= through or (device, name.stream, name.seq) in self._seen


def record_live(work: Work, judged: Judged, event: EmergencyEvent, corrected: Corrected) -> Recorded:
    """Make what is handed on of an emergency that isn't stored yet: its row has the id 0 and no queue."""
    row = EventRow(
        id=0,
        device=work.device,
        stream=work.stream,
        queue=None,
        seq=event.seq,
        kind="emergency",
        unit=judged.unit,
        mode=event.mode,
        at=event.at,
        received_at=work.received.utc,
        corrected_at=corrected.at,
        proven=corrected.proven,
        prev=None,
        body=judged.raw,
    )
    return Recorded(work.device, row, event, live=True)
