"""Keeps the panel's lamps true: to what is on disk here, what the cloud settled, and what control shows."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from edge_agent.config import Button
from edge_agent.outbox import Stored
from edge_agent.state import lamps
from edge_agent.state.lamps import Lamp, Meaning, Panel, Shown
from wire.messages import QueueSettle, State, StatusEvent

Show = Callable[[Mapping[str, Lamp], str], None]


class Lamps:
    """One panel's lamps. Every method shows what has changed."""

    def __init__(self, device: str, buttons: Mapping[str, Button], show: Show) -> None:
        """Take this device's id, what each button declares, and how to show."""
        self._device = device
        self._buttons = {name: Meaning(one.unit, one.code, one.event) for name, one in buttons.items()}
        self._events = {(one.unit, one.code) for one in buttons.values() if one.event}
        self._show = show
        self._panel = Panel()
        self._state: State | None = None

    def restart(self, unsettled: Iterable[Stored], now_s: float) -> None:
        """Begin anew with what the outbox holds: after a start, or in a new stream."""
        self._panel = Panel(shown=self._panel.shown)
        for stored in unsettled:
            if isinstance(stored.event, StatusEvent):
                event = (stored.event.unit, stored.event.code) in self._events
                meaning = Meaning(stored.event.unit, stored.event.code, event)
                self._panel = lamps.record_press(self._panel, meaning, seq=stored.seq, now_s=now_s)
        self.refresh(now_s)

    def press(self, button: str, seq: int | None, now_s: float) -> None:
        """Take in a press, committed as `seq` or not at all."""
        self._panel = lamps.record_press(self._panel, self._buttons[button], seq=seq, now_s=now_s)
        self.refresh(now_s)

    def settle(self, settle: QueueSettle, now_s: float) -> None:
        """Take in that status events have ended."""
        refused = {one.seq for one in settle.refused}
        self._panel = lamps.settle(self._panel, through=settle.through, refused=refused, now_s=now_s)
        self.refresh(now_s)

    def hear(self, state: State, *, stream: str, utc: datetime, now_s: float) -> None:
        """Take in what control shows. A state out of order or past its time says nothing."""
        known = self._state
        if known is not None and (state.owner_term, state.version) < (known.owner_term, known.version):
            return
        self._state = state
        shown = {}
        for one in state.units if utc < state.valid_until else ():
            own = one.device == self._device
            shown[one.unit] = Shown(one.code, (one.seq if one.stream == stream else 0) if own else None)
        self._panel = lamps.hear(self._panel, shown)
        self.refresh(now_s)

    def expire(self, utc: datetime, now_s: float) -> None:
        """Forget a state that is past its time, and show what time alone has changed."""
        if self._state is not None and utc >= self._state.valid_until:
            self._state = None
            self._panel = lamps.hear(self._panel, {})
        self.refresh(now_s)

    def refresh(self, now_s: float) -> None:
        """Show what stands."""
        view = lamps.plan_lamps(self._panel, self._buttons, now_s)
        self._show(view.lamps, view.notice)
