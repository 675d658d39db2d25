"""A station without the WAN, in real time: it goes on, and afterwards the ledger equals what it did.

A real broker, the real application and the station's real agent on a plant over Modbus TCP. The way to the broker goes
dead for a minute: nothing is refused, nothing is answered. Meanwhile people press, log on, turn out by hand, push the
acknowledge button and test, over the panel's own HTTP and the socket on the wall. `python -m tests.chaos.proof --only
islands` runs this lab alone.

The verdict is the one of the other labs, with deeds for presses; whatever does not hold counts as `lost`, and is said.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec

from edge_agent.clock import SystemClock
from edge_agent.config import Config, load
from edge_agent.panel.port import (
    AcknowledgeForm,
    Answer,
    CrewForm,
    DefectForm,
    PanelPage,
    PressForm,
    SwapForm,
    TurnOutForm,
    ZoneTestForm,
)
from simulator.plant import Plant
from simulator.scenario.island_audit import EARLY_S, Audit, read_ledger
from simulator.scenario.station import make_station, write_directory
from simulator.scenario.station_crew import Habits, Reach, StationCrew, steps_of
from simulator.stations import EXIT_HOLD_S, LAYOUT_FILE, RESET_AFTER_S, SOUND_S, StationSettings, wire_plant
from simulator.stations import write_station as write_files
from tests.brokers import KINDS, Kind, RunningBroker
from tests.chaos.link import HeldLink
from tests.chaos.verdict import Figures, Verdict, combine
from tests.ports import free_port
from tests.site import FeedClient, Presser, following, pressing, running_agent, running_site
from tests.waiting import eventually

CUT_S = 60.0
POLL_S = 0.25
BUSY_S = 1.0
"""What two busy cores may take from a poll: everything here is one process."""
CALL_S = 4
HURRIED = Habits(to_button_s=(0.3, 1.0), away_s=1.5, over_s=CALL_S + 2.0, test_s=7.0, mains_s=6.5, pause_s=0.5)
CONTROL_S = 10.0
"""After twice the heartbeat and 5 s the page says that control does not see it."""
TRAVEL_S = 0.3
READY_S = 30.0
DRAINED_S = 60.0
"""A link is tried again at most every 15 s."""

clock = SystemClock()


class WatchedPlant(Plant):
    """A plant that notes how long each of its modules was not read."""

    def __init__(self, *, clock: SystemClock) -> None:
        """Nobody reads yet."""
        self._read_s: dict[str, float] = {}
        self.reads = 0
        self.longest_gap_s = 0.0
        super().__init__(wire_plant(make_station(), door_travel_s=TRAVEL_S), clock=clock)

    def read(self, point: str) -> int:
        """What a point is now. The first coil of a module is in every poll of it, and in nothing else."""
        if point.endswith(".do0"):
            now_s = clock.monotonic()
            self.longest_gap_s = max(self.longest_gap_s, now_s - self._read_s.get(point, now_s))
            self._read_s[point] = now_s
            self.reads += 1
        return super().read(point)


class ServedPage:
    """The touch page as a browser has it (`edge_agent.panel.port.PanelPort`)."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Nothing was shown yet."""
        self._client = client
        self._shown: PanelPage | None = None

    @property
    def is_shown(self) -> bool:
        """Whether it has come."""
        return self._shown is not None

    async def follow(self) -> None:
        """Take in what is sent, for as long as it is."""
        async with self._client.stream("GET", "/events") as response:
            kind = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind == "page":
                    self._shown = msgspec.json.decode(value, type=PanelPage)

    def view(self) -> PanelPage:
        """What is shown."""
        assert self._shown is not None
        return self._shown

    async def changed(self, seen: int) -> None:
        """Return once something else is shown."""
        await eventually(lambda: self.view().version != seen, what="another page")

    async def press(self, form: PressForm) -> Answer:
        """Declare a status."""
        return await self._post("/press", form)

    async def crew(self, form: CrewForm) -> Answer:
        """Log a crew on or off."""
        return await self._post("/crew", form)

    async def defect(self, form: DefectForm) -> Answer:
        """Raise or clear a defect."""
        return await self._post("/defect", form)

    async def swap(self, form: SwapForm) -> Answer:
        """Ask for another unit, or to end that."""
        return await self._post("/swap", form)

    async def acknowledge(self, form: AcknowledgeForm) -> Answer:
        """Take an order in."""
        return await self._post("/acknowledge", form)

    async def test(self, form: ZoneTestForm) -> Answer:
        """Test a zone."""
        return await self._post("/test", form)

    async def turn_out(self, form: TurnOutForm) -> Answer:
        """Turn units out by hand, and see it on the page."""
        known = {order.order for order in self.view().orders}
        answer = await self._post("/turn-out", form)
        await eventually(lambda: {one.order for one in self.view().orders} - known, what="the turnout on the page")
        return answer

    async def _post(self, path: str, form: msgspec.Struct) -> Answer:
        content = msgspec.json.encode(form)
        answer = await self._client.post(path, content=content, headers={"Content-Type": "application/json"})
        return msgspec.json.decode(answer.content, type=Answer)


class Lab:
    """A station at work, and a way to the broker that can go dead."""

    def __init__(
        self, data: Path, link: HeldLink, plant: WatchedPlant, feed: FeedClient, *, say: Callable[[str], None]
    ) -> None:
        """Nobody has done anything yet."""
        self._say = say
        self.link, self.plant, self.feed = link, plant, feed
        self._data = data
        self._page: ServedPage | None = None
        self._crew: StationCrew | None = None

    def man(self, page: ServedPage, wall: Presser, config: Config, chance: Random) -> None:
        """Let people in."""

        def push(button: str) -> Callable[[], bool] | None:
            if wall.lamps.get(button, "dark") != "dark":
                return None
            pushing = asyncio.ensure_future(wall.press(button))
            return lambda: pushing.done() and wall.lamps.get(button, "dark") != "dark"

        async def ask(request: Coroutine[Any, Any, Answer]) -> Answer:
            return await request

        reach = Reach(page=lambda: page, ask=ask, buttons=config.buttons, push=push, plant=self.plant, clock=clock)
        self._page, self._crew = page, StationCrew(reach, chance, HURRIED)

    async def play(self, cut_s: float) -> Figures:
        """Cut the station off for so long, mend it, and hold the ledger against what was done."""
        assert self._page is not None and self._crew is not None
        page, crew = self._page, self._crew
        await crew.live(1.0)
        begun = len(crew.deeds)
        for way in ("up", "down"):
            self.link.hold(way)
        await crew.live(cut_s)
        alone, alone_s = not page.view().control.seen, cut_s
        await self.link.cut()
        self.link.release()
        await eventually(lambda: page.view().oldest_unsent_s is None, what="a drained outbox", deadline_s=DRAINED_S)
        with contextlib.suppress(AssertionError):
            await eventually(lambda: not self._judge(), what="a ledger and a board that agree")
        found = self._judge()
        if alone_s > CONTROL_S and not alone:
            found.append("control was seen all the time: nothing was cut")
        return self._figures(len(crew.deeds) - begun, found)

    def alarms_told(self) -> int:
        """How many alarms control was told of, raised or not."""
        return sum(event.kind == "alarm" for event in read_ledger(self._data / "ledger.db", clock.now()).events)

    def _judge(self) -> list[str]:
        """What does not hold."""
        assert self._crew is not None
        told = read_ledger(self._data / "ledger.db", clock.now() - timedelta(seconds=clock.monotonic()))
        audit = Audit(told, sorted([*self._crew.deeds, *steps_of(self.plant)], key=lambda deed: deed.at_s))
        audit.check_stream()
        audit.check_deeds()
        audit.check_orders(self._crew.turnouts, self.feed.orders)
        audit.check_board(self.feed.records)
        gap_s = self.plant.longest_gap_s
        paused = [f"a module was not read for {gap_s:.2f} s"] if gap_s > 2 * POLL_S + BUSY_S else []
        return [*paused, *self._crew.troubles, *audit.violations]

    def _figures(self, alone: int, found: list[str]) -> Figures:
        assert self._crew is not None
        deeds = len(self._crew.deeds)
        for one in found:
            self._say(f"does not hold: {one}")
        verdict = Verdict(presses=deeds, confirmed=deeds, lost=len(found), twice=0, out_of_order=0)
        detail = {
            "turnouts by hand": float(len(self._crew.turnouts)),
            "longest_without_a_read_s": round(self.plant.longest_gap_s, 3),
        }
        return Figures(fault="deeds without the WAN", faults=alone, verdict=verdict, detail=detail)


@contextlib.asynccontextmanager
async def standing(folder: Path, broker_port: int, seed: str, say: Callable[[str], None]) -> AsyncIterator[Lab]:
    """A station at work, in contact."""
    station, plant, link = make_station(), WatchedPlant(clock=clock), HeldLink()
    directory = write_directory(station, folder / "directory")
    page_port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        await link.open(broker_port)
        stack.push_async_callback(link.close)
        port = await stack.enter_async_context(plant.serve_tcp())
        app = await stack.enter_async_context(
            running_site(folder / "data", broker_port=broker_port, directory=directory)
        )
        feed = await stack.enter_async_context(following(app))
        settings = StationSettings(
            broker_port=link.port,
            plant_port=port,
            page_port=page_port,
            heartbeat_s=1.0,
            poll_ms=int(POLL_S * 1000),
            door_travel_s=TRAVEL_S,
        )
        config = load(_hurried(write_files(station, folder / "s", settings)), {})
        await stack.enter_async_context(running_agent(config, clock))
        wall = await stack.enter_async_context(pressing(config))
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{page_port}", timeout=READY_S)
        )
        page = ServedPage(client)
        await stack.enter_async_context(_following(page))
        lab = Lab(folder / "data", link, plant, feed, say=say)
        lab.man(page, wall, config, Random(seed))
        await eventually(lambda: page.is_shown and page.view().control.seen, what="contact", deadline_s=READY_S)
        watched = 1 + len(plant.parts.doors)
        await eventually(
            lambda: lab.alarms_told() == watched, what="the first word on the mains and each door", deadline_s=READY_S
        )
        await clock.sleep(2 * EARLY_S)
        yield lab


@contextlib.asynccontextmanager
async def _following(page: ServedPage) -> AsyncIterator[None]:
    task = asyncio.create_task(page.follow())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _hurried(device: Path) -> Path:
    """A call there is over after seconds, so that many fit into a minute."""
    layout = device.parent / LAYOUT_FILE
    text = layout.read_text(encoding="utf-8")
    waits = {"reset_after_s": RESET_AFTER_S, "sound_s": SOUND_S, "hold_s": EXIT_HOLD_S}
    for name, wait_s in waits.items():
        assert f"{name} = {wait_s}\n" in text
        text = text.replace(f"{name} = {wait_s}\n", f"{name} = {CALL_S}\n")
    layout.write_text(text, encoding="utf-8")
    return device


async def cut_off(kind: Kind, cut_s: float, seed: str, say: Callable[[str], None]) -> Figures:
    """One cut, on a broker of its own."""
    with tempfile.TemporaryDirectory(prefix="islands-") as folder:
        broker = await asyncio.to_thread(RunningBroker, kind, Path(folder) / "broker")
        try:
            async with standing(Path(folder), broker.port, seed, say) as lab:
                return await lab.play(cut_s)
        finally:
            await asyncio.to_thread(broker.close)


def prove(count: int, seed: int, say: Callable[[str], None]) -> Figures:
    """Cut a station off for a minute, again and again and on each broker, until `count` deeds were done without it."""
    parts: list[Figures] = []
    while not parts or sum(part.faults for part in parts) < count or len(parts) < len(KINDS):
        kind = KINDS[len(parts) % len(KINDS)]
        say(f"a station without the WAN for {CUT_S:.0f} s, on {kind}")
        parts.append(asyncio.run(cut_off(kind, CUT_S, f"{seed} {len(parts)}", say)))
    return msgspec.structs.replace(
        parts[0],
        faults=sum(part.faults for part in parts),
        verdict=combine(part.verdict for part in parts),
        detail={
            "cuts": float(len(parts)),
            "turnouts by hand": sum(part.detail["turnouts by hand"] for part in parts),
            "longest_without_a_read_s": max(part.detail["longest_without_a_read_s"] for part in parts),
        },
    )
