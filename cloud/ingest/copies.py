"""Tells whether a device speaks from an older copy of its card. Pure; time comes in."""

from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.link import freshness, thresholds_s
from wire.messages import Birth, Heartbeat

LATER_S = 5.0
"""An echo proves that a message was sent later than another by more than this, whatever way the two came."""


class Copies:
    """Remembers since when each device is heard."""

    def __init__(self, fleet: Fleet) -> None:
        """Nobody was heard yet."""
        self._fleet = fleet
        self._first_heard_s: dict[str, float] = {}

    def is_put_back(self, device: str, ordinal: int, newest: int, now: Moment) -> bool:
        """Tell whether a device speaks in an old stream while nobody speaks in its newer one: a card put back.

        Whoever speaks in the newer one has, from the device's first word since the start, as long to prove it as it
        may be silent.
        """
        first_s = self._first_heard_s.setdefault(device, now.mono_s)
        link = self._fleet.link(device)
        if link is None or ordinal == newest:
            return False
        if now.mono_s - first_s <= thresholds_s(link)[0]:
            return False
        return ordinal == link.ordinal or freshness(link, now.mono_s) != "fresh"

    def is_alive(self, vitals: Heartbeat | Birth, ordinal: int, echoed_s: float | None, now: Moment) -> bool:
        """Tell whether what looks like a replay was certainly sent after all that was heard: an older copy of the card.

        Its boots count from where they were when the copy was made, and may take days to catch up.
        """
        link = self._fleet.link(vitals.device)
        if link is None or vitals.echo is None or echoed_s is None or ordinal != link.ordinal:
            return False
        sent_after_s = min(now.mono_s, echoed_s + vitals.echo.held_ms / 1000)
        return link.proof_s is not None and sent_after_s > link.proof_s + LATER_S
