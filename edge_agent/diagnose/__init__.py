"""Looks at a device from beside its agent, running or stopped, and says what is wrong and what to do. Writes nothing.

configuration ─▶ state folder, outbox ─▶ broker, cloud ─▶ gpsd, panel, clock ─▶ findings
"""

import asyncio
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from edge_agent.clock import Clock, kernel_synchronised
from edge_agent.config import Config, load
from edge_agent.diagnose.reach import look_at_broker
from edge_agent.diagnose.readers import look_at_clock, look_at_gpsd, look_at_panel
from edge_agent.diagnose.storage import find_agent, look_at_folder, look_at_outbox, look_at_set_aside
from edge_agent.errors import AgentError
from wire.findings import Finding, fail, warn, well

__all__ = ["examine"]


async def examine(path: Path, environ: Mapping[str, str], clock: Clock) -> list[Finding]:
    """Look at everything that the device's TOML at `path` names. Takes up to its heartbeat and a few seconds."""
    try:
        config = load(path, environ)
    except AgentError as error:
        return [fail("configuration", str(error), "mend the file; nothing else can be looked at before that")]
    folder = Path(config.device.state_dir)
    agent = find_agent(folder)
    kept = [
        *look_at_folder(folder, config.outbox.reserve_kib),
        *look_at_outbox(folder, clock.now(), is_running=agent is not None),
        *look_at_set_aside(folder),
    ]
    broker, gpsd = await asyncio.gather(
        look_at_broker(config, clock, is_running=agent is not None), look_at_gpsd(config.gpsd, clock)
    )
    read = [*gpsd, *look_at_panel(config.panel, is_running=agent is not None), look_at_clock(kernel_synchronised())]
    return [_about(path, config), _about_agent(agent), *kept, *broker, *read]


def _about(path: Path, config: Config) -> Finding:
    who = f"{config.device.id} of {config.device.organisation}"
    return well("configuration", f"{path} is in order: {who}, watchroom {version('watchroom')}")


def _about_agent(process: int | None) -> Finding:
    if process is not None:
        return well("agent", f"runs as process {process}")
    return warn("agent", "does not run on this state folder", "start it with `edge-agent run`, if it should run now")
