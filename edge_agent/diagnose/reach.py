"""Whether the broker can be reached, and whether the cloud behind it answers this device."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator

import aiomqtt

from edge_agent.clock import Clock
from edge_agent.config import Config
from wire import codec, topics
from wire.findings import Finding, fail, warn, well
from wire.messages import Settle, State

CONNECT_S = 3.0
RETAINED_S = 1.0
"""How long a broker may take to hand over what it keeps."""
MARGIN_S = 2.0
"""How much longer than a heartbeat an answer may take."""

_silent = logging.getLogger("edge_agent.diagnose.silent")
_silent.addHandler(logging.NullHandler())
"""Takes what the MQTT library would print on its own."""


async def look_at_broker(config: Config, clock: Clock, *, is_running: bool) -> list[Finding]:
    """Connect as a client of its own, so that the agent's connection stands; then listen to what the cloud says."""
    refusal = await _knock(config)
    if refusal is not None:
        return [refusal]
    place = config.link.broker
    client = aiomqtt.Client(
        config.link.host,
        config.link.port,
        identifier=f"diagnose-{secrets.token_hex(6)}",
        timeout=CONNECT_S,
        logger=_silent,
    )
    try:
        async with client:
            found = [well("broker", f"{place} takes MQTT connections")]
            return [*found, *await _look_at_cloud(client, config, clock, is_running)]
    except aiomqtt.MqttError as error:
        do = "see the broker's log; something else may listen on that port, or it takes no more connections"
        return [fail("broker", f"{place} listens and does not take an MQTT connection: {error}", do)]


async def _knock(config: Config) -> Finding | None:
    """Say why no TCP connection comes about; None where it does."""
    place = config.link.broker
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(config.link.host, config.link.port)
    except TimeoutError:
        do = "look at the network and at firewalls between this device and the broker"
        return fail("broker", f"{place} does not answer within {CONNECT_S:.0f} s", do)
    except ConnectionRefusedError:
        return fail("broker", f"{place} refuses: nothing listens there", "start the broker, or mend link.broker")
    except OSError as error:  # a name that is not known is one too
        return fail(
            "broker", f"{place} cannot be reached: {error.strerror or error}", "mend link.broker or the network"
        )
    writer.close()
    return None


async def _look_at_cloud(client: aiomqtt.Client, config: Config, clock: Clock, is_running: bool) -> list[Finding]:
    org, device = config.device.organisation, config.device.id
    await client.subscribe([(topics.down(org, device, name), 0) for name in ("state", "settle")])
    wait_s = config.link.heartbeat_s + MARGIN_S if is_running else RETAINED_S
    started_s = clock.monotonic()
    state: State | None = None
    async for message in _messages(client, wait_s):
        if isinstance(message, State):
            state = message
        elif isinstance(message, Settle):
            found = f"answered this device while we listened, after {clock.monotonic() - started_s:.1f} s"
            return [well("cloud", found), *_about_state(state, heard=True)]
    return [_about_silence(config, wait_s, is_running, state), *_about_state(state, heard=False)]


async def _messages(client: aiomqtt.Client, wait_s: float) -> AsyncIterator[object]:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wait_s):
            async for message in client.messages:
                yield codec.decode_down(message.payload if isinstance(message.payload, bytes) else b"")


def _about_silence(config: Config, wait_s: float, is_running: bool, state: State | None) -> Finding:
    who = f"{config.device.id} of {config.device.organisation}, enrolment {config.device.enrolment}"
    if is_running:
        do = (
            f"run `watchroom doctor` at the cloud: is it up, and does its directory have {who}? Until then crews use "
            "voice: nothing that they press is received"
        )
        return fail("cloud", f"said nothing to this device within {wait_s:.0f} s, though the agent runs", do)
    if state is None:
        do = f"nothing yet; once the agent runs and this stays, see whether the cloud's directory has {who}"
        return warn("cloud", "the broker keeps no word of the cloud for this device", do)
    return well("cloud", "the broker keeps its last word for this device")


def _about_state(state: State | None, *, heard: bool) -> list[Finding]:
    if state is None or not state.units:
        return []
    shown = ", ".join(f"{one.unit} {one.code} {one.label} since {one.since:%Y-%m-%d %H:%M} UTC" for one in state.units)
    return [well("control shows" if heard else "control showed, when last heard", shown)]
