"""Who gets there first, and the codes of a scheme, over HTTP."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.brokers import RunningBroker
from tests.cloud.fleet.samples import COUNTY
from tests.site import running_site

_PLACED = COUNTY.replace('name = "Stn 14 shared"', 'name = "Stn 14 shared"\nlat = 51.15\nlon = 0.87')
_UNITS = """
[[unit]]
id = "kf-{n}"
callsign = "14{callsign}"
organisation = "kf"
type = "pump"
base = "stn-14"
scheme = "uk-fire-gd92"
carrier = "veh-1{n}"
capabilities = ["road rescue"]
{more}
[[device]]
id = "veh-1{n}"
organisation = "kf"
enrolment = "E1{n}"
"""
DIRECTORY = (
    _PLACED
    + _UNITS.format(n=2, callsign="P2", more="")
    + _UNITS.format(n=3, callsign="C3", more="covert = true")
    + _UNITS.format(n=4, callsign="P4", more="tier_min = 5")
)
WHERE = "v1/recommend?lat=51.16&lon=0.87"


@pytest.fixture(scope="module")
def asked(shared_mosquitto: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, Any]]:
    """What a county answers whose fire units are all at base, by control's word, and one of them at home."""
    folder: Path = tmp_path_factory.mktemp("recommend")
    (folder / "directory").mkdir()
    (folder / "directory" / "county.toml").write_text(DIRECTORY, encoding="utf-8")
    paths = (
        WHERE,
        f"{WHERE}&capability=rescue",
        f"{WHERE}&capability=ladder",
        f"{WHERE}&service=police",
        f"{WHERE}&limit=0",
        "v1/recommend?lat=nan&lon=0",
        "v1/recommend?lat=91&lon=0",
        "v1/recommend?lat=51",
        "v1/schemes/uk-police-state",
        "v1/schemes/klingon",
        "v1/units/kp-12/scheme",
        "v1/units/x/scheme",
        "openapi.json",
    )

    async def ask() -> dict[str, tuple[int, Any]]:
        site = running_site(folder / "data", broker_port=shared_mosquitto.port, directory=folder / "directory")
        async with site as app, httpx.AsyncClient(base_url=app.address, timeout=20) as client:
            for unit, code in (("kf-1", "7"), ("kf-2", "4"), ("kf-3", "4"), ("kf-4", "4")):
                said = await client.post(f"v1/units/{unit}/status", json={"code": code, "by": "op 7"})
                assert 201 == said.status_code, said.text
            found = {}
            for path in paths:
                answer = await client.get(path)
                found[path] = answer.status_code, answer.json()
            return found

    return asyncio.run(ask())


def test_units_at_base_are_recommended_by_its_place(asked: dict[str, tuple[int, Any]]) -> None:
    """Those whose status says that they are there, and not a word of the covert one or of the one at home."""
    status, body = asked[WHERE]
    assert (200, "straight line, no roads yet") == (status, body["method"])
    assert [("14P2", "base"), ("14P4", "base")] == [(one["callsign"], one["placed_by"]) for one in body["units"]]
    assert 1_112 == round(body["units"][0]["distance_m"])
    assert body["units"][0]["confirm_by_radio"], "its vehicle has never been heard"
    assert [{"why": "no_status", "units": 1}] == body["left_out"]


def test_a_capability_is_one_of_those_that_there_are(asked: dict[str, tuple[int, Any]]) -> None:
    """Whoever asks for one that nobody has is told which there are."""
    status, body = asked[f"{WHERE}&capability=rescue"]
    assert (200, ["14P2", "14P4"], []) == (status, [one["callsign"] for one in body["units"]], body["left_out"])
    status, body = asked[f"{WHERE}&capability=ladder"]
    assert (422, "capability: no unit has 'ladder'; there are road rescue") == (status, body["problem"])
    assert [] == asked[f"{WHERE}&service=police"][1]["units"]


@pytest.mark.parametrize(
    "path", [f"{WHERE}&limit=0", "v1/recommend?lat=nan&lon=0", "v1/recommend?lat=91&lon=0", "v1/recommend?lat=51"]
)
def test_what_is_no_place_is_refused(asked: dict[str, tuple[int, Any]], path: str) -> None:
    """A place that is none on Earth, half a place, and a list of nothing are each told in one line."""
    status, body = asked[path]
    assert (422, True) == (status, bool(body["problem"]))


def test_a_scheme_lists_its_codes(asked: dict[str, tuple[int, Any]]) -> None:
    """In its service's order and words, events without a class; another name is told which schemes there are."""
    status, body = asked["v1/schemes/uk-police-state"]
    codes = {one["code"]: one for one in body["codes"]}
    assert (200, "0") == (status, body["codes"][0]["code"])
    assert (None, "Available") == (codes["0"]["class"], codes["2"]["class"])
    assert ("Available, on patrol", "rest") == (codes["2"]["label"], codes["4"]["activity"])
    status, body = asked["v1/schemes/klingon"]
    assert (404, True) == (status, "uk-police-state" in body["problem"])
    assert asked["v1/schemes/uk-police-state"] == asked["v1/units/kp-12/scheme"], "and of a unit that was never heard"
    assert 404 == asked["v1/units/x/scheme"][0]


def test_both_are_in_the_published_description(asked: dict[str, tuple[int, Any]]) -> None:
    """Every schema that they name is in it."""
    document = asked["openapi.json"][1]
    assert {"/v1/recommend", "/v1/schemes/{name}"} <= set(document["paths"])
    assert {"Recommendation", "Recommended", "LeftOut", "SchemeView", "CodeView"} <= set(
        document["components"]["schemas"]
    )
