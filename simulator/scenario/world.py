"""The world of one scenario: devices, broker and cloud on one virtual clock, and the checkers that watch them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random

from cloud.directory import Directory, load
from cloud.errors import CloudError
from cloud.ledger import Ledger
from edge_agent.config import Config
from edge_agent.config import load as load_config
from edge_agent.errors import AgentError
from simulator.scenario.checkers import Checkers
from simulator.scenario.cloud import Cloud
from simulator.scenario.faults import Faults
from simulator.scenario.machine import Machine
from simulator.scenario.network import Broker
from simulator.scenario.stage import Stage
from simulator.scenario.story import Story
from simulator.scenario.virtual import VirtualLoop

UNITS_MAX = 3
RESTART_S = 5.0
"""How long a supervisor waits before it starts a process again."""
_SCHEME = "uk-fire-gd92"
_DIRECTORY = """
[[organisation]]
id = "kf"
name = "Weald Fire and Rescue"
service = "fire"
[[base]]
id = "stn"
name = "Stn"
"""
_UNIT = """
[[unit]]
id = "unit-{0}"
callsign = "U{0}"
organisation = "kf"
type = "pump"
base = "stn"
scheme = "uk-fire-gd92"
carrier = "veh-{0}"
[[device]]
id = "veh-{0}"
organisation = "kf"
enrolment = "V{0}"
"""
_PANEL = """
[[device]]
id = "panel"
organisation = "kf"
enrolment = "P"
units = ["unit-1"]
"""
_DEVICE = """
[device]
id = "{device}"
organisation = "kf"
enrolment = "{enrolment}"
state_dir = "state"
[link]
heartbeat_s = {interval_s}
[[unit]]
id = "{unit}"
scheme = "{scheme}"
[[unit]]
id = "elsewhere"
scheme = "{scheme}"
[panel]
backend = "scripted"
path = "panel.sock"
[panel.buttons]
mobile = "{unit}:1"
attending = "{unit}:2"
incident = "{unit}:3"
available = "{unit}:4"
off = "{unit}:5"
radio = "{unit}:6"
foreign = "elsewhere:1"
[outbox]
reserve_kib = 256
"""
"""`elsewhere` is a unit that no directory binds to the device: its presses are refused."""


class World:
    """Everything in one scenario."""

    def __init__(self, seed: int, faults: Faults, root: Path, *, told: bool) -> None:
        """Put everything in its place, switched off."""
        self.seed, self.faults, self.root = seed, faults, root
        self.loop = VirtualLoop()
        self.story = Story(self.loop.time, told=told)
        self.broker = Broker(self.loop, Random(f"broker/{seed}"), self.story)
        self.stage = Stage(self.loop, self.broker, self.story, root)
        self.cloud = Cloud(directory(), empty_ledger(), self.stage, Random(f"cloud/{seed}"))
        self.machines: list[Machine] = []
        self.checkers = Checkers(self.machines, self.cloud, self.loop.time, faults.interval_s)
        self.broker.on_delivered = self.checkers.note_delivered
        self.broker.on_sent = self.checkers.note_sent
        self.cloud.on_disk = self.checkers.check_disks
        self.cloud.on_start = self.checkers.note_cloud_started
        self.cloud.on_feed = self.checkers.check_board
        self.cloud.on_died = lambda error: self._died("cloud", error, self.cloud.full, self.cloud.start)
        for number in range(1, faults.vehicles + 1):
            self.add(f"veh-{number}", f"veh-{number}")

    def add(self, name: str, device: str) -> Machine:
        """Put another machine there."""
        config = device_config(device, self.faults.interval_s)
        machine = Machine(name, config, self.stage, Random(f"{name}/{self.seed}"))
        machine.on_disk = self.checkers.check_disks
        machine.on_confirmed = self.checkers.note_confirmed
        machine.on_look = self.checkers.check_lamps
        machine.on_died = lambda one, error: self._died(
            one.name, error, one.medium.full, lambda: one.start(reboot=False)
        )
        machine.has_receiver = device in ("veh-1", "veh-2")
        self.machines.append(machine)
        return machine

    def _died(self, name: str, error: BaseException | None, full: bool, start: Callable[[], None]) -> None:
        """Judge the end of a process. One that says that its disk is full is started again, as a supervisor would."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if full and isinstance(error, AgentError | CloudError):
            self.story.tell(name, "ends", said=error)
            self.loop.call_later(RESTART_S, start)
            return
        self.checkers.fail("nobody dies by itself", f"{name}: {error!r}")


@cache
def directory() -> Directory:
    """Three vehicles with a unit each, and a panel that speaks for the first."""
    with tempfile.TemporaryDirectory() as name:
        units = "".join(_UNIT.format(number) for number in range(1, UNITS_MAX + 1))
        (Path(name) / "all.toml").write_text(_DIRECTORY + units + _PANEL, encoding="utf-8")
        return load(Path(name))


@cache
def device_config(device: str, interval_s: float) -> Config:
    """A device's configuration."""
    unit = "unit-1" if device == "panel" else device.replace("veh", "unit")
    enrolment = "P" if device == "panel" else "V" + device.removeprefix("veh-")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "device.toml"
        text = _DEVICE.format(device=device, enrolment=enrolment, unit=unit, scheme=_SCHEME, interval_s=interval_s)
        path.write_text(text, encoding="utf-8")
        return load_config(path, {})


@cache
def empty_ledger() -> bytes:
    """A ledger's file with nothing in it, to be copied: making one takes longer than many a scenario."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        Ledger.open(f"sqlite:///{path}").close()
        return path.read_bytes()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one scenario, in memory where the machine has such: nothing in it outlives the scenario."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, ignore_cleanup_errors=True) as name:
        yield Path(name)
