"""Real programs with crews at their panels: a broker, `watchroom up`, and devices that run `edge-agent run`.

Each may run in a network namespace of its own, and with an environment of its own. Nothing outlives this process.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec

from cloud.broker.embedded import BrokerProgram
from cloud.broker.mosquitto import MosquittoProgram
from cloud.broker.nats import NatsProgram, find_nats_server
from cloud.broker.tether import __file__ as TETHER
from edge_agent.clock import SystemClock
from simulator.panel import Panel
from tests.brokers import Kind
from tests.chaos.board import Board
from tests.chaos.namespaces import find_ip, inside
from tests.chaos.verdict import Figures, Press, Verdict, audit, combine, read_ledger
from tests.ports import free_port
from tests.programs import require_program
from tests.site import unit_of, write_device, write_directory
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
START_S = 60.0
STOP_S = 15.0
RECOVERY_S = 60.0
"""Live state is to equal the devices' within so long of the last fault."""
LAMP_S = 30.0
"""Longer than anything is frozen: a press without a lamp after this was never confirmed."""
HEARTBEAT_S = 1.0
"""What `write_device` gives each device: late after 7 s."""
BUTTONS = (("b1", "1"), ("b2", "2"), ("b4", "4"))
PACE_S = (0.3, 1.5)
"""Between a lamp and the next press."""

clock = SystemClock()


class Program:
    """A program that runs, in a session of its own, and is killed with the thread that started it."""

    def __init__(self, command: Sequence[str], *, log: Path, home: "Home") -> None:
        """Start it. What it says goes to `log`."""
        enter = [] if home.namespace is None else [str(find_ip()), "netns", "exec", home.namespace]
        tethered = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *enter, *command]
        self.log = log
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                tethered, stdout=sink, stderr=sink, cwd=ROOT, env=os.environ | home.environment, start_new_session=True
            )

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def said(self) -> str:
        """All that it said."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def freeze(self) -> None:
        """Stop it as SIGSTOP does, and return once it stands still."""
        self._process.send_signal(signal.SIGSTOP)
        stat = Path(f"/proc/{self._process.pid}/task")
        await eventually(lambda: all(map(_stands, stat.glob("*/stat"))), what="a stopped process", deadline_s=START_S)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """End it in good order, and with force where that takes too long."""
        for number in (signal.SIGCONT, signal.SIGTERM):
            self._process.send_signal(number)
        with contextlib.suppress(AssertionError):
            await eventually(lambda: not self.running, what="an end", deadline_s=STOP_S)
        self._process.kill()
        self._process.wait()


class Home(msgspec.Struct, frozen=True):
    """Where a program runs."""

    namespace: str | None = None
    """None: where this process runs."""
    environment: dict[str, str] = {}

    def connect(self, port: int) -> socket.socket:
        """Connect to a loopback port in there."""
        return inside(self.namespace, lambda: socket.create_connection(("127.0.0.1", port), 5.0))


class Crew:
    """A crew at its panel, and what it was told."""

    def __init__(self, unit: str, panel: Panel, random: Random) -> None:
        """Nobody presses yet."""
        self.unit = unit
        self.presses: list[Press] = []
        self.last = ""
        """The code of the last press whose lamp confirmed it."""
        self._lamp = ""
        self._panel, self._random = panel, random
        self._buttons: Iterator[tuple[str, str]] = itertools.cycle(BUTTONS)

    @property
    def settled(self) -> bool:
        """Whether its last press is, by its own lamp."""
        return self._panel.lamps.get(self._lamp) == "steady"

    async def work(self, stop: asyncio.Event) -> None:
        """Press until told to stop: a press that is under way is ended first."""
        while not stop.is_set():
            await self.press()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._random.uniform(*PACE_S))

    async def press(self) -> tuple[str, float]:
        """Push the next button, and note what its lamp said. Gives the button, and when it was pushed."""
        button, code = next(self._buttons)
        down_s, lamp_s = clock.monotonic(), None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAMP_S):
                await self._panel.press(button)
                await self._panel.shown(button, "slow", "steady")
                lamp_s, self.last, self._lamp = clock.monotonic(), code, button
        self.presses.append(Press(unit=self.unit, code=code, down_s=down_s, lamp_s=lamp_s))
        return button, down_s

    async def press_patiently(self, deadline_s: float) -> float:
        """Push the next button, and give the seconds until its lamp is steady. Raises TimeoutError."""
        button, down_s = await self.press()
        async with asyncio.timeout(deadline_s):
            await self._panel.shown(button, "steady")
        return clock.monotonic() - down_s


class Site:
    """A cloud, its broker, some devices and their crews, all running. Make it with `running`."""

    def __init__(self, folder: Path, broker: Program, homes: "Homes", ports: tuple[int, int]) -> None:
        """Nothing but the broker runs yet."""
        self.folder, self.broker = folder, broker
        self.agents: list[Program] = []
        self.crews: list[Crew] = []
        self._started: Program | None = None
        self._homes = homes
        self._broker_port, self._port = ports
        self.board = Board(lambda: homes.cloud.connect(self._port), heartbeat_s=HEARTBEAT_S, clock=clock)

    @property
    def cloud(self) -> Program:
        """`watchroom up`, once it has been started."""
        assert self._started is not None
        return self._started

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "data" / "ledger.db"

    async def start_cloud(self) -> None:
        """Start `watchroom up`, and return once it serves."""
        log = self.folder / "cloud.log"
        log.write_bytes(b"")
        options = {
            "--data": self.folder / "data",
            "--directory": self.folder / "directory",
            "--port": self._port,
            "--broker": f"mqtt://127.0.0.1:{self._broker_port}",
        }
        words = [str(word) for pair in options.items() for word in pair]
        command = [sys.executable, "-c", "from cloud.cli import main; main()", "up", *words]
        self._started = Program(command, log=log, home=self._homes.cloud)
        await eventually(
            lambda: "Ctrl-C" in self.cloud.said() or not self.cloud.running, what="a cloud", deadline_s=START_S
        )
        assert self.cloud.running, self.cloud.said()

    async def stop_cloud(self) -> None:
        """End `watchroom up`, if it has been started."""
        if self._started is not None:
            await self._started.stop()

    def start_agent(self, place: int) -> Path:
        """Start a device; gives its panel's socket."""
        folder = self.folder / f"device-{place}"
        broker = f"mqtt://127.0.0.1:{self._broker_port}"
        config = write_device(folder, broker=broker, device=_device(place), unit=unit_of(place))
        command = [sys.executable, "-c", "from edge_agent.cli import main; main()", "run"]
        command += ["--config", str(folder / "device.toml")]
        self.agents.append(Program(command, log=folder / "agent.log", home=self._homes.devices[place]))
        assert config.panel is not None
        return Path(config.panel.path)

    async def all_live(self) -> None:
        """Wait until every last press is settled and the feed shows it, confirmed. Each crew must have pressed."""
        await eventually(
            lambda: all(crew.settled and self.board.shows(crew.unit, crew.last) for crew in self.crews),
            what="the feed to equal the devices",
            deadline_s=RECOVERY_S,
        )

    def judge(self) -> Verdict:
        """Hold the ledger against what the crews were told. Raises AssertionError where the feed was ever wrong."""
        devices = {_device(place): agent for place, agent in enumerate(self.agents)}
        programs = {"broker": self.broker, "cloud": self.cloud} | devices
        for name, program in programs.items():
            assert program.running, f"{name} has ended by itself: {program.said()[-2000:]}"
            assert "Traceback" not in program.said(), f"{name}: {program.said()[-4000:]}"
        assert not self.board.wrong, "\n".join(self.board.wrong[:10])
        return audit([press for crew in self.crews for press in crew.presses], read_ledger(self.ledger))


class Homes(msgspec.Struct, frozen=True):
    """Where everything runs: the broker with the cloud, and each device."""

    cloud: Home
    devices: list[Home]

    @classmethod
    def here(cls, devices: int) -> "Homes":
        """All of it in one place."""
        return cls(Home(), [Home()] * devices)


@contextlib.asynccontextmanager
async def running(folder: Path, kind: Kind, homes: Homes, random: Random) -> AsyncIterator[Site]:
    """Everything runs, every crew has pressed once, and the feed shows it."""
    async with contextlib.AsyncExitStack() as stack:
        places = range(len(homes.devices))
        write_directory(folder / "directory", [_device(place) for place in places])
        ports = (free_port(), free_port())
        broker = _start_broker(folder, kind, homes.cloud, ports[0])
        stack.push_async_callback(broker.stop)
        await eventually(lambda: _answers(homes.cloud, ports[0]), what="a broker", deadline_s=START_S)
        site = Site(folder, broker, homes, ports)
        stack.push_async_callback(site.stop_cloud)
        await site.start_cloud()
        following = asyncio.ensure_future(site.board.follow())
        stack.callback(following.cancel)
        for place in places:
            path = site.start_agent(place)
            stack.push_async_callback(site.agents[place].stop)
            panel = await stack.enter_async_context(Panel.connect(str(path), clock=clock))
            site.crews.append(Crew(unit_of(place), panel, Random(random.random())))
        await asyncio.gather(*(crew.press() for crew in site.crews))
        await site.all_live()
        yield site


@contextlib.asynccontextmanager
async def pressing(site: Site) -> AsyncIterator[None]:
    """The crews press while the block runs, and once more after it; then the feed must equal the devices."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for crew in site.crews:
            tasks.create_task(crew.work(stop))
        yield
        stop.set()
    await asyncio.gather(*(crew.press() for crew in site.crews))
    await site.all_live()


def together(parts: Sequence[Figures]) -> Figures:
    """The figures of labs that ran one after another: counts add up, of the rest the worst counts."""
    phases: Counter[str] = Counter()
    detail: dict[str, float] = {}
    for part in parts:
        phases.update(part.phases)
        for name, figure in part.detail.items():
            before = detail.get(name)
            worst = figure if before is None else max(before, figure)
            detail[name] = worst if name.endswith("_s") else figure + (before or 0)
    return Figures(
        fault=parts[0].fault,
        faults=sum(part.faults for part in parts),
        verdict=combine(part.verdict for part in parts),
        phases=dict(phases),
        detail=detail,
    )


def _start_broker(folder: Path, kind: Kind, home: Home, port: int) -> Program:
    program: BrokerProgram = NatsProgram(find_nats_server()) if kind == "nats" else _mosquitto()
    store = folder / "broker"
    store.mkdir(parents=True)
    return Program(program.prepare(store, port), log=store / "said.log", home=home)


def _mosquitto() -> MosquittoProgram:
    return MosquittoProgram(require_program("mosquitto"))


def _answers(home: Home, port: int) -> bool:
    try:
        home.connect(port).close()
    except OSError:
        return False
    return True


def _device(place: int) -> str:
    return f"veh-{place + 1:04}"


def _stands(stat: Path) -> bool:
    """Whether a thread is stopped, by its /proc/PID/task/TID/stat: the state follows the name in parentheses."""
    try:
        return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] in "Tt"
    except OSError:
        return True
