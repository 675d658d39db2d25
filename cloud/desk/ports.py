"""What the desk needs of its neighbours: given by whoever composes them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cloud.ledger import EventRow
from wire.events import Event
from wire.feed import Assignment, OrderView


class Minted(NamedTuple):
    """A device's nonce, and the latest moment, on this process's monotonic clock, at which it can have minted it."""

    nonce: str
    by_s: float


class Recorded(Protocol):
    """An event that ingest has stored."""

    @property
    def device(self) -> str:
        """Who sent it."""
        ...

    @property
    def row(self) -> EventRow:
        """As it is stored."""
        ...

    @property
    def event(self) -> Event:
        """What it says."""
        ...

    @property
    def live(self) -> bool:
        """Whether it came ahead of its queue, and isn't stored yet."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The ways out."""

    publish: Callable[[str, bytes], bool]
    """Publishes under a topic, now. Tells whether there was a broker to take it."""
    nonce_of: Callable[[str], Minted | None]
    """A device's newest nonce; None for one that has not been heard."""
    show: Callable[[tuple[OrderView, ...]], None]
    """Shows orders that changed to everybody who watches."""
    assign: Callable[[str, Assignment | None, int], None]
    """Shows which order a unit is on, and the version of that."""
