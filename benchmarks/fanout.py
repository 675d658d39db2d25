"""What it costs to tell many consoles and partners what changed, and how late the last of them hears it.

`python -m benchmarks.fanout --consoles 200 --partners 10 --updates 5000` serves 5,000 units from the whole application,
a process of its own, which hears that many new positions in ten seconds: as many as those units report in that time.
Consoles follow the feed, partners theirs, each under one of three sets of terms: exact, exact with few fields, or
blurred to 500 m.
It prints one JSON object on the last line:

- `cpu_percent`: of one core, used by the application: judging, remembering, each partner's view, encoding, sending.
- `lag_p99_ms`: from when the fleet heard of an update to when a client had it, beyond one tick; of all clients that
  see exact positions, and all updates.
- `bare_percent`: the baseline of the same minute: a bare server that writes as many bytes to as many connections.
- `ratio`: the one by the other.
"""

import argparse
import asyncio
import hashlib
import json
import secrets
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.fanout_served import TICK_MS
from benchmarks.percentiles import in_ms
from benchmarks.processes import free_port, process
from benchmarks.spoken import ORG, write_directory
from cloud.clock import SystemClock

SECONDS = 10.0
SETTLED_S = 120.0
"""By then everybody has the whole picture."""
TERMS = (
    'fields = ["availability", "status", "position", "link", "crew", "capabilities", "base", "assignment", "mode"]',
    'fields = ["availability", "position"]',
    'fields = ["availability", "status", "position"]\nprecision_m = 500',
)
BLURRED = 2
_clock = SystemClock()


def write_partners(folder: Path, partners: int) -> list[str]:
    """Write partners and agreements into a directory. Gives the partners' tokens."""
    lines, tokens = [], [secrets.token_urlsafe(32) for _ in range(partners)]
    for number, token in enumerate(tokens):
        digest = hashlib.sha256(token.encode()).hexdigest()
        lines.append(f'[[organisation]]\nid = "partner-{number}"\nname = "Partner {number}"\nservice = "police"')
        lines.append(f'[[partner]]\norganisation = "partner-{number}"\ntoken_sha256 = "{digest}"')
        lines.append(f'[[agreement]]\nid = "a-{number}"\nowner = "{ORG}"\npartner = "partner-{number}"\npurpose = "p"')
        lines.append(TERMS[number % len(TERMS)])
    (folder / "directory" / "partners.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tokens


class Client(asyncio.Protocol):
    """One connection that follows a feed: when each event came, and in the sampled ones what is in it."""

    def __init__(self, request: bytes, *, reads: bool) -> None:
        """Say what it asks for, and whether it reads what it gets."""
        self._request, self._reads, self._rest = request, reads, b""
        self.events: list[tuple[bytes, float]] = []
        """The id of each event and the wall clock when it was there."""
        self.born: dict[bytes, list[float]] = {}
        """By id, when the positions in it were measured."""
        self.bytes = 0
        self.has_picture = False
        """Whether it has had the last part of the whole picture, which alone has an id."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Part what came into events."""
        self.bytes += len(data)
        if not self._request:
            return
        self._rest += data
        while (end := self._rest.find(b"\n\n")) >= 0:
            event, self._rest = self._rest[:end], self._rest[end + 2 :]
            start = event.find(b"id: ")
            self.has_picture |= start >= 0
            if start >= 0 and b"\nevent: changes" in event[start : start + 80]:
                name = event[start + 4 : event.index(b"\n", start)]
                self.events.append((name, _clock.now().timestamp()))
                if self._reads:
                    self.born[name] = _born(event)


def _born(event: bytes) -> list[float]:
    body = json.loads(event[event.index(b"data: ") + 6 :].replace(b"\r\n", b""))
    places = [one.get("position") or {} for one in body["records"]]
    return [datetime.fromisoformat(place["gnss_time"]).timestamp() for place in places if place.get("gnss_time")]


async def follow(port: int, token: str = "", *, reads: bool = False) -> Client:
    """Follow a feed over HTTP 1.0, which comes as it is, without chunks."""
    head = f"GET /v1/feed HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n"
    head += f"Authorization: Bearer {token}\r\n\r\n" if token else "\r\n"
    client = Client(head.encode(), reads=reads)
    await asyncio.get_running_loop().create_connection(lambda: client, "127.0.0.1", port)
    return client


async def go(running: asyncio.subprocess.Process) -> dict[str, Any]:
    """Let the process begin, and give what it printed at the end."""
    assert running.stdin is not None and running.stdout is not None
    running.stdin.write(b"go\n")
    return dict(json.loads(await running.stdout.readline()))


def lags_s(clients: Sequence[Client], sampled: Client, began: float) -> list[float]:
    """Give how late each client had each update beyond a tick; those from before the begin are no updates."""
    found = []
    for client in clients:
        for name, at in client.events:
            found += [max(0.0, at - born - TICK_MS / 1000) for born in sampled.born.get(name, ()) if born >= began]
    return found


async def measure(consoles: int, partners: int, updates: int, units: int) -> dict[str, Any]:
    """Run the application, then the bare server."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_directory(folder, units)
        tokens = write_partners(folder, partners)
        port = free_port()
        served = [sys.executable, "-m", "benchmarks.fanout_served", name, str(port), str(units), str(updates)]
        async with process([*served, str(SECONDS)], until="ready", takes_input=True) as running:
            watching = [await follow(port, reads=number == 0) for number in range(consoles)]
            theirs = [await follow(port + 1, token, reads=True) for token in tokens]
            async with asyncio.timeout(SETTLED_S):
                while not all(client.has_picture for client in (*watching, *theirs)):
                    await _clock.sleep(0.1)
            began = _clock.now().timestamp()
            sent = sum(client.bytes for client in (*watching, *theirs))
            spent = await go(running)
            sent = sum(client.bytes for client in (*watching, *theirs)) - sent
    lags = lags_s(watching, watching[0], began)
    for number, client in enumerate(theirs):
        if number % len(TERMS) != BLURRED:
            lags += lags_s([client], client, began)
    if len(lags) < updates * consoles * 0.99:
        raise SystemExit(f"only {len(lags)} of {updates * consoles} updates were heard: nothing was measured")
    bare = await measure_bare(consoles + partners, sent)
    percent = round(100 * spent["cpu_s"] / spent["wall_s"], 1)
    return {
        "consoles": consoles,
        "partners": partners,
        "updates": updates,
        "units": units,
        "cpu_percent": percent,
        "lag_p99_ms": in_ms(lags, 0.99),
        "lag_p50_ms": in_ms(lags, 0.5),
        "megabytes_a_second": round(sent / spent["wall_s"] / 1e6, 1),
        "held_back": spent["held_back"],
        "bare_percent": bare,
        "ratio": round(percent / bare, 2),
    }


async def measure_bare(connections: int, sent: int) -> float:
    """Let a bare server write as many bytes as often to as many connections. Gives the share of a core it took."""
    events = int(SECONDS * 1000 / TICK_MS)
    port, size = free_port(), max(1, sent // connections // events)
    served = [sys.executable, "-m", "benchmarks.fanout_served", "bare", str(port), str(size), str(events), str(SECONDS)]
    async with process(served, until="ready", takes_input=True) as running:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            await loop.create_connection(lambda: Client(b"", reads=False), "127.0.0.1", port)
        spent = await go(running)
    return round(100 * float(spent["cpu_s"]) / float(spent["wall_s"]), 1)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--consoles", type=int, default=200, help="who follows the feed (default 200)")
    parser.add_argument("--partners", type=int, default=10, help="who follows a feed of their own (default 10)")
    parser.add_argument("--updates", type=int, default=5000, help="new positions in ten seconds (default 5000)")
    parser.add_argument("--units", type=int, default=5000, help="how many units there are (default 5000)")
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(measure(asked.consoles, asked.partners, asked.updates, asked.units))))


if __name__ == "__main__":
    main()
