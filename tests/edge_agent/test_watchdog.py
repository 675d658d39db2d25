"""The watchdog, on a real socket: it is petted while every part answers, and by no other."""

import asyncio
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge_agent.clock import SystemClock
from edge_agent.watchdog import STATUS_CHARS_MAX, Probe, Question, Watchdog, disk_of, silent_parts, through
from tests.edge_agent.link.lab import SkippingClock
from tests.edge_agent.notify_lab import Notified, notified
from tests.edge_agent.outbox.lab import keeper
from tests.gpsd_lab import running
from tests.waiting import eventually

WATCHED_S = 1.5
"""Time enough for two busy cores; a pet is due three times in it."""
PATIENCE_S = 1.0


class Part:
    """Something that answers, until it is stopped."""

    def __init__(self) -> None:
        """It answers at once."""
        self.goes = asyncio.Event()
        self.goes.set()
        self.asked = 0

    async def ask(self) -> None:
        """Answer as soon as it goes."""
        self.asked += 1
        await self.goes.wait()


def watchdog(listener: Notified, **more: str) -> Watchdog:
    """A watchdog that speaks to this listener."""
    return Watchdog(SystemClock(), {**listener.environ, **more}, patience_s=PATIENCE_S)


async def well() -> None:
    """Answer at once."""


@pytest.mark.parametrize("named", [True, False])
def test_it_is_ready_and_petted_while_every_part_answers(named: bool, tmp_path: Path) -> None:
    """At a path and at a name that is no file: ready first, then pets in time from this process, then that it stops."""

    async def scenario() -> None:
        async with notified(WATCHED_S, tmp_path / "notify" if named else None) as listener:
            dog = watchdog(listener, WATCHDOG_PID=str(os.getpid()))
            async with running(dog.run({"fold": well, "disk": well}, lambda: "well,\n in two lines")):
                await listener.petted(4)
                assert listener.said[:3] == ["READY=1", "WATCHDOG=1", "STATUS=well, in two lines"]
                assert not listener.expired
            await listener.hears("STOPPING=1")
            assert listener.senders == {os.getpid()}
            assert sum(line.startswith("STATUS=") for line in listener.said) == 1, "said only where it has changed"

    asyncio.run(scenario())


def test_it_is_not_ready_before_every_part_has_answered_once() -> None:
    """While the disk has not answered for the first time nothing is said, and readiness follows its answer at once."""

    async def scenario() -> None:
        async with notified(WATCHED_S) as listener:
            disk, fold = Part(), Part()
            disk.goes.clear()
            async with running(watchdog(listener).run({"fold": fold.ask, "disk": disk.ask}, str)):
                await eventually(lambda: fold.asked > 1, what="the other part is asked again")
                assert not listener.expired and listener.said == []
                disk.goes.set()
                await listener.petted(1)
                assert listener.said[0] == "READY=1"

    asyncio.run(scenario())


def test_a_part_that_hangs_stops_the_petting_and_one_that_recovers_resumes_it() -> None:
    """A part that does not answer is named, once in the log, and nothing is petted until it answers again."""

    async def scenario() -> None:
        async with notified(WATCHED_S) as listener:
            disk = Part()
            async with running(watchdog(listener).run({"fold": well, "disk": disk.ask}, lambda: "well")):
                await listener.petted(2)
                disk.goes.clear()
                await listener.ran_out()
                assert listener.status.startswith("disk has not answered for ")
                disk.goes.set()
                await listener.petted(1)
                await eventually(lambda: listener.status == "well", what="a status that is well")

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert [line["event"] for line in lines] == ["watchdog_withheld", "watchdog_resumed"]


def test_a_hung_event_loop_stops_the_petting() -> None:
    """Nothing is petted from a loop that does not turn: pets come from no thread of their own."""

    async def scenario(address: Mapping[str, str]) -> None:
        dog = Watchdog(SystemClock(), address)
        async with running(dog.run({"fold": well}, str)):
            await eventually(lambda: dog._answered, what="an answer")
            await SystemClock().sleep(0.05)
            with socket.socket() as deaf:  # a call that blocks the loop for longer than the watchdog waits
                deaf.bind(("127.0.0.1", 0))
                deaf.listen()
                deaf.settimeout(0.5)
                with pytest.raises(TimeoutError):
                    deaf.accept()

    async def listening() -> None:
        async with notified(0.3) as listener:
            await asyncio.to_thread(asyncio.run, scenario(listener.environ))
            assert listener.expired

    asyncio.run(listening())


@pytest.mark.parametrize(
    "environ",
    [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "1000000"}],
    ids=["none", "empty", "of another kind"],
)
def test_without_a_socket_nobody_is_asked(environ: dict[str, str]) -> None:
    """Started by hand, or with a socket of another kind, it ends at once and asks no part."""

    async def scenario() -> None:
        part = Part()
        await asyncio.wait_for(Watchdog(SystemClock(), environ).run({"disk": part.ask}, str), 5)
        assert part.asked == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "more", [{"WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}], ids=["other", "zero", "words"]
)
def test_where_no_watchdog_is_set_it_is_ready_and_never_pets(more: dict[str, str]) -> None:
    """A watchdog of another process, or none, is not petted; readiness and status are told all the same."""

    async def scenario() -> None:
        async with notified(WATCHED_S) as listener:
            async with running(watchdog(listener, **more).run({"disk": well}, lambda: "x" * 1000)):
                await listener.hears("STATUS=" + "x" * STATUS_CHARS_MAX)
                assert listener.said[0] == "READY=1" and listener.pets == 0

    asyncio.run(scenario())


def test_a_socket_that_is_gone_or_full_hurts_nobody(tmp_path: Path) -> None:
    """Nobody at the socket is said once in the log, and a listener that does not read never blocks the loop."""

    async def deaf() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(tmp_path / "deaf"))
            dog = Watchdog(SystemClock(), {"NOTIFY_SOCKET": str(tmp_path / "deaf"), "WATCHDOG_USEC": "3000"})
            async with running(dog.run({"disk": well}, str)):
                await eventually(lambda: dog._unheard, what="a full socket")

    async def gone() -> None:
        dog = Watchdog(SystemClock(), {"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "3000"})
        part = Part()
        async with running(dog.run({"disk": part.ask}, str)):
            await eventually(lambda: part.asked > 20, what="it goes on")

    for scenario in (deaf, gone):
        with capture_logs() as lines:
            asyncio.run(scenario())
        assert [line["event"] for line in lines] == ["watchdog_unheard"]


def test_the_loop_answers_only_after_all_that_came_before(tmp_path: Path) -> None:
    """A question that waits behind a reading is answered when that has been taken, and not before."""

    async def scenario() -> None:
        waiting: asyncio.Queue[str | Question] = asyncio.Queue()
        waiting.put_nowait("a press")
        async with running(_asked(through(waiting.put_nowait))) as asked:
            await eventually(lambda: waiting.qsize() == 2, what="the question")
            assert await waiting.get() == "a press" and not asked.done()
            question = await waiting.get()
            assert isinstance(question, Question)
            question.set()
            await asked

    asyncio.run(scenario())


async def _asked(probe: Probe) -> None:
    await probe()


def test_a_disk_that_fails_answers(tmp_path: Path) -> None:
    """A disk that was pulled out answers with an error, and that is an answer: no restart would mend it."""

    async def scenario() -> None:
        outbox = keeper(tmp_path / "disk")
        shutil.rmtree(tmp_path / "disk")
        await asyncio.wait_for(disk_of(outbox)(), 10)
        assert "No such file" in outbox.fault
        await outbox.close()

    asyncio.run(scenario())


def test_silence_is_counted_from_each_parts_own_answer() -> None:
    """A part is silent once its own answer is older than the patience, whatever the others did."""
    clock = SkippingClock()
    now_s = clock.monotonic()
    answered = {"fold": now_s, "disk": now_s - 181}
    assert silent_parts(answered, now_s, 180) == ("disk has not answered for 181 s",)
    assert silent_parts(answered, now_s, 182) == ()
