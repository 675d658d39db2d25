"""The scripted inputs against real clients on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.config import Inputs
from edge_agent.decode.inputs import SUPPLY_FAILED
from edge_agent.decode.readings import InputValue, Reading, SourceFault
from edge_agent.errors import Fatal
from edge_agent.sources.inputs_scripted import ScriptedInputs
from tests.edge_agent.sources.panel_lab import Bench, HandClock, until

CLEARED = SourceFault("power_fail", "")


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Bench]:
    """The inputs under test, with what they tell at the start taken in."""
    settings = Inputs(backend="scripted", path=str(path), lines={"20": "ignition", "21": "power_fail"})
    emitted: asyncio.Queue[Reading] = asyncio.Queue()
    inputs = ScriptedInputs(settings, clock=HandClock(), jitter=lambda: 0.0)
    task = asyncio.ensure_future(inputs.run(emitted.put_nowait))
    watched = Bench(task, emitted)
    try:
        off = [InputValue("ignition", False), InputValue("power_fail", False), CLEARED]
        assert [await watched.next() for _ in range(3)] == off
        yield watched
    finally:
        task.cancel()
        await asyncio.wait((task,))


def test_what_a_client_turns_on_is_on_until_it_leaves(tmp_path: Path) -> None:
    """Each change counts at once, a failed supply with its fault, and what a client had on goes off with it."""

    async def main() -> None:
        path = tmp_path / "inputs.sock"
        async with running(path) as watched:
            await until(path.exists)
            _, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b'{"button":"ignition","down":true}\n{"button":"power_fail","down":true}\n')
            assert await watched.next() == InputValue("ignition", True)
            assert await watched.next() == InputValue("power_fail", True)
            assert await watched.next() == SourceFault("power_fail", SUPPLY_FAILED)
            writer.close()
            found = [await watched.next() for _ in range(3)]
            assert found == [InputValue("ignition", False), InputValue("power_fail", False), CLEARED]

    asyncio.run(main())


def test_a_socket_that_goes_makes_every_input_bad(tmp_path: Path) -> None:
    """A socket whose file was taken away is one fault of the inputs, and none is taken for off meanwhile."""

    async def main() -> None:
        path = tmp_path / "inputs.sock"
        settings = Inputs(backend="scripted", path=str(path), lines={"20": "ignition"})
        clock, emitted = HandClock(), asyncio.Queue[Reading]()
        inputs = ScriptedInputs(settings, clock=clock, jitter=lambda: 0.0)
        watched = Bench(asyncio.ensure_future(inputs.run(emitted.put_nowait)), emitted)
        assert await watched.next() == InputValue("ignition", False)
        await until(path.exists)
        path.unlink()
        await clock.wake_next()
        assert await watched.next() == InputValue("ignition", None, "bad")
        assert await watched.next() == SourceFault("inputs", f"{path}: the socket's file has gone")
        await clock.wake_next()
        assert [await watched.next() for _ in range(2)] == [SourceFault("inputs", ""), InputValue("ignition", False)]
        watched.task.cancel()
        await asyncio.wait((watched.task,))

    asyncio.run(main())


def test_a_path_that_is_another_s_names_the_section(tmp_path: Path) -> None:
    """A file in the socket's place ends the start in a line that names the key to mend."""

    async def main() -> None:
        path = tmp_path / "inputs.sock"
        path.write_text("", encoding="utf-8")
        with pytest.raises(Fatal, match=r"give \[inputs\] path another name"):
            async with running(path) as watched:
                await watched.next()

    asyncio.run(main())
