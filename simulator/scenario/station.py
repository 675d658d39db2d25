"""A shared station on the virtual clock: its plant as the agent's lines show it, a finger on its glass, its files."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from cloud.directory import Directory, load
from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.config import load as load_config
from edge_agent.panel.port import Answer, PanelPort
from edge_agent.station.words import Value
from simulator.county import Base, Organisation, Station, Unit
from simulator.earth import Point
from simulator.plant import Plant
from simulator.scenario.clock import elapse
from simulator.scenario.machine import Machine
from simulator.stations import StationSettings, write_station

POLL_S = 0.25
ANSWER_S = 0.02
"""How long a slave takes to answer a write."""
DEVICE = "stn-1"
_DIRECTORY = """
[[organisation]]
id = "kf"
name = "Weald Fire and Rescue"
service = "fire"
[[organisation]]
id = "ka"
name = "Weald Ambulance"
service = "ambulance"
[[base]]
id = "stn"
name = "Stn 1"
device = "stn-1"
[[device]]
id = "stn-1"
organisation = "kf"
enrolment = "S1"
units = ["kf-1", "kf-2", "ka-1"]
"""
_UNIT = """
[[unit]]
id = "{unit}"
callsign = "{callsign}"
organisation = "{organisation}"
type = "appliance"
base = "stn"
scheme = "{scheme}"
carrier = "veh-{unit}"
[[device]]
id = "veh-{unit}"
organisation = "{organisation}"
enrolment = "V-{unit}"
"""


def make_station() -> Station:
    """A station that two services share: two appliances and an ambulance."""
    base = Base(id="stn", name="Stn 1", organisation=None, node=0, point=Point(51.2, 0.5))
    fire, ambulance = Organisation("kf", "Weald Fire", "fire"), Organisation("ka", "Weald Ambulance", "ambulance")
    owners = {"kf-1": fire, "kf-2": fire, "ka-1": ambulance}
    units = tuple(
        Unit(
            id=unit,
            callsign=unit.upper(),
            organisation=owner,
            type="appliance",
            base=base,
            device=f"veh-{unit}",
            capabilities=(),
        )
        for unit, owner in owners.items()
    )
    return Station(device=DEVICE, organisation="kf", enrolment="S1", base=base, units=units)


def write_files(station: Station, folder: Path) -> tuple[Config, Directory]:
    """Write what the device and the cloud are told, and load it. The layout's file must stay where it is."""
    settings = StationSettings(broker_port=1, page_port=8480, poll_ms=int(POLL_S * 1000))
    config = load_config(write_station(station, folder / "device", settings), {})
    return config, load(write_directory(station, folder / "directory"))


def write_directory(station: Station, folder: Path) -> Path:
    """Write what the cloud is told of the station, into a new folder, and give that."""
    units = (
        _UNIT.format(unit=one.id, callsign=one.callsign, organisation=one.organisation.id, scheme=one.scheme)
        for one in station.units
    )
    folder.mkdir()
    (folder / "all.toml").write_text(_DIRECTORY + "".join(units), encoding="utf-8")
    return folder


class VirtualLines:
    """The plant's modules as lines (`edge_agent.around.Lines`), read four times a second."""

    def __init__(self, plant: Plant, clock: Callable[[], Clock], now_s: Callable[[], float]) -> None:
        """`clock` gives the device's own; `now_s` is the scenario's."""
        self._plant, self._clock, self._now_s = plant, clock, now_s
        points: dict[str, list[str]] = {}
        for point in sorted(plant.parts.points()):
            points.setdefault(point.partition(".")[0], []).append(point)
        self._points = points
        self._read_s: float | None = None
        self.reads = 0
        self.longest_gap_s = 0.0
        """The longest that the agent was handed no read."""

    @property
    def silent(self) -> frozenset[str]:
        """Everything answers."""
        return frozenset()

    @property
    def faults(self) -> Mapping[str, str]:
        """Nothing is wrong."""
        return {}

    async def run(self, on_values: Callable[[Mapping[str, Value]], None]) -> None:
        """Read until cancelled."""
        while True:
            for points in self._points.values():
                on_values(self._look(points))
            now_s = self._now_s()
            if self._read_s is not None:
                self.longest_gap_s = max(self.longest_gap_s, now_s - self._read_s)
            self._read_s = now_s
            self.reads += 1
            await elapse(POLL_S)

    async def write(self, output: str, value: bool | float) -> str:
        """Write an output once."""
        await elapse(ANSWER_S)
        self._plant.write(output, int(value))
        return "done"

    async def pulse(self, output: str, pulse_s: float) -> str:
        """Turn an output on once, and off again."""
        await elapse(ANSWER_S)
        self._plant.write(output, 1)
        asyncio.get_running_loop().call_later(pulse_s, self._plant.write, output, 0)
        return "done"

    def _look(self, points: list[str]) -> dict[str, Value]:
        read_s = self._clock().monotonic()
        return {
            point: Value(float(value) if ".level" in point else bool(value), "good", read_s)
            for point, value in self._plant.look(points).items()
        }


class Finger:
    """A finger on a machine's touch page, where a browser would be (`edge_agent.around.Page`)."""

    def __init__(self, machine: Machine) -> None:
        """Nothing is shown yet."""
        self._machine = machine
        self._port: PanelPort | None = None
        self.fault = ""

    @property
    def page(self) -> PanelPort:
        """The page, as the agent made it."""
        assert self._port is not None
        return self._port

    async def ask(self, request: Coroutine[Any, Any, Answer]) -> Answer:
        """Have a request carried out in the machine's process, on its disk."""
        assert self._machine.process is not None
        answer: Answer = await self._machine.process.call(lambda: asyncio.ensure_future(request))
        return answer

    def push(self, button: str) -> Callable[[], bool] | None:
        """Push a button on the wall, and give what tells whether its lamp has lit; None where it was lit already."""
        pushed = self._machine.push(button)
        return None if pushed is None else lambda: pushed.lamp_s is not None

    def serve(self, port: PanelPort, number: int, clock: Clock) -> "Finger":
        """Take the page (`edge_agent.around.Serve`)."""
        self._port = port
        return self

    async def run(self) -> None:
        """Nothing is served: the finger is in the same process."""
        await asyncio.Event().wait()
