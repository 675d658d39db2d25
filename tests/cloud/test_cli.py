"""The command `watchroom`, as a real process: what it says, how it refuses, and how it ends."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import pytest
import typer

from cloud.cli import first_leaf, run_until_stopped
from cloud.errors import Fatal
from tests.cloud.process import (
    COMMAND,
    FROZEN_STOP_S,
    START_S,
    STOP_S,
    Watchroom,
    broker_of,
    feed_client,
    python,
    running_in,
    running_watchroom,
)
from tests.ports import free_port
from tests.programs import require_program
from tests.waiting import wait_until


@pytest.fixture
def watchroom(tmp_path: Path) -> Iterator[Watchroom]:
    """A `watchroom up` with a broker of its own, ready."""
    with running_watchroom(tmp_path) as running:
        yield running


# How it ends.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked(watchroom: Watchroom, number: signal.Signals) -> None:
    """SIGTERM or Ctrl-C ends it within seconds with exit code 0, and its broker with it."""
    assert broker_of(watchroom)
    watchroom.stop(number, STOP_S)


def test_it_stops_with_clients_on_the_feed(watchroom: Watchroom) -> None:
    """Clients on the feed, reading or not, or half way into a request, hold nothing up; their streams end."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(feed_client(watchroom.port)) for _ in range(3)]
        half = stack.enter_context(socket.create_connection(("127.0.0.1", watchroom.port)))
        half.sendall(b"GET /v1/units HTTP/1.1\r\n")
        watchroom.stop(signal.SIGTERM, STOP_S)
        for client in clients:
            while client.recv(65_536):
                pass


def test_it_stops_while_its_broker_is_frozen(watchroom: Watchroom) -> None:
    """A broker that answers to nothing is killed after a while: it ends with exit code 0 and leaves no process."""
    os.kill(broker_of(watchroom), signal.SIGSTOP)
    watchroom.stop(signal.SIGTERM, FROZEN_STOP_S)


def test_it_stops_while_it_waits_for_a_broker(tmp_path: Path) -> None:
    """Where the broker that it was told to use is not there, it says so, waits, and ends when asked."""
    port = free_port()
    running = Watchroom(tmp_path, "--broker", f"mqtt://127.0.0.1:{port}")
    try:
        wait_until(lambda: "broker_lost" in running.stderr, what="a line about it", deadline_s=START_S)
        lost = next(line for line in map(json.loads, running.stderr.splitlines()) if line["event"] == "broker_lost")
        assert (port, "error") == (lost["port"], lost["level"])
        running.stop(signal.SIGTERM, STOP_S)
    finally:
        running.close()


def test_its_broker_dies_with_it(watchroom: Watchroom) -> None:
    """Killed without a chance to tidy up, it leaves no broker behind, and its folder and ports can be used again."""
    watchroom.process.kill()
    watchroom.process.wait()
    wait_until(lambda: not running_in(watchroom.folder), what="nothing is left")
    again = Watchroom(watchroom.folder, "--mqtt-port", str(free_port()))
    try:
        again.wait_until_ready()
        again.stop(signal.SIGTERM, STOP_S)
    finally:
        again.close()


# What it says.


def test_the_log_is_json_and_the_person_gets_words(watchroom: Watchroom) -> None:
    """Who starts it reads where the board and the broker are; the log, all of it JSON, tells what started."""
    watchroom.stop(signal.SIGTERM, STOP_S)
    assert re.fullmatch(
        rf"Board    http://127\.0\.0\.1:{watchroom.port}/\n"
        r"Devices  mqtt://127\.0\.0\.1:\d+\n"
        rf"Partners http://127\.0\.0\.1:{watchroom.partner_port}/\n"
        r"Listening on this machine only \(127\.0\.0\.1\)[^\n]*\n"
        r"Ctrl-C stops\.\n",
        watchroom.stdout,
    )
    lines = [json.loads(line) for line in watchroom.stderr.splitlines()]
    assert all(line["timestamp"].endswith("Z") and line["level"] == "info" for line in lines)
    told = [line["event"] for line in lines]
    assert ["live_state_rebuilt", "broker started"] == told[:2] and "broker stopped" == told[-1]
    assert {"broker_connected", "feed_broker_connected"} == set(told[2:-1])


def test_what_libraries_warn_of_is_json_too() -> None:
    """A library's warning is one line of JSON in the log, its traceback inside; what is less is left out."""
    script = """
import logging
from cloud.cli import set_up_log
set_up_log()
logging.getLogger("uvicorn.error").info("chatter")
logging.getLogger("uvicorn.error").error("Cancel %d", 2)
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("asyncio").exception("a callback failed")
"""
    lines = [json.loads(line) for line in python(script).stderr.splitlines()]
    assert [("Cancel 2", "error"), ("a callback failed", "error")] == [(one["event"], one["level"]) for one in lines]
    assert "ZeroDivisionError" in lines[1]["exception"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([], ["watchroom demo", "watchroom up --help", "control rooms", "up", "demo"]),
        (["--help"], ["watchroom demo", "watchroom up --help", "control rooms", "up", "demo"]),
        (
            ["up", "--help"],
            [
                *("--data", "--directory", "--port", "--mqtt-port", "--broker", "FOLDER", "PORT", "URL"),
                *("this machine only (127.0.0.1)", "Ctrl-C", "SIGTERM", "stderr", "8470", "1883", "watchroom-data"),
                *("inside the data folder", "mqtt://127.0.0.1:1883", "Made if it is not there"),
            ],
        ),
    ],
)
def test_help_says_what_a_newcomer_needs(asked: list[str], words: list[str]) -> None:
    """Each option is named with what it takes, what it is without it, and what the command does and where."""
    answer = python(COMMAND, *asked)
    assert answer.returncode in (0, 2)
    text = " ".join(re.sub("[│╭╮╰╯─]", " ", answer.stdout + answer.stderr).split())
    assert [] == [word for word in words if word not in text]


# What becomes of a failure.


async def _fail_unexpectedly() -> None:
    raise ZeroDivisionError("a fault of ours")


async def _cancel_itself() -> None:
    raise asyncio.CancelledError


async def _fail_in_a_group() -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_fail_unexpectedly())


async def _fail_as_it_is_stopped() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        raise ZeroDivisionError("a fault of ours")


async def _fail_both_ways() -> None:
    raise ExceptionGroup("both", [Fatal("named"), ZeroDivisionError("a fault of ours")])


@pytest.mark.parametrize(
    "work", [_fail_unexpectedly, _cancel_itself, _fail_in_a_group, _fail_as_it_is_stopped, _fail_both_ways]
)
def test_what_nobody_expected_is_never_a_success(work: Callable[[], Coroutine[object, object, None]]) -> None:
    """Whatever the work raises that has no name comes out as it is: a traceback, and never exit code 0."""
    with pytest.raises(BaseException) as raised:
        run_until_stopped(work)
    assert not isinstance(raised.value, SystemExit | typer.Exit)


def test_a_fault_ends_the_process_with_a_traceback_and_not_with_0() -> None:
    """Seen from outside: the exit code is 1 and the traceback names the fault."""
    script = (
        "from cloud.cli import run_until_stopped\n"
        "async def work():\n    raise ZeroDivisionError('a fault of ours')\n"
        "run_until_stopped(work)\n"
    )
    answer = python(script)
    assert (1, True) == (answer.returncode, "ZeroDivisionError: a fault of ours" in answer.stderr)


def test_a_named_failure_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What the cloud names as wrong, however deep in groups, is one line on stderr and exit code 1."""

    async def work() -> None:
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [Fatal("do this"), Fatal("or that")])])

    with pytest.raises(BaseException) as raised:
        run_until_stopped(work)
    leaf = first_leaf(raised.value)
    assert isinstance(leaf, typer.Exit) and leaf.exit_code == 1
    assert ("", "watchroom: do this\n") == capsys.readouterr()


def test_work_that_ends_is_a_success() -> None:
    """Work that is done, and work that was asked to end and did, return."""

    async def stopped() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.get_running_loop().create_future()

    run_until_stopped(lambda: asyncio.sleep(0))
    run_until_stopped(stopped)


def test_the_programs_that_these_tests_need_are_there() -> None:
    """A nats-server is beside the interpreter or on the path: what these tests start is the real thing."""
    assert require_program("nats-server")
