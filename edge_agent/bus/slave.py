"""One slave as its line knows it: its points, its requests, whether it answers, and when it is next spoken to."""

import math
from collections.abc import Callable, Mapping, Sequence

from edge_agent.bus.client import Refusal
from edge_agent.config.buses import SlaveEntry
from edge_agent.config.register_maps import Point, RegisterMap
from edge_agent.decode.modbus import Span, decode_value, plan_spans
from edge_agent.station.words import Value

FAILURES_MAX = 2
"""A single lost reply is no silence: noise does that. The second in a row is."""
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 30.0
HOLD_S = 0.25
"""So long after a silent slave has failed again nothing else is tried on it: a dozen writes don't block a line."""


class Slave:
    """What is known of a slave. `now_s` is the monotonic clock throughout."""

    def __init__(self, entry: SlaveEntry, registers: RegisterMap, now_s: float) -> None:
        """Begin with a slave that hasn't been spoken to: not silent, and due."""
        self.name, self.id = entry.name, entry.id
        self.points: dict[str, Point] = {f"{entry.name}.{each.name}": each for each in registers.points}
        head = registers.head
        self.spans = plan_spans(registers.points, gap_max=head.gap_max, registers_max=head.registers_max)
        self.due_s = now_s
        """When it is to be polled."""
        self.owed: dict[str, float] = {name: now_s for name, point in self.points.items() if point.pulse_ms}
        """Outputs that must be turned off, and when."""
        self._failures = 0
        self._failed_s = -math.inf
        self._cause = ""
        self._refusals: dict[object, str] = {}
        self._inside = {span: self._points_of(span) for span in self.spans}

    @property
    def is_silent(self) -> bool:
        """Whether it has failed to answer often enough in a row."""
        return self._failures >= FAILURES_MAX

    @property
    def next_s(self) -> float:
        """When there is something to do with it."""
        return self.due_s if self.is_silent else min((self.due_s, *self.owed.values()))

    @property
    def fault(self) -> str:
        """What is wrong with it, for a person; empty where nothing is."""
        return f"{self.name} {self._cause}" if self.is_silent else "; ".join(self._refusals.values())

    def is_held(self, now_s: float) -> bool:
        """Whether it is silent, and was found so a moment ago."""
        return self.is_silent and now_s - self._failed_s < HOLD_S

    def fail(self, now_s: float, cause: str, jitter: Callable[[], float]) -> bool:
        """Note that it didn't answer, and say whether it has just fallen silent.

        The first time it is due again at once; then after 1 s, doubling to 30 s, less up to half by jitter.
        """
        self._failures += 1
        self._failed_s, self._cause = now_s, cause
        doublings = min(max(self._failures - FAILURES_MAX, 0), 10)
        delay_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0**doublings) * (1.0 - jitter() / 2)
        self.due_s = now_s + delay_s if self.is_silent else now_s
        return self._failures == FAILURES_MAX

    def answer(self, now_s: float) -> bool:
        """Note that it answered, and say whether that ends a silence; if so, it is to be polled at once."""
        healed = self.is_silent
        self._failures = 0
        if healed:
            self.due_s = now_s
        return healed

    def note(self, what: object, refusal: Refusal | None) -> None:
        """Note whether it refused `what`."""
        self._refusals.pop(what, None)
        if refusal is not None:
            told = f"{what.function} {what.address}" if isinstance(what, Span) else str(what)
            self._refusals[what] = f"{self.name} refuses {told}: {refusal}"

    def values(self, span: Span, answer: Sequence[int] | Refusal, read_s: float) -> dict[str, Value]:
        """Make the values of the points in `span`. What was refused, or holds no number, is bad."""
        if isinstance(answer, Refusal):
            return {name: Value(None, "bad", read_s) for name, _, _ in self._inside[span]}
        return {name: value_of(point, answer[at : at + point.length], read_s) for name, point, at in self._inside[span]}

    def unknown(self, now_s: float) -> Mapping[str, Value]:
        """Every point, bad."""
        return {name: Value(None, "bad", now_s) for name in self.points}

    def _points_of(self, span: Span) -> tuple[tuple[str, Point, int], ...]:
        offsets = ((name, point, span.offset_of(point)) for name, point in self.points.items())
        return tuple((name, point, at) for name, point, at in offsets if at is not None)


def value_of(point: Point, words: Sequence[int], read_s: float) -> Value:
    """Make a point's value of what was read, as of `read_s`."""
    value = decode_value(point, words)
    return Value(value, "bad" if value is None else "good", read_s)
