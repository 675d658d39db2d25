"""A small server on which a consumer under test is led through scenes: it serves a feed, and takes what is held."""

import contextlib
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

HOST = "127.0.0.1"
VIEW_BYTES_MAX = 16 * 1024 * 1024
_CUT = None
"""In place of an event: end the answer."""


class Stage:
    """Serves /v1/feed to one consumer, event by event as it is told, and takes PUT /view."""

    def __init__(self, port: int = 0) -> None:
        """Listen on a port of the loopback interface; 0 for any that is free. Raises OSError where it is taken."""
        self._news = threading.Condition()
        self._views: list[Mapping[str, Any]] = []
        self._asked: list[str] = []
        """The `Last-Event-ID` of each request for the feed; empty for none."""
        self._listening: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        """What the newest request for the feed is still to be given."""
        self._said: list[str] = []
        """What was sent since the last cut, for a consumer that comes back by itself."""
        self._server = ThreadingHTTPServer((HOST, port), _reader_of(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens, as a URL."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def close(self) -> None:
        """End every answer, and listen no more."""
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    def send(self, text: str) -> None:
        """Send the consumer some lines of its stream."""
        with self._news:
            self._said.append(text)
            self._listening.put(text.encode())

    def cut(self) -> None:
        """Cut the consumer's connection."""
        with self._news:
            self._said.clear()
            self._listening.put(_CUT)

    @property
    def asked(self) -> int:
        """How often the feed was asked for."""
        with self._news:
            return len(self._asked)

    def wait_asked(self, count: int, within_s: float) -> str | None:
        """Wait for the request for the feed of this number, from 1. Gives its `Last-Event-ID`; None where none came."""
        with self._news:
            came = self._news.wait_for(lambda: len(self._asked) >= count, within_s)
            return self._asked[count - 1] if came else None

    @property
    def views(self) -> int:
        """How many views were PUT."""
        with self._news:
            return len(self._views)

    def wait_view(
        self, fits: Callable[[Mapping[str, Any]], bool], within_s: float, *, since: int
    ) -> Mapping[str, Any] | None:
        """Wait for a view that fits, after the first `since`. Gives it, else the newest; None where none came."""
        with self._news:
            self._news.wait_for(lambda: any(map(fits, self._views[since:])), within_s)
            came = self._views[since:]
            fitting = [one for one in came if fits(one)]
            return [*came, *fitting][-1] if came else None

    def take_feed(self, last_event_id: str, write: Callable[[bytes], None]) -> None:
        """Serve the feed to one request, until it is cut or another one comes."""
        events: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        with self._news:
            self._listening.put(_CUT)
            self._listening = events
            for text in _after(self._said, last_event_id):
                events.put(text.encode())
            self._asked.append(last_event_id)
            self._news.notify_all()
        while (event := events.get()) is not _CUT:
            write(event)

    def take_view(self, view: Mapping[str, Any]) -> None:
        """Note what the consumer holds."""
        with self._news:
            self._views.append(view)
            self._news.notify_all()


def _after(said: Sequence[str], last_event_id: str) -> Sequence[str]:
    """Give what was said after the event with an id; all of it where that is not among it."""
    known = [number for number, text in enumerate(said, 1) if f"id: {last_event_id}" in text.splitlines()]
    return said[known[-1] :] if known and last_event_id else said


def _reader_of(served: Stage) -> type["_Reader"]:
    class Reader(_Reader):
        stage = served

    return Reader


class _Reader(BaseHTTPRequestHandler):
    stage: Stage

    def do_GET(self) -> None:
        """Serve the feed, until it is cut."""
        if self.path.partition("?")[0] != "/v1/feed":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.stage.take_feed(self.headers.get("Last-Event-ID", ""), self._write)

    def do_PUT(self) -> None:
        """Take what the consumer holds."""
        length = self.headers.get("Content-Length", "")
        if self.path != "/view":
            self.send_error(404)
        elif not length.isdecimal() or int(length) > VIEW_BYTES_MAX:
            self.send_error(411)
        else:
            self._take(self.rfile.read(int(length)))

    def _take(self, body: bytes) -> None:
        try:
            view = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            self.send_error(400)
            return
        self.stage.take_view(view)
        self.send_response(204)
        self.end_headers()

    def _write(self, event: bytes) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(event)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the verdict says what is to be known."""
