"""What a device moves and shows beside its own panel, composed: Modbus lines, turnout, touch page, emergency button."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from edge_agent.actuators.emergency import EmergencyButton
from edge_agent.around import Page, Surroundings, alarm_points, load_layout
from edge_agent.clock import Clock
from edge_agent.config import Button, Config
from edge_agent.decode.readings import InputValue, Reading
from edge_agent.glass import Glass, Reach, Swapping
from edge_agent.outbox import StorageFailed, Stored
from edge_agent.outbox.file import Draft
from edge_agent.outbox.notebook import Notebook
from edge_agent.outbox.room import read_room
from edge_agent.panel.port import Mains
from edge_agent.sources.panel_modbus import ModbusPanel
from edge_agent.state import health, points
from edge_agent.state.emergency import Guard
from edge_agent.state.events import Stamp, emergency_event
from edge_agent.state.lamps import Lamp
from edge_agent.state.vehicle import Vehicle
from edge_agent.station.words import TellAlarm, Value
from edge_agent.turnout import Journal, Turnout
from edge_agent.turnout.events import alarm_event
from edge_agent.turnout.night import find_zone, is_night
from edge_agent.turnout.runner import Around
from wire.messages import QueueSettle, State

Append = Callable[[Sequence[Draft]], Awaitable[int]]
"""Commits events to the status queue and gives the sequence of the last. Raises `StorageFailed`."""


class NoOutputs:
    """The outputs of a device without lines: there are none, so nothing is ever written."""

    async def write(self, output: str, value: bool | float) -> str:
        """Say that nothing answers."""
        return "no_device_response"

    async def pulse(self, output: str, pulse_s: float) -> str:
        """Say that nothing answers."""
        return "no_device_response"


class Hands(msgspec.Struct, frozen=True, kw_only=True):
    """What the building asks of the agent."""

    append: Append
    stamp: Callable[[], Stamp]
    emit: Callable[[Reading], None]


class Building:
    """Of a vehicle it is small: the orders that its crew is shown and acknowledges."""

    def __init__(self, config: Config, around: Surroundings, hands: Hands, clock: Clock) -> None:
        """Read the layout and open the journal. Raises `Fatal` where either cannot be."""
        self._config, self._around, self._hands, self._clock = config, around, hands, clock
        self.layout = load_layout(config)
        self._zone = find_zone(self.layout.night)
        self._alarms = alarm_points(config)
        self._points = points.Points()
        self._values: dict[str, Value] = {}
        self._journal = Journal(Path(config.device.state_dir), clock=clock, boot_id=around.boot_id)
        world = Around(outputs=around.lines or NoOutputs(), tell=self._tell, stamp=hands.stamp, changed=self.refresh)
        self.turnout = Turnout(self.layout, world, journal=self._journal, clock=clock)
        self.emergency = self._make_emergency()
        self._glass: Glass | None = None
        self._notebook: Notebook | None = None
        self._swapping: Swapping | None = None
        self._server: Page | None = None
        self._room: health.Room | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, for heartbeats and the page."""
        lines = self._around.lines
        button = (self.emergency.fault,) if self.emergency else ()
        page = (self._server.fault,) if self._server else ()
        notes = (self._notebook.fault,) if self._notebook else ()
        return (*self.turnout.faults, *(lines.faults.values() if lines else ()), *button, *page, *notes)

    @property
    def mains(self) -> Mains:
        """Whether the building has mains power, where its layout has an input for that."""
        value = self._values.get(self.layout.inputs.mains_failed)
        if value is None or value.quality != "good":
            return "unknown"
        return "failed" if value.value else "ok"

    async def look_at_disk(self) -> None:
        """See how much room there is, beside the loop: a disk may be slow to answer."""
        config = self._config
        self._room = await asyncio.to_thread(read_room, Path(config.device.state_dir), config.outbox.reserve_kib)

    def known(
        self, vehicle: Vehicle, link: health.Link, *, clock: health.WallClock, outbox: str, dropped: str
    ) -> health.Known:
        """Give what is known of every part of the device. `outbox` and `dropped` are the agent's own faults."""
        lines, has_mains = self._around.lines, bool(self.layout.inputs.mains_failed)
        return health.Known(
            vehicle=vehicle,
            has_receiver=self._around.receiver is not None,
            has_panel=self._around.panel is not None,
            emergency=self.emergency.fault if self.emergency else "",
            bus=health.Bus(faults=lines.faults, silent=lines.silent) if lines else None,
            disk=health.Disk(
                outbox=outbox,
                journal=self.turnout.faults,
                notes=self._notebook.fault if self._notebook else "",
                room=self._room,
            ),
            clock=clock,
            link=link,
            mains=None if self._config.station is None else self.mains if has_mains else "unwired",
            page=self._server.fault if self._server else "",
            dropped=dropped,
        )

    @property
    def is_night(self) -> bool:
        """Whether it is night here."""
        return is_night(self.layout.night, self._zone, self._clock.now())

    def meaning_of(self, button: Button) -> Button | None:
        """Give what a button declares: for the unit that the vehicle carries now. None where it has no such status."""
        return button if self._swapping is None else self._swapping.meaning_of(button)

    @property
    def units(self) -> tuple[str, ...]:
        """The units that are pressed for here now: in the place of the vehicle's own, the one that it carries."""
        return tuple(one.id if self._swapping is None else self._swapping.unit_of(one.id) for one in self._config.units)

    def hear(self, state: State) -> None:
        """Take in control's word on which unit the vehicle carries."""
        if self._swapping is not None:
            self._swapping.hear(state)

    def settle(self, settle: QueueSettle) -> None:
        """Take in that status events have ended."""
        if self._swapping is not None:
            self._swapping.settle(settle)
        if self.emergency is not None:
            self.emergency.settle(settle)

    def restart(self, unsettled: Sequence[Stored], *, stream: str) -> None:
        """Go on with what the outbox holds: after a start, or in a new stream, where sequences count anew."""
        if self._swapping is not None:
            self._swapping.restart(unsettled, stream=stream)
        if self.emergency is not None:
            self.emergency.restart(unsettled, stream=stream)

    def open_glass(self, reach: Callable[[Turnout, Notebook, Swapping], Reach]) -> None:
        """Make the touch page, where the device has one. Nothing is served before `run`."""
        if self._config.page is None:
            return
        self._notebook = Notebook(Path(self._config.device.state_dir) / "notes.json")
        self._swapping = Swapping(self._config, self._notebook)
        self._glass = Glass(
            self._config, self.layout, reach(self.turnout, self._notebook, self._swapping), self._clock
        )  # fmt: skip
        self._server = self._around.serve(self._glass, self._config.page.port, self._clock)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Run everything beside the agent's own tasks."""
        tasks.create_task(self.turnout.run())
        if self._around.lines is not None:
            tasks.create_task(self._around.lines.run(self._read))
        if self._server is not None:
            tasks.create_task(self._server.run())
        if self._swapping is not None:
            tasks.create_task(self._swapping.run())
        if self.emergency is not None:
            tasks.create_task(self.emergency.run())

    async def close(self) -> None:
        """Close the journal."""
        await self._journal.close()

    def refresh(self) -> None:
        """Look whether the page has changed."""
        if self._glass is not None:
            self._glass.refresh()

    def lamps(self, shown: Mapping[str, Lamp]) -> dict[str, Lamp]:
        """Of all lamps, those that the device's own panel has, its emergency button's among them."""
        own = {name: shown[name] for name in self._config.buttons if name in shown}
        return own | {self.emergency.button: self.emergency.lamp} if self.emergency else own

    async def _tell(self, drafts: Sequence[Draft]) -> None:
        await self._hands.append(drafts)

    def _read(self, values: Mapping[str, Value]) -> None:
        """Take in what the lines read: for the panel, for the turnout, and for control."""
        lines = self._around.lines
        assert lines is not None
        self._values |= values
        if isinstance(self._around.panel, ModbusPanel):
            self._around.panel.take(values)
        self.turnout.read(values, lines.silent)
        read = [InputValue(name, one.value, one.quality) for name, one in values.items()]
        self._points, due, alarms = points.fold(self._points, read, self._alarms, self._clock.monotonic())
        for value in due:
            self._hands.emit(value)
        for alarm in alarms:
            told = TellAlarm(name="input_alarm", raised=alarm.raised, part=alarm.name)
            self.turnout.tell(partial(alarm_event, self._hands.stamp(), told))

    def _make_emergency(self) -> EmergencyButton | None:
        panel = self._config.panel
        if panel is None or panel.emergency is None:
            return None
        unit = panel.emergency.unit or self._config.units[0].id

        async def commit() -> int | None:
            real = unit if self._swapping is None else self._swapping.unit_of(unit)
            try:
                return await self._hands.append([partial(emergency_event, self._hands.stamp(), real)])
            except StorageFailed:
                return None

        guard = Guard(hold_s=panel.emergency.hold_s, debounce_s=panel.debounce_ms / 1000)
        return EmergencyButton(panel.emergency.button, guard, clock=self._clock, commit=commit)
