"""The directory of a running Watchroom: a change comes into force without a restart, a bad one changes nothing."""

import asyncio
from pathlib import Path

import httpx

from cloud.api import Site
from cloud.app import App
from tests.brokers import RunningBroker
from tests.cloud.directory.shire import AREA_FILE, write_shire
from tests.site import following, running_site
from tests.waiting import eventually

MORE = """
[[unit]]
id = "14p9"
callsign = "14P9"
organisation = "kfrs"
type = "pump"
base = "stn15"
scheme = "uk-fire-gd92"
carrier = "veh-9"
"""


def rewrite(path: Path, old: str, new: str) -> None:
    """Change a file."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def recorded(site: Site) -> str | None:
    """The version that the ledger has as the one in force now."""
    row = site.ledger.directory_at(site.moment().utc)
    return None if row is None else row.version


async def trouble(app: App) -> list[str]:
    """What health says is wrong."""
    async with httpx.AsyncClient(base_url=app.address) as client:
        found: list[str] = (await client.get("healthz")).json()["trouble"]
        return found


def test_the_fleet_follows_the_folder(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """A new unit is on the feed within seconds; a bad file changes nothing and health says so; a mended one heals."""
    folder = write_shire(tmp_path / "directory")

    async def scenario() -> None:
        async with (
            running_site(tmp_path / "data", broker_port=shared_mosquitto.port, directory=folder) as app,
            following(app) as client,
        ):
            assert app.site is not None
            site = app.site
            assert "14p9" not in client.records
            rewrite(folder / "vehicles.toml", "spare = true", "")
            rewrite(folder / "units.toml", '[[unit]]\nid = "14h1"', MORE + '[[unit]]\nid = "14h1"')
            await eventually(lambda: "14p9" in client.records, what="the new unit on the feed")
            record = client.records["14p9"]
            assert ("14P9", "FA-9", "Stn 15", "never") == (
                record.callsign,
                record.vehicle,
                record.base,
                record.confidence,
            )
            version = site.ingest.directory.version
            rewrite(folder / "units.toml", 'callsign = "14P9"', 'callsign = "14P1"')
            await eventually(lambda: site.reloader.trouble, what="trouble")
            assert site.reloader.trouble == await trouble(app)
            assert (version, "14P9") == (site.ingest.directory.version, client.records["14p9"].callsign)
            rewrite(folder / "units.toml", 'id = "14p9"\ncallsign = "14P1"', 'id = "14p9"\ncallsign = "14P8"')
            await eventually(lambda: client.records["14p9"].callsign == "14P8", what="the mended one")
            assert [] == await trouble(app)
            await eventually(lambda: recorded(site) == site.ingest.directory.version, what="written down")

    asyncio.run(scenario())


def test_what_the_routes_tell(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Version and counts, bases with their places, areas as GeoJSON and control rooms; a reload by hand, either way."""
    folder = write_shire(tmp_path / "directory")

    async def scenario() -> None:
        async with (
            running_site(tmp_path / "data", broker_port=shared_mosquitto.port, directory=folder) as app,
            httpx.AsyncClient(base_url=app.address) as client,
        ):
            await _check_places(client)
            await _check_versions(client, folder)

    asyncio.run(scenario())


async def _check_places(client: httpx.AsyncClient) -> None:
    bases = {one["base"]: one for one in (await client.get("v1/bases")).json()["bases"]}
    assert ["Headquarters", "Stn 14 shared", "Stn 15"] == [one["name"] for one in bases.values()]
    assert {
        "base": "stn14",
        "name": "Stn 14 shared",
        "device": "panel-14",
        "organisation": None,
        "shared": True,
        "lat": 51.1445,
        "lon": 0.8725,
        "zones": [
            {"zone": "dorm", "name": "Dormitory", "services": ["fire"]},
            {"zone": "bays", "name": "bays", "services": []},
        ],
    } == bases["stn14"]
    assert ("kp", False) == (bases["hq"]["organisation"], bases["hq"]["shared"])
    areas = (await client.get("v1/areas")).json()
    assert ("FeatureCollection", ["weald-fire", "yard"]) == (areas["type"], [one["id"] for one in areas["features"]])
    weald = areas["features"][0]
    assert {"id": "weald-fire", "name": "Weald", "organisation": "kfrs", "service": "fire"} == weald["properties"]
    assert ("Feature", "Polygon", [0.5, 51]) == (
        weald["type"],
        weald["geometry"]["type"],
        weald["geometry"]["coordinates"][0][0],
    )
    rooms = (await client.get("v1/control-rooms")).json()["control_rooms"]
    assert [
        {"control_room": "weald", "name": "Weald Control", "organisations": ["kfrs", "kp"], "areas": ["weald-fire"]}
        | {"covering": [], "covered_by": []}
    ] == rooms


async def _check_versions(client: httpx.AsyncClient, folder: Path) -> None:
    told = (await client.get("v1/directory")).json()
    counts = {"organisations": 2, "bases": 3, "vehicles": 3, "units": 4, "devices": 6}
    assert counts | {"areas": 2, "shifts": 2, "control_rooms": 1} == told["counts"]
    assert [] == told["trouble"]
    rewrite(folder / AREA_FILE, '"name": "Yard"', '"name": "Yard of 14"')
    answer = await client.post("v1/directory/reload")
    assert (200, True) == (answer.status_code, answer.json()["version"] != told["version"])
    now = answer.json()["version"]
    rewrite(folder / "units.toml", "minimum_crew = 4", "minimum_crew = 6")
    answer = await client.post("v1/directory/reload")
    assert 422 == answer.status_code
    assert {
        "path": "units.toml: unit[0].minimum_crew",
        "problem": "is 6",
        "expected": "at most preferred_crew, which is 5",
    } == answer.json()["problems"][0]
    told = (await client.get("v1/directory")).json()
    assert (now, [answer.json()["problem"]]) == (told["version"], told["trouble"])
    assert "1 error" in told["trouble"][0] and "watchroom check" in told["trouble"][0]
