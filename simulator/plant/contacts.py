"""Every contact of a plant, with what is about to change and what has changed. Pure: time is an argument."""

from collections import Counter, deque
from dataclasses import dataclass

CHANGES_MAX = 100_000
"""Changes that are remembered; past it the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class Change:
    """A point took another value, at `at_s` seconds of the plant's clock."""

    at_s: float
    point: str
    value: int


class Contacts:
    """Points by name, each an integer: 0 and 1 for a contact. A point may have one change ahead of it."""

    def __init__(self) -> None:
        """Every point is 0."""
        self._values: dict[str, int] = {}
        self._ahead: dict[str, tuple[float, int]] = {}
        self.changes: deque[Change] = deque(maxlen=CHANGES_MAX)
        """In the order in which they happened."""
        self.rises: Counter[str] = Counter()
        """How often each point went from 0 to something else."""

    def __getitem__(self, point: str) -> int:
        """What the point is, as of the last `pass_to`."""
        return self._values.get(point, 0)

    def set(self, point: str, value: int, now_s: float) -> None:
        """Change the point now. What was ahead of it is off. A point without a name has no wire."""
        self._ahead.pop(point, None)
        before = self[point]
        if not point or before == value:
            return
        self._values[point] = value
        self.rises[point] += before == 0
        self.changes.append(Change(now_s, point, value))

    def set_later(self, point: str, value: int, at_s: float) -> None:
        """Change the point at `at_s`, in place of whatever was ahead of it."""
        if point:
            self._ahead[point] = (at_s, value)

    def ahead(self, point: str) -> int | None:
        """What the point is about to become, if anything."""
        return self._ahead[point][1] if point in self._ahead else None

    def pass_to(self, now_s: float) -> None:
        """Let everything happen that was due by `now_s`, in order, each at its own moment."""
        due = sorted((at_s, point, value) for point, (at_s, value) in self._ahead.items() if at_s <= now_s)
        for at_s, point, value in due:
            self.set(point, value, at_s)
