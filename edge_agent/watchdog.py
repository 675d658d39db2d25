"""Tells systemd that the agent is alive, by sd_notify(3): a datagram to the socket that NOTIFY_SOCKET names.

A process that runs is not alive yet. The loop that takes each press and the thread that keeps it are asked again and
again, and while one does not answer the watchdog gets nothing: systemd then ends the agent and starts it anew. One that
answers with an error is alive: a full or read-only disk is for lamps and voice, and no restart would mend it.

Written by hand: the pure library for this was last released in 2017, the others are compiled, and it is one `sendto`.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

import structlog

from edge_agent.clock import Clock
from edge_agent.outbox import OutboxKeeper, StorageFailed
from wire.findings import Finding

_log = structlog.get_logger("watchdog")

Probe = Callable[[], Awaitable[object]]
"""Asks a part, and returns once it has answered."""
Question = asyncio.Event
"""What is put among the readings to ask the loop that takes them. It answers by setting it."""

PATIENCE_S = 180.0
"""How long a part may be silent. The disk's thread takes over a damaged outbox in one go (seconds on a fast disk, a
minute or two on a slow memory card): to end it then would begin the same anew, for ever."""
UNWATCHED_S = 10.0
"""How often the parts are asked where systemd wants to be told of the state, but set no watchdog."""
PETS = 3
"""Pets in the time in which systemd wants one: two may be lost or late."""
STATUS_CHARS_MAX = 200


class Watchdog:
    """One service's word to systemd. Where no NOTIFY_SOCKET is set it asks nobody and says nothing."""

    def __init__(self, clock: Clock, environ: Mapping[str, str], *, patience_s: float = PATIENCE_S) -> None:
        """Read from `environ` where to speak, and how often (WATCHDOG_USEC, where WATCHDOG_PID is this process)."""
        self._clock = clock
        self._patience_s = patience_s
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._watched_s = _watched_s(environ, os.getpid())
        self._pause_s = (self._watched_s or UNWATCHED_S * PETS) / PETS
        self._answered: dict[str, float] = {}
        self._complete = asyncio.Event()
        self._said = ""
        self._withheld = self._unheard = False

    async def run(self, probes: Mapping[str, Probe], status: Callable[[], str]) -> None:
        """Tell that the service is ready once every part has answered, then pet while all do. `STOPPING=1` at the end.

        `status` gives one line for `systemctl status`.
        """
        if not self._address:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                for part, probe in probes.items():
                    tasks.create_task(self._ask(part, probe, len(probes)))
                tasks.create_task(self._beat(status))
        finally:
            self._tell("STOPPING=1")

    async def _ask(self, part: str, probe: Probe, parts: int) -> None:
        while True:
            await probe()
            self._answered[part] = self._clock.monotonic()
            if len(self._answered) == parts:
                self._complete.set()
            await self._clock.sleep(self._pause_s)

    async def _beat(self, status: Callable[[], str]) -> None:
        await self._complete.wait()
        self._tell("READY=1")
        while True:
            silent = silent_parts(self._answered, self._clock.monotonic(), self._patience_s)
            self._note(silent)
            if self._watched_s is not None and not silent:
                self._tell("WATCHDOG=1")
            self._say("; ".join(silent) or status())
            await self._clock.sleep(self._pause_s)

    def _note(self, silent: tuple[str, ...]) -> None:
        if silent and not self._withheld:
            _log.error("watchdog_withheld", cause="; ".join(silent))
        elif self._withheld and not silent:
            _log.info("watchdog_resumed")
        self._withheld = bool(silent)

    def _say(self, status: str) -> None:
        line = " ".join(status.split())[:STATUS_CHARS_MAX]
        if line != self._said:
            self._said = line
            self._tell(f"STATUS={line}")

    def _tell(self, words: str) -> None:
        """Send, or let it be: what can't be sent now is not waited for, since the next comes soon."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sender:
            try:
                sender.sendto(words.encode(), self._address)
            except OSError as error:
                if not self._unheard:
                    _log.warning("watchdog_unheard", cause=str(error))
                self._unheard = True
                return
        self._unheard = False


def silent_parts(answered: Mapping[str, float], now_s: float, patience_s: float) -> tuple[str, ...]:
    """Name those that have not answered for longer than `patience_s`, each with for how long. Pure."""
    return tuple(
        f"{part} has not answered for {now_s - at_s:.0f} s"
        for part, at_s in answered.items()
        if now_s - at_s > patience_s
    )


def status_line(findings: Iterable[Finding]) -> str:
    """Say on one line what is not well, for `systemctl status`. Pure."""
    return "; ".join(f"{one.check}: {one.found}" for one in findings if one.level != "ok") or "all is well"


def through(put: Callable[[Question], None]) -> Probe:
    """Ask the loop that takes what is `put` before it. It answers only once it has done all that came earlier."""

    async def ask() -> None:
        question = Question()
        put(question)
        await question.wait()

    return ask


def disk_of(keeper: OutboxKeeper) -> Probe:
    """Ask the thread that alone touches the outbox. That its disk failed is an answer too."""

    async def ask() -> None:
        with suppress(StorageFailed):
            await keeper.held()

    return ask


def _address(written: str) -> str:
    """Where NOTIFY_SOCKET leads: a path, or after `@` a name that is no file. Empty where it is neither."""
    if written.startswith("@"):
        return "\0" + written[1:]
    return written if written.startswith("/") else ""


def _watched_s(environ: Mapping[str, str], pid: int) -> float | None:
    written, meant = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(pid))
    if not written.isdecimal() or int(written) == 0 or meant != str(pid):
        return None
    return int(written) / 1_000_000
