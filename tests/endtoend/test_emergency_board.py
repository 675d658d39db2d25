"""An emergency on the real board of the real application, from a real agent's button to the lamp beside it."""

import json
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tests.brokers import RunningBroker
from tests.endtoend.test_board import SEEN_MS, answers, process
from tests.endtoend.test_emergency import write_guarded
from tests.ports import free_port
from tests.site import UNIT, write_directory
from tests.waiting import wait_until

ESCALATED_MS = 20_000
"""More than the 15 s for which nobody may have an emergency in hand."""
PROGRAMS = Path(sys.executable).parent


class Panel:
    """A scripted panel: its guarded button and the lamp beside that."""

    def __init__(self, path: str) -> None:
        """Connect to it."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._socket.settimeout(SEEN_MS / 1000)
        self._lines = self._socket.makefile("rb")

    def push(self, down: bool) -> None:
        """Hold the button, or let it go."""
        self._socket.sendall(json.dumps({"button": "sos", "down": down}).encode() + b"\n")

    def wait_for_lamp(self, lamp: str) -> None:
        """Read what the panel shows until its lamp is so."""
        for line in self._lines:
            view: dict[str, Any] = json.loads(line)
            if view["lamps"].get("sos") == lamp:
                return
        raise AssertionError("the panel is gone")

    def close(self) -> None:
        """Leave it."""
        self._lines.close()
        self._socket.close()


def test_an_emergency_is_taken_in_hand_at_the_board(
    chromium: Browser, shared_mosquitto: RunningBroker, tmp_path: Path
) -> None:
    """In nobody's hand two boards say so; `Shift+A` steadies the lamp; cancelled on one it is off both, and dark."""
    port = free_port()
    config = write_guarded(tmp_path / "device", shared_mosquitto.url)
    write_directory(tmp_path / "data" / "directory")
    up = ("up", "--data", str(tmp_path / "data"), "--port", str(port), "--broker", shared_mosquitto.url)
    panel_at = config.panel
    assert panel_at is not None
    with ExitStack() as stack:
        stack.enter_context(process(str(PROGRAMS / "watchroom"), *up))
        wait_until(lambda: answers(port), what="the application", deadline_s=30.0)
        browsing = stack.enter_context(chromium.new_context())
        page, second = browsing.new_page(), browsing.new_page()
        for board in (page, second):
            board.goto(f"http://127.0.0.1:{port}/")
            expect(board.locator("body")).to_have_attribute("data-feed", "live", timeout=SEEN_MS)
        device = str(tmp_path / "device" / "device.toml")
        stack.enter_context(process(str(PROGRAMS / "edge-agent"), "run", "--config", device))
        wait_until(lambda: Path(panel_at.path).exists(), what="the panel")
        panel = Panel(panel_at.path)
        stack.callback(panel.close)
        panel.push(True)
        for board in (page, second):
            expect(board.locator(".emergency")).to_contain_text("14P1", timeout=SEEN_MS)
            expect(board.locator("#alarms")).to_have_text("ALARMS 1")
        expect(page.locator(f'[id="unit-{UNIT}"]')).to_have_attribute("data-emergency", "true")
        panel.push(False)
        for board in (page, second):
            expect(board.locator(".emergency-nobody")).to_have_text("NOBODY HAS THIS: 15 s", timeout=ESCALATED_MS)
        page.keyboard.press("Shift+A")
        page.keyboard.type("Op 7")
        page.keyboard.press("Enter")
        for board in (page, second):
            expect(board.locator(".emergency")).to_contain_text("in hand of Op 7")
            expect(board.locator("#action")).to_contain_text("Emergency 14P1: in hand of Op 7")
        panel.wait_for_lamp("steady")
        second.keyboard.press("Shift+A")
        second.keyboard.press("Enter")
        second.locator("#t-by").fill("Op 9")
        second.locator("#t-reason").fill("crew safe")
        second.keyboard.press("Enter")
        for board in (page, second):
            expect(board.locator("#emergencies")).to_be_hidden()
            expect(board.locator("#action")).to_contain_text("Emergency 14P1: cancelled by Op 9: crew safe")
        panel.wait_for_lamp("dark")
