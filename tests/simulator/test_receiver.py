"""The simulated gpsd: held against the real one, heard by the agent's real source, and broken on purpose."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import astuple
from datetime import UTC, datetime, timedelta

import pytest

from edge_agent.clock import SystemClock
from edge_agent.decode.readings import Fix as Heard
from edge_agent.decode.readings import Reading, SourceFault
from edge_agent.sources.gpsd import GpsdSource
from simulator.receiver import UNREAD_BYTES_MAX, Receiver
from simulator.vehicle import Fix
from tests.edge_agent.sources.panel_lab import HandClock
from tests.gpsd_lab import ShiftedClock, gpsd_lab, running
from tests.simulator.gpsd_client import WATCH, GpsdClient, Report, drive_with_satellites, lost, talking
from tests.waiting import eventually

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SILENT_AFTER_S = 1.0
CYCLE_S = 0.02
SETTLED = 10
"""Epochs after which gpsd has estimated every error."""
TICKS_MAX = 20_000
"""20 MB: far more than the kernel keeps for a client that does not read."""
FIX = Fix(lat=51.27, lon=0.52, speed_mps=12.5, heading_deg=91.0)

Script = Callable[[Receiver, GpsdClient], Awaitable[None]]


def see(_now: datetime) -> Fix:
    """A vehicle that is always at the same place."""
    return FIX


def with_client(script: Script) -> None:
    """Run `script` with a started receiver and a client that has been greeted."""

    async def main() -> None:
        async with Receiver(see, clock=HandClock()) as receiver, talking(receiver.port) as client:
            assert (await client.next())["class"] == "VERSION"
            await script(receiver, client)

    asyncio.run(main())


async def watch(client: GpsdClient) -> None:
    """Ask for reports, and wait for the answer."""
    client.ask(WATCH)
    assert [(await client.next())["class"], (await client.next())["class"]] == ["DEVICES", "WATCH"]


def shape(value: object) -> object:
    """The structure of a report: keys in their order and types, with any number of like list members as one."""
    if isinstance(value, dict):
        return [(key, shape(each)) for key, each in value.items()]
    if isinstance(value, list):
        return [each for n, each in enumerate(map(shape, value)) if each not in list(map(shape, value))[:n]]
    return type(value).__name__


def settled(tpv: Report, *, no_fix: bool) -> bool:
    """Whether a report has what it is to have: no fix, or one whose errors gpsd has estimated."""
    return tpv["mode"] == 1 if no_fix else "eps" in tpv


async def real_reports(*, no_fix: bool) -> list[Report]:
    """VERSION, DEVICES, WATCH, TPV and SKY of Debian's gpsd, once it has settled: with a fix, or after losing one."""
    sentences = drive_with_satellites(START, count=SETTLED)
    later = START + timedelta(seconds=SETTLED)
    sentences += lost(later, count=300) if no_fix else drive_with_satellites(later, count=300)
    async with gpsd_lab() as lab:
        await lab.opened()
        async with running(lab.feed(sentences, cycle_s=CYCLE_S)), talking(lab.port) as client:
            greeting = await client.next()
            client.ask(WATCH)
            watching = [await client.next("WATCH")]
            while not settled(tpv := await client.next("TPV"), no_fix=no_fix):
                pass
            while ((sky := await client.next("SKY"))["uSat"] == 0) != no_fix:
                pass
            client.ask("?DEVICES;")
            return [greeting, await client.next("DEVICES"), *watching, tpv, sky]


async def simulated_reports(*, no_fix: bool) -> list[Report]:
    """The same of the simulated one."""
    async with Receiver(see, clock=HandClock()) as receiver, talking(receiver.port) as client:
        receiver.faults.no_fix = no_fix
        greeting = await client.next()
        client.ask(WATCH)
        answer = [await client.next("DEVICES"), await client.next("WATCH")]
        receiver.tick()
        return [greeting, *answer, await client.next("TPV"), await client.next("SKY")]


@pytest.mark.parametrize("no_fix", (False, True))
def test_it_has_the_structure_of_the_real_one(require_program: Callable[[str], object], no_fix: bool) -> None:
    """Keys, their order and types in VERSION, DEVICES, WATCH, TPV and SKY are gpsd 3.22's, with a fix and without."""
    require_program("gpsd")
    real = asyncio.run(real_reports(no_fix=no_fix))
    simulated = asyncio.run(simulated_reports(no_fix=no_fix))
    assert [shape(report) for report in real] == [shape(report) for report in simulated]
    assert real[0] == simulated[0] and real[2] == simulated[2]
    assert real[3]["mode"] == simulated[3]["mode"] == (1 if no_fix else 3)
    assert (real[4]["uSat"] == 0) == (simulated[4]["uSat"] == 0) == no_fix


REQUESTS = ("?VERSION;", "?WATCH;", '?WATCH={"enable":true};', '?WATCH={"enable":false};', "?FOO;", "hello;?VERSION;")


def test_it_answers_as_the_real_one(require_program: Callable[[str], object]) -> None:
    """To each request it gives the classes of answer that gpsd gives, and the same WATCH."""
    require_program("gpsd")

    async def answers(client: GpsdClient) -> list[object]:
        await client.next()
        found: list[object] = []
        for request in REQUESTS:
            client.ask(request)
            await SystemClock().sleep(0.2)  # gpsd 3.22 drops a request that comes in the same read as another
            client.ask("?DEVICES;")
            while (report := await client.next())["class"] != "DEVICES" or "WATCH" in request:
                found.append((request, report if report["class"] == "WATCH" else report["class"]))
                if report["class"] == "WATCH":
                    await client.next("DEVICES")
                    break
        return found

    async def real() -> list[object]:
        async with gpsd_lab() as lab, talking(lab.port) as client:
            return await answers(client)

    found: list[object] = []

    async def simulated(_receiver: Receiver, client: GpsdClient) -> None:
        client.ask("?VERSION;")  # `answers` takes the greeting, which is taken already.
        found.extend(await answers(client))

    with_client(simulated)
    assert asyncio.run(real()) == found


def test_only_those_who_watch_get_reports() -> None:
    """Without a watch nothing comes; with it each tick brings one TPV and one SKY; without it again, nothing."""

    async def script(receiver: Receiver, client: GpsdClient) -> None:
        receiver.tick()
        await watch(client)
        assert receiver.watchers == 1
        receiver.tick()
        assert [(await client.next())["class"] for _ in range(2)] == ["TPV", "SKY"]
        client.ask('?WATCH={"enable":false};')
        assert (await client.next("WATCH"))["enable"] is False
        receiver.tick()
        client.ask("?VERSION;")
        assert (await client.next())["class"] == "VERSION"

    with_client(script)


def test_a_request_may_come_in_pieces() -> None:
    """A request cut anywhere is one request, and rubbish is answered and survived."""

    async def script(_receiver: Receiver, client: GpsdClient) -> None:
        for byte in b'?WATCH={"enable":true,"json":true};\r\n':
            client.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.next("WATCH"))["json"] is True
        client.ask("?WATCH=[1;")
        assert (await client.next())["class"] == "ERROR"
        client.ask("?WATCH=[];")
        assert (await client.next())["class"] == "ERROR"
        client.write(b"?\xff\xfe;")
        assert (await client.next("ERROR"))["class"] == "ERROR"

    with_client(script)


def test_a_request_without_end_cuts_the_connection() -> None:
    """Memory for one client is bounded: an endless request ends its connection."""

    async def script(receiver: Receiver, client: GpsdClient) -> None:
        client.write(b"?" * 10_000)
        with pytest.raises((EOFError, ConnectionError)):
            await client.next()
        await eventually(lambda: not receiver._clients, what="the client is forgotten")

    with_client(script)


def test_a_client_that_does_not_read_is_dropped() -> None:
    """What waits for a client is bounded, and the others are served on."""

    async def script(receiver: Receiver, client: GpsdClient) -> None:
        await watch(client)
        async with talking(receiver.port) as deaf:
            deaf.ask(WATCH)
            await eventually(lambda: receiver.watchers == 2, what="both watch")
            ticks = 0
            while receiver.watchers == 2 and ticks < TICKS_MAX:
                receiver.tick()
                ticks += 1
                await client.next("TPV")
            assert receiver.watchers == 1
            assert ticks * 500 > UNREAD_BYTES_MAX
            receiver.tick()
            await client.next("TPV")

    with_client(script)


def test_several_reports_of_one_epoch_have_one_time() -> None:
    """With three reports an epoch, all have its time and place, and only the last has speed and track."""

    async def script(receiver: Receiver, client: GpsdClient) -> None:
        await watch(client)
        receiver.faults.reports_per_epoch = 3
        receiver.tick()
        reports = [await client.next() for _ in range(4)]
        assert [report["class"] for report in reports] == ["TPV", "TPV", "TPV", "SKY"]
        assert len({(tpv["time"], tpv["lat"], tpv["lon"]) for tpv in reports[:3]}) == 1
        assert [("speed" in tpv, "track" in tpv) for tpv in reports[:3]] == [(False, False)] * 2 + [(True, True)]

    with_client(script)


def test_after_a_replug_a_watch_must_be_asked_again() -> None:
    """As with gpsd 3.22, a watch that is open while the receiver is replugged stays silent until asked again."""

    async def script(receiver: Receiver, client: GpsdClient) -> None:
        await watch(client)
        receiver.unplug()
        receiver.tick()
        await watch(client)
        receiver.tick()
        assert (await client.next())["class"] == "TPV"

    with_client(script)


def test_it_observes_whether_or_not_anybody_hears() -> None:
    """A vehicle moves by its receiver's ticks: each tick observes once, also unwatched, silent or without a fix."""
    seen: list[datetime] = []

    def note(now: datetime) -> Fix:
        seen.append(now)
        return FIX

    async def main() -> None:
        receiver = Receiver(note, clock=HandClock())
        receiver.tick()
        async with receiver, talking(receiver.port) as client:
            await watch_greeted(client)
            for receiver.faults.silent, receiver.faults.no_fix in ((True, False), (False, True), (False, False)):
                receiver.tick()
        assert len(seen) == 4

    asyncio.run(main())


def test_it_reports_once_a_second_of_its_clock() -> None:
    """Running, it reports at once and then with each second of the injected clock, with that clock's time."""

    async def main() -> None:
        clock = HandClock()
        async with Receiver(see, clock=clock) as receiver, talking(receiver.port) as client:
            await watch_greeted(client)
            async with running(receiver.run()):
                seen = [(await client.next("TPV"))["time"]]
                for _ in range(3):
                    await clock.wake_next()
                    seen.append((await client.next("TPV"))["time"])
        assert seen == [f"2026-11-22T00:00:0{second}.000Z" for second in range(4)]

    asyncio.run(main())


async def watch_greeted(client: GpsdClient) -> None:
    """Take the greeting, then watch."""
    await client.next("VERSION")
    await watch(client)


class Ears:
    """The agent's real source, and what it emitted."""

    def __init__(self) -> None:
        """Nothing heard yet."""
        self.readings: list[Reading] = []

    def last_fix(self) -> Heard | None:
        """The newest fix."""
        return next((reading for reading in reversed(self.readings) if isinstance(reading, Heard)), None)

    def positioned(self) -> bool:
        """Whether the newest fix has a position."""
        fix = self.last_fix()
        return fix is not None and fix.mode == "3d"

    def faults(self) -> list[bool]:
        """Each fault as True, each healing as False."""
        return [bool(reading.text) for reading in self.readings if isinstance(reading, SourceFault)]


Broken = Callable[[Receiver, Ears], Awaitable[None]]


def with_agent(script: Broken) -> None:
    """Run `script` beside the agent's source, which hears a receiver at 20 Hz once it has its first fix."""

    async def main() -> None:
        clock = ShiftedClock(START)
        ears = Ears()

        async def tick_often(receiver: Receiver) -> None:
            while True:
                receiver.tick()
                await SystemClock().sleep(0.05)

        async with Receiver(see, clock=clock) as receiver:
            source = GpsdSource(
                "127.0.0.1", receiver.port, clock=clock, silent_after_s=SILENT_AFTER_S, jitter=lambda: 0.0
            )
            async with running(tick_often(receiver)), running(source.run(ears.readings.append)):
                await eventually(ears.positioned, what="the first fix")
                await script(receiver, ears)
            assert not source.rejected

    asyncio.run(main())


def test_the_agent_believes_every_field() -> None:
    """The agent's real source hears the place, speed, heading, altitude, accuracy, satellites and time as simulated."""

    async def script(receiver: Receiver, ears: Ears) -> None:
        receiver.faults.reports_per_epoch = 2
        count = len(ears.readings)
        await eventually(lambda: len(ears.readings) > count + 3, what="more fixes")
        fix = ears.last_fix()
        assert fix is not None
        heard = (fix.lat, fix.lon, fix.speed_mps, fix.heading_deg, fix.altitude_m, fix.accuracy_m)
        assert heard == pytest.approx(astuple(FIX))
        assert fix.satellites is not None and fix.satellites >= 4
        assert fix.gnss_time is not None and abs((fix.gnss_time - START).total_seconds()) < 60.0

    with_agent(script)


def test_the_agent_sees_a_lost_fix_and_its_return() -> None:
    """A receiver without a fix is a fix of mode `none` and no fault; it comes back as a position."""

    async def script(receiver: Receiver, ears: Ears) -> None:
        receiver.faults.no_fix = True
        await eventually(lambda: not ears.positioned(), what="mode none")
        receiver.faults.no_fix = False
        await eventually(ears.positioned, what="the fix again")
        assert ears.faults() == []

    with_agent(script)


def test_the_agent_sees_silence_and_its_end() -> None:
    """A silent receiver is one fault, and one healing when it talks again."""

    async def script(receiver: Receiver, ears: Ears) -> None:
        receiver.faults.silent = True
        await eventually(lambda: ears.faults() == [True], what="a fault")
        receiver.faults.silent = False
        await eventually(lambda: ears.faults() == [True, False] and ears.positioned(), what="healing")

    with_agent(script)


def test_the_agent_comes_back_after_a_restart() -> None:
    """A gpsd that was stopped is back on the same port, and the agent finds it by itself."""

    async def script(receiver: Receiver, ears: Ears) -> None:
        port = receiver.port
        await receiver.stop()
        await eventually(lambda: ears.faults() == [True], what="a fault")
        await receiver.start()
        assert receiver.port == port
        await eventually(lambda: ears.faults() == [True, False] and ears.positioned(), what="healing")

    with_agent(script)


def test_the_agent_comes_back_after_a_replug() -> None:
    """After a replug the agent gets positions again."""

    async def script(receiver: Receiver, ears: Ears) -> None:
        receiver.unplug()
        assert receiver.watchers == 0
        await eventually(lambda: receiver.watchers == 1 and ears.positioned(), what="a new watch")

    with_agent(script)
