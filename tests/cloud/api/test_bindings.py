"""Bindings over HTTP: claims of a device on a real broker, confirmed, listed, ended; what can't be is told plainly."""

import asyncio
from pathlib import Path
from typing import Any

import httpx

from cloud.clock import SystemClock
from tests.brokers import RunningBroker
from tests.cloud.api.speaker import Speaker, speaking
from tests.cloud.desk.test_bindings import PARTS
from tests.cloud.fleet.samples import COUNTY
from tests.cloud.ingest.samples import Vehicle
from tests.site import following, running_site
from tests.waiting import eventually
from wire import codec
from wire.events import BindingEvent

BY = {"by": "Shah", "reason": "the pump is in the workshop"}


async def claim(device: Speaker, callsign: str = "14p1") -> None:
    """The crew of a device says that it carries a unit."""
    seq = len(device.vehicle.events) + 1
    event = BindingEvent(
        seq=seq,
        at=SystemClock().now(),
        clock="gnss",
        boot=1,
        mono_ms=0,
        mode="live",
        callsign=callsign,
        vehicle="F0999",
    )
    device.vehicle.add(codec.encode(event))
    await device.send(seq, seq)
    await device.settled()


def write_county(folder: Path) -> Path:
    """Fire and police, a spare pump, a unit with a part, and a second base."""
    folder.mkdir()
    (folder / "county.toml").write_text(COUNTY + PARTS, encoding="utf-8")
    return folder


async def expect(client: httpx.AsyncClient, path: str, body: dict[str, str], status: int, says: str = "") -> Any:
    """Ask, and look at the answer."""
    answer = await client.post(f"v1/{path}", json=body)
    assert (status, True) == (answer.status_code, says in answer.text), answer.text
    return answer.json()


def test_bindings_over_http(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A claim is on the board, confirmed it is in force, the board says so, and what was decided can be read."""

    async def scenario() -> None:
        directory = write_county(tmp_path / "directory")
        async with (
            running_site(tmp_path / "data", broker_port=shared_mosquitto.port, directory=directory) as app,
            following(app) as feed,
            speaking(shared_mosquitto, Vehicle("E31-a", device="spare", org="kf")) as spare,
            httpx.AsyncClient(base_url=app.address, timeout=20) as client,
        ):
            await claim(spare)
            await eventually(lambda: feed.records["kf-1"].claims, what="the claim on the board")
            (shown,) = feed.records["kf-1"].claims
            assert ("spare", "F0999") == (shown.device, shown.vehicle)
            assert ["waiting"] == [one.outcome for one in spare.states[-1].claims or []]
            (waits,) = (await client.get("v1/bindings")).json()["claims"]
            assert (shown.claim, "14P1", True) == (waits["claim"], waits["callsign"], waits["on"])
            await expect(client, f"bindings/{shown.claim}/confirm", {"by": "Shah"}, 422, "reason")
            view = await expect(client, f"bindings/{shown.claim}/confirm", BY, 200)
            assert view == await expect(client, f"bindings/{shown.claim}/confirm", BY, 200), "the same answer"
            await expect(client, f"bindings/{shown.claim}/refuse", BY, 409, "confirmed by Shah")
            await expect(client, "bindings/spare.x.1/confirm", BY, 404, "no claim")
            await eventually(lambda: not feed.records["kf-1"].claims, what="nothing waits")
            await eventually(lambda: "confirmed" in str(spare.states[-1].claims), what="the spare is told")

            await expect(client, "units/kf-1/lend", {**BY, "base": "stn-77"}, 422, "no base 'stn-77'")
            await expect(client, "units/kf-1/lend", {**BY, "base": "stn-14"}, 409, "own base")
            await expect(client, "units/kf-9/lend", {**BY, "base": "stn-9"}, 404, "no unit 'kf-9'")
            await expect(client, "units/kf-1/lend", {**BY, "base": "stn-9"}, 200)
            await expect(client, "units/kf-2/split", BY, 422, "no parts")
            await expect(client, "units/kf-1/split", BY, 200)
            await eventually(lambda: feed.records["kf-1"].base == "Stn 9", what="it is at its host's")
            assert "Stn 14 shared" == feed.records["kf-1"].home
            (stands,) = (await client.get("v1/bindings")).json()["in_force"]
            assert ("spare", "veh-1", "stn-9", True) == tuple(
                stands[key] for key in ("device", "directory_device", "base", "split")
            )
            for path in ("return", "rejoin", "unbind", "unbind"):
                await expect(client, f"units/kf-1/{path}", BY, 200)
            await eventually(lambda: feed.records["kf-1"].base == "Stn 14 shared", what="it is at home")
            assert [] == (await client.get("v1/bindings")).json()["in_force"]
            history = (await client.get("v1/units/kf-1/bindings")).json()
            kinds = ["unbound", "rejoined", "returned", "split", "lent", "binding_confirmed"]
            assert (kinds, "veh-1") == ([one["kind"] for one in history["decisions"]], history["now"]["device"])
            assert 404 == (await client.get("v1/units/kf-9/bindings")).status_code
            plain = await client.post("v1/units/kf-1/unbind", content=b"by=Shah")
            assert 415 == plain.status_code

    asyncio.run(scenario())
