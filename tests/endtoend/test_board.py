"""The real board page of the real application, with a real agent as a process: what a dispatcher sees of a crew."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, expect

from tests.brokers import RunningBroker
from tests.ports import free_port
from tests.site import UNIT, write_device, write_directory
from tests.waiting import wait_until

PROGRAMS = Path(sys.executable).parent
SEEN_MS = 20_000
"""The late threshold at one heartbeat a second is 7 s; the rest is for a busy machine."""
STOP_S = 15.0


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is ended with the block."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        yield running
        running.send_signal(signal.SIGCONT)
        running.terminate()
        running.wait(STOP_S)


def press(path: str, button: str) -> None:
    """Push a button of a scripted panel, once the panel is there."""
    wait_until(lambda: Path(path).exists(), what="the panel")
    with socket.socket(socket.AF_UNIX) as panel:
        panel.connect(path)
        for down in (True, False):
            panel.sendall(json.dumps({"button": button, "down": down}).encode() + b"\n")
        panel.recv(4096)


def answers(port: int) -> bool:
    """Whether the application takes connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_dispatcher_sees_the_press_and_then_the_silence(
    chromium: Browser, shared_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """Never heard, then confirmed in the service's own words, then doubted once the device falls silent."""
    port = free_port()
    config = write_device(tmp_path / "device", broker=shared_mosquitto.url)
    write_directory(tmp_path / "data" / "directory")
    up = ("up", "--data", str(tmp_path / "data"), "--port", str(port), "--broker", shared_mosquitto.url)
    assert config.panel is not None
    with ExitStack() as stack:
        stack.enter_context(process(str(PROGRAMS / "watchroom"), *up))
        wait_until(lambda: answers(port), what="the application", deadline_s=30.0)
        page = stack.enter_context(chromium.new_context()).new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        row = page.locator(f'[id="unit-{UNIT}"]')
        shows(row, "○", "Never heard")
        device = str(tmp_path / "device" / "device.toml")
        agent = stack.enter_context(process(str(PROGRAMS / "edge-agent"), "run", "--config", device))
        press(config.panel.path, "b4")
        shows(row, "●", "Available at base")
        os.kill(agent.pid, signal.SIGSTOP)
        shows(row, "◐", "Available at base")
        os.kill(agent.pid, signal.SIGCONT)
        shows(row, "●", "Available at base")


def shows(row: Locator, glyph: str, words: str) -> None:
    """Wait until the row has this glyph and these words."""
    expect(row).to_contain_text(glyph, timeout=SEEN_MS)
    expect(row).to_contain_text(words, timeout=SEEN_MS)
