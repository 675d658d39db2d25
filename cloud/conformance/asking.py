"""Asks a server over HTTP, and listens to its events."""

import contextlib
import http.client
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

TIMEOUT_S = 10.0
"""How long an answer may take to begin, and a stream be silent before it is given up."""
LINE_BYTES_MAX = 64 * 1024 * 1024
_UNREACHABLE = (OSError, http.client.HTTPException)


class Unreachable(Exception):
    """The server gave no answer, or none that is HTTP."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A server-sent event. `data` is None where it is no JSON object."""

    id: str
    """Empty where it has none."""
    kind: str
    data: Mapping[str, Any] | None
    arrived_s: float
    """On the asker's monotonic clock."""


class Stream:
    """Events as they arrive, from one answer that does not end."""

    def __init__(self, response: http.client.HTTPResponse, monotonic: Callable[[], float]) -> None:
        """Take the answer over."""
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self._response, self._monotonic = response, monotonic

    def next(self) -> Event | None:
        """Give the next event; None where the stream ended, broke or was silent for `TIMEOUT_S`."""
        fields: dict[str, list[str]] = {}
        while True:
            try:
                raw = self._response.readline(LINE_BYTES_MAX)
            except _UNREACHABLE:
                return None
            if not raw.endswith(b"\n"):
                return None
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line:
                name, _, value = line.partition(":")
                fields.setdefault(name, []).append(value.removeprefix(" "))
            elif "data" in fields:
                return self._event(fields)
            else:
                fields = {}

    def _event(self, fields: Mapping[str, list[str]]) -> Event:
        try:
            data = msgspec.json.decode("\n".join(fields["data"]))
        except (msgspec.DecodeError, RecursionError):
            data = None
        return Event(
            id=fields.get("id", [""])[-1],
            kind=fields.get("event", ["message"])[-1],
            data=data if isinstance(data, dict) else None,
            arrived_s=self._monotonic(),
        )


class Server:
    """A server under test."""

    def __init__(self, url: str, token: str, monotonic: Callable[[], float]) -> None:
        """Ask the server at `url`, with a partner's token where it is not empty. Raises ValueError for no such URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a server, such as http://127.0.0.1:8471")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self.token, self.monotonic = token, monotonic

    def get(
        self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Give the answer to a GET. Raises Unreachable."""
        with self._asked(path, query or {}, headers or {}) as response:
            body = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=found, body=body)

    @contextlib.contextmanager
    def listen(self, last_event_id: str = "") -> Iterator[Stream]:
        """Open the feed. Raises Unreachable."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        with self._asked("/v1/feed", {}, headers) as response:
            yield Stream(response, self.monotonic)

    @contextlib.contextmanager
    def _asked(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        whole = f"{self._path}{path}" + (f"?{urlencode(query)}" if query else "")
        credential = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with contextlib.closing(self._connection()) as connection:
            try:
                connection.request("GET", whole, headers={**credential, **headers})
                response = connection.getresponse()
                yield response
            except _UNREACHABLE as error:
                raise Unreachable(f"GET {whole}: {error or type(error).__name__}") from error

    def _connection(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
