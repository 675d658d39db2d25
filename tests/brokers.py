"""Real brokers on free loopback ports, as fixtures: NATS as the embedded broker runs it, and Mosquitto.

`broker` runs a test on both, each fresh and with a store of its own, so that it may be stopped, started and killed.
`shared_broker` runs a test on both without a start each: use it where an organisation's name of your own is apart
enough. `fresh_nats`, `fresh_mosquitto`, `shared_nats` and `shared_mosquitto` name one.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Literal

import pytest

from cloud.broker.embedded import BrokerProgram, EmbeddedBroker
from cloud.broker.mosquitto import MosquittoProgram
from cloud.broker.nats import NatsProgram, find_nats_server
from cloud.clock import SystemClock
from tests.programs import require_program

Kind = Literal["nats", "mosquitto"]
KINDS: tuple[Kind, ...] = ("nats", "mosquitto")
OPERATION_DEADLINE_S = 60.0


class RunningBroker:
    """A broker and the thread that it is tied to. Its methods block, and are safe from any thread or event loop."""

    def __init__(self, kind: Kind, store: Path) -> None:
        """Start it on a free port, which it keeps when it is stopped and started again."""
        self.kind: Kind = kind
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"{kind} broker", daemon=True)
        self._thread.start()
        self._broker = EmbeddedBroker(_program(kind), store=store, clock=SystemClock())
        self.start()

    @property
    def host(self) -> str:
        """Where it listens."""
        return self._broker.host

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._broker.port

    @property
    def url(self) -> str:
        """The same as `mqtt://host:port`."""
        return self._broker.url

    def start(self) -> None:
        """Start it again on the same port, and return once it accepts connections."""
        self._run(self._broker.start())

    def stop(self) -> None:
        """End it in good order."""
        self._run(self._broker.stop())

    def kill(self) -> None:
        """End it as a crash would."""
        self._run(self._broker.kill())

    def close(self) -> None:
        """Stop it for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(OPERATION_DEADLINE_S)
        self._loop.close()

    def _run(self, operation: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(operation, self._loop).result(OPERATION_DEADLINE_S)


def _program(kind: Kind) -> BrokerProgram:
    if kind == "nats":
        return NatsProgram(find_nats_server())
    return MosquittoProgram(require_program("mosquitto"))


def _running(kind: Kind, store: Path) -> Iterator[RunningBroker]:
    broker = RunningBroker(kind, store)
    yield broker
    broker.close()


@pytest.fixture
def fresh_nats(tmp_path: Path) -> Iterator[RunningBroker]:
    """A NATS broker of this test's own."""
    yield from _running("nats", tmp_path / "nats")


@pytest.fixture
def fresh_mosquitto(tmp_path: Path) -> Iterator[RunningBroker]:
    """A Mosquitto broker of this test's own."""
    yield from _running("mosquitto", tmp_path / "mosquitto")


@pytest.fixture(scope="session")
def shared_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """One NATS broker for the whole run: do not stop it."""
    yield from _running("nats", tmp_path_factory.mktemp("nats"))


@pytest.fixture(scope="session")
def shared_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """One Mosquitto broker for the whole run: do not stop it."""
    yield from _running("mosquitto", tmp_path_factory.mktemp("mosquitto"))


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest) -> RunningBroker:
    """Each broker in turn, of this test's own."""
    running = request.getfixturevalue(f"fresh_{request.param}")
    assert isinstance(running, RunningBroker)
    return running


@pytest.fixture(scope="session", params=KINDS)
def shared_broker(request: pytest.FixtureRequest) -> RunningBroker:
    """Each broker in turn, the same for the whole run: do not stop it."""
    running = request.getfixturevalue(f"shared_{request.param}")
    assert isinstance(running, RunningBroker)
    return running
