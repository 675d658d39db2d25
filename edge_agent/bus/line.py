"""A Modbus line and its one owner: whoever wants something of a slave asks the owner, who does one thing at a time."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Literal

import structlog

from edge_agent.bus.client import Client, Refusal, Unanswered
from edge_agent.bus.slave import Slave, value_of
from edge_agent.clock import Clock
from edge_agent.config.register_maps import Point
from edge_agent.decode.modbus import Span, encode_value
from edge_agent.station.words import Value

_log = structlog.get_logger("bus")

OFF_RETRY_S = 0.25
"""How soon an output that refused to be turned off is asked again."""

WriteResult = Literal["done", "no_device_response", "device_refused"]
OnValues = Callable[[Mapping[str, Value]], None]


class _Job:
    """Something that a caller wants of a slave, and the answer where the slave gives none."""

    def __init__(self, slave: Slave, work: Callable[[], Awaitable[Any]], otherwise: Any) -> None:
        self.slave, self.work, self.otherwise = slave, work, otherwise
        self.done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def finish(self, result: Any) -> None:
        """Answer the caller, if there still is one."""
        if not self.done.done():
            self.done.set_result(result)


class Line:
    """The slaves of one connection. `run` is its owner; callers may be cancelled without it noticing."""

    def __init__(
        self,
        client: Client,
        slaves: tuple[Slave, ...],
        *,
        poll_s: float,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        """Nothing is opened before `run`."""
        self._client, self.slaves = client, slaves
        self._poll_s, self._clock, self._jitter = poll_s, clock, jitter
        self._jobs: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        self._start_s = 0.0
        self._on_values: OnValues = lambda _values: None

    async def run(self, on_values: OnValues) -> None:
        """Poll every slave on a fixed grid and do what callers ask, first of all, until cancelled.

        Before it ends it turns off, once, what a pulse has left on.
        """
        self._ended = False
        self._on_values = on_values
        self._start_s = self._clock.monotonic()
        try:
            while True:
                _raise_if_cancelled()
                await self._serve()
                slave = min(self.slaves, key=lambda each: each.next_s)
                if slave.next_s <= self._clock.monotonic():
                    await self._visit(slave)
                else:
                    await self._rest(slave.next_s)
        finally:
            self._ended = True
            for job in self._jobs:
                job.finish(job.otherwise)
            self._jobs.clear()
            try:
                await self._leave()
            finally:
                self._client.close()

    async def write(self, slave: Slave, name: str, words: tuple[int, ...]) -> WriteResult:
        """Write a point, at most once, before any poll. A caller cancelled before its turn has written nothing."""
        result: WriteResult = await self._ask(slave, partial(self._write, slave, name, words), "no_device_response")
        return result

    async def pulse(self, slave: Slave, name: str, pulse_s: float) -> WriteResult:
        """Turn a bit on, at most once, and say how that went; the owner turns it off after `pulse_s`, until it holds.

        It is turned off too where no answer came: it may be on.
        """
        result: WriteResult = await self._ask(slave, partial(self._pulse, slave, name, pulse_s), "no_device_response")
        return result

    async def read(self, slave: Slave, name: str) -> Value:
        """Read one point now, before any poll."""
        silent = Value(None, "bad", self._clock.monotonic())
        value: Value = await self._ask(slave, partial(self._read, slave, slave.points[name]), silent)
        return value

    async def _ask(self, slave: Slave, work: Callable[[], Awaitable[Any]], otherwise: Any) -> Any:
        if self._ended:
            return otherwise
        job = _Job(slave, work, otherwise)
        self._jobs.append(job)
        self._wake.set()
        return await job.done

    async def _serve(self) -> None:
        """Do what callers ask, in their order."""
        while self._jobs:
            job = self._jobs[0]
            if not job.done.done():
                job.finish(await self._attempt(job))
            self._jobs.popleft()

    async def _attempt(self, job: _Job) -> Any:
        if job.slave.is_held(self._clock.monotonic()):
            return job.otherwise
        try:
            result = await job.work()
        except Unanswered as error:
            self._fail(job.slave, error)
            return job.otherwise
        self._answer(job.slave)
        return result

    async def _visit(self, slave: Slave) -> None:
        """Do what is due with a slave: turn off what must be off, and poll."""
        try:
            now_s = self._clock.monotonic()
            for name in [name for name, due_s in slave.owed.items() if due_s <= now_s]:
                await self._turn_off(slave, name)
            if slave.due_s <= self._clock.monotonic():
                await self._poll(slave)
        except Unanswered as error:
            self._fail(slave, error)
        else:
            self._answer(slave)

    async def _poll(self, slave: Slave) -> None:
        """Read every point. A write that comes meanwhile goes between two requests, and makes another poll due."""
        slave.due_s = self._next_beat_s()
        values: dict[str, Value] = {}
        for span in slave.spans:
            await self._serve()
            read_s = self._clock.monotonic()
            answer = await self._client.read(slave.id, span)
            slave.note(span, answer if isinstance(answer, Refusal) else None)
            values |= slave.values(span, answer, read_s)
        self._answer(slave)
        self._on_values(values)

    async def _read(self, slave: Slave, point: Point) -> Value:
        read_s = self._clock.monotonic()
        answer = await self._client.read(slave.id, Span(point.function, point.address, point.length))
        return Value(None, "bad", read_s) if isinstance(answer, Refusal) else value_of(point, answer, read_s)

    async def _write(self, slave: Slave, name: str, words: tuple[int, ...]) -> WriteResult:
        result = await self._send(slave, name, words)
        if result == "done" and words == encode_off(slave.points[name]):
            slave.owed.pop(name, None)
        return result

    async def _pulse(self, slave: Slave, name: str, pulse_s: float) -> WriteResult:
        owed_s = slave.owed.get(name, math.inf)
        slave.owed[name] = self._clock.monotonic() + pulse_s
        result = await self._send(slave, name, encode_value(slave.points[name], True))
        slave.owed[name] = self._clock.monotonic() + pulse_s if result == "done" else owed_s
        if slave.owed[name] == math.inf:
            del slave.owed[name]
        return result

    async def _turn_off(self, slave: Slave, name: str) -> None:
        """Turn an output off; where that is refused it stays owed."""
        done = await self._send(slave, name, encode_off(slave.points[name])) == "done"
        if done:
            del slave.owed[name]
        else:
            slave.owed[name] = self._clock.monotonic() + OFF_RETRY_S

    async def _send(self, slave: Slave, name: str, words: tuple[int, ...]) -> WriteResult:
        """Write once. It is read back at once."""
        point = slave.points[name]
        if point.function == "coil":
            refusal = await self._client.write_coil(slave.id, point.address, bool(words[0]))
        else:
            refusal = await self._client.write_registers(slave.id, point.address, words)
        slave.note(name, refusal)
        slave.due_s = self._clock.monotonic()
        return "done" if refusal is None else "device_refused"

    async def _leave(self) -> None:
        for slave in self.slaves:
            for name in list(slave.owed):
                if slave.is_silent:
                    break
                try:
                    await self._turn_off(slave, name)
                except Unanswered as error:
                    _log.error("output_left_on", output=name, cause=str(error))
                    break

    def _fail(self, slave: Slave, error: Unanswered) -> None:
        now_s = self._clock.monotonic()
        if slave.fail(now_s, str(error), self._jitter):
            _log.warning("slave_silent", slave=slave.name, cause=str(error))
            self._on_values(slave.unknown(now_s))

    def _answer(self, slave: Slave) -> None:
        if slave.answer(self._clock.monotonic()):
            _log.info("slave_answers", slave=slave.name)

    def _next_beat_s(self) -> float:
        """The next moment of the grid. Beats that were missed are not made up for."""
        beats = math.floor((self._clock.monotonic() - self._start_s) / self._poll_s) + 1
        return self._start_s + beats * self._poll_s

    async def _rest(self, until_s: float) -> None:
        """Wait until a moment, or until a caller comes."""
        self._wake.clear()
        if self._jobs:
            return
        sleep = asyncio.ensure_future(self._clock.sleep(until_s - self._clock.monotonic()))
        wake = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleep, wake), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wake.cancel()


def encode_off(point: Point) -> tuple[int, ...]:
    """Make what turns an output off; of one that takes a level nothing does."""
    return encode_value(point, False) if point.kind == "bool" else ()


def _raise_if_cancelled() -> None:
    """Go on with a cancellation that was covered up.

    Up to Python 3.11 `asyncio.wait_for`, inside pymodbus, forgets one that comes in the same turn of the loop as the
    answer that it waited for.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
