"""A carrier's ignition counts as it comes, and once more from its queue; a value that was not measured clears it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cloud.fleet.fleet import Fleet
from tests.cloud.fleet.samples import NOON
from tests.cloud.ingest.samples import Vehicle
from tests.cloud.ingest.test_lanes import Lanes, stores, working
from tests.waiting import eventually
from wire import codec
from wire.events import InputEvent


def ignition(seq: int, value: bool | None, **changes: Any) -> InputEvent:
    """What the ignition reads."""
    fields: dict[str, Any] = {"seq": seq, "at": NOON, "clock": "none", "boot": 1, "mono_ms": seq, "mode": "live"}
    quality = "bad" if value is None else "good"
    return InputEvent(**fields | {"name": "ignition", "value": value, "quality": quality} | changes)


def read(fleet: Fleet) -> bool | None:
    """What the fleet holds of the vehicle's ignition."""
    known = fleet._roll.devices["veh-2"].ignition
    return None if known is None or known.said is None else known.said.value


@pytest.mark.parametrize("way", ["live", "history"])
def test_an_ignition_is_folded_in_by_either_way(tmp_path: Path, way: str) -> None:
    """The newest stands, whatever comes late; one of bad quality, or of another name, is not taken for a value."""

    async def scenario() -> None:
        async with working(ledger, telemetry) as lanes:
            track = Vehicle(queue="track")
            for event, expected in (
                (ignition(1, True), True),
                (ignition(2, False), False),
                (ignition(3, True, name="doors"), False),
                (ignition(4, None), None),
                (ignition(5, True), True),
            ):
                track.add(codec.encode(event))
                await tell(lanes, track)
                assert expected == read(lanes.fleet), event
            lanes.acceptor.receive(live, track.envelope(2, 2), lanes.moment())
            assert True is read(lanes.fleet)

    async def tell(lanes: Lanes, track: Vehicle) -> None:
        seq = len(track.events)
        if way == "live":
            lanes.acceptor.receive(live, track.envelope(seq), lanes.moment())
        else:
            lanes.receive(track, seq, seq)
            await eventually(lambda: lanes.through(track) == seq, what="it is settled")

    live = "wr/1/up/kp/veh-2/live"
    with stores(tmp_path, tmp_path) as (ledger, telemetry):
        asyncio.run(scenario())
