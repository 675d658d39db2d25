"""A control room as a real process, with partners, agreements, and things that no partner may ever hear of."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.cloud.process import COMMAND, ROOT
from tests.ports import free_port
from tests.waiting import wait_until

START_S = 30.0
TOKENS = {"ka": "token-of-the-ambulance-service", "kf": "token-of-the-fire-service"}
CANARY = "canary"
"""Stands in everything that the ambulance service may not see, and in nothing that it may."""
_UNIT = """
[[unit]]
id = "{unit}"
callsign = "{callsign}"
organisation = "kp"
type = "response car"
base = "stn"
scheme = "uk-police-state"
carrier = "veh-{unit}"
capabilities = ["canary dog"]
covert = {covert}
[[vehicle]]
id = "canary-{unit}"
organisation = "kp"
type = "car"
device = "veh-{unit}"
[[device]]
id = "veh-{unit}"
organisation = "kp"
enrolment = "E-{unit}"
"""
_DIRECTORY = """
[[organisation]]
id = "kp"
name = "Weald Police"
service = "police"
[[organisation]]
id = "kf"
name = "Weald Fire and Rescue"
service = "fire"
[[organisation]]
id = "ka"
name = "Weald Ambulance"
service = "ambulance"
[[base]]
id = "stn"
name = "Canary yard"
[[agreement]]
id = "boundaries"
owner = "kp"
partner = "ka"
purpose = "boundaries"
covers = { units = [@COVERED@] }
fields = ["availability", "status"]
[[agreement]]
id = "fire"
owner = "kp"
partner = "kf"
purpose = "canary"
fields = ["availability", "status", "base", "vehicle", "capabilities", "crew", "link"]
[[partner]]
organisation = "ka"
token_sha256 = "@KA@"
mqtt = true
[[partner]]
organisation = "kf"
token_sha256 = "@KF@"
mqtt = true
"""


class Room:
    """`watchroom up` on a broker that runs already, in a folder and on ports that outlive the process."""

    def __init__(self, folder: Path, broker: str) -> None:
        """Write its directory. Nothing runs yet."""
        self._folder, self._broker = folder, broker
        self._port, self._partner_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self.cover("p1", "p2", "p3")

    @property
    def feed_url(self) -> str:
        """Where a partner follows its view."""
        return f"http://127.0.0.1:{self._partner_port}/v1/feed"

    @property
    def log(self) -> str:
        """What the processes have said so far."""
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self._folder.glob("*.log")))

    def cover(self, *units: str) -> None:
        """Write the directory anew: the ambulance service's agreement covers these units."""
        text = _DIRECTORY.replace("@COVERED@", ", ".join(f'"{unit}"' for unit in units))
        for name, token in TOKENS.items():
            text = text.replace(f"@{name.upper()}@", hashlib.sha256(token.encode()).hexdigest())
        for unit in ("p1", "p2", "p3", "p4"):
            text += _UNIT.format(unit=unit, callsign=unit.upper(), covert="false")
        text += _UNIT.format(unit="canary-5", callsign="Canary 5", covert="true")
        text += _UNIT.format(unit="canary-6", callsign="Canary 6", covert="false")
        folder = self._folder / "directory"
        folder.mkdir(exist_ok=True)
        (folder / "all.toml").write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Start it, and return once it answers."""
        self._starts += 1
        options = {
            "--data": str(self._folder / "data"),
            "--directory": str(self._folder / "directory"),
            "--port": str(self._port),
            "--partner-port": str(self._partner_port),
            "--broker": self._broker,
        }
        with (self._folder / f"{self._starts}.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "up", *(word for pair in options.items() for word in pair)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=ROOT,
            )
        wait_until(lambda: self._get(self._port, "/healthz") is not None, what="an answer", deadline_s=START_S)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def say(self, unit: str, code: str) -> None:
        """Enter a unit's status at control."""
        said = {"code": code, "by": "Canary, operator", "reason": "canary remark"}
        httpx.post(f"http://127.0.0.1:{self._port}/v1/units/{unit}/status", json=said).raise_for_status()

    def withdraw(self, agreement: str) -> None:
        """Withdraw an agreement."""
        said = {"by": "Canary, chief", "reason": "canary"}
        url = f"http://127.0.0.1:{self._port}/v1/agreements/{agreement}/withdraw"
        httpx.post(url, json=said).raise_for_status()

    def view(self, partner: str = "ka") -> dict[str, Any]:
        """What a partner may see, by unit, asked for with its token; but for ages."""
        found = self._get(self._partner_port, "/v1/units", {"Authorization": f"Bearer {TOKENS[partner]}"})
        assert found is not None
        return {record["unit"]: lasting(record) for record in found["units"]}

    def trouble(self) -> list[str]:
        """What it says is wrong with what it publishes."""
        found = self._get(self._port, "/healthz")
        return [] if found is None else [line for line in found["trouble"] if "MQTT" in line or "views" in line]

    def _get(self, port: int, path: str, headers: dict[str, str] | None = None) -> Any:
        try:
            return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=5).json()
        except httpx.TransportError:
            return None


def lasting(record: dict[str, Any]) -> dict[str, Any]:
    """All of a record but its ages, and until when it is valid."""
    kept = {name: value for name, value in record.items() if not name.endswith("_s") and name != "valid_until"}
    if "reasons" in kept:
        kept["reasons"] = [{name: value for name, value in one.items() if name != "age_s"} for one in kept["reasons"]]
    return kept
