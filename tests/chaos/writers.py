"""Processes that the power is cut under. Each runs the production outbox or ledger and says what it was told.

One warm process forks them, so that a new one costs milliseconds. It reads jobs, a line each, and `end`, which kills
the one that runs. What they say goes to the same pipe, a line each, each written at once.
"""

import asyncio
import os
import signal
import sqlite3
import sys

import msgspec
import structlog

from cloud.errors import CloudError
from edge_agent.errors import AgentError
from tests.chaos.jobs import Job, say
from tests.chaos.ledger_writer import LedgerWriter
from tests.chaos.outbox_writer import OutboxWriter


class PlainWriter:
    """Commits rows to a plain SQLite file, with whatever settings: what the lab must be able to see losing."""

    def __init__(self, job: Job) -> None:
        """Open or make the file."""
        self._db = sqlite3.connect(f"{job.folder}/plain.db", isolation_level=None)
        self._db.execute(f"PRAGMA journal_mode={job.journal}")
        self._db.execute(f"PRAGMA synchronous={job.synchronous}")
        self._db.execute("CREATE TABLE IF NOT EXISTS row(number INTEGER PRIMARY KEY, text TEXT)")
        self._next = job.first
        say("open")

    async def do(self, step: str) -> None:
        """Commit one row, whatever the step."""
        self._db.execute("INSERT INTO row VALUES(?, ?)", (self._next, "x" * 200))
        say("stored", "row", self._next)
        self._next += 1


ROLES: dict[str, type[OutboxWriter] | type[LedgerWriter] | type[PlainWriter]] = {
    "outbox": OutboxWriter,
    "ledger": LedgerWriter,
    "plain": PlainWriter,
}


async def work(job: Job) -> None:
    """Do the steps. `again` starts over, `hold` waits for a sign, and after the last one it waits for its end."""
    writer = ROLES[job.role](job)
    at = 0
    while at < len(job.steps):
        step, at = job.steps[at], at + 1
        if step == "again":
            at = 0
        elif step == "hold":
            say("holding")
            signal.sigwait({signal.SIGUSR1})
        else:
            await writer.do(step)
    say("idle")
    signal.pause()


def _run(job: Job) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    say("born", os.getpid())
    try:
        asyncio.run(work(job))
    except (AgentError, CloudError, sqlite3.Error, OSError) as error:
        say("failed", type(error).__name__, str(error).replace("\n", " ")[:400])


def main() -> None:
    """Fork a process for each job; kill it at `end`, or when the lab is gone."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # stdout is the lab's
    signal.signal(signal.SIGCHLD, _mourn)
    child = 0
    while line := sys.stdin.buffer.readline():
        if line != b"end\n":
            child = os.fork()
            if not child:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _run(msgspec.json.decode(line, type=Job))
                os._exit(0)
        else:
            _kill(child)
            child = 0
            say("gone")
    _kill(child)


def _mourn(*_: object) -> None:
    """Tell the lab where a writer has died by a signal of its own."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return  # it was killed, and is buried already
    if found is not None and found.si_status not in (0, signal.SIGKILL):
        say("failed", "died", found.si_status)


def _kill(child: int) -> None:
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
