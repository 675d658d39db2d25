"""Starts and stops the processes that are measured."""

import asyncio
import contextlib
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from cloud.broker.embedded import BrokerProgram
from cloud.broker.mosquitto import MosquittoProgram
from cloud.broker.nats import NatsProgram, find_nats_server

SCHEME = "uk-fire-gd92"
START_S = 120.0
STOP_S = 15.0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def program_of(kind: str) -> BrokerProgram:
    """The broker of that name."""
    if kind == "nats":
        return NatsProgram(find_nats_server())
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        raise SystemExit("mosquitto is not installed: run `make setup-test`")
    return MosquittoProgram(Path(found))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextlib.asynccontextmanager
async def process(
    command: list[str], *, until: str, takes_input: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command beside the block, which starts once a line of its output contains `until`; end it afterwards."""
    stdin = asyncio.subprocess.PIPE if takes_input else None
    running = await asyncio.create_subprocess_exec(*command, stdin=stdin, stdout=asyncio.subprocess.PIPE)
    assert running.stdout is not None
    try:
        if until:
            async with asyncio.timeout(START_S):
                while until.encode() not in (line := await running.stdout.readline()):
                    if not line:
                        raise SystemExit(f"{command[0]} ended before it said {until!r}")
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
            try:
                await asyncio.wait_for(running.wait(), STOP_S)
            except TimeoutError:
                print(f"{command[0]} did not stop; killed", file=sys.stderr)
                running.kill()
                await running.wait()
