"""A crew that is off duty or at home is followed by nobody: its device keeps no place, and so tells of none."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from cloud.directory.schemes import read_packaged
from edge_agent.agent import Agent
from edge_agent.config import Config
from edge_agent.state import privacy
from tests.edge_agent.link.lab import SkippingClock
from tests.edge_agent.test_agent import receiver, shows
from tests.gpsd_lab import peer
from tests.ports import free_port
from tests.site import UNIT, pressing, running_agent, write_device
from tests.waiting import eventually
from wire.scheme import assemble

PRIVATE, PUBLIC = "37", "4"
"""Of uk-fire-gd92: off duty, and a status of a crew at work."""
FIXES = 100_000


def test_a_device_is_private_while_every_unit_of_it_is() -> None:
    """One that works is found; so is a device of which nothing was declared, or in codes that it does not know."""
    schemes, problems = assemble(read_packaged(), {})
    assert not problems
    declared = privacy.NOTHING_DECLARED
    assert not privacy.is_private(declared, "ab")
    for unit, scheme, code, private in (
        ("a", "uk-fire-gd92", PRIVATE, True),
        ("b", "uk-fire-gd92", PUBLIC, False),
        ("b", "uk-fire-gd92", PRIVATE, True),
        ("a", "no-such-scheme", PRIVATE, False),
        ("a", "uk-fire-gd92", "no such code", False),
    ):
        declared = privacy.note(declared, schemes, unit, scheme=scheme, code=code)
        assert private == privacy.is_private(declared, "ab"), (unit, code)
    declared = privacy.note({"a": False}, schemes, "b", scheme="uk-fire-gd92", code=PRIVATE)
    assert privacy.is_private(declared, "b"), "what it carried before does not count"
    assert not privacy.is_private(declared, "c"), "of this nothing was declared here"


async def kept(agent: Agent) -> int:
    """The last sequence of the track."""
    return (await agent._keeper.held()).last_track


def test_no_place_is_kept_between_off_duty_and_the_next_status(tmp_path: Path) -> None:
    """Not while fixes come a second apart, nor after a restart; from the next status of a crew at work on, they are."""

    async def scenario() -> None:
        clock, told = SkippingClock(), [0]
        async with peer(receiver(clock, FIXES, told)) as port:
            config = off_duty_button(
                write_device(
                    tmp_path / "device", broker=f"mqtt://127.0.0.1:{free_port()}", gpsd=(port, 1.0), every_fix=True
                )
            )
            async with running_agent(config, clock) as agent, pressing(config) as panel:
                await eventually(lambda: agent._keeper.depth.track > 1, what="places while nothing was declared")
                await panel.press("b1")
                await shows(panel, b1="slow")
                await eventually(lambda: not agent._track, what="what came before the press is kept")
                before, heard = await kept(agent), told[0]
                await eventually(lambda: told[0] > heard + 15, what="fixes while off duty")
                assert before == await kept(agent) and not agent._track
            async with running_agent(config, clock) as agent, pressing(config) as panel:
                heard = told[0]
                await eventually(lambda: told[0] > heard + 15, what="fixes while off duty")
                assert before == await kept(agent)
                await panel.press("b4")
                await eventually(lambda: agent._keeper.depth.track > before, what="places again")
            told[0] = FIXES

    asyncio.run(scenario())


def off_duty_button(config: Config) -> Config:
    """The device with a button for going off duty."""
    button = replace(config.buttons["b1"], unit=UNIT, code=PRIVATE)
    return replace(config, buttons={**config.buttons, "b1": button})
