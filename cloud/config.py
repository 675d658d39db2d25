"""The settings of `watchroom up`, checked before anything starts."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec

from cloud.errors import Fatal

_BUCKET = re.compile(r"[A-Za-z0-9_.-]{1,64}")
DEFAULT_BUCKET = "watchroom"
LOOPBACK = "127.0.0.1"
"""The only address anything listens on until devices and people have identities."""


PORT_MAX = 65_535


class BrokerAddress(msgspec.Struct, frozen=True):
    """A broker that runs already."""

    host: str
    port: int


class InfluxAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An InfluxDB that keeps the telemetry."""

    url: str
    """Without a slash at its end."""
    bucket: str = DEFAULT_BUCKET
    """The database, to one of version 1 or 3."""
    org: str = ""
    token_file: Path | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `watchroom up` was told."""

    data: Path
    """The folder that holds the ledger, the telemetry and the embedded broker's store."""
    directory: Path
    """The folder of TOML files that name organisations, bases, units and devices."""
    port: int = 8470
    partner_port: int = 0
    """Where partners' systems read what is opened to them; 0 for nowhere."""
    mqtt_port: int = 1883
    """Of the embedded broker; 0 picks a free one."""
    broker: BrokerAddress | None = None
    """None runs the embedded one."""
    tick_ms: int = 200
    telemetry: InfluxAddress | None = None
    """None keeps it in DuckDB files in the data folder."""


def partner_port_of(port: int, asked: int | None) -> int:
    """Give the partners' port: the one asked for, or the one after the board's. Raises `Fatal` where there is none."""
    found = port + 1 if asked is None else asked
    if found == port or found > PORT_MAX:
        raise Fatal(f"--partner-port: {found} can't be used beside --port {port}; choose another, or 0 for none")
    return found


def parse_broker(url: str) -> BrokerAddress:
    """Read `mqtt://HOST:PORT`. Raises `Fatal`, also for a host that is not the loopback interface."""
    scheme, _, rest = url.partition("://")
    host, _, port = rest.rstrip("/").rpartition(":")
    if scheme != "mqtt" or not host or not port.isdecimal() or not 0 < int(port) <= PORT_MAX:
        raise Fatal(f"--broker {url}: expected mqtt://127.0.0.1:PORT")
    if host not in (LOOPBACK, "localhost"):
        raise Fatal(
            f"--broker {url}: only 127.0.0.1 until devices have identities; use an encrypted tunnel to reach it"
        )
    return BrokerAddress(host, int(port))


def parse_telemetry(text: str, token_file: Path | None = None) -> InfluxAddress | None:
    """Read `duckdb`, or `influx:URL?bucket=NAME&org=NAME`. Raises `Fatal`.

    Without encryption only this machine is reached: the token and every position would be readable on the way.
    """
    expected = f"--telemetry {text}: expected duckdb, or influx:http://127.0.0.1:8086?bucket=watchroom&org=NAME"
    kind, _, url = text.partition(":")
    if text == "duckdb":
        if token_file is not None:
            raise Fatal("--telemetry-token-file is for --telemetry influx:URL")
        return None
    try:
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Fatal(expected) from None
    if kind != "influx" or parts.scheme not in ("http", "https") or not host or parts.fragment or "@" in parts.netloc:
        raise Fatal(expected)
    if asked.keys() - {"bucket", "org"} or not _BUCKET.fullmatch(asked.get("bucket", DEFAULT_BUCKET)):
        raise Fatal(f"{expected}; a bucket's name is letters, digits, dot, dash and underscore")
    if parts.scheme == "http" and host not in (LOOPBACK, "localhost"):
        raise Fatal(f"--telemetry {text}: http reaches this machine only (127.0.0.1); use https to reach another")
    whole = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    bucket, org = asked.get("bucket", DEFAULT_BUCKET), asked.get("org", "")
    return InfluxAddress(url=whole, bucket=bucket, org=org, token_file=token_file)
