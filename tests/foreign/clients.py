"""Clients that others wrote: mosquitto_sub, MQTT.js and curl. Each holds what a supplier's system would show."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.foreign.room import TOKENS, lasting
from tests.programs import require_node_packages, require_program

HERE = Path(__file__).parent
PARTNER = "ka"
_TOPIC = f"wr/1/feed/{PARTNER}/"


class Client:
    """A program that runs, and what it has said so far."""

    def __init__(self, folder: Path, *command: str) -> None:
        """Start it."""
        folder.mkdir()
        self._folder = folder
        with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(command, stdout=stdout, stderr=stderr, start_new_session=True)

    @property
    def heard(self) -> str:
        """Everything that ever came to it, and its complaints."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in sorted(self._folder.iterdir()))

    def view(self) -> dict[str, Any]:
        """What it holds, by unit, but for ages."""
        return {record["unit"]: lasting(record) for record in self._held()}

    def close(self) -> None:
        """End it, and whatever it has started."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _held(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _lines(self) -> list[str]:
        """What it has said, in whole lines."""
        return (self._folder / "stdout").read_text(encoding="utf-8").split("\n")[:-1]


class MosquittoSub(Client):
    """Mosquitto's own client, which connects again by itself and says so."""

    def __init__(self, folder: Path, port: int) -> None:
        """Follow the view."""
        program = str(require_program("mosquitto_sub"))
        super().__init__(folder, program, "-d", "-p", str(port), "-q", "1", "-t", f"{_TOPIC}#", "-F", "told %t %p")

    def _held(self) -> list[dict[str, Any]]:
        held: dict[str, dict[str, Any]] = {}
        for line in self._lines():
            if "received CONNACK" in line:
                held.clear()  # what stands comes again
            elif line.startswith("told "):
                _, topic, payload = line.split(" ", 2)
                held.pop(topic, None)
                if payload:
                    held[topic] = json.loads(payload)
        return list(held.values())


class MqttJs(Client):
    """MQTT.js, in a script that does what the page for consumers says."""

    def __init__(self, folder: Path, port: int) -> None:
        """Follow the view."""
        require_node_packages()
        node = str(require_program("node"))
        super().__init__(folder, node, str(HERE / "follow.mjs"), f"mqtt://127.0.0.1:{port}", PARTNER)

    def _held(self) -> list[dict[str, Any]]:
        lines = self._lines()
        return list(json.loads(lines[-1])["held"].values()) if lines else []


class Curl(Client):
    """curl, in a loop that goes on after the last event that came whole."""

    def __init__(self, folder: Path, url: str) -> None:
        """Follow the feed."""
        require_program("curl")
        headers = folder.parent / "headers"
        headers.write_text(f"Authorization: Bearer {TOKENS[PARTNER]}\n", encoding="ascii")
        super().__init__(folder, "/bin/sh", str(HERE / "follow.sh"), url, str(headers), str(folder))

    def cut(self) -> None:
        """Break its connection, as a network would: curl ends, and the loop begins another."""
        for child in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text("ascii").split():
            os.kill(int(child), signal.SIGKILL)

    def kinds(self) -> list[str]:
        """The kind of every event that came whole."""
        return [kind for kind, _ in self._events()]

    def _events(self) -> list[tuple[str, dict[str, Any]]]:
        found = []
        for path in sorted(self._folder.glob("*.sse")):
            for event in path.read_text(encoding="utf-8").split("\n\n")[:-1]:
                fields = dict(line.split(": ", 1) for line in event.split("\n"))
                if "event" in fields:
                    found.append((fields["event"], json.loads(fields["data"])))
        return found

    def _held(self) -> list[dict[str, Any]]:
        held: dict[str, dict[str, Any]] = {}
        parts: list[dict[str, Any]] = []
        for kind, data in self._events():
            if kind == "snapshot":
                parts = [*(parts if data["part"] > 1 else []), *data["records"]]
                if data["part"] == data["parts"]:
                    held = {record["unit"]: record for record in parts}
            elif kind == "changes":
                held |= {record["unit"]: record for record in data["records"]}
                for unit in data["gone"]:
                    held.pop(unit, None)
        return list(held.values())
