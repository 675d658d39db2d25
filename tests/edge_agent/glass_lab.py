"""An agent with a touch page, and what its page asks: in one process, without a browser."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from edge_agent.agent import Agent
from edge_agent.around import Page, look_around, serve_page
from edge_agent.clock import Clock, SystemClock
from edge_agent.config import Config, load
from edge_agent.glass import Glass
from edge_agent.panel.port import OrderCard, PanelPage, PanelPort, UnitCard
from tests.edge_agent.turnout.lab import command
from tests.ports import free_port
from tests.site import UNIT, write_device
from wire.messages import CalledUnit

OWN = CalledUnit(unit=UNIT, callsign="14P1", service="fire")
OTHER = CalledUnit(unit="pc61", callsign="PC61", service="police")


def write_page(folder: Path, broker: str) -> Config:
    """A vehicle of the fire service with a panel of keys and a touch page."""
    write_device(folder, broker=broker)
    path = folder / "device.toml"
    lines = path.read_text().replace('scheme = "uk-fire-gd92"', 'scheme = "uk-fire-gd92"\ncallsign = "14P1"')
    path.write_text(f"{lines}\n[page]\nport = {free_port()}\n")
    return load(path, {})


class Shown:
    """A running agent and its page."""

    def __init__(self, agent: Agent, glass: Glass) -> None:
        """Look at it."""
        self.agent, self.glass = agent, glass

    @property
    def page(self) -> PanelPage:
        """Everything on the glass now."""
        return self.glass.view()

    @property
    def card(self) -> UnitCard:
        """The unit's card."""
        return self.page.units[0]

    @property
    def orders(self) -> dict[str, OrderCard]:
        """The orders on the glass, by id."""
        return {one.order: one for one in self.page.orders}

    def lamp(self, code: str) -> str:
        """A status button's lamp."""
        return next(one.lamp for one in self.card.buttons if one.code == code)

    def command(self, number: int, revision: int = 1, **changed: object) -> str:
        """A command of control's comes in, good for now. Gives its order."""
        turnout = self.agent._building.turnout
        given = {"nonce": turnout.nonce(), "units": [OWN, OTHER], **changed}
        sent = command(number, revision, **given)
        turnout.take(sent)
        return sent.order


@contextlib.asynccontextmanager
async def showing(config: Config, clock: Clock | None = None) -> AsyncIterator[Shown]:
    """The agent, whole, until the block ends."""
    clock, ports = clock or SystemClock(), list[PanelPort]()

    def serve(port: PanelPort, number: int, served_by: Clock) -> Page:
        ports.append(port)
        return serve_page(port, number, served_by)

    around = msgspec.structs.replace(look_around(config, clock, random.random), serve=serve)
    agent = Agent(config, clock=clock, around=around)
    assert isinstance(ports[0], Glass)
    running = asyncio.create_task(agent.run())
    await SystemClock().sleep(0)  # one that is cancelled before it began would let go of nothing
    try:
        yield Shown(agent, ports[0])
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
