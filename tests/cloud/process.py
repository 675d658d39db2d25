"""`watchroom` as a real process, with everything of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.ports import free_port
from tests.site import write_directory
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
START_S = 30.0
STOP_S = 5.0
"""How long a stop may take, with whatever clients."""
FROZEN_STOP_S = 20.0
"""The same while the broker does not answer: it is given ten seconds before it is killed."""
COMMAND = "from cloud.cli import main; main()"


class Watchroom:
    """A `watchroom` that runs, with everything of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        """Start `watchroom up` in `folder`, where a directory is."""
        write_directory(folder / "directory")
        self.folder = folder
        self.port, self.partner_port = free_port(), free_port()
        ports = ["--port", str(self.port), "--partner-port", str(self.partner_port)]
        options = ["--data", str(folder / "data"), "--directory", str(folder / "directory")]
        self._said = (folder / "stdout").open("wb"), (folder / "stderr").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "up", *options, *ports, *arguments],
            stdout=self._said[0],
            stderr=self._said[1],
            cwd=ROOT,
        )

    @property
    def stdout(self) -> str:
        """What it said to the person who started it."""
        return (self.folder / "stdout").read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        """Its log."""
        return (self.folder / "stderr").read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        """Return once it has said where it is."""
        wait_until(lambda: "Ctrl-C" in self.stdout or self.process.poll() is not None, what="ready", deadline_s=START_S)
        assert self.process.poll() is None, self.stderr

    def stop(self, number: signal.Signals, within_s: float) -> None:
        """Ask it to end, and insist: in time, with exit code 0, without a complaint, and with nothing left running."""
        started_s = time.monotonic()
        self.process.send_signal(number)
        assert 0 == self.process.wait(within_s + 20), self.stderr
        assert time.monotonic() - started_s < within_s
        assert "Traceback" not in self.stderr
        assert [] == running_in(self.folder)

    def close(self) -> None:
        """Let go of it, whatever became of it."""
        for pid in running_in(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        for file in self._said:
            file.close()


def running_in(folder: Path) -> list[int]:
    """The processes whose command names something in this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if os.fsencode(f"{folder}/") in entry.read_bytes():
                found.append(int(entry.parent.name))
    return found


def broker_of(watchroom: Watchroom) -> int:
    """Its broker's process."""
    (pid,) = set(running_in(watchroom.folder)) - {watchroom.process.pid}
    return pid


@contextlib.contextmanager
def feed_client(port: int) -> Iterator[socket.socket]:
    """A client that is on the feed, and stays."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while b"event: snapshot" not in client.recv(65_536):
            pass
        yield client


@contextlib.contextmanager
def running_watchroom(folder: Path) -> Iterator[Watchroom]:
    """A `watchroom up` with a broker of its own, ready."""
    running = Watchroom(folder, "--mqtt-port", str(free_port()))
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


def python(script: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a script with this interpreter until it ends."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "160", "TERMINAL_WIDTH": "160"} | environment,
        timeout=START_S,
        check=False,
    )
