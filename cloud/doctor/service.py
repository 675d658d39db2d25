"""What runs: the broker, and Watchroom's own word on its health."""

import asyncio
import http.client
import os
import re
import subprocess

import msgspec

from cloud.api.answers import Health
from cloud.broker.nats import find_nats_server
from cloud.broker.probe import answers_connect
from cloud.config import LOOPBACK, BrokerAddress, Settings
from cloud.errors import CloudError
from wire.findings import Finding, fail, warn, well

ANSWER_S = 5.0


async def look_at_broker(settings: Settings, *, is_running: bool) -> Finding:
    """Ask the broker whether it takes a connection."""
    address = settings.broker or BrokerAddress(LOOPBACK, _embedded_port(settings))
    place = f"mqtt://{address.host}:{address.port}"
    problem = await _knock(address)
    if not problem and await answers_connect(address.host, address.port, timeout_s=ANSWER_S):
        return well("broker", f"{place} takes MQTT connections")
    problem = problem or "listens and does not take an MQTT connection"
    if settings.broker is None and not is_running:
        return warn("broker", f"{place} {problem}", "nothing: the embedded broker starts with `watchroom up`")
    do = (
        "start that broker, or mend --broker"
        if settings.broker is not None
        else "see broker/nats-server.log in the data folder; if Watchroom was started with --broker, say which here too"
    )
    return fail("broker", f"{place} {problem}", do)


def look_at_health(port: int, *, is_running: bool) -> list[Finding]:
    """Ask the running process how it is."""
    place = f"http://{LOOPBACK}:{port}/healthz"
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/healthz")
        health = msgspec.json.decode(connection.getresponse().read(), type=Health)
    except (msgspec.MsgspecError, http.client.HTTPException):
        return [fail("health", f"{place}: something else answers there", "name Watchroom's port with --port")]
    except TimeoutError:
        do = "the process hangs or its machine is overloaded: look at the processor and the disk, then start it again"
        return [fail("health", f"{place} does not answer within {ANSWER_S:.0f} s", do)]
    except OSError as error:
        if not is_running:
            return [warn("health", f"{place} is not served", "nothing more: Watchroom does not run")]
        return [fail("health", f"{place}: {_cause(error)}", "name the port of the running Watchroom with --port")]
    finally:
        connection.close()
    if health.trouble:
        return [fail("health", one, "see docs/operation.md for what is behind it") for one in health.trouble]
    return [well("health", f"{health.units} units on the board, {health.listeners} clients on the feed, no trouble")]


def read_nats_version() -> str:
    """Give the version that the embedded broker would be of; empty where there is none."""
    try:
        answer = subprocess.run(
            [find_nats_server(), "--version"], capture_output=True, text=True, timeout=ANSWER_S, check=False
        )
    except (CloudError, OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip().replace("nats-server: v", "nats-server ")


def _embedded_port(settings: Settings) -> int:
    """Read where the embedded broker was last told to listen, from the configuration that `up` writes for it."""
    try:
        text = (settings.data / "broker" / "nats-server.conf").read_text(encoding="utf-8")
    except OSError:
        return settings.mqtt_port
    found = re.search(r"^mqtt \{[^}]*?port: (\d+)", text, re.MULTILINE)
    return int(found[1]) if found else settings.mqtt_port


async def _knock(address: BrokerAddress) -> str:
    """Say why no TCP connection comes about; empty where it does."""
    try:
        async with asyncio.timeout(ANSWER_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except TimeoutError:
        return f"does not answer within {ANSWER_S:.0f} s"
    except OSError as error:
        return f"cannot be reached: {_cause(error)}"
    writer.close()
    return ""


def _cause(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
