"""The nonces that devices have minted for commands, each with when that was. Pure; time comes in."""

from collections.abc import Mapping

import msgspec

from cloud.fleet.clocks import Moment
from cloud.fleet.link import Link, is_mapped
from wire.messages import Birth, Heartbeat


class Nonce(msgspec.Struct, frozen=True):
    """A device's newest nonce. It was minted between `sent_s` and `received`."""

    nonce: str
    received: Moment
    """When its first message came."""
    sent_s: float
    """The earliest that it can have been sent, on this process's monotonic clock: an expiry counted from then never
    ends before its time."""


class Nonces:
    """Keeps one nonce a device. Only from a message whose age is proven.

    A birth that the broker has kept for hours brings a nonce of hours ago: an order that quoted it as new would be
    expired before it came. The device's next heartbeat, a round trip later, proves itself.
    """

    def __init__(self) -> None:
        """Nobody has minted any yet."""
        self._newest: dict[str, Nonce] = {}

    @property
    def newest(self) -> Mapping[str, Nonce]:
        """By device. It stays the same mapping."""
        return self._newest

    def note(self, vitals: Heartbeat | Birth, link: Link | None, now: Moment) -> None:
        """Take the nonce of a heartbeat or birth that was folded into `link`. One that comes again keeps its time."""
        if not vitals.nonce:
            self._newest.pop(vitals.device, None)  # it takes no commands
            return
        known = self._newest.get(vitals.device)
        if known is not None and known.nonce == vitals.nonce:
            return
        if link is None or link.clock_map is None or not is_mapped(link):
            return
        sent_s = min(now.mono_s, link.clock_map.earliest_s(vitals.sent_mono_ms))
        self._newest[vitals.device] = Nonce(vitals.nonce, now, sent_s)
