"""Real processes to be hurt: a broker, `watchroom up`, and devices, each behind a link of its own that can be held.

What is done to them comes from outside: signals, sockets, files. Where a press stands is read from the files of the
outbox and the ledger with SQLite alone.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from cloud.broker.child import Child
from cloud.broker.embedded import BrokerProgram, EmbeddedBroker
from cloud.broker.mosquitto import MosquittoProgram
from cloud.broker.nats import NatsProgram, find_nats_server
from cloud.clock import SystemClock as BrokerClock
from edge_agent.clock import SystemClock
from tests.chaos.link import HeldLink
from tests.chaos.verdict import Press
from tests.ports import free_port
from tests.site import unit_of, write_directory

ROOT = Path(__file__).parents[2]
START_S = 60.0
HEAL_S = 90.0
"""By when everything is settled once nothing is hurt any more: a device backs off to 20 s, and a few may in turn."""
POLL_S = 0.01
STOPPED_S = 0.25
"""How long a stopped process may take to stand still: it finishes what it asked of the disk."""
CODES = ("1", "2", "3", "4", "5", "6", "8", "10", "14", "15", "16", "18", "20", "33", "12", "13")
"""Buttons of each panel: fourteen statuses, and two event codes that leave the status standing."""
FRESH_BUTTONS = 8
"""A button is not pushed again before as many others: a lamp that lights late is never taken for a new press's."""
LIT = ("slow", "steady")

clock = SystemClock()
_broker_clock = BrokerClock()


class LabBroke(AssertionError):
    """Something ended or stuck that nobody had hurt: the story is in the message."""


class Tap:
    """One push of a button, and when its lamp confirmed it."""

    def __init__(self, unit: str, code: str, sent_bytes: int) -> None:
        """It goes down now; `sent_bytes` is what the link had carried to the broker before."""
        self.unit, self.code, self.sent_bytes = unit, code, sent_bytes
        self.down_s = clock.monotonic()
        self.lamp_s: float | None = None
        self._lit = asyncio.Event()

    def light(self) -> None:
        """Its lamp is lit now."""
        if self.lamp_s is None:
            self.lamp_s = clock.monotonic()
            self._lit.set()

    async def wait_for_lamp(self, within_s: float) -> None:
        """Return at once when its lamp lights, or after `within_s`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._lit.wait(), within_s)

    @property
    def press(self) -> Press:
        """As the audit wants it."""
        return Press(unit=self.unit, code=self.code, down_s=self.down_s, lamp_s=self.lamp_s)


class Program:
    """One of the project's two commands, as a process that can be killed and started again."""

    def __init__(self, module: str, arguments: Sequence[str], *, folder: Path, source: Path = ROOT) -> None:
        """`source` is the tree it runs from: this one, or a copy that somebody has broken."""
        start = f"import sys; sys.path.insert(0, {str(source)!r}); from {module} import main; main()"
        self._argv = [sys.executable, "-c", start, *arguments]
        self._log = folder / f"{module}.log"
        self._child: Child | None = None
        self._killed = False

    @property
    def pid(self) -> int:
        """Its process number. Raises `LabBroke` where it ended by itself."""
        if self._child is None or not self._child.running:
            raise LabBroke(f"{self._log.stem} ended by itself:\n{self.said}")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether there is a process, even one that is just starting."""
        return self._child is not None and self._child.running and not self._killed

    @property
    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-3000:] if self._log.exists() else ""

    def kill(self) -> None:
        """Send it SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)
        self._killed = True

    async def start(self) -> None:
        """Start it. It dies with this process."""
        self._killed = False
        self._child = await Child.spawn(self._argv, stderr=self._log)

    async def bury(self) -> None:
        """Kill it, if that has not been done, and wait until it is gone."""
        if self._child is not None:
            await self._child.kill()
            self._child = None


class Cloud:
    """`watchroom up` on a broker that is not its own."""

    def __init__(self, folder: Path, *, broker_port: int, directory: Path, source: Path = ROOT) -> None:
        """Nothing starts yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.ledger = folder / "data" / "ledger.db"
        data = ["up", "--data", str(folder / "data"), "--directory", str(directory)]
        address = ["--port", str(self.port), "--broker", f"mqtt://127.0.0.1:{broker_port}"]
        self.program = Program("cloud.cli", [*data, *address], folder=folder, source=source)

    async def start(self) -> None:
        """Start it, and return once it says that it hears devices."""
        await self.program.start()
        await until(lambda: self.program.pid and "Ctrl-C" in self.program.said, what="the cloud to be ready")

    async def bury(self) -> None:
        """Kill it, if that has not been done, and wait until it is gone."""
        await self.program.bury()


class Broker:
    """A broker on a port that stays, NATS or Mosquitto, another one at each start if one likes."""

    def __init__(self, folder: Path) -> None:
        """Nothing starts yet."""
        self._folder = folder
        self.port = free_port()
        self.kind = ""
        self._running: EmbeddedBroker | None = None

    @property
    def pid(self) -> int:
        """Its process number. Raises `LabBroke` where it ended by itself."""
        if self._running is None or self._running.pid is None:
            raise LabBroke("the broker ended by itself")
        return self._running.pid

    def kill(self) -> None:
        """Send it SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)

    async def start(self, kind: str = "nats") -> None:
        """Start one, and return once it answers."""
        self.kind = kind
        self._running = EmbeddedBroker(_program(kind), store=self._folder / kind, clock=_broker_clock, port=self.port)
        await self._running.start()

    async def bury(self) -> None:
        """Kill it, if that has not been done, and wait until it is gone."""
        if self._running is not None:
            await self._running.kill()
            self._running = None


class Device:
    """A device: its agent's process, its link, its panel and every push that was made on it."""

    def __init__(self, folder: Path, place: int, *, source: Path = ROOT) -> None:
        """`place` is its place in the directory. Nothing starts yet."""
        self.name, self.unit = device_name(place), unit_of(place)
        self.folder = folder / self.name
        self.outbox = self.folder / "state" / "outbox.db"
        self.link = HeldLink()
        self.taps: list[Tap] = []
        self.lamps: dict[str, str] = {}
        self._panel = self.folder / "state" / "p"
        self._watching: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = ["run", "--config", str(self.folder / "device.toml")]
        self.program = Program("edge_agent.cli", arguments, folder=self.folder, source=source)

    @property
    def set_aside(self) -> int:
        """How many outboxes it has given up for a new one."""
        return sum(1 for found in self.outbox.parent.glob("outbox*.db") if found != self.outbox)

    async def open(self, broker_port: int) -> None:
        """Open its link to the broker, and write its configuration."""
        await self.link.open(broker_port)
        lines = [
            f'[device]\nid = "{self.name}"\norganisation = "kfrs"\nenrolment = "E-{self.name}"\nstate_dir = "state"',
            f'[link]\nbroker = "mqtt://127.0.0.1:{self.link.port}"\nheartbeat_s = 1.0\nsettle_timeout_s = 0.5',
            f'[[unit]]\nid = "{self.unit}"\nscheme = "uk-fire-gd92"',
            f'[panel]\nbackend = "scripted"\npath = "{self._panel}"\n[panel.buttons]',
            *(f'b{code} = "{code}"' for code in CODES),
        ]
        (self.folder / "device.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    async def start(self) -> None:
        """Start its agent, and return once its panel takes presses."""
        await self.program.start()
        await self.find_panel()

    async def find_panel(self) -> None:
        """Connect to the panel of an agent that is starting."""
        deadline_s = clock.monotonic() + START_S
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(str(self._panel))
                break
            except OSError:
                if clock.monotonic() > deadline_s or not self.program.pid:
                    raise LabBroke(f"no panel at {self.name} within {START_S:.0f} s:\n{self.program.said}") from None
            await clock.sleep(POLL_S)
        self._watching = asyncio.create_task(self._watch(reader))
        await until(lambda: self.lamps, what="the lamps of a panel")

    async def bury(self) -> None:
        """Kill its agent, if that has not been done; what its panel still said is taken in."""
        await self.program.bury()
        if self._watching is not None:
            await self._watching
            self._watching = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.lamps = {}

    async def settle(self) -> None:
        """Wait until its outbox holds no status."""
        await until(
            lambda: self.program.pid and not held(self.outbox),
            what=lambda: f"{self.name} to be settled; it holds {held(self.outbox)}\n{self.program.said}",
            deadline_s=HEAL_S,
        )

    def push(self, chance: random.Random) -> Tap:
        """Push a button that has not been pushed for a while, and let it go."""
        recent = {tap.code for tap in self.taps[-FRESH_BUTTONS:]}
        standing = next((tap.code for tap in reversed(self.taps) if tap.lamp_s and tap.code not in CODES[-2:]), "")
        free = [c for c in CODES if c not in recent | {standing} and self.lamps.get(f"b{c}") == "dark"]
        tap = Tap(self.unit, chance.choice(free), self.link.carried_up)
        self.taps.append(tap)
        assert self._writer is not None
        for down in (True, False):
            self._writer.write(json.dumps({"button": f"b{tap.code}", "down": down}).encode() + b"\n")
        return tap

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        """Take in what the lamps say until the agent is gone."""
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                self.lamps = json.loads(line)["lamps"]
                for tap in self.taps[-FRESH_BUTTONS:]:
                    if self.lamps.get(f"b{tap.code}") in LIT:
                        tap.light()


class Lab:
    """A broker, a cloud and devices, all running."""

    def __init__(self, folder: Path, devices: int, *, source: Path = ROOT) -> None:
        """Nothing starts yet."""
        self.broker = Broker(folder / "broker")
        directory = write_directory(folder / "directory", [device_name(place) for place in range(devices)])
        self.cloud = Cloud(folder / "cloud", broker_port=self.broker.port, directory=directory, source=source)
        self.devices = [Device(folder, place, source=source) for place in range(devices)]

    @property
    def presses(self) -> list[Press]:
        """Every push so far."""
        return [tap.press for device in self.devices for tap in device.taps]

    async def settle(self) -> None:
        """Wait until no outbox holds a status. Raises `LabBroke` with the story where one goes on holding some."""
        for device in self.devices:
            await device.settle()


@contextlib.asynccontextmanager
async def running_lab(folder: Path, devices: int, *, source: Path = ROOT) -> AsyncIterator[Lab]:
    """A lab that runs, and is gone with the block."""
    lab = Lab(folder, devices, source=source)
    try:
        await lab.broker.start()
        for device in lab.devices:
            await device.open(lab.broker.port)
        await asyncio.gather(lab.cloud.start(), *(device.start() for device in lab.devices))
        yield lab
    finally:
        for device in lab.devices:
            await device.bury()
            await device.link.close()
        await lab.cloud.bury()
        await lab.broker.bury()


def device_name(place: int) -> str:
    """The device at that place of the directory."""
    return f"veh-{place + 1:04}"


def held(outbox: Path) -> list[tuple[str, str, int]]:
    """Unit, code and monotonic milliseconds of each status in an outbox's file, the file of a dead agent too."""
    if not outbox.exists():
        return []
    rows = _rows(outbox, "SELECT event FROM status ORDER BY seq")
    return [(event["unit"], event["code"], event["mono_ms"]) for event in map(json.loads, rows)]


def stored(ledger: Path, unit: str, since_id: int = 0) -> list[tuple[str, str, int]]:
    """The same of a unit's statuses in the ledger's file with an id above `since_id`."""
    rows = _rows(ledger, f"SELECT body FROM event WHERE id > {since_id} AND unit = '{unit}' AND kind = 'status'")
    return [(event["unit"], event["code"], event["mono_ms"]) for event in map(json.loads, rows)]


def count_rows(ledger: Path, table: Literal["gap", "refused"]) -> int:
    """How many rows the ledger has of what should not be."""
    return int(_rows(ledger, f"SELECT count(*) FROM {table}")[0])


def newest_id(ledger: Path) -> int:
    """The newest row of the ledger."""
    return int(_rows(ledger, "SELECT coalesce(max(id), 0) FROM event")[0])


def has(rows: Sequence[tuple[str, str, int]], tap: Tap) -> bool:
    """Whether a press is among rows that were read while it was the newest of its button."""
    return any(
        (unit, code) == (tap.unit, tap.code) and mono_ms >= tap.down_s * 1000 - 2 for unit, code, mono_ms in rows
    )


def freeze(pid: int) -> None:
    """Stop a process and wait until it stands still, so that its files do not change while they are read."""
    os.kill(pid, signal.SIGSTOP)
    until_s = clock.monotonic() + STOPPED_S
    while clock.monotonic() < until_s:
        if Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] in "TZ":
            return


def thaw(pid: int) -> None:
    """Let a stopped process go on, unless it was killed meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


async def until(true: Callable[[], object], *, what: str | Callable[[], str], deadline_s: float = START_S) -> None:
    """Wait for a condition. Raises `LabBroke` naming `what` where it does not come."""
    end_s = clock.monotonic() + deadline_s
    while not true():
        if clock.monotonic() > end_s:
            raise LabBroke(f"waited {deadline_s:.0f} s for {what if isinstance(what, str) else what()}")
        await clock.sleep(POLL_S)


def _rows(path: Path, query: str) -> list[str]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)) as db:
        return [row for (row,) in db.execute(query)]


def _program(kind: str) -> BrokerProgram:
    if kind == "nats":
        return NatsProgram(find_nats_server())
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        raise LabBroke("mosquitto is not installed: run `make setup-test`")
    return MosquittoProgram(Path(found))
