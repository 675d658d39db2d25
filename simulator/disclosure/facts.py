"""What is true in a made-up world, each piece with values that occur nowhere else, so that it is known again in bytes.

Words are canaries: `zq` and six digits, each minted once. Times are to the millisecond and numbers to many places.
"""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from wire.partner import Grant

IDENTITY = "identity"
"""What is told of a unit with any grant: that there is one, and its callsign."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said of a unit, and what an agreement must open for it to be told."""

    unit: str
    grant: Grant | str
    words: frozenset[str] = frozenset()
    moments: tuple[datetime, ...] = ()
    """Times that it is told by, themselves or as ages."""
    numbers: tuple[float, ...] = ()
    at: datetime
    """When it became so."""
    secret: bool = False
    """Whether it puts the unit off duty or at home, or is where it was while it was covert: no other learns such a
    thing, then or later."""
    place: tuple[float, float] | None = None
    """Of a position."""


class Mint:
    """Makes values that occur once in a world."""

    def __init__(self, chance: random.Random) -> None:
        """Make numbers by chance, words by counting."""
        self._chance = chance
        self.count = 0
        """How many words were made."""

    def word(self, before: str = "") -> str:
        """Make a word, with something before it."""
        self.count += 1
        return f"{before}zq{self.count:06d}"

    def number(self, low: float, high: float, places: int = 5) -> float:
        """Make a number of many places."""
        return round(self._chance.uniform(low, high), places) + 0.0

    def earlier(self, now: datetime, by_s: float) -> datetime:
        """Make a time up to so many seconds ago, to the millisecond."""
        return now - timedelta(milliseconds=self._chance.randrange(1, int(by_s * 1000)))


def words_in(texts: Iterable[str]) -> frozenset[str]:
    """Give the canaries of some texts."""
    return frozenset(text[text.index("zq") : text.index("zq") + 8] for text in texts if "zq" in text)
