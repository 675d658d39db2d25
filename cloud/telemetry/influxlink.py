"""The way to an InfluxDB: influxdb-client's asynchronous API on a loop and a thread of its own, for callers that wait.

Asynchronous because only then is there one deadline over a whole exchange, however slowly the other side goes about it;
its own loop because the port is called from threads, and what it does must hold up nobody else's. Whatever the client
raises is `Retryable` here.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from itertools import chain
from typing import Any, TypeVar

import aiohttp
import msgspec
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from cloud.config import InfluxAddress
from cloud.errors import Retryable

CONNECT_S = 5.0
EXCHANGE_S = 20.0
"""For one request and its whole answer."""
_TEXT_MAX = 300
_PRECISION: Any = "ns"
_PASSING = (408, 429)

T = TypeVar("T")


class Refusal(Retryable):
    """The server answered, and it was no."""

    def __init__(self, status: int, text: str) -> None:
        """Take the HTTP status (200 where a query failed by itself) and what it said."""
        super().__init__(f"telemetry's InfluxDB refuses ({status}): {text}")
        self.status = status
        self.text = text

    @property
    def knows_no_bucket(self) -> bool:
        """Whether what it lacks is the bucket: its store is new, or somebody removed it."""
        return "database not found" in self.text or "bucket" in self.text and "not found" in self.text


class Series(msgspec.Struct):
    """Part of an answer: the rows that share these tags."""

    name: str = ""
    tags: dict[str, str] = {}
    columns: list[str] = []
    values: list[list[Any]] = []


class _Result(msgspec.Struct):
    series: list[Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""


_decode = msgspec.json.Decoder(_Answer).decode


class InfluxLink:
    """Requests to one server, each within its time. May be used by any thread."""

    def __init__(self, address: InfluxAddress, token: str | None) -> None:
        """Nothing is asked of the server yet."""
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="influx", daemon=True)
        self._thread.start()
        self._client: InfluxDBClientAsync = self._wait(lambda: self._make(token))

    def write(self, body: bytes) -> None:
        """Make lines durable in one request. Raises `Retryable`: then some of them may be, and some not."""
        self._wait(lambda: self._write(body))

    def ask(self, statement: str) -> list[Series]:
        """Put a question that changes nothing. Raises `Retryable`."""
        return self._wait(lambda: self._query("GET", statement))

    def tell(self, statement: str) -> list[Series]:
        """Give an order, or put a question that may be long. Raises `Retryable`."""
        return self._wait(lambda: self._query("POST", statement))

    def close(self) -> None:
        """Let go of the connections and the thread."""
        if self._loop.is_closed():
            return
        try:
            self._wait(self._client.close)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _wait(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run on the loop and come back, within the time."""
        return asyncio.run_coroutine_threadsafe(self._within(work), self._loop).result()

    async def _within(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            async with asyncio.timeout(EXCHANGE_S):
                return await work()
        except ApiException as error:
            status = int(error.status or 0)
            if status in _PASSING or status >= 500:
                away = f"telemetry's InfluxDB at {self._address.url} can't now ({status}): {_said(error.body)}"
                raise Retryable(away) from error
            raise Refusal(status, _said(error.body)) from error
        except (aiohttp.ClientError, OSError) as error:  # a time-out is an OSError too
            cause = str(error) or type(error).__name__
            raise Retryable(f"telemetry's InfluxDB at {self._address.url} is away: {cause}") from error
        except msgspec.DecodeError as error:
            raise Retryable(f"what answers at {self._address.url} is no InfluxDB: {error}") from error

    async def _make(self, token: str | None) -> InfluxDBClientAsync:
        timeout: Any = aiohttp.ClientTimeout(total=EXCHANGE_S, sock_connect=CONNECT_S)
        address = self._address
        return InfluxDBClientAsync(address.url, token or "", address.org, timeout=timeout, allow_redirects=False)

    async def _write(self, body: bytes) -> None:
        address = self._address
        if not await self._client.write_api().write(address.bucket, address.org, body, _PRECISION):
            raise Retryable(f"what answers at {address.url} did not say that it stored what was written")

    async def _query(self, method: str, statement: str) -> list[Series]:
        """InfluxQL: versions 1, 2 and 3 all answer it here. In chunks, because only then no server cuts it short."""
        asked = {"q": statement, "db": self._address.bucket, "epoch": "ns", "chunked": "true"}
        client: Any = self._client.api_client
        headers = client.default_headers | {"Accept": "application/json"}
        if method == "GET":
            answer = await client.rest_client.GET(f"{self._address.url}/query", headers, asked)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            answer = await client.rest_client.POST(f"{self._address.url}/query", headers, post_params=asked)
        found: list[Series] = []
        for chunk in map(_decode, answer.data.splitlines()):
            for text in (chunk.error, *(result.error for result in chunk.results)):
                if text:
                    raise Refusal(200, text)
            for series in chain.from_iterable(result.series for result in chunk.results):
                if found and (found[-1].name, found[-1].tags) == (series.name, series.tags):
                    found[-1].values += series.values
                else:
                    found.append(series)
        return found


def _said(body: Any) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    return " ".join(text.split())[:_TEXT_MAX]
