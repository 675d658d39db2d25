"""How long something took, counted into buckets as it happens: cheap to note, and a monitor can read percentiles."""

from bisect import bisect_left

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""The longest duration of each bucket but the last, which has no bound."""


class Durations:
    """A histogram of seconds."""

    def __init__(self) -> None:
        """Nothing was noted yet."""
        self.sum_s = 0.0
        self._counts = [0] * (len(BOUNDS_S) + 1)

    def note(self, duration_s: float) -> None:
        """Count one duration; 0 for one that a clock says is negative."""
        self._counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self.sum_s += max(0.0, duration_s)

    @property
    def count(self) -> int:
        """How many were noted."""
        return sum(self._counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Each bucket's bound, as Prometheus writes it, and how many took at most so long."""
        total = 0
        found: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self._counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found
