"""The parts of the cloud, connected: what one decides reaches the others, and the devices that it concerns."""

import asyncio
from datetime import timedelta
from pathlib import Path

from msgspec import UNSET, UnsetType

from cloud.clock import SystemClock
from cloud.connections import connect_modes
from cloud.desk.modes import ModeRequest
from tests.cloud.ingest.test_in_force import states
from tests.cloud.ingest.test_recorded import ingesting
from wire.events import Mode
from wire.messages import UnitMode

UNIT = "kp-12"


def test_a_mode_is_told_to_every_device_of_the_unit(tmp_path: Path) -> None:
    """At once, with its end, so that no crew's panel says live meanwhile; ended, it is told no more."""

    async def scenario() -> None:
        clock = SystemClock()
        async with ingesting(tmp_path) as (ingest, line):
            modes = connect_modes(ingest, ingest.in_force, ingest._ledger, clock)
            assert isinstance(states(line, "veh-2")[-1].modes, UnsetType)
            until = clock.now() + timedelta(hours=1)

            async def put(mode: Mode, **ends: object) -> None:
                asked = {"scope": "unit", "id": UNIT, "mode": mode, "by": "Shah", "reason": "drill"}
                await modes.put(ModeRequest(**asked | ends))  # type: ignore[arg-type]

            await put("training", until=until)
            for device in ingest.fleet.speakers(UNIT):
                assert [UnitMode(unit=UNIT, mode="training", until=until)] == states(line, device)[-1].modes
            await put("live")
            assert UNSET is states(line, "veh-2")[-1].modes

    asyncio.run(scenario())
