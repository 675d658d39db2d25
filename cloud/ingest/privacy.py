"""When a unit's crew is off duty or at home: no position of such a time is kept or shown. Pure; time comes in."""

from datetime import datetime

import msgspec

from cloud.fleet.heads import Head

SPANS_MAX = 8
"""Private times of one unit that are remembered: what comes late is of the last few shifts."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """From when to when a private status stood; without an end it stands."""

    since: datetime
    until: datetime | None = None


class Privacy:
    """Remembers the private times of each unit. Who never had one takes no room."""

    def __init__(self) -> None:
        """Nobody is private."""
        self._spans: dict[str, tuple[Span, ...]] = {}

    def note(self, unit: str, standing: Head | None) -> None:
        """Note which status stands for a unit now."""
        spans = self._spans.get(unit, ())
        is_open = bool(spans) and spans[-1].until is None
        if standing is None or is_private(standing) == is_open:
            return
        if is_open:
            last = spans[-1]
            ended = Span(last.since, max(last.since, standing.at))
            self._spans[unit] = (*spans[:-1], ended)
        else:
            self._spans[unit] = (*spans, Span(standing.at))[-SPANS_MAX:]

    def hides(self, unit: str, at: datetime) -> bool:
        """Tell whether a unit was private at a moment, as far as is known."""
        spans = self._spans.get(unit, ())
        return any(span.since <= at and (span.until is None or at < span.until) for span in spans)


def is_private(head: Head) -> bool:
    """Tell whether a status says that its crew is off duty or at home."""
    return head.meaning is not None and head.meaning.private
