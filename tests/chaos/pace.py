"""How far a long piece of work is, and how long the rest will take."""

from collections.abc import Callable

from edge_agent.clock import SystemClock

SAY_S = 10.0
_clock = SystemClock()


class Pace:
    """Says every now and then how much of `count` is done and how much time is left."""

    def __init__(self, what: str, count: int, say: Callable[[str], None]) -> None:
        """The work starts now."""
        self._what, self._count, self._say = what, count, say
        self._started_s = self._said_s = _clock.monotonic()

    def step(self, done: int) -> None:
        """Note that so many are done."""
        now_s = _clock.monotonic()
        if done == 0 or now_s - self._said_s < SAY_S:
            return
        self._said_s = now_s
        left_s = (now_s - self._started_s) / done * max(0, self._count - done)
        self._say(f"{self._what}: {done} of {self._count}, about {readable(left_s)} left")


def readable(duration_s: float) -> str:
    """A duration for a person."""
    if duration_s < 90:
        return f"{duration_s:.0f} s"
    return f"{duration_s / 60:.0f} min" if duration_s < 5400 else f"{duration_s / 3600:.1f} h"
