"""Carries another unit than the vehicle's own: what the crew asks for goes out, and control's word is kept on disk."""

import asyncio
from collections.abc import Iterable

import msgspec
from msgspec import UnsetType

from edge_agent.config import Button, Config
from edge_agent.outbox import Stored
from edge_agent.outbox.notebook import Notebook, Notes
from edge_agent.state import swap
from edge_agent.state.swap import Swap, View
from wire.events import BindingEvent
from wire.messages import QueueSettle, State


class Swapping:
    """Of a vehicle with a touch page. A station's panel speaks for its units, and carries none."""

    def __init__(self, config: Config, notebook: Notebook) -> None:
        """Go on with what is noted."""
        self.own = config.units[0]
        self.is_vehicle = config.station is None
        self._notebook = notebook
        self._swap = notebook.notes.swap
        self._changed = asyncio.Event()

    @property
    def view(self) -> View:
        """How the vehicle stands."""
        return swap.view(self._swap, self.own.id)

    @property
    def callsign(self) -> str:
        """Of the unit that is pressed for here."""
        now = swap.carried(self._swap)
        return now.callsign if now is not None else self.own.callsign or self.own.id

    @property
    def known(self) -> tuple[str, ...]:
        """The callsigns that control has told this device of."""
        return tuple(one.callsign for one in self._swap.told)

    def unit_of(self, unit: str) -> str:
        """Give the unit that is meant by one of the configuration's: by the vehicle's own, the one that it carries."""
        now = swap.carried(self._swap)
        return now.unit if now is not None and unit == self.own.id else unit

    def meaning_of(self, button: Button) -> Button | None:
        """Give what a button declares now. None where the unit's statuses are in other codes than this panel's."""
        now = swap.carried(self._swap)
        if now is None or button.unit != self.own.id:
            return button
        return msgspec.structs.replace(button, unit=now.unit) if now.scheme == button.scheme else None

    def asked(self, callsign: str, *, on: bool, stream: str, seq: int) -> None:
        """Take in that the crew's word is on disk."""
        self._put(swap.ask(self._swap, callsign=callsign, on=on, stream=stream, seq=seq))

    def hear(self, state: State) -> None:
        """Take in control's newest word."""
        self._put(swap.hear(self._swap, () if isinstance(state.claims, UnsetType) else state.claims))

    def settle(self, settle: QueueSettle) -> None:
        """Take in which events have ended, and which of them were refused."""
        refused = {one.seq for one in settle.refused}
        now = swap.settle(self._swap, stream=settle.stream, through=settle.through, refused=refused)
        self._put(swap.drop_needless(now, self.own.callsign or self.own.id))

    def restart(self, unsettled: Iterable[Stored], *, stream: str) -> None:
        """Go on with what the outbox holds: after a start, or in a new stream, where sequences count anew."""
        for one in unsettled:
            if not isinstance(one.event, BindingEvent):
                continue
            asked = self._swap.asked
            if asked is not None and (asked.callsign, asked.on) == (one.event.callsign, one.event.on):
                self._put(swap.carry(self._swap, stream=stream, seq=one.seq))
            else:
                self.asked(one.event.callsign, on=one.event.on, stream=stream, seq=one.seq)

    async def run(self) -> None:
        """Note on disk what changes, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._notebook.note(self._write)

    def _put(self, now: Swap) -> None:
        if now != self._swap:
            self._swap = now
            self._changed.set()

    def _write(self, notes: Notes) -> Notes:
        return msgspec.structs.replace(notes, swap=self._swap)
