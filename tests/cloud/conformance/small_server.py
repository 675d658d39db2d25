"""A partner's server in little, written from the documents alone: right as it is, wrong in one way where overridden.

What it shows is a function of the time: every `STEP_S` one unit's status changes.
"""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from cloud.clock import SystemClock
from cloud.feeds.eido import eido
from cloud.feeds.geojson import feature_collection
from wire.partner import PartnerUnits

TOKEN = "s3cret"
HIDDEN = "kf-99"
STEP_S, TICK_S = 0.9, 0.2
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Record = dict[str, Any]
_CLOCK = SystemClock()


class SmallServer:
    """What it answers, by the second since it began."""

    epoch = "e1"

    def cursor(self, now_s: float) -> int:
        """How many events have changed something."""
        return int(now_s / STEP_S)

    def records(self, now_s: float) -> list[Record]:
        """Every unit that the partner may see."""
        return [self.pump(now_s), {**_named("kp-1", "police"), "grants": []}, self.ambulance(now_s)]

    def pump(self, now_s: float) -> Record:
        """A unit whose status and place are opened, and whose status changes."""
        step_s = self.cursor(now_s) * STEP_S
        age_s = now_s - step_s
        place = {"fix": "3d", "lat": 51.25, "lon": 0.5, "accuracy_m": 5.0, "age_s": 1.0, "heading_deg": None}
        return _named("kf-1", "fire") | {
            "grants": ["position", "status"],
            "status": _status(str(self.cursor(now_s) % 2 + 3), stamp(step_s)),
            "activity": "free",
            "status_s": round(age_s, 3),
            "position": place | {"speed_mps": None, "altitude_m": None, "gnss_time": None},
            "position_fresh": True,
            "position_s": 1.0,
        }

    def ambulance(self, now_s: float) -> Record:
        """A unit that stands as it is, its status six minutes old when the server began."""
        reason = {"code": "declared", "text": "Declared", "source": "status", "age_s": 360.0 + now_s}
        return _named("ks-1", "ambulance") | {
            "grants": ["availability", "status"],
            "class": "Available",
            "confidence": "confirmed",
            "reasons": [reason],
            "tier_min": 0,
            "status": _status("1", stamp(-360)),
            "activity": None,
            "status_s": 360.0 + now_s,
        }

    def changed(self, since: int, now_s: float) -> list[Record]:
        """The records that changed after a cursor."""
        return [self.pump(now_s)] if self.cursor(now_s) > since else []

    def snapshot(self, now_s: float) -> list[str]:
        """The events of a whole picture."""
        body = {"epoch": self.epoch, "part": 1, "parts": 1, "tick_ms": 200, "lost_after_s": 3.0, "partner": "kp"}
        return [self.event("snapshot", now_s, body | {"records": self.records(now_s)})]

    def since(self, last_event_id: str, now_s: float) -> list[str]:
        """The events for who comes back."""
        epoch, _, cursor = last_event_id.rpartition("-")
        if epoch != self.epoch or not cursor.isdecimal() or int(cursor) > self.cursor(now_s):
            return self.snapshot(now_s)
        return [self.event("changes", now_s, {"records": self.changed(int(cursor), now_s), "gone": []})]

    def step(self, before: int, now_s: float) -> str:
        """The event of a tick: what changed, or that nothing did."""
        records = self.changed(before, now_s)
        return self.event("changes" if records else "tick", now_s, {"records": records} if records else {})

    def event(self, kind: str, now_s: float, body: Mapping[str, Any]) -> str:
        """An event with its id."""
        cursor = self.cursor(now_s)
        data = json.dumps({"at": stamp(now_s), "cursor": cursor, **body})
        return f"id: {self.epoch}-{cursor}\nevent: {kind}\ndata: {data}\n\n"

    def tag(self, now_s: float) -> str:
        """The ETag of every list."""
        return f'"{self.epoch}-{self.cursor(now_s)}"'

    def no_unit(self, unit: str) -> tuple[int, bytes]:
        """The answer for a unit that there is not, or that may not be seen."""
        return 404, b'{"problem": "there is no such unit"}'

    def listed(self, query: Mapping[str, str], now_s: float) -> PartnerUnits | None:
        """A page of the list; None where the query is not understood."""
        if query.keys() - {"limit", "after", "format", "service", "type", "class", "confidence"}:
            return None
        wanted = {name: query[name] for name in ("service", "type", "class", "confidence") if name in query}
        found = [one for one in self.records(now_s) if all(one.get(name) == value for name, value in wanted.items())]
        found = [one for one in found if one["unit"] > query.get("after", "")]
        limit = int(query.get("limit", "1000"))
        more = found[limit - 1]["unit"] if len(found) > limit else None
        page = {"at": stamp(now_s), "cursor": self.cursor(now_s), "units": found[:limit], "next_after": more}
        return msgspec.convert(page, PartnerUnits)

    def page(self, page: PartnerUnits, form: str) -> tuple[str, bytes]:
        """A page in one of the formats."""
        if form == "geojson":
            return "application/geo+json", msgspec.json.encode(feature_collection(page))
        if form == "eido":
            return "application/eido+json", msgspec.json.encode(eido(page, issuer="small.example"))
        return "application/json", msgspec.json.encode(page)

    @contextlib.contextmanager
    def serve(self) -> Iterator[str]:
        """Serve on a free port; gives the address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _reader_of(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def stamp(now_s: float) -> str:
    """A moment, as it is written."""
    return (NOON + timedelta(seconds=now_s)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _named(unit: str, service: str) -> Record:
    named = {"unit": unit, "callsign": unit.upper(), "organisation": unit[:2], "service": service, "type": "pump"}
    return named | {"agreements": ["a1"], "as_of": stamp(0)}


def _status(code: str, since: str) -> Record:
    return {"scheme": "uk-fire-gd92", "code": code, "label": "So", "since": since, "proven": True, "by": "panel"}


def _reader_of(server: SmallServer) -> type["_Reader"]:
    class Reader(_Reader):
        small = server
        began_s = _CLOCK.monotonic()

    return Reader


class _Reader(BaseHTTPRequestHandler):
    small: SmallServer
    began_s: float

    @property
    def now_s(self) -> float:
        """Seconds since the server began."""
        return _CLOCK.monotonic() - self.began_s

    def do_GET(self) -> None:
        """Answer, to whoever brings the token."""
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, "application/json", b'{"problem": "bring your token"}')
        elif path == "/v1/feed":
            self._feed()
        elif path == "/v1/units":
            self._units(query)
        else:
            self._unit(path.removeprefix("/v1/units/"))

    def _units(self, query: dict[str, str]) -> None:
        now_s = self.now_s
        page, tag = self.small.listed(query, now_s), self.small.tag(now_s)
        if page is None:
            self._answer(422, "application/json", b'{"problem": "the query is not understood"}')
        elif self.headers.get("If-None-Match") == tag:
            self._answer(304, "application/json", b"", tag)
        else:
            self._answer(200, *self.small.page(page, query.get("format", "")), tag)

    def _unit(self, unit: str) -> None:
        found = [one for one in self.small.records(self.now_s) if one["unit"] == unit]
        status, body = (200, json.dumps(found[0]).encode()) if found else self.small.no_unit(unit)
        self._answer(status, "application/json", body)

    def _answer(self, status: int, media_type: str, body: bytes, tag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(body)

    def _feed(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        now_s, came_with = self.now_s, self.headers.get("Last-Event-ID")
        events = self.small.since(came_with, now_s) if came_with is not None else self.small.snapshot(now_s)
        before = self.small.cursor(now_s)
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write("".join(events).encode())
                threading.Event().wait(TICK_S)
                now_s = self.now_s
                events, before = [self.small.step(before, now_s)], self.small.cursor(now_s)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
