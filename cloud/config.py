"""The settings of `watchroom up`, checked before anything starts."""

from pathlib import Path

import msgspec

from cloud.errors import Fatal

LOOPBACK = "127.0.0.1"
"""The only address anything listens on until devices and people have identities."""


class BrokerAddress(msgspec.Struct, frozen=True):
    """A broker that runs already."""

    host: str
    port: int


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `watchroom up` was told."""

    data: Path
    """The folder that holds the ledger, the telemetry and the embedded broker's store."""
    directory: Path
    """The folder of TOML files that name organisations, bases, units and devices."""
    port: int = 8470
    mqtt_port: int = 1883
    """Of the embedded broker; 0 picks a free one."""
    broker: BrokerAddress | None = None
    """None runs the embedded one."""
    tick_ms: int = 200


def parse_broker(url: str) -> BrokerAddress:
    """Read `mqtt://HOST:PORT`. Raises `Fatal`, also for a host that is not the loopback interface."""
    scheme, _, rest = url.partition("://")
    host, _, port = rest.rstrip("/").rpartition(":")
    if scheme != "mqtt" or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise Fatal(f"--broker {url}: expected mqtt://127.0.0.1:PORT")
    if host not in (LOOPBACK, "localhost"):
        raise Fatal(
            f"--broker {url}: only 127.0.0.1 until devices have identities; use an encrypted tunnel to reach it"
        )
    return BrokerAddress(host, int(port))
