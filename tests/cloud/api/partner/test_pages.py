"""Pages while units come and go, the partners' own OpenAPI document, and the document's example of a directory."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.config import partner_port_of
from cloud.directory import Directory
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.errors import Fatal
from tests.brokers import RunningBroker
from tests.cloud.api.partner.lab import FIRE, agreement, as_partner, sharing_site, write_sharing
from tests.cloud.api.test_openapi import look_up, references
from tests.cloud.fleet.samples import COUNTY

DOCUMENT = Path(__file__).parents[4] / "docs" / "sharing.md"


def fleet_of(numbers: range) -> str:
    """The county with so many cars."""
    rows = [
        f'[[unit]]\nid = "kp-c{number:03}"\ncallsign = "C{number}"\norganisation = "kp"\ntype = "car"\n'
        'base = "stn-14"\n'
        f'scheme = "uk-police-state"\ncarrier = "veh-c{number}"\n'
        f'[[device]]\nid = "veh-c{number}"\norganisation = "kp"\nenrolment = "EC{number}"\n'
        for number in numbers
    ]
    return COUNTY + "".join(rows)


def test_pages_hold_each_unit_once_while_units_come_and_go(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Whoever pages while units are added and taken away gets each that stayed exactly once, and none twice."""

    async def run() -> None:
        directory = tmp_path / "directory"
        async with sharing_site(tmp_path, shared_mosquitto, agreement(), county=fleet_of(range(40))) as app:
            async with as_partner(app, FIRE) as client, httpx.AsyncClient(base_url=app.address) as control:
                found, after = list[str](), ""
                for first in range(0, 100, 5):
                    page = (await client.get("v1/units", params={"limit": 7, "after": after})).json()
                    found += [one["unit"] for one in page["units"]]
                    if page["next_after"] is None:
                        break
                    after = page["next_after"]
                    write_sharing(directory, agreement(), county=fleet_of(range(first, 50)))
                    assert 200 == (await control.post("v1/directory/reload")).status_code
        assert sorted(set(found)) == found
        assert {f"kp-c{number:03}" for number in range(25, 40)} <= set(found)

    asyncio.run(run())


def test_the_partners_document_is_whole_and_of_its_own(shared_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """It describes the partners' routes and no other, every `$ref` leads somewhere, and none is the control room's."""

    async def run() -> Any:
        async with sharing_site(tmp_path, shared_mosquitto) as app, as_partner(app, FIRE) as client:
            return (await client.get("openapi.json")).json()

    document = asyncio.run(run())
    assert {"/v1/units", "/v1/feed", "/v1/replay", "/v1/units/{unit}/track", "/healthz"} <= document["paths"].keys()
    assert not {"/metrics", "/v1/orders", "/v1/alarms", "/v1/partners"} & document["paths"].keys()
    assert not {"FeedRecord", "Snapshot", "Explained", "Health"} & document["components"]["schemas"].keys()
    for reference in references(document):
        assert look_up(document, reference)


def test_the_documents_example_is_a_directory() -> None:
    """The rows in docs/sharing.md are right, with a token's digest in place of the dots."""
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    directory = build({"a.toml": COUNTY + example.replace("…", "0" * 64)}, read_packaged(), {})
    assert isinstance(directory, Directory), directory
    assert {"police-to-fire", "police-to-fire-joint"} == directory.agreements.keys()


def test_the_partners_port_is_the_next_one() -> None:
    """Without a word it is the one after the board's, 0 is none, and none that can't be is taken."""
    assert (8471, 0, 9000) == (partner_port_of(8470, None), partner_port_of(8470, 0), partner_port_of(8470, 9000))
    for port, asked in ((8470, 8470), (65_535, None)):
        with pytest.raises(Fatal, match="--partner-port"):
            partner_port_of(port, asked)
