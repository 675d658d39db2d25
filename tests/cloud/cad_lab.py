"""A county whose police has a command and control system (CAD) beside Watchroom, and that system's own view of it."""

import contextlib
import hashlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from cloud.app import App
from cloud.clock import SystemClock
from cloud.ledger import Ledger
from tests.brokers import RunningBroker
from tests.cloud.fleet.samples import COUNTY
from tests.site import running_site

UNIT, OTHER = "kp-12", "kf-1"
TOKENS = {"kp": "police-token", "kf": "fire-token"}
POLICE = """name = "Weald Police"
service = "police"
masters = { status = "cad", assignment = "cad", crew = "cad" }
"""
FIRE = """name = "Weald Fire and Rescue"
service = "fire"
masters = { assignment = "cad" }
"""
_PARTNER = """
[[partner]]
organisation = "{organisation}"
token_sha256 = "{digest}"
cad = {cad}
mqtt = true
"""
_ids = itertools.count(1)


def county_text(*, police: str = POLICE, cad: str = "true") -> str:
    """The county of the samples, with the police's masters as given, and a CAD of each organisation."""
    text = COUNTY.replace('name = "Weald Police"\nservice = "police"\n', police)
    text = text.replace('name = "Weald Fire and Rescue"\nservice = "fire"\n', FIRE)
    partners = [
        _PARTNER.format(organisation=name, digest=hashlib.sha256(token.encode()).hexdigest(), cad=cad)
        for name, token in TOKENS.items()
    ]
    return text + "".join(partners)


@contextlib.asynccontextmanager
async def cad_site(folder: Path, broker: RunningBroker, text: str = "") -> AsyncIterator[App]:
    """The application with that county, its data under `folder`: run it twice and it goes on."""
    directory = folder / "directory"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "county.toml").write_text(text or county_text(), encoding="utf-8")
    data = folder / "data"
    async with running_site(data, broker_port=broker.port, directory=directory, for_partners=True) as app:
        yield app


@contextlib.asynccontextmanager
async def cad_client(app: App, organisation: str = "kp") -> AsyncIterator[httpx.AsyncClient]:
    """An organisation's CAD over HTTP."""
    headers = {"Authorization": f"Bearer {TOKENS[organisation]}"}
    async with httpx.AsyncClient(base_url=app.partner_address, headers=headers, timeout=30) as client:
        yield client


def said(kind: str, **changes: Any) -> dict[str, Any]:
    """What the police's CAD says of its unit, now."""
    message: dict[str, Any] = {
        "kind": kind,
        "id": f"m-{next(_ids)}",
        "origin": "altaris",
        "at": SystemClock().now().isoformat(),
        "unit": UNIT,
    }
    return message | changes


async def say(client: httpx.AsyncClient, message: dict[str, Any], organisation: str = "kp") -> httpx.Response:
    """Send a message."""
    return await client.put(f"v1/cad/{organisation}/messages/{message['id']}", json=message)


async def told(client: httpx.AsyncClient, after: int = 0, organisation: str = "kp", wait: float = 0) -> Any:
    """What the CAD was told after a number."""
    path = f"v1/cad/{organisation}/messages"
    return (await client.get(path, params={"after": after, "wait": wait})).json()


def ledger_of(app: App) -> Ledger:
    """What the application writes to."""
    assert app.site is not None
    return app.site.ledger
