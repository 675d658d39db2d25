"""Keeps the panel's lamps true: to what is on disk here, what the cloud settled, and what control shows."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import UNSET, UnsetType

from edge_agent.config import Button
from edge_agent.outbox import Stored
from edge_agent.state import lamps
from edge_agent.state.lamps import Lamp, Meaning, Panel, PanelView, Shown
from wire.events import Mode, StatusEvent
from wire.messages import QueueSettle, ShownStatus, State

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
        self.view = PanelView({}, "")
        """What was last shown."""
        self._stream = ""
        self._state: State | None = None
        self._order = (0, 0)
        """The owner term and version of the newest state heard, whether or not it still holds."""

    @property
    def state_held(self) -> tuple[int, int]:
        """The owner term and version of the state that is shown; zeros where there is none, or it ran out."""
        return self._order if self._state is not None else (0, 0)

    def is_in_order(self, state: State) -> bool:
        """Tell whether a state is no older than the newest heard: a broker may bring back what it kept before."""
        return (state.owner_term, state.version) >= self._order

    def is_seen(self, now_s: float) -> bool:
        """Tell whether control sees this device, by the newest answer that was vouched for."""
        return now_s <= self._panel.seen_until_s

    def control_shows(self, unit: str) -> ShownStatus | None:
        """Give what control's newest state says of a unit; None where that is unknown, or ran out."""
        return next((one for one in self._state.units if one.unit == unit), None) if self._state else None

    def mode_of(self, unit: str, utc: datetime) -> Mode:
        """Give the mode that control has put a unit in, as far as its newest state says and it has not run out."""
        told = self._state.modes if self._state is not None else UNSET
        modes = () if isinstance(told, UnsetType) else told
        return next((one.mode for one in modes if one.unit == unit and utc < one.until), "live")

    def is_overruled(self, unit: str) -> bool:
        """Tell whether control shows another status than the last one of this panel that it has settled."""
        return lamps.is_overruled(self._panel, unit)

    def restart(self, unsettled: Iterable[Stored], *, stream: str, now_s: float) -> None:
        """Go on with what the outbox holds: after a start, or in a new stream, where sequences count anew."""
        self._stream = stream
        carried = [(one.seq, self._meaning(one.event)) for one in unsettled if isinstance(one.event, StatusEvent)]
        self._panel = lamps.hear(lamps.carry_over(self._panel, carried), self._shown())
        self.refresh(now_s)

    def vouch(self, *, answer_age_s: float, heartbeat_s: float, now_s: float) -> None:
        """Take in how old the cloud's newest answer is, and how often it is asked for one."""
        self._panel = lamps.vouch(self._panel, answer_age_s=answer_age_s, heartbeat_s=heartbeat_s, now_s=now_s)
        self.refresh(now_s)

    def serve(self, buttons: Mapping[str, Button], now_s: float) -> None:
        """Let the buttons declare something else from now on, such as the statuses of another unit."""
        self._buttons = {name: Meaning(one.unit, one.code, one.event) for name, one in buttons.items()}
        self._events |= {(one.unit, one.code) for one in buttons.values() if one.event}
        self._panel = lamps.forget_others(self._panel, {one.unit for one in buttons.values()})
        self.refresh(now_s)

    def press(self, button: str, seq: int | None, now_s: float, *, said: Button | None = None) -> None:
        """Take in a press, committed as `seq` or not at all. `said` is what it declared, where that is known.

        While it was committed control may have let the button declare something else.
        """
        meaning = self._buttons[button] if said is None else Meaning(said.unit, said.code, said.event)
        self._panel = lamps.record_press(self._panel, meaning, seq=seq, now_s=now_s)
        self.refresh(now_s)

    def settle(self, settle: QueueSettle, now_s: float) -> None:
        """Take in that status events have ended."""
        refused = {one.seq for one in settle.refused}
        self._panel = lamps.settle(self._panel, through=settle.through, refused=refused, now_s=now_s)
        self.refresh(now_s)

    def hear(self, state: State, *, utc: datetime, now_s: float) -> bool:
        """Take in what control shows. A state out of order or past its time says nothing: False."""
        if not self.is_in_order(state):
            return False
        self._order = (state.owner_term, state.version)
        self._state = state if utc < state.valid_until else None
        self._panel = lamps.hear(self._panel, self._shown())
        self.refresh(now_s)
        return self._state is not None

    def expire(self, utc: datetime, now_s: float) -> None:
        """Forget a state that is past its time, and show what time alone has changed."""
        if self._state is not None and utc >= self._state.valid_until:
            self._state = None
            self._panel = lamps.hear(self._panel, {})
        self.refresh(now_s)

    def refresh(self, now_s: float) -> None:
        """Show what stands."""
        self.view = lamps.plan_lamps(self._panel, self._buttons, now_s)
        self._show(self.view.lamps, self.view.notice)

    def _meaning(self, event: StatusEvent) -> Meaning:
        return Meaning(event.unit, event.code, (event.unit, event.code) in self._events)

    def _shown(self) -> dict[str, Shown]:
        """What control shows, with sequences of this device's present stream only."""
        units = self._state.units if self._state is not None else []
        return {one.unit: Shown(one.code, self._seq_of(one)) for one in units}

    def _seq_of(self, one: ShownStatus) -> int | None:
        if one.device != self._device:
            return None
        return one.seq if one.stream == self._stream else 0
