"""Looks at a device from beside its agent, running or stopped, and says what is wrong and what to do. Writes nothing.

configuration ─▶ the agent's own words of each part ─▶ state folder, outbox ─▶ broker, cloud ─▶ findings
                 (or a look of its own, where no agent runs)
"""

import asyncio
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from edge_agent.around import read_built_at, runtime_folder
from edge_agent.clock import Clock, kernel_synchronised
from edge_agent.config import Config, load
from edge_agent.diagnose.reach import look_at_broker
from edge_agent.diagnose.readers import look_at_bus, look_at_clock, look_at_gpsd, look_at_panel
from edge_agent.diagnose.storage import find_agent, look_at_folder, look_at_outbox
from edge_agent.errors import AgentError
from edge_agent.outbox.room import read_room
from edge_agent.standing import RUNTIME, find_standing
from edge_agent.state.health import Disk, judge_disk
from wire.findings import Finding, fail, warn, well

__all__ = ["WAN", "examine"]

WAN = ("link", "broker", "cloud")
"""What may fail and leave the device ready, but for the WAN."""


async def examine(path: Path, environ: Mapping[str, str], clock: Clock) -> list[Finding]:
    """Look at everything that the device's TOML at `path` names. Takes up to its heartbeat and a few seconds."""
    try:
        config = load(path, environ)
    except AgentError as error:
        return [fail("configuration", str(error), "mend the file; nothing else can be looked at before that")]
    folder = Path(config.device.state_dir)
    agent = find_agent(folder)
    kept = [*look_at_folder(folder), *look_at_outbox(folder, clock.now(), is_running=agent is not None)]
    broker, (process, parts) = await asyncio.gather(
        look_at_broker(config, clock, is_running=agent is not None),
        _look_at_parts(config, (runtime_folder(environ, folder), RUNTIME, folder), clock, agent),
    )
    return [_about(path, config), process, *parts, *kept, *broker]


async def _look_at_parts(
    config: Config, places: tuple[Path, ...], clock: Clock, agent: int | None
) -> tuple[Finding, tuple[Finding, ...]]:
    """Take the running agent's own words of each part, the same as on its Faults tab and in its heartbeats.

    Where it has none, look from outside.
    """
    if agent is None:
        do = "start it with `edge-agent run`, if it should run now"
        return warn("process", "no agent runs on this state folder", do), await _look_outside(config, clock, agent)
    standing = find_standing(places, clock.monotonic(), pid=agent)
    if standing is not None:
        return well("process", f"the agent runs as process {agent}"), standing.findings
    found = f"the agent runs as process {agent} and has not said for 30 s how it stands"
    do = "if it has just started, look again in a moment; else it hangs: restart it when no order is in hand"
    return warn("process", found, do), await _look_outside(config, clock, agent)


async def _look_outside(config: Config, clock: Clock, agent: int | None) -> tuple[Finding, ...]:
    """Look at each part without the agent: what it is made of is there, or is not."""
    room = read_room(Path(config.device.state_dir), config.outbox.reserve_kib)
    return (
        await look_at_gpsd(config.gpsd, clock),
        await look_at_bus(config.buses),
        look_at_panel(config.panel, is_running=agent is not None),
        judge_disk(Disk(room=room)),
        look_at_clock(kernel_synchronised(), clock.now(), read_built_at()),
        well("link", "not looked at: it is the agent's. See broker and cloud"),
    )


def _about(path: Path, config: Config) -> Finding:
    who = f"{config.device.id} of {config.device.organisation}"
    return well("configuration", f"{path} is in order: {who}, watchroom {version('watchroom')}")
