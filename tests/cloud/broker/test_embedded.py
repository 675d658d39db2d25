"""The embedded broker, run for real: it answers once started, keeps what it should, and never outlives us."""

import asyncio
import contextlib
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from cloud.broker.child import Child
from cloud.broker.embedded import EmbeddedBroker
from cloud.broker.nats import NatsProgram, embedded_nats, find_nats_server
from cloud.broker.ports import HOST, free_port, is_taken
from cloud.broker.probe import CONNACK
from cloud.clock import SystemClock
from cloud.errors import Fatal, Retryable
from tests.brokers import RunningBroker
from tests.waiting import wait_until

DEADLINE_S = 20.0


@contextlib.asynccontextmanager
async def nats(store: Path, port: int = 0) -> AsyncIterator[EmbeddedBroker]:
    """An embedded NATS for the time of the block."""
    async with embedded_nats(store=store, clock=SystemClock(), port=port) as running:
        yield running


async def exchange(host: str, port: int, payload: bytes) -> bytes:
    """Publish to oneself at QoS 0; what came back."""
    async with asyncio.timeout(DEADLINE_S), aiomqtt.Client(host, port) as client:
        await client.subscribe("wr/1/up/kent/p12/status", qos=0)
        await client.publish("wr/1/up/kent/p12/status", payload, qos=0)
        message = await anext(client.messages)
        assert isinstance(message.payload, bytes)
        return message.payload


def alive(pid: int) -> bool:
    """Whether a process runs. One that has ended and waits to be collected does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def test_a_started_broker_carries_the_largest_message(broker: RunningBroker) -> None:
    """As soon as `start` returns, a message of 16 KiB goes through either broker."""
    payload = b"x" * 16_384
    assert asyncio.run(exchange(broker.host, broker.port, payload)) == payload


def test_an_oversized_message_is_not_carried(broker: RunningBroker) -> None:
    """A message far above the contract's limit never reaches a subscriber of either broker."""
    with pytest.raises((TimeoutError, aiomqtt.MqttError)):
        asyncio.run(exchange_or_give_up(broker.host, broker.port, b"x" * 40_000))


async def exchange_or_give_up(host: str, port: int, payload: bytes) -> bytes:
    """As `exchange`, within three seconds."""
    async with asyncio.timeout(3):
        return await exchange(host, port, payload)


def test_a_broker_comes_back_where_it_was(broker: RunningBroker) -> None:
    """Stopped or killed and started again, either broker answers on the port it had; while it is down, nothing does."""
    port = broker.port
    broker.stop()
    assert not is_taken(port)
    broker.start()
    broker.kill()
    assert not is_taken(port)
    broker.start()
    assert broker.port == port
    assert asyncio.run(exchange(broker.host, port, b"again")) == b"again"


def test_nats_begins_with_an_empty_store(fresh_nats: RunningBroker) -> None:
    """What a run stored is gone after a restart: a store that was filled to its quota would let nobody connect."""

    async def scenario() -> None:
        async with aiomqtt.Client(fresh_nats.host, fresh_nats.port) as client:
            await client.publish("junk/1", b"old", qos=1, retain=True)
        await asyncio.to_thread(fresh_nats.kill)
        await asyncio.to_thread(fresh_nats.start)
        async with asyncio.timeout(DEADLINE_S), aiomqtt.Client(fresh_nats.host, fresh_nats.port) as client:
            await client.subscribe("junk/1", qos=0)
            await client.publish("junk/1", b"new", qos=0)
            assert (await anext(client.messages)).payload == b"new"

    asyncio.run(scenario())


def test_it_listens_on_loopback_only(fresh_nats: RunningBroker) -> None:
    """Another address of this machine, even another loopback one, finds no listener."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", fresh_nats.port), timeout=DEADLINE_S)


def test_a_taken_port_is_fatal_and_says_what_to_do(tmp_path: Path) -> None:
    """Where something listens on the port, start raises Fatal naming it and the option, and leaves nothing running."""

    async def start() -> None:
        async with nats(tmp_path, port):
            pass

    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Fatal, match=rf"port {port} is taken: .*--mqtt-port"):
            asyncio.run(start())


class AnswersAnyone(socketserver.BaseRequestHandler):
    """Accepts every MQTT connection."""

    def handle(self) -> None:
        """Answer the first packet."""
        self.request.recv(1024)
        self.request.sendall(CONNACK)


class Overtaken(NatsProgram):
    """NATS, where another broker takes the port after we looked and before it starts."""

    def prepare(self, store: Path, port: int) -> list[str]:
        """Take the port, then prepare as always."""
        self.intruder = socketserver.TCPServer((HOST, port), AnswersAnyone)
        threading.Thread(target=self.intruder.serve_forever, args=(0.01,), daemon=True).start()
        return super().prepare(store, port)


def test_a_port_taken_behind_our_back_is_fatal_too(tmp_path: Path) -> None:
    """Where another broker takes the port after we looked, start does not take its answer for ours."""
    program = Overtaken(find_nats_server())
    running = EmbeddedBroker(program, store=tmp_path, clock=SystemClock(), port=free_port())
    try:
        with pytest.raises(Fatal, match="is taken"):
            asyncio.run(running.start())
    finally:
        program.intruder.shutdown()
        program.intruder.server_close()


def test_a_broker_that_dies_is_reported(tmp_path: Path) -> None:
    """`died` waits while the broker runs and raises Retryable, naming the signal, once it was killed."""

    async def kill_it() -> None:
        async with nats(tmp_path) as running:
            death = asyncio.create_task(running.died())
            done, _ = await asyncio.wait({death}, timeout=0.05)
            assert not done
            assert running.pid is not None
            os.kill(running.pid, signal.SIGKILL)
            await asyncio.wait_for(death, DEADLINE_S)

    with pytest.raises(Retryable, match="nats-server was ended by signal 9"):
        asyncio.run(kill_it())


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    """Where its store can't be used, start raises Retryable with what NATS itself said, and no process is left."""
    (tmp_path / "jetstream").write_text("not a folder", encoding="utf-8")
    running = embedded_nats(store=tmp_path, clock=SystemClock())
    with pytest.raises(Retryable, match=r"nats-server ended with status 1: Can't start JetStream"):
        asyncio.run(running.start())
    assert running.pid is None


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """A program that does not end when asked is killed after the grace period."""

    async def stop_a_deaf_one() -> tuple[int, int]:
        code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
        child = await Child.spawn([sys.executable, "-c", code], stderr=tmp_path / "said")
        await asyncio.to_thread(wait_until, lambda: (tmp_path / "said").read_text(), what="it ignores the signal")
        await child.stop(grace_s=0.1)
        return child.pid, await asyncio.wait_for(child.ended(), DEADLINE_S)

    pid, status = asyncio.run(stop_a_deaf_one())
    assert status == -signal.SIGKILL
    assert not alive(pid)


def test_the_broker_dies_with_its_parent(tmp_path: Path) -> None:
    """Killing the process that started the broker, without any chance to tidy up, ends the broker too."""
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.cloud.broker.orphan_maker", str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    wait_until(lambda: not alive(pid), what="the broker ended with its parent")


def test_ctrl_c_does_not_reach_the_broker(tmp_path: Path) -> None:
    """The broker is in a session of its own, so that a terminal's interrupt leaves it up while we close in order."""

    async def session_of_the_broker() -> int:
        async with nats(tmp_path) as running:
            assert running.pid is not None
            return os.getsid(running.pid)

    assert asyncio.run(session_of_the_broker()) != os.getsid(0)


def test_a_free_port_is_free() -> None:
    """The port that is offered can be listened on, and is then taken."""
    port = free_port()
    assert not is_taken(port)
    with socket.create_server((HOST, port)):
        assert is_taken(port)
