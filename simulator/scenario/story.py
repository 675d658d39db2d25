"""What happened in a scenario, line by line, for a person who wants to know why it failed."""

from collections.abc import Callable
from typing import Any

LINES_MAX = 200_000


class Story:
    """Lines with their virtual moment. Where nobody asked for it, nothing is kept."""

    def __init__(self, now_s: Callable[[], float], *, told: bool) -> None:
        """Begin with nothing told."""
        self._now_s = now_s
        self.told = told
        self.lines: list[str] = []

    def tell(self, who: str, what: str, **facts: Any) -> None:
        """Add a line."""
        if self.told and len(self.lines) < LINES_MAX:
            said = " ".join(f"{name}={value}" for name, value in facts.items())
            self.lines.append(f"{self._now_s():10.3f}  {who:<10} {what} {said}".rstrip())
