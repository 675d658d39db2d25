"""The guarded emergency button at work: what its push becomes, and its own lamp."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from msgspec import UnsetType

from edge_agent.clock import Clock
from edge_agent.decode.readings import Press
from edge_agent.outbox import Stored
from edge_agent.state import emergency
from edge_agent.state.emergency import Guard, Happened
from edge_agent.state.lamps import Lamp
from wire.events import EmergencyEvent, Origin
from wire.messages import QueueSettle, State

IDLE_S = 3_600.0


class EmergencyButton:
    """One button. `commit` puts an emergency on disk and gives its sequence, or None where that failed."""

    def __init__(self, button: str, guard: Guard, *, clock: Clock, commit: Callable[[], Awaitable[int | None]]) -> None:
        """Nothing was pushed yet. `guard` says for how long it must be held."""
        self.button = button
        self._clock, self._commit = clock, commit
        self._guard = guard
        self._raised: emergency.Raised | None = None
        self._stream = ""
        self._pushed = asyncio.Event()
        self.fault = ""
        """Why the button itself can't be relied on; empty where nothing is wrong."""

    @property
    def lamp(self) -> Lamp:
        """What its lamp says now."""
        return emergency.plan_lamp(self._raised)

    async def take(self, press: Press) -> None:
        """Take in an edge of the button."""
        self._guard, happened = emergency.apply(self._guard, press.down, self._clock.monotonic())
        await self._act(happened)
        self._pushed.set()

    def settle(self, settle: QueueSettle) -> None:
        """Take in that status events have ended."""
        if self._raised is not None:
            refused = {one.seq for one in settle.refused}
            self._raised = emergency.settle(self._raised, through=settle.through, refused=refused)

    def restart(self, unsettled: Iterable[Stored], *, stream: str) -> None:
        """Go on with what the outbox holds: after a start, or in a new stream, where sequences count anew."""
        self._stream = stream
        held = [(one.seq, one.event.origin) for one in unsettled if isinstance(one.event, EmergencyEvent)]
        self._raised = emergency.carry(self._raised, [(seq, origin or Origin(stream, seq)) for seq, origin in held])

    def hear(self, state: State) -> None:
        """Take in which emergencies people at control have in hand or have cancelled, also by a word that ran out."""
        told = () if isinstance(state.emergencies, UnsetType) else state.emergencies
        self._raised = emergency.hear(self._raised, {Origin(one.stream, one.seq): one.cancelled for one in told})

    async def run(self) -> None:
        """Raise what time alone makes an emergency, until cancelled."""
        while True:
            self._pushed.clear()
            due_s = emergency.due_s(self._guard)
            await self._wait(IDLE_S if due_s is None else max(0.0, due_s - self._clock.monotonic()))
            self._guard, happened = emergency.pass_time(self._guard, self._clock.monotonic())
            await self._act(happened)

    async def _act(self, happened: tuple[Happened, ...]) -> None:
        for one in happened:
            match one:
                case "raised":
                    self._raised = emergency.record(await self._commit(), self._stream)
                case "stuck":
                    self.fault = f"the emergency button {self.button} is stuck: it raises no other emergency"
                case "freed":
                    self.fault = ""

    async def _wait(self, pause_s: float) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(pause_s))
        pushed = asyncio.ensure_future(self._pushed.wait())
        try:
            await asyncio.wait((sleep, pushed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            pushed.cancel()
