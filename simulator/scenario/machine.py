"""A device: a disk, a panel with a crew's finger, a receiver, two clocks, and the real agent as its process."""

import asyncio
import contextlib
import resource
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from edge_agent.agent import Agent
from edge_agent.around import Lines, Serve, Surroundings, serve_page
from edge_agent.config import Config
from edge_agent.decode.readings import Fix, Press, Reading
from edge_agent.state.lamps import UNSEEN, Lamp
from simulator.scenario.clock import MachineClock, elapse
from simulator.scenario.network import Way
from simulator.scenario.stage import Stage
from simulator.scenario.virtual import Process, VirtualLoop

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""The true wall time at virtual second 0."""
FIX_EVERY_S = 10.0
FIX_STEP_DEG = 0.002
"""A vehicle moves 220 m between fixes: further than what counts as the same place, so a place tells its moment."""
FIX_ORIGIN_DEG = 50.0
TOLD_WITHIN_S = 60.0
"""How long it may take until the cloud has found out that a card is not the one it knows."""
LOOKS_S = 3.0
"""How long a crew watches a lamp before it pushes the same button again."""


class Pushed(msgspec.Struct, kw_only=True):
    """A push of a button that a crew made, and what its lamp said."""

    machine: str
    boot_mark: int
    """Which life of the machine it belongs to."""
    button: str
    unit: str
    code: str
    at_s: float
    mono_s: float
    lamp_s: float | None = None
    """When the lamp confirmed it, on the machine's monotonic clock."""
    confirmed_at_s: float | None = None
    """The same in virtual time."""


class Panel:
    """The panel: buttons with a finger on them, lamps with eyes on them."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """All dark."""
        self._now_s = now_s
        self.lamps: Mapping[str, Lamp] = {}
        self.notice = ""
        self.emit: Callable[[Reading], None] | None = None
        self.on_show: Callable[[], None] = lambda: None

    async def run(self, emit: Callable[[Reading], None]) -> None:
        """Hand presses on until cancelled."""
        self.emit = emit
        await asyncio.Event().wait()

    def show(self, lamps: Mapping[str, Lamp], notice: str) -> None:
        """Light the lamps."""
        if lamps != self.lamps or notice != self.notice:
            self.lamps, self.notice = dict(lamps), notice
            self.on_show()


class Receiver:
    """A receiver whose every fix is another place, so that a place tells when it was true."""

    def __init__(self, loop: VirtualLoop) -> None:
        """Silent until it runs."""
        self._loop = loop

    async def run(self, emit: Callable[[Reading], None]) -> None:
        """Emit a fix now and then."""
        while True:
            await elapse(FIX_EVERY_S)
            now_s = self._loop.time()
            lat = FIX_ORIGIN_DEG + round(now_s / FIX_EVERY_S) % 10_000 * FIX_STEP_DEG
            gnss_time = START + timedelta(seconds=now_s)
            emit(Fix(mode="3d", lat=lat, lon=0.5, speed_mps=20.0, heading_deg=0.0, gnss_time=gnss_time))


class Medium:
    """The machine's card: a folder for each life of its process, so that a dead one can spoil nothing."""

    def __init__(self, root: Path, config: Config) -> None:
        """Begin with an empty card."""
        self._root = root
        self._config = config
        self._lives = 0
        self.folder = root / "0"
        self.folder.mkdir(parents=True)
        self.full = False

    @property
    def config(self) -> Config:
        """The device's configuration on this card."""
        device = msgspec.structs.replace(self._config.device, state_dir=str(self.folder))
        return msgspec.structs.replace(self._config, device=device)

    def leave(self) -> None:
        """Go on in a copy, as of now; what still writes to the old folder is dead."""
        self.replace_by(self.folder)

    def replace_by(self, folder: Path | None) -> None:
        """Go on with a copy of a card; None for an empty one."""
        self._lives += 1
        fresh = self._root / str(self._lives)
        fresh.mkdir()
        if folder is not None:
            copy_card(folder, fresh)
        self.folder = fresh

    def snapshot(self, name: str) -> Path:
        """Keep a copy of the card."""
        kept = self._root / name
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        copy_card(self.folder, kept)
        return kept

    def write(self, job: Callable[[], Any]) -> Any:
        """Run a job on the disk, which takes nothing while it is full."""
        if not self.full:
            return job()
        with no_room():
            return job()


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """Let no file be written: what a disk says that takes nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def copy_card(old: Path, new: Path) -> None:
    """Copy what a card holds but for the lock, the reserve and what SQLite makes anew."""
    for path in old.iterdir():
        if path.suffix in (".db", ".ready", ".new") or path.name.endswith("-wal"):
            shutil.copyfile(path, new / path.name)


class Machine:
    """One device. It is started, killed, and pressed by the scenario."""

    def __init__(self, name: str, config: Config, stage: Stage, chance: Random) -> None:
        """Put it there, switched off."""
        self.name = name
        self.loop, self.story = stage.loop, stage.story
        self.chance = chance
        self.device = config.device.id
        self.buttons = config.buttons
        self.medium = Medium(stage.root / name, config)
        self.way = Way(stage.broker, self.loop, self.chance, name)
        self.panel = Panel(self.loop.time)
        self.pushed: list[Pushed] = []
        self.life = 0
        self.has_receiver = True
        self.lines: Lines | None = None
        self.serve: Serve = serve_page
        self.synchronised = True
        self.drift = 0.0
        self.wrong_s = 0.0
        self.retired = False
        """Switched off for good."""
        self.spoilt = False
        """Its card was put back, cloned or swapped, and its crew has not pressed since it is in contact again."""
        self._spoilt_s = 0.0
        self.forked = False
        """Its card was copied or put back: two lines of one stream, with other events under the same sequences."""
        self.process: Process | None = None
        self.clock = self._boot_clock()
        self.on_disk: Callable[[Machine], None] = lambda machine: None
        self.on_confirmed: Callable[[Machine, Pushed], None] = lambda machine, pushed: None
        self.on_look: Callable[[Machine], None] = lambda machine: None
        self.on_died: Callable[[Machine, BaseException | None], None] = lambda machine, error: None

    @property
    def running(self) -> bool:
        """Whether its agent runs."""
        return self.process is not None and self.process.alive

    def start(self, *, reboot: bool) -> None:
        """Start its agent; after a reboot its monotonic clock begins anew."""
        if self.retired or self.running:
            return
        if reboot:
            self.clock = self._boot_clock()
        self.life += 1
        self.panel = Panel(self.loop.time)
        self.panel.on_show = self._look
        process = Process(self.name, self.loop, self.chance, self.story)
        process.around_job = self.medium.write
        process.after_job = lambda: self.on_disk(self)
        process.on_end = lambda error: self.on_died(self, error)
        self.process = process
        self.story.tell(self.name, "starts", reboot=reboot)
        process.start(self._run_agent)

    def kill(self, *, soon: bool = True) -> None:
        """Kill its agent (`soon`: the broker notices at once), or cut its power."""
        if self.process is None or not self.process.alive:
            return
        self.story.tell(self.name, "is killed" if soon else "loses power")
        self.panel.on_show = lambda: None
        self.medium.leave()
        self.way.lose(soon=soon)
        self.process.kill()
        self.on_disk(self)

    def spoil(self) -> None:
        """Note that its card is not what the cloud knows."""
        self.spoilt = True
        self._spoilt_s = self.loop.time()

    def push(self, button: str) -> Pushed | None:
        """Push a button whose lamp is dark; None where there is nobody to push it or it is lit."""
        if not self.running or self.panel.emit is None or self.panel.lamps.get(button, "dark") != "dark":
            return None
        waits_until_s = self.loop.time() - LOOKS_S
        if any(one.button == button and one.lamp_s is None and one.at_s > waits_until_s for one in self.pushed[-3:]):
            return None
        meaning = self.buttons[button]
        pushed = Pushed(
            machine=self.name,
            boot_mark=self.life,
            button=button,
            unit=meaning.unit,
            code=meaning.code,
            at_s=self.loop.time(),
            mono_s=self.clock.monotonic(),
        )
        self.pushed.append(pushed)
        recently = self.loop.time() - self._spoilt_s < TOLD_WITHIN_S
        self.spoilt = self.spoilt and (recently or self.panel.notice == UNSEEN)
        self.story.tell(self.name, "press", button=button)
        self.panel.emit(Press(button, True))
        self.loop.call_later(0.1, self.panel.emit, Press(button, False))
        return pushed

    def _look(self) -> None:
        """See what the lamps say to the newest press."""
        lit = {name: lamp for name, lamp in self.panel.lamps.items() if lamp != "dark"}
        self.story.tell(self.name, "lamps", **lit, notice=self.panel.notice or "-")
        newest = self.pushed[-1] if self.pushed else None
        unseen = newest is not None and newest.lamp_s is None and newest.boot_mark == self.life
        if newest is not None and unseen and self.panel.lamps.get(newest.button) == "slow":  # steady alone is control's
            newest.lamp_s, newest.confirmed_at_s = self.clock.monotonic(), self.loop.time()
            self.on_confirmed(self, newest)
        self.on_look(self)

    async def _run_agent(self) -> None:
        agent: Agent = self.medium.write(self._make_agent)
        self.on_disk(self)
        await agent.run()

    def _make_agent(self) -> Agent:
        around = Surroundings(
            receiver=Receiver(self.loop) if self.has_receiver else None,
            panel=self.panel,
            lines=self.lines,
            serve=self.serve,
            connect=self.way.connect,
            synchronised=lambda: self.synchronised,
        )
        return Agent(self.medium.config, clock=self.clock, jitter=self.chance.random, around=around)

    def _boot_clock(self) -> MachineClock:
        booted_s = self.chance.randrange(10_000_000) / 1.0
        clock = MachineClock(self.loop, START, booted_mono_s=booted_s, drift=self.drift)
        clock.wrong_s = self.wrong_s
        return clock
