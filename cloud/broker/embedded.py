"""A broker that this process runs for itself: started, proven to answer, watched, and stopped."""

from pathlib import Path
from typing import Protocol, Self

import structlog

from cloud.broker.child import Child
from cloud.broker.ports import HOST, free_port, is_taken, listens
from cloud.broker.probe import answers_connect
from cloud.clock import Clock
from cloud.errors import Fatal, Retryable

START_DEADLINE_S = 30.0
"""A store of a few hundred megabytes is read back in a second or two; a slow disk may need more."""
STOP_GRACE_S = 10.0
PROBE_TIMEOUT_S = 1.0
PROBE_PAUSE_S = 0.02
PORT_TRIES = 5

log = structlog.get_logger(__name__)


class BrokerProgram(Protocol):
    """A kind of broker: how to run it, and where it says what ails it."""

    name: str

    def prepare(self, store: Path, port: int) -> list[str]:
        """Write the configuration into `store` for MQTT on loopback `port`; the command that runs it."""
        ...

    def complaint(self, store: Path) -> str:
        """The last thing it said about why it can't go on, in one line; empty where it said nothing."""
        ...


class EmbeddedBroker:
    """A broker child on a loopback port. Port 0 picks a free one, kept for the object's life.

    Use it as `async with`, or call `start` and `stop`. Only one may use a `store` at a time. It dies with the thread
    that started it, so run the event loop in a thread that lives as long as the process.
    """

    def __init__(self, program: BrokerProgram, *, store: Path, clock: Clock, port: int = 0) -> None:
        """Name what to run and where; nothing starts yet."""
        self.host = HOST
        self.port = port
        self._program = program
        self._store = store
        self._clock = clock
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"mqtt://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The broker's process number while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self) -> None:
        """Start it and return once it accepts MQTT connections.

        Raises `Fatal` where the port is taken or the program is missing, `Retryable` where it ended or did not answer
        within `START_DEADLINE_S`; nothing is left running then.
        """
        if self.pid is not None:
            raise RuntimeError("the broker runs already")
        self._store.mkdir(mode=0o700, parents=True, exist_ok=True)
        tries = 1 if self.port else PORT_TRIES
        for remaining in reversed(range(tries)):
            port = self.port or free_port()
            try:
                await self._start_on(port)
            except Fatal:
                if remaining and is_taken(port):
                    continue
                raise
            self.port = port
            return

    async def stop(self) -> None:
        """End it in good order, and kill it where that takes longer than `STOP_GRACE_S`. Stopping twice is harmless."""
        child, self._child = self._child, None
        if child is not None and child.running:
            await child.stop(grace_s=STOP_GRACE_S)
            log.info("broker stopped", broker=self._program.name, port=self.port)

    async def kill(self) -> None:
        """End it at once, as a crash would. For tests of what survives that."""
        child, self._child = self._child, None
        if child is not None:
            await child.kill()

    async def died(self) -> None:
        """Wait for as long as it runs, then raise `Retryable` with what it said. Cancel it before `stop`."""
        if self._child is None:
            raise RuntimeError("the broker does not run")
        raise Retryable(self._obituary(await self._child.ended()))

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self.stop()

    async def _start_on(self, port: int) -> None:
        if is_taken(port):
            raise self._taken(port)
        argv = self._program.prepare(self._store, port)
        self._child = await Child.spawn(argv, stderr=self._store / f"{self._program.name}.stderr")
        try:
            await self._wait_until_it_answers(self._child, port)
        except BaseException:
            await self.stop()
            raise
        log.info("broker started", broker=self._program.name, port=port, pid=self._child.pid)

    async def _wait_until_it_answers(self, child: Child, port: int) -> None:
        deadline = self._clock.monotonic() + START_DEADLINE_S
        while self._clock.monotonic() < deadline:
            answers = await answers_connect(self.host, port, timeout_s=PROBE_TIMEOUT_S)
            if not child.running:
                status = await child.ended()
                raise self._taken(port) if is_taken(port) else Retryable(self._obituary(status))
            if answers and listens(child.pid, port):
                return
            await self._clock.sleep(PROBE_PAUSE_S)
        raise Retryable(f"{self._program.name} did not answer on port {port} within {START_DEADLINE_S:.0f} s")

    def _taken(self, port: int) -> Fatal:
        return Fatal(f"port {port} is taken: stop the program that listens there, or choose another with --mqtt-port")

    def _obituary(self, status: int) -> str:
        said = self._program.complaint(self._store)
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"{self._program.name} {how}" + (f": {said}" if said else "")
