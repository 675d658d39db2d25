"""The scripted panel against real clients on a real socket."""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent.decode.readings import Reading
from edge_agent.errors import Fatal
from edge_agent.sources.panel_scripted import CLIENTS_MAX, ScriptedPanel
from tests.edge_agent.sources.panel_lab import Bench, HandClock, running, until
from tests.waiting import DEADLINE_S

BUTTONS = ("b1", "b4")
DARK = {"lamps": {"b1": "dark", "b4": "dark"}, "notice": ""}


def panel_at(path: Path, clock: HandClock | None = None) -> ScriptedPanel:
    """The panel under test, without jitter."""
    return ScriptedPanel(str(path), buttons=BUTTONS, clock=clock or HandClock(), jitter=lambda: 0.0)


class Client:
    """One client of the panel."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak over an open connection."""
        self._reader, self.writer = reader, writer

    async def view(self) -> Any:
        """The next line from the panel; None at the end."""
        async with asyncio.timeout(DEADLINE_S):
            line = await self._reader.readline()
        return msgspec.json.decode(line) if line else None

    def press(self, button: str, down: bool) -> None:
        """Send one press."""
        self.writer.write(msgspec.json.encode({"button": button, "down": down}) + b"\n")


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[Client]:
    """A client for the block, connected as soon as the panel listens."""
    await until(path.exists)
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        await asyncio.wait((asyncio.ensure_future(writer.wait_closed()),))


def listens(path: Path) -> bool:
    """Whether somebody takes connections at `path`."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


async def ended_by(bench: Bench) -> str:
    """The one line that a panel gave up with."""
    with pytest.raises(Fatal) as caught:
        await bench.next()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_presses_come_in_and_lamps_go_out(tmp_path: Path) -> None:
    """A client gets the lamps at once and at each change, not at a repetition; its presses come out in order."""

    async def main() -> None:
        panel, path = panel_at(tmp_path / "panel.sock"), tmp_path / "panel.sock"
        async with running(panel) as bench, connected(path) as client:
            assert await client.view() == DARK
            client.press("b4", True)
            client.press("b4", False)
            assert await bench.presses(2) == [("b4", True), ("b4", False)]
            panel.show({"b1": "dark", "b4": "slow"}, "")
            panel.show({"b1": "dark", "b4": "slow"}, "")
            panel.show({"b1": "dark", "b4": "slow"}, "NOT RECEIVED: USE RADIO")
            assert await client.view() == {"lamps": {"b1": "dark", "b4": "slow"}, "notice": ""}
            now = {"lamps": {"b1": "dark", "b4": "slow"}, "notice": "NOT RECEIVED: USE RADIO"}
            assert await client.view() == now
            async with connected(path) as second:
                assert await second.view() == now

    asyncio.run(main())


def test_bad_lines_are_counted_and_the_stream_goes_on(tmp_path: Path) -> None:
    """Nonsense, an unknown button and an endless line cost nothing but a count."""

    async def main() -> None:
        path = tmp_path / "panel.sock"
        panel = panel_at(path)
        async with running(panel) as bench, connected(path) as client:
            client.writer.write(b"\xff{\n" + b"x" * 100_000 + b'\n{"button":"b9","down":true}\n')
            client.press("b1", True)
            assert await bench.presses(1) == [("b1", True)]
            assert panel.rejected == {"not a press": 1, "line too long": 1, "unknown button": 1}

    asyncio.run(main())


def test_a_client_that_goes_releases_what_it_held(tmp_path: Path) -> None:
    """A button does not stay down because the client that held it died."""

    async def main() -> None:
        path = tmp_path / "panel.sock"
        async with running(panel_at(path)) as bench:
            async with connected(path) as client:
                client.press("b4", True)
                assert await bench.presses(1) == [("b4", True)]
            assert await bench.presses(1) == [("b4", False)]

    asyncio.run(main())


def test_a_client_that_does_not_read_is_dropped(tmp_path: Path) -> None:
    """What waits for a client is bounded: it is cut off, and another client goes on."""

    async def main() -> None:
        path = tmp_path / "panel.sock"
        panel = panel_at(path)
        with socket.socket(socket.AF_UNIX) as deaf:
            async with running(panel) as bench, connected(path) as client:
                deaf.connect(str(path))
                await client.view()
                for turn in range(100_000):
                    panel.show({"b1": "slow", "b4": "dark"}, str(turn))
                    await client.view()
                    if panel.dropped:
                        break
                assert panel.dropped == 1
                client.press("b1", True)
                assert await bench.presses(1) == [("b1", True)]

    asyncio.run(main())


def test_there_is_a_bound_on_clients(tmp_path: Path) -> None:
    """One client too many is turned away, and those before it stay."""

    async def main() -> None:
        path = tmp_path / "panel.sock"
        async with running(panel_at(path)) as bench, connected(path) as first:
            crowd = [await asyncio.open_unix_connection(str(path)) for _ in range(CLIENTS_MAX - 1)]
            async with connected(path) as extra:
                assert await extra.view() is None
            first.press("b1", True)
            assert await bench.presses(1) == [("b1", True)]
            for _, writer in crowd:
                writer.close()

    asyncio.run(main())


def test_the_socket_is_private_and_goes_with_the_panel(tmp_path: Path) -> None:
    """Only the agent's own user may connect; afterwards nothing is left behind."""

    async def main() -> None:
        path = tmp_path / "panel.sock"
        async with running(panel_at(path)):
            await until(path.exists)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.exists()

    old_mask = os.umask(0)
    try:
        asyncio.run(main())
    finally:
        os.umask(old_mask)


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    """The file that a killed agent left behind does not keep the next one from starting."""

    async def main() -> None:
        path = tmp_path / "panel.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        assert not listens(path)
        async with running(panel_at(path)):
            await until(lambda: listens(path))
            async with connected(path) as client:
                assert await client.view() == DARK

    asyncio.run(main())


def test_a_socket_in_use_is_left_alone(tmp_path: Path) -> None:
    """A second agent on the same path ends with one line, and the first keeps its clients."""

    async def main() -> None:
        path = tmp_path / "panel.sock"
        async with running(panel_at(path)) as bench:
            await until(path.exists)
            async with running(panel_at(path)) as second:
                assert "in use" in await ended_by(second)
            async with connected(path) as client:
                client.press("b1", True)
                assert await bench.presses(1) == [("b1", True)]

    asyncio.run(main())


def test_a_path_that_cannot_be_a_socket_is_fatal(tmp_path: Path) -> None:
    """Somebody's file is never removed, and a name that the system cannot take is refused."""

    async def main() -> None:
        path = tmp_path / "panel.sock"
        path.write_text("keep")
        async with running(panel_at(path)) as bench:
            assert "not a socket" in await ended_by(bench)
        assert path.read_text() == "keep"
        async with running(panel_at(tmp_path / ("x" * 120))) as bench:
            assert "too long" in await ended_by(bench)

    asyncio.run(main())


def test_a_missing_folder_is_one_fault_until_it_is_there(tmp_path: Path) -> None:
    """The panel waits for its folder, tells the outage once, and heals."""

    async def main() -> None:
        clock, path = HandClock(), tmp_path / "run" / "panel.sock"
        async with running(panel_at(path, clock)) as bench:
            assert await bench.fault() != ""
            await clock.wake_next()
            await clock.next_due_s()
            path.parent.mkdir()
            await clock.wake_next()
            assert await bench.fault() == ""
            async with connected(path) as client:
                assert await client.view() == DARK

    asyncio.run(main())


def test_a_removed_socket_file_comes_back(tmp_path: Path) -> None:
    """Somebody clears the folder: the panel notices, says so, and listens at its path again."""

    async def main() -> None:
        clock, path = HandClock(), tmp_path / "panel.sock"
        async with running(panel_at(path, clock)) as bench:
            await clock.next_due_s()
            path.unlink()
            await clock.wake_next()
            assert "gone" in await bench.fault()
            await clock.wake_next()
            assert await bench.fault() == ""
            async with connected(path) as client:
                client.press("b1", True)
                assert await bench.presses(1) == [("b1", True)]

    asyncio.run(main())


def test_a_broken_consumer_ends_the_panel(tmp_path: Path) -> None:
    """What `emit` raises is no outage: it reaches whoever runs the panel."""

    async def main() -> None:
        def emit(reading: Reading) -> None:
            raise LookupError(reading)

        path = tmp_path / "panel.sock"
        run = asyncio.ensure_future(panel_at(path).run(emit))
        async with connected(path) as client:
            client.press("b1", True)
            with pytest.raises(LookupError):
                async with asyncio.timeout(DEADLINE_S):
                    await run

    asyncio.run(main())
